//! The network that differentiates scores as a network that can be batched.

use std::ops::Range;

use ndarray::{Array2, Array3, Axis, Slice, concatenate};

use crate::engine::batching::batch_network::{BatchNetwork, Run};
use crate::engine::{EngineError, ScoreGradient, WeightedGradients};

/// A network that differentiates scores, on its thread.
pub(crate) struct ScoreGradientRunner(pub(crate) Box<dyn ScoreGradient>);

impl BatchNetwork for ScoreGradientRunner {
    /// Codes `[codes, rows, dim]` and weights `[codes, scores]`.
    type Input = (Array3<f32>, Array2<f32>);
    type Output = WeightedGradients;

    fn units((codes, _): &Self::Input) -> usize {
        codes.len_of(Axis(0))
    }

    fn part(output: &WeightedGradients, range: Range<usize>) -> WeightedGradients {
        let codes = Slice::from(range);
        WeightedGradients {
            scores: output.scores.slice_axis(Axis(0), codes).to_owned(),
            gradient: output.gradient.slice_axis(Axis(0), codes).to_owned(),
        }
    }

    fn largest_batch(&self) -> usize {
        self.0.largest_batch()
    }

    fn run(&mut self, inputs: &[&Self::Input]) -> Result<WeightedGradients, EngineError> {
        let codes: Vec<_> = inputs.iter().map(|(codes, _)| codes.view()).collect();
        let weights: Vec<_> = inputs.iter().map(|(_, weights)| weights.view()).collect();
        let codes = concatenate(Axis(0), &codes).expect("codes of one generator have one shape");
        let weights = concatenate(Axis(0), &weights).expect("all weights are for the same scores");
        self.0.score_gradient(codes.view(), weights.view())
    }

    fn observe(&mut self, _: &Run) {}
}
