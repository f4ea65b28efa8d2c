//! A boundary: the hyperplane that separates the two values of an attribute.

use std::ops::Range;

use ndarray::{Array1, Array2};

use crate::latent::boundaries::attribute_name::check_attribute_name;
use crate::latent::codes::code::check_shape;
use crate::latent::linear_algebra::dot_product::ordered_dot;
use crate::latent::{LatentCode, LatentError, LatentSpace, LayerRange, Provenance};

/// A hyperplane n·z + b = 0 in a latent space, for one attribute. The unit normal n points to the attribute's positive
/// side, where the classifier's score is higher.
///
/// A boundary measures codes. A [`Direction`](crate::latent::Direction) moves them.
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

/// A norm that differs from 1 by less than this is taken for 1: the difference is rounding.
const NORM_ROUNDING: f64 = 1e-14;

impl Boundary {
    /// Makes a boundary from the `normal` n, of shape [1, dim] in z and w or [layers, dim] in w+, and the `intercept` b.
    ///
    /// Both are divided by ‖n‖, which keeps the hyperplane n·z + b = 0 the same. If ‖n‖ is 1 up to rounding, they keep
    /// their bits. Use 0 for an unknown intercept.
    ///
    /// # Errors
    ///
    /// [`LatentError::AttributeName`] for a name that no attribute can have; [`LatentError::Empty`], [`LatentError::RowCount`]
    /// or [`LatentError::NotFinite`] for a normal that does not fit `space`; [`LatentError::Norm`] if ‖n‖² is zero or leaves
    /// the range of `f64`; [`LatentError::Intercept`] if b/‖n‖ is not finite.
    pub fn new(
        attribute: impl Into<String>,
        space: LatentSpace,
        normal: Array2<f64>,
        intercept: f64,
        provenance: Provenance,
    ) -> Result<Self, LatentError> {
        let attribute = attribute.into();
        check_attribute_name(&attribute)?;
        check_shape(space, normal.dim())?;
        if let Some(((row, column), &value)) = normal.indexed_iter().find(|(_, value)| !value.is_finite()) {
            return Err(LatentError::NotFinite { row, column, value });
        }
        let square = ordered_dot(&normal, &normal);
        let norm = square.sqrt();
        if !square.is_normal() {
            return Err(LatentError::Norm { attribute, norm });
        }
        let norm = if (norm - 1.0).abs() < NORM_ROUNDING {
            1.0
        } else {
            norm
        };
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

    /// The attribute.
    #[must_use]
    pub fn attribute(&self) -> &str {
        &self.attribute
    }

    /// The latent space.
    #[must_use]
    pub fn space(&self) -> LatentSpace {
        self.space
    }

    /// The unit normal n, of shape [1, dim], or [layers, dim] in w+, in row-major order.
    #[must_use]
    pub fn normal(&self) -> &Array2<f64> {
        &self.normal
    }

    /// The intercept b, in units of distance; 0 if it is unknown.
    #[must_use]
    pub fn intercept(&self) -> f64 {
        self.intercept
    }

    /// How the boundary was found.
    #[must_use]
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// The signed distance n·z + b of `code` from the hyperplane, in `f64`; above 0 on the attribute's positive side.
    ///
    /// A boundary in w measures a w+ code by the mean distance of its layers. For a repeated w code that is the distance
    /// of the w code. A boundary in w+ takes one dot product over all layers.
    ///
    /// # Errors
    ///
    /// [`LatentError::SpaceMismatch`] or [`LatentError::ShapeMismatch`] if the code does not fit the boundary.
    pub fn signed_distance(&self, code: &LatentCode) -> Result<f64, LatentError> {
        self.signed_distance_on(code, None)
    }

    /// The [`signed_distance`](Self::signed_distance) on some `layers`: for a boundary in w and a w+ code, the mean is taken
    /// over these layers only, since an edit of them moves only this mean. A boundary in w+ always measures all layers.
    ///
    /// # Errors
    ///
    /// Those of `signed_distance`, and [`LatentError::LayersOutOfRange`] or [`LatentError::LayersOutsideWPlus`] for layers
    /// that the code does not have.
    pub fn signed_distance_on(
        &self,
        code: &LatentCode,
        layers: Option<LayerRange>,
    ) -> Result<f64, LatentError> {
        self.check_measures(code)?;
        let rows = code.rows(layers)?;
        Ok(self.dot_normal(&code.values().mapv(f64::from), rows) + self.intercept)
    }

    /// The cosine n₁·n₂ of the angle between the two normals. At 0, a move along one does not change the distance from the
    /// other.
    ///
    /// # Errors
    ///
    /// [`LatentError::SpaceMismatch`] or [`LatentError::ShapeMismatch`] if the two differ in space or size.
    pub fn cosine(&self, other: &Self) -> Result<f64, LatentError> {
        self.check_alike(other.space, &other.normal)?;
        Ok(ordered_dot(&self.normal, &other.normal))
    }

    /// n·x for `values` x of shape [layers, dim]; for a boundary in z or w, the mean of n·x over `rows`.
    pub(crate) fn dot_normal(&self, values: &Array2<f64>, rows: Range<usize>) -> f64 {
        if self.space == LatentSpace::WPlus {
            return ordered_dot(&self.normal, values);
        }
        let by_rows: Array1<_> = rows
            .map(|row| ordered_dot(&self.normal, values.row(row)))
            .collect();
        by_rows.mean().expect("a range of rows is never empty")
    }

    /// Checks that the boundary can measure `code`.
    pub(crate) fn check_measures(&self, code: &LatentCode) -> Result<(), LatentError> {
        let by_layers = self.space == LatentSpace::W && code.space() == LatentSpace::WPlus;
        if code.space() != self.space && !by_layers {
            return Err(self.space_mismatch(code.space()));
        }
        let (rows, dim) = self.normal.dim();
        if code.dim() != dim || (code.layers() != rows && !by_layers) {
            return Err(self.shape_mismatch(code.values().dim()));
        }
        Ok(())
    }

    /// Checks that a normal or a direction `unit` has the space and the shape of this boundary.
    pub(crate) fn check_alike(&self, space: LatentSpace, unit: &Array2<f64>) -> Result<(), LatentError> {
        if space != self.space {
            return Err(self.space_mismatch(space));
        }
        if unit.dim() != self.normal.dim() {
            return Err(self.shape_mismatch(unit.dim()));
        }
        Ok(())
    }

    fn space_mismatch(&self, found: LatentSpace) -> LatentError {
        LatentError::SpaceMismatch {
            attribute: self.attribute.clone(),
            found,
            expected: self.space,
        }
    }

    fn shape_mismatch(&self, found: (usize, usize)) -> LatentError {
        LatentError::ShapeMismatch {
            attribute: self.attribute.clone(),
            found,
            expected: self.normal.dim(),
        }
    }
}
