//! A move of a code, and several at once.

use std::sync::Arc;

use ndarray::Array2;

use crate::latent::linear_algebra::system::solve;
use crate::latent::{Boundary, Direction, LatentCode, LatentError, LayerRange};

/// How far an edit goes, in units of signed distance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Amount {
    /// By this much along the direction: z + α p.
    By(f64),
    /// To this signed distance from the boundary, wherever the code was.
    To(f64),
}

/// A move along a direction, measured by a boundary.
///
/// Where the direction was [conditioned](crate::latent::condition), the boundary is still the primal's own: a
/// projected normal separates nothing, so it does not measure. The reference measures with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    boundary: Arc<Boundary>,
    direction: Direction,
    amount: Amount,
}

impl Edit {
    /// The move along `direction` by, or to, an `amount` that `boundary` measures.
    ///
    /// # Errors
    ///
    /// [`LatentError::Space`] or [`LatentError::Shape`] unless boundary and direction have one space and
    /// size, and [`LatentError::Amount`] for an amount that is not finite.
    pub fn new(boundary: Arc<Boundary>, direction: Direction, amount: Amount) -> Result<Self, LatentError> {
        boundary.check_alike(direction.space(), direction.unit())?;
        let (Amount::By(found) | Amount::To(found)) = amount;
        if !found.is_finite() {
            return Err(LatentError::Amount {
                attribute: boundary.attribute().to_owned(),
                found,
            });
        }
        Ok(Self {
            boundary,
            direction,
            amount,
        })
    }

    /// What measures.
    #[must_use]
    pub fn boundary(&self) -> &Arc<Boundary> {
        &self.boundary
    }

    /// What the code is moved along.
    #[must_use]
    pub fn direction(&self) -> &Direction {
        &self.direction
    }

    /// How far.
    #[must_use]
    pub fn amount(&self) -> Amount {
        self.amount
    }
}

/// A target of a `To` edit, with its direction in the shape of the code.
struct Target<'a> {
    boundary: &'a Boundary,
    shift: Array2<f64>,
    distance: f64,
}

/// `code` after all `edits`, on the `layers` of a w+ code or on all.
///
/// First every `By` adds α p, for its direction p: z′ = z + Σ αᵢ pᵢ. Then all `To` are met at once: with dᵢ
/// the signed distances of z′ and tᵢ the targets, the moves c solve Σⱼ (nᵢ·pⱼ) cⱼ = tᵢ − dᵢ, and z″ = z′ + Σ
/// cⱼ pⱼ has exactly the distance tᵢ for each i. So the order of the edits makes no difference but for
/// rounding. Computed in `f64`, rounded once to `f32`; z is not rescaled.
///
/// A w+ code with a boundary in w takes the same shift on each of the `layers`, and its distance is the mean
/// over those (see [`Boundary::signed_distance_on`]). With a boundary in w+ the direction's other layers are
/// left out, and the distance is that of the whole code.
///
/// The reference's `edit.py` moves z and w codes `To` only, and w+ codes `By` only; here each can be moved
/// both ways.
///
/// # Errors
///
/// [`LatentError::Space`] or [`LatentError::Shape`] for a boundary that does not fit the code,
/// [`LatentError::LayersOutsideWPlus`] for layers of a z or w code, [`LatentError::LayersBeyond`] for layers
/// that it has not, [`LatentError::Singular`] for targets that cannot be met together, such as two of one
/// attribute, and [`LatentError::NotFinite`] where a move leads out of the range of `f32`.
pub fn apply(
    code: &LatentCode,
    edits: &[Edit],
    layers: Option<LayerRange>,
) -> Result<LatentCode, LatentError> {
    let rows = code.rows(layers)?;
    let mut values = code.values().mapv(f64::from);
    let mut targets = Vec::new();
    for Edit {
        boundary,
        direction,
        amount,
    } in edits
    {
        boundary.check_measures(code)?;
        let shift = direction.on(values.dim(), rows.clone());
        match *amount {
            Amount::By(amount) => values.scaled_add(amount, &shift),
            Amount::To(distance) => targets.push(Target {
                boundary,
                shift,
                distance,
            }),
        }
    }

    let responses = Array2::from_shape_fn((targets.len(), targets.len()), |(measured, moved)| {
        targets[measured]
            .boundary
            .slope(&targets[moved].shift, rows.clone())
    });
    let missing = targets.iter().map(
        |Target {
             boundary, distance, ..
         }| { distance - boundary.slope(&values, rows.clone()) - boundary.intercept() },
    );
    let moves = solve(responses, missing.collect()).ok_or_else(|| LatentError::Singular {
        attributes: targets
            .iter()
            .map(|target| target.boundary.attribute().to_owned())
            .collect(),
    })?;
    for (Target { shift, .. }, amount) in targets.iter().zip(moves) {
        values.scaled_add(amount, shift);
    }
    LatentCode::rounded(code.space(), &values)
}
