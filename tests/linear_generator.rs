//! A generator whose scores are linear in its codes, so that the effect of an edit is known.

use faceplane::engine::{Encoder, EngineError, Generator, GeneratorShape};
use ndarray::{Array3, Array4, ArrayView3, ArrayView4, Axis};

use crate::support::StripeGenerator;

/// A generator that is linear: the red channel is the last value of w, and the green one the distance from the sketch's boundary of age.
pub(crate) struct LinearGenerator(StripeGenerator);

impl LinearGenerator {
    pub(crate) fn new() -> Self {
        Self(StripeGenerator::new())
    }
}

impl Generator for LinearGenerator {
    fn shape(&self) -> &GeneratorShape {
        self.0.shape()
    }

    fn synthesize(&mut self, codes: ArrayView3<'_, f32>) -> Result<Array4<f32>, EngineError> {
        let size = (codes.len_of(Axis(0)), 3, 8, 8);
        Ok(Array4::from_shape_fn(size, |(image, channel, _, _)| {
            let value = |index: usize| codes[[image, 0, index]];
            match channel {
                0 => 0.1 * value(3),
                1 => 0.1 * (0.8 * value(2) + 0.6 * value(3)),
                _ => 0.0,
            }
        }))
    }
}

/// Reads the last two values of w from the images of the generator above. The others do not show.
pub(crate) struct LinearEncoder;

impl Encoder for LinearEncoder {
    fn encode(&mut self, images: ArrayView4<'_, f32>) -> Result<Array3<f32>, EngineError> {
        let size = (images.len_of(Axis(0)), 1, 4);
        Ok(Array3::from_shape_fn(size, |(image, _, index)| {
            let last = images[[image, 0, 0, 0]] / 0.1;
            match index {
                2 => (images[[image, 1, 0, 0]] / 0.1 - 0.6 * last) / 0.8,
                3 => last,
                _ => 0.0,
            }
        }))
    }
}
