//! The judge: makes the report on a model's boundaries.

use std::sync::Arc;
use std::time::SystemTime;

use ndarray::{Array2, ArrayView2, Axis, Slice};

use crate::catalog::OutputEntry;
use crate::editor::blocking::run_blocking;
use crate::editor::judging::accuracy::{ReportedAttribute, sampled_code, share};
use crate::editor::judging::edit_effects::{BY, EditMeasurement, measured_images};
use crate::editor::judging::image_outputs::IdentityMeasure;
use crate::editor::judging::methods::effect::MethodReport;
use crate::editor::judging::methods::faces::CodesBySpace;
use crate::editor::judging::methods::manipulation_inversion::InvertedFaces;
use crate::editor::judging::methods::own_comparison::Comparisons;
use crate::editor::judging::report::{BoundaryReport, DirectionReport, Report, ReportRequest};
use crate::editor::rendering::renderer::{RenderOutputs, Renderer};
use crate::editor::timestamp::rfc3339;
use crate::editor::training::sample_scores::{SampleScores, label_of};
use crate::editor::{EditorError, Model, ReportError};
use crate::imaging::{Image, shrunk};
use crate::latent::{
    Amount, Boundary, Direction, Edit, LatentCode, LatentError, LatentSpace, apply, correlation, cosines,
};

/// Images in a strip, from −[`BY`] to [`BY`].
const STRIP_IMAGES: usize = 7;
/// Most boundaries that no classifier scores in a report.
const MOST_DIRECTIONS: usize = 64;
/// Longest side of an image in a strip, in pixels.
const STRIP_SIDE: usize = 128;

/// Makes a report for each of `spaces` without a job, on the same samples. The last one compares the methods. `on_images` gets the
/// number of images scored for a report so far, and how many there will be.
///
/// # Errors
/// [`EditorError`] if the request does not fit the model, a network fails, or a score or a code is not finite.
pub async fn judge(
    model: &Arc<Model>,
    spaces: &[LatentSpace],
    request: ReportRequest,
    comparisons: Comparisons,
    mut on_images: impl FnMut(LatentSpace, usize, usize),
) -> Result<Vec<Report>, EditorError> {
    let (mut reports, mut scores, comparisons) = (Vec::new(), None, Arc::new(comparisons));
    for (index, &space) in spaces.iter().enumerate() {
        let is_last = index + 1 == spaces.len();
        let compared = if is_last { request.compared } else { 0 };
        let of_space = ReportRequest {
            space,
            compared,
            ..request
        };
        let judge = Judge::new(Arc::clone(model), of_space, Arc::clone(&comparisons))?;
        let all = judge.images();
        let mut show = |done| on_images(space, done, all);
        let samples = match scores.take() {
            None => judge.sample(&mut show).await?,
            Some(scores) => {
                let codes = CodesBySpace::sample(model, request.seed, request.samples).await?;
                let codes = codes.rows(space).insert_axis(Axis(1)).to_shared();
                SampleScores { codes, scores }
            }
        };
        scores = Some(samples.scores.clone());
        reports.push(judge.report_on(samples, show).await?);
    }
    Ok(reports)
}

/// The space of a report that names none: the model's default space if faces are sampled in it, otherwise that of the synthesis.
#[must_use]
pub fn default_report_space(model: &Model) -> LatentSpace {
    let space = model.default_space();
    if model.sampled_spaces().contains(&space) {
        space
    } else {
        model.shape().synthesis_space()
    }
}

/// Makes one report.
pub(crate) struct Judge {
    model: Arc<Model>,
    request: ReportRequest,
    attributes: Arc<[ReportedAttribute]>,
    /// The boundaries that no classifier scores.
    directions: Vec<Arc<Boundary>>,
    /// What to compare besides the model's own methods.
    comparisons: Arc<Comparisons>,
}

impl Judge {
    /// A judge for a request that fits the model.
    ///
    /// # Errors
    /// [`EditorError`] if the model has no classifier, faces are not sampled in the space, or nothing is compared and the model has no
    /// boundary in it.
    pub(crate) fn new(
        model: Arc<Model>,
        request: ReportRequest,
        comparisons: Arc<Comparisons>,
    ) -> Result<Self, EditorError> {
        model.classifiers().require_any()?;
        model.code_shape(request.space)?;
        if !model.sampled_spaces().contains(&request.space) {
            return Err(ReportError::NotSampled {
                model: model.name().to_owned(),
                found: request.space,
                sampled: model.sampled_spaces(),
            }
            .into());
        }
        let reported = |(column, output): (usize, &OutputEntry)| {
            let boundary = model.boundaries().find(&output.attribute, request.space)?;
            Some(ReportedAttribute {
                boundary: Arc::clone(boundary),
                column,
                threshold: output.threshold,
            })
        };
        let attributes: Arc<[_]> = model.outputs().iter().enumerate().filter_map(reported).collect();
        let is_scored = |boundary: &Boundary| {
            let outputs = model.outputs().iter();
            outputs
                .map(|output| &output.attribute)
                .any(|name| name == boundary.attribute())
        };
        let of_space = model
            .boundaries()
            .iter()
            .filter(|boundary| boundary.space() == request.space);
        let directions: Vec<_> = of_space
            .filter(|boundary| !is_scored(boundary))
            .take(MOST_DIRECTIONS)
            .cloned()
            .collect();
        if attributes.is_empty() && directions.is_empty() && request.compared == 0 {
            return Err(ReportError::NothingToReport {
                model: model.name().to_owned(),
                space: request.space,
            }
            .into());
        }
        Ok(Self {
            model,
            request,
            attributes,
            directions,
            comparisons,
        })
    }

    /// The space of the boundaries.
    pub(crate) fn space(&self) -> LatentSpace {
        self.request.space
    }

    /// The attributes that it reports on.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = &str> {
        self.attributes.iter().map(|one| one.boundary.attribute())
    }

    /// How many images it synthesizes and scores.
    pub(crate) fn images(&self) -> usize {
        let with_identity = self.model.engine().has_recognizer();
        let measured = measured_images(self.request.faces, self.attributes.len(), with_identity);
        let own = self.request.samples + measured + self.request.faces * self.directions.len();
        own + self.compared_images()
    }

    /// About how many of them compare the methods.
    fn compared_images(&self) -> usize {
        if self.request.compared == 0 {
            return 0;
        }
        self.comparisons.images(&self.model, &self.request)
    }

    /// Makes the report in the background lane. `on_images` gets the number of images scored so far. If the future is
    /// dropped, the work stops.
    ///
    /// # Errors
    /// [`EditorError`] if a network fails, or a score or a code is not finite.
    pub(crate) async fn report(&self, mut on_images: impl FnMut(usize)) -> Result<Report, EditorError> {
        let samples = self.sample(&mut on_images).await?;
        self.report_on(samples, on_images).await
    }

    async fn sample(&self, on_images: impl FnMut(usize)) -> Result<SampleScores, EditorError> {
        let ReportRequest {
            space, samples, seed, ..
        } = self.request;
        SampleScores::sample(&self.model, space, samples, seed, on_images).await
    }

    /// Makes the report on its samples.
    async fn report_on(
        &self,
        sampled: SampleScores,
        mut on_images: impl FnMut(usize),
    ) -> Result<Report, EditorError> {
        let ReportRequest {
            space,
            samples,
            faces,
            seed,
            ..
        } = self.request;
        let columns: Vec<usize> = self.attributes.iter().map(|one| one.column).collect();
        let scores = sampled.scores.select(Axis(1), &columns).mapv(f64::from);
        let codes = (0..faces.min(samples)).map(|face| {
            let code = sampled_code(&sampled, space, face)?;
            Ok(code.with_label(label_of(&self.model, seed, face)))
        });
        let codes: Vec<_> = codes.collect::<Result<_, LatentError>>()?;
        let first = codes[0].clone();
        let sampled_scores = sampled.scores.clone();
        let (correlations, boundary_reports) =
            self.correlations_and_accuracies(sampled, scores.clone()).await?;
        let boundaries: Vec<_> = self
            .attributes
            .iter()
            .map(|one| Arc::clone(&one.boundary))
            .collect();
        let measurement = EditMeasurement {
            model: Arc::clone(&self.model),
            boundaries: boundaries.clone(),
            columns,
            deviations: boundary_reports
                .iter()
                .map(|one| one.standard_deviation)
                .collect(),
            before: means_of_first(scores.view(), codes.len()),
            codes: codes.clone(),
            on_images: |images| on_images(samples + images),
        };
        let effects = measurement.run().await?;
        let directions = if self.directions.is_empty() {
            Vec::new()
        } else {
            let before = self.images() - self.compared_images() - codes.len() * self.directions.len();
            let counted = |images| on_images(before + images);
            self.directions(&sampled_scores.mapv(f64::from), codes, counted)
                .await?
        };
        let (methods, inverted_faces) = self.compare(sampled_scores.view(), &mut on_images).await?;
        on_images(self.images());
        let mut strips = Vec::new();
        for (boundary, direction) in boundaries.iter().zip(&effects.directions) {
            strips.push(self.strip(&first, boundary, direction).await?);
        }
        let normals: Vec<&Boundary> = boundaries.iter().map(|boundary| &**boundary).collect();
        Ok(Report {
            model: self.model.name().to_owned(),
            digest: self.model.digest().to_owned(),
            digital_source_type: self.model.generator().provenance.digital_source_type,
            request: self.request,
            date: rfc3339(SystemTime::now()),
            boundaries: boundary_reports,
            cosines: cosines(&normals)?,
            correlations,
            positions: effects.positions,
            curves: effects.curves,
            by: BY,
            plain: effects.plain,
            conditional: effects.conditional,
            identity: effects.identity,
            strips,
            scored: self.model.classifiers().attributes().map(str::to_owned).collect(),
            directions,
            identity_by: IdentityMeasure::best_of(&self.model).filter(|_| !methods.is_empty()),
            methods,
            inverted_faces,
        })
    }

    /// What all methods do, and how well edits can be undone, if that was asked for. `scores` are those of all samples.
    async fn compare(
        &self,
        scores: ArrayView2<'_, f32>,
        mut on_images: impl FnMut(usize),
    ) -> Result<(Vec<MethodReport>, Option<InvertedFaces>), EditorError> {
        if self.request.compared == 0 {
            return Ok((Vec::new(), None));
        }
        let before = self.images() - self.compared_images();
        let counted = |images| on_images(before + images);
        self.comparisons
            .run(&self.model, &self.request, scores, counted)
            .await
    }

    /// What moves along the boundaries that no classifier scores do to every score. `scores` are those of all samples.
    async fn directions(
        &self,
        scores: &Array2<f64>,
        codes: Vec<LatentCode>,
        on_images: impl FnMut(usize),
    ) -> Result<Vec<DirectionReport>, EditorError> {
        let first = codes[0].clone();
        let measurement = EditMeasurement {
            model: Arc::clone(&self.model),
            boundaries: self.directions.clone(),
            columns: (0..scores.ncols()).collect(),
            deviations: scores.std_axis(Axis(0), 0.0).to_vec(),
            before: means_of_first(scores.view(), codes.len()),
            codes,
            on_images,
        };
        let mut reports = Vec::new();
        for (boundary, changes) in self.directions.iter().zip(measurement.plain_changes().await?) {
            reports.push(DirectionReport {
                attribute: boundary.attribute().to_owned(),
                changes,
                strip: self.strip(&first, boundary, &Direction::along(boundary)).await?,
            });
        }
        Ok(reports)
    }

    /// The correlations of the attributes' `scores`, and the accuracy of every boundary, off the async threads: 100,000 samples take
    /// long.
    async fn correlations_and_accuracies(
        &self,
        samples: SampleScores,
        scores: Array2<f64>,
    ) -> Result<(Array2<f64>, Vec<BoundaryReport>), EditorError> {
        let (attributes, space) = (Arc::clone(&self.attributes), self.space());
        let measure = move || {
            let accuracies = attributes.iter().map(|one| one.accuracy(&samples, space));
            let accuracies = accuracies.collect::<Result<_, LatentError>>()?;
            Ok::<_, LatentError>((correlation(scores.view())?, accuracies))
        };
        Ok(run_blocking(measure).await?)
    }

    /// Small images of a face moved along a direction, from −[`BY`] to [`BY`].
    async fn strip(
        &self,
        face: &LatentCode,
        boundary: &Arc<Boundary>,
        direction: &Direction,
    ) -> Result<Vec<Image>, EditorError> {
        let step = |step: usize| {
            let amount = Amount::By(BY * (2.0 * share(step, STRIP_IMAGES - 1) - 1.0));
            let edit = Edit::new(Arc::clone(boundary), direction.clone(), amount)?;
            Ok(apply(face, &[edit], None)?)
        };
        let codes = (0..STRIP_IMAGES).map(step).collect::<Result<_, EditorError>>()?;
        let mut renderer = Renderer::background(&self.model);
        let faces = renderer.render(codes, RenderOutputs::Images).await?;
        let shrink = move || {
            let images = faces.into_iter().map(|face| shrunk(face.image, STRIP_SIDE));
            images.collect()
        };
        Ok(run_blocking(shrink).await)
    }
}

/// The mean of each column over the first `rows` rows, at least one.
fn means_of_first(scores: ArrayView2<'_, f64>, rows: usize) -> Vec<f64> {
    let first = scores.slice_axis(Axis(0), Slice::from(..rows));
    first.mean_axis(Axis(0)).expect("at least one row").to_vec()
}
