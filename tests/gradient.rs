//! The gradient graphs of both models, compared with finite differences of their own losses.

use faceplane::catalog::{ModelFiles, ModelFolder};
use faceplane::engine::{EngineOptions, Images, QueueLimits, Replicas, open};
use faceplane::metrics::Metrics;
use ndarray::{Array2, Array3, Axis, stack};

use crate::support::{portraits, runtime};

/// Length of the path, in units of the code.
const PATH_LENGTH: f32 = 0.1;

/// Number of points of the path at which the gradient is computed.
const POINTS: u16 = 96;

/// Fixed pseudo-random values with a standard deviation of about 1.
fn noise(shape: (usize, usize, usize), first: f32) -> Array3<f32> {
    let mut index = first;
    Array3::from_shape_simple_fn(shape, || {
        index += 1.0;
        (index * 12.9898).sin() * 1.4
    })
}

#[tokio::test]
async fn the_gradient_of_phantom_agrees_with_finite_differences() {
    check_gradient(&ModelFolder::Bundled, [8, 64], 1.0).await;
}

#[tokio::test]
async fn the_gradient_of_portraits_agrees_with_finite_differences() {
    check_gradient(&ModelFolder::Disk(portraits()), [9, 256], 0.4).await;
}

/// Compares the change of the loss along a path with the integral of the gradient along it, for codes with this standard
/// deviation.
async fn check_gradient(folder: &ModelFolder, [layers, dim]: [usize; 2], deviation: f32) {
    let files = ModelFiles::read(folder).unwrap();
    let options = EngineOptions {
        replicas: Replicas::Count(1),
        queue_limits: QueueLimits {
            capacity: 16,
            longest_wait: std::time::Duration::MAX,
            batch_wait: std::time::Duration::ZERO,
        },
    };
    let engine = open(runtime(), &files, options, &Metrics::new()).unwrap();
    let count = 3;
    let mut admission = engine.admit(count).unwrap();
    let targets: Images = admission
        .synthesize(noise((count, layers, dim), 1000.0) * 0.7 * deviation)
        .await
        .unwrap();
    let codes = noise((count, layers, dim), 0.0) * deviation;
    let at_codes = admission
        .loss_gradient(codes.clone(), targets.clone())
        .await
        .unwrap();
    // The path is straight, from each code along its gradient. The edges in the images are one pixel wide, so that the loss
    // has bends everywhere: the gradient at one point is not the difference quotient, but its mean along the path is.
    let directions: Vec<Array2<f32>> = at_codes
        .gradient
        .outer_iter()
        .map(|gradient| &gradient / gradient.mapv(|value| value * value).sum().sqrt())
        .collect();
    let directions: Vec<_> = directions.iter().map(|direction| direction.view()).collect();
    let directions = stack(Axis(0), &directions).unwrap();
    let end = admission
        .loss_gradient(&codes + PATH_LENGTH * &directions, targets.clone())
        .await
        .unwrap();
    let mut integral = 0.0;
    for point in 0..POINTS {
        let distance = PATH_LENGTH * (f32::from(point) + 0.5) / f32::from(POINTS);
        let gradients = admission
            .loss_gradient(&codes + distance * &directions, targets.clone())
            .await
            .unwrap()
            .gradient;
        for (gradient, direction) in gradients.outer_iter().zip(directions.outer_iter()) {
            integral += f64::from((&gradient * &direction).sum() * PATH_LENGTH) / f64::from(POINTS);
        }
    }
    let pairs = end.loss.iter().zip(&at_codes.loss);
    let difference: f64 = pairs
        .map(|(&end, &start)| f64::from(end) - f64::from(start))
        .sum();
    let error = (integral / difference - 1.0).abs();
    assert!(
        error < 1e-3,
        "the loss changes by {difference:e}, but the integral of its gradient is {integral:e}: a relative error of {error:e}"
    );
}
