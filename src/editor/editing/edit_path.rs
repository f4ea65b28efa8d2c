//! The path of one edit: the boundary that measures it, and the direction that it moves along.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::editor::editing::request::EditRequest;
use crate::editor::{EditorError, Model};
use crate::latent::{Amount, Boundary, Conditioned, Direction, Edit, LatentError, LatentSpace, condition};

/// The direction of one edit, as the response reports it.
#[derive(Clone, Debug, PartialEq)]
pub struct EditDirection {
    /// The attribute.
    pub attribute: String,
    /// The space of its boundary.
    pub space: LatentSpace,
    /// What the projection left of the normal: the sine of its angle to the span of the conditions; 1 without any.
    pub retained: f64,
    /// The direction's cosine to each condition: 0 except for rounding.
    pub cosines: BTreeMap<String, f64>,
}

/// A boundary, and the direction to move along. A projected normal no longer separates, so the boundary keeps measuring.
#[derive(Clone)]
pub(crate) struct EditPath {
    pub(crate) boundary: Arc<Boundary>,
    pub(crate) direction: Direction,
}

impl EditPath {
    /// The move along this path.
    pub(crate) fn edit(&self, amount: Amount) -> Result<Edit, LatentError> {
        Edit::new(Arc::clone(&self.boundary), self.direction.clone(), amount)
    }
}

/// The path of each edit in `request` for a code in `space`, and its report.
///
/// # Errors
/// [`EditorError`] if an attribute has no boundary for this space, or the conditions leave nothing of a normal.
pub(crate) fn edit_paths(
    model: &Model,
    request: &EditRequest,
    space: LatentSpace,
) -> Result<(Vec<EditPath>, Vec<EditDirection>), EditorError> {
    let steps = request.steps.iter().map(|step| &step.attribute);
    let attributes: Vec<&str> = steps.chain(request.held()).map(String::as_str).collect();
    let boundaries = model.boundaries().of_attributes(&attributes, space)?;
    let (primals, conditions) = boundaries.split_at(request.steps.len());
    let conditions: Vec<&Boundary> = conditions.iter().map(|boundary| &**boundary).collect();
    let project = |primal: &Arc<Boundary>| {
        let Conditioned {
            direction,
            retained,
            cosines,
        } = condition(primal, &conditions)?;
        let path = EditPath {
            boundary: Arc::clone(primal),
            direction,
        };
        let report = EditDirection {
            attribute: primal.attribute().to_owned(),
            space: primal.space(),
            retained,
            cosines: request.held().iter().cloned().zip(cosines).collect(),
        };
        Ok((path, report))
    };
    primals.iter().map(project).collect()
}
