//! Panics in a network's work become errors.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::engine::EngineError;

/// Runs `work` and turns a panic into [`EngineError::Panicked`], so that the thread can go on with other work. `network` names
/// the network in that error.
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
