//! A line of progress on the terminal.

use std::io::{self, IsTerminal as _, Write as _};

/// A line on standard error that each update overwrites. Shows nothing if standard error is not a terminal.
pub(super) struct ProgressLine {
    is_terminal: bool,
    text: String,
}

impl ProgressLine {
    pub(super) fn new() -> Self {
        Self {
            is_terminal: io::stderr().is_terminal(),
            text: String::new(),
        }
    }

    pub(super) fn show(&mut self, text: &str) {
        if self.is_terminal && self.text != text {
            // If the terminal was closed, the work still goes on.
            let _ = write!(io::stderr(), "\r\x1b[2K{text}");
            text.clone_into(&mut self.text);
        }
    }

    pub(super) fn clear(&mut self) {
        if !self.text.is_empty() {
            let _ = write!(io::stderr(), "\r\x1b[2K");
            self.text.clear();
        }
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        self.clear();
    }
}
