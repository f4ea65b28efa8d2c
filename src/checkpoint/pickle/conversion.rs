//! The values of a pickle as objects.

use std::rc::Rc;

use crate::checkpoint::error::Fault;
use crate::checkpoint::object::{MOST_DEPTH, Object, Record};
use crate::checkpoint::pickle::heap::{Heap, Node, RecordNode, Value};

/// Most objects of a file, where a shared one counts as often as it is reached: whoever follows all objects does no more
/// steps.
const MOST_OBJECTS: u64 = 1 << 20;

/// The object of a value, with all that it refers to. Values that are shared give objects that are shared.
pub(crate) fn convert(heap: &Heap, value: Value) -> Result<Object, Fault> {
    let mut conversion = Conversion {
        heap,
        done: std::iter::repeat_with(|| Progress::None)
            .take(heap.len())
            .collect(),
    };
    Ok(conversion.object(value, 1)?.object)
}

struct Conversion<'a> {
    heap: &'a Heap,
    done: Vec<Progress>,
}

/// How far the conversion of a node is.
enum Progress {
    None,
    Begun,
    Done(Converted),
}

/// An object, with the height and the size of the tree below it.
#[derive(Clone)]
struct Converted {
    object: Object,
    height: usize,
    size: u64,
}

impl From<Object> for Converted {
    fn from(object: Object) -> Self {
        Self {
            object,
            height: 1,
            size: 1,
        }
    }
}

impl Conversion<'_> {
    /// Converts a value that is nested in `depth - 1` others.
    fn object(&mut self, value: Value, depth: usize) -> Result<Converted, Fault> {
        let number = match value {
            Value::None => return Ok(Object::None.into()),
            Value::Bool(value) => return Ok(Object::Bool(value).into()),
            Value::Integer(value) => return Ok(Object::Integer(value).into()),
            Value::Float(value) => return Ok(Object::Float(value).into()),
            Value::Node(number) => number as usize,
        };
        let converted = match &self.done[number] {
            Progress::Done(converted) => converted.clone(),
            // An object that contains itself, as Python prints it.
            Progress::Begun => return Ok(record("...".into()).into()),
            Progress::None => {
                check_depth(depth)?;
                self.done[number] = Progress::Begun;
                let converted = self.node(value, depth)?;
                self.done[number] = Progress::Done(converted.clone());
                converted
            }
        };
        check_depth(depth + converted.height - 1)?;
        Ok(converted)
    }

    fn node(&mut self, value: Value, depth: usize) -> Result<Converted, Fault> {
        let heap = self.heap;
        Ok(
            match heap.get(value).expect("a value refers to a node of its heap") {
                Node::Text(text) => Object::Text(Rc::clone(text)).into(),
                Node::Bytes(bytes) => Object::Bytes(bytes.clone()).into(),
                Node::Tensor(tensor) => Object::Tensor(Rc::clone(tensor)).into(),
                Node::Global(name) => record(Rc::clone(name)).into(),
                Node::Storage(_) => record("torch.storage".into()).into(),
                Node::Dtype(_) => record("numpy.dtype".into()).into(),
                Node::EmptyArray => record("numpy.ndarray".into()).into(),
                Node::List(elements) => {
                    let mut parts = Parts::default();
                    let list = self.list(elements, depth, &mut parts)?;
                    parts.whole(list)
                }
                Node::Dict(entries) => {
                    let mut parts = Parts::default();
                    let entries = self.entries(entries, depth, &mut parts)?;
                    parts.whole(Object::Dict(Rc::new(entries)))
                }
                Node::Record(record) => self.record(record, depth)?,
            },
        )
    }

    fn record(&mut self, node: &RecordNode, depth: usize) -> Result<Converted, Fault> {
        let mut parts = Parts::default();
        let arguments = parts.add(self.object(node.arguments, depth + 1)?)?;
        let mut state = parts.add(self.object(node.state, depth + 1)?)?;
        if !node.entries.is_empty() {
            let mut entries = self.entries(&node.entries, depth + 1, &mut parts)?;
            if let Object::Dict(attributes) = &state {
                parts.count(attributes.len() as u64)?;
                entries.extend(attributes.iter().cloned());
            }
            state = Object::Dict(Rc::new(entries));
            parts.height += 1;
        } else if !node.elements.is_empty() && matches!(state, Object::None) {
            state = self.list(&node.elements, depth + 1, &mut parts)?;
            parts.height += 1;
        }
        Ok(parts.whole(Object::Record(Rc::new(Record {
            class: Rc::clone(&node.class),
            arguments,
            state,
        }))))
    }

    fn list(&mut self, elements: &[Value], depth: usize, parts: &mut Parts) -> Result<Object, Fault> {
        let mut list = Vec::with_capacity(elements.len());
        for element in elements {
            list.push(parts.add(self.object(*element, depth + 1)?)?);
        }
        Ok(Object::List(Rc::new(list)))
    }

    fn entries(
        &mut self,
        entries: &[(Value, Value)],
        depth: usize,
        parts: &mut Parts,
    ) -> Result<Vec<(Object, Object)>, Fault> {
        let mut list = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let key = parts.add(self.object(*key, depth + 1)?)?;
            list.push((key, parts.add(self.object(*value, depth + 1)?)?));
        }
        Ok(list)
    }
}

/// The height and the size of the parts of an object.
#[derive(Default)]
struct Parts {
    height: usize,
    size: u64,
}

impl Parts {
    fn add(&mut self, part: Converted) -> Result<Object, Fault> {
        self.height = self.height.max(part.height);
        self.count(part.size)?;
        Ok(part.object)
    }

    fn count(&mut self, objects: u64) -> Result<(), Fault> {
        self.size += objects;
        if self.size > MOST_OBJECTS {
            return Err(Fault::Limit {
                found: "a pickle with more objects".to_owned(),
                most: format!("{MOST_OBJECTS} objects"),
            });
        }
        Ok(())
    }

    fn whole(self, object: Object) -> Converted {
        Converted {
            object,
            height: self.height + 1,
            size: self.size + 1,
        }
    }
}

fn record(class: Rc<str>) -> Object {
    Object::Record(Rc::new(Record {
        class,
        arguments: Object::None,
        state: Object::None,
    }))
}

fn check_depth(depth: usize) -> Result<(), Fault> {
    if depth > MOST_DEPTH {
        return Err(Fault::Limit {
            found: "a pickle with objects that are nested deeper".to_owned(),
            most: format!("{MOST_DEPTH} levels"),
        });
    }
    Ok(())
}
