//! Networks of NVIDIA's TensorFlow-era programs.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::checkpoint::error::{Fault, shown};
use crate::checkpoint::network::Network;
use crate::checkpoint::networks::names::{Names, join};
use crate::checkpoint::object::{Object, Record};
use crate::checkpoint::tensor::StoredTensor;

/// The network of a record, or `None` for other objects.
pub(super) fn network(record: &Record, file: &Rc<str>, names: &mut Names) -> Result<Option<Network>, Fault> {
    let text = |key: &str| record.state.get(key).and_then(Object::text);
    let (Some(name), Some(function)) = (text("name"), text("build_func_name")) else {
        return Ok(None);
    };
    let mut tensors = BTreeMap::new();
    collect(&record.state, "", file, &mut tensors, names)?;
    Ok(Some(Network {
        name: name.to_owned(),
        class: Some(function.to_owned()),
        settings: record.state.get("static_kwargs").cloned().unwrap_or(Object::None),
        tensors,
    }))
}

/// The variables of a network and of its components.
fn collect(
    network: &Object,
    path: &str,
    file: &Rc<str>,
    tensors: &mut BTreeMap<String, Rc<StoredTensor>>,
    names: &mut Names,
) -> Result<(), Fault> {
    for variable in network
        .get("variables")
        .and_then(Object::list)
        .unwrap_or_default()
    {
        let Some([Object::Text(name), value]) = variable.list() else {
            continue;
        };
        let tensor = match value {
            Object::Tensor(tensor) => Rc::clone(tensor),
            Object::Record(record) => {
                return Err(Fault::UnknownGlobal {
                    global: shown(&record.class),
                });
            }
            other => match other.number() {
                Some(number) => Rc::new(StoredTensor::number(number, file)),
                None => continue,
            },
        };
        names.insert(tensors, path, name, tensor)?;
    }
    for (name, component) in network
        .get("components")
        .and_then(Object::entries)
        .unwrap_or_default()
    {
        if let Some(name) = name.text() {
            collect(component, &join(path, name, "/")?, file, tensors, names)?;
        }
    }
    Ok(())
}
