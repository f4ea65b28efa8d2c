//! Writes pickles, opcode by opcode, and the zip archives of PyTorch around them.

use std::io::{Cursor, Write};

use zip::CompressionMethod;
use zip::write::{SimpleFileOptions, ZipWriter};

/// A pickle of protocol 4 without its end.
#[derive(Clone)]
pub(crate) struct Pickle(Vec<u8>);

impl Pickle {
    pub(crate) fn new() -> Self {
        Self(vec![0x80, 4])
    }

    /// Opcodes without arguments.
    pub(crate) fn op(mut self, opcodes: &[u8]) -> Self {
        self.0.extend_from_slice(opcodes);
        self
    }

    pub(crate) fn repeat(mut self, opcodes: &[u8], times: usize) -> Self {
        self.0.extend(opcodes.repeat(times));
        self
    }

    pub(crate) fn global(self, module: &str, name: &str) -> Self {
        self.op(format!("c{module}\n{name}\n").as_bytes())
    }

    pub(crate) fn text(self, text: &str) -> Self {
        let length = u32::try_from(text.len()).unwrap();
        self.op(b"X").op(&length.to_le_bytes()).op(text.as_bytes())
    }

    pub(crate) fn bytes(self, bytes: &[u8]) -> Self {
        let length = u32::try_from(bytes.len()).unwrap();
        self.op(b"B").op(&length.to_le_bytes()).op(bytes)
    }

    pub(crate) fn integer(self, integer: i64) -> Self {
        self.op(&[0x8a, 8]).op(&integer.to_le_bytes())
    }

    pub(crate) fn integers(self, integers: &[i64]) -> Self {
        let written = integers
            .iter()
            .fold(self.op(b"("), |pickle, integer| pickle.integer(*integer));
        written.op(b"t")
    }

    /// A storage with the key 0, as PyTorch refers to it.
    pub(crate) fn storage(self, class: &str, elements: i64) -> Self {
        self.op(b"(")
            .text("storage")
            .global("torch", class)
            .text("0")
            .text("cpu")
            .integer(elements)
            .op(b"tQ")
    }

    /// A tensor of that storage.
    pub(crate) fn tensor(
        self,
        class: &str,
        elements: i64,
        offset: i64,
        shape: &[i64],
        strides: &[i64],
    ) -> Self {
        self.global("torch._utils", "_rebuild_tensor_v2")
            .op(b"(")
            .storage(class, elements)
            .integer(offset)
            .integers(shape)
            .integers(strides)
            .op(b"\x89Nt")
            .op(b"R")
    }

    /// An array of NumPy, whose modules are below `core`.
    pub(crate) fn array(self, core: &str, dtype: &str, order: &str, shape: &[i64], bytes: &[u8]) -> Self {
        self.global(&format!("{core}.multiarray"), "_reconstruct")
            .global("numpy", "ndarray")
            .integers(&[0])
            .op(b"C\x01b\x87R(")
            .integer(1)
            .integers(shape)
            .dtype(dtype, order)
            .op(b"\x89")
            .bytes(bytes)
            .op(b"tb")
    }

    /// A type of NumPy.
    pub(crate) fn dtype(self, dtype: &str, order: &str) -> Self {
        self.global("numpy", "dtype")
            .text(dtype)
            .op(b"\x89\x88\x87R(")
            .integer(3)
            .text(order)
            .op(b"NNN")
            .integer(-1)
            .integer(-1)
            .integer(0)
            .op(b"tb")
    }

    /// The pickle with its end.
    pub(crate) fn finish(self) -> Vec<u8> {
        self.op(b".").0
    }

    /// The file of `torch.save` with this pickle and the elements of the storage 0.
    pub(crate) fn zip(self, elements: &[u8]) -> Vec<u8> {
        let entries = [("data.pkl", self.finish()), ("data/0", elements.to_vec())];
        archive(CompressionMethod::Stored, &entries)
    }
}

/// A zip archive of PyTorch.
pub(crate) fn archive(method: CompressionMethod, entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    for (name, bytes) in entries {
        archive.start_file(format!("archive/{name}"), options).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// The file of `torch.save` of one tensor.
pub(crate) fn torch_file(shape: &[i64], values: &[f32]) -> Vec<u8> {
    let elements: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    whole(Pickle::new(), shape).zip(&elements)
}

/// A tensor that is all of the storage 0, or its beginning.
pub(crate) fn whole(pickle: Pickle, shape: &[i64]) -> Pickle {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis];
    }
    pickle.tensor("FloatStorage", shape.iter().product(), 0, shape, &strides)
}
