//! New keys.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::api::guard::digest::Digest;
use crate::api::guard::scope::Scope;

/// The start of every key, so that people and scanners of secrets know one when they see it.
pub(super) const PREFIX: &str = "faceplane_";

/// The random bytes of a secret: nobody guesses so many.
const RANDOM_BYTES: usize = 32;

/// A new key. Only who makes it ever sees it: files have its digest.
pub struct NewKey(String);

impl NewKey {
    /// A random key.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn random() -> std::io::Result<Self> {
        Ok(Self(format!("{PREFIX}{}", random_text()?)))
    }

    /// The key, as requests send it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The line of the key in a file of keys. The name is one that [`key_name`](super::key_name) accepted.
    #[must_use]
    pub fn line(&self, name: &str, scope: Scope) -> String {
        format!("{name} {scope} {}", Digest::of(&self.0))
    }
}

/// 32 random bytes, as text for headers.
pub(super) fn random_text() -> std::io::Result<String> {
    let mut bytes = [0; RANDOM_BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
