//! Synthesis as a network that can be batched.

use std::ops::Range;
use std::sync::Arc;

use ndarray::{Array3, ArrayView3, Axis, Slice, concatenate};

use crate::engine::admission::limiter::ServiceTime;
use crate::engine::batching::batch_network::{BatchNetwork, Run};
use crate::engine::networks::panic::catch_panic;
use crate::engine::{BatchSize, EngineError, Generator, Images};

/// A generator with measured runs, so that batches get the best size and waits can be predicted.
pub(crate) struct Synthesizer {
    network: Arc<str>,
    generator: Box<dyn Generator>,
    batch_size: BatchSize,
    service_time: ServiceTime,
}

impl Synthesizer {
    /// `network` names the generator in errors. The service time is shared by all replicas.
    pub(crate) fn new(network: Arc<str>, generator: Box<dyn Generator>, service_time: ServiceTime) -> Self {
        Self {
            network,
            batch_size: generator.batch_size(),
            generator,
            service_time,
        }
    }

    /// Runs the generator. A panic is an error of this run alone.
    fn synthesize(&mut self, codes: ArrayView3<'_, f32>) -> Result<Images, EngineError> {
        catch_panic(&self.network, || {
            Ok(self.generator.synthesize(codes)?.into_shared())
        })
    }
}

impl BatchNetwork for Synthesizer {
    /// Codes `[images, rows, dim]`.
    type Input = Array3<f32>;
    type Output = Images;

    fn units(codes: &Array3<f32>) -> usize {
        codes.len_of(Axis(0))
    }

    fn part(images: &Images, range: Range<usize>) -> Images {
        let mut part = images.clone();
        part.slice_axis_inplace(Axis(0), Slice::from(range));
        part
    }

    fn largest_batch(&self) -> usize {
        self.batch_size.largest()
    }

    /// Runs the codes in one batch. If the first batch of a size fails, the graph may not take that many images: the codes
    /// then run in batches of the largest size that works.
    fn run(&mut self, inputs: &[&Array3<f32>]) -> Result<Images, EngineError> {
        let views: Vec<_> = inputs.iter().map(|codes| codes.view()).collect();
        let codes = concatenate(Axis(0), &views).expect("codes of one generator have one shape");
        let count = codes.len_of(Axis(0));
        match self.synthesize(codes.view()) {
            // A batch that does not end says nothing about its size, and must not run again.
            Err(error @ EngineError::Terminated { .. }) => Err(error),
            Err(error) if self.batch_size.give_up(count) => {
                let largest = self.batch_size.largest();
                tracing::warn!(%error, "a batch of {count} images failed: from now on, batches hold at most {largest}");
                let mut parts = Vec::new();
                for part in codes.axis_chunks_iter(Axis(0), largest) {
                    parts.push(self.synthesize(part)?);
                }
                let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
                let images = concatenate(Axis(0), &views).expect("images of one generator have one size");
                Ok(images.into_shared())
            }
            images => images,
        }
    }

    fn observe(&mut self, run: &Run) {
        // A run beside idle replicas has more of the machine than runs under load have.
        if run.all_running {
            self.batch_size.note(run.units, run.duration);
        }
        self.service_time.note(run.duration, run.units, run.running);
    }
}
