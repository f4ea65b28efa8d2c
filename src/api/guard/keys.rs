//! The keys of a file: one a line, with a name, a scope and the digest of the key.

use std::sync::Arc;

use crate::api::guard::digest::Digest;
use crate::api::guard::new_key::PREFIX;
use crate::api::guard::scope::{InvalidScope, Scope};

/// The longest name of a key, in bytes.
const LONGEST_NAME: usize = 64;

/// A key, as the service knows it.
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) scope: Scope,
    pub(super) digest: Digest,
}

/// The keys of a service.
pub struct Keys(Vec<Arc<Key>>);

/// Why a file has no valid keys. No message repeats a line, which may contain a key.
#[derive(Debug, thiserror::Error)]
pub enum InvalidKeys {
    /// A line is not a key.
    #[error("line {line}: {reason}")]
    Line {
        /// The number of the line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// No line is a key.
    #[error("found no key, expected a line for each; `faceplane key new` makes one")]
    Empty,
}

impl Keys {
    /// Reads the text of a file. Empty lines and those that start with `#` are comments.
    ///
    /// # Errors
    /// [`InvalidKeys`]
    pub fn parse(text: &str) -> Result<Self, InvalidKeys> {
        let mut keys: Vec<Arc<Key>> = Vec::new();
        let lines = text.lines().map(str::trim).zip(1..);
        for (text, line) in lines.filter(|(text, _)| !text.is_empty() && !text.starts_with('#')) {
            let invalid = |reason| InvalidKeys::Line { line, reason };
            let key = parse_key(text).map_err(invalid)?;
            if keys.iter().any(|other| other.name == key.name) {
                let reason = format!(
                    "the name {:?} is used before, expected another name for each key",
                    key.name
                );
                return Err(invalid(reason));
            }
            if let Some(other) = keys.iter().find(|other| other.digest == key.digest) {
                return Err(invalid(format!("the key is that of {:?} too", other.name)));
            }
            keys.push(Arc::new(key));
        }
        if keys.is_empty() {
            return Err(InvalidKeys::Empty);
        }
        Ok(Self(keys))
    }

    /// The number of keys.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "there is always a key")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The key with this text.
    pub(super) fn find(&self, text: &str) -> Option<Arc<Key>> {
        self.with_digest(Digest::of(text))
    }

    /// The key with this digest. The time does not tell which one it is.
    pub(super) fn with_digest(&self, digest: Digest) -> Option<Arc<Key>> {
        let found = |found, key: &Arc<Key>| {
            if key.digest == digest {
                Some(Arc::clone(key))
            } else {
                found
            }
        };
        self.0.iter().fold(None, found)
    }
}

fn parse_key(text: &str) -> Result<Key, String> {
    let parts: Vec<&str> = text.split_whitespace().collect();
    let &[name, scope, digest] = parts.as_slice() else {
        return Err(format!(
            "found {} words, expected a name, a scope and the SHA-256 of a key",
            parts.len()
        ));
    };
    let name = key_name(name)?;
    let scope = scope.parse().map_err(|error: InvalidScope| error.to_string())?;
    if digest.starts_with(PREFIX) {
        return Err("found a key, expected its SHA-256: the key belongs to its user only".to_owned());
    }
    let digest = Digest::from_hex(digest).ok_or_else(|| {
        format!(
            "found {} characters, expected the SHA-256 of a key as 64 hexadecimal digits",
            digest.chars().count()
        )
    })?;
    Ok(Key { name, scope, digest })
}

/// Checks the name of a key, which appears in the log.
///
/// # Errors
/// What is wrong with the name, and what was expected. It does not repeat the name, which may be a key.
pub fn key_name(text: &str) -> Result<String, String> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@".contains(&byte);
    if text.starts_with(PREFIX) {
        return Err("found a key in the place of its name".to_owned());
    }
    if (1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(is_allowed) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "expected a name of at most {LONGEST_NAME} letters, digits and -_.@"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::guard::new_key::NewKey;

    #[test]
    fn a_new_key_is_found_by_its_text_and_no_other_is() {
        let (one, two) = (NewKey::random().unwrap(), NewKey::random().unwrap());
        let file = format!(
            "# the keys\n\n{}\n  {}\r\n",
            one.line("web", Scope::Use),
            two.line("lab@example.org", Scope::Admin)
        );
        let keys = Keys::parse(&file).unwrap();
        assert_eq!(keys.len(), 2);
        let found = keys.find(two.text()).unwrap();
        assert_eq!((&*found.name, found.scope), ("lab@example.org", Scope::Admin));
        assert_eq!(keys.find(one.text()).unwrap().name, "web");
        for other in [NewKey::random().unwrap().text(), "", &one.text()[1..]] {
            assert!(keys.find(other).is_none());
        }
        assert!(one.text().starts_with("faceplane_") && one.text().len() == 53);
        assert!(!file.contains(one.text()));
    }

    #[test]
    fn an_error_names_the_line_and_the_cause_and_repeats_no_key() {
        let key = NewKey::random().unwrap();
        let (text, line) = (key.text(), key.line("web", Scope::Use));
        let digest = line.rsplit(' ').next().unwrap();
        for (file, says) in [
            (String::new(), "found no key"),
            ("# web\n".to_owned(), "found no key"),
            (format!("\n# keys\nweb {digest}"), "line 3: found 2 words"),
            (format!("{line} x"), "line 1: found 4 words"),
            (
                format!("web read {digest}"),
                "line 1: expected the scope use, train or admin",
            ),
            (format!("web {text} use"), "line 1: expected the scope"),
            (
                format!("web use {text}"),
                "line 1: found a key, expected its SHA-256",
            ),
            (
                format!("{text} use {digest}"),
                "line 1: found a key in the place of its name",
            ),
            (format!("{line}0"), "line 1: found 65 characters"),
            (
                format!("web use {}", "é".repeat(32)),
                "line 1: found 32 characters",
            ),
            (
                format!("web use +{}", &digest[1..]),
                "line 1: found 64 characters",
            ),
            (format!("we/b use {digest}"), "line 1: expected a name"),
            (
                format!("{line}\n\n{line}"),
                "line 3: the name \"web\" is used before",
            ),
            (
                format!("{line}\nlab use {digest}"),
                "line 2: the key is that of \"web\"",
            ),
        ] {
            let error = Keys::parse(&file).err().expect(&file).to_string();
            assert!(error.contains(says), "{file}: {error}");
            assert!(!error.contains(text), "{error}");
        }
    }
}
