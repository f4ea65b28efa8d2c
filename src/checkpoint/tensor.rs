//! A tensor in a checkpoint.

use std::cell::OnceCell;
use std::rc::Rc;

use ndarray::{ArrayD, ArrayView, IxDyn, ShapeBuilder};

use crate::checkpoint::element::Element;
use crate::checkpoint::error::{CheckpointError, Fault};
use crate::checkpoint::stored_bytes::StoredBytes;

/// Most axes of a tensor, as in NumPy and PyTorch.
pub(crate) const MOST_AXES: usize = 64;

/// Most elements of a tensor, and of the part of the storage that it covers: 256 MiB as f32. The largest tensor of a
/// network that the project reads, the last layer of `ArcFace`, has 13 million.
const MOST_ELEMENTS: u64 = 1 << 26;

/// Bytes that are converted at a time.
const CHUNK: u64 = 1 << 16;

/// Elements in a row, which tensors are views of.
#[derive(Debug)]
pub(crate) struct Storage {
    pub(crate) element: Element,
    /// The number of elements.
    pub(crate) elements: u64,
    pub(crate) big_endian: bool,
    /// Where they lie. A legacy PyTorch file says it after its tensors.
    pub(crate) bytes: OnceCell<StoredBytes>,
    /// The file, for errors.
    pub(crate) file: Rc<str>,
}

impl Storage {
    /// A storage whose place is known.
    pub(crate) fn of_bytes(
        file: &Rc<str>,
        element: Element,
        big_endian: bool,
        bytes: StoredBytes,
    ) -> Rc<Self> {
        Rc::new(Self {
            element,
            elements: bytes.len() / element.size(),
            big_endian,
            bytes: OnceCell::from(bytes),
            file: Rc::clone(file),
        })
    }
}

/// A tensor in a checkpoint: its shape, and where its elements lie. The elements are converted when they are read.
#[derive(Debug)]
pub struct StoredTensor {
    storage: Rc<Storage>,
    element: Element,
    offset: u64,
    shape: Vec<usize>,
    /// Steps between elements along each axis, in elements.
    strides: Vec<usize>,
}

impl StoredTensor {
    /// A view of a storage. Offset and strides are in elements of `element`.
    pub(crate) fn new(
        storage: Rc<Storage>,
        element: Element,
        offset: u64,
        shape: Vec<usize>,
        strides: Vec<usize>,
    ) -> Result<Self, Fault> {
        if shape.len() > MOST_AXES {
            return Err(Fault::Limit {
                found: format!("a tensor with {} axes", shape.len()),
                most: format!("{MOST_AXES} axes"),
            });
        }
        let too_large = || Fault::Limit {
            found: format!("a tensor of the shape {shape:?}"),
            most: format!("{MOST_ELEMENTS} elements"),
        };
        // An empty tensor, too, has a shape that an array can have.
        let indexed = |product: u64, &axis: &usize| product.checked_mul((axis as u64).max(1));
        let elements = shape.iter().try_fold(1, indexed);
        if elements.is_none_or(|elements| elements > MOST_ELEMENTS) {
            return Err(too_large());
        }
        let tensor = Self {
            storage,
            element,
            offset,
            shape,
            strides,
        };
        let available = u128::from(tensor.storage.elements) * u128::from(tensor.storage.element.size());
        let covered = tensor.covered().map(u128::from);
        let end = covered.map(|covered| (u128::from(offset) + covered) * u128::from(element.size()));
        if tensor.shape.len() != tensor.strides.len() || end.is_none_or(|end| end > available) {
            return Err(Fault::malformed(
                format!(
                    "a tensor of the shape {:?} with the strides {:?} at {offset}, in a storage of {} elements",
                    tensor.shape, tensor.strides, tensor.storage.elements
                ),
                "a tensor within its storage",
            ));
        }
        if covered > Some(u128::from(MOST_ELEMENTS)) {
            return Err(Fault::Limit {
                found: format!(
                    "a tensor of the shape {:?} with the strides {:?}",
                    tensor.shape, tensor.strides
                ),
                most: format!("{MOST_ELEMENTS} elements from its first to its last"),
            });
        }
        Ok(tensor)
    }

    /// A tensor in row-major order, or in column-major order, that is a whole storage.
    pub(crate) fn whole(storage: Rc<Storage>, shape: Vec<usize>, column_major: bool) -> Result<Self, Fault> {
        let mut strides = vec![0; shape.len().min(MOST_AXES)];
        let mut step: usize = 1;
        let mut stride = |axis: usize, strides: &mut Vec<usize>| {
            strides[axis] = step;
            step = step.saturating_mul(shape[axis].max(1));
        };
        if column_major {
            (0..strides.len()).for_each(|axis| stride(axis, &mut strides));
        } else {
            (0..strides.len())
                .rev()
                .for_each(|axis| stride(axis, &mut strides));
        }
        let element = storage.element;
        Self::new(storage, element, 0, shape, strides)
    }

    /// A number without axes.
    pub(crate) fn number(value: f64, file: &Rc<str>) -> Self {
        let bytes = StoredBytes::memory(value.to_le_bytes().to_vec());
        let storage = Storage::of_bytes(file, Element::F64, false, bytes);
        Self::whole(storage, Vec::new(), false).expect("a number fits into its storage")
    }

    /// The length of each axis.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The steps between elements along each axis, in elements.
    #[must_use]
    pub fn strides(&self) -> &[usize] {
        &self.strides
    }

    /// The type of its elements in the file.
    #[must_use]
    pub fn element(&self) -> Element {
        self.element
    }

    /// The elements, as f32, in row-major order.
    ///
    /// # Errors
    /// [`CheckpointError`] if the elements do not lie within the file.
    pub fn read(&self) -> Result<ArrayD<f32>, CheckpointError> {
        self.elements().map_err(|fault| fault.of(&self.storage.file))
    }

    /// The elements of the storage from the first to the last of the tensor.
    fn covered(&self) -> Option<u64> {
        if self.shape.contains(&0) {
            return Some(0);
        }
        let steps = self.shape.iter().zip(&self.strides);
        let last = |last: u64, (&axis, &stride): (&usize, &usize)| {
            last.checked_add((axis as u64 - 1).checked_mul(stride as u64)?)
        };
        steps.into_iter().try_fold(0, last)?.checked_add(1)
    }

    fn elements(&self) -> Result<ArrayD<f32>, Fault> {
        let covered = self.covered().expect("checked when the tensor was made");
        let values = self.row(covered)?;
        let shape = IxDyn(&self.shape).strides(IxDyn(&self.strides));
        let view = ArrayView::from_shape(shape, &values).map_err(|_| {
            Fault::malformed(
                format!(
                    "a tensor of the shape {:?} with the strides {:?}",
                    self.shape, self.strides
                ),
                "strides that an array can have",
            )
        })?;
        // An owned copy that keeps the memory of a tensor that is in row-major order already.
        if view.is_standard_layout() && view.len() == values.len() {
            return Ok(ArrayD::from_shape_vec(IxDyn(&self.shape), values).expect("the length fits the shape"));
        }
        Ok(view.as_standard_layout().into_owned())
    }

    /// The storage's elements from the tensor's first on.
    fn row(&self, elements: u64) -> Result<Vec<f32>, Fault> {
        let incomplete = || Fault::Truncated {
            within: "the elements of a tensor".to_owned(),
        };
        let size = self.element.size();
        let bytes = self.storage.bytes.get().ok_or_else(incomplete)?;
        let part = bytes.part(self.offset * size, elements * size);
        // A compressed entry would be decompressed once for each chunk.
        let bytes = part.ok_or_else(incomplete)?.decompressed()?;
        let mut values = Vec::with_capacity(usize::try_from(elements).map_err(|_| incomplete())?);
        let mut position = 0;
        while position < bytes.len() {
            let len = CHUNK.min(bytes.len() - position);
            let mut chunk = bytes.part(position, len).ok_or_else(incomplete)?.read()?;
            if self.storage.big_endian {
                self.element.swap(&mut chunk);
            }
            self.element.append(&chunk, &mut values);
            position += len;
        }
        Ok(values)
    }
}
