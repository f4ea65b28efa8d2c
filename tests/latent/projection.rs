//! Properties of the conditional projection.

use faceplane::latent::{Boundary, Conditioned, LatentError, LatentSpace, Provenance, condition};
use ndarray::{Array2, array};
use proptest::collection::vec;
use proptest::prelude::*;

use super::{boundary, numbers};

fn spaces() -> impl Strategy<Value = LatentSpace> {
    prop_oneof![
        Just(LatentSpace::Z),
        Just(LatentSpace::W),
        Just(LatentSpace::WPlus)
    ]
}

fn boundaries(space: LatentSpace, seeds: &[u32]) -> Vec<Boundary> {
    seeds
        .iter()
        .map(|&seed| boundary("condition", space, seed))
        .collect()
}

fn conditioned(primal: &Boundary, conditions: &[Boundary]) -> Result<Conditioned, LatentError> {
    condition(primal, &conditions.iter().collect::<Vec<_>>())
}

fn from_normal(attribute: &str, space: LatentSpace, normal: Array2<f64>) -> Boundary {
    Boundary::new(attribute, space, normal, 0.0, Provenance::default()).unwrap()
}

fn length(values: &Array2<f64>) -> f64 {
    (values * values).sum().sqrt()
}

/// How far apart two conditioned directions are.
fn apart(one: &Conditioned, other: &Conditioned) -> f64 {
    length(&(one.direction.step() - other.direction.step()))
}

/// Seeds of conditions, all different, and different from the primal's 0.
fn seeds() -> impl Strategy<Value = Vec<u32>> {
    vec(1..1_000_000_u32, 1..6).prop_map(|mut seeds| {
        seeds.sort_unstable();
        seeds.dedup();
        seeds
    })
}

proptest! {
    #[test]
    fn the_direction_is_as_long_as_a_normal_and_orthogonal_to_every_condition(space in spaces(), seeds in seeds()) {
        let conditions = boundaries(space, &seeds);
        let Conditioned { direction, cosines, .. } = conditioned(&boundary("age", space, 0), &conditions).unwrap();
        prop_assert!((length(direction.step()) - length(conditions[0].normal())).abs() < 1e-14);
        prop_assert_eq!(cosines.len(), conditions.len());
        for (condition, cosine) in conditions.iter().zip(cosines) {
            let computed = (condition.normal() * direction.step()).sum();
            prop_assert!(computed.abs() < 1e-12 && cosine.abs() < 1e-12, "{computed}, {cosine}");
        }
    }

    #[test]
    fn one_unit_along_the_direction_changes_the_distance_by_what_is_retained(space in spaces(), seeds in seeds()) {
        let primal = boundary("age", space, 0);
        let Conditioned { direction, retained, .. } = conditioned(&primal, &boundaries(space, &seeds)).unwrap();
        let along = (primal.normal() * direction.step()).sum() / (primal.normal() * primal.normal()).sum();
        prop_assert!((along - retained).abs() < 1e-14);
        prop_assert!((0.0..=1.0 + 1e-15).contains(&retained));
    }

    #[test]
    fn projecting_twice_changes_nothing(space in spaces(), seeds in seeds()) {
        let conditions = boundaries(space, &seeds);
        let once = conditioned(&boundary("age", space, 0), &conditions).unwrap();
        let projected = from_normal("age", space, once.direction.step().clone());
        let twice = conditioned(&projected, &conditions).unwrap();
        prop_assert!(apart(&once, &twice) < 1e-12);
        prop_assert!((twice.retained - 1.0).abs() < 1e-12);
    }

    #[test]
    fn order_repetition_and_length_of_conditions_change_nothing(
        space in spaces(),
        seeds in seeds(),
        scales in vec(prop_oneof![-1e3..-1e-3, 1e-3..1e3], 6),
    ) {
        let primal = boundary("age", space, 0);
        let conditions = boundaries(space, &seeds);
        let once = conditioned(&primal, &conditions).unwrap();

        let backwards: Vec<_> = conditions.iter().rev().cloned().collect();
        let repeated = [conditions.clone(), conditions.clone(), backwards.clone()].concat();
        let scaled: Vec<_> = (conditions.iter().zip(scales))
            .map(|(condition, scale)| from_normal("condition", space, condition.normal() * scale))
            .collect();
        for same in [backwards, repeated, scaled] {
            let again = conditioned(&primal, &same).unwrap();
            prop_assert!(apart(&once, &again) < 1e-12);
            prop_assert!((once.retained - again.retained).abs() < 1e-12);
        }
    }

    #[test]
    fn a_condition_in_the_span_of_others_changes_nothing(space in spaces(), a in -3.0..3.0, b in 1.0..3.0) {
        let primal = boundary("age", space, 0);
        let mut conditions = boundaries(space, &[1, 2, 3]);
        let once = conditioned(&primal, &conditions).unwrap();
        for i in 0..40 {
            let sum = conditions[i].normal() * a + conditions[i + 1].normal() * b + conditions[i + 2].normal();
            if length(&sum) > 1e-3 {
                conditions.push(from_normal("sum", space, sum));
            } else {
                conditions.push(conditions[i].clone());
            }
        }
        let again = conditioned(&primal, &conditions).unwrap();
        prop_assert!(apart(&once, &again) < 1e-10, "{}", apart(&once, &again));
    }

    #[test]
    fn a_primal_among_its_conditions_is_refused(space in spaces(), seeds in seeds(), scale in -3.0..-0.1) {
        let primal = boundary("age", space, 0);
        let mut conditions = boundaries(space, &seeds);
        conditions.push(from_normal("youth", space, primal.normal() * scale));
        let refused = conditioned(&primal, &conditions).unwrap_err();
        let message = refused.to_string();
        prop_assert!(matches!(refused, LatentError::DependentPrimal { .. }), "{message}");
        prop_assert!(message.contains("of `age` is independent") && message.contains("`youth`"), "{message}");
    }

    #[test]
    fn a_primal_in_the_span_of_its_conditions_is_refused(space in spaces(), seeds in seeds()) {
        let conditions = boundaries(space, &seeds);
        let sum = conditions.iter().fold(numbers(space, 0) * 0.0, |sum, condition| sum + condition.normal());
        let refused = conditioned(&from_normal("age", space, sum), &conditions);
        let spanned = matches!(refused, Err(LatentError::DependentPrimal { retained, .. }) if retained < 1e-12);
        prop_assert!(spanned, "{refused:?}");
    }

    #[test]
    fn nearly_parallel_conditions_are_both_kept(exponent in 2..11_i32) {
        let (primal, one) = (boundary("age", LatentSpace::Z, 0), boundary("gender", LatentSpace::Z, 1));
        let shifted = one.normal() + boundary("noise", LatentSpace::Z, 2).normal() * 10_f64.powi(-exponent);
        let other = from_normal("gender", LatentSpace::Z, shifted);
        let cosines = conditioned(&primal, &[one, other]).unwrap().cosines;
        prop_assert!(cosines.iter().all(|cosine| cosine.abs() < 1e-14), "{cosines:?}");
    }

    #[test]
    fn a_primal_barely_outside_the_span_is_still_orthogonal_to_it(exponent in 1..6_i32) {
        let conditions = boundaries(LatentSpace::Z, &[1, 2, 3]);
        let aside = boundary("noise", LatentSpace::Z, 4).normal() * (3.0 * 10_f64.powi(-exponent));
        let primal = from_normal("age", LatentSpace::Z, conditions[0].normal() - conditions[2].normal() + aside);
        let cosines = conditioned(&primal, &conditions).unwrap().cosines;
        prop_assert!(cosines.iter().all(|cosine| cosine.abs() < 1e-14), "{cosines:?}");
    }
}

#[test]
fn without_conditions_the_direction_is_the_normal() {
    let primal = boundary("age", LatentSpace::W, 0);
    let Conditioned {
        direction,
        retained,
        cosines,
    } = condition(&primal, &[]).unwrap();
    assert!(length(&(direction.step() - primal.normal())) < 1e-15);
    assert!((retained - 1.0).abs() < 1e-15);
    assert!(cosines.is_empty());
}

#[test]
fn conditions_of_another_space_or_size_are_refused() {
    let primal = boundary("age", LatentSpace::W, 0);
    let other_space = boundary("gender", LatentSpace::Z, 1);
    assert!(matches!(
        condition(&primal, &[&other_space]),
        Err(LatentError::SpaceMismatch { .. })
    ));
    let other_size = from_normal("gender", LatentSpace::W, array![[1.0, 0.0]]);
    assert!(matches!(
        condition(&primal, &[&other_size]),
        Err(LatentError::ShapeMismatch { .. })
    ));
}

#[test]
fn conditions_that_span_the_space_are_refused() {
    let seeds: Vec<_> = (1..=30).collect();
    let refused = conditioned(
        &boundary("age", LatentSpace::Z, 0),
        &boundaries(LatentSpace::Z, &seeds),
    );
    assert!(matches!(refused, Err(LatentError::DependentPrimal { .. })));
}

#[test]
fn unlike_successive_subtraction_the_projection_is_orthogonal_to_all_conditions() {
    let space = LatentSpace::Z;
    let primal = from_normal("age", space, array![[1.0, 1.0, 1.0]]);
    let gender = from_normal("gender", space, array![[1.0, 0.0, 0.0]]);
    let eyeglasses = from_normal("eyeglasses", space, array![[1.0, 1.0, 0.0]]);
    let mut subtracted = primal.normal().clone();
    for condition in [&gender, &eyeglasses] {
        let along = (&subtracted * condition.normal()).sum();
        subtracted.scaled_add(-along, condition.normal());
    }
    assert!((&subtracted * gender.normal()).sum().abs() > 0.2);

    let projected = condition(&primal, &[&gender, &eyeglasses]).unwrap();
    assert!(length(&(projected.direction.step() - &array![[0.0, 0.0, 1.0]])) < 1e-15);
}
