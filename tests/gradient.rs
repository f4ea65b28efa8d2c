//! The gradient graphs of the models that come along against differences of their own losses.

use faceplane::catalog::{ModelFolder, ModelPackage};
use faceplane::engine::{EngineOptions, Images, QueueLimits, open};
use faceplane::metrics::Metrics;
use ndarray::{Array2, Array3, Axis, stack};

use crate::support::{portraits, runtime};

/// How far the way goes, in units of the code.
const LENGTH: f32 = 0.1;

/// Places on the way where the gradient is asked for.
const STEPS: u16 = 96;

/// Some numbers without order, of deviation about 1.
fn noise(shape: (usize, usize, usize), first: f32) -> Array3<f32> {
    let mut at = first;
    Array3::from_shape_simple_fn(shape, || {
        at += 1.0;
        (at * 12.9898).sin() * 1.4
    })
}

#[tokio::test]
async fn the_phantoms_gradient_is_the_slope_of_its_loss_by_finite_differences() {
    holds(&ModelFolder::Bundled, [8, 64], 1.0).await;
}

#[tokio::test]
async fn the_portraits_gradient_is_the_slope_of_their_loss_by_finite_differences() {
    holds(&ModelFolder::Disk(portraits()), [9, 256], 0.4).await;
}

/// Of codes whose values deviate by `spread`.
async fn holds(folder: &ModelFolder, [layers, dim]: [usize; 2], spread: f32) {
    let package = ModelPackage::read(folder).unwrap();
    let options = EngineOptions {
        replicas: Some(1),
        queue_limits: QueueLimits {
            capacity: 16,
            longest_wait: std::time::Duration::MAX,
            batch_wait: std::time::Duration::ZERO,
        },
    };
    let engine = open(runtime(), &package, options, &Metrics::new()).unwrap();
    let count = 3;
    let mut admission = engine.admit(count).unwrap();
    let targets: Images = admission
        .synthesize(noise((count, layers, dim), 1000.0) * 0.7 * spread)
        .await
        .unwrap();
    let codes = noise((count, layers, dim), 0.0) * spread;
    let at = admission
        .loss_gradient(codes.clone(), targets.clone())
        .await
        .unwrap();
    // Straight ahead from each code. Edges of one pixel make the loss bend everywhere, so that its slope at one place is not
    // that of its differences; the mean of its slopes on the way is.
    let ahead: Vec<Array2<f32>> = at
        .gradient
        .outer_iter()
        .map(|slope| &slope / slope.mapv(|value| value * value).sum().sqrt())
        .collect();
    let ahead: Vec<_> = ahead.iter().map(|way| way.view()).collect();
    let ahead = stack(Axis(0), &ahead).unwrap();
    let mut loss = Vec::new();
    for end in [0.0, LENGTH] {
        let codes = &codes + end * &ahead;
        loss.push(
            admission
                .loss_gradient(codes, targets.clone())
                .await
                .unwrap()
                .loss,
        );
    }
    let mut rise = vec![0.0; count];
    for step in 0..STEPS {
        let so_far = LENGTH * (f32::from(step) + 0.5) / f32::from(STEPS);
        let codes = &codes + so_far * &ahead;
        let slopes = admission
            .loss_gradient(codes, targets.clone())
            .await
            .unwrap()
            .gradient;
        for ((rise, slope), way) in rise.iter_mut().zip(slopes.outer_iter()).zip(ahead.outer_iter()) {
            *rise += f64::from((&slope * &way).sum() * LENGTH) / f64::from(STEPS);
        }
    }
    let rise: f64 = rise.iter().sum();
    let difference: f64 = (0..count)
        .map(|place| f64::from(loss[1][place]) - f64::from(loss[0][place]))
        .sum();
    let error = (rise / difference - 1.0).abs();
    assert!(error < 1e-3, "{difference:e}, by the slopes {rise:e}: {error:e}");
}
