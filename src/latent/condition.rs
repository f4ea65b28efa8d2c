//! The conditional projection: a primal's normal without what it shares with its conditions.

use crate::latent::linear_algebra::product::{inner, norm};
use crate::latent::linear_algebra::span::Span;
use crate::latent::{Boundary, Direction, LatentError};

/// A primal of which less than this lies outside its conditions' span cannot be moved without them.
///
/// It is the sine of an angle. Boundaries are trained to far less than six digits, so what is left below it
/// is noise.
const LEAST_RETAINED: f64 = 1e-6;

/// A direction that changes one attribute and keeps others.
#[derive(Clone, Debug, PartialEq)]
pub struct Conditioned {
    /// The direction, orthogonal to every condition.
    pub direction: Direction,
    /// ‖n − C⁺C n‖ from 0 to 1: the sine of the angle between the primal's normal and the conditions' span,
    /// and how far the primal's signed distance changes for one step along the direction.
    pub retained: f64,
    /// The cosine of the direction to each condition, in their order: what rounding left of 0.
    pub cosines: Vec<f64>,
}

/// The `primal`'s normal n without what it shares with the `conditions`: (n − C⁺C n)/‖n − C⁺C n‖.
///
/// C holds the conditions' normals as rows and C⁺C projects onto their span, whether they are many, equal,
/// parallel or dependent; those that add less than 1e-12 to the span of the others are dropped. Without
/// conditions the direction is n. Computed in `f64` by an orthogonal factorisation, to the same bits
/// everywhere.
///
/// Subtracting one condition after the other is not a projection: n′ = n − (n·c₁) c₁ is orthogonal to c₁, but
/// n′ − (n′·c₂) c₂ brings back −(n′·c₂)(c₂·c₁) of it unless the conditions are orthogonal to each other, and
/// these are not (in PGGAN, gender and eyeglasses have cosine 0.52). Hence the conditions are made
/// orthonormal first.
///
/// The direction moves, it does not measure: the primal's distance stays n·z + b.
///
/// Source: Shen et al. (CVPR 2020), section 2, *Conditional Manipulation*; `project_boundary` there.
///
/// # Errors
///
/// [`LatentError::Space`] or [`LatentError::Shape`] unless all lie in one space with one size, and
/// [`LatentError::Spanned`] for a primal in the conditions' span: retained below 1e-6.
pub fn condition(primal: &Boundary, conditions: &[&Boundary]) -> Result<Conditioned, LatentError> {
    for condition in conditions {
        primal.check_alike(condition.space(), condition.normal())?;
    }
    let span = Span::of(conditions.iter().map(|condition| condition.normal().clone()));
    let outside = span.outside(primal.normal());
    let retained = norm(&outside);
    if retained < LEAST_RETAINED {
        return Err(LatentError::Spanned {
            primal: primal.attribute().to_owned(),
            conditions: conditions
                .iter()
                .map(|condition| condition.attribute().to_owned())
                .collect(),
            retained,
            least: LEAST_RETAINED,
        });
    }
    let unit = outside / retained;
    let cosines = conditions
        .iter()
        .map(|condition| inner(condition.normal(), &unit))
        .collect();
    Ok(Conditioned {
        direction: Direction::new(primal.space(), unit),
        retained,
        cosines,
    })
}
