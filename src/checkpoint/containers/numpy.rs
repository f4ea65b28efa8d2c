//! NumPy's files: `.npy`, an array, and `.npz`, a zip archive of them.

use std::cell::RefCell;
use std::rc::Rc;

use crate::checkpoint::containers::plain_pickle;
use crate::checkpoint::element::Element;
use crate::checkpoint::error::{Fault, shown};
use crate::checkpoint::npy_header::NpyHeader;
use crate::checkpoint::object::Object;
use crate::checkpoint::pickle::Budget;
use crate::checkpoint::stored_bytes::{Archive, StoredBytes};
use crate::checkpoint::tensor::{Storage, StoredTensor};

/// Most bytes of a header. NumPy's have 128, or some more for records.
const LONGEST_HEADER: u64 = 1 << 16;

/// The steps that an array of an archive costs, because its first bytes are decompressed.
const STEPS_OF_ENTRY: u64 = 100;

/// The end of the names in an archive.
const EXTENSION: &str = ".npy";

/// The array in a `.npy` file.
pub(super) fn read_npy(bytes: &StoredBytes, file: &Rc<str>, budget: &mut Budget) -> Result<Object, Fault> {
    let first = bytes.first(LONGEST_HEADER)?;
    let unreadable = || {
        Fault::malformed(
            "the header of an array that cannot be read",
            "a header as NumPy writes it",
        )
    };
    let (text, rest) = NpyHeader::split(&first).ok_or_else(unreadable)?;
    let header = NpyHeader::parse(text).ok_or_else(unreadable)?;
    let start = (first.len() - rest.len()) as u64;
    let elements = bytes
        .part(start, bytes.len() - start)
        .expect("the header lies within");
    if header.descr == "|O" {
        return plain_pickle::read(elements, file, budget);
    }
    let (big_endian, code) = match header.descr.split_at_checked(1) {
        Some((">", code)) => (true, code),
        Some(("<" | "|" | "=", code)) => (false, code),
        _ => (false, header.descr),
    };
    let element = Element::of_numpy(code).ok_or_else(|| Fault::TensorKind {
        kind: format!("an array of the type {}", shown(header.descr)),
    })?;
    let storage = Storage::of_bytes(file, element, big_endian, elements);
    let tensor = StoredTensor::whole(storage, header.shape, header.fortran_order)?;
    Ok(Object::Tensor(Rc::new(tensor)))
}

/// Whether an archive holds arrays only.
pub(super) fn is_npz(archive: &Archive) -> bool {
    let mut names = archive.file_names().filter_map(Result::ok);
    !archive.is_empty() && names.all(|name| name.ends_with(EXTENSION))
}

/// The arrays in a `.npz` file by their names.
pub(super) fn read_npz(
    bytes: &StoredBytes,
    archive: Archive,
    file: &Rc<str>,
    budget: &mut Budget,
) -> Result<Object, Fault> {
    let names: Vec<String> = archive
        .file_names()
        .map(|name| name.unwrap_or_default().into_owned())
        .collect();
    let archive = Rc::new(RefCell::new(archive));
    let mut arrays = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        budget.steps(STEPS_OF_ENTRY)?;
        let entry = bytes.entry(&archive, index, budget.most_decompressed)?;
        let array = read_npy(&entry, file, budget)?;
        let name = name.strip_suffix(EXTENSION).unwrap_or(name);
        arrays.push((Object::Text(name.into()), array));
    }
    Ok(Object::Dict(Rc::new(arrays)))
}
