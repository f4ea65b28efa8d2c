//! The objects in a checkpoint.

use std::rc::Rc;

use crate::checkpoint::StoredTensor;

/// An object of Python, as data. Objects that a pickle shares are shared.
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
    Bytes(Rc<[u8]>),
    /// A list, a tuple or a set.
    List(Rc<Vec<Object>>),
    /// A dictionary, in the order of the file.
    Dict(Rc<Vec<(Object, Object)>>),
    /// A tensor or an array.
    Tensor(Rc<StoredTensor>),
    /// An instance of a class, or the result of a function, that the reader does not know.
    Record(Rc<Record>),
}

/// An instance of a class, or the result of a function, by name.
#[derive(Clone, Debug)]
pub struct Record {
    /// Module and name, with a dot: `argparse.Namespace`.
    pub class: String,
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
                .find(|(found, _)| matches!(found, Self::Text(text) if **text == *key))
                .map(|(_, value)| value),
            Self::Record(record) => record.state.get(key),
            _ => None,
        }
    }
}
