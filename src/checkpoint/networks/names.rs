//! The names of tensors, with limits on what they take.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::checkpoint::error::{Fault, shown};
use crate::checkpoint::tensor::StoredTensor;

/// Longest name of a tensor, in bytes.
const LONGEST: usize = 500;

/// Most names of the tensors of a file. A file of StyleGAN2 has 600.
const MOST: usize = 100_000;

/// Counts the tensors of a file while they get their names.
#[derive(Default)]
pub(super) struct Names {
    given: usize,
}

impl Names {
    /// Adds a tensor under the name `path` followed by `key`.
    pub(super) fn insert(
        &mut self,
        tensors: &mut BTreeMap<String, Rc<StoredTensor>>,
        path: &str,
        key: &str,
        tensor: Rc<StoredTensor>,
    ) -> Result<(), Fault> {
        let name = join(path, key, "")?;
        self.given += 1;
        if self.given > MOST {
            return Err(Fault::Limit {
                found: "a file with more tensors".to_owned(),
                most: format!("{MOST} tensors"),
            });
        }
        tensors.insert(name, tensor);
        Ok(())
    }
}

/// The name `path` followed by `key` and `end`.
pub(super) fn join(path: &str, key: &str, end: &str) -> Result<String, Fault> {
    if path.len() + key.len() > LONGEST {
        return Err(Fault::Limit {
            found: format!("the name {} of a tensor", shown(key)),
            most: format!("{LONGEST} bytes"),
        });
    }
    Ok(format!("{path}{key}{end}"))
}
