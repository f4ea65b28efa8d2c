//! What a pickle refers to outside of itself.

use std::rc::Rc;

use crate::checkpoint::element::Element;
use crate::checkpoint::error::Fault;
use crate::checkpoint::pickle::budget::Budget;
use crate::checkpoint::stored_bytes::StoredBytes;
use crate::checkpoint::tensor::Storage;

/// The storages that a pickle refers to. The container of the pickle knows where they lie.
pub(crate) trait Storages {
    /// The name of the file, for errors.
    fn file(&self) -> &Rc<str>;

    /// The storage with a key, or `None` if the container has no storages.
    fn storage(&mut self, key: &str, element: Element, elements: u64) -> Result<Option<Rc<Storage>>, Fault>;

    /// The storage in bytes that are a complete PyTorch file.
    fn nested(&mut self, bytes: StoredBytes, budget: &mut Budget) -> Result<Rc<Storage>, Fault>;
}
