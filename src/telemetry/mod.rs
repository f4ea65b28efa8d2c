//! The log: its filter, its format, its destination.
//!
//! The log never blocks its callers and never fails them, whatever happens to standard error (`log_writer`).

use std::io::IsTerminal as _;
use std::sync::OnceLock;
use std::time::Duration;

use clap::ValueEnum;
use prometheus_client::metrics::counter::Counter;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{ParseError, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use log_writer::LogWriter;

mod log_writer;

/// Longest time that the program's end waits until the last lines are written.
const MAX_FLUSH: Duration = Duration::from_millis(500);

/// The writer of the log, once it has started.
static WRITER: OnceLock<LogWriter> = OnceLock::new();

/// Format of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines of text, for people.
    Text,
    /// One JSON object for each line.
    Json,
}

/// Starts the log on standard error. Panics are logged, too. `lost` counts the lines that cannot be written.
///
/// # Errors
/// [`ParseError`] if `filter` cannot be parsed.
pub fn start(filter: &str, format: LogFormat, lost: Counter) -> Result<(), ParseError> {
    // ONNX Runtime logs every step of its graph optimizer at level info.
    let filter: Targets = format!("ort=warn,{filter}").parse()?;
    let writer = WRITER.get_or_init(|| LogWriter::start(std::io::stderr(), lost));
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(move || writer)
        // The errors would go to standard error, and panic if that is broken.
        .log_internal_errors(false);
    let log = tracing_subscriber::registry();
    match format {
        LogFormat::Text => log.with(lines.with_target(false).with_filter(filter)).init(),
        LogFormat::Json => log
            .with(
                lines
                    .json()
                    .flatten_event(true)
                    .with_span_list(false)
                    .with_filter(filter),
            )
            .init(),
    }
    // The default hook writes to standard error itself, and would block where that blocks.
    std::panic::set_hook(Box::new(|panic| {
        let trace = std::backtrace::Backtrace::capture();
        tracing::error!(backtrace = %trace, "{panic}");
    }));
    Ok(())
}

/// Writes a line to standard error: after the log, if that has started. A broken standard error is ignored.
pub fn print_line(line: &str) {
    use std::io::Write as _;
    let _ = match WRITER.get() {
        Some(mut writer) => writeln!(writer, "{line}"),
        None => writeln!(std::io::stderr(), "{line}"),
    };
}

/// Waits until all lines are written, but not longer than half a second.
pub fn flush() {
    if let Some(writer) = WRITER.get() {
        writer.wait_until_written(MAX_FLUSH);
    }
}
