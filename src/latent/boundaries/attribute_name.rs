//! What an attribute can be called.

use crate::latent::LatentError;

/// Longest name, in bytes of UTF-8. File systems have names of up to 255 bytes, and the name of a boundary's file has up to three
/// bytes for each of these.
const LONGEST: usize = 64;

/// Checks the name of an attribute. Each name must fit into a URL, where `smile:2` is an edit and `smile,age` are two names, and
/// into the name of a file.
///
/// # Errors
///
/// [`LatentError::AttributeName`] for a name that is blank or longer than 64 bytes, has a colon, a comma, a control character or
/// blanks around it, or is `.` or `..`.
pub fn check_attribute_name(name: &str) -> Result<(), LatentError> {
    let refused = |character: &char| matches!(character, ':' | ',') || character.is_control();
    let reason = if name.trim().is_empty() {
        "which is blank".to_owned()
    } else if name.len() > LONGEST {
        format!("of {} bytes", name.len())
    } else if name.trim() != name {
        "with blanks around it".to_owned()
    } else if let Some(character) = name.chars().find(refused) {
        format!("with {character:?}")
    } else if matches!(name, "." | "..") {
        "which means a folder".to_owned()
    } else {
        return Ok(());
    };
    Err(LatentError::AttributeName {
        found: name.chars().take(LONGEST).collect(),
        reason,
    })
}
