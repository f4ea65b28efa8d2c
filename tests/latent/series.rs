//! Properties of trajectories and truncations.

use faceplane::latent::{LatentSpace, Trajectory, Truncation};
use proptest::prelude::*;

use super::{DIM, LAYERS, code};

proptest! {
    #[test]
    fn positions_are_evenly_spaced_between_exact_ends(start in -1e3..1e3, end in -1e3..1e3, steps in 2..200_u32) {
        let trajectory = Trajectory::new(start, end, steps).unwrap();
        let positions = trajectory.positions();
        prop_assert_eq!(positions.len(), steps as usize);
        prop_assert_eq!((positions[0], positions[positions.len() - 1]), (start, end));
        let step = (end - start) / f64::from(steps - 1);
        for pair in positions.windows(2) {
            prop_assert!((pair[1] - pair[0] - step).abs() < 1e-9);
        }
    }

    #[test]
    fn psi_one_keeps_every_bit(seed: u32, layers in prop::option::of(1..=LAYERS)) {
        let w = code(LatentSpace::W, seed);
        let kept = Truncation::new(1.0, layers).unwrap().apply(&w, &[0.3; DIM], LAYERS).unwrap();
        prop_assert_eq!(kept, w);
    }

    #[test]
    fn psi_zero_gives_the_average(seed: u32, average in -2.0..2.0_f32) {
        let w = code(LatentSpace::W, seed);
        let truncated = Truncation::new(0.0, None).unwrap().apply(&w, &[average; DIM], LAYERS).unwrap();
        prop_assert!(truncated.values().iter().all(|value| value.to_bits() == (average + 0.0).to_bits()));
    }

    #[test]
    fn the_average_is_not_changed(seed: u32, psi in -2.0..2.0) {
        let w = code(LatentSpace::W, seed);
        let average: Vec<_> = w.values().iter().copied().collect();
        let truncated = Truncation::new(psi, None).unwrap().apply(&w, &average, LAYERS).unwrap();
        prop_assert_eq!(truncated, w);
    }

    #[test]
    fn truncation_of_some_layers_equals_that_of_all_layers_on_them(seed: u32, psi in -2.0..0.99, layers in 1..LAYERS) {
        let w = code(LatentSpace::W, seed);
        let all = Truncation::new(psi, None).unwrap().apply(&w, &[0.3; DIM], LAYERS).unwrap();
        let some = Truncation::new(psi, Some(layers)).unwrap().apply(&w, &[0.3; DIM], LAYERS).unwrap();
        prop_assert_eq!((all.space(), some.space()), (LatentSpace::W, LatentSpace::WPlus));
        for (layer, row) in some.values().rows().into_iter().enumerate() {
            let expected = if layer < layers { all.values() } else { w.values() };
            prop_assert_eq!(row, expected.row(0));
        }
    }
}
