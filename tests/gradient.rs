//! The bundled model's gradient graph against differences of its own loss.

use faceplane::catalog::{ModelFolder, ModelPackage};
use faceplane::engine::{Images, Operation, Waiting, open};
use faceplane::metrics::Metrics;
use ndarray::{Array3, Axis, concatenate};

use crate::support::runtime;

/// Some numbers without order, of deviation about 1.
fn noise(shape: (usize, usize, usize), first: f32) -> Array3<f32> {
    let mut at = first;
    Array3::from_shape_simple_fn(shape, || {
        at += 1.0;
        (at * 12.9898).sin() * 1.4
    })
}

#[tokio::test]
async fn the_gradient_is_the_slope_of_the_loss_by_finite_differences() {
    let package = ModelPackage::read(&ModelFolder::Bundled).unwrap();
    let operation = Operation {
        replicas: Some(1),
        waiting: Waiting {
            capacity: 16,
            longest: std::time::Duration::MAX,
            patience: std::time::Duration::ZERO,
        },
    };
    let engine = open(runtime(), &package, operation, &Metrics::new()).unwrap();
    let (count, layers, dim) = (4, 8, 64);
    let mut admission = engine.admit(count).unwrap();
    let targets: Images = admission
        .synthesize(noise((count, layers, dim), 1000.0) * 0.7)
        .await
        .unwrap();
    let codes = noise((count, layers, dim), 0.0);
    let at = admission.slope(codes.clone(), targets.clone()).await.unwrap();
    for place in 0..count {
        let gradient = at.gradient.index_axis(Axis(0), place);
        let squares: f32 = gradient.iter().map(|slope| slope * slope).sum();
        let target = targets.index_axis(Axis(0), place).insert_axis(Axis(0));
        let four: Images = concatenate(Axis(0), &[target; 4]).unwrap().into_shared();
        let code = codes.index_axis(Axis(0), place);
        // Lengths at which the loss changes by more than its last digits, and its curve, bent where edges cross pixels, by
        // little. Single precision leaves no better than some thousandths; the exporter does the same in double precision.
        let mut nearest = f64::INFINITY;
        for length in [0.002, 0.001, 0.0005] {
            let step = length / squares.sqrt();
            let moved = [2.0, 1.0, -1.0, -2.0].map(|steps| &code + steps * step * &gradient);
            let views = moved.each_ref().map(|code| code.view().insert_axis(Axis(0)));
            let moved = concatenate(Axis(0), &views).unwrap();
            let losses = admission
                .slope(moved, four.clone())
                .await
                .unwrap()
                .loss
                .mapv(f64::from);
            // (8 (f₁ − f₋₁) − (f₂ − f₋₂)) / 12 h, which cubes in the loss do not touch.
            let slope = (8.0 * (losses[1] - losses[2]) - (losses[0] - losses[3])) / (12.0 * f64::from(step));
            let off = (slope / f64::from(squares) - 1.0).abs();
            nearest = nearest.min(off);
        }
        assert!(nearest < 1e-2, "code {place}: {nearest:e}");
    }
}
