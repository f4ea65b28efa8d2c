//! What `faceplane batch` prints at its end.

use serde::Serialize;

/// What a batch did.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    pub(super) output: String,
    pub(super) shard: String,
    /// Parts of the shard.
    pub(super) parts: usize,
    /// Parts that an earlier run made.
    pub(super) found: usize,
    /// Seeds of the parts that this run made.
    pub(super) seeds: u64,
    /// Faces of these seeds that were kept.
    pub(super) faces: usize,
    pub(super) seconds: f64,
}

impl Summary {
    pub(super) fn text(&self) -> String {
        let Self {
            shard,
            parts,
            found,
            seeds,
            faces,
            seconds,
            output,
            ..
        } = self;
        let earlier = match found {
            0 => String::new(),
            found => format!(" ({found} of them by an earlier run)"),
        };
        format!(
            "{output}: shard {shard} is finished: {parts} parts{earlier}; {faces} faces of {seeds} seeds in {seconds:.1} s"
        )
    }

    pub(super) fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a summary has no keys that JSON cannot have")
    }
}
