//! The values of a pickle while it is read.

use std::rc::Rc;

use crate::checkpoint::element::Element;
use crate::checkpoint::error::{Fault, shown};
use crate::checkpoint::stored_bytes::StoredBytes;
use crate::checkpoint::tensor::{MOST_AXES, Storage, StoredTensor};

/// A value on the stack.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value {
    None,
    Bool(bool),
    Integer(i64),
    Float(f64),
    /// A number of a node in the heap.
    Node(u32),
}

/// A value that has parts, or that may change after it was made.
#[derive(Debug)]
pub(crate) enum Node {
    Text(Rc<str>),
    Bytes(StoredBytes),
    List(Vec<Value>),
    Dict(Vec<(Value, Value)>),
    /// A class or a function: module and name, with a dot.
    Global(Rc<str>),
    Storage(Rc<Storage>),
    Tensor(Rc<StoredTensor>),
    /// A NumPy type.
    Dtype(Dtype),
    /// A NumPy array that gets its elements later.
    EmptyArray,
    Record(Box<RecordNode>),
}

/// A NumPy type.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dtype {
    pub(crate) element: Element,
    pub(crate) big_endian: bool,
}

/// A record while it is made.
#[derive(Debug)]
pub(crate) struct RecordNode {
    pub(crate) class: Rc<str>,
    pub(crate) arguments: Value,
    pub(crate) state: Value,
    /// Elements of a list that is an instance of a class.
    pub(crate) elements: Vec<Value>,
    /// Entries of a dictionary that is an instance of a class.
    pub(crate) entries: Vec<(Value, Value)>,
}

impl RecordNode {
    /// A record without attributes.
    pub(super) fn new(class: Rc<str>, arguments: Value) -> Self {
        Self {
            class,
            arguments,
            state: Value::None,
            elements: Vec::new(),
            entries: Vec::new(),
        }
    }
}

/// The values of a pickle. They refer to each other by number.
#[derive(Debug, Default)]
pub(crate) struct Heap {
    nodes: Vec<Node>,
}

impl Heap {
    /// Adds a node.
    pub(super) fn add(&mut self, node: Node) -> Value {
        let number = u32::try_from(self.nodes.len()).expect("the budget limits the nodes");
        self.nodes.push(node);
        Value::Node(number)
    }

    /// Adds a record without attributes.
    pub(super) fn record(&mut self, class: Rc<str>, arguments: Value) -> Value {
        self.add(Node::Record(Box::new(RecordNode::new(class, arguments))))
    }

    /// The node of a value.
    pub(crate) fn get(&self, value: Value) -> Option<&Node> {
        match value {
            Value::Node(number) => self.nodes.get(number as usize),
            _ => None,
        }
    }

    /// The node of a value, to change it.
    pub(super) fn get_mut(&mut self, value: Value) -> Option<&mut Node> {
        match value {
            Value::Node(number) => self.nodes.get_mut(number as usize),
            _ => None,
        }
    }

    /// The number of nodes.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The text of a value.
    pub(crate) fn text(&self, value: Value) -> Option<&Rc<str>> {
        match self.get(value)? {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The elements of a list or a tuple.
    pub(crate) fn list(&self, value: Value) -> Option<&[Value]> {
        match self.get(value)? {
            Node::List(elements) => Some(elements),
            _ => None,
        }
    }

    /// The name of a class or a function.
    pub(crate) fn global(&self, value: Value) -> Option<&Rc<str>> {
        match self.get(value)? {
            Node::Global(name) => Some(name),
            _ => None,
        }
    }

    /// A name for a value, for errors and for records of calls: its class, where it has one.
    pub(super) fn name(&self, value: Value) -> Rc<str> {
        match self.get(value) {
            Some(Node::Global(name)) => Rc::clone(name),
            Some(Node::Record(record)) => Rc::clone(&record.class),
            Some(Node::Text(_)) => "a text".into(),
            Some(Node::Bytes(_)) => "bytes".into(),
            Some(Node::List(_)) => "a list".into(),
            Some(Node::Dict(_)) => "a dictionary".into(),
            Some(Node::Tensor(_) | Node::EmptyArray) => "a tensor".into(),
            Some(Node::Storage(_)) => "a storage".into(),
            Some(Node::Dtype(_)) => "a type of numbers".into(),
            None if value == Value::None => "None".into(),
            None => "a number".into(),
        }
    }

    /// The lengths or the strides of axes.
    pub(super) fn sizes(&self, list: Value) -> Result<Vec<usize>, Fault> {
        let Some(values) = self.list(list) else {
            return Err(self.unexpected(list, "the lengths of axes"));
        };
        if values.len() > MOST_AXES {
            return Err(Fault::Limit {
                found: format!("a tensor with {} axes", values.len()),
                most: format!("{MOST_AXES} axes"),
            });
        }
        let size = |value: &Value| match value {
            Value::Integer(size) => usize::try_from(*size).map_err(|_| {
                Fault::malformed(
                    format!("an axis with the length or the stride {size}"),
                    "zero or more",
                )
            }),
            _ => Err(self.unexpected(*value, "the length of an axis")),
        };
        values.iter().map(size).collect()
    }

    /// An error that names a record which stands where a part of a tensor should be.
    pub(super) fn unexpected(&self, found: Value, expected: &str) -> Fault {
        match self.get(found) {
            Some(Node::Record(_) | Node::Global(_)) => Fault::UnknownGlobal {
                global: shown(&self.name(found)),
            },
            _ => Fault::malformed(format!("{} in a tensor of a pickle", self.name(found)), expected),
        }
    }
}
