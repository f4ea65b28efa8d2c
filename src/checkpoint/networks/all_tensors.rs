//! All tensors of a file, be they of a network or not.

use std::rc::Rc;

use crate::checkpoint::error::Fault;
use crate::checkpoint::object::Object;
use crate::checkpoint::pickle::Budget;
use crate::checkpoint::tensor::StoredTensor;

/// Longest key that is followed, in bytes.
const LONGEST_KEY: usize = 200;

/// The tensors by their place: keys and positions, with dots between them.
pub(crate) fn all_tensors(
    root: &Object,
    budget: &mut Budget,
) -> Result<Vec<(String, Rc<StoredTensor>)>, Fault> {
    let mut tensors = Vec::new();
    collect(root, &mut Vec::new(), &mut tensors, budget)?;
    Ok(tensors)
}

fn collect(
    object: &Object,
    place: &mut Vec<String>,
    tensors: &mut Vec<(String, Rc<StoredTensor>)>,
    budget: &mut Budget,
) -> Result<(), Fault> {
    budget.steps(1)?;
    match object {
        Object::Tensor(tensor) => {
            let place = place.join(".");
            budget.text(place.len() as u64)?;
            tensors.push((place, Rc::clone(tensor)));
        }
        Object::List(elements) => {
            for (number, element) in elements.iter().enumerate() {
                place.push(number.to_string());
                collect(element, place, tensors, budget)?;
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
                collect(value, place, tensors, budget)?;
                place.pop();
            }
        }
        Object::Record(record) => collect(&record.state, place, tensors, budget)?,
        _ => {}
    }
    Ok(())
}
