//! A latent code, and the check of its values.

use std::ops::Range;

use ndarray::{Array1, Array2, Axis};

use crate::latent::{Label, LatentError, LatentSpace, LayerRange};

/// A point in a latent space: finite values of shape [rows, dim], with one row in z, w and s, and one row per layer in w+.
///
/// The values are stored in row-major order. A z code of a class-conditional generator has a label beside it, and codes that are made
/// from it keep the label.
#[derive(Clone, Debug, PartialEq)]
pub struct LatentCode {
    space: LatentSpace,
    values: Array2<f32>,
    label: Option<Label>,
}

impl LatentCode {
    /// Makes a code in `space` from `values` of shape [rows, dim], in any memory order.
    ///
    /// # Errors
    ///
    /// [`LatentError::Empty`] without values, [`LatentError::RowCount`] for more than one row in z, w or s, and
    /// [`LatentError::NotFinite`] for the first NaN or infinity.
    pub fn new(space: LatentSpace, values: Array2<f32>) -> Result<Self, LatentError> {
        check_shape(space, values.dim())?;
        if let Some(((row, column), &value)) = values.indexed_iter().find(|(_, value)| !value.is_finite()) {
            return Err(LatentError::NotFinite {
                row,
                column,
                value: value.into(),
            });
        }
        let values = if values.is_standard_layout() {
            values
        } else {
            values.as_standard_layout().into_owned()
        };
        Ok(Self {
            space,
            values,
            label: None,
        })
    }

    /// Makes a code in z, w or s from its values.
    ///
    /// # Errors
    ///
    /// [`LatentError::OneRowForWPlus`] for w+, and those of [`LatentCode::new`].
    pub fn from_row(space: LatentSpace, values: Vec<f32>) -> Result<Self, LatentError> {
        let dim = values.len();
        if space == LatentSpace::WPlus {
            return Err(LatentError::OneRowForWPlus { dim });
        }
        Self::new(space, Array1::from(values).insert_axis(Axis(0)))
    }

    /// Makes a code from values in `f64`, each rounded to the nearest `f32`.
    pub(crate) fn rounded(space: LatentSpace, values: &Array2<f64>) -> Result<Self, LatentError> {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the values are rounded here; `new` refuses infinities"
        )]
        let rounded = values.mapv(|value| value as f32);
        Self::new(space, rounded)
    }

    /// The same code with a label, or without one.
    #[must_use]
    pub fn with_label(self, label: Option<Label>) -> Self {
        Self { label, ..self }
    }

    /// The label that a class-conditional mapping takes, or took, beside the z code.
    #[must_use]
    pub fn label(&self) -> Option<&Label> {
        self.label.as_ref()
    }

    /// The latent space.
    #[must_use]
    pub fn space(&self) -> LatentSpace {
        self.space
    }

    /// The number of values in a row.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.values.ncols()
    }

    /// The number of rows: the layers of a w+ code; 1 in z, w and s.
    #[must_use]
    pub fn layers(&self) -> usize {
        self.values.nrows()
    }

    /// The values, of shape [layers, dim], in row-major order.
    #[must_use]
    pub fn values(&self) -> &Array2<f32> {
        &self.values
    }

    /// The w+ code of `layers` layers that gives the same image: a w code is repeated, a w+ code stays as it is.
    ///
    /// # Errors
    ///
    /// [`LatentError::NotLayered`] for a code in z or s, [`LatentError::LayerCount`] for a w+ code with another number of layers,
    /// and [`LatentError::Empty`] for 0 layers.
    pub fn broadcast(&self, layers: usize) -> Result<Self, LatentError> {
        match self.space {
            LatentSpace::Z | LatentSpace::S => Err(LatentError::NotLayered {
                found: self.space,
                layers,
            }),
            LatentSpace::WPlus if self.layers() != layers => Err(LatentError::LayerCount {
                found: self.layers(),
                expected: layers,
            }),
            LatentSpace::WPlus => Ok(self.clone()),
            LatentSpace::W => {
                let repeated =
                    Array2::from_shape_fn((layers, self.dim()), |(_, column)| self.values[[0, column]]);
                Ok(Self::new(LatentSpace::WPlus, repeated)?.with_label(self.label.clone()))
            }
        }
    }

    /// The rows of `layers`, or all rows for `None`.
    pub(crate) fn rows(&self, layers: Option<LayerRange>) -> Result<Range<usize>, LatentError> {
        match (layers, self.space) {
            (None, _) => Ok(0..self.layers()),
            (Some(layers), LatentSpace::WPlus) => layers.rows(self.layers()),
            (Some(layers), space) => Err(LatentError::LayersOutsideWPlus {
                first: layers.first(),
                last: layers.last(),
                space,
            }),
        }
    }
}

/// Checks that a code in `space` can have the shape (rows, dim).
pub(crate) fn check_shape(space: LatentSpace, (rows, dim): (usize, usize)) -> Result<(), LatentError> {
    match (space, rows, dim) {
        (_, 0, _) | (_, _, 0) => Err(LatentError::Empty { space, rows, dim }),
        (LatentSpace::Z | LatentSpace::W | LatentSpace::S, 2.., _) => {
            Err(LatentError::RowCount { space, rows })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn a_nan_is_refused_with_its_row_and_column() {
        let refused = LatentCode::new(LatentSpace::WPlus, array![[0.0, 1.0], [2.0, f32::NAN]]).unwrap_err();
        assert!(
            matches!(
                refused,
                LatentError::NotFinite {
                    row: 1,
                    column: 1,
                    ..
                }
            ),
            "{refused}"
        );
    }

    #[test]
    fn an_empty_code_is_refused() {
        let refused = LatentCode::from_row(LatentSpace::Z, Vec::new()).unwrap_err();
        assert_eq!(
            refused,
            LatentError::Empty {
                space: LatentSpace::Z,
                rows: 1,
                dim: 0
            }
        );
    }

    #[test]
    fn several_rows_are_accepted_in_w_plus_only() {
        let rows = array![[1.0, 2.0], [3.0, 4.0]];
        let refused = LatentCode::new(LatentSpace::W, rows.clone()).unwrap_err();
        assert_eq!(
            refused,
            LatentError::RowCount {
                space: LatentSpace::W,
                rows: 2
            }
        );
        assert_eq!(LatentCode::new(LatentSpace::WPlus, rows).unwrap().layers(), 2);
        let refused = LatentCode::from_row(LatentSpace::WPlus, vec![1.0]).unwrap_err();
        assert_eq!(refused, LatentError::OneRowForWPlus { dim: 1 });
    }

    #[test]
    fn values_in_column_major_order_are_stored_in_row_major_order() {
        let code =
            LatentCode::new(LatentSpace::WPlus, array![[1.0, 2.0], [3.0, 4.0]].reversed_axes()).unwrap();
        assert_eq!(code.values().as_slice(), Some([1.0, 3.0, 2.0, 4.0].as_slice()));
    }

    #[test]
    fn a_w_code_is_repeated_on_every_layer() {
        let code = LatentCode::from_row(LatentSpace::W, vec![1.0, 2.0]).unwrap();
        let layered = code.broadcast(3).unwrap();
        assert_eq!(layered.values(), array![[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]]);
        assert_eq!(layered.broadcast(3), Ok(layered.clone()));
        assert_eq!(
            layered.broadcast(4),
            Err(LatentError::LayerCount {
                found: 3,
                expected: 4
            })
        );
        assert_eq!(
            code.broadcast(0),
            Err(LatentError::Empty {
                space: LatentSpace::WPlus,
                rows: 0,
                dim: 2
            })
        );
    }

    #[test]
    fn a_z_code_cannot_be_repeated_on_layers() {
        let code = LatentCode::from_row(LatentSpace::Z, vec![1.0]).unwrap();
        assert_eq!(
            code.broadcast(2),
            Err(LatentError::NotLayered {
                found: LatentSpace::Z,
                layers: 2
            })
        );
    }
}
