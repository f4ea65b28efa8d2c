//! TOML files, with errors of one line that say where they are.

use serde::de::DeserializeOwned;

/// Parses a TOML text.
///
/// # Errors
/// One line that begins with the number of the wrong line, if the text is not TOML or does not fit `T`.
pub fn parse_toml<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    toml::from_str(text).map_err(|error: toml::de::Error| {
        let message = error.message().replace('\n', ", ");
        match error.span().and_then(|span| text.get(..span.start)) {
            Some(before) => format!("line {}: {message}", before.matches('\n').count() + 1),
            None => message,
        }
    })
}
