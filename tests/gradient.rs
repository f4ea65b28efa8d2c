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
        let pair: Images = concatenate(Axis(0), &[target, target]).unwrap().into_shared();
        // A length at which the loss changes by much more than its last digit, and its curve by little.
        let mut nearest = f64::INFINITY;
        for length in [0.03, 0.01, 0.003] {
            let step = length / squares.sqrt();
            let code = codes.index_axis(Axis(0), place);
            let ahead = (&code + step * &gradient).insert_axis(Axis(0));
            let behind = (&code - step * &gradient).insert_axis(Axis(0));
            let both = concatenate(Axis(0), &[ahead.view(), behind.view()]).unwrap();
            let losses = admission.slope(both, pair.clone()).await.unwrap().loss;
            let rise = f64::from(losses[0]) - f64::from(losses[1]);
            let slope = rise / (2.0 * f64::from(step));
            nearest = nearest.min((slope / f64::from(squares) - 1.0).abs());
        }
        assert!(nearest < 1e-3, "code {place}: {nearest:e}");
    }
}
