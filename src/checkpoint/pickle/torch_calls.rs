//! PyTorch's functions that make tensors, and its references to storages.

use std::rc::Rc;

use crate::checkpoint::element::Element;
use crate::checkpoint::error::{Fault, shown};
use crate::checkpoint::pickle::budget::Budget;
use crate::checkpoint::pickle::heap::{Heap, Node, Value};
use crate::checkpoint::pickle::storages::Storages;
use crate::checkpoint::stored_bytes::StoredBytes;
use crate::checkpoint::tensor::{Storage, StoredTensor};

/// Most arguments of a known function.
pub(super) const MOST_ARGUMENTS: usize = 16;

/// Most pickles within byte strings within pickles. PyTorch writes one.
const MOST_NESTED: usize = 2;

/// Steps that a pickle within a byte string costs: a file has some hundred of them.
const STEPS_OF_NESTED: u64 = 256;

/// The value of a call of a function of `torch`, or `None` if it is not known.
pub(super) fn call(
    heap: &mut Heap,
    storages: &mut dyn Storages,
    budget: &mut Budget,
    function: &str,
    arguments: &[Value],
) -> Result<Option<Value>, Fault> {
    Ok(Some(match (function, arguments) {
        ("_utils._rebuild_tensor" | "_utils._rebuild_tensor_v2", [storage, offset, shape, strides, ..]) => {
            let element = storage_of(heap, *storage)?.element;
            tensor(heap, element, [*storage, *offset, *shape, *strides])?
        }
        ("_utils._rebuild_tensor_v3", [storage, offset, shape, strides, _, _, dtype, ..]) => {
            let element = element_of(heap, *dtype)?;
            tensor(heap, element, [*storage, *offset, *shape, *strides])?
        }
        ("_utils._rebuild_parameter" | "_utils._rebuild_parameter_with_state", [tensor, ..]) => {
            match heap.get(*tensor) {
                Some(Node::Tensor(_)) => *tensor,
                _ => return Err(heap.unexpected(*tensor, "the tensor of a parameter")),
            }
        }
        // A tensor with attributes, or of a subclass: function, class, arguments, attributes.
        ("_tensor._rebuild_from_type_v2", [inner, _, inner_arguments, ..]) => {
            let Some(inner) = heap.global(*inner).map(Rc::clone) else {
                return Err(heap.unexpected(*inner, "a function of PyTorch"));
            };
            let list = heap.list(*inner_arguments).unwrap_or_default();
            let list: Vec<Value> = list.iter().copied().take(MOST_ARGUMENTS).collect();
            match inner.strip_prefix("torch.") {
                Some(function) if function.starts_with("_utils.") => {
                    return call(heap, storages, budget, function, &list);
                }
                _ => return Ok(Some(heap.record(inner, *inner_arguments))),
            }
        }
        ("storage._load_from_bytes", [bytes, ..]) => {
            let Some(Node::Bytes(bytes)) = heap.get(*bytes) else {
                return Err(heap.unexpected(*bytes, "the bytes of a storage"));
            };
            let storage = nested(storages, budget, bytes.clone())?;
            heap.add(Node::Storage(storage))
        }
        (function, _) => match function.strip_prefix("_utils._rebuild_") {
            Some(kind) => return Err(unknown_kind(kind)),
            None => return Ok(None),
        },
    }))
}

/// What a persistent id refers to: a storage, or a class that is saved with its source text.
pub(super) fn persistent(heap: &mut Heap, storages: &mut dyn Storages, id: Value) -> Result<Value, Fault> {
    let parts: Vec<Value> = heap
        .list(id)
        .unwrap_or_default()
        .iter()
        .copied()
        .take(MOST_ARGUMENTS)
        .collect();
    let kind = parts.first().and_then(|kind| heap.text(*kind)).map(Rc::clone);
    match (kind.as_deref(), parts.as_slice()) {
        (Some("storage"), [_, class, key, _, Value::Integer(elements), view @ ..]) => {
            let name = heap.name(*class);
            let class = name.rsplit('.').next().unwrap_or_default();
            let element = Element::of_storage(class).ok_or_else(|| Fault::TensorKind {
                kind: format!("a tensor of {}", shown(&name)),
            })?;
            if view.first().is_some_and(|view| *view != Value::None) {
                return Err(Fault::TensorKind {
                    kind: "a view of a storage, which PyTorch wrote before version 0.4".to_owned(),
                });
            }
            let key = match key {
                Value::Integer(key) => key.to_string().into(),
                key => heap.text(*key).map(Rc::clone).unwrap_or_default(),
            };
            let elements = u64::try_from(*elements)
                .map_err(|_| Fault::malformed(format!("a storage of {elements} elements"), "their number"))?;
            if let Some(storage) = storages.storage(&key, element, elements)? {
                return Ok(heap.add(Node::Storage(storage)));
            }
        }
        (Some("module"), [_, class, ..]) => return Ok(*class),
        _ => {}
    }
    Ok(heap.record("persistent id".into(), id))
}

/// The storage in bytes that are a file of their own.
fn nested(
    storages: &mut dyn Storages,
    budget: &mut Budget,
    bytes: StoredBytes,
) -> Result<Rc<Storage>, Fault> {
    budget.steps(STEPS_OF_NESTED)?;
    if budget.nested == MOST_NESTED {
        return Err(Fault::Limit {
            found: "files within files".to_owned(),
            most: format!("{MOST_NESTED} levels"),
        });
    }
    budget.nested += 1;
    let storage = storages.nested(bytes, budget)?;
    budget.nested -= 1;
    Ok(storage)
}

fn tensor(heap: &mut Heap, element: Element, parts: [Value; 4]) -> Result<Value, Fault> {
    let [storage, offset, shape, strides] = parts;
    let storage = storage_of(heap, storage)?;
    let offset = match offset {
        Value::Integer(offset) => u64::try_from(offset).ok(),
        _ => None,
    };
    let offset = offset.ok_or_else(|| heap.unexpected(parts[1], "an offset"))?;
    let shape = heap.sizes(shape)?;
    let strides = heap.sizes(strides)?;
    let tensor = StoredTensor::new(storage, element, offset, shape, strides)?;
    Ok(heap.add(Node::Tensor(Rc::new(tensor))))
}

fn storage_of(heap: &Heap, value: Value) -> Result<Rc<Storage>, Fault> {
    match heap.get(value) {
        Some(Node::Storage(storage)) => Ok(Rc::clone(storage)),
        _ => Err(heap.unexpected(value, "a storage")),
    }
}

/// The element type of a dtype, such as `torch.float32`.
fn element_of(heap: &Heap, dtype: Value) -> Result<Element, Fault> {
    let Some(name) = heap.global(dtype) else {
        return Err(heap.unexpected(dtype, "a type of numbers"));
    };
    let element = name.strip_prefix("torch.").and_then(Element::of_dtype);
    element.ok_or_else(|| Fault::TensorKind {
        kind: format!("a tensor of {}", shown(name)),
    })
}

/// The error of a kind of tensor, by the end of its function's name.
fn unknown_kind(function: &str) -> Fault {
    let kind = match function {
        "qtensor" => "a quantized tensor".to_owned(),
        "meta_tensor_no_storage" => "a tensor without elements (on the device \"meta\")".to_owned(),
        _ if function.starts_with("sparse") => "a sparse tensor".to_owned(),
        _ if function.starts_with("nested") => "a nested tensor".to_owned(),
        _ => "a tensor of another kind".to_owned(),
    };
    Fault::TensorKind {
        kind: format!("{kind} ({})", shown(&format!("torch._utils._rebuild_{function}"))),
    }
}
