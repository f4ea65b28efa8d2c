//! All tensors of a file, be they of a network or not.

use std::rc::Rc;

use crate::checkpoint::object::Object;
use crate::checkpoint::tensor::StoredTensor;

/// Most tensors. A file of codes has one for each image, or one for all.
const MOST: usize = 10_000;

/// Longest key that is followed, in bytes.
const LONGEST_KEY: usize = 200;

/// The tensors by their place: keys and positions, with dots between them.
pub(crate) fn all_tensors(root: &Object) -> Vec<(String, Rc<StoredTensor>)> {
    let mut tensors = Vec::new();
    collect(root, &mut Vec::new(), &mut tensors);
    tensors
}

fn collect(object: &Object, place: &mut Vec<String>, tensors: &mut Vec<(String, Rc<StoredTensor>)>) {
    if tensors.len() == MOST {
        return;
    }
    match object {
        Object::Tensor(tensor) => tensors.push((place.join("."), Rc::clone(tensor))),
        Object::List(elements) => {
            for (number, element) in elements.iter().enumerate() {
                place.push(number.to_string());
                collect(element, place, tensors);
                place.pop();
            }
        }
        Object::Dict(entries) => {
            for (key, value) in entries.iter() {
                let key = match key {
                    Object::Integer(key) => key.to_string(),
                    key => match key.text().filter(|key| key.len() <= LONGEST_KEY) {
                        Some(key) => key.to_owned(),
                        None => continue,
                    },
                };
                place.push(key);
                collect(value, place, tensors);
                place.pop();
            }
        }
        Object::Record(record) => collect(&record.state, place, tensors),
        _ => {}
    }
}
