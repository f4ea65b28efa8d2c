//! Files of `torch.save` before version 1.6: five pickles, then the storages one after the other.
//!
//! The pickles are: a magic number, the version 1001, facts on the system, the object, and the keys of the storages in the
//! order of the file. A storage is the number of its elements, in 64 bits, and the elements, all little-endian.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::rc::Rc;

use crate::checkpoint::element::Element;
use crate::checkpoint::error::{Fault, shown};
use crate::checkpoint::object::Object;
use crate::checkpoint::pickle::{Budget, Heap, Input, Node, Storages, Value, convert, run};
use crate::checkpoint::stored_bytes::StoredBytes;
use crate::checkpoint::tensor::Storage;

/// The pickle of the magic number, with which files begin. The second byte is the protocol of the pickle.
const MAGIC: [u8; 13] = [
    0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, b'.',
];

/// Whether a file begins like a legacy file.
pub(super) fn is_legacy(first: &[u8]) -> bool {
    first.first() == Some(&0x80) && first.get(2..).is_some_and(|rest| rest.starts_with(&MAGIC))
}

/// The object in a file.
pub(super) fn read(bytes: &StoredBytes, file: &Rc<str>, budget: &mut Budget) -> Result<Object, Fault> {
    let (heap, value) = values(bytes, file, budget)?;
    convert(&heap, value)
}

/// The storage that is all that a file holds.
pub(super) fn read_storage(
    bytes: StoredBytes,
    file: &Rc<str>,
    budget: &mut Budget,
) -> Result<Rc<Storage>, Fault> {
    if !is_legacy(&bytes.first(32)?) {
        return Err(Fault::malformed(
            "a storage in an unknown format",
            "a file of torch.save in a byte string",
        ));
    }
    let (heap, value) = values(&bytes, file, budget)?;
    match heap.get(value) {
        Some(Node::Storage(storage)) => Ok(Rc::clone(storage)),
        _ => Err(Fault::malformed(
            "another object in place of a storage",
            "a storage of PyTorch",
        )),
    }
}

fn values(bytes: &StoredBytes, file: &Rc<str>, budget: &mut Budget) -> Result<(Heap, Value), Fault> {
    let mut storages = Legacy {
        file: Rc::clone(file),
        storages: HashMap::new(),
    };
    let mut input = Input::new(bytes.clone());
    let mut heap = Heap::default();
    let mut next = |heap: &mut Heap, storages: &mut Legacy| run(&mut input, heap, storages, budget);
    next(&mut heap, &mut storages)?;
    let version = next(&mut heap, &mut storages)?;
    if version != Value::Integer(1001) {
        return Err(Fault::malformed(
            "an unknown version of the files of torch.save",
            "version 1001",
        ));
    }
    next(&mut heap, &mut storages)?;
    let value = next(&mut heap, &mut storages)?;
    let keys = next(&mut heap, &mut storages)?;
    let keys = heap.list(keys).unwrap_or_default();
    let mut position = input.position();
    for key in keys {
        let key = match key {
            Value::Integer(key) => key.to_string().into(),
            key => heap.text(*key).map(Rc::clone).unwrap_or_default(),
        };
        let Some(storage) = storages.storages.get(&*key) else {
            return Err(Fault::malformed(
                format!("the unknown storage {}", shown(&key)),
                "a storage that a tensor uses",
            ));
        };
        position = place(bytes, position, storage)?;
    }
    Ok((heap, value))
}

/// Finds the elements of the storage at `position`. Returns where the next storage is.
fn place(bytes: &StoredBytes, position: u64, storage: &Storage) -> Result<u64, Fault> {
    let truncated = || Fault::Truncated {
        within: "the elements of the tensors".to_owned(),
    };
    let mut elements = [0; 8];
    let count = bytes.part(position, 8).ok_or_else(truncated)?;
    count.read_at(0, &mut elements)?;
    let elements = u64::from_le_bytes(elements);
    if elements != storage.elements {
        return Err(Fault::malformed(
            format!("a storage of {elements} elements"),
            format!("{} elements, as its tensors say", storage.elements),
        ));
    }
    let len = elements
        .checked_mul(storage.element.size())
        .ok_or_else(truncated)?;
    let part = bytes.part(position + 8, len).ok_or_else(truncated)?;
    // A key that the file lists twice has its elements at the first place.
    storage.bytes.set(part).ok();
    Ok(position + 8 + len)
}

struct Legacy {
    file: Rc<str>,
    storages: HashMap<String, Rc<Storage>>,
}

impl Storages for Legacy {
    fn file(&self) -> &Rc<str> {
        &self.file
    }

    fn storage(&mut self, key: &str, element: Element, elements: u64) -> Result<Option<Rc<Storage>>, Fault> {
        if let Some(storage) = self.storages.get(key) {
            return Ok(Some(Rc::clone(storage)));
        }
        let storage = Rc::new(Storage {
            element,
            elements,
            big_endian: false,
            bytes: OnceCell::new(),
            file: Rc::clone(&self.file),
        });
        self.storages.insert(key.to_owned(), Rc::clone(&storage));
        Ok(Some(storage))
    }

    fn nested(&mut self, bytes: StoredBytes, budget: &mut Budget) -> Result<Rc<Storage>, Fault> {
        read_storage(bytes, &self.file, budget)
    }
}
