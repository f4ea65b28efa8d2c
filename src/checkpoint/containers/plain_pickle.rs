//! Files that are one pickle, such as NVIDIA's snapshots.

use std::rc::Rc;

use crate::checkpoint::containers::legacy;
use crate::checkpoint::element::Element;
use crate::checkpoint::error::Fault;
use crate::checkpoint::object::Object;
use crate::checkpoint::pickle::{Budget, Heap, Input, Storages, convert, run};
use crate::checkpoint::stored_bytes::StoredBytes;
use crate::checkpoint::tensor::Storage;

/// The object in a file.
pub(super) fn read(bytes: StoredBytes, file: &Rc<str>, budget: &mut Budget) -> Result<Object, Fault> {
    let mut storages = NoStorages {
        file: Rc::clone(file),
    };
    let mut heap = Heap::default();
    let value = run(&mut Input::new(bytes), &mut heap, &mut storages, budget)?;
    convert(&heap, value)
}

/// A pickle without storages outside of it.
struct NoStorages {
    file: Rc<str>,
}

impl Storages for NoStorages {
    fn file(&self) -> &Rc<str> {
        &self.file
    }

    fn storage(&mut self, _: &str, _: Element, _: u64) -> Result<Option<Rc<Storage>>, Fault> {
        Ok(None)
    }

    fn nested(&mut self, bytes: StoredBytes, budget: &mut Budget) -> Result<Rc<Storage>, Fault> {
        legacy::read_storage(bytes, &self.file, budget)
    }
}
