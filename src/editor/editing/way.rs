//! How far a face is moved along its own way, which no boundary measures: by an edit with conditions, by several edits together, or along
//! a gradient.

use std::sync::Arc;

use ndarray::Array2;

use crate::editor::Model;
use crate::editor::editing::request::{Along, EditRequest};
use crate::editor::editing::warning::Warning;
use crate::editor::rendering::sample_spread::spread;
use crate::latent::{Boundary, LatentCode, Provenance};

impl EditRequest {
    /// Whether faces move along a boundary's normal, so that the boundary measures their way.
    pub(crate) fn moves_along_one_normal(&self) -> bool {
        self.steps.len() == 1 && self.conditions.is_empty() && self.moves_along() == Along::Normal
    }
}

/// A warning about the longest of these ways, each from a code to another one, if it leaves the range of the samples.
///
/// The samples are measured along the way as along a boundary's normal: see [`spread`].
pub(crate) async fn far_along_way<'c>(
    model: &Model,
    ways: impl IntoIterator<Item = (&'c LatentCode, &'c LatentCode)>,
) -> Option<Warning> {
    let measured = ways.into_iter().map(|(from, to)| {
        let way = difference(to, from);
        (way.iter().map(|part| part * part).sum::<f64>(), way, from, to)
    });
    let (_, way, from, to) = measured.max_by(|one, other| one.0.total_cmp(&other.0))?;
    // There is no way of the length 0.
    let plane = Boundary::new("way", to.space(), way, 0.0, Provenance::default()).ok()?;
    let plane = Arc::new(plane);
    let spread = spread(model, &plane).await?;
    let [before, after] = [from, to].map(|code| plane.signed_distance(code).ok());
    Warning::of_way(spread, before?, after?)
}

fn difference(one: &LatentCode, other: &LatentCode) -> Array2<f64> {
    let wide = |code: &LatentCode| code.values().mapv(f64::from);
    wide(one) - wide(other)
}
