//! Directions without labels as a method: for each attribute, the direction that is most correlated with its score.

use std::sync::Arc;

use ndarray::{Array1, Array2, ArrayView1, Axis};

use crate::editor::directions::finder::DirectionFinder;
use crate::editor::judging::methods::faces::CodesBySpace;
use crate::editor::judging::methods::method::{Method, MethodWalk};
use crate::editor::judging::methods::walk::Walk;
use crate::editor::{DirectionMethod, DirectionsRequest, EditorError, Model};
use crate::latent::{Boundary, Direction, correlation};

/// Directions of each method, the strongest ones.
const DIRECTIONS: usize = 10;
/// Codes that are sampled for principal components.
pub(crate) const SAMPLES: usize = 10_000;

/// `SeFa` and principal components, if the model has them. `scores` are those of the first of `codes`.
///
/// # Errors
/// [`EditorError`] if a network fails.
pub(crate) async fn without_labels(
    model: &Arc<Model>,
    codes: &CodesBySpace,
    scores: &Array2<f64>,
) -> Result<Vec<Method>, EditorError> {
    let mut methods = Vec::new();
    for (method, name) in [(DirectionMethod::Sefa, "SeFa"), (DirectionMethod::Pca, "PCA")] {
        let request = DirectionsRequest {
            method,
            count: DIRECTIONS.min(model.shape().w_dim),
            samples: SAMPLES,
            seed: 0,
        };
        let Ok(finder) = DirectionFinder::new(Arc::clone(model), request) else {
            continue;
        };
        let found = match finder.find(|_| ()).await {
            Ok(found) => found,
            // A graph may have no weights that multiply the code.
            Err(EditorError::NoDirections(_)) => continue,
            Err(error) => return Err(error),
        };
        let space = finder.space();
        let found: Vec<Arc<Boundary>> = found.into_iter().map(Arc::new).collect();
        let walks = scores.axis_iter(Axis(1));
        let walks = walks.map(|scores| most_correlated(&found, codes, scores));
        methods.push(Method {
            name: format!("{name} in {space}"),
            space,
            walks: walks.collect(),
        });
    }
    Ok(methods)
}

/// The line along the direction that is most correlated with `scores`.
fn most_correlated(
    directions: &[Arc<Boundary>],
    codes: &CodesBySpace,
    scores: ArrayView1<'_, f64>,
) -> Option<MethodWalk> {
    let mut best: Option<(f64, &Arc<Boundary>)> = None;
    for boundary in directions {
        let rows = codes.rows(boundary.space());
        let normal = boundary.normal().row(0);
        let rows = rows.outer_iter().take(scores.len());
        let along: Array1<f64> = rows.map(|row| row.mapv(f64::from).dot(&normal)).collect();
        let both = ndarray::stack![Axis(1), along, scores];
        // Scores that are all the same are correlated with nothing.
        let found = correlation(both.view()).map_or(0.0, |both| both[[0, 1]]);
        if best.is_none_or(|(best, _)| found.abs() > best.abs()) {
            best = Some((found, boundary));
        }
    }
    best.map(|(found, boundary)| {
        let direction = Direction::along(boundary);
        let unit = codes.deviation_along(boundary.space(), direction.step());
        MethodWalk {
            along: Some(boundary.attribute().to_owned()),
            walk: Walk::Line {
                boundary: Arc::clone(boundary),
                direction,
                unit: unit.copysign(found),
            },
        }
    })
}
