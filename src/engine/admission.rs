//! Leave to have so many images drawn: what a request does with a model's networks.

use std::time::Instant;

use ndarray::{Array2, Array3, Axis};
use tokio::sync::OwnedSemaphorePermit;

use super::batcher::Ordered;
use super::queue::Lane;
use super::{Descending, Drawing, Engine, EngineError, Images, Slope, Timings};

/// Leave to have so many images drawn.
pub struct Admission {
    engine: Engine,
    lane: Lane,
    _room: Option<OwnedSemaphorePermit>,
    _descents: Option<OwnedSemaphorePermit>,
    timings: Timings,
}

impl Admission {
    pub(super) fn new(engine: &Engine, lane: Lane, room: Option<OwnedSemaphorePermit>) -> Self {
        Self {
            engine: engine.clone(),
            lane,
            _room: room,
            _descents: None,
            timings: Timings::default(),
        }
    }

    /// The same with room for a descent.
    pub(super) fn with_descents(self, room: OwnedSemaphorePermit) -> Self {
        Self {
            _descents: Some(room),
            ..self
        }
    }

    /// Mapping: z `[batch, z_dim]` → w `[batch, w_dim]`.
    ///
    /// # Errors
    /// [`EngineError`] where the run fails.
    ///
    /// # Panics
    /// Where the generator has no mapping, as its [`GeneratorShape`](super::GeneratorShape) says.
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
    ) -> Drawing<T> {
        Drawing::new(codes, make)
    }

    /// Most parts of a drawing to order at a time, and most images in each.
    pub(super) fn portions(&self) -> (usize, usize) {
        (self.engine.generators(), self.engine.largest_batch())
    }

    pub(super) fn order<T: Send + 'static>(
        &self,
        codes: Array3<f32>,
        make: impl FnOnce(Images) -> T + Send + 'static,
    ) -> Ordered<T> {
        self.engine.generators.order(self.lane, codes, make)
    }

    pub(super) async fn drawn<T>(&mut self, ordered: Ordered<T>) -> Result<T, EngineError> {
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
    pub fn descend(&self, codes: usize) -> Descending {
        Descending::begin(&self.engine, codes)
    }

    /// The loss of codes `[batch, rows, dim]` against images `[batch, 3, height, width]`, and its slope: in one run with
    /// those of other descents, and no more than [`codes_at_once`](Engine::codes_at_once).
    ///
    /// # Errors
    /// [`EngineError`] where the run fails.
    ///
    /// # Panics
    /// Where there is no gradient graph, as [`Engine::has_gradient`] says.
    pub async fn slope(&mut self, codes: Array3<f32>, targets: Images) -> Result<Slope, EngineError> {
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
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::time::Duration;

    use ndarray::{Array4, ArrayView3};

    use super::*;
    use crate::engine::{
        BatchSize, Generator, GeneratorShape, Networks, Reserve, SynthesisInput, Waiting, deadline,
    };
    use crate::metrics::Metrics;

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

        fn synthesize(&mut self, codes: ArrayView3<'_, f32>) -> Result<Array4<f32>, EngineError> {
            let images = codes.len_of(Axis(0));
            self.began.send(images).unwrap();
            self.go.recv().unwrap();
            Ok(Array4::from_shape_fn((images, 3, 1, 1), |(image, ..)| {
                codes[[image, 0, 0]]
            }))
        }
    }

    /// Draws one image in a run, and no more.
    struct Frozen {
        shape: GeneratorShape,
    }

    impl Generator for Frozen {
        fn shape(&self) -> &GeneratorShape {
            &self.shape
        }

        fn batch_size(&self) -> BatchSize {
            BatchSize::up_to(8)
        }

        fn synthesize(&mut self, codes: ArrayView3<'_, f32>) -> Result<Array4<f32>, EngineError> {
            assert_eq!(codes.len_of(Axis(0)), 1, "the graph was traced with one image");
            Ok(Array4::from_elem((1, 3, 1, 1), codes[[0, 0, 0]]))
        }
    }

    fn shape(largest_batch: usize) -> GeneratorShape {
        GeneratorShape {
            z_dim: 1,
            w_dim: 1,
            synthesis: SynthesisInput::Z,
            height: 1,
            width: 1,
            largest_batch,
        }
    }

    fn gate(largest_batch: usize, capacity: usize) -> (Engine, Receiver<usize>, Sender<()>) {
        let (began, runs) = channel();
        let (go_on, go) = channel();
        let shape = shape(largest_batch);
        let engine = engine(vec![Box::new(Gate { shape, began, go })], capacity);
        (engine, runs, go_on)
    }

    /// What says how many images a gate's runs have, and what lets them go on.
    type Ends = (Receiver<usize>, Sender<()>);

    /// An engine of one generator and one in reserve: what says that it is being opened, what lets that go on, and what each draws.
    fn with_reserve(opens: bool) -> (Engine, Sender<()>, [Ends; 2]) {
        let gate = || {
            let ((began, runs), (go_on, go)) = (channel(), channel());
            let shape = shape(1);
            (Gate { shape, began, go }, (runs, go_on))
        };
        let ((first, first_ends), (second, second_ends)) = (gate(), gate());
        let (open, opened) = channel();
        let reserve: Reserve = Box::new(move || {
            opened.recv().unwrap();
            if opens {
                return Ok(Box::new(second));
            }
            Err(EngineError::Graph {
                file: "synthesis.onnx".to_owned(),
                reason: "no memory is left".to_owned(),
            })
        });
        let engine = engine_with(vec![Box::new(first)], vec![reserve], 64);
        (engine, open, [first_ends, second_ends])
    }

    #[tokio::test]
    async fn a_generator_in_reserve_is_opened_when_images_wait_and_not_before() {
        let (engine, open, [(first, first_go_on), (second, second_go_on)]) = with_reserve(true);
        for value in [1.0, 2.0] {
            let alone = spawn(&engine, &[value]);
            tokio::task::yield_now().await;
            assert_eq!(first.recv().unwrap(), 1);
            first_go_on.send(()).unwrap();
            assert_eq!(alone.await.unwrap().unwrap(), [value]);
        }
        let one = spawn(&engine, &[3.0]);
        tokio::task::yield_now().await;
        assert_eq!(first.recv().unwrap(), 1);
        let other = spawn(&engine, &[4.0]);
        tokio::task::yield_now().await;
        open.send(()).unwrap();
        assert_eq!(second.recv().unwrap(), 1, "the first is busy still");
        second_go_on.send(()).unwrap();
        assert_eq!(other.await.unwrap().unwrap(), [4.0]);
        first_go_on.send(()).unwrap();
        assert_eq!(one.await.unwrap().unwrap(), [3.0]);
    }

    #[tokio::test]
    async fn a_generator_that_cannot_be_opened_is_done_without() {
        let (engine, open, [(first, go_on), (second, _)]) = with_reserve(false);
        open.send(()).unwrap();
        for _ in 0..2 {
            let both = [spawn(&engine, &[1.0]), spawn(&engine, &[2.0])];
            tokio::task::yield_now().await;
            for (request, value) in both.into_iter().zip([1.0, 2.0]) {
                assert_eq!(first.recv().unwrap(), 1);
                go_on.send(()).unwrap();
                assert_eq!(request.await.unwrap().unwrap(), [value]);
            }
        }
        assert_eq!(second.try_iter().count(), 0);
    }

    fn engine(generators: Vec<Box<dyn Generator>>, capacity: usize) -> Engine {
        engine_with(generators, Vec::new(), capacity)
    }

    fn engine_with(generators: Vec<Box<dyn Generator>>, reserves: Vec<Reserve>, capacity: usize) -> Engine {
        let networks = Networks {
            mapping: None,
            generators,
            reserves,
            classifiers: Vec::new(),
            encoder: None,
            landmarker: None,
            recognizer: None,
            gradient: None,
        };
        let waiting = Waiting {
            capacity,
            longest: Duration::MAX,
            patience: Duration::ZERO,
        };
        Engine::start("gate", networks, waiting, &Metrics::new())
    }

    fn codes(values: &[f32]) -> Array3<f32> {
        Array3::from_shape_vec((values.len(), 1, 1), values.to_vec()).unwrap()
    }

    /// The first channel of each image.
    fn painted(images: &Images) -> Vec<f32> {
        images.outer_iter().map(|image| image[[0, 0, 0]]).collect()
    }

    fn spawn(engine: &Engine, values: &[f32]) -> tokio::task::JoinHandle<Result<Vec<f32>, EngineError>> {
        let (mut admission, codes) = (engine.admit(values.len()).unwrap(), codes(values));
        tokio::spawn(async move { Ok(painted(&admission.synthesize(codes).await?)) })
    }

    #[tokio::test]
    async fn many_images_are_drawn_by_all_generators_and_come_in_order() {
        let (mut gates, mut runs, mut go_on) = (Vec::<Box<dyn Generator>>::new(), Vec::new(), Vec::new());
        for _ in 0..2 {
            let ((began, run), (go, gone)) = (channel(), channel());
            gates.push(Box::new(Gate {
                shape: shape(2),
                began,
                go: gone,
            }));
            runs.push(run);
            go_on.push(go);
        }
        let engine = engine(gates, 64);
        let values = [1.0, 2.0, 3.0, 4.0, 5.0];
        let mut admission = engine.admit(values.len()).unwrap();
        let drawn = tokio::spawn(async move {
            let (mut drawing, mut all) = (admission.draw(codes(&values), |images| images), Vec::new());
            while let Some(images) = drawing.next(&mut admission).await {
                all.extend(painted(&images.unwrap()));
            }
            all
        });
        tokio::task::yield_now().await;
        for run in &runs {
            assert_eq!(run.recv().unwrap(), 2, "neither generator waits for the other");
        }
        for go in &go_on {
            // More than there are runs: whichever generator takes the last part may draw it.
            for _ in 0..2 {
                go.send(()).unwrap();
            }
        }
        assert_eq!(drawn.await.unwrap(), values);
    }

    #[tokio::test]
    async fn a_graph_that_takes_one_image_only_is_found_out_and_nobody_sees_it() {
        let engine = engine(vec![Box::new(Frozen { shape: shape(8) })], 64);
        for _ in 0..3 {
            let mut admission = engine.admit(4).unwrap();
            let mut drawing = admission.draw(codes(&[1.0, 2.0, 3.0, 4.0]), |images| painted(&images));
            let mut all = Vec::new();
            while let Some(part) = drawing.next(&mut admission).await {
                all.extend(part.unwrap());
            }
            assert_eq!(all, [1.0, 2.0, 3.0, 4.0]);
        }
        assert_eq!(engine.largest_batch(), 1);
    }

    #[tokio::test]
    async fn a_panic_over_images_is_an_error_of_their_caller_alone() {
        let engine = engine(vec![Box::new(Frozen { shape: shape(1) })], 64);
        let mut admission = engine.admit(1).unwrap();
        let mut drawing = admission.draw(codes(&[1.0]), |images| {
            assert!(images.is_empty(), "nothing is made of this");
        });
        let error = drawing.next(&mut admission).await.unwrap().unwrap_err();
        assert!(
            matches!(&error, EngineError::Panicked { reason, .. } if reason == "nothing is made of this"),
            "{error}"
        );
        assert_eq!(
            painted(&admission.synthesize(codes(&[2.0])).await.unwrap()),
            [2.0]
        );
    }

    #[tokio::test]
    async fn images_that_wait_share_a_run_and_each_caller_gets_its_own() {
        let (engine, runs, go_on) = gate(4, 64);
        let first = spawn(&engine, &[1.0]);
        tokio::task::yield_now().await;
        assert_eq!(runs.recv().unwrap(), 1, "nobody is waited for");
        let others = [
            spawn(&engine, &[2.0, 3.0]),
            spawn(&engine, &[4.0, 5.0, 6.0]),
            spawn(&engine, &[7.0]),
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
        assert_eq!(painted, [vec![2.0, 3.0], vec![4.0, 5.0, 6.0], vec![7.0]]);
        assert_eq!(
            runs.try_iter().collect::<Vec<_>>(),
            [3, 3],
            "what fits beside the first goes with it"
        );
    }

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
