//! Leave to have so many images drawn: what a request does with a model's networks.

use std::time::Instant;

use ndarray::{Array2, Array3, Axis};

use crate::engine::admission::limiter::Permit;
use crate::engine::batching::batcher::Ordered;
use crate::engine::batching::queue::Lane;
use crate::engine::{
    ActiveOptimization, ChunkedSynthesis, Engine, EngineError, Images, LossGradient, Timings,
};

/// Leave to have so many images drawn.
pub struct Admission {
    engine: Engine,
    lane: Lane,
    images: Option<Permit>,
    _descents: Option<Permit>,
    timings: Timings,
}

impl Admission {
    pub(crate) fn new(engine: &Engine, lane: Lane, room: Option<Permit>) -> Self {
        Self {
            engine: engine.clone(),
            lane,
            images: room,
            _descents: None,
            timings: Timings::default(),
        }
    }

    /// The same with room for a descent.
    pub(crate) fn with_descents(self, room: Permit) -> Self {
        Self {
            _descents: Some(room),
            ..self
        }
    }

    /// Most images that may be in progress or wait at the same time. A request that synthesizes more does it in rounds,
    /// one after another. Background work has no limit.
    #[must_use]
    pub fn images_at_once(&self) -> usize {
        self.images.as_ref().map_or(usize::MAX, Permit::images)
    }

    /// Mapping: z `[batch, z_dim]` → w `[batch, w_dim]`.
    ///
    /// # Errors
    /// [`EngineError`] where the run fails.
    ///
    /// # Panics
    /// Where the generator has no mapping, as its [`GeneratorShape`](crate::engine::GeneratorShape) says.
    pub async fn map(&mut self, z: Array2<f32>) -> Result<Array2<f32>, EngineError> {
        let started = Instant::now();
        let mapping = self.engine.mapping.as_ref();
        let mapping = mapping.expect("only asked where the shape has a mapping");
        let mapped = mapping.run(move |mapping| mapping.map(z.view())).await;
        self.timings.mapping += started.elapsed();
        self.engine
            .metrics
            .mapping
            .observe(started.elapsed().as_secs_f64());
        mapped
    }

    /// Synthesis in one run: codes `[images, rows, dim]`, at most [`Engine::largest_batch`] of them, → `[images, 3, height, width]`.
    ///
    /// # Errors
    /// [`EngineError`] where the run fails.
    pub async fn synthesize(&mut self, codes: Array3<f32>) -> Result<Images, EngineError> {
        self.check_permits(&codes);
        let ordered = self.order(codes, |images| images);
        self.drawn(ordered).await
    }

    /// Synthesis of any number of codes `[images, rows, dim]`, in parts; `make` is called with each part's images on the
    /// generator's thread, which draws nothing meanwhile.
    #[must_use]
    pub fn draw<T: Send + 'static>(
        &self,
        codes: Array3<f32>,
        make: impl Fn(Images) -> T + Send + Sync + 'static,
    ) -> ChunkedSynthesis<T> {
        self.check_permits(&codes);
        ChunkedSynthesis::new(codes, make)
    }

    /// Every image in progress or waiting has a permit. A violation is a mistake of the caller.
    fn check_permits(&self, codes: &Array3<f32>) {
        let images = codes.len_of(Axis(0));
        debug_assert!(
            images <= self.images_at_once(),
            "{images} images without as many permits"
        );
    }

    /// Most parts of a drawing to order at a time, and most images in each.
    pub(crate) fn portions(&self) -> (usize, usize) {
        (self.engine.generators(), self.engine.largest_batch())
    }

    pub(crate) fn order<T: Send + 'static>(
        &self,
        codes: Array3<f32>,
        make: impl FnOnce(Images) -> T + Send + 'static,
    ) -> Ordered<T> {
        self.engine.generators.order(self.lane, codes, make)
    }

    pub(crate) async fn drawn<T>(&mut self, ordered: Ordered<T>) -> Result<T, EngineError> {
        let drawn = ordered.drawn().await?;
        self.timings.queue += drawn.waited;
        self.timings.synthesis += drawn.ran;
        Ok(drawn.made)
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

    /// Codes `[batch, rows, dim]` of images `[batch, 3, height, width]`.
    ///
    /// # Errors
    /// [`EngineError`] where the run fails.
    ///
    /// # Panics
    /// Where there is no encoder, as [`Engine::has_encoder`] says.
    pub async fn encode(&mut self, images: Images) -> Result<Array3<f32>, EngineError> {
        let started = Instant::now();
        let encoder = self
            .engine
            .encoder
            .as_ref()
            .expect("only asked where there is one");
        let codes = encoder.run(move |encoder| encoder.encode(images.view())).await;
        self.timings.encoder += started.elapsed();
        codes
    }

    /// Embeddings `[batch, values]` of images `[batch, 3, height, width]`, which tell persons apart.
    ///
    /// # Errors
    /// [`EngineError`] where the run fails.
    ///
    /// # Panics
    /// Where there is no identity graph, as [`Engine::has_recognizer`] says.
    pub async fn embed(&mut self, images: &Images) -> Result<Array2<f32>, EngineError> {
        let started = Instant::now();
        let recognizer = self.engine.recognizer.as_ref();
        let recognizer = recognizer.expect("only asked where there is one");
        let images = images.clone();
        let embeddings = recognizer
            .run(move |recognizer| recognizer.embed(images.view()))
            .await;
        self.timings.identity += started.elapsed();
        embeddings
    }

    /// Landmarks `[points, 2]` of the face in an image `[1, 3, height, width]` of [`Engine::landmarker_size`], black at
    /// −1 and white at 1, as fractions of its width and height.
    ///
    /// # Errors
    /// [`EngineError`] where the run fails.
    ///
    /// # Panics
    /// Where there is no landmark graph.
    pub async fn landmarks(&mut self, image: Images) -> Result<Array2<f32>, EngineError> {
        let started = Instant::now();
        let landmarker = self.engine.landmarker.as_ref();
        let (landmarker, _) = landmarker.expect("only asked where there is one");
        let points = landmarker
            .run(move |landmarker| landmarker.find(image.view()))
            .await;
        self.timings.landmarks += started.elapsed();
        points
    }

    /// Says that `codes` begin to go down.
    ///
    /// # Panics
    /// Where there is no gradient graph, as [`Engine::has_gradient`] says.
    #[must_use]
    pub fn descend(&self, codes: usize) -> ActiveOptimization {
        ActiveOptimization::begin(&self.engine, codes)
    }

    /// The loss of codes `[batch, rows, dim]` against images `[batch, 3, height, width]`, and its slope: in one run with
    /// those of other descents, and no more than [`codes_at_once`](Engine::codes_at_once).
    ///
    /// # Errors
    /// [`EngineError`] where the run fails.
    ///
    /// # Panics
    /// Where there is no gradient graph, as [`Engine::has_gradient`] says.
    pub async fn slope(&mut self, codes: Array3<f32>, targets: Images) -> Result<LossGradient, EngineError> {
        let started = Instant::now();
        let slopes = self
            .engine
            .slopes
            .as_ref()
            .expect("only asked where there is one");
        let slope = slopes.of(codes, targets).await;
        self.timings.descent += started.elapsed();
        slope
    }

    /// Where the time went so far.
    #[must_use]
    pub fn timings(&self) -> Timings {
        self.timings
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use crate::engine::admission::deadline;
    use crate::engine::test_support::{codes, gate, spawn};

    #[tokio::test]
    async fn background_images_wait_for_every_request() {
        let (engine, runs, go_on) = gate(1, 64);
        let first = spawn(&engine, &[1.0]);
        tokio::task::yield_now().await;
        runs.recv().unwrap();
        let (done, order) = channel();
        let mut tasks = Vec::new();
        for (value, mut admission) in [
            (2.0, engine.background()),
            (3.0, engine.admit(1).unwrap()),
            (4.0, engine.admit(1).unwrap()),
        ] {
            let done = done.clone();
            tasks.push(tokio::spawn(async move {
                admission.synthesize(codes(&[value])).await.unwrap();
                done.send(value).unwrap();
            }));
            tokio::task::yield_now().await;
        }
        for _ in 0..4 {
            go_on.send(()).unwrap();
            // Each is told before the next run begins.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        first.await.unwrap().unwrap();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(order.try_iter().collect::<Vec<_>>(), [3.0, 4.0, 2.0]);
    }

    #[tokio::test]
    async fn images_past_their_deadline_are_not_drawn() {
        let (engine, runs, go_on) = gate(4, 64);
        let first = spawn(&engine, &[1.0]);
        tokio::task::yield_now().await;
        runs.recv().unwrap();
        let mut late = engine.admit(2).unwrap();
        let late = deadline::within(Duration::from_millis(1), late.synthesize(codes(&[2.0, 3.0])));
        assert!(late.await.is_none());
        let next = spawn(&engine, &[4.0]);
        tokio::task::yield_now().await;
        go_on.send(()).unwrap();
        go_on.send(()).unwrap();
        first.await.unwrap().unwrap();
        assert_eq!(next.await.unwrap().unwrap(), [4.0]);
        assert_eq!(runs.try_iter().collect::<Vec<_>>(), [1]);
        assert_eq!(engine.metrics.late.get(), 2);
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
}
