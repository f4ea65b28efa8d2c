//! Moves the same faces by every method, and measures what changes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ndarray::{Array1, Array2, Axis, Slice};

use crate::editor::editing::score_search::scored_attribute::linear;
use crate::editor::judging::identity::similarity;
use crate::editor::judging::image_outputs::{IdentityMeasure, ImageOutputs, image_outputs};
use crate::editor::judging::methods::effect::{
    EffectSum, LEVELS, MethodEffect, MethodReport, Place, RESCORED, UndoneEdits,
};
use crate::editor::judging::methods::faces::{CodesBySpace, MovedAttribute, linear_scores};
use crate::editor::judging::methods::manipulation_inversion::{
    EditUndoer, InvertedFaces, UNDONE_FACES, UNDONE_IMAGES, can_undo,
};
use crate::editor::judging::methods::method::{Method, MethodWalk};
use crate::editor::judging::methods::truth::KnownTruth;
use crate::editor::judging::methods::walk::{LINE_IMAGES, SEARCH_WALK_IMAGES, SEARCHES};
use crate::editor::rendering::renderer::Renderer;
use crate::editor::{EditorError, Model};
use crate::latent::{LatentCode, LatentSpace};

/// Most faces that are moved by a search, which synthesizes many images for each.
const SEARCHED_FACES: usize = 4;
/// Faces whose edits are timed.
const TIMED_FACES: usize = 3;
/// Faces in memory at the same time.
pub(crate) const FACES_AT_ONCE: usize = 32;

/// How many faces are moved.
#[derive(Clone, Copy)]
pub(crate) struct FaceCounts {
    /// Of which images are synthesized.
    pub(crate) by_score: usize,
    /// Of which the truth is computed, if a graph knows it.
    pub(crate) by_truth: usize,
}

impl FaceCounts {
    fn most(self) -> usize {
        self.by_score.max(self.by_truth)
    }
}

/// The faces before any edit.
struct Before {
    codes: CodesBySpace,
    /// On the linear scale.
    scores: Array2<f64>,
    embeddings: Option<Array2<f32>>,
    truths: Option<Array2<f64>>,
    undoer: Option<EditUndoer>,
}

/// The walk of a face.
struct FaceWalk {
    face: usize,
    code: LatentCode,
    /// 1 if it raises the target, −1 if it lowers it.
    sign: f64,
    stations: Vec<LatentCode>,
}

impl FaceWalk {
    /// The code at a place between two stations.
    fn code_at(&self, place: Place) -> Result<LatentCode, EditorError> {
        let station = |index: usize| {
            index
                .checked_sub(1)
                .map_or(&self.code, |index| &self.stations[index])
        };
        let (from, to) = (station(place.station - 1), station(place.station));
        let (from, to) = (from.values().mapv(f64::from), to.values().mapv(f64::from));
        let values = &from + place.share * (to - &from);
        let code = LatentCode::rounded(self.code.space(), &values)?;
        Ok(code.with_label(self.code.label().cloned()))
    }
}

/// Moves faces by methods.
pub(crate) struct Comparison<F> {
    pub(crate) model: Arc<Model>,
    pub(crate) faces: FaceCounts,
    /// The seed of the faces.
    pub(crate) seed: u32,
    /// Standard deviations of the samples' scores, on the linear scale.
    pub(crate) deviations: Vec<f64>,
    /// The graph that knows the truth, and the standard deviations of the samples' true values.
    pub(crate) truth: Option<(KnownTruth, Vec<f64>)>,
    /// Gets the number of images synthesized so far.
    pub(crate) on_images: F,
    pub(crate) images: usize,
}

/// About how many images a comparison synthesizes.
pub(crate) fn planned_images(model: &Model, methods: usize, searches: usize, faces: FaceCounts) -> usize {
    let by_search = faces.by_score.min(SEARCHED_FACES) * SEARCH_WALK_IMAGES;
    let undone_faces = if can_undo(model) {
        faces.by_score.min(UNDONE_FACES)
    } else {
        0
    };
    let undone = undone_faces * UNDONE_IMAGES;
    let walked = methods * faces.by_score * LINE_IMAGES + searches * by_search;
    let attributes = model.outputs().len();
    faces.most() + undone_faces + undone + attributes * (walked + (methods + searches) * undone)
}

impl<F: FnMut(usize)> Comparison<F> {
    /// What each method does to each attribute, and the faces whose edits were undone, if the model can invert.
    ///
    /// # Errors
    /// [`EditorError`] if a code leaves the range of single precision, or a network fails.
    pub(crate) async fn run(
        mut self,
        methods: &[Method],
    ) -> Result<(Vec<MethodReport>, Option<InvertedFaces>), EditorError> {
        let (before, inverted) = self.before().await?;
        let mut reports = Vec::new();
        for method in methods {
            let mut effects = Vec::new();
            for (column, walk) in method.walks.iter().enumerate() {
                if let Some(walk) = walk {
                    effects.push(self.effect(&before, method.space, column, walk).await?);
                }
            }
            reports.push(MethodReport {
                method: method.name.clone(),
                effects,
            });
        }
        Ok((reports, inverted))
    }

    async fn before(&mut self) -> Result<(Before, Option<InvertedFaces>), EditorError> {
        let model = Arc::clone(&self.model);
        let count = self.faces.most();
        let codes = CodesBySpace::sample(&model, self.seed, count).await?;
        let space = model.shape().synthesis_space();
        let own = (0..count).map(|face| codes.code(space, face));
        let own: Vec<_> = own.collect::<Result<_, _>>()?;
        let outputs = self.outputs(&own).await?;
        let truths = match &self.truth {
            Some((truth, _)) => Some(true_values(&model, truth, &own).await?),
            None => None,
        };
        let shown = &own[..self.faces.by_score];
        let undoer = EditUndoer::new(&model, shown).await?;
        let mut inverted = None;
        if let Some(undoer) = &undoer {
            let faces = undoer.unedited(&model, shown).await?;
            self.count(faces.faces * (1 + UNDONE_IMAGES));
            inverted = Some(faces);
        }
        let before = Before {
            codes,
            scores: linear_scores(&model, outputs.scores.view()),
            embeddings: outputs.embeddings,
            truths,
            undoer,
        };
        Ok((before, inverted))
    }

    async fn outputs(&mut self, codes: &[LatentCode]) -> Result<ImageOutputs, EditorError> {
        let outputs = image_outputs(&self.model, codes, IdentityMeasure::best_of(&self.model)).await?;
        self.count(codes.len());
        Ok(outputs)
    }

    fn count(&mut self, images: usize) {
        self.images += images;
        (self.on_images)(self.images);
    }

    /// The scored attribute in `column` of a face.
    fn moved(&self, before: &Before, face: usize, column: usize) -> MovedAttribute {
        let output = &self.model.outputs()[column];
        let score = before.scores[[face, column]];
        let threshold = linear(output.kind, output.threshold);
        MovedAttribute {
            sign: if score > threshold { -1.0 } else { 1.0 },
            before: score,
            deviation: self.deviations[column],
            kind: output.kind,
        }
    }

    /// What one method does when it edits the attribute in `column`.
    async fn effect(
        &mut self,
        before: &Before,
        space: LatentSpace,
        column: usize,
        walk: &MethodWalk,
    ) -> Result<MethodEffect, EditorError> {
        let mut faces = self.faces;
        if walk.walk.is_search() {
            faces.by_score = faces.by_score.min(SEARCHED_FACES);
            faces.by_truth = faces.by_truth.min(faces.by_score);
        }
        let columns_of_truth = self.truth.as_ref().map_or(0, |(_, deviations)| deviations.len());
        // No code in z, w or w+ leads to an edited code in s.
        if column >= columns_of_truth || space == LatentSpace::S {
            faces.by_truth = 0;
        }
        let mut by_score = EffectSum::new(column, &self.deviations);
        let of_truth = self.truth.as_ref().map_or(&[][..], |(_, deviations)| deviations);
        let mut by_truth = (faces.by_truth > 0).then(|| EffectSum::new(column, of_truth));
        let (mut undone, mut searching) = (Vec::new(), Duration::ZERO);
        let mut first = 0;
        while first < faces.most() {
            let end = faces.most().min(first + FACES_AT_ONCE);
            let mut walks = Vec::new();
            for face in first..end {
                let code = before.codes.code_in(space, face).await?;
                let target = self.moved(before, face, column);
                let began = Instant::now();
                let stations = walk.walk.stations(&self.model, &code, &target).await?;
                searching += began.elapsed();
                walks.push(FaceWalk {
                    face,
                    code,
                    sign: target.sign,
                    stations,
                });
            }
            let by_image: Vec<_> = walks.iter().filter(|one| one.face < faces.by_score).collect();
            if !by_image.is_empty() {
                undone.extend(self.add_scores(before, &by_image, &mut by_score).await?);
                // A search counts as what it may take.
                let walked: usize = by_image.iter().map(|one| one.stations.len()).sum();
                self.count((by_image.len() * walk.walk.images()).saturating_sub(walked));
            }
            if let Some(by_truth) = &mut by_truth {
                let known: Vec<_> = walks.iter().filter(|one| one.face < faces.by_truth).collect();
                self.add_truths(before, &known, by_truth).await?;
            }
            first = end;
        }
        let seconds = if walk.walk.is_search() {
            let searches = u32::try_from(faces.by_score * SEARCHES).unwrap_or(u32::MAX);
            (searching / searches).as_secs_f64()
        } else {
            self.seconds(before, space, column, walk).await?
        };
        Ok(MethodEffect {
            attribute: self.model.outputs()[column].attribute.clone(),
            along: walk.along.clone(),
            seconds,
            faces: faces.by_score,
            by_score: by_score.means(),
            faces_by_truth: faces.by_truth,
            by_truth: by_truth.map_or_else(Vec::new, EffectSum::means),
            undone: Array1::from_iter(undone.iter().copied())
                .mean()
                .map(|psnr| UndoneEdits {
                    faces: undone.len(),
                    psnr,
                }),
        })
    }

    /// Adds walks to the effect by score. Returns the PSNR of each edit that was undone.
    async fn add_scores(
        &mut self,
        before: &Before,
        walks: &[&FaceWalk],
        sum: &mut EffectSum,
    ) -> Result<Vec<f64>, EditorError> {
        let outputs = self.outputs(&stations_of(walks)).await?;
        let scores = linear_scores(&self.model, outputs.scores.view());
        let (mut first, mut undone) = (0, Vec::new());
        for walk in walks {
            let end = first + walk.stations.len();
            let identity = before.embeddings.as_ref().zip(outputs.embeddings.as_ref());
            let identity = identity.map(|(before, after)| {
                let own = before.row(walk.face);
                let stations = (first..end).map(|row| similarity(own, after.row(row)));
                std::iter::once(1.0).chain(stations).collect::<Vec<_>>()
            });
            let values = walked(&before.scores, walk.face, &scores, first..end);
            sum.add(values.view(), identity.as_deref(), walk.sign);
            if let Some(undoer) = before.undoer.as_ref().filter(|undoer| undoer.has(walk.face)) {
                if let Some(place) = sum.place(values.view(), walk.sign, LEVELS[RESCORED]) {
                    let edited = walk.code_at(place)?;
                    undone.push(undoer.psnr(&self.model, walk.face, &walk.code, &edited).await?);
                }
                self.count(UNDONE_IMAGES);
            }
            first = end;
        }
        Ok(undone)
    }

    async fn add_truths(
        &self,
        before: &Before,
        walks: &[&FaceWalk],
        sum: &mut EffectSum,
    ) -> Result<(), EditorError> {
        let (Some((truth, _)), Some(own)) = (&self.truth, &before.truths) else {
            return Ok(());
        };
        let values = true_values(&self.model, truth, &stations_of(walks)).await?;
        let mut first = 0;
        for walk in walks {
            let end = first + walk.stations.len();
            sum.add(
                walked(own, walk.face, &values, first..end).view(),
                None,
                walk.sign,
            );
            first = end;
        }
        Ok(())
    }

    /// The median of the seconds from a code to its edited image, on a straight line.
    async fn seconds(
        &self,
        before: &Before,
        space: LatentSpace,
        column: usize,
        walk: &MethodWalk,
    ) -> Result<f64, EditorError> {
        let mut seconds = Vec::new();
        for face in 0..TIMED_FACES.min(self.faces.by_score) {
            let code = before.codes.code_in(space, face).await?;
            let target = self.moved(before, face, column);
            let began = Instant::now();
            let edited = walk.walk.on_line(&code, target.sign)?;
            Renderer::background(&self.model).synthesize(&[edited]).await?;
            seconds.push(began.elapsed().as_secs_f64());
        }
        seconds.sort_by(f64::total_cmp);
        Ok(seconds[seconds.len() / 2])
    }
}

fn stations_of(walks: &[&FaceWalk]) -> Vec<LatentCode> {
    walks.iter().flat_map(|walk| &walk.stations).cloned().collect()
}

/// The values of a face before, and at its stations: `rows` of `after`.
fn walked(
    before: &Array2<f64>,
    face: usize,
    after: &Array2<f64>,
    rows: std::ops::Range<usize>,
) -> Array2<f64> {
    let own = before.slice_axis(Axis(0), Slice::from(face..=face));
    let after = after.slice_axis(Axis(0), Slice::from(rows));
    ndarray::concatenate(Axis(0), &[own, after]).expect("both have a column for each attribute")
}

/// The true values of codes of one space, z, w or w+, at least one.
pub(crate) async fn true_values(
    model: &Model,
    truth: &KnownTruth,
    codes: &[LatentCode],
) -> Result<Array2<f64>, EditorError> {
    let rows = Renderer::background(model).synthesis_rows(codes).await?;
    truth.values(rows).await
}
