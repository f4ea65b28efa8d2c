//! The classes and functions that the machine knows, and what becomes of all others.

use std::rc::Rc;

use crate::checkpoint::error::Fault;
use crate::checkpoint::pickle::budget::Budget;
use crate::checkpoint::pickle::heap::{Heap, Node, Value};
use crate::checkpoint::pickle::storages::Storages;
use crate::checkpoint::pickle::{numpy_calls, torch_calls};
use crate::checkpoint::stored_bytes::StoredBytes;

/// Steps that a call costs: a tensor takes up to a kilobyte.
const STEPS_OF_CALL: u64 = 16;

/// The value of a call. A class or a function that is not known gives a record of its name and its arguments.
pub(super) fn call(
    heap: &mut Heap,
    storages: &mut dyn Storages,
    budget: &mut Budget,
    callee: Value,
    arguments: Value,
) -> Result<Value, Fault> {
    budget.steps(STEPS_OF_CALL)?;
    let Some(name) = heap.global(callee).map(Rc::clone) else {
        // The result of a call is called. What it would be is not known.
        let class = heap.name(callee);
        return Ok(heap.record(class, arguments));
    };
    let argument =
        |heap: &Heap, number: usize| heap.list(arguments).and_then(|list| list.get(number).copied());
    let first = argument(heap, 0);
    Ok(match &*name {
        "collections.OrderedDict" | "builtins.dict" | "dnnlib.util.EasyDict" | "dnnlib.EasyDict" => {
            dictionary(heap, budget, first)?
        }
        // Its first argument makes the default.
        "collections.defaultdict" => heap.add(Node::Dict(Vec::new())),
        "builtins.set" | "builtins.frozenset" | "builtins.list" | "builtins.tuple" | "torch.Size"
        | "collections.deque" => match first {
            Some(list) if heap.list(list).is_some() => list,
            _ => heap.add(Node::List(Vec::new())),
        },
        "builtins.bytearray" | "builtins.bytes" => match first {
            Some(bytes) if matches!(heap.get(bytes), Some(Node::Bytes(_))) => bytes,
            _ => heap.add(Node::Bytes(StoredBytes::memory(Vec::new()))),
        },
        "_codecs.encode" => encode(heap, budget, first)?,
        "copyreg._reconstructor" => {
            let class = first.map_or_else(|| Rc::clone(&name), |class| heap.name(class));
            heap.record(class, arguments)
        }
        // Its argument is a dictionary of the class, its source text and the attributes.
        "torch_utils.persistence._reconstruct_persistent_obj" => {
            let class = first.and_then(|made| entry(heap, made, "class_name"));
            let class = class.and_then(|class| heap.text(class)).map_or(name, Rc::clone);
            let state = first.and_then(|made| entry(heap, made, "state"));
            let object = heap.record(class, arguments);
            if let (Some(Node::Record(record)), Some(state)) = (heap.get_mut(object), state) {
                record.state = state;
            }
            object
        }
        _ => {
            let arguments_list: Vec<Value> = heap
                .list(arguments)
                .map(|list| list.iter().copied().take(torch_calls::MOST_ARGUMENTS).collect())
                .unwrap_or_default();
            let made = match name.split_once('.') {
                Some(("torch", function)) => {
                    torch_calls::call(heap, storages, budget, function, &arguments_list)?
                }
                Some(("numpy", function)) => numpy_calls::call(heap, storages, function, &arguments_list)?,
                _ => None,
            };
            made.unwrap_or_else(|| heap.record(name, arguments))
        }
    })
}

/// Gives an object its attributes.
pub(super) fn build(
    heap: &mut Heap,
    storages: &mut dyn Storages,
    budget: &mut Budget,
    built: Value,
    state: Value,
) -> Result<(), Fault> {
    budget.steps(STEPS_OF_CALL)?;
    match heap.get_mut(built) {
        Some(Node::Record(record)) => record.state = state,
        Some(Node::EmptyArray) => numpy_calls::build_array(heap, storages, budget, built, state)?,
        Some(Node::Dtype(_)) => numpy_calls::build_dtype(heap, built, state)?,
        // Attributes of dictionaries and tensors, such as the metadata of a state dict, are of no use.
        _ => {}
    }
    Ok(())
}

/// The value of a key of a dictionary.
fn entry(heap: &Heap, dict: Value, key: &str) -> Option<Value> {
    match heap.get(dict)? {
        Node::Dict(entries) => entries
            .iter()
            .find(|(found, _)| heap.text(*found).is_some_and(|text| **text == *key))
            .map(|(_, value)| *value),
        _ => None,
    }
}

/// A dictionary from a list of pairs, or a copy of another, or an empty one.
fn dictionary(heap: &mut Heap, budget: &mut Budget, from: Option<Value>) -> Result<Value, Fault> {
    let entries = match from.and_then(|from| heap.get(from)) {
        Some(Node::Dict(entries)) => {
            budget.steps(entries.len() as u64)?;
            entries.clone()
        }
        Some(Node::List(pairs)) => {
            budget.steps(pairs.len() as u64)?;
            let pair = |pair: &Value| match heap.list(*pair) {
                Some(&[key, value]) => Some((key, value)),
                _ => None,
            };
            pairs.iter().filter_map(pair).collect()
        }
        _ => Vec::new(),
    };
    Ok(heap.add(Node::Dict(entries)))
}

/// Bytes that protocol 2 writes as text, one character for a byte.
fn encode(heap: &mut Heap, budget: &mut Budget, text: Option<Value>) -> Result<Value, Fault> {
    let text = text
        .and_then(|text| heap.text(text))
        .map(Rc::clone)
        .unwrap_or_default();
    budget.text(text.len() as u64)?;
    let bytes: Result<Vec<u8>, _> = text
        .chars()
        .map(|character| u8::try_from(u32::from(character)))
        .collect();
    let bytes = bytes
        .map_err(|_| Fault::malformed("a text that holds no bytes in a pickle", "characters below 256"))?;
    Ok(heap.add(Node::Bytes(StoredBytes::memory(bytes))))
}
