//! The handle that async code holds: networks on their threads.

use std::sync::Arc;

use ndarray::{Array2, Array3, Array4, ArrayView4, Axis, concatenate};

use super::worker::Worker;
use super::{Classifier, EngineError, Generator, GeneratorShape};

/// A model's networks at work. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    generator: Worker<Box<dyn Generator>>,
    classifiers: Vec<Worker<Box<dyn Classifier>>>,
    shape: Arc<GeneratorShape>,
}

impl Engine {
    /// Gives each network a thread; at most `queue` runs wait for each. `name` is what errors call the networks.
    #[must_use]
    pub fn start(
        name: &str,
        generator: Box<dyn Generator>,
        classifiers: Vec<Box<dyn Classifier>>,
        queue: usize,
    ) -> Self {
        let shape = Arc::new(generator.shape().clone());
        let spawn = |(place, classifier)| Worker::spawn(&format!("{name} scores {place}"), classifier, queue);
        Self {
            generator: Worker::spawn(name, generator, queue),
            classifiers: classifiers.into_iter().enumerate().map(spawn).collect(),
            shape,
        }
    }

    /// The generator's spaces and sizes.
    #[must_use]
    pub fn shape(&self) -> &GeneratorShape {
        &self.shape
    }

    /// Mapping: z `[batch, z_dim]` → w `[batch, w_dim]`, in runs of at most the largest batch.
    ///
    /// # Errors
    /// [`EngineError`] where the queue is full or the run fails.
    pub async fn map(&self, z: Array2<f32>) -> Result<Array2<f32>, EngineError> {
        let largest = self.shape.largest_batch;
        let map = move |generator: &mut Box<dyn Generator>| {
            let parts: Vec<_> = z
                .axis_chunks_iter(Axis(0), largest)
                .map(|part| generator.map(part))
                .collect::<Result<_, _>>()?;
            let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
            Ok(concatenate(Axis(0), &views).expect("every part has w_dim columns"))
        };
        self.generator.run(map).await
    }

    /// Synthesis of one run: codes `[batch, rows, dim]`, batch at most
    /// [`largest_batch`](GeneratorShape::largest_batch) → images `[batch, 3, height, width]`.
    ///
    /// # Errors
    /// [`EngineError`] where the queue is full or the run fails.
    pub async fn synthesize(&self, codes: Array3<f32>) -> Result<Array4<f32>, EngineError> {
        debug_assert!(
            codes.len_of(Axis(0)) <= self.shape.largest_batch,
            "callers split what is larger"
        );
        self.generator
            .run(move |generator| generator.synthesize(codes.view()))
            .await
    }

    /// Scores of images `[batch, 3, height, width]`: one row an image, the classifiers' outputs side by side.
    ///
    /// # Errors
    /// [`EngineError`] where a queue is full or a run fails.
    pub async fn score(&self, images: Arc<Array4<f32>>) -> Result<Array2<f32>, EngineError> {
        let mut scores = Array2::zeros((images.len_of(Axis(0)), 0));
        for classifier in &self.classifiers {
            let images = Arc::clone(&images);
            let run = classifier.run(move |classifier| classifier.score(ArrayView4::from(&*images)));
            scores
                .append(Axis(1), run.await?.view())
                .expect("every classifier gives one row an image");
        }
        Ok(scores)
    }
}
