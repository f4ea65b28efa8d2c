//! Gradient graphs that are derived from imported generators.

use faceplane::graph::Model;
use faceplane::graph::gradient::{Perceptual, loss_gradient};
use faceplane::importing::Imported;
use ndarray::{ArrayD, ArrayViewD, Axis, stack};

use crate::importing::fixture::Fixture;
use crate::onnx_session::{OnnxSession, numbers};

/// Fixtures with a generator.
const GENERATORS: &[&str] = &[
    "genforce-pggan",
    "genforce-stylegan",
    "genforce-stylegan2",
    "interfacegan-pggan",
    "interfacegan-stylegan",
    "rosinality-train",
    "sg2ada-cond",
    "sg2ada-fp16",
    "sg2ada-resnet",
    "sg2ada-skip",
    "tf-pggan",
    "tf-stylegan1",
    "tf-stylegan2",
];

/// The loss of codes and their gradient, by the graph that is derived from a generator.
struct Loss {
    session: OnnxSession,
    code: &'static str,
    target: ArrayD<f32>,
}

impl Loss {
    fn new(
        synthesis: &Model,
        code: &'static str,
        perceptual: Option<Perceptual<'_>>,
        target: ArrayD<f32>,
    ) -> Self {
        let graph = loss_gradient(synthesis, code, [-1.0, 1.0], perceptual).unwrap();
        let session = OnnxSession::open(&graph);
        Self {
            session,
            code,
            target,
        }
    }

    /// The losses and the gradients.
    fn of(&mut self, codes: &ArrayD<f32>) -> (Vec<f64>, ArrayD<f32>) {
        let inputs = [(self.code, codes.view()), ("target", self.target.view())];
        let mut outputs = self.session.run(&inputs);
        let losses = outputs["loss"].iter().map(|&loss| f64::from(loss)).collect();
        (losses, outputs.remove("gradient").unwrap())
    }
}

#[test]
fn the_loss_of_every_imported_generator_changes_as_its_gradient_says() {
    for name in GENERATORS {
        let Some(fixture) = Fixture::open(name) else {
            return;
        };
        let Imported::Generator(generator) = fixture.import() else {
            panic!("{name} is no generator")
        };
        let (code, shape) = match &generator.mapping {
            Some(_) => ("w", vec![generator.layers, generator.w_dim]),
            None => ("z", vec![generator.w_dim]),
        };
        let shape = [&[1], shape.as_slice()].concat();
        let target =
            OnnxSession::open(&generator.synthesis).output("image", &[(code, numbers(&shape, 500.0).view())]);
        let mut loss = Loss::new(&generator.synthesis, code, None, target.clone());
        let target = target.index_axis_move(Axis(0), 0);
        check_along_path(name, &mut loss, &numbers(&shape[1..], 0.0), &target);
    }
}

/// Compares the change of the loss along a path from a code with the integral of the gradient along it. Activations bend the loss, so
/// that the gradient at one point is not the difference quotient, but its mean along the path is.
fn check_along_path(name: &str, loss: &mut Loss, code: &ArrayD<f32>, target: &ArrayD<f32>) {
    const LENGTH: f32 = 0.2;
    let points: Vec<f32> = (0..64_u8).map(|point| (f32::from(point) + 0.5) / 64.0).collect();
    let at = |loss: &mut Loss, places: &[f32], direction: &ArrayD<f32>| {
        let moved: Vec<_> = places
            .iter()
            .map(|place| code + &(direction * (place * LENGTH)))
            .collect();
        let views: Vec<_> = moved.iter().map(|code| code.view()).collect();
        let targets = vec![target.view(); places.len()];
        loss.target = stack(Axis(0), &targets).unwrap();
        loss.of(&stack(Axis(0), &views).unwrap())
    };
    let none = ArrayD::zeros(code.shape());
    let (_, gradient) = at(loss, &[0.0], &none);
    let gradient = gradient.index_axis_move(Axis(0), 0);
    let norm = gradient.iter().map(|value| value * value).sum::<f32>().sqrt();
    let direction = &gradient / norm;
    let (losses, _) = at(loss, &[0.0, 1.0], &direction);
    let (_, gradients) = at(loss, &points, &direction);
    let along = |gradient: ArrayViewD<'_, f32>| -> f64 {
        let products = gradient.iter().zip(&direction).map(|(a, b)| f64::from(a * b));
        products.sum()
    };
    let mean = gradients.outer_iter().map(along).sum::<f64>() / 64.0;
    let change = (losses[1] - losses[0]) / f64::from(LENGTH);
    println!("{name}: the loss changes by {change:e}, the gradient is {mean:e}");
    assert!(
        (change - mean).abs() < 1e-3 * f64::from(norm),
        "{name}: the loss changes by {change:e}, the gradient is {mean:e}"
    );
}

#[test]
fn descent_along_the_gradient_with_an_imported_encoder_lowers_the_loss_on_each_of_20_pictures() {
    let Some(fixture) = Fixture::open("e4e") else {
        return;
    };
    let Imported::Encoder(encoder, Some(decoder)) = fixture.import() else {
        panic!("no encoder with its decoder")
    };
    let shape = [20, decoder.layers, decoder.w_dim];
    let target =
        OnnxSession::open(&decoder.synthesis).output("image", &[("w", numbers(&shape, 900.0).view())]);
    let perceptual = Perceptual {
        model: &encoder.graph,
        image_range: [[-1.0, 1.0]; 3],
        is_bgr: false,
    };
    let mut loss = Loss::new(&decoder.synthesis, "w", Some(perceptual), target);
    let mut at = numbers(&shape, 0.0);
    let (before, mut gradient) = loss.of(&at);
    let mut after = before.clone();
    for _ in 0..5 {
        at.zip_mut_with(&gradient, |value, slope| *value -= 0.05 * slope.signum());
        (after, gradient) = loss.of(&at);
    }
    for (before, after) in before.iter().zip(&after) {
        assert!(after < before, "{before} became {after}");
    }
}
