//! Boundaries in JSON responses: their metadata, without their normals.

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use crate::api::types::boundary::{BoundaryAccuracy, RankedChannel, SampleDistances};
use crate::api::types::page::{BoundaryPage, BoundaryPosition};
use crate::api::types::space::Space;
use crate::editor::{self, BoundarySet, BoundaryVersion, Model, Models, spreads};
use crate::latent::{Boundary, Doubt, Spread};

/// A part of the boundaries of a model.
#[derive(Serialize, ToSchema)]
pub(crate) struct BoundaryList {
    /// The name of the model.
    model: String,
    /// SHA-256 of the model's files and boundaries. It changes with each boundary.
    digest: String,
    /// SHA-256 of the generator. Boundaries record it as `model`.
    generator: String,
    /// How many boundaries the model has of this version.
    #[schema(example = 10)]
    count: usize,
    /// The boundaries of this page, in the order of attributes and spaces.
    boundaries: Vec<BoundarySummary>,
    /// Send it as `after` to get the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

impl BoundaryList {
    /// The boundaries of `model` on a page.
    pub(crate) async fn new(model: &Model, page: BoundaryPage) -> Self {
        let boundaries = model.boundaries();
        let limit = page.limit();
        let version = page.version.map_or_else(BoundaryVersion::default, Into::into);
        let mut rest = boundaries.after(version, page.after.map(|BoundaryPosition(key)| key));
        let listed: Vec<Arc<Boundary>> = rest.by_ref().take(limit).cloned().collect();
        let last = listed.last().filter(|_| rest.next().is_some());
        let next = last.map(|last| BoundaryPosition::text(last.attribute(), last.space()));
        let spreads = spreads(model, listed.iter().cloned().map(|one| (one, None)).collect()).await;
        let summaries = listed.iter().zip(spreads);
        Self {
            model: model.name().to_owned(),
            digest: model.digest().to_owned(),
            generator: model.generator_digest().to_owned(),
            count: boundaries.count(version),
            next,
            boundaries: summaries
                .map(|(boundary, spread)| BoundarySummary::with_spread(boundary, boundaries, spread))
                .collect(),
        }
    }
}

/// A change of a model's boundaries.
#[derive(Serialize, ToSchema)]
pub(crate) struct BoundaryChange {
    /// The name of the model.
    pub(crate) model: String,
    /// SHA-256 of the model's files and boundaries after the change.
    pub(crate) digest: String,
    /// Where the change is stored.
    pub(crate) storage: Storage,
    /// The boundary after the change; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) boundary: Option<BoundarySummary>,
    /// Whether a boundary that came with the model is back, because the one that replaced it was deleted.
    pub(crate) restored: bool,
}

/// Where a boundary comes from.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum BoundaryOrigin {
    /// It came with the model.
    Model,
    /// It replaces one that came with the model: `version=original` returns that one, and DELETE brings it back.
    Replacement,
    /// It was added, and replaces none that came with the model.
    Addition,
}

impl From<editor::BoundaryOrigin> for BoundaryOrigin {
    fn from(origin: editor::BoundaryOrigin) -> Self {
        match origin {
            editor::BoundaryOrigin::Model => Self::Model,
            editor::BoundaryOrigin::Replacement => Self::Replacement,
            editor::BoundaryOrigin::Addition => Self::Addition,
        }
    }
}

/// Where changes of boundaries are stored.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Storage {
    /// On disk, in the store.
    Disk,
    /// In memory, until the service ends: it has no store (`--store`).
    Memory,
}

impl Storage {
    /// Where the changes of these models are stored.
    pub(crate) fn of(models: &Models) -> Self {
        if models.keeps_changes() {
            Self::Disk
        } else {
            Self::Memory
        }
    }
}

/// What is known of a boundary. Absent fields are unknown.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct BoundarySummary {
    /// The attribute.
    attribute: String,
    /// The space.
    space: Space,
    /// Where the boundary comes from.
    origin: BoundaryOrigin,
    /// b in n·code + b; in w+ the distance is that, divided by the number of layers.
    intercept: f64,
    /// The number of samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    samples: Option<u64>,
    /// The number of extremes on each side; absent if the boundary was fitted to all samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    chosen: Option<u64>,
    /// If there were only two different scores: the number of samples with the lower one, and with the
    /// higher one.
    #[serde(skip_serializing_if = "Option::is_none")]
    classes: Option<[u64; 2]>,
    /// Why the sampling ended at this number of samples, if it was `auto`.
    #[serde(skip_serializing_if = "Option::is_none")]
    sampling: Option<String>,
    /// The seed of the samples and of the split.
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    /// The classifier that scored the samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    classifier: Option<String>,
    /// SHA-256 of the classifier's file.
    #[serde(skip_serializing_if = "Option::is_none")]
    classifier_digest: Option<String>,
    /// SHA-256 of the boundary's generator.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    /// The method that fitted the boundary.
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    /// The date of the fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<String>,
    /// The length of the normal where it comes from, if it has another one here. Divided by the square root of the number of
    /// layers in w+, it is one unit of an edit with the unit `file`.
    #[serde(skip_serializing_if = "Option::is_none")]
    length: Option<f64>,
    /// Where the model's samples are.
    #[serde(skip_serializing_if = "Option::is_none")]
    distances: Option<SampleDistances>,
    /// For a boundary in s that was made of ranked channels: the best channels, the best one first. It moves the first of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    channels: Vec<RankedChannel>,
    /// The accuracy of the boundary.
    accuracy: BoundaryAccuracy,
    /// Why the boundary may be worse than it looks.
    warnings: Vec<String>,
}

impl BoundarySummary {
    /// The summary of a boundary with its samples' spread.
    pub(crate) fn with_spread(
        boundary: &Arc<Boundary>,
        boundaries: &BoundarySet,
        spread: Option<Spread>,
    ) -> Self {
        Self {
            distances: spread.map(Into::into),
            ..Self::new(boundary, boundaries)
        }
    }

    /// What is known of `boundary`, which is or was one of `boundaries`.
    pub(crate) fn new(boundary: &Arc<Boundary>, boundaries: &BoundarySet) -> Self {
        let provenance = boundary.provenance().clone();
        let doubts = Doubt::of(&provenance);
        Self {
            attribute: boundary.attribute().to_owned(),
            space: boundary.space().into(),
            origin: boundaries.origin(boundary).into(),
            intercept: boundary.intercept(),
            samples: provenance.samples,
            chosen: provenance.chosen,
            classes: provenance.classes,
            sampling: provenance.sampling,
            seed: provenance.seed,
            classifier: provenance.classifier,
            classifier_digest: provenance.classifier_digest,
            model: provenance.model,
            method: provenance.method,
            date: provenance.date,
            length: provenance.length,
            channels: provenance.channels.into_iter().map(Into::into).collect(),
            distances: None,
            accuracy: provenance.accuracy.into(),
            warnings: doubts.iter().map(ToString::to_string).collect(),
        }
    }
}
