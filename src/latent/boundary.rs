//! The hyperplane that separates an attribute's two values.

use std::ops::Range;

use ndarray::{Array1, Array2};

use crate::latent::code::check_shape;
use crate::latent::linear_algebra::product::inner;
use crate::latent::{LatentCode, LatentError, LatentSpace, LayerRange};

/// A hyperplane n·z + b = 0 in a latent space, with an attribute's name and the unit normal n on its positive
/// side.
///
/// The attribute's positive direction is where its classifier's score is higher. A boundary measures; what
/// moves a code is a [`Direction`](crate::latent::Direction).
///
/// Source: Shen et al., *Interpreting the Latent Space of GANs for Semantic Face Editing* (CVPR 2020),
/// section 2.
#[derive(Clone, Debug, PartialEq)]
pub struct Boundary {
    attribute: String,
    space: LatentSpace,
    normal: Array2<f64>,
    intercept: f64,
    provenance: Provenance,
}

/// How far the norm of a unit normal may be from 1 by rounding.
const UNIT: f64 = 1e-14;

/// How a boundary was found, as far as that is known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Provenance {
    /// Codes that were sampled and scored.
    pub samples: Option<u64>,
    /// Codes that were chosen among them at each end of the scores, for training and validation.
    pub chosen: Option<u64>,
    /// The seed of sampling.
    pub seed: Option<u64>,
    /// What scored them.
    pub classifier: Option<String>,
    /// SHA-256 of what scored them, in hexadecimal.
    pub classifier_digest: Option<String>,
    /// SHA-256 of the generator whose codes they are, in hexadecimal.
    pub model: Option<String>,
    /// What found the plane.
    pub method: Option<String>,
    /// When it was found, as RFC 3339 has it.
    pub date: Option<String>,
    /// How well the boundary separates them.
    pub accuracy: Accuracy,
}

/// Shares of codes on the right side of a boundary, from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Accuracy {
    /// Of the chosen codes that it was trained on.
    pub train: Option<f64>,
    /// Of the chosen codes that were held out.
    pub held_out: Option<f64>,
    /// Of all codes, on the side that the classifier's threshold gives them.
    pub all: Option<f64>,
}

impl Boundary {
    /// The boundary with the `normal` n of shape [1, dim], or [layers, dim] in w+, and the `intercept` b.
    ///
    /// Both are divided by ‖n‖, so that n·z + b = 0 stays the same plane; a norm that is 1 but for rounding leaves them
    /// as they are. An unknown intercept is 0.
    ///
    /// # Errors
    ///
    /// [`LatentError::Unnamed`] for a blank attribute; [`LatentError::Empty`], [`LatentError::Rows`] or
    /// [`LatentError::NotFinite`] for a normal that is no code of `space`; [`LatentError::Norm`] for one that
    /// is zero or whose square leaves the range of `f64`; [`LatentError::Intercept`] for one that is not
    /// finite.
    pub fn new(
        attribute: impl Into<String>,
        space: LatentSpace,
        normal: Array2<f64>,
        intercept: f64,
        provenance: Provenance,
    ) -> Result<Self, LatentError> {
        let attribute = attribute.into();
        if attribute.trim().is_empty() {
            return Err(LatentError::Unnamed);
        }
        check_shape(space, normal.dim())?;
        if let Some(((row, column), &value)) = normal.indexed_iter().find(|(_, value)| !value.is_finite()) {
            return Err(LatentError::NotFinite { row, column, value });
        }
        let square = inner(&normal, &normal);
        let norm = square.sqrt();
        if !square.is_normal() {
            return Err(LatentError::Norm { attribute, norm });
        }
        let norm = if (norm - 1.0).abs() < UNIT { 1.0 } else { norm };
        let intercept = intercept / norm;
        if !intercept.is_finite() {
            return Err(LatentError::Intercept {
                attribute,
                found: intercept,
            });
        }
        let normal = (normal / norm).as_standard_layout().into_owned();
        Ok(Self {
            attribute,
            space,
            normal,
            intercept,
            provenance,
        })
    }

    /// The attribute that it separates.
    #[must_use]
    pub fn attribute(&self) -> &str {
        &self.attribute
    }

    /// The space it lies in.
    #[must_use]
    pub fn space(&self) -> LatentSpace {
        self.space
    }

    /// The unit normal n, of shape [1, dim], or [layers, dim] in w+, in row-major order.
    #[must_use]
    pub fn normal(&self) -> &Array2<f64> {
        &self.normal
    }

    /// The intercept b, in units of distance; 0 where it is unknown.
    #[must_use]
    pub fn intercept(&self) -> f64 {
        self.intercept
    }

    /// How it was found.
    #[must_use]
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// n·z + b in `f64`: how far `code` lies from the plane, positive on the attribute's positive side.
    ///
    /// A boundary in w measures a w+ code as the mean over its layers, which for a repeated w code is that
    /// code's own distance. A boundary in w+ takes the inner product of all layers at once.
    ///
    /// # Errors
    ///
    /// [`LatentError::Space`] or [`LatentError::Shape`] when the code does not fit the boundary.
    pub fn signed_distance(&self, code: &LatentCode) -> Result<f64, LatentError> {
        self.signed_distance_on(code, None)
    }

    /// [`signed_distance`](Self::signed_distance), with the mean that a boundary in w takes of a w+ code over
    /// `layers` only: what an edit of these layers moves. A boundary in w+ measures all layers nevertheless.
    ///
    /// # Errors
    ///
    /// Those of `signed_distance`, and [`LatentError::LayersBeyond`] or [`LatentError::LayersOutsideWPlus`]
    /// for layers that the code has not.
    pub fn signed_distance_on(
        &self,
        code: &LatentCode,
        layers: Option<LayerRange>,
    ) -> Result<f64, LatentError> {
        self.check_measures(code)?;
        let rows = code.rows(layers)?;
        Ok(self.slope(&code.values().mapv(f64::from), rows) + self.intercept)
    }

    /// The cosine of the angle between the two normals, n₁·n₂: 0 where moving along one leaves the other
    /// alone.
    ///
    /// # Errors
    ///
    /// [`LatentError::Space`] or [`LatentError::Shape`] unless both have one space and size.
    pub fn cosine(&self, other: &Self) -> Result<f64, LatentError> {
        self.check_alike(other.space, &other.normal)?;
        Ok(inner(&self.normal, &other.normal))
    }

    /// n·x for `values` x of shape [layers, dim], or for a boundary in z or w its mean over `rows`.
    pub(crate) fn slope(&self, values: &Array2<f64>, rows: Range<usize>) -> f64 {
        if self.space == LatentSpace::WPlus {
            return inner(&self.normal, values);
        }
        let by_rows: Array1<_> = rows.map(|row| inner(&self.normal, values.row(row))).collect();
        by_rows.mean().expect("a range of rows is never empty")
    }

    /// Refuses a code that the boundary cannot measure.
    pub(crate) fn check_measures(&self, code: &LatentCode) -> Result<(), LatentError> {
        let by_layers = self.space == LatentSpace::W && code.space() == LatentSpace::WPlus;
        if code.space() != self.space && !by_layers {
            return Err(self.other_space(code.space()));
        }
        let (rows, dim) = self.normal.dim();
        if code.dim() != dim || (code.layers() != rows && !by_layers) {
            return Err(self.other_shape(code.values().dim()));
        }
        Ok(())
    }

    /// Refuses a normal or a direction that does not lie where this boundary lies.
    pub(crate) fn check_alike(&self, space: LatentSpace, unit: &Array2<f64>) -> Result<(), LatentError> {
        if space != self.space {
            return Err(self.other_space(space));
        }
        if unit.dim() != self.normal.dim() {
            return Err(self.other_shape(unit.dim()));
        }
        Ok(())
    }

    fn other_space(&self, found: LatentSpace) -> LatentError {
        LatentError::Space {
            attribute: self.attribute.clone(),
            found,
            expected: self.space,
        }
    }

    fn other_shape(&self, found: (usize, usize)) -> LatentError {
        LatentError::Shape {
            attribute: self.attribute.clone(),
            found,
            expected: self.normal.dim(),
        }
    }
}
