//! Passes the messages of ONNX Runtime's library on to the log.

use ort::logging::LogLevel;
use tracing::Level;

/// What the library says of an input with a default, for each input and each session. Generators that `faceplane import`
/// writes have a default for each style, which runs at the same speed as without the input.
const INPUT_WITH_DEFAULT: &str = "appears in graph inputs and will not be treated as constant";

/// Logs a message of the library, with its place in the library's code.
pub(crate) fn log(level: LogLevel, _category: &str, session: &str, place: &str, message: &str) {
    match level_of(level, message) {
        None => {}
        Some(Level::ERROR) => tracing::error!(target: "ort", session, place, "{message}"),
        Some(Level::WARN) => tracing::warn!(target: "ort", session, place, "{message}"),
        Some(Level::INFO) => tracing::info!(target: "ort", session, place, "{message}"),
        Some(_) => tracing::trace!(target: "ort", session, place, "{message}"),
    }
}

/// The level of a message in the log; `None` if it says nothing that somebody could act on.
fn level_of(level: LogLevel, message: &str) -> Option<Level> {
    match level {
        LogLevel::Warning if message.contains(INPUT_WITH_DEFAULT) => None,
        LogLevel::Warning => Some(Level::WARN),
        LogLevel::Verbose => Some(Level::TRACE),
        LogLevel::Info => Some(Level::INFO),
        LogLevel::Error | LogLevel::Fatal => Some(Level::ERROR),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_librarys_warnings_only_that_of_an_input_with_a_default_is_left_out() {
        let message =
            "Initializer style_0 appears in graph inputs and will not be treated as constant value/weight.";
        assert_eq!(level_of(LogLevel::Warning, message), None);
        assert_eq!(level_of(LogLevel::Error, message), Some(Level::ERROR));
        assert_eq!(level_of(LogLevel::Warning, "another"), Some(Level::WARN));
    }
}
