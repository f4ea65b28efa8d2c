//! The check of one value of a manifest, and defaults that several tables share.

/// A value of a manifest that is wrong.
#[derive(Debug)]
pub(super) struct WrongValue {
    pub(super) key: String,
    pub(super) found: String,
    pub(super) expected: String,
}

/// An error that names `key`, unless the value `is_valid`.
pub(super) fn check(
    is_valid: bool,
    key: &str,
    found: impl FnOnce() -> String,
    expected: &str,
) -> Result<(), WrongValue> {
    if is_valid {
        return Ok(());
    }
    Err(WrongValue {
        key: key.to_owned(),
        found: found(),
        expected: expected.to_owned(),
    })
}

pub(super) fn yes() -> bool {
    true
}

pub(super) fn one() -> f64 {
    1.0
}
