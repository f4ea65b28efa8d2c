//! Limits on the work and the memory that a file may cause.

use crate::checkpoint::error::Fault;

/// Most steps of the pickles of a file: instructions, and what costs as much. A StyleGAN2 snapshot of 1024×1024 has some
/// 100,000 instructions.
const MOST_STEPS: u64 = 1 << 20;

/// Most bytes of text and of short byte strings, which are copied from the file: 64 MiB.
const MOST_TEXT: u64 = 64 << 20;

/// What is left of the limits of a file. All pickles in it share them.
#[derive(Debug)]
pub(crate) struct Budget {
    steps: u64,
    text: u64,
    /// The folds of pickles within byte strings within pickles.
    pub(crate) nested: usize,
}

impl Budget {
    /// The limits of a file.
    pub(crate) fn new() -> Self {
        Self {
            steps: MOST_STEPS,
            text: MOST_TEXT,
            nested: 0,
        }
    }

    /// Takes instructions, or steps that cost as much.
    pub(crate) fn steps(&mut self, steps: u64) -> Result<(), Fault> {
        let left = self.steps.checked_sub(steps);
        self.steps = left.ok_or_else(|| Fault::Limit {
            found: "a pickle with more steps".to_owned(),
            most: format!("{MOST_STEPS} steps"),
        })?;
        Ok(())
    }

    /// Takes bytes of text.
    pub(crate) fn text(&mut self, bytes: u64) -> Result<(), Fault> {
        let left = self.text.checked_sub(bytes);
        self.text = left.ok_or_else(|| Fault::Limit {
            found: "a pickle with more text".to_owned(),
            most: format!("{MOST_TEXT} bytes of text"),
        })?;
        Ok(())
    }
}
