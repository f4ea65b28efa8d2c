//! What an edit moves a face along.

use crate::api::types::choice::choice;
use crate::editor;

choice! {
    /// What an edit moves a face along.
    pub(crate) enum Along {
        /// The normals of the attributes' boundaries; the default.
        Normal = "normal",
        /// The gradient of the attribute's score by the code, at each point of the path anew. The scores of the conditions are held. It
        /// needs classifiers and no boundaries. With conditions, it also follows the boundaries that the model has: the distances from
        /// those of the conditions are held, and the direction is the attribute's normal where this is at least half as steep. Only for
        /// a single edit, with `by` (the length of the path), `to_score` or a trajectory.
        Gradient = "gradient",
    }
}

impl From<Along> for editor::Along {
    fn from(along: Along) -> Self {
        match along {
            Along::Normal => Self::Normal,
            Along::Gradient => Self::Gradient,
        }
    }
}
