//! Style channels as a method: for each attribute, the boundary in s that the model has, or one of channels that are ranked here.

use std::sync::Arc;

use crate::editor::judging::methods::faces::deviation_along;
use crate::editor::judging::methods::method::{Method, PlaneSet};
use crate::editor::rendering::style_samples::kept_styles;
use crate::editor::style_channels::ranker::StyleRanker;
use crate::editor::{EditorError, KeepRule, Model, SampleCount, TrainRequest, TrainSource};
use crate::latent::{BoundaryFit, LatentSpace};

/// Most channels that are ranked here, which takes 20,000 images. A generator with more has the boundaries in s that a job trained.
const MOST_CHANNELS: usize = 1200;

/// Style channels as methods: plain, and with all other attributes held.
pub(crate) struct StyleChannels {
    model: Arc<Model>,
    /// Ranks the channels for the attributes that have no boundary in s, if there are any, and if the channels are few.
    ranker: Option<StyleRanker>,
}

impl StyleChannels {
    /// What there is to rank.
    pub(crate) fn new(model: &Arc<Model>, seed: u32) -> Self {
        Self {
            model: Arc::clone(model),
            ranker: ranker(model, seed),
        }
    }

    /// The images of the ranking.
    pub(crate) fn images(&self) -> usize {
        self.ranker.as_ref().map_or(0, StyleRanker::images)
    }

    /// The most memory that the ranking takes, in bytes.
    pub(crate) fn memory(&self) -> usize {
        self.ranker.as_ref().map_or(0, StyleRanker::bytes)
    }

    /// The methods, if the generator has styles. `on_images` gets the number of images so far.
    ///
    /// # Errors
    /// [`EditorError`] if a network fails.
    pub(crate) async fn methods(&self, on_images: impl FnMut(usize)) -> Result<Vec<Method>, EditorError> {
        let model = &self.model;
        let mut set = PlaneSet::of_model(model);
        if let Some(ranker) = &self.ranker {
            let effects = ranker.effects(on_images).await?;
            let attributes = 0..ranker.request().attributes.len();
            // There may be an attribute that no channel changes.
            let ranked = attributes.filter_map(|index| ranker.boundary(index, &effects).ok());
            set.boundaries.extend(ranked.map(Arc::new));
        }
        if !set.boundaries.iter().any(|one| one.space() == LatentSpace::S) {
            return Ok(Vec::new());
        }
        let styles = kept_styles(model).await?;
        let methods = set.in_space(model, LatentSpace::S, "style channels", |step| {
            deviation_along(styles.iter().map(|code| code.values().row(0)), step)
        })?;
        Ok(methods.into())
    }
}

fn ranker(model: &Arc<Model>, seed: u32) -> Option<StyleRanker> {
    let channels: usize = model.shape().styles.as_ref().ok()?.iter().sum();
    let has_none = |attribute: &&str| model.boundaries().find(attribute, LatentSpace::S).is_none();
    let attributes = model.classifiers().attributes().filter(has_none);
    let attributes: Vec<String> = attributes.map(str::to_owned).collect();
    if channels > MOST_CHANNELS || attributes.is_empty() {
        return None;
    }
    let samples = SampleCount::AUTO;
    let request = TrainRequest {
        names: attributes.clone(),
        attributes,
        space: LatentSpace::S,
        source: TrainSource::Sampled { samples, seed },
        fit: BoundaryFit::default(),
        channels: TrainRequest::CHANNELS,
        keep: KeepRule::New,
    };
    StyleRanker::new(Arc::clone(model), request, samples, seed).ok()
}
