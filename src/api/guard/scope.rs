//! What a key allows.

use std::fmt;
use std::str::FromStr;

/// What a key allows. A larger scope allows all that a smaller one does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Read, sample, edit, invert and score.
    Use,
    /// Also start and cancel jobs, and set and delete boundaries.
    Train,
    /// All operations.
    Admin,
}

/// A scope that does not exist. It does not repeat what was found, which may be a key.
#[derive(Debug, thiserror::Error)]
#[error("expected the scope use, train or admin")]
pub struct InvalidScope;

impl Scope {
    /// The name in files and in the document.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Use => "use",
            Self::Train => "train",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Scope {
    type Err = InvalidScope;

    fn from_str(text: &str) -> Result<Self, InvalidScope> {
        let all = [Self::Use, Self::Train, Self::Admin];
        let found = all.into_iter().find(|scope| scope.name() == text);
        found.ok_or(InvalidScope)
    }
}
