//! The objects in a checkpoint.

use std::rc::Rc;

use crate::checkpoint::stored_bytes::StoredBytes;
use crate::checkpoint::tensor::StoredTensor;

/// An object of Python, as data. Objects that a pickle shares are shared.
///
/// At most [`MOST_DEPTH`] objects of a file are nested, so that code may follow them with recursion.
#[derive(Clone, Debug)]
pub enum Object {
    /// `None`.
    None,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Integer(i64),
    /// A floating-point number.
    Float(f64),
    /// Text.
    Text(Rc<str>),
    /// Bytes.
    Bytes(StoredBytes),
    /// A list, a tuple or a set.
    List(Rc<Vec<Object>>),
    /// A dictionary, in the order of the file.
    Dict(Rc<Vec<(Object, Object)>>),
    /// A tensor or an array.
    Tensor(Rc<StoredTensor>),
    /// An instance of a class, or the result of a function, that the reader does not know.
    Record(Rc<Record>),
}

/// Most objects of a file that are nested in each other. A module of a network takes five.
pub const MOST_DEPTH: usize = 200;

/// An instance of a class, or the result of a function, by name.
#[derive(Clone, Debug)]
pub struct Record {
    /// Module and name, with a dot: `argparse.Namespace`.
    pub class: Rc<str>,
    /// The arguments that it was made with.
    pub arguments: Object,
    /// The attributes that it was given.
    pub state: Object,
}

impl Object {
    /// The value of a dictionary's key, or of an attribute.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Object> {
        match self {
            Self::Dict(entries) => entries
                .iter()
                .find(|(found, _)| found.text() == Some(key))
                .map(|(_, value)| value),
            Self::Record(record) => record.state.get(key),
            _ => None,
        }
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The boolean.
    #[must_use]
    pub fn bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The integer.
    #[must_use]
    pub fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(value) => Some(*value),
            _ => None,
        }
    }

    /// The number, be it an integer or not.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "settings are small")]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Integer(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// The elements of a list, a tuple or a set.
    #[must_use]
    pub fn list(&self) -> Option<&[Object]> {
        match self {
            Self::List(elements) => Some(elements),
            _ => None,
        }
    }

    /// The entries of a dictionary, or the attributes of a record.
    #[must_use]
    pub fn entries(&self) -> Option<&[(Object, Object)]> {
        match self {
            Self::Dict(entries) => Some(entries),
            Self::Record(record) => record.state.entries(),
            _ => None,
        }
    }

    /// The tensor or array.
    #[must_use]
    pub fn tensor(&self) -> Option<&Rc<StoredTensor>> {
        match self {
            Self::Tensor(tensor) => Some(tensor),
            _ => None,
        }
    }
}
