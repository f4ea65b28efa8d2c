//! The job that ranks the style channels, and makes a boundary in s of the best ones for each attribute.

use std::sync::Arc;
use std::time::SystemTime;

use crate::editor::style_channels::effects::{SAMPLES, measure};
use crate::editor::style_channels::ranking::ChannelEffects;
use crate::editor::timestamp::rfc3339;
use crate::editor::{EditorError, KeepRule, Model, SampleCount, StyleError, TrainRequest};
use crate::latent::{Boundary, LatentSpace, Provenance, check_attribute_name};

/// Faces in which each channel is moved, if the request leaves that to the job.
const FACES: usize = 16;

/// Ranks the channels for one request.
pub(crate) struct StyleRanker {
    model: Arc<Model>,
    request: TrainRequest,
    seed: u32,
    /// Faces in which each channel is moved.
    faces: usize,
}

impl StyleRanker {
    /// A ranker for a request that fits the model. `samples` is the number of images that it may make.
    ///
    /// # Errors
    /// [`EditorError`] if the model has no styles, a name is no attribute's, no classifier scores an attribute, or there are fewer
    /// samples than channels.
    pub(crate) fn new(
        model: Arc<Model>,
        request: TrainRequest,
        samples: SampleCount,
        seed: u32,
    ) -> Result<Self, EditorError> {
        let (_, channels) = model.code_shape(LatentSpace::S)?;
        model.classifiers().require_any()?;
        if request.keep == KeepRule::Better {
            return Err(StyleError::NotCompared.into());
        }
        for name in &request.names {
            check_attribute_name(name)?;
        }
        for attribute in &request.attributes {
            model.classifiers().column(attribute)?;
        }
        let faces = match samples {
            SampleCount::Auto { most } => FACES.min(most.saturating_sub(SAMPLES) / channels).max(1),
            SampleCount::Fixed(samples) => samples.saturating_sub(SAMPLES) / channels,
        };
        if let (0, SampleCount::Fixed(found)) = (faces, samples) {
            let least = SAMPLES + channels;
            return Err(StyleError::TooFewImages {
                found,
                least,
                channels,
            }
            .into());
        }
        Ok(Self {
            model,
            request,
            seed,
            faces,
        })
    }

    /// The model.
    pub(crate) fn model(&self) -> &Model {
        &self.model
    }

    /// The request.
    pub(crate) fn request(&self) -> &TrainRequest {
        &self.request
    }

    /// The images that it makes.
    pub(crate) fn images(&self) -> usize {
        SAMPLES.max(self.faces) + self.faces * self.channels()
    }

    /// The memory of its samples and their effects, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let sampled = SAMPLES.max(self.faces) * (2 * size_of::<f32>() + size_of::<f64>());
        self.channels() * (sampled + 2 * self.model.outputs().len() * size_of::<f64>())
    }

    /// Measures the effects of all channels in the background. `on_images` gets the number of images so far.
    ///
    /// # Errors
    /// [`EditorError`] if a network fails.
    pub(crate) async fn effects(&self, on_images: impl FnMut(usize)) -> Result<ChannelEffects, EditorError> {
        measure(&self.model, self.faces, self.seed, on_images).await
    }

    /// The boundary of the attribute with this index in the request.
    ///
    /// # Errors
    /// [`EditorError::Latent`] if no channel changes its score.
    pub(crate) fn boundary(&self, index: usize, effects: &ChannelEffects) -> Result<Boundary, EditorError> {
        let classifiers = self.model.classifiers();
        let column = classifiers.column(&self.request.attributes[index])?;
        let (classifier, classifier_digest) = classifiers.file(column).cloned().unzip();
        let provenance = Provenance {
            samples: Some(self.images() as u64),
            seed: Some(self.seed.into()),
            classifier,
            classifier_digest,
            model: Some(self.model.generator_digest().to_owned()),
            date: Some(rfc3339(SystemTime::now())),
            ..Provenance::default()
        };
        let outputs: Vec<&str> = classifiers.attributes().collect();
        let boundary = effects.boundary(
            &self.request.names[index],
            column,
            self.request.channels,
            self.layers(),
            &outputs,
            provenance,
        );
        Ok(boundary?)
    }

    fn channels(&self) -> usize {
        self.layers().iter().sum()
    }

    /// The channels of each layer.
    fn layers(&self) -> &[usize] {
        self.model.shape().styles.as_deref().unwrap_or_default()
    }
}
