//! Finds the networks in a file.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::checkpoint::error::Fault;
use crate::checkpoint::network::Network;
use crate::checkpoint::networks::{module, tensorflow};
use crate::checkpoint::object::Object;

/// Most dictionaries or lists around a network.
const MOST_WRAPPERS: usize = 3;

/// The networks in a file, in its order.
pub(crate) fn find(root: &Object, file: &Rc<str>) -> Result<Vec<Network>, Fault> {
    let mut networks = Vec::new();
    collect(root, root, "", 0, file, &mut networks)?;
    Ok(networks)
}

/// Adds the networks at an object.
fn collect(
    root: &Object,
    object: &Object,
    name: &str,
    depth: usize,
    file: &Rc<str>,
    networks: &mut Vec<Network>,
) -> Result<(), Fault> {
    match object {
        Object::Record(record) => {
            if let Some(network) = module::network(name, record)? {
                networks.push(network);
            } else if let Some(network) = tensorflow::network(record, file)? {
                networks.push(network);
            }
        }
        Object::List(elements) if depth <= MOST_WRAPPERS => {
            for element in elements.iter() {
                collect(root, element, name, depth + 1, file, networks)?;
            }
        }
        Object::Dict(entries) if depth <= MOST_WRAPPERS => {
            let before = networks.len();
            for (key, value) in entries.iter() {
                let Some(key) = key.text() else { continue };
                let name = if name.is_empty() {
                    key.to_owned()
                } else {
                    format!("{name}.{key}")
                };
                collect(root, value, &name, depth + 1, file, networks)?;
            }
            // A dictionary of tensors. One that has networks beside them, such as a file with an average code, is none.
            if networks.len() == before {
                networks.extend(state_dict(root, entries, name)?);
            }
        }
        _ => {}
    }
    Ok(())
}

/// The network of a dictionary with tensors, or `None` for other dictionaries.
fn state_dict(root: &Object, entries: &[(Object, Object)], name: &str) -> Result<Option<Network>, Fault> {
    let named = entries
        .iter()
        .filter_map(|(key, value)| Some((key.text()?, value)));
    let tensors: BTreeMap<_, _> = named
        .clone()
        .filter_map(|(key, value)| Some((key.to_owned(), Rc::clone(value.tensor()?))))
        .collect();
    if tensors.is_empty() {
        return Ok(None);
    }
    for (_, value) in named {
        if let Object::Record(record) = value
            && has_tensor(&record.arguments)
        {
            return Err(Fault::UnknownGlobal {
                global: record.class.to_string(),
            });
        }
    }
    let settings = if name.is_empty() {
        None
    } else {
        root.get("args").or_else(|| root.get("opts"))
    };
    Ok(Some(Network {
        name: name.to_owned(),
        class: None,
        settings: match settings {
            Some(Object::Record(record)) => record.state.clone(),
            Some(dict) => dict.clone(),
            None => Object::None,
        },
        tensors,
    }))
}

/// Whether an object is made of a tensor.
fn has_tensor(object: &Object) -> bool {
    match object {
        Object::Tensor(_) => true,
        Object::List(elements) => elements.iter().any(has_tensor),
        Object::Dict(entries) => entries.iter().any(|(_, value)| has_tensor(value)),
        Object::Record(record) => has_tensor(&record.arguments) || has_tensor(&record.state),
        _ => false,
    }
}
