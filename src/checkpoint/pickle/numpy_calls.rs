//! NumPy's functions that make arrays and numbers, in the versions 1 and 2.

use std::rc::Rc;

use crate::checkpoint::element::Element;
use crate::checkpoint::error::Fault;
use crate::checkpoint::pickle::budget::Budget;
use crate::checkpoint::pickle::heap::{Dtype, Heap, Node, RecordNode, Value};
use crate::checkpoint::pickle::storages::Storages;
use crate::checkpoint::stored_bytes::StoredBytes;
use crate::checkpoint::tensor::{Storage, StoredTensor};

/// The value of a call of a function of `numpy`, or `None` if it is not known.
pub(super) fn call(
    heap: &mut Heap,
    storages: &mut dyn Storages,
    function: &str,
    arguments: &[Value],
) -> Result<Option<Value>, Fault> {
    Ok(match (function, arguments) {
        // The array gets shape, type and elements from the attributes that follow.
        ("core.multiarray._reconstruct", _) => Some(heap.add(Node::EmptyArray)),
        ("core.multiarray.scalar", [dtype, bytes]) => scalar(heap, *dtype, *bytes)?,
        ("core.numeric._frombuffer", [bytes, dtype, shape, order]) => {
            let column_major = heap.text(*order).is_some_and(|order| &**order == "F");
            array(heap, storages, *dtype, *shape, *bytes, column_major)?
        }
        ("dtype", [code, ..]) => dtype(heap, *code),
        _ => None,
    })
}

/// Gives an array its shape, type and elements.
pub(super) fn build_array(
    heap: &mut Heap,
    storages: &mut dyn Storages,
    budget: &mut Budget,
    built: Value,
    state: Value,
) -> Result<(), Fault> {
    // Old versions have no version number.
    let Some(&[_, shape, dtype, order, bytes] | &[shape, dtype, order, bytes]) = heap.list(state) else {
        return Err(Fault::malformed(
            "a NumPy array without elements in a pickle",
            "shape, type and elements",
        ));
    };
    let made = array(heap, storages, dtype, shape, bytes, order == Value::Bool(true))?;
    let node = match made.and_then(|made| heap.get(made)) {
        Some(Node::Tensor(tensor)) => Node::Tensor(Rc::clone(tensor)),
        // An array of objects.
        _ if heap.list(bytes).is_some() => {
            let elements = heap.list(bytes).unwrap_or_default();
            budget.steps(elements.len() as u64)?;
            Node::List(elements.to_vec())
        }
        // An array of texts or of records.
        _ => Node::Record(Box::new(RecordNode::new("numpy.ndarray".into(), state))),
    };
    if let Some(built) = heap.get_mut(built) {
        *built = node;
    }
    Ok(())
}

/// Gives a type its byte order.
pub(super) fn build_dtype(heap: &mut Heap, built: Value, state: Value) -> Result<(), Fault> {
    let order = heap.list(state).and_then(|state| state.get(1)).copied();
    let order = order.and_then(|order| heap.text(order));
    let big_endian = match order.map(|order| &**order) {
        Some(">") => true,
        Some("<" | "|" | "=") => false,
        _ => {
            return Err(Fault::malformed(
                "a NumPy type without a byte order in a pickle",
                "<, > or |",
            ));
        }
    };
    if let Some(Node::Dtype(dtype)) = heap.get_mut(built) {
        dtype.big_endian = big_endian;
    }
    Ok(())
}

/// A type such as `f4`. `None` for types that are not numbers.
fn dtype(heap: &mut Heap, code: Value) -> Option<Value> {
    let code = heap.text(code)?;
    let (big_endian, code) = match code.split_at_checked(1)? {
        (">", code) => (true, code),
        ("<" | "|" | "=", code) => (false, code),
        _ => (false, &**code),
    };
    let element = Element::of_numpy(code)?;
    Some(heap.add(Node::Dtype(Dtype { element, big_endian })))
}

/// A number. `None` if its type is unknown.
#[expect(
    clippy::cast_possible_wrap,
    reason = "unsigned numbers of 64 bits beyond the signed ones do not occur"
)]
fn scalar(heap: &Heap, dtype: Value, bytes: Value) -> Result<Option<Value>, Fault> {
    let Some(&Node::Dtype(dtype)) = heap.get(dtype) else {
        return Ok(None);
    };
    let element = dtype.element;
    let bytes = bytes_of(heap, bytes, element.size())?;
    let mut bytes = bytes.read()?;
    if dtype.big_endian {
        bytes.reverse();
    }
    let mut digits = [0; 8];
    digits[..bytes.len()].copy_from_slice(&bytes);
    Ok(Some(match element {
        Element::Bool => Value::Bool(digits[0] != 0),
        Element::F64 => Value::Float(f64::from_le_bytes(digits)),
        Element::F32 | Element::F16 | Element::Bf16 => {
            let mut value = Vec::new();
            element.append(&bytes, &mut value);
            Value::Float(value[0].into())
        }
        Element::I8 | Element::I16 | Element::I32 | Element::I64 => {
            // Extends the sign.
            let unused = 64 - 8 * bytes.len();
            Value::Integer(i64::from_le_bytes(digits) << unused >> unused)
        }
        Element::U8 | Element::U16 | Element::U32 | Element::U64 => {
            Value::Integer(u64::from_le_bytes(digits) as i64)
        }
    }))
}

/// An array. `None` if its type is unknown.
fn array(
    heap: &mut Heap,
    storages: &mut dyn Storages,
    dtype: Value,
    shape: Value,
    bytes: Value,
    column_major: bool,
) -> Result<Option<Value>, Fault> {
    let Some(&Node::Dtype(dtype)) = heap.get(dtype) else {
        return Ok(None);
    };
    let shape = heap.sizes(shape)?;
    let bytes = match heap.get(bytes) {
        Some(Node::Bytes(bytes)) => bytes.clone(),
        Some(Node::Text(text)) => StoredBytes::memory(text.as_bytes().to_vec()),
        _ => return Err(heap.unexpected(bytes, "the bytes of an array")),
    };
    let storage = Storage::of_bytes(storages.file(), dtype.element, dtype.big_endian, bytes);
    let tensor = StoredTensor::whole(storage, shape, column_major)?;
    Ok(Some(heap.add(Node::Tensor(Rc::new(tensor)))))
}

/// The bytes of a number. Python 2 writes them as text where they are ASCII.
fn bytes_of(heap: &Heap, value: Value, len: u64) -> Result<StoredBytes, Fault> {
    let bytes = match heap.get(value) {
        Some(Node::Bytes(bytes)) => bytes.clone(),
        Some(Node::Text(text)) => StoredBytes::memory(text.as_bytes().to_vec()),
        _ => return Err(heap.unexpected(value, "the bytes of a number")),
    };
    if bytes.len() != len {
        return Err(Fault::malformed(
            format!("a number of {} bytes in a pickle", bytes.len()),
            format!("{len} bytes"),
        ));
    }
    Ok(bytes)
}
