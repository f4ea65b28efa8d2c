//! Finds the networks in a file.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::checkpoint::error::{Fault, shown};
use crate::checkpoint::network::Network;
use crate::checkpoint::networks::names::Names;
use crate::checkpoint::networks::{module, tensorflow};
use crate::checkpoint::object::Object;

/// Most dictionaries or lists around a network.
const MOST_WRAPPERS: usize = 3;

/// Most networks of a file.
const MOST_NETWORKS: usize = 100;

/// Longest key of a network, in bytes.
const LONGEST_KEY: usize = 100;

/// The networks in a file, in its order.
pub(crate) fn find(root: &Object, file: &Rc<str>) -> Result<Vec<Network>, Fault> {
    let mut search = Search {
        root,
        file,
        names: Names::default(),
        networks: Vec::new(),
    };
    search.object(root, "", 0)?;
    Ok(search.networks)
}

struct Search<'a> {
    root: &'a Object,
    file: &'a Rc<str>,
    names: Names,
    networks: Vec<Network>,
}

impl Search<'_> {
    /// Adds the networks at an object, which is in `depth` dictionaries and lists.
    fn object(&mut self, object: &Object, name: &str, depth: usize) -> Result<(), Fault> {
        match object {
            Object::Record(record) => {
                let mut network = module::network(name, record, &mut self.names)?;
                if network.is_none() {
                    network = tensorflow::network(record, self.file, &mut self.names)?;
                }
                self.add(network)
            }
            Object::List(elements) if depth <= MOST_WRAPPERS => elements
                .iter()
                .try_for_each(|element| self.object(element, name, depth + 1)),
            Object::Dict(entries) if depth <= MOST_WRAPPERS => {
                let before = self.networks.len();
                for (key, value) in entries.iter() {
                    let Some(key) = key.text().filter(|key| key.len() <= LONGEST_KEY) else {
                        continue;
                    };
                    let name = if name.is_empty() {
                        key.to_owned()
                    } else {
                        format!("{name}.{key}")
                    };
                    self.object(value, &name, depth + 1)?;
                }
                // A dictionary that has networks beside its tensors, such as a file with an average code, is no state dict.
                if self.networks.len() == before {
                    let network = self.state_dict(entries, name)?;
                    self.add(network)?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn add(&mut self, network: Option<Network>) -> Result<(), Fault> {
        self.networks.extend(network);
        if self.networks.len() > MOST_NETWORKS {
            return Err(Fault::Limit {
                found: "a file with more networks".to_owned(),
                most: format!("{MOST_NETWORKS} networks"),
            });
        }
        Ok(())
    }

    /// The network of a dictionary with tensors, or `None` for other dictionaries.
    fn state_dict(&mut self, entries: &[(Object, Object)], name: &str) -> Result<Option<Network>, Fault> {
        if !entries.iter().any(|(_, value)| value.tensor().is_some()) {
            return Ok(None);
        }
        let mut tensors = BTreeMap::new();
        for (key, value) in entries {
            match (key.text(), value) {
                (Some(key), Object::Tensor(tensor)) => {
                    self.names.insert(&mut tensors, "", key, Rc::clone(tensor))?;
                }
                (Some(_), Object::Record(record)) if has_tensor(value) => {
                    return Err(Fault::UnknownGlobal {
                        global: shown(&record.class),
                    });
                }
                _ => {}
            }
        }
        let settings = if name.is_empty() {
            None
        } else {
            self.root.get("args").or_else(|| self.root.get("opts"))
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
