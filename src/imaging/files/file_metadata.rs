//! What an image file says about how its image was made.

/// What an image file says about how its image was made.
///
/// The recipe of a PNG is in an iTXt chunk of its own. All else is in the file's XMP packet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileMetadata {
    /// What makes the same image again, as JSON.
    pub recipe: Option<String>,
    /// The kind of media: a term of IPTC's vocabulary `digitalsourcetype`, such as `trainedAlgorithmicMedia`.
    pub digital_source_type: Option<String>,
}

impl FileMetadata {
    /// The mark of an image without a recipe.
    #[must_use]
    pub fn mark(digital_source_type: &str) -> Self {
        Self {
            recipe: None,
            digital_source_type: Some(digital_source_type.to_owned()),
        }
    }
}
