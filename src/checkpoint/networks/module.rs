//! Instances of PyTorch's modules.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::checkpoint::error::{Fault, shown};
use crate::checkpoint::network::Network;
use crate::checkpoint::networks::names::{Names, join};
use crate::checkpoint::object::{Object, Record};
use crate::checkpoint::tensor::StoredTensor;

/// The network of a module, or `None` for other objects.
pub(super) fn network(name: &str, record: &Record, names: &mut Names) -> Result<Option<Network>, Fault> {
    if record.state.get("_parameters").is_none() || record.state.get("_modules").is_none() {
        return Ok(None);
    }
    let mut tensors = BTreeMap::new();
    collect(&record.state, "", &mut tensors, names)?;
    Ok(Some(Network {
        name: name.to_owned(),
        class: Some(record.class.to_string()),
        settings: record.state.get("_init_kwargs").cloned().unwrap_or(Object::None),
        tensors,
    }))
}

/// The parameters and buffers of a module and of the modules in it.
fn collect(
    module: &Object,
    path: &str,
    tensors: &mut BTreeMap<String, Rc<StoredTensor>>,
    names: &mut Names,
) -> Result<(), Fault> {
    for part in ["_parameters", "_buffers"] {
        for (key, value) in module.get(part).and_then(Object::entries).unwrap_or_default() {
            let Some(key) = key.text() else { continue };
            match value {
                Object::Tensor(tensor) => {
                    names.insert(tensors, path, key, Rc::clone(tensor))?;
                }
                Object::Record(record) => {
                    return Err(Fault::UnknownGlobal {
                        global: shown(&record.class),
                    });
                }
                _ => {}
            }
        }
    }
    for (key, value) in module
        .get("_modules")
        .and_then(Object::entries)
        .unwrap_or_default()
    {
        if let Some(key) = key.text() {
            collect(value, &join(path, key, ".")?, tensors, names)?;
        }
    }
    Ok(())
}
