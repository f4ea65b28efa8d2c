//! Style mixing: some layers of one code, and the other layers of another.

use ndarray::{Axis, Slice};

use crate::latent::{LatentCode, LatentError, LatentSpace, LayerRange};

/// The w+ code `code` with the layers `layers` of `other` (Karras et al., *A Style-Based Generator Architecture for Generative
/// Adversarial Networks*, CVPR 2019, §3.1 and figure 3). It has the label of the two, if it is the same.
///
/// # Errors
/// [`LatentError::LayersOutOfRange`] if the codes have fewer layers, and [`LatentError::LayersOutsideWPlus`] if `code` is not in w+.
///
/// # Panics
/// If the codes differ in shape.
pub fn mix_layers(
    code: &LatentCode,
    other: &LatentCode,
    layers: LayerRange,
) -> Result<LatentCode, LatentError> {
    let rows = code.rows(Some(layers))?;
    let mut values = code.values().clone();
    let of_other = other.values().slice_axis(Axis(0), Slice::from(rows.clone()));
    values
        .slice_axis_mut(Axis(0), Slice::from(rows))
        .assign(&of_other);
    let label = code.label().filter(|label| Some(*label) == other.label());
    Ok(LatentCode::new(LatentSpace::WPlus, values)?.with_label(label.cloned()))
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn the_chosen_layers_are_those_of_the_other_code() {
        let code = |values| LatentCode::new(LatentSpace::WPlus, values).unwrap();
        let (a, b) = (
            code(array![[1.0], [2.0], [3.0]]),
            code(array![[7.0], [8.0], [9.0]]),
        );
        let mixed = |first, last| mix_layers(&a, &b, LayerRange::new(first, last).unwrap());
        assert_eq!(mixed(1, 2).unwrap(), code(array![[1.0], [8.0], [9.0]]));
        assert_eq!(mixed(0, 2).unwrap(), b);
        assert!(matches!(mixed(1, 3), Err(LatentError::LayersOutOfRange { .. })));
    }

    #[test]
    fn a_code_outside_w_plus_has_no_layers() {
        let code = LatentCode::from_row(LatentSpace::W, vec![1.0]).unwrap();
        let refused = mix_layers(&code, &code, LayerRange::new(0, 0).unwrap());
        assert!(matches!(refused, Err(LatentError::LayersOutsideWPlus { .. })));
    }
}
