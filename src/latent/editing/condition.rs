//! The conditional projection: the part of a primal's normal that is orthogonal to its conditions.

use crate::latent::boundaries::boundary::mean_dot;
use crate::latent::linear_algebra::orthonormal_span::OrthonormalSpan;
use crate::latent::{Boundary, Direction, LatentError, LayerRange};

/// The least sine of the angle between a primal and the span of its conditions. Boundaries are trained to far fewer than
/// six digits, so that a smaller rest is noise.
const MIN_RETAINED: f64 = 1e-6;

/// A direction that changes one attribute and keeps the conditions' attributes.
#[derive(Clone, Debug, PartialEq)]
pub struct Conditioned {
    /// The direction, orthogonal to every condition.
    pub direction: Direction,
    /// ‖n − C⁺C n‖/‖n‖, from 0 to 1: the sine of the angle between the primal's normal and the span of the conditions. One unit
    /// along the direction changes the primal's signed distance by this much.
    pub retained: f64,
    /// The cosine between the direction and each condition, in the order of the conditions; 0 up to rounding.
    pub cosines: Vec<f64>,
}

/// Projects the normal n of `primal` onto the orthogonal complement of the `conditions`: n − C⁺C n, at the length
/// of n.
///
/// The rows of C are the conditions' normals, and C⁺C projects onto their span. There may be any number of conditions,
/// also equal, parallel or dependent ones: a condition that adds less than 1e-12 to the span of the others is dropped.
/// Without conditions the direction is n. The projection uses an orthogonal factorization in `f64` and gives the same
/// bits on every machine.
///
/// Subtracting one condition after the other would not be a projection: n′ = n − (n·c₁) c₁ is orthogonal to c₁, but
/// n′ − (n′·c₂) c₂ has the part −(n′·c₂)(c₂·c₁) along c₁ again, unless c₁ and c₂ are orthogonal. In PGGAN the cosine of
/// gender and eyeglasses is 0.52. Therefore the conditions are made orthonormal first.
///
/// The direction only moves codes. The primal's signed distance is still that of its normal.
///
/// Source: Shen et al. (CVPR 2020), section 2, *Conditional Manipulation*; `project_boundary` there.
///
/// # Errors
///
/// [`LatentError::SpaceMismatch`] or [`LatentError::ShapeMismatch`] if the boundaries differ in space or size, and
/// [`LatentError::DependentPrimal`] if the primal lies in the span of the conditions, which means `retained` below 1e-6.
pub fn condition(primal: &Boundary, conditions: &[&Boundary]) -> Result<Conditioned, LatentError> {
    condition_on(primal, conditions, None)
}

/// [`condition`] for a move of some `layers` of a w+ code only, or of all for `None`.
///
/// For boundaries in w+, n and C are 0 on the other layers, and so is the direction. A direction that is orthogonal to C over all
/// layers is not orthogonal to it on some of them. For boundaries in w nothing changes, because each layer moves alike.
///
/// # Errors
///
/// Those of [`condition`], and [`LatentError::LayersOutOfRange`] for layers that boundaries in w+ do not have.
pub fn condition_on(
    primal: &Boundary,
    conditions: &[&Boundary],
    layers: Option<LayerRange>,
) -> Result<Conditioned, LatentError> {
    for condition in conditions {
        primal.check_alike(condition.space(), condition.normal())?;
    }
    let rows = primal.rows_on(layers)?;
    if conditions.is_empty() {
        return Ok(Conditioned {
            direction: Direction::along(primal),
            retained: 1.0,
            cosines: Vec::new(),
        });
    }
    let moved = |boundary: &Boundary| {
        let mut normal = boundary.normal().clone();
        for (layer, mut row) in normal.outer_iter_mut().enumerate() {
            if !rows.contains(&layer) {
                row.fill(0.0);
            }
        }
        normal
    };
    let normal = moved(primal);
    let span = OrthonormalSpan::of(conditions.iter().map(|condition| moved(condition)));
    let orthogonal = span.orthogonal_part(&normal);
    let left = mean_dot(&orthogonal, &orthogonal).sqrt();
    let retained = if rows.len() == normal.nrows() {
        left
    } else {
        left / mean_dot(&normal, &normal).sqrt()
    };
    // It is NaN if the normal is 0 on these layers.
    if retained.is_nan() || retained < MIN_RETAINED {
        return Err(LatentError::DependentPrimal {
            primal: primal.attribute().to_owned(),
            conditions: conditions
                .iter()
                .map(|condition| condition.attribute().to_owned())
                .collect(),
            retained,
            least: MIN_RETAINED,
        });
    }
    let step = orthogonal / retained;
    let cosines = conditions
        .iter()
        .map(|condition| mean_dot(condition.normal(), &step))
        .collect();
    Ok(Conditioned {
        direction: Direction::new(primal.space(), step),
        retained,
        cosines,
    })
}
