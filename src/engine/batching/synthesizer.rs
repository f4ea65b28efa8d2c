//! Synthesis as a network that can be batched.

use std::ops::Range;
use std::sync::Arc;

use ndarray::{Axis, Slice, concatenate};

use crate::engine::admission::limiter::ServiceTime;
use crate::engine::batching::batch_network::{BatchNetwork, Run};
use crate::engine::networks::panic::catch_panic;
use crate::engine::{BatchSize, EngineError, Generator, Images, SynthesisCodes};

/// A generator with measured runs, so that batches get the best size and waits can be predicted.
pub(crate) struct Synthesizer {
    network: Arc<str>,
    generator: Box<dyn Generator>,
    batch_size: BatchSize,
    service_time: ServiceTime,
    /// Whether the last run had rows only. The first run of styles opens a graph, and no run of styles is like one of rows.
    ran_rows: bool,
}

impl Synthesizer {
    /// `network` names the generator in errors. The service time is shared by all replicas.
    pub(crate) fn new(network: Arc<str>, generator: Box<dyn Generator>, service_time: ServiceTime) -> Self {
        Self {
            network,
            batch_size: generator.batch_size(),
            generator,
            service_time,
            ran_rows: true,
        }
    }

    /// Runs the generator. A panic is an error of this run alone.
    fn synthesize(&mut self, codes: &SynthesisCodes) -> Result<Images, EngineError> {
        catch_panic(&self.network, || {
            let images = match codes {
                SynthesisCodes::Rows(rows) => self.generator.synthesize(rows.view()),
                SynthesisCodes::Styles(styles) => self.generator.synthesize_styles(styles.view()),
            };
            Ok(images?.into_shared())
        })
    }

    /// Runs codes of one kind in one batch. If the first batch of a size fails, the graph may not take that many images: the
    /// codes then run in batches of the largest size that works.
    fn run_alike(&mut self, inputs: &[&SynthesisCodes]) -> Result<Images, EngineError> {
        let codes = SynthesisCodes::joined(inputs);
        let count = codes.images();
        match self.synthesize(&codes) {
            // A batch that does not end, or styles that cannot be used, say nothing about its size, and must not run again.
            Err(error @ (EngineError::Terminated { .. } | EngineError::Styles { .. })) => Err(error),
            Err(error) if self.batch_size.give_up(count) => {
                let largest = self.batch_size.largest();
                tracing::warn!(%error, "a batch of {count} images failed: from now on, batches hold at most {largest}");
                let mut parts = Vec::new();
                for first in (0..count).step_by(largest) {
                    parts.push(self.synthesize(&codes.part(first..count.min(first + largest)))?);
                }
                Ok(joined(parts))
            }
            images => images,
        }
    }
}

/// Images of several runs, one after another.
fn joined(mut parts: Vec<Images>) -> Images {
    if parts.len() == 1 {
        return parts.swap_remove(0);
    }
    let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
    let images = concatenate(Axis(0), &views).expect("images of one generator have one size");
    images.into_shared()
}

impl BatchNetwork for Synthesizer {
    type Input = SynthesisCodes;
    type Output = Images;

    fn units(codes: &SynthesisCodes) -> usize {
        codes.images()
    }

    fn part(images: &Images, range: Range<usize>) -> Images {
        let mut part = images.clone();
        part.slice_axis_inplace(Axis(0), Slice::from(range));
        part
    }

    fn largest_batch(&self) -> usize {
        self.batch_size.largest()
    }

    /// Runs the codes in one batch, or in a batch for rows and one for styles if there are both.
    fn run(&mut self, inputs: &[&SynthesisCodes]) -> Result<Images, EngineError> {
        self.ran_rows = inputs
            .iter()
            .all(|codes| matches!(codes, SynthesisCodes::Rows(_)));
        let alike = inputs.chunk_by(|one, other| one.is_like(other));
        let parts: Vec<_> = alike
            .map(|inputs| self.run_alike(inputs))
            .collect::<Result<_, _>>()?;
        Ok(joined(parts))
    }

    fn observe(&mut self, run: &Run) {
        if !self.ran_rows {
            return;
        }
        // A run beside idle replicas has more of the machine than runs under load have.
        if run.all_running {
            self.batch_size.note(run.units, run.duration);
        }
        self.service_time.note(run.duration, run.units, run.running);
    }
}
