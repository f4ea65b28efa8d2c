//! What an admitted request does with a model's networks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ndarray::{Array2, Array3, ArrayView2, ArrayView3, Axis};

use crate::engine::admission::limiter::Permit;
use crate::engine::batching::active_optimization::ActiveOptimization;
use crate::engine::batching::batch_queue::Lane;
use crate::engine::batching::chunked_synthesis::ChunkedSynthesis;
use crate::engine::running_networks::RunningNetworks;
use crate::engine::score_gradients::RunningScoreGradients;
use crate::engine::{
    EngineError, Images, LossGradient, Mapping, StyleMapping, SynthesisCodes, Timings, WeightedGradients,
};

/// An admitted request, or background work. It calls the networks and adds up where the time goes.
pub struct Admission {
    networks: Arc<RunningNetworks>,
    lane: Lane,
    /// Permits for images. Background work needs none.
    images: Option<Permit>,
    _optimization: Option<Permit>,
    timings: Timings,
}

impl Admission {
    /// An admission without permits.
    pub(crate) fn new(networks: Arc<RunningNetworks>, lane: Lane) -> Self {
        Self {
            networks,
            lane,
            images: None,
            _optimization: None,
            timings: Timings::default(),
        }
    }

    /// Adds a permit for images.
    pub(crate) fn with_images(self, permit: Permit) -> Self {
        Self {
            images: Some(permit),
            ..self
        }
    }

    /// Adds a permit for an optimization.
    pub(crate) fn with_optimization(self, permit: Permit) -> Self {
        Self {
            _optimization: Some(permit),
            ..self
        }
    }

    /// Most images that may run or wait at the same time. A request that synthesizes more does it in rounds, one after
    /// another. Background work has no limit.
    #[must_use]
    pub fn images_at_once(&self) -> usize {
        self.images.as_ref().map_or(usize::MAX, Permit::images)
    }

    /// Mapping: z `[batch, z_dim]` → w `[batch, w_dim]`.
    ///
    /// # Errors
    /// [`EngineError`] if the run fails.
    ///
    /// # Panics
    /// If the generator has no mapping ([`GeneratorShape::has_mapping`](crate::engine::GeneratorShape::has_mapping)).
    pub async fn map(
        &mut self,
        z: Array2<f32>,
        labels: Option<Array2<f32>>,
    ) -> Result<Array2<f32>, EngineError> {
        let mapping = self.networks.mapping.as_ref();
        let mapping = mapping.expect("the caller checks that there is a mapping");
        let map = move |mapping: &mut Box<dyn Mapping>| {
            let labels = labels.as_ref().map(|labels| labels.view());
            mapping.map(z.view(), labels)
        };
        let run = mapping.run(map);
        let (w, time) = timed(run).await;
        self.timings.mapping += time;
        self.networks.metrics.mapping_seconds.observe(time.as_secs_f64());
        w
    }

    /// Styles of all layers side by side, `[batch, channels]`, of codes `[batch, rows, dim]`.
    ///
    /// # Errors
    /// [`EngineError`] if the run fails.
    ///
    /// # Panics
    /// If the generator's styles are not known ([`GeneratorShape::styles`](crate::engine::GeneratorShape::styles)).
    pub async fn styles(&mut self, codes: Array3<f32>) -> Result<Array2<f32>, EngineError> {
        let mapping = self.networks.styles.as_ref();
        let mapping = mapping.expect("the caller checks that there are styles");
        let run = mapping.run(move |mapping: &mut Box<dyn StyleMapping>| mapping.styles(codes.view()));
        let (styles, time) = timed(run).await;
        self.timings.mapping += time;
        styles
    }

    /// Synthesis in one batch: codes → `[images, 3, height, width]`.
    /// [`Engine::largest_batch`](crate::engine::Engine::largest_batch) is the most that should be in it.
    ///
    /// # Errors
    /// [`EngineError`] if the run fails.
    pub async fn synthesize(&mut self, codes: impl Into<SynthesisCodes>) -> Result<Images, EngineError> {
        let codes = codes.into();
        self.check_permits(&codes);
        let submitted = self.networks.generators.submit(self.lane, codes, |images| images);
        let completed = submitted.completed().await?;
        self.timings.queue += completed.queued;
        self.timings.synthesis += completed.ran;
        Ok(completed.output)
    }

    /// Synthesis of any number of codes, in chunks. `convert` is called with each chunk's images on
    /// the thread that synthesized them, which synthesizes nothing in the meantime. [`next_chunk`](Self::next_chunk) gives
    /// the results.
    #[must_use]
    pub fn synthesize_in_chunks<T: Send + 'static>(
        &self,
        codes: impl Into<SynthesisCodes>,
        convert: impl Fn(Images) -> T + Send + Sync + 'static,
    ) -> ChunkedSynthesis<T> {
        let codes = codes.into();
        self.check_permits(&codes);
        let (generators, batch_size) = (self.networks.generators.clone(), self.networks.batch_size.clone());
        ChunkedSynthesis::new(generators, batch_size, self.lane, codes, convert)
    }

    /// The next chunk's result, in the order of the codes. `None` after the last.
    ///
    /// # Errors
    /// [`EngineError`] if the chunk's run fails.
    pub async fn next_chunk<T: Send + 'static>(
        &mut self,
        chunks: &mut ChunkedSynthesis<T>,
    ) -> Option<Result<T, EngineError>> {
        chunks.next(&mut self.timings).await
    }

    /// Every image that runs or waits has a permit. A violation is a mistake of the caller.
    fn check_permits(&self, codes: &SynthesisCodes) {
        let images = codes.images();
        debug_assert!(
            images <= self.images_at_once(),
            "{images} images without as many permits"
        );
    }

    /// Scores of images `[batch, 3, height, width]`: a row for each image, the outputs of all classifiers side by side.
    ///
    /// # Errors
    /// [`EngineError`] if a run fails.
    pub async fn score(&mut self, images: &Images) -> Result<Array2<f32>, EngineError> {
        let classifiers = &self.networks.classifiers;
        let run = async {
            let mut scores = Array2::zeros((images.len_of(Axis(0)), 0));
            for classifier in classifiers {
                let images = images.clone();
                let columns = classifier.run(move |classifier| classifier.score(images.view()));
                scores
                    .append(Axis(1), columns.await?.view())
                    .expect("every classifier returns a row for each image");
            }
            Ok(scores)
        };
        let (scores, time) = timed(run).await;
        self.timings.scoring += time;
        self.networks.metrics.scoring_seconds.observe(time.as_secs_f64());
        scores
    }

    /// Codes `[batch, rows, dim]` of images `[batch, 3, height, width]`.
    ///
    /// # Errors
    /// [`EngineError`] if the run fails.
    ///
    /// # Panics
    /// If there is no encoder ([`Engine::has_encoder`](crate::engine::Engine::has_encoder)).
    pub async fn encode(&mut self, images: Images) -> Result<Array3<f32>, EngineError> {
        let encoder = self.networks.encoder.as_ref();
        let encoder = encoder.expect("the caller checks that there is an encoder");
        let (codes, time) = timed(encoder.run(move |encoder| encoder.encode(images.view()))).await;
        self.timings.encoder += time;
        codes
    }

    /// Embeddings `[batch, values]` of images `[batch, 3, height, width]`. Embeddings of one person are similar.
    ///
    /// # Errors
    /// [`EngineError`] if the run fails.
    ///
    /// # Panics
    /// If there is no identity network ([`Engine::has_recognizer`](crate::engine::Engine::has_recognizer)).
    pub async fn embed(&mut self, images: &Images) -> Result<Array2<f32>, EngineError> {
        let recognizer = self.networks.recognizer.as_ref();
        let recognizer = recognizer.expect("the caller checks that there is an identity network");
        let images = images.clone();
        let run = recognizer.run(move |recognizer| recognizer.embed(images.view()));
        let (embeddings, time) = timed(run).await;
        self.timings.identity += time;
        embeddings
    }

    /// Landmarks `[points, 2]` of the face in an image `[1, 3, height, width]` of
    /// [`Engine::landmarker_size`](crate::engine::Engine::landmarker_size), −1 black and 1 white. They are fractions of its
    /// width and height.
    ///
    /// # Errors
    /// [`EngineError`] if the run fails.
    ///
    /// # Panics
    /// If there is no landmark network.
    pub async fn landmarks(&mut self, image: Images) -> Result<Array2<f32>, EngineError> {
        let landmarker = self.networks.landmarker.as_ref();
        let (landmarker, _) = landmarker.expect("the caller checks that there is a landmark network");
        let run = landmarker.run(move |landmarker| landmarker.landmarks(image.view()));
        let (points, time) = timed(run).await;
        self.timings.landmarks += time;
        points
    }

    /// Registers an optimization of `codes`, until the returned value is dropped.
    ///
    /// # Panics
    /// If there is no gradient network ([`Engine::has_gradient`](crate::engine::Engine::has_gradient)).
    #[must_use]
    pub fn start_optimization(&self, codes: usize) -> ActiveOptimization {
        let networks = &self.networks;
        let gradients = networks.gradients.as_ref();
        let gradients = gradients.expect("the caller checks that there is a gradient network");
        ActiveOptimization::start(
            gradients,
            codes,
            networks.optimization_time.clone(),
            networks.metrics.clone(),
        )
    }

    /// The loss of codes `[batch, rows, dim]` against target images `[batch, 3, height, width]`, and its gradient. Steps of
    /// several optimizations share a run.
    ///
    /// # Errors
    /// [`EngineError`] if the run fails.
    ///
    /// # Panics
    /// If there is no gradient network.
    pub async fn loss_gradient(
        &mut self,
        codes: Array3<f32>,
        targets: Images,
    ) -> Result<LossGradient, EngineError> {
        let gradients = self.networks.gradients.as_ref();
        let gradients = gradients.expect("the caller checks that there is a gradient network");
        let submitted = gradients.submit(Lane::Request, (codes, targets), |output| output);
        let (completed, time) = timed(submitted.completed()).await;
        self.timings.optimization += time;
        Ok(completed?.output)
    }

    /// The scores of codes `[batch, rows, dim]`, and for each code the gradient of the sum of its weights `[batch, scores]` times
    /// the scores. Codes of several walks share a run.
    ///
    /// # Errors
    /// [`EngineError`] if the networks cannot be opened, or a run fails.
    ///
    /// # Panics
    /// If the model has no classifier.
    pub async fn score_gradients(
        &mut self,
        codes: &Array3<f32>,
        weights: &Array2<f32>,
    ) -> Result<WeightedGradients, EngineError> {
        let networks = self.score_gradient_networks().await?;
        let run = async {
            // One by one, so that the queue decides which of them share a run.
            let rows = codes
                .axis_chunks_iter(Axis(0), 1)
                .zip(weights.axis_chunks_iter(Axis(0), 1));
            let submit = |(code, weights): (ArrayView3<'_, f32>, ArrayView2<'_, f32>)| {
                let input = (code.to_owned(), weights.to_owned());
                networks.scores.submit(self.lane, input, |output| output)
            };
            let submitted: Vec<_> = rows.map(submit).collect();
            let mut all = WeightedGradients {
                scores: Array2::zeros((0, weights.ncols())),
                gradient: Array3::zeros((0, codes.len_of(Axis(1)), codes.len_of(Axis(2)))),
            };
            for one in submitted {
                let found = one.completed().await?.output;
                let fits = "each code has one row of scores and a gradient of its own shape";
                all.scores.append(Axis(0), found.scores.view()).expect(fits);
                all.gradient.append(Axis(0), found.gradient.view()).expect(fits);
            }
            Ok(all)
        };
        let (gradients, time) = timed(run).await;
        self.timings.optimization += time;
        gradients
    }

    /// The gradients `[batch, z_dim]` of the sum of weights · w by z, for `weights` `[batch, w_dim]`.
    ///
    /// # Errors
    /// [`EngineError`] if the networks cannot be opened, or the run fails.
    ///
    /// # Panics
    /// If the model has no classifier or no mapping.
    pub async fn mapping_gradients(
        &mut self,
        z: Array2<f32>,
        labels: Option<Array2<f32>>,
        weights: Array2<f32>,
    ) -> Result<Array2<f32>, EngineError> {
        let mapping = self.score_gradient_networks().await?.mapping;
        let mapping = mapping.expect("the caller checks that there is a mapping");
        let run = mapping.run(move |mapping| {
            let labels = labels.as_ref().map(|labels| labels.view());
            mapping.mapping_gradient(z.view(), labels, weights.view())
        });
        let (gradients, time) = timed(run).await;
        self.timings.optimization += time;
        gradients
    }

    async fn score_gradient_networks(&self) -> Result<RunningScoreGradients, EngineError> {
        let gradients = self.networks.score_gradients.as_ref();
        gradients
            .expect("the caller checks that there is a classifier")
            .running()
            .await
    }

    /// Where the time has gone so far.
    #[must_use]
    pub fn timings(&self) -> Timings {
        self.timings
    }
}

/// The output of `work`, and the time that it took.
async fn timed<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let started = Instant::now();
    let output = work.await;
    (output, started.elapsed())
}
