//! A report on a model's boundaries: how well they part fresh samples, how they lean on one another, and what edits along them do.

use std::sync::Arc;
use std::time::SystemTime;

use ndarray::{Array2, Array3, Axis};

use crate::editor::jobs::date::rfc3339;
use crate::editor::judging::rescoring::{BY, Planes, Rescoring, rescored_pictures};
use crate::editor::render::RenderOutputs;
use crate::editor::training::train::ScoredCodes;
use crate::editor::{EditorError, Identity, Model};
use crate::imaging::{Picture, shrunk};
use crate::latent::{
    Amount, Boundary, Direction, Edit, LatentCode, LatentError, LatentSpace, apply, correlation, cosines,
};

/// Of a thousand samples, those at each end of the scores: 2 %, as the paper has it.
const ENDS_OF_1000: usize = 20;

/// Pictures of a strip, from −[`BY`] to [`BY`], and the longest side of each.
const STRIP: usize = 7;
const SIDE: usize = 128;

/// What to report on.
#[derive(Clone, Copy, Debug)]
pub struct ReportRequest {
    /// The boundaries' space: z or w.
    pub space: LatentSpace,
    /// Faces to sample and score.
    pub samples: usize,
    /// How many of them are edited, at most all.
    pub faces: usize,
    /// The seed of the samples.
    pub seed: u32,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Report {
    /// The model's name.
    pub model: String,
    /// The model's digest.
    pub digest: String,
    /// What was asked for.
    pub request: ReportRequest,
    /// When, in RFC 3339.
    pub date: String,
    /// The planes, one for each attribute that has a boundary and is scored: the order of all axes below.
    pub planes: Vec<BoundaryReport>,
    /// Cosines between the normals.
    pub cosines: Array2<f64>,
    /// Pearson's correlations of the samples' scores.
    pub correlations: Array2<f64>,
    /// Distances from the plane that faces were brought to.
    pub positions: Vec<f64>,
    /// Mean scores `[edited, position, scored]` of the faces there.
    pub curves: Array3<f64>,
    /// How far faces were moved for what follows.
    pub by: f64,
    /// Mean change `[edited, scored]` of the scores, in their standard deviations over the samples.
    pub plain: Array2<f64>,
    /// The same with all other attributes as conditions; `None` where these leave nothing of the edit.
    pub conditional: Vec<Option<Vec<f64>>>,
    /// Whose faces they remain, where the model has an identity graph.
    pub identity: Option<Identity>,
    /// The first face, moved from −by to by with all others held (or plainly, where that cannot be): a strip for each edit.
    pub strips: Vec<Vec<Picture>>,
}

/// How well a plane parts fresh samples.
#[derive(Clone, Debug)]
pub struct BoundaryReport {
    /// The attribute.
    pub attribute: String,
    /// The score at which it changes sides.
    pub threshold: f64,
    /// The standard deviation of the samples' scores.
    pub deviation: f64,
    /// How many samples each end of the scores has.
    pub chosen: usize,
    /// The share of both ends on the right side.
    pub ends: f64,
    /// The share of all samples on the side that the threshold puts them.
    pub all: f64,
}

/// An attribute to report on: its plane, and the column of its scores.
struct Judged {
    boundary: Arc<Boundary>,
    column: usize,
    threshold: f64,
}

impl Model {
    /// How many pictures a report draws.
    ///
    /// # Errors
    /// [`EditorError`] where the model has no classifier, or none whose attribute has a boundary in that space.
    pub(crate) fn check_report(&self, request: &ReportRequest) -> Result<usize, EditorError> {
        self.check_scores()?;
        self.code_shape(request.space)?;
        if request.space == LatentSpace::WPlus {
            return Err(EditorError::TrainedInW);
        }
        let judged = self.judged(request.space);
        if judged.is_empty() {
            return Err(EditorError::NothingToReport {
                model: self.name().to_owned(),
                space: request.space,
            });
        }
        let edits = rescored_pictures(request.faces, judged.len(), self.engine.has_recognizer());
        Ok(request.samples + edits)
    }

    fn judged(&self, space: LatentSpace) -> Vec<Judged> {
        let of = |(column, output): (usize, &crate::catalog::OutputEntry)| {
            let boundary = self.boundary(&output.attribute, space).ok()?;
            Some(Judged {
                boundary: Arc::clone(boundary),
                column,
                threshold: output.threshold,
            })
        };
        self.outputs().iter().enumerate().filter_map(of).collect()
    }

    /// Draws, scores and compares, behind all requests; `told` hears how many pictures are drawn.
    ///
    /// Whoever drops the future stops the work.
    pub(crate) async fn report(
        self: &Arc<Self>,
        request: ReportRequest,
        mut told: impl FnMut(usize),
    ) -> Result<Report, EditorError> {
        let ReportRequest {
            space,
            samples,
            faces,
            seed,
        } = request;
        let judged = self.judged(space);
        let sampled = self.score_samples(space, samples, seed, &mut told).await?;
        let columns: Vec<usize> = judged.iter().map(|one| one.column).collect();
        let scores = sampled.scores.select(Axis(1), &columns).mapv(f64::from);
        let correlations = correlation(scores.view())?;
        // A hundred thousand codes take their time, for each plane.
        let measured = tokio::task::spawn_blocking(move || {
            let planes = planes(&judged, &sampled, space)?;
            Ok::<_, EditorError>((judged, sampled, planes))
        });
        let measured = measured.await.expect("measuring distances does not panic");
        let (judged, sampled, planes) = measured?;
        let boundaries: Vec<_> = judged.iter().map(|one| Arc::clone(&one.boundary)).collect();

        let codes = (0..faces.min(samples)).map(|face| code(&sampled, space, face));
        let codes: Vec<_> = codes.collect::<Result<_, _>>()?;
        let first = codes[0].clone();
        let planes_of = Planes {
            boundaries: &boundaries,
            columns: &columns,
            deviations: &planes.iter().map(|plane| plane.deviation).collect::<Vec<_>>(),
        };
        let Rescoring {
            positions,
            curves,
            plain,
            conditional,
            identity,
            directions,
        } = self
            .rescore(&planes_of, codes, scores.view(), |drawn| told(samples + drawn))
            .await?;
        let mut strips = Vec::new();
        for (boundary, direction) in boundaries.iter().zip(&directions) {
            strips.push(self.strip(&first, boundary, direction).await?);
        }
        Ok(Report {
            model: self.name().to_owned(),
            digest: self.digest().to_owned(),
            request,
            date: rfc3339(SystemTime::now()),
            cosines: cosines(&boundaries.iter().map(|boundary| &**boundary).collect::<Vec<_>>())?,
            planes,
            correlations,
            positions,
            curves,
            by: BY,
            plain,
            conditional,
            identity,
            strips,
        })
    }

    /// Small pictures of a face moved along a direction, from −[`BY`] to [`BY`].
    async fn strip(
        &self,
        face: &LatentCode,
        boundary: &Arc<Boundary>,
        direction: &Direction,
    ) -> Result<Vec<Picture>, EditorError> {
        let step = |step: usize| {
            let amount = Amount::By(BY * (2.0 * ratio(step, STRIP - 1) - 1.0));
            let edit = Edit::new(Arc::clone(boundary), direction.clone(), amount)?;
            Ok(apply(face, &[edit], None)?)
        };
        let codes = (0..STRIP).map(step).collect::<Result<_, EditorError>>()?;
        let mut admission = self.engine.background();
        let faces = self
            .render(&mut admission, codes, None, RenderOutputs::Nothing)
            .await?;
        let shrunk = tokio::task::spawn_blocking(move || {
            faces.into_iter().map(|face| shrunk(face.picture, SIDE)).collect()
        });
        Ok(shrunk.await.expect("shrinking pictures does not panic"))
    }
}

/// How well the planes part the samples.
fn planes(
    judged: &[Judged],
    drawn: &ScoredCodes,
    space: LatentSpace,
) -> Result<Vec<BoundaryReport>, EditorError> {
    let samples = drawn.scores.nrows();
    let chosen = (samples * ENDS_OF_1000 / 1000).clamp(1, samples / 2);
    let judge = |one: &Judged| {
        let scores = drawn.scores.column(one.column).mapv(f64::from);
        let mut positive = Vec::with_capacity(samples);
        for sample in 0..samples {
            let distance = one.boundary.signed_distance(&code(drawn, space, sample)?)?;
            positive.push(distance > 0.0);
        }
        let mut order: Vec<usize> = (0..samples).collect();
        order.sort_by(|&one, &other| scores[one].total_cmp(&scores[other]));
        let (low, high) = (&order[..chosen], &order[samples - chosen..]);
        let right = low.iter().filter(|&&sample| !positive[sample]).count()
            + high.iter().filter(|&&sample| positive[sample]).count();
        let all = scores
            .iter()
            .zip(&positive)
            .filter(|&(&score, &side)| (score > one.threshold) == side)
            .count();
        Ok(BoundaryReport {
            attribute: one.boundary.attribute().to_owned(),
            threshold: one.threshold,
            deviation: scores.std(0.0),
            chosen,
            ends: ratio(right, 2 * chosen),
            all: ratio(all, samples),
        })
    };
    judged.iter().map(judge).collect()
}

/// One of the sampled codes.
fn code(scored: &ScoredCodes, space: LatentSpace, sample: usize) -> Result<LatentCode, LatentError> {
    LatentCode::new(space, scored.codes.index_axis(Axis(0), sample).to_owned())
}

#[expect(clippy::cast_precision_loss, reason = "counts of pictures")]
fn ratio(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}
