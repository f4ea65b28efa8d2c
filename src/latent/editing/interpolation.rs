//! Codes between two codes.

use crate::latent::linear_algebra::dot_product::{norm, ordered_dot};
use crate::latent::{LatentCode, LatentError, LatentSpace};

/// The least sine of the angle between two codes for which the arc between them is computed. Below it, the arc and the straight line
/// differ by less than `f32` resolves.
const LEAST_SINE: f64 = 1e-6;

/// The code at the share `share` of the way from `from` to `to`: at 0 and 1 the codes themselves.
///
/// In w, w+ and s the way is the straight line (1 − t) a + t b. In z it is the arc of the great circle,
/// sin((1 − t)θ)/sin θ · a + sin(tθ)/sin θ · b with the angle θ between the two (Shoemake, *Animating Rotation with Quaternion Curves*,
/// SIGGRAPH 1985, §3.3; for latent codes White, *Sampling Generative Networks*, 2016): z codes are samples of a normal distribution in
/// many dimensions, which lie near a sphere, and the straight line leaves it.
///
/// The result has the label of the two, if it is the same.
///
/// # Errors
/// [`LatentError::OppositeCodes`] for two z codes of opposite directions, which have no shortest arc between them, and
/// [`LatentError::NotFinite`].
///
/// # Panics
/// If the codes differ in space or shape.
pub fn interpolate(from: &LatentCode, to: &LatentCode, share: f64) -> Result<LatentCode, LatentError> {
    assert_eq!(from.space(), to.space(), "both codes are in one space");
    if share <= 0.0 {
        return Ok(from.clone());
    }
    if share >= 1.0 {
        return Ok(to.clone());
    }
    let (start, end) = (from.values().mapv(f64::from), to.values().mapv(f64::from));
    let (of_start, of_end) = match from.space() {
        LatentSpace::Z => arc(&start, &end, share)?,
        LatentSpace::W | LatentSpace::WPlus | LatentSpace::S => (1.0 - share, share),
    };
    let label = from.label().filter(|label| Some(*label) == to.label());
    let code = LatentCode::rounded(from.space(), &(start * of_start + end * of_end))?;
    Ok(code.with_label(label.cloned()))
}

/// The weights of the two ends on the arc between them.
fn arc<'a, I>(start: I, end: I, share: f64) -> Result<(f64, f64), LatentError>
where
    I: IntoIterator<Item = &'a f64> + Copy,
{
    let lengths = norm(start) * norm(end);
    if lengths == 0.0 {
        return Ok((1.0 - share, share));
    }
    let cosine = (ordered_dot(start, end) / lengths).clamp(-1.0, 1.0);
    let angle = cosine.acos();
    let sine = angle.sin();
    if sine < LEAST_SINE {
        return if cosine > 0.0 {
            Ok((1.0 - share, share))
        } else {
            Err(LatentError::OppositeCodes)
        };
    }
    Ok((((1.0 - share) * angle).sin() / sine, (share * angle).sin() / sine))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latent::Label;

    fn code(space: LatentSpace, values: &[f32]) -> LatentCode {
        LatentCode::from_row(space, values.to_vec()).unwrap()
    }

    fn values(code: &LatentCode) -> Vec<f32> {
        code.values().iter().copied().collect()
    }

    #[test]
    fn both_ends_are_the_codes_themselves() {
        for space in [LatentSpace::Z, LatentSpace::W] {
            let (a, b) = (code(space, &[0.1, 0.7]), code(space, &[-0.3, 0.2]));
            assert_eq!(interpolate(&a, &b, 0.0).unwrap(), a);
            assert_eq!(interpolate(&a, &b, 1.0).unwrap(), b);
        }
    }

    #[test]
    fn w_codes_are_joined_by_a_straight_line_and_z_codes_by_an_arc() {
        let between = |space| {
            let (a, b) = (code(space, &[2.0, 0.0]), code(space, &[0.0, 2.0]));
            values(&interpolate(&a, &b, 0.5).unwrap())
        };
        assert_eq!(between(LatentSpace::W), [1.0, 1.0]);
        let half = 2.0_f32.sqrt();
        assert_eq!(between(LatentSpace::Z), [half, half]);
    }

    #[test]
    fn an_arc_goes_by_equal_angles() {
        let (a, b) = (
            code(LatentSpace::Z, &[1.0, 0.0]),
            code(LatentSpace::Z, &[0.0, 1.0]),
        );
        for step in 1..9_u8 {
            let share = f64::from(step) / 9.0;
            let found = values(&interpolate(&a, &b, share).unwrap());
            let angle = f64::from(found[1]).atan2(f64::from(found[0]));
            assert!(
                (angle - share * std::f64::consts::FRAC_PI_2).abs() < 1e-6,
                "{angle}"
            );
        }
    }

    #[test]
    fn parallel_codes_are_joined_by_a_line_and_opposite_ones_are_refused() {
        let (a, longer, opposite) = (
            code(LatentSpace::Z, &[1.0, 1.0]),
            code(LatentSpace::Z, &[3.0, 3.0]),
            code(LatentSpace::Z, &[-2.0, -2.0]),
        );
        assert_eq!(values(&interpolate(&a, &longer, 0.5).unwrap()), [2.0, 2.0]);
        assert_eq!(interpolate(&a, &opposite, 0.5), Err(LatentError::OppositeCodes));
    }

    #[test]
    fn a_label_stays_if_both_codes_have_it() {
        let labelled = |class| code(LatentSpace::W, &[1.0]).with_label(Some(Label::Class(class)));
        let label = |a: &LatentCode, b: &LatentCode| interpolate(a, b, 0.5).unwrap().label().cloned();
        assert_eq!(label(&labelled(1), &labelled(1)), Some(Label::Class(1)));
        assert_eq!(label(&labelled(1), &labelled(2)), None);
    }
}
