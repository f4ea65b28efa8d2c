//! Work that may panic.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::engine::EngineError;

/// Does work of `network`; a panic in it is an error of this work alone.
pub(crate) fn catch_panic<T>(
    network: &str,
    work: impl FnOnce() -> Result<T, EngineError>,
) -> Result<T, EngineError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(ToString::to_string);
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Err(EngineError::Panicked {
            network: network.to_owned(),
            reason: text.unwrap_or_else(|| "no message".to_owned()),
        })
    })
}
