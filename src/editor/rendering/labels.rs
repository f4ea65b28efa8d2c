//! The labels that a class-conditional mapping takes.

use ndarray::Array2;

use crate::editor::{EditorError, Model};
use crate::latent::Label;

/// The labels `[codes, classes]` that the model's mapping takes beside z codes; `None` if it takes none.
///
/// # Errors
/// [`EditorError::NoLabel`] if a code has no label, and [`EditorError::Latent`] if a label does not fit the classes.
pub(crate) fn labels<'a>(
    model: &Model,
    codes: impl Iterator<Item = Option<&'a Label>>,
) -> Result<Option<Array2<f32>>, EditorError> {
    let classes = model.engine().classes();
    if classes == 0 {
        return Ok(None);
    }
    let mut numbers = Vec::new();
    for label in codes {
        let label = label.ok_or_else(|| EditorError::NoLabel {
            model: model.name().to_owned(),
            classes,
        })?;
        numbers.extend(label.numbers(classes)?);
    }
    let rows = numbers.len() / classes;
    let labels = Array2::from_shape_vec((rows, classes), numbers);
    Ok(Some(labels.expect("each label has one number for each class")))
}
