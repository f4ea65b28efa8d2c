//! TOML that people write: what is wrong with it is said in one line.

use serde::de::DeserializeOwned;

/// Parses a TOML text; the error is one line that opens with the number of the line at fault.
///
/// # Errors
/// What is wrong, where the text is no TOML, or not of the shape of `T`.
pub fn parse_toml<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    toml::from_str(text).map_err(|error: toml::de::Error| {
        let message = error.message().replace('\n', ", ");
        match error.span().and_then(|span| text.get(..span.start)) {
            Some(before) => format!("line {}: {message}", before.matches('\n').count() + 1),
            None => message,
        }
    })
}
