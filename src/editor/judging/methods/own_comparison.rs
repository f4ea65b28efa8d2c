//! The comparison of a report: which methods, which faces, and the samples that give the units.

use std::ops::ControlFlow;
use std::sync::Arc;

use ndarray::{Array2, ArrayView2, Axis};

use crate::editor::blocking::run_blocking;
use crate::editor::judging::methods::comparison::{
    Comparison, FACES_AT_ONCE, FaceCounts, planned_images, true_values,
};
use crate::editor::judging::methods::components::{SAMPLES, without_labels};
use crate::editor::judging::methods::effect::MethodReport;
use crate::editor::judging::methods::faces::{CodesBySpace, linear_scores};
use crate::editor::judging::methods::manipulation_inversion::InvertedFaces;
use crate::editor::judging::methods::method::{Method, PlaneSet, methods_of};
use crate::editor::judging::methods::style_channels::StyleChannels;
use crate::editor::judging::methods::truth::KnownTruth;
use crate::editor::judging::methods::walk::LINE_IMAGES;
use crate::editor::{EditorError, Model, ReportRequest};
use crate::latent::{
    Boundary, BoundaryFit, CodesToFit, FitMethod, LatentCode, LatentSpace, Provenance, SharedCodes,
};

/// Most samples that give the units of a walk and the correlations of directions without labels.
const MOST_KNOWN: usize = 2000;
/// Samples whose true values give the true directions and their units.
const TRUE_SAMPLES: usize = 20_000;
/// Codes whose truth is computed at the same time.
const TRUE_BATCH: usize = 1000;

/// What a report compares besides the methods that the model has.
#[derive(Default)]
pub struct Comparisons {
    /// The graph that knows the truth, and how many faces are moved for it.
    pub truth: Option<(KnownTruth, usize)>,
    /// Fits of the report's own samples, with the name of each.
    pub fits: Vec<(String, BoundaryFit)>,
}

impl Comparisons {
    fn faces(&self, request: &ReportRequest) -> FaceCounts {
        FaceCounts {
            by_score: request.compared,
            by_truth: self.truth.as_ref().map_or(0, |&(_, faces)| faces),
        }
    }

    /// The most memory that the comparison of a report of the service takes, in bytes: codes in z and w, the walks of some faces, and
    /// principal components, and styles.
    pub(crate) fn memory(model: &Arc<Model>) -> usize {
        let shape = model.shape();
        let known = MOST_KNOWN * (shape.z_dim + shape.w_dim);
        let walked = FACES_AT_ONCE * LINE_IMAGES * shape.synthesis_rows() * shape.w_dim;
        let components = SAMPLES * shape.w_dim;
        let components = components * size_of::<f32>() + 4 * shape.w_dim * shape.w_dim * size_of::<f64>();
        (known + walked) * size_of::<f32>() + components + StyleChannels::new(model, 0).memory()
    }

    /// About how many images the comparison synthesizes.
    pub(crate) fn images(&self, model: &Arc<Model>, request: &ReportRequest) -> usize {
        // In each space with boundaries, and in s: plain, and with others held. Two methods without labels.
        let has = |space: &LatentSpace| model.boundaries().iter().any(|one| one.space() == *space);
        let spaces = [LatentSpace::Z, LatentSpace::W, LatentSpace::WPlus];
        let spaces = spaces.into_iter().filter(has).count();
        let fitted = 2 * self.fits.len() + if self.truth.is_some() { 2 } else { 0 };
        let styles = usize::from(model.shape().styles.is_ok());
        let lines = 2 * (spaces + styles + fitted) + 2;
        let ranked = StyleChannels::new(model, request.seed).images();
        ranked + planned_images(model, lines, 2, self.faces(request))
    }

    /// Compares the methods. `scores` are those of the report's samples.
    ///
    /// # Errors
    /// [`EditorError`] if a network or a fit fails.
    pub(crate) async fn run(
        &self,
        model: &Arc<Model>,
        request: &ReportRequest,
        scores: ArrayView2<'_, f32>,
        mut on_images: impl FnMut(usize),
    ) -> Result<(Vec<MethodReport>, Option<InvertedFaces>), EditorError> {
        let scores = linear_scores(model, scores);
        let known = if self.fits.is_empty() {
            scores.nrows().min(MOST_KNOWN)
        } else {
            scores.nrows()
        };
        let codes = Arc::new(CodesBySpace::sample(model, request.seed, known).await?);
        let first = scores.select(Axis(0), &(0..known).collect::<Vec<_>>());
        let mut fitted = Vec::new();
        for (name, fit) in &self.fits {
            fitted.push(fitted_set(model, &codes, &first, name, *fit).await?);
        }
        let mut truth = None;
        if let Some((graph, _)) = &self.truth {
            let (set, deviations) = true_directions(model, graph, request.seed).await?;
            fitted.push(set);
            truth = Some((graph.clone(), deviations));
        }
        // A graph that cannot be differentiated is no error here.
        let has_gradient = model.engine().open_score_gradients().await.is_ok();
        let mut methods = methods_of(model, &fitted, &codes, has_gradient)?;
        let styles = StyleChannels::new(model, request.seed);
        methods.extend(styles.methods(&mut on_images).await?);
        methods.extend(without_labels(model, &codes, &first).await?);
        keep_judged(&mut methods, model);
        let comparison = Comparison {
            model: Arc::clone(model),
            faces: self.faces(request),
            // Other faces than the samples, so that no boundary was fitted to them.
            seed: request.seed.wrapping_add(1),
            deviations: scores.std_axis(Axis(0), 0.0).to_vec(),
            truth,
            on_images,
            images: styles.images(),
        };
        comparison.run(&methods).await
    }
}

/// Whether the attribute of each output is judged: those with a boundary of the model, or all if none has one. Means of methods can
/// only be compared over the same attributes.
fn judged(model: &Model) -> Vec<bool> {
    let has_boundary = |attribute: &str| model.boundaries().iter().any(|one| one.attribute() == attribute);
    let judged: Vec<bool> = model.classifiers().attributes().map(has_boundary).collect();
    if judged.contains(&true) {
        judged
    } else {
        vec![true; judged.len()]
    }
}

/// Leaves out walks of attributes that are not judged, and methods without a walk.
fn keep_judged(methods: &mut Vec<Method>, model: &Model) {
    let judged = judged(model);
    for method in methods.iter_mut() {
        for (walk, _) in method
            .walks
            .iter_mut()
            .zip(&judged)
            .filter(|(_, judged)| !**judged)
        {
            *walk = None;
        }
    }
    methods.retain(|method| method.walks.iter().any(Option::is_some));
}

/// The boundaries that `fit` finds in the report's samples, in each space that samples have.
async fn fitted_set(
    model: &Arc<Model>,
    codes: &Arc<CodesBySpace>,
    scores: &Array2<f64>,
    name: &str,
    fit: BoundaryFit,
) -> Result<PlaneSet, EditorError> {
    let thresholds = model
        .outputs()
        .iter()
        .map(|output| (output.attribute.clone(), output.threshold));
    let attributes: Vec<_> = thresholds
        .zip(judged(model))
        .enumerate()
        .filter(|(_, (_, judged))| *judged)
        .collect();
    let (model, codes, scores) = (Arc::clone(model), Arc::clone(codes), scores.clone());
    let fit_all = move || {
        let mut boundaries = Vec::new();
        for space in model.sampled_spaces() {
            let shared = SharedCodes::default();
            for (column, ((attribute, threshold), _)) in &attributes {
                let fit = BoundaryFit {
                    threshold: Some(*threshold),
                    ..fit
                };
                boundaries.push(fitted(
                    attribute,
                    space,
                    &codes,
                    &shared,
                    scores.column(*column),
                    fit,
                )?);
            }
        }
        Ok::<_, EditorError>(boundaries)
    };
    Ok(PlaneSet {
        name: name.to_owned(),
        boundaries: run_blocking(fit_all).await?,
    })
}

fn fitted(
    attribute: &str,
    space: LatentSpace,
    codes: &CodesBySpace,
    shared: &SharedCodes,
    scores: ndarray::ArrayView1<'_, f64>,
    fit: BoundaryFit,
) -> Result<Arc<Boundary>, EditorError> {
    let rows = CodesToFit::shared(codes.rows(space).insert_axis(Axis(1)), shared);
    let never_cancel = |_| ControlFlow::Continue(());
    let known = Provenance::default();
    let found = fit.fit(attribute, space, rows, scores, known, never_cancel)?;
    Ok(Arc::new(found))
}

/// The directions that are most correlated with the truth, and the standard deviations of the true values.
async fn true_directions(
    model: &Arc<Model>,
    truth: &KnownTruth,
    seed: u32,
) -> Result<(PlaneSet, Vec<f64>), EditorError> {
    let codes = CodesBySpace::sample(model, seed, TRUE_SAMPLES).await?;
    let space = model.shape().synthesis_space();
    let mut values: Option<Array2<f64>> = None;
    for first in (0..TRUE_SAMPLES).step_by(TRUE_BATCH) {
        let part = (first..TRUE_SAMPLES.min(first + TRUE_BATCH)).map(|sample| codes.code(space, sample));
        let part: Vec<LatentCode> = part.collect::<Result<_, _>>()?;
        let part = true_values(model, truth, &part).await?;
        match &mut values {
            Some(values) => values
                .append(Axis(0), part.view())
                .expect("a column for each attribute"),
            None => values = Some(part),
        }
    }
    let values = values.expect("there are samples");
    let deviations = values.std_axis(Axis(0), 0.0).to_vec();
    let fit = BoundaryFit {
        method: FitMethod::LeastSquares,
        ..BoundaryFit::default()
    };
    let names: Vec<String> = model.classifiers().attributes().map(str::to_owned).collect();
    let spaces = model.sampled_spaces();
    let fit_all = move || {
        let mut boundaries = Vec::new();
        for space in spaces {
            let shared = SharedCodes::default();
            for (attribute, column) in names.iter().zip(values.axis_iter(Axis(1))) {
                boundaries.push(fitted(attribute, space, &codes, &shared, column, fit)?);
            }
        }
        Ok::<_, EditorError>(boundaries)
    };
    let set = PlaneSet {
        name: "true direction".to_owned(),
        boundaries: run_blocking(fit_all).await?,
    };
    Ok((set, deviations))
}
