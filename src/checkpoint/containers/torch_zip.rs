//! Files of `torch.save` since version 1.6: a zip archive with a pickle, `data.pkl`, and an entry for each storage.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use crate::checkpoint::containers::legacy;
use crate::checkpoint::element::Element;
use crate::checkpoint::error::{Fault, shown};
use crate::checkpoint::object::Object;
use crate::checkpoint::pickle::{Budget, Heap, Input, Storages, convert, run};
use crate::checkpoint::stored_bytes::{Archive, StoredBytes};
use crate::checkpoint::tensor::Storage;

/// Most bytes of `data.pkl` if it is compressed: 64 MiB. It holds names and shapes, no elements.
const MOST_COMPRESSED: u64 = 64 << 20;

/// The name of the pickle, below the archive's folder.
const PICKLE: &str = "/data.pkl";

/// The folder of the archive, if it is of `torch.save`.
pub(super) fn folder(archive: &Archive) -> Option<String> {
    let names = archive.file_names().filter_map(Result::ok);
    names
        .filter_map(|name| name.strip_suffix(PICKLE).map(str::to_owned))
        .find(|folder| !folder.contains('/'))
}

/// Whether the archive is of `torch.jit.save`, which has no state dict.
pub(super) fn is_program(archive: &Archive, folder: &str) -> bool {
    archive
        .index_for_name(&format!("{folder}/constants.pkl"))
        .is_some()
}

/// The object in a file.
pub(super) fn read(
    bytes: &StoredBytes,
    archive: Archive,
    folder: String,
    file: &Rc<str>,
    budget: &mut Budget,
) -> Result<Object, Fault> {
    let mut storages = ZipStorages {
        bytes: bytes.clone(),
        archive: Rc::new(RefCell::new(archive)),
        folder,
        big_endian: false,
        file: Rc::clone(file),
        storages: HashMap::new(),
        most_decompressed: budget.most_decompressed,
    };
    if let Some(order) = storages.entry("/byteorder")? {
        storages.big_endian = order.first(8)? == b"big";
    }
    let pickle = storages
        .entry(PICKLE)?
        .ok_or_else(|| Fault::malformed("no data.pkl", "data.pkl"))?;
    if pickle.len() > MOST_COMPRESSED && pickle.is_compressed() {
        return Err(Fault::Limit {
            found: format!("a compressed pickle of {} bytes", pickle.len()),
            most: format!("{MOST_COMPRESSED} bytes"),
        });
    }
    let mut heap = Heap::default();
    let value = run(
        &mut Input::new(pickle.decompressed()?),
        &mut heap,
        &mut storages,
        budget,
    )?;
    convert(&heap, value)
}

struct ZipStorages {
    bytes: StoredBytes,
    archive: Rc<RefCell<Archive>>,
    folder: String,
    big_endian: bool,
    file: Rc<str>,
    storages: HashMap<String, Rc<Storage>>,
    most_decompressed: u64,
}

impl ZipStorages {
    /// The bytes of an entry of the archive's folder.
    fn entry(&self, name: &str) -> Result<Option<StoredBytes>, Fault> {
        let name = format!("{}{name}", self.folder);
        let index = self.archive.borrow().index_for_name(&name);
        index
            .map(|index| self.bytes.entry(&self.archive, index, self.most_decompressed))
            .transpose()
    }
}

impl Storages for ZipStorages {
    fn file(&self) -> &Rc<str> {
        &self.file
    }

    fn storage(&mut self, key: &str, element: Element, elements: u64) -> Result<Option<Rc<Storage>>, Fault> {
        if let Some(storage) = self.storages.get(key) {
            return Ok(Some(Rc::clone(storage)));
        }
        let bytes = self.entry(&format!("/data/{key}"))?;
        let bytes = bytes.ok_or_else(|| {
            Fault::malformed(
                format!("no entry {}", shown(&format!("data/{key}"))),
                "an entry for each storage",
            )
        })?;
        if elements
            .checked_mul(element.size())
            .is_none_or(|len| len > bytes.len())
        {
            return Err(Fault::malformed(
                format!("{} bytes in the entry {}", bytes.len(), shown(key)),
                format!("{elements} elements of {} bytes", element.size()),
            ));
        }
        let storage = Rc::new(Storage {
            element,
            elements,
            big_endian: self.big_endian,
            bytes: OnceCell::from(bytes),
            file: Rc::clone(&self.file),
        });
        self.storages.insert(key.to_owned(), Rc::clone(&storage));
        Ok(Some(storage))
    }

    fn nested(&mut self, bytes: StoredBytes, budget: &mut Budget) -> Result<Rc<Storage>, Fault> {
        legacy::read_storage(bytes, &self.file, budget)
    }
}
