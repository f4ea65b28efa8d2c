//! The handle that async code holds: networks on their threads, and room for so many images.

use std::sync::Arc;
use std::time::Instant;

use ndarray::{Array2, Array3, Axis};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::batcher::Batcher;
use super::worker::Worker;
use super::{Classifier, EngineError, Generator, GeneratorShape, Images, Timings};
use crate::metrics::{Metrics, ModelMetrics};

/// A model's networks at work. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    generator: Batcher,
    classifiers: Vec<Worker<Box<dyn Classifier>>>,
    shape: Arc<GeneratorShape>,
    network: Arc<str>,
    room: Arc<Semaphore>,
    capacity: usize,
    metrics: ModelMetrics,
}

impl Engine {
    /// Gives each network a thread, and room to `capacity` images. `name` is what errors call the networks.
    #[must_use]
    pub fn start(
        name: &str,
        generator: Box<dyn Generator>,
        classifiers: Vec<Box<dyn Classifier>>,
        capacity: usize,
        metrics: &Metrics,
    ) -> Self {
        let metrics = metrics.of_model(name);
        let shape = Arc::new(generator.shape().clone());
        let spawn = |(place, classifier)| Worker::spawn(&format!("{name} scores {place}"), classifier);
        Self {
            generator: Batcher::start(name, generator, metrics.clone()),
            classifiers: classifiers.into_iter().enumerate().map(spawn).collect(),
            shape,
            network: name.into(),
            room: Arc::new(Semaphore::new(capacity)),
            capacity,
            metrics,
        }
    }

    /// The generator's spaces and sizes.
    #[must_use]
    pub fn shape(&self) -> &GeneratorShape {
        &self.shape
    }

    /// Takes room for a request's `images`, until the [`Admission`] is dropped.
    ///
    /// Whatever is admitted is done: a request is refused here, at once, or not at all.
    ///
    /// # Errors
    /// [`EngineError::Overloaded`] where there is no room.
    pub fn admit(&self, images: usize) -> Result<Admission, EngineError> {
        let wanted = u32::try_from(images).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room).try_acquire_many_owned(wanted);
        let room = room.map_err(|_| {
            self.metrics.overloaded.inc_by(images as u64);
            EngineError::Overloaded {
                network: self.network.to_string(),
                images,
                free: self.room.available_permits(),
                capacity: self.capacity,
            }
        })?;
        Ok(Admission {
            engine: self.clone(),
            _room: room,
            timings: Timings::default(),
        })
    }
}

/// A request that the engine has room for.
pub struct Admission {
    engine: Engine,
    _room: OwnedSemaphorePermit,
    timings: Timings,
}

impl Admission {
    /// Mapping: z `[batch, z_dim]` → w `[batch, w_dim]`.
    ///
    /// # Errors
    /// [`EngineError`] where the run fails.
    pub async fn map(&mut self, z: Array2<f32>) -> Result<Array2<f32>, EngineError> {
        let (w, taken) = self.engine.generator.map(z).await?;
        self.timings.mapping += taken;
        Ok(w)
    }

    /// Synthesis: codes `[images, rows, dim]` → pieces of `[n, 3, height, width]`, in order.
    ///
    /// At most [`largest_batch`](GeneratorShape::largest_batch) images at a time let others take turns.
    ///
    /// # Errors
    /// [`EngineError`] where the run fails.
    pub async fn synthesize(&mut self, codes: Array3<f32>) -> Result<Vec<Images>, EngineError> {
        let drawn = self.engine.generator.synthesize(codes).await?;
        self.timings.queue += drawn.waited;
        self.timings.synthesis += drawn.ran;
        Ok(drawn.pieces)
    }

    /// Scores of images `[batch, 3, height, width]`: one row an image, the classifiers' outputs side by side.
    ///
    /// # Errors
    /// [`EngineError`] where a run fails.
    pub async fn score(&mut self, images: &Images) -> Result<Array2<f32>, EngineError> {
        let started = Instant::now();
        let mut scores = Array2::zeros((images.len_of(Axis(0)), 0));
        for classifier in &self.engine.classifiers {
            let images = images.clone();
            let run = classifier.run(move |classifier| classifier.score(images.view()));
            scores
                .append(Axis(1), run.await?.view())
                .expect("every classifier gives one row an image");
        }
        self.timings.scoring += started.elapsed();
        self.engine
            .metrics
            .scoring
            .observe(started.elapsed().as_secs_f64());
        Ok(scores)
    }

    /// Where the time went so far.
    #[must_use]
    pub fn timings(&self) -> Timings {
        self.timings
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array4, ArrayView2, ArrayView3};
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;
    use crate::engine::SynthesisInput;

    /// A generator that paints its codes, says how many images each run has, and waits to be told to go on.
    struct Gate {
        shape: GeneratorShape,
        began: Sender<usize>,
        go: Receiver<()>,
    }

    impl Generator for Gate {
        fn shape(&self) -> &GeneratorShape {
            &self.shape
        }

        fn map(&mut self, z: ArrayView2<'_, f32>) -> Result<Array2<f32>, EngineError> {
            Ok(z.to_owned())
        }

        fn synthesize(&mut self, codes: ArrayView3<'_, f32>) -> Result<Array4<f32>, EngineError> {
            let images = codes.len_of(Axis(0));
            self.began.send(images).unwrap();
            self.go.recv().unwrap();
            Ok(Array4::from_shape_fn((images, 3, 1, 1), |(image, ..)| {
                codes[[image, 0, 0]]
            }))
        }
    }

    fn gate(largest_batch: usize, capacity: usize) -> (Engine, Receiver<usize>, Sender<()>) {
        let (began, runs) = channel();
        let (go_on, go) = channel();
        let shape = GeneratorShape {
            z_dim: 1,
            w_dim: 1,
            synthesis: SynthesisInput::W,
            height: 1,
            width: 1,
            largest_batch,
        };
        let engine = Engine::start(
            "gate",
            Box::new(Gate { shape, began, go }),
            Vec::new(),
            capacity,
            &Metrics::new(),
        );
        (engine, runs, go_on)
    }

    fn codes(values: &[f32]) -> Array3<f32> {
        Array3::from_shape_vec((values.len(), 1, 1), values.to_vec()).unwrap()
    }

    /// The first channel of each image.
    fn painted(pieces: &[Images]) -> Vec<f32> {
        let images = pieces.iter().flat_map(|piece| piece.outer_iter());
        images.map(|image| image[[0, 0, 0]]).collect()
    }

    fn spawn(engine: &Engine, values: &[f32]) -> tokio::task::JoinHandle<Result<Vec<f32>, EngineError>> {
        let (mut admission, codes) = (engine.admit(values.len()).unwrap(), codes(values));
        tokio::spawn(async move { Ok(painted(&admission.synthesize(codes).await?)) })
    }

    #[tokio::test]
    async fn images_that_wait_share_a_run_and_each_caller_gets_its_own() {
        let (engine, runs, go_on) = gate(4, 64);
        let first = spawn(&engine, &[1.0]);
        tokio::task::yield_now().await;
        assert_eq!(runs.recv().unwrap(), 1, "nobody is waited for");
        let others = [
            spawn(&engine, &[2.0, 3.0]),
            spawn(&engine, &[4.0]),
            spawn(&engine, &[5.0, 6.0]),
        ];
        tokio::task::yield_now().await;
        for _ in 0..3 {
            go_on.send(()).unwrap();
        }
        assert_eq!(first.await.unwrap().unwrap(), [1.0]);
        let mut painted = Vec::new();
        for other in others {
            painted.push(other.await.unwrap().unwrap());
        }
        assert_eq!(painted, [vec![2.0, 3.0], vec![4.0], vec![5.0, 6.0]]);
        assert_eq!(
            runs.try_iter().collect::<Vec<_>>(),
            [4, 1],
            "a caller's images may be split"
        );
    }

    #[tokio::test]
    async fn a_callers_images_are_dropped_with_it_before_they_are_drawn() {
        let (engine, runs, go_on) = gate(4, 64);
        let first = spawn(&engine, &[1.0]);
        tokio::task::yield_now().await;
        assert_eq!(runs.recv().unwrap(), 1);
        let (gone, stays) = (spawn(&engine, &[2.0, 3.0]), spawn(&engine, &[4.0]));
        tokio::task::yield_now().await;
        gone.abort();
        assert!(gone.await.is_err());
        go_on.send(()).unwrap();
        go_on.send(()).unwrap();
        assert_eq!(first.await.unwrap().unwrap(), [1.0]);
        assert_eq!(stays.await.unwrap().unwrap(), [4.0]);
        assert_eq!(runs.try_iter().collect::<Vec<_>>(), [1]);
    }

    #[tokio::test]
    async fn room_is_counted_in_images_and_given_back() {
        let (engine, _runs, _go_on) = gate(4, 3);
        let two = engine.admit(2).unwrap();
        let refused = engine.admit(2).map(drop).unwrap_err();
        assert!(
            matches!(
                refused,
                EngineError::Overloaded {
                    images: 2,
                    free: 1,
                    capacity: 3,
                    ..
                }
            ),
            "{refused}"
        );
        let one = engine.admit(1).unwrap();
        drop((one, two));
        assert!(engine.admit(3).is_ok());
    }
}
