//! Arrays in NumPy's `.npy` format. Untrusted bytes never cause an allocation larger than the file needs.
//!
//! Format: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.

use crate::catalog::error::NpyError;
use crate::catalog::npy_elements::ElementType;
use crate::checkpoint::{NPY_MAGIC, NpyHeader};
use crate::latent::Boundary;

/// An array of real numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct NpyArray {
    /// Length of each axis.
    pub shape: Vec<usize>,
    /// Values in C order: the last axis varies fastest.
    pub values: Vec<f64>,
}

impl NpyArray {
    /// Whether `file` begins like a `.npy` file.
    #[must_use]
    pub fn is_npy(file: &[u8]) -> bool {
        file.starts_with(NPY_MAGIC)
    }

    /// Reads floating-point numbers, integers and booleans in any byte order, in C or Fortran order, format versions 1 to 3.
    ///
    /// # Errors
    /// [`NpyError`] for other elements such as pickled objects, for a header that NumPy would not write, and for a
    /// length that does not match the shape.
    pub fn read(file: &[u8]) -> Result<Self, NpyError> {
        let (header, body) = NpyHeader::split(file).ok_or(NpyError::NotNpy)?;
        let header = NpyHeader::parse(header).ok_or_else(|| NpyError::Header {
            header: String::from_utf8_lossy(header).chars().take(120).collect(),
        })?;
        let Some(element) = ElementType::of_name(header.descr) else {
            return Err(NpyError::ElementType {
                descr: header.descr.to_owned(),
            });
        };
        let size = element.size();
        let product = |bytes: usize, axis: usize| bytes.checked_mul(axis);
        let expected = header.shape.iter().copied().try_fold(size, product);
        // An empty array can have axes so long that no array library can hold their shape.
        let indexed = header
            .shape
            .iter()
            .map(|&axis| axis.max(1))
            .try_fold(size, product);
        if expected != Some(body.len()) || indexed.is_none_or(|bytes| isize::try_from(bytes).is_err()) {
            let expected = expected.unwrap_or(usize::MAX);
            return Err(NpyError::Length {
                shape: header.shape,
                expected,
                found: body.len(),
            });
        }
        let stored = element.read(body);
        let values = if header.fortran_order {
            c_order(&stored, &header.shape)
        } else {
            stored
        };
        Ok(Self {
            shape: header.shape,
            values,
        })
    }

    /// The normal of a boundary, of shape `(1, dim)` in z and w, `(layers, dim)` in w+.
    #[must_use]
    pub fn of_normal(boundary: &Boundary) -> Self {
        let (rows, dim) = boundary.normal().dim();
        Self {
            shape: vec![rows, dim],
            values: boundary.normal().iter().copied().collect(),
        }
    }

    /// A code of one row, of shape `(dim,)`.
    #[must_use]
    pub fn of_row(values: &[f32]) -> Self {
        Self {
            shape: vec![values.len()],
            values: values.iter().copied().map(f64::from).collect(),
        }
    }

    /// Writes the array as `<f8`, otherwise like [`write_f4`](Self::write_f4).
    ///
    /// # Panics
    /// If the header is longer than 65,535 bytes, which needs thousands of axes.
    #[must_use]
    pub fn write_f8(&self) -> Vec<u8> {
        let mut file = header(&self.shape, "<f8");
        file.extend(self.values.iter().flat_map(|value| value.to_le_bytes()));
        file
    }

    /// Writes the array as `<f4` in C order, format version 1, with the same bytes as `numpy.save`.
    ///
    /// # Panics
    /// If the header is longer than 65,535 bytes, which needs thousands of axes.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "the values are written as f32")]
    pub fn write_f4(&self) -> Vec<u8> {
        let mut file = header(&self.shape, "<f4");
        file.extend(self.values.iter().flat_map(|&value| (value as f32).to_le_bytes()));
        file
    }
}

/// The beginning of a file of version 1 with elements of the type `descr` in C order: the bytes of the elements follow.
pub(crate) fn header(shape: &[usize], descr: &str) -> Vec<u8> {
    let axes: Vec<String> = shape.iter().map(ToString::to_string).collect();
    let tuple = if axes.len() == 1 {
        format!("({},)", axes[0])
    } else {
        format!("({})", axes.join(", "))
    };
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {tuple}, }}");
    let unpadded = NPY_MAGIC.len() + 4 + header.len() + 1;
    header.extend(std::iter::repeat_n(' ', unpadded.next_multiple_of(64) - unpadded));
    header.push('\n');
    let length = u16::try_from(header.len()).expect("a header of a few axes is short");
    [NPY_MAGIC, &[1, 0], &length.to_le_bytes(), header.as_bytes()].concat()
}

/// Reorders values from Fortran order, in which the first axis varies fastest, to C order.
fn c_order(stored: &[f64], shape: &[usize]) -> Vec<f64> {
    let array = ndarray::ArrayView::from_shape(
        ndarray::IxDyn(&shape.iter().rev().copied().collect::<Vec<_>>()),
        stored,
    )
    .expect("the length was checked against the shape");
    array.reversed_axes().iter().copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(header: &str, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(header.len()).unwrap();
        [NPY_MAGIC, &[1, 0], &length.to_le_bytes(), header.as_bytes(), body].concat()
    }

    fn floats(values: &[f32]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    #[test]
    fn a_written_array_is_read_back() {
        for shape in [vec![3], vec![1, 3], vec![3, 1, 1]] {
            let array = NpyArray {
                shape,
                values: vec![1.5, -2.0, 0.25],
            };
            let written = array.write_f4();
            assert_eq!(written.len() % 64, 12, "the header is padded to 64 bytes");
            assert_eq!(NpyArray::read(&written).unwrap(), array);
            assert_eq!(NpyArray::read(&array.write_f8()).unwrap(), array);
        }
    }

    #[test]
    fn fortran_order_is_converted_to_c_order() {
        let body = floats(&[0.0, 10.0, 1.0, 11.0, 2.0, 12.0]);
        let array = NpyArray::read(&file(
            "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }",
            &body,
        ))
        .unwrap();
        assert_eq!(array.values, [0.0, 1.0, 2.0, 10.0, 11.0, 12.0]);
    }

    #[test]
    fn pickles_and_records_are_refused_by_name() {
        let pickled = NpyArray::read(&file(
            "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
            b"\x80\x04",
        ));
        assert_eq!(pickled, Err(NpyError::ElementType { descr: "|O".into() }));
        let record = NpyArray::read(&file(
            "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }",
            &[0; 4],
        ));
        assert!(matches!(record, Err(NpyError::ElementType { .. })), "{record:?}");
    }

    #[test]
    fn a_shape_that_needs_more_bytes_than_the_file_has_is_refused() {
        let huge =
            "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296, 4294967296), }";
        let error = NpyArray::read(&file(huge, &[0; 4])).unwrap_err();
        assert!(matches!(error, NpyError::Length { found: 4, .. }), "{error:?}");
        let short = NpyArray::read(&file(
            "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }",
            &[0; 8],
        ));
        assert_eq!(
            short,
            Err(NpyError::Length {
                shape: vec![3],
                expected: 12,
                found: 8
            })
        );
    }

    #[test]
    fn an_empty_array_with_axes_that_overflow_is_refused() {
        for (order, shape) in [
            ("False", "(0, 18446744073709551615)"),
            ("True", "(9223372036854775807, 0, 3)"),
        ] {
            let header = format!("{{'descr': '<f8', 'fortran_order': {order}, 'shape': {shape}, }}");
            let error = NpyArray::read(&file(&header, &[])).unwrap_err();
            assert!(matches!(error, NpyError::Length { .. }), "{shape}: {error:?}");
        }
        let many = format!(
            "{{'descr': '<f8', 'fortran_order': False, 'shape': ({}), }}",
            "1,".repeat(65)
        );
        let error = NpyArray::read(&file(&many, &[0; 8])).unwrap_err();
        assert!(matches!(error, NpyError::Header { .. }), "{error:?}");
    }

    #[test]
    fn other_bytes_are_refused() {
        for bytes in [
            &b""[..],
            b"\x93NUMPY",
            b"\x93NUMPY\x01\x00\xff\xff{",
            b"PK\x03\x04",
            b"\x93NUMPY\x09\x00\x00\x00",
        ] {
            assert_eq!(NpyArray::read(bytes), Err(NpyError::NotNpy), "{bytes:?}");
        }
        for header in [
            "",
            "{",
            "{}",
            "{'descr': '<f4'}",
            "{'shape': (((((",
            "{'descr': '<f4', 'fortran_order': 1, 'shape': ()}",
        ] {
            let error = NpyArray::read(&file(header, &[])).unwrap_err();
            assert!(matches!(error, NpyError::Header { .. }), "{header:?}: {error:?}");
        }
    }
}
