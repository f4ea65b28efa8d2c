//! Limits on the work and the memory that a file may cause.

use crate::checkpoint::error::Fault;

/// Most steps of the pickles of a file: instructions, and what costs as much. A StyleGAN2 snapshot of 1024×1024 has some
/// 100,000 instructions.
const MOST_STEPS: u64 = 1 << 20;

/// Most bytes of text and of short byte strings, which are copied from the file: 64 MiB.
const MOST_TEXT: u64 = 64 << 20;

/// Most steps of a file of a few arrays. A tensor takes some 50 instructions.
const MOST_STEPS_OF_ARRAYS: u64 = 1 << 15;

/// Most bytes of text of a file of a few arrays: 1 MiB.
const MOST_TEXT_OF_ARRAYS: u64 = 1 << 20;

/// What is left of the limits of a file. All pickles in it share them.
#[derive(Debug)]
pub(crate) struct Budget {
    most_steps: u64,
    steps: u64,
    most_text: u64,
    text: u64,
    /// Most bytes of an entry of a zip archive that is compressed, once it is decompressed.
    pub(crate) most_decompressed: u64,
    /// The folds of pickles within byte strings within pickles.
    pub(crate) nested: usize,
}

impl Budget {
    /// The limits of a file.
    pub(crate) fn new() -> Self {
        Self::of(MOST_STEPS, MOST_TEXT, u64::MAX)
    }

    /// The limits of a file of a few arrays, of which each compressed entry has at most
    /// `most_decompressed` bytes after decompression.
    pub(crate) fn of_arrays(most_decompressed: u64) -> Self {
        Self::of(MOST_STEPS_OF_ARRAYS, MOST_TEXT_OF_ARRAYS, most_decompressed)
    }

    fn of(most_steps: u64, most_text: u64, most_decompressed: u64) -> Self {
        Self {
            most_steps,
            steps: most_steps,
            most_text,
            text: most_text,
            most_decompressed,
            nested: 0,
        }
    }

    /// Takes instructions, or steps that cost as much.
    pub(crate) fn steps(&mut self, steps: u64) -> Result<(), Fault> {
        let left = self.steps.checked_sub(steps);
        self.steps = left.ok_or_else(|| Fault::Limit {
            found: "a pickle with more steps".to_owned(),
            most: format!("{} steps", self.most_steps),
        })?;
        Ok(())
    }

    /// Takes bytes of text.
    pub(crate) fn text(&mut self, bytes: u64) -> Result<(), Fault> {
        let left = self.text.checked_sub(bytes);
        self.text = left.ok_or_else(|| Fault::Limit {
            found: "a pickle with more text".to_owned(),
            most: format!("{} bytes of text", self.most_text),
        })?;
        Ok(())
    }
}
