//! Why faces cannot be blended.

/// Faces cannot be blended. The message says what was found, what was expected, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlendError {
    /// There is nothing between fewer than two faces.
    #[error("found {faces} faces, expected at least 2 to move between")]
    TooFewFaces {
        /// The faces.
        faces: usize,
    },
    /// Some faces would have no frame.
    #[error(
        "found {frames} frames for {faces} faces, expected at least {faces}: each face has a frame of its own"
    )]
    TooFewFrames {
        /// The frames.
        frames: usize,
        /// The faces.
        faces: usize,
    },
    /// Two z codes have different labels, and the mapping takes one label for each code.
    #[error(
        "found z codes of different labels, expected one label for all: move in w, where the label has been mapped, or give all faces \
         the same label"
    )]
    LabelsDiffer,
}
