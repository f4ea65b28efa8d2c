//! A boundary: the hyperplane that separates the two values of an attribute.

use std::ops::Range;

use ndarray::{Array1, Array2};

use crate::latent::boundaries::attribute_name::check_attribute_name;
use crate::latent::codes::code::check_shape;
use crate::latent::linear_algebra::dot_product::ordered_dot;
use crate::latent::{LatentCode, LatentError, LatentSpace, LayerRange, Provenance};

/// A hyperplane n·z + b = 0 in a latent space, for one attribute. The normal n points to the attribute's positive side,
/// where the classifier's score is higher.
///
/// The normal has the length 1 in z and w, and √L in w+ with L layers, so that its layers have the mean square length 1.
/// The distance is (n·z + b)/L, with the dot product over all layers, and L = 1 in z and w. Therefore a normal of w,
/// repeated on all layers, is the same boundary in w+: it measures the same distances, and a unit along it moves each
/// layer by a unit.
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

/// A length that differs from the right one by less than this share is taken for it: the difference is rounding.
const LENGTH_ROUNDING: f64 = 1e-14;

impl Boundary {
    /// Makes a boundary from the `normal` n, of shape [1, dim] in z and w or [layers, dim] in w+, and the `intercept` b.
    ///
    /// Both are divided by ‖n‖/√layers, which keeps the hyperplane n·z + b = 0 the same. If that is 1 up to rounding, they
    /// keep their bits. Use 0 for an unknown intercept.
    ///
    /// # Errors
    ///
    /// [`LatentError::AttributeName`] for a name that no attribute can have; [`LatentError::Empty`], [`LatentError::RowCount`]
    /// or [`LatentError::NotFinite`] for a normal that does not fit `space`; [`LatentError::Norm`] if ‖n‖² is zero or leaves
    /// the range of `f64`; [`LatentError::Intercept`] if the divided b is not finite; [`LatentError::FileLength`] if the provenance
    /// has a length that no normal has.
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
        let scale = norm / layer_count(&normal).sqrt();
        let scale = if (scale - 1.0).abs() < LENGTH_ROUNDING {
            1.0
        } else {
            scale
        };
        let intercept = intercept / scale;
        if !intercept.is_finite() {
            return Err(LatentError::Intercept {
                attribute,
                found: intercept,
            });
        }
        if let Some(found) = provenance
            .length
            .filter(|&length| !(length > 0.0 && length.is_finite()))
        {
            return Err(LatentError::FileLength { attribute, found });
        }
        let normal = (normal / scale).as_standard_layout().into_owned();
        Ok(Self {
            attribute,
            space,
            normal,
            intercept,
            provenance,
        })
    }

    /// Makes a boundary from a normal that somebody else wrote. The provenance keeps the normal's length, unless it has one already, or
    /// the length is that of a boundary's normal up to a rounding to `f32`.
    ///
    /// # Errors
    ///
    /// Those of [`new`](Self::new).
    pub fn from_outside(
        attribute: impl Into<String>,
        space: LatentSpace,
        normal: Array2<f64>,
        intercept: f64,
        provenance: Provenance,
    ) -> Result<Self, LatentError> {
        let norm = ordered_dot(&normal, &normal).sqrt();
        let is_usual = (norm / layer_count(&normal).sqrt() - 1.0).abs() < f64::from(f32::EPSILON);
        let length = provenance.length.or((!is_usual).then_some(norm));
        Self::new(
            attribute,
            space,
            normal,
            intercept,
            Provenance { length, ..provenance },
        )
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

    /// The normal n, of shape [1, dim] and length 1, or [layers, dim] and length √layers in w+, in row-major order.
    #[must_use]
    pub fn normal(&self) -> &Array2<f64> {
        &self.normal
    }

    /// The intercept b in n·z + b; 0 if it is unknown.
    #[must_use]
    pub fn intercept(&self) -> f64 {
        self.intercept
    }

    /// How the boundary was found.
    #[must_use]
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// The signed distance (n·z + b)/layers of `code` from the hyperplane, in `f64`; above 0 on the attribute's positive
    /// side.
    ///
    /// A boundary in w measures a w+ code by the mean distance of its layers. For a repeated w code that is the distance
    /// of the w code. A boundary in w+ has a row of n for each layer.
    ///
    /// # Errors
    ///
    /// [`LatentError::SpaceMismatch`] or [`LatentError::ShapeMismatch`] if the code does not fit the boundary.
    pub fn signed_distance(&self, code: &LatentCode) -> Result<f64, LatentError> {
        self.signed_distance_on(code, None)
    }

    /// The [`signed_distance`](Self::signed_distance) on some `layers` of a w+ code: the mean of n·x over these layers only, since an
    /// edit of them moves only this mean, plus b/layers.
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
        Ok(self.moved_by(&code.values().mapv(f64::from), rows) + self.distance_of_origin())
    }

    /// The signed distance b/layers of the code of zeros.
    pub(crate) fn distance_of_origin(&self) -> f64 {
        self.intercept / layer_count(&self.normal)
    }

    /// The length of the normal where the boundary comes from, as a signed distance: ‖f‖/√layers for the normal f of a file, or 1 if
    /// it had the length of a boundary's normal.
    #[must_use]
    pub fn file_unit(&self) -> f64 {
        let length = self.provenance.length;
        length.map_or(1.0, |length| length / layer_count(&self.normal).sqrt())
    }

    /// The cosine of the angle between the two normals. At 0, a move along one does not change the distance from the
    /// other.
    ///
    /// # Errors
    ///
    /// [`LatentError::SpaceMismatch`] or [`LatentError::ShapeMismatch`] if the two differ in space or size.
    pub fn cosine(&self, other: &Self) -> Result<f64, LatentError> {
        self.check_alike(other.space, &other.normal)?;
        Ok(mean_dot(&self.normal, &other.normal))
    }

    /// How far a shift of a code by `values` of shape [layers, dim] changes the signed distance on `rows`: the mean of n·x over them.
    pub(crate) fn moved_by(&self, values: &Array2<f64>, rows: Range<usize>) -> f64 {
        let normal = self.normal.broadcast(values.dim());
        let normal = normal.expect("the boundary was checked against the code");
        let by_rows: Array1<_> = rows
            .map(|row| ordered_dot(normal.row(row), values.row(row)))
            .collect();
        by_rows.mean().expect("a range of rows is never empty")
    }

    /// The rows of the normal that measure `layers` of a w+ code: these layers, or the only row of a boundary in z or w.
    ///
    /// # Errors
    ///
    /// [`LatentError::LayersOutOfRange`] for layers that a boundary in w+ does not have.
    pub(crate) fn rows_on(&self, layers: Option<LayerRange>) -> Result<Range<usize>, LatentError> {
        let total = self.normal.nrows();
        match layers {
            Some(layers) if self.space == LatentSpace::WPlus => layers.rows(total),
            _ => Ok(0..total),
        }
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

    /// Checks that a normal or a direction's `step` has the space and the shape of this boundary.
    pub(crate) fn check_alike(&self, space: LatentSpace, step: &Array2<f64>) -> Result<(), LatentError> {
        if space != self.space {
            return Err(self.space_mismatch(space));
        }
        if step.dim() != self.normal.dim() {
            return Err(self.shape_mismatch(step.dim()));
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

/// The number of layers of a normal or a code.
#[expect(clippy::cast_precision_loss, reason = "layers are few")]
fn layer_count(values: &Array2<f64>) -> f64 {
    values.nrows() as f64
}

/// The dot product over all layers, divided by their number: the cosine of two normals or directions.
pub(crate) fn mean_dot(one: &Array2<f64>, other: &Array2<f64>) -> f64 {
    ordered_dot(one, other) / layer_count(one)
}
