//! Properties of edits.

use std::sync::Arc;

use faceplane::latent::{
    Amount, Boundary, Direction, Edit, LatentCode, LatentError, LatentSpace, LayerRange, Provenance, apply,
    condition, condition_on,
};
use ndarray::Array2;
use proptest::prelude::*;

use super::{DIM, LAYERS, boundary, code, shape};

/// The greatest error of a distance by one rounding to `f32`.
const ROUNDING: f64 = 1e-5;

/// Spaces of a boundary and of a code that it can measure.
fn spaces() -> impl Strategy<Value = (LatentSpace, LatentSpace)> {
    prop_oneof![
        Just((LatentSpace::Z, LatentSpace::Z)),
        Just((LatentSpace::W, LatentSpace::W)),
        Just((LatentSpace::W, LatentSpace::WPlus)),
        Just((LatentSpace::WPlus, LatentSpace::WPlus)),
    ]
}

fn layer_ranges() -> impl Strategy<Value = LayerRange> {
    (0..LAYERS, 0..LAYERS).prop_map(|(a, b)| LayerRange::new(a.min(b), a.max(b)).unwrap())
}

/// Three boundaries that are not orthogonal: of age, gender and eyeglasses.
fn three(space: LatentSpace, seed: u32) -> [Arc<Boundary>; 3] {
    let shared = boundary("shared", space, seed).normal().clone();
    [("age", 1), ("gender", 2), ("eyeglasses", 3)].map(|(attribute, step)| {
        let own = boundary(attribute, space, seed.wrapping_add(step));
        let normal = own.normal() + &shared * 0.8;
        Arc::new(Boundary::new(attribute, space, normal, own.intercept(), Provenance::default()).unwrap())
    })
}

fn along(boundary: &Arc<Boundary>, amount: Amount) -> Edit {
    Edit::new(boundary.clone(), Direction::along(boundary), amount).unwrap()
}

fn differ(one: &LatentCode, other: &LatentCode) -> f32 {
    (one.values() - other.values())
        .iter()
        .fold(0.0, |most, value| most.max(value.abs()))
}

proptest! {
    #[test]
    fn an_edit_to_a_distance_reaches_it((space, of_code) in spaces(), seed: u32, target in -5.0..5.0) {
        let [age, ..] = three(space, seed);
        let edited = apply(&code(of_code, seed), &[along(&age, Amount::To(target))], None).unwrap();
        prop_assert_eq!(edited.space(), of_code);
        prop_assert!((age.signed_distance(&edited).unwrap() - target).abs() < ROUNDING);
    }

    #[test]
    fn an_edit_by_an_amount_changes_the_distance_by_it((space, of_code) in spaces(), seed: u32, amount in -5.0..5.0) {
        let [age, ..] = three(space, seed);
        let code = code(of_code, seed);
        let edited = apply(&code, &[along(&age, Amount::By(amount))], None).unwrap();
        let moved = age.signed_distance(&edited).unwrap() - age.signed_distance(&code).unwrap();
        prop_assert!((moved - amount).abs() < ROUNDING);
    }

    #[test]
    fn several_targets_are_all_reached_at_once(
        (space, of_code) in spaces(),
        seed: u32,
        targets in [-5.0..5.0, -5.0..5.0],
        amount in -5.0..5.0,
    ) {
        let [age, gender, eyeglasses] = three(space, seed);
        let edits = [
            along(&age, Amount::To(targets[0])),
            along(&eyeglasses, Amount::By(amount)),
            along(&gender, Amount::To(targets[1])),
        ];
        let edited = apply(&code(of_code, seed), &edits, None).unwrap();
        for (boundary, target) in [age, gender].iter().zip(targets) {
            prop_assert!((boundary.signed_distance(&edited).unwrap() - target).abs() < ROUNDING);
        }
    }

    #[test]
    fn the_order_of_edits_changes_nothing((space, of_code) in spaces(), seed: u32, a in -5.0..5.0, b in -5.0..5.0) {
        let [age, gender, eyeglasses] = three(space, seed);
        let mut edits = [
            along(&age, Amount::To(a)),
            along(&eyeglasses, Amount::By(b)),
            along(&gender, Amount::To(b)),
            along(&age, Amount::By(a)),
        ];
        let code = code(of_code, seed);
        let forwards = apply(&code, &edits, None).unwrap();
        edits.reverse();
        prop_assert!(differ(&forwards, &apply(&code, &edits, None).unwrap()) < 1e-5);
    }

    #[test]
    fn editing_age_conditioned_on_gender_keeps_the_gender_distance(
        (space, of_code) in spaces(),
        seed: u32,
        amount in -5.0..5.0,
        absolute: bool,
    ) {
        let [age, gender, eyeglasses] = three(space, seed);
        let direction = condition(&age, &[&gender, &eyeglasses]).unwrap().direction;
        let amount = if absolute { Amount::To(amount) } else { Amount::By(amount) };
        let code = code(of_code, seed);
        let edit = Edit::new(age.clone(), direction, amount).unwrap();
        let edited = apply(&code, &[edit], None).unwrap();
        for held in [gender, eyeglasses] {
            let moved = held.signed_distance(&edited).unwrap() - held.signed_distance(&code).unwrap();
            prop_assert!(moved.abs() < ROUNDING);
        }
        if let Amount::To(target) = amount {
            prop_assert!((age.signed_distance(&edited).unwrap() - target).abs() < ROUNDING);
        }
    }

    #[test]
    fn an_edit_and_its_opposite_give_the_code_back((space, of_code) in spaces(), seed: u32, amount in -5.0..5.0) {
        let [age, ..] = three(space, seed);
        let code = code(of_code, seed);
        let there = apply(&code, &[along(&age, Amount::By(amount))], None).unwrap();
        let back = apply(&there, &[along(&age, Amount::By(-amount))], None).unwrap();
        prop_assert!(differ(&code, &back) <= 2e-6);
    }

    #[test]
    fn layers_that_are_not_edited_keep_every_bit(
        space in prop_oneof![Just(LatentSpace::W), Just(LatentSpace::WPlus)],
        seed: u32,
        layers in layer_ranges(),
        target in -5.0..5.0,
    ) {
        let [age, gender, _] = three(space, seed);
        let code = code(LatentSpace::WPlus, seed);
        let edits = [along(&age, Amount::To(target)), along(&gender, Amount::By(target))];
        let edited = apply(&code, &edits, Some(layers)).unwrap();
        for row in (0..LAYERS).filter(|row| !layers.rows(LAYERS).unwrap().contains(row)) {
            prop_assert_eq!(code.values().row(row), edited.values().row(row));
        }
        let reached = age.signed_distance_on(&edited, Some(layers)).unwrap();
        prop_assert!((reached - target).abs() < 1e-4, "{reached} beside {target}");
    }

    #[test]
    fn a_boundary_in_w_shifts_every_layer_equally(seed: u32, layers in layer_ranges(), target in -5.0..5.0) {
        let [age, ..] = three(LatentSpace::W, seed);
        let code = code(LatentSpace::WPlus, seed);
        let edited = apply(&code, &[along(&age, Amount::To(target))], Some(layers)).unwrap();
        let shifts = edited.values() - code.values();
        let moved: Vec<_> = layers.rows(LAYERS).unwrap().collect();
        for &row in &moved {
            for (one, first) in shifts.row(row).iter().zip(shifts.row(moved[0])) {
                prop_assert!((one - first).abs() < 2e-6);
            }
        }
    }
}

proptest! {
    #[test]
    fn targets_on_different_layers_are_all_reached(
        space in prop_oneof![Just(LatentSpace::W), Just(LatentSpace::WPlus)],
        seed: u32,
        layers in [layer_ranges(), layer_ranges(), layer_ranges()],
        targets in [-5.0..5.0, -5.0..5.0],
        amount in -5.0..5.0,
    ) {
        let [age, gender, eyeglasses] = three(space, seed);
        let edits = [
            along(&age, Amount::To(targets[0])).on_layers(Some(layers[0])),
            along(&eyeglasses, Amount::By(amount)).on_layers(Some(layers[1])),
            along(&gender, Amount::To(targets[1])).on_layers(Some(layers[2])),
        ];
        let code = code(LatentSpace::WPlus, seed);
        let edited = apply(&code, &edits, None).unwrap();
        for (boundary, target, layers) in [(age, targets[0], layers[0]), (gender, targets[1], layers[2])] {
            let reached = boundary.signed_distance_on(&edited, Some(layers)).unwrap();
            prop_assert!((reached - target).abs() < 1e-4, "{reached} beside {target} on {layers}");
        }
        let moved: Vec<_> = layers.iter().flat_map(|layers| layers.rows(LAYERS).unwrap()).collect();
        for row in (0..LAYERS).filter(|row| !moved.contains(row)) {
            prop_assert_eq!(code.values().row(row), edited.values().row(row));
        }
    }

    #[test]
    fn a_condition_holds_its_distance_if_only_some_layers_move(
        (space, of_code) in prop_oneof![
            Just((LatentSpace::W, LatentSpace::WPlus)),
            Just((LatentSpace::WPlus, LatentSpace::WPlus)),
        ],
        seed: u32,
        layers in layer_ranges(),
        amount in -5.0..5.0,
    ) {
        let [age, gender, eyeglasses] = three(space, seed);
        let direction = condition_on(&age, &[&gender, &eyeglasses], Some(layers)).unwrap().direction;
        let code = code(of_code, seed);
        let edit = Edit::new(age, direction, Amount::By(amount)).unwrap();
        let edited = apply(&code, &[edit], Some(layers)).unwrap();
        for held in [gender, eyeglasses] {
            for measured in [None, Some(layers)] {
                let distance = |code: &LatentCode| held.signed_distance_on(code, measured).unwrap();
                prop_assert!((distance(&edited) - distance(&code)).abs() < ROUNDING);
            }
        }
    }

    #[test]
    fn a_normal_of_w_and_the_same_repeated_on_all_layers_edit_alike(
        seed: u32,
        layers in prop::option::of(layer_ranges()),
        amount in -5.0..5.0,
        absolute: bool,
    ) {
        let [age, gender, _] = three(LatentSpace::W, seed);
        let repeated = |boundary: &Boundary| {
            let normal = boundary.normal().broadcast((LAYERS, DIM)).unwrap().to_owned();
            // The file's own scale does not matter, and n·w + b counts each layer once.
            let intercept = 0.3 * boundary.intercept() * f64::from(u8::try_from(LAYERS).unwrap());
            let made = Boundary::new("age", LatentSpace::WPlus, 0.3 * normal, intercept, Provenance::default());
            Arc::new(made.unwrap())
        };
        let amount = if absolute { Amount::To(amount) } else { Amount::By(amount) };
        let code = code(LatentSpace::WPlus, seed);
        let edited = |age: &Arc<Boundary>, gender: &Boundary| {
            let direction = condition_on(age, &[gender], layers).unwrap().direction;
            let edit = Edit::new(age.clone(), direction, amount).unwrap();
            apply(&code, &[edit], layers).unwrap()
        };
        let in_w = edited(&age, &gender);
        prop_assert!(differ(&in_w, &edited(&repeated(&age), &repeated(&gender))) < 2e-5);
    }

    #[test]
    fn layers_of_an_edit_win_over_those_of_all(seed: u32, own in layer_ranges(), all in layer_ranges(), amount in -5.0..5.0) {
        let [age, gender, _] = three(LatentSpace::WPlus, seed);
        let code = code(LatentSpace::WPlus, seed);
        let edits = [along(&age, Amount::By(amount)).on_layers(Some(own)), along(&gender, Amount::By(amount))];
        let expected = apply(&code, &[along(&age, Amount::By(amount))], Some(own)).unwrap();
        let expected = apply(&expected, &[along(&gender, Amount::By(amount))], Some(all)).unwrap();
        prop_assert!(differ(&apply(&code, &edits, Some(all)).unwrap(), &expected) < 2e-6);
    }
}

#[test]
fn without_edits_a_code_keeps_every_bit() {
    for space in [LatentSpace::Z, LatentSpace::W, LatentSpace::WPlus] {
        let code = code(space, 5);
        assert_eq!(apply(&code, &[], None), Ok(code));
    }
}

#[test]
fn two_targets_for_one_attribute_are_refused_with_its_name() {
    let [age, gender, _] = three(LatentSpace::Z, 0);
    let edits = [
        along(&age, Amount::To(1.0)),
        along(&gender, Amount::To(0.0)),
        along(&age, Amount::To(1.0)),
    ];
    let refused = apply(&code(LatentSpace::Z, 0), &edits, None).unwrap_err();
    let attributes = ["age", "gender", "age"].map(str::to_owned).to_vec();
    assert_eq!(refused, LatentError::ConflictingTargets { attributes });
    assert!(
        refused.to_string().contains("`age`, `gender`, `age`"),
        "{refused}"
    );
}

#[test]
fn a_direction_that_cannot_reach_its_target_is_refused() {
    let [age, gender, _] = three(LatentSpace::Z, 0);
    let direction = condition(&age, &[&gender]).unwrap().direction;
    let edit = Edit::new(gender, direction, Amount::To(1.0)).unwrap();
    assert!(matches!(
        apply(&code(LatentSpace::Z, 0), &[edit], None),
        Err(LatentError::ConflictingTargets { .. })
    ));
}

#[test]
fn layers_of_z_and_w_codes_are_refused() {
    let layers: LayerRange = "0-3".parse().unwrap();
    for space in [LatentSpace::Z, LatentSpace::W] {
        let refused = apply(&code(space, 0), &[], Some(layers)).unwrap_err();
        assert_eq!(
            refused,
            LatentError::LayersOutsideWPlus {
                first: 0,
                last: 3,
                space
            }
        );
    }
    let beyond: LayerRange = "2-6".parse().unwrap();
    let refused = apply(&code(LatentSpace::WPlus, 0), &[], Some(beyond)).unwrap_err();
    assert_eq!(
        refused,
        LatentError::LayersOutOfRange {
            first: 2,
            last: 6,
            total: LAYERS
        }
    );
}

#[test]
fn boundaries_of_another_space_are_refused() {
    let [age, ..] = three(LatentSpace::Z, 0);
    let edit = along(&age, Amount::By(1.0));
    let refused = apply(&code(LatentSpace::W, 0), &[edit], None).unwrap_err();
    let attribute = "age".to_owned();
    assert_eq!(
        refused,
        LatentError::SpaceMismatch {
            attribute,
            found: LatentSpace::W,
            expected: LatentSpace::Z
        }
    );
    let other = Direction::along(&boundary("gender", LatentSpace::W, 0));
    assert!(matches!(
        Edit::new(age, other, Amount::By(1.0)),
        Err(LatentError::SpaceMismatch { .. })
    ));
}

#[test]
fn amounts_that_are_not_finite_or_too_large_are_refused() {
    let [age, ..] = three(LatentSpace::Z, 0);
    for amount in [Amount::By(f64::NAN), Amount::To(f64::INFINITY)] {
        let refused = Edit::new(age.clone(), Direction::along(&age), amount);
        assert!(matches!(refused, Err(LatentError::Amount { .. })));
    }
    let far = along(&age, Amount::By(1e60));
    assert!(matches!(
        apply(&code(LatentSpace::Z, 0), &[far], None),
        Err(LatentError::NotFinite { .. })
    ));
}

#[test]
fn a_boundary_in_w_plus_moves_only_the_layers_that_are_edited() {
    let space = LatentSpace::WPlus;
    let normal = Array2::from_shape_fn(shape(space), |(row, _)| if row < 2 { 0.0 } else { 1.0 });
    let age = Arc::new(Boundary::new("age", space, normal, 0.0, Provenance::default()).unwrap());
    let code = code(space, 0);
    let only: LayerRange = "0-1".parse().unwrap();
    assert_eq!(
        apply(&code, &[along(&age, Amount::By(2.0))], Some(only)),
        Ok(code.clone())
    );
    let refused = apply(&code, &[along(&age, Amount::To(2.0))], Some(only));
    assert!(matches!(refused, Err(LatentError::ConflictingTargets { .. })));
}
