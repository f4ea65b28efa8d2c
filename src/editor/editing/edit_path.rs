//! The path of one edit: the boundary that measures it, and the direction that it moves along.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::editor::editing::request::{EditRequest, EditStep};
use crate::editor::editing::warning::Warning;
use crate::editor::rendering::sample_spread::spreads;
use crate::editor::{EditorError, Model};
use crate::latent::{
    Amount, Boundary, Conditioned, Direction, Edit, LatentCode, LatentError, LatentSpace, LayerRange, Spread,
    condition_on,
};

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
    /// One unit of the request's amounts, as a signed distance.
    pub unit: f64,
}

/// A boundary, and the direction to move along. A projected normal no longer separates, so the boundary keeps measuring.
#[derive(Clone)]
pub(crate) struct EditPath {
    pub(crate) boundary: Arc<Boundary>,
    pub(crate) direction: Direction,
    /// The layers of a w+ code that move; `None` for all.
    pub(crate) layers: Option<LayerRange>,
}

impl EditPath {
    /// The move along this path, by an amount in signed distance.
    pub(crate) fn edit(&self, amount: Amount) -> Result<Edit, LatentError> {
        let edit = Edit::new(Arc::clone(&self.boundary), self.direction.clone(), amount)?;
        Ok(edit.on_layers(self.layers))
    }
}

/// The path of one edit, and what belongs to it.
pub(crate) struct PlannedEdit {
    pub(crate) path: EditPath,
    /// Where the samples are, if that is known.
    pub(crate) spread: Option<Spread>,
    pub(crate) report: EditDirection,
}

impl PlannedEdit {
    /// A warning if this edit moves a face out of where the samples are.
    ///
    /// # Errors
    /// [`EditorError`] if a code does not fit the boundary.
    pub(crate) fn far_from_samples<'a>(
        &self,
        original: &LatentCode,
        edited: impl IntoIterator<Item = &'a LatentCode>,
    ) -> Result<Option<Warning>, EditorError> {
        let Some(spread) = self.spread else {
            return Ok(None);
        };
        let EditPath { boundary, layers, .. } = &self.path;
        let distance = |code: &LatentCode| boundary.signed_distance_on(code, *layers);
        let before = distance(original)?;
        let after = edited.into_iter().map(distance);
        let after: Vec<f64> = after.collect::<Result<_, _>>()?;
        Ok(Warning::of_distances(
            boundary.attribute(),
            spread,
            before,
            &after,
        ))
    }
}

/// The path of each edit in `request` for a code in `space`.
///
/// # Errors
/// [`EditorError`] if an attribute has no boundary for this space, the conditions leave nothing of a normal, or the unit of the amounts
/// is not known.
pub(crate) async fn plan_edits(
    model: &Model,
    request: &EditRequest,
    space: LatentSpace,
) -> Result<Vec<PlannedEdit>, EditorError> {
    let steps = request.steps.iter().map(|step| &step.attribute);
    let attributes: Vec<&str> = steps.chain(&request.conditions).map(String::as_str).collect();
    let boundaries = model.boundaries().of_attributes(&attributes, space)?;
    let (primals, conditions) = boundaries.split_at(request.steps.len());
    let conditions: Vec<&Boundary> = conditions.iter().map(|boundary| &**boundary).collect();
    let layers = request.steps.iter().map(|step| request.layers_of(step));
    let spreads = spreads(model, primals.iter().cloned().zip(layers).collect()).await;
    let plan = |((primal, step), spread): ((&Arc<Boundary>, &EditStep), Option<Spread>)| {
        let Conditioned {
            direction,
            retained,
            cosines,
        } = condition_on(primal, &conditions, request.layers_of(step))?;
        let path = EditPath {
            boundary: Arc::clone(primal),
            direction,
            layers: request.layers_of(step),
        };
        let report = EditDirection {
            attribute: primal.attribute().to_owned(),
            space: primal.space(),
            retained,
            cosines: request.conditions.iter().cloned().zip(cosines).collect(),
            unit: request.unit.length(primal, spread)?,
        };
        Ok(PlannedEdit { path, spread, report })
    };
    primals
        .iter()
        .zip(&request.steps)
        .zip(spreads)
        .map(plan)
        .collect()
}
