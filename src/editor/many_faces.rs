//! Many faces in one request: all get the same edits. Without images, they are made in batches in the background lane.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::editor::background_batches::BackgroundBatches;
use crate::editor::editing::edit::moved;
use crate::editor::editing::edit_path::{EditDirection, PlannedEdit, plan_edits};
use crate::editor::editing::way::far_along_way;
use crate::editor::rendering::latent_source::LatentSource;
use crate::editor::rendering::mapping_truncation::MappingTruncation;
use crate::editor::rendering::renderer::{RenderOutputs, Renderer};
use crate::editor::{EditRequest, EditorError, Face, FaceSource, Model, TruncationChoice, Warning};
use crate::engine::Timings;
use crate::latent::{LatentCode, LatentSpace};

/// Most batches that wait for an earlier one, so that a slow batch does not let the memory grow.
const MOST_EARLY: usize = 8;

/// Many faces, and the edits that each of them gets.
#[derive(Clone, Debug)]
pub struct ManyFaces {
    /// The sources of the faces, in order: seeds, or codes of one space.
    pub sources: Vec<FaceSource>,
    /// The space of the codes. If `None`: the model's default space for seeds, and a code's own space.
    pub space: Option<LatentSpace>,
    /// The truncation of codes that are mapped.
    pub truncation: TruncationChoice,
    /// The edits, by amounts along normals; the source of this request is not used. `None` leaves the faces as they are.
    pub edit: Option<EditRequest>,
}

/// A face without its image.
#[derive(Clone, Debug)]
pub struct MeasuredFace {
    /// The seed that its code was sampled from, if any.
    pub seed: Option<u32>,
    /// Its latent code.
    pub code: LatentCode,
    /// The signed distance from the boundary of each attribute.
    pub distances: BTreeMap<String, f64>,
    /// The score of each attribute; empty if the model has no classifier.
    pub scores: BTreeMap<String, f32>,
}

/// Many faces with their images.
#[derive(Clone, Debug)]
pub struct RenderedFaces {
    /// The faces, in the order of their sources; with a trajectory, all positions of a source after one another.
    pub faces: Vec<Face>,
    /// The direction of each edit.
    pub directions: Vec<EditDirection>,
    /// What the caller should know about the result.
    pub warnings: Vec<Warning>,
    /// The time that each part took.
    pub timings: Timings,
}

impl ManyFaces {
    /// How many faces each source becomes.
    fn faces_of_source(&self) -> usize {
        self.edit.as_ref().map_or(1, |edit| edit.positions().len())
    }

    /// How many faces the sources become.
    #[must_use]
    pub fn count(&self) -> usize {
        self.sources.len() * self.faces_of_source()
    }

    /// The positions of the trajectory; empty without one.
    #[must_use]
    pub fn positions(&self) -> Vec<f64> {
        let series = self.edit.as_ref().and_then(|edit| edit.series.as_ref());
        series.map_or_else(Vec::new, |series| series.trajectory.positions())
    }

    /// The seed of each face, if it came from one.
    pub fn seeds(&self) -> impl Iterator<Item = Option<u32>> {
        self.seeds_of(0..self.sources.len())
    }

    fn seeds_of(&self, sources: Range<usize>) -> impl Iterator<Item = Option<u32>> {
        let each = self.faces_of_source();
        let sources = self.sources[sources].iter();
        sources.flat_map(move |source| std::iter::repeat_n(source.seed(), each))
    }
}

/// Renders all faces of a request at once.
///
/// # Errors
/// [`EditorError`] if a code, the space, the truncation or an edit does not fit the model, the model is overloaded, or a
/// network fails.
pub async fn render_faces(
    model: &Model,
    request: &ManyFaces,
    with_scores: bool,
) -> Result<RenderedFaces, EditorError> {
    let mut renderer = Renderer::admit(model, request.truncation, request.count())?;
    let edits = Edits::plan(model, request).await?;
    let originals = renderer.codes(&request.sources, edits.space).await?;
    let codes = edits.apply(request, &originals)?;
    let warnings = edits.warnings(model, request, &originals, &codes).await?;
    let outputs = RenderOutputs::with_scores(with_scores);
    let mut faces = renderer.render(codes, outputs).await?;
    for (face, seed) in faces.iter_mut().zip(request.seeds()) {
        face.seed = seed;
    }
    Ok(RenderedFaces {
        faces,
        directions: edits.directions(),
        warnings,
        timings: renderer.admission.timings(),
    })
}

/// The edits of a request, planned once for all faces.
pub(crate) struct Edits {
    /// The space of the codes.
    pub(crate) space: Option<LatentSpace>,
    planned: Vec<PlannedEdit>,
}

impl Edits {
    /// Checks the codes of the request, and plans its edits.
    pub(crate) async fn plan(model: &Model, request: &ManyFaces) -> Result<Self, EditorError> {
        let truncation = MappingTruncation::new(model, request.truncation)?;
        let is_sampled = request
            .sources
            .first()
            .is_some_and(|source| source.seed().is_some());
        let has_layers = request.edit.as_ref().is_some_and(EditRequest::has_layers);
        let space = (is_sampled && has_layers).then_some(LatentSpace::WPlus);
        let space = request.space.or(space);
        // Seeds differ in nothing that can be wrong.
        let to_check = if is_sampled { 1 } else { request.sources.len() };
        let mut planned = Vec::new();
        for (index, source) in request.sources[..to_check].iter().enumerate() {
            let source = LatentSource::new(model, source, space, &truncation)?;
            if let Some(edit) = request.edit.as_ref().filter(|_| index == 0) {
                edit.check()?;
                planned = plan_edits(model, edit, source.wanted).await?;
            }
        }
        Ok(Self { space, planned })
    }

    /// The faces that `originals` become.
    pub(crate) fn apply(
        &self,
        request: &ManyFaces,
        originals: &[LatentCode],
    ) -> Result<Vec<LatentCode>, EditorError> {
        let Some(edit) = &request.edit else {
            return Ok(originals.to_vec());
        };
        let positions = edit.positions();
        let codes = originals.iter().flat_map(|original| {
            let positions = positions.iter();
            positions.map(move |&position| moved(original, &self.planned, edit, position))
        });
        codes.collect()
    }

    fn directions(&self) -> Vec<EditDirection> {
        self.planned.iter().map(|edit| edit.report.clone()).collect()
    }

    /// The warnings about moves of `originals` out of where the samples are.
    async fn warnings(
        &self,
        model: &Model,
        request: &ManyFaces,
        originals: &[LatentCode],
        codes: &[LatentCode],
    ) -> Result<Vec<Warning>, EditorError> {
        let each = (codes.len() / originals.len().max(1)).max(1);
        let mut warnings = Vec::new();
        for edit in &self.planned {
            for (original, codes) in originals.iter().zip(codes.chunks(each)) {
                warnings.extend(edit.far_from_samples(original, codes)?);
            }
        }
        let edit = request.edit.as_ref();
        if warnings.is_empty() && edit.is_some_and(|edit| !edit.moves_along_one_normal()) {
            let ways = codes.iter().enumerate();
            let ways = ways.map(|(face, code)| (&originals[face / each], code));
            warnings.extend(far_along_way(model, ways).await);
        }
        Ok(farthest(warnings))
    }
}

/// The warning of each attribute, and about ways, of the face that is farthest out.
fn farthest(warnings: Vec<Warning>) -> Vec<Warning> {
    let mut farthest: BTreeMap<Option<String>, (f64, Warning)> = BTreeMap::new();
    for warning in warnings {
        let (attribute, out) = match &warning {
            Warning::Far {
                attribute,
                deviations,
                ..
            } => (Some(attribute.clone()), deviations.abs()),
            Warning::FarAlongWay { deviations } => (None, deviations.abs()),
            _ => continue,
        };
        let known = farthest.get(&attribute);
        if known.is_none_or(|&(known, _)| known < out) {
            farthest.insert(attribute, (out, warning));
        }
    }
    farthest.into_values().map(|(_, warning)| warning).collect()
}

/// The faces of one batch of sources.
struct Batch {
    faces: Vec<MeasuredFace>,
    warnings: Vec<Warning>,
}

/// Faces without images, in the order of the request, batch by batch. If it is dropped, the rest is not made.
pub struct FaceBatches {
    model: Arc<Model>,
    request: Arc<ManyFaces>,
    edits: Arc<Edits>,
    running: BackgroundBatches<(usize, Batch)>,
    /// Batches that ended before an earlier one, by their first source.
    early: BTreeMap<usize, Batch>,
    /// The sources in each batch.
    batch_size: usize,
    /// Sources with a batch that was started.
    started: usize,
    /// The first source of the batch that is next.
    next: usize,
    warnings: Vec<Warning>,
}

impl FaceBatches {
    /// Checks a request, and prepares its batches.
    ///
    /// # Errors
    /// [`EditorError`] if a code, the space, the truncation or an edit does not fit the model.
    pub async fn new(model: Arc<Model>, request: ManyFaces) -> Result<Self, EditorError> {
        let edits = Edits::plan(&model, &request).await?;
        Ok(Self {
            running: BackgroundBatches::new(model.engine()),
            batch_size: (model.engine().largest_batch() / request.faces_of_source().max(1)).max(1),
            request: Arc::new(request),
            edits: Arc::new(edits),
            early: BTreeMap::new(),
            started: 0,
            next: 0,
            warnings: Vec::new(),
            model,
        })
    }

    /// The request.
    #[must_use]
    pub fn request(&self) -> &ManyFaces {
        &self.request
    }

    /// The direction of each edit.
    #[must_use]
    pub fn directions(&self) -> Vec<EditDirection> {
        self.edits.directions()
    }

    /// What the caller should know about the faces so far.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The faces of the next batch; `None` after the last.
    ///
    /// # Errors
    /// [`EditorError`] if an edit does not fit a face, or a network fails.
    ///
    /// # Panics
    /// Never: batches are in flight until all are done.
    pub async fn next(&mut self) -> Option<Result<Vec<MeasuredFace>, EditorError>> {
        let count = self.request.sources.len();
        if self.next == count {
            return None;
        }
        loop {
            while self.started < count && !self.running.is_full() && self.early.len() < MOST_EARLY {
                let sources = self.started..count.min(self.started + self.batch_size);
                self.started = sources.end;
                let (model, request, edits) = (
                    Arc::clone(&self.model),
                    Arc::clone(&self.request),
                    Arc::clone(&self.edits),
                );
                self.running.start(async move {
                    let first = sources.start;
                    let batch = Batch::measure(&model, &request, &edits, sources).await?;
                    Ok((first, batch))
                });
            }
            if let Some(Batch { faces, warnings }) = self.early.remove(&self.next) {
                self.next = count.min(self.next + self.batch_size);
                let known = std::mem::take(&mut self.warnings);
                self.warnings = farthest(known.into_iter().chain(warnings).collect());
                return Some(Ok(faces));
            }
            let ended = self.running.next().await;
            match ended.expect("the next batch is in flight") {
                Ok((first, batch)) => drop(self.early.insert(first, batch)),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl Batch {
    /// Maps, edits, synthesizes and scores the faces of `sources`. Nothing is synthesized if there is no classifier.
    async fn measure(
        model: &Model,
        request: &ManyFaces,
        edits: &Edits,
        sources: Range<usize>,
    ) -> Result<Self, EditorError> {
        let truncation = MappingTruncation::new(model, request.truncation)?;
        let mut renderer = Renderer::new(model, truncation, model.engine().background());
        let originals = renderer
            .codes(&request.sources[sources.clone()], edits.space)
            .await?;
        let codes = edits.apply(request, &originals)?;
        let warnings = edits.warnings(model, request, &originals, &codes).await?;
        let attributes: Vec<&str> = model.classifiers().attributes().collect();
        let scores = if attributes.is_empty() {
            None
        } else {
            Some(renderer.score(&codes).await?)
        };
        let named = |face: usize| {
            let row = scores.iter().flat_map(|scores| scores.row(face).to_vec());
            let attributes = attributes.iter().map(|&attribute| attribute.to_owned());
            attributes.zip(row).collect()
        };
        let distances = model.boundaries().distances(&codes).await;
        let faces = request.seeds_of(sources).zip(codes).zip(distances).enumerate();
        let faces = faces.map(|(face, ((seed, code), distances))| MeasuredFace {
            seed,
            code,
            distances,
            scores: named(face),
        });
        Ok(Self {
            faces: faces.collect(),
            warnings,
        })
    }
}
