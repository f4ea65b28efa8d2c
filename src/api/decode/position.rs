//! A position in a JSON body.

use std::cell::RefCell;

use crate::api::decode::refusal::Refusal;

/// A position in a JSON body, from which the path in an error is made.
#[derive(Clone, Copy)]
pub(crate) struct Position<'a> {
    parent: Option<&'a Position<'a>>,
    step: Step<'a>,
    /// The refusal that ended the reading. serde's own errors carry text only.
    refused: &'a RefCell<Option<Refusal>>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Body,
    Key(&'a str),
    Index(usize),
}

impl<'a> Position<'a> {
    pub(crate) fn body(refused: &'a RefCell<Option<Refusal>>) -> Self {
        Self {
            parent: None,
            step: Step::Body,
            refused,
        }
    }

    /// The position of an object's field.
    pub(crate) fn key(&'a self, key: &'a str) -> Self {
        self.below(Step::Key(key))
    }

    /// The position of a list's element.
    pub(crate) fn index(&'a self, index: usize) -> Self {
        self.below(Step::Index(index))
    }

    fn below(&'a self, step: Step<'a>) -> Self {
        Self {
            parent: Some(self),
            step,
            refused: self.refused,
        }
    }

    /// Ends the walk with an error about the value here.
    pub(crate) fn refuse<E: serde::de::Error>(&self, reason: String) -> E {
        let field = match self.path() {
            path if path.is_empty() => "body".to_owned(),
            path => path,
        };
        self.end(Refusal { field, reason })
    }

    /// Ends the walk with `refusal`.
    pub(crate) fn end<E: serde::de::Error>(&self, refusal: Refusal) -> E {
        *self.refused.borrow_mut() = Some(refusal);
        E::custom("refused")
    }

    /// The path, such as `edits[0].by`; empty for the body itself.
    pub(crate) fn path(&self) -> String {
        let parent = self.parent.map(Position::path).unwrap_or_default();
        match self.step {
            Step::Body => parent,
            Step::Key(key) if parent.is_empty() => key.to_owned(),
            Step::Key(key) => format!("{parent}.{key}"),
            Step::Index(index) => format!("{parent}[{index}]"),
        }
    }
}
