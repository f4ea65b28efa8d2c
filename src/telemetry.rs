//! The log: what is said, and how it is written.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

use crate::cli::LogFormat;

/// Starts the log on standard error.
///
/// # Errors
/// [`ParseError`] for a filter that cannot be understood.
pub fn start(filter: &str, format: LogFormat) -> Result<(), ParseError> {
    // ONNX Runtime reports every step of its optimiser as info.
    let filter = EnvFilter::builder().parse(format!("ort=warn,{filter}"))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log.with_target(false).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    Ok(())
}
