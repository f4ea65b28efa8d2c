//! The log: its filter, its format, its destination.

use std::io::IsTerminal as _;

use clap::ValueEnum;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{ParseError, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Format of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines of text, for people.
    Text,
    /// One JSON object for each line.
    Json,
}

/// Starts the log on standard error.
///
/// # Errors
/// [`ParseError`] if `filter` cannot be parsed.
pub fn start(filter: &str, format: LogFormat) -> Result<(), ParseError> {
    // ONNX Runtime logs every step of its graph optimizer at level info.
    let filter: Targets = format!("ort=warn,{filter}").parse()?;
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let log = tracing_subscriber::registry();
    match format {
        LogFormat::Text => log.with(lines.with_target(false).with_filter(filter)).init(),
        LogFormat::Json => log
            .with(lines.json().flatten_event(true).with_filter(filter))
            .init(),
    }
    Ok(())
}
