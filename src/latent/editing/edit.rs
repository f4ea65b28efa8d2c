//! An edit of a code, and several edits at once.

use std::ops::Range;
use std::sync::Arc;

use ndarray::Array2;

use crate::latent::linear_algebra::linear_system::solve_linear_system;
use crate::latent::{Boundary, Direction, LatentCode, LatentError, LayerRange};

/// How far an edit goes, in units of signed distance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Amount {
    /// A relative move by α along the direction p: z + α p.
    By(f64),
    /// A move to this signed distance from the boundary.
    To(f64),
}

impl Amount {
    /// This amount of units, each of which is `unit` in signed distance.
    #[must_use]
    pub fn in_units_of(self, unit: f64) -> Self {
        match self {
            Self::By(amount) => Self::By(amount * unit),
            Self::To(distance) => Self::To(distance * unit),
        }
    }
}

/// A move along a direction, with an amount that a boundary measures.
///
/// If the direction was [conditioned](crate::latent::condition), the boundary is still that of the primal, because a
/// projected normal does not separate the attribute's values. (The reference measures with the projected normal.)
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    boundary: Arc<Boundary>,
    direction: Direction,
    amount: Amount,
    layers: Option<LayerRange>,
}

impl Edit {
    /// Makes an edit along `direction` with an `amount` that `boundary` measures.
    ///
    /// # Errors
    ///
    /// [`LatentError::SpaceMismatch`] or [`LatentError::ShapeMismatch`] if boundary and direction differ in space or size,
    /// and [`LatentError::Amount`] for an amount that is not finite.
    pub fn new(boundary: Arc<Boundary>, direction: Direction, amount: Amount) -> Result<Self, LatentError> {
        boundary.check_alike(direction.space(), direction.step())?;
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
            layers: None,
        })
    }

    /// The same edit on some `layers` of a w+ code only; `None` for those that [`apply`] names.
    #[must_use]
    pub fn on_layers(self, layers: Option<LayerRange>) -> Self {
        Self { layers, ..self }
    }

    /// The boundary that measures the amount.
    #[must_use]
    pub fn boundary(&self) -> &Arc<Boundary> {
        &self.boundary
    }

    /// The direction of the move.
    #[must_use]
    pub fn direction(&self) -> &Direction {
        &self.direction
    }

    /// The amount of the move.
    #[must_use]
    pub fn amount(&self) -> Amount {
        self.amount
    }
}

/// The target of a `To` edit, with its direction in the shape of the code, and the rows that it moves and that are measured.
struct DistanceTarget<'a> {
    boundary: &'a Boundary,
    shift: Array2<f64>,
    rows: Range<usize>,
    distance: f64,
}

/// Applies all `edits` to `code`, each on its own layers of a w+ code. Edits without layers of their own are applied on `layers`, or on
/// all layers for `None`.
///
/// First each `By` adds α p along its direction p: z′ = z + Σ αᵢ pᵢ. Then all `To` edits are solved together: if dᵢ are
/// the signed distances of z′ and tᵢ the targets, the moves c solve Σⱼ (nᵢ·pⱼ)/L cⱼ = tᵢ − dᵢ, and z″ = z′ + Σ cⱼ pⱼ has the
/// distance tᵢ for every i. Therefore the order of the edits changes nothing but rounding. The result is computed in
/// `f64` and rounded once to `f32`. A z code is not rescaled.
///
/// With a boundary in w, a w+ code gets the same shift on each of the edit's layers; one in w+ has a row for each layer. The distance
/// is the mean over these layers (see [`Boundary::signed_distance_on`]). If two targets have different layers, dᵢ and nᵢ·pⱼ/L are measured on the layers of the
/// edit i, where pⱼ is 0 outside of the layers of the edit j.
///
/// The reference's `edit.py` knows only `To` for z and w codes, and only `By` for w+ codes. Here both work in each space.
///
/// # Errors
///
/// [`LatentError::SpaceMismatch`] or [`LatentError::ShapeMismatch`] for a boundary that does not fit the code;
/// [`LatentError::LayersOutsideWPlus`] for layers of a z or w code; [`LatentError::LayersOutOfRange`] for layers that the
/// code does not have; [`LatentError::ConflictingTargets`] for targets that cannot be reached together, such as two
/// targets of one attribute; and [`LatentError::NotFinite`] if a value leaves the range of `f32`.
pub fn apply(
    code: &LatentCode,
    edits: &[Edit],
    layers: Option<LayerRange>,
) -> Result<LatentCode, LatentError> {
    code.rows(layers)?;
    let mut values = code.values().mapv(f64::from);
    let mut targets = Vec::new();
    for Edit {
        boundary,
        direction,
        amount,
        layers: own,
    } in edits
    {
        boundary.check_measures(code)?;
        let rows = code.rows(own.or(layers))?;
        let shift = direction.shift_of(values.dim(), rows.clone());
        match *amount {
            Amount::By(amount) => values.scaled_add(amount, &shift),
            Amount::To(distance) => targets.push(DistanceTarget {
                boundary,
                shift,
                rows,
                distance,
            }),
        }
    }

    let responses = Array2::from_shape_fn((targets.len(), targets.len()), |(measured, moved)| {
        targets[measured]
            .boundary
            .moved_by(&targets[moved].shift, targets[measured].rows.clone())
    });
    let missing = targets.iter().map(
        |DistanceTarget {
             boundary,
             rows,
             distance,
             ..
         }| { distance - boundary.moved_by(&values, rows.clone()) - boundary.distance_of_origin() },
    );
    let moves =
        solve_linear_system(responses, missing.collect()).ok_or_else(|| LatentError::ConflictingTargets {
            attributes: targets
                .iter()
                .map(|target| target.boundary.attribute().to_owned())
                .collect(),
        })?;
    for (DistanceTarget { shift, .. }, amount) in targets.iter().zip(moves) {
        values.scaled_add(amount, shift);
    }
    Ok(LatentCode::rounded(code.space(), &values)?.with_label(code.label().cloned()))
}
