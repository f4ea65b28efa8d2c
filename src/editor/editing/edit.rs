//! The operation *edit*.

use crate::editor::editing::edit_path::{EditDirection, EditPath, edit_paths};
use crate::editor::editing::request::{EditRequest, EditStep};
use crate::editor::editing::score_search::result::ScoreSearchResult;
use crate::editor::editing::score_search::search::{ROUND_IMAGES, ScoreSearch};
use crate::editor::editing::warning::Warning;
use crate::editor::judging::identity::similarities;
use crate::editor::rendering::renderer::{RenderOutputs, Renderer};
use crate::editor::{EditorError, Face, FaceSource, Model};
use crate::engine::Timings;
use crate::latent::{Amount, Edit, LatentCode, LatentSpace, apply};

/// An edited face.
#[derive(Clone, Debug)]
pub struct Edited {
    /// The seed that the code was sampled from, if any.
    pub seed: Option<u32>,
    /// The face before the edit, if the request asked for a comparison.
    pub before: Option<Face>,
    /// How similar the person in each face is to the one before, from −1 to 1. Empty if the model has no identity graph,
    /// or the request asked for no comparison.
    pub similarities: Vec<f64>,
    /// The positions of the trajectory, one for each face; empty without a trajectory.
    pub positions: Vec<f64>,
    /// The faces after the edit: one, or one for each position.
    pub faces: Vec<Face>,
    /// The direction of each step.
    pub directions: Vec<EditDirection>,
    /// The result of the search for a score, if the request has a target score.
    pub score_search: Option<ScoreSearchResult>,
    /// What the caller should know about the result.
    pub warnings: Vec<Warning>,
    /// The time that each part took.
    pub timings: Timings,
}

/// Edits a face.
///
/// # Errors
/// [`EditorError`] if an attribute, a space or an amount does not fit the model, the conditions leave nothing of an edit,
/// the model is overloaded, or a network fails.
pub async fn edit(model: &Model, request: &EditRequest) -> Result<Edited, EditorError> {
    request.check()?;
    let space = request.space.or_else(|| {
        let is_sampled = matches!(request.source, FaceSource::Seed(_));
        (is_sampled && request.layers.is_some()).then_some(LatentSpace::WPlus)
    });
    let mut images = request.images();
    if request.has_target_score() {
        images = images.max(ROUND_IMAGES);
    }
    let mut renderer = Renderer::admit(model, request.truncation, images)?;
    let sources = std::slice::from_ref(&request.source);
    let original = renderer.codes(sources, space).await?.swap_remove(0);
    let (paths, directions) = edit_paths(model, request, original.space())?;

    let mut codes = Vec::with_capacity(request.images());
    if request.with_comparison {
        codes.push(original.clone());
    }
    let mut score_search = None;
    if request.has_target_score() {
        let search = ScoreSearch::new(&mut renderer, request, &paths, &original)?;
        let (code, result) = search.run().await?;
        codes.push(code);
        score_search = Some(result);
    } else if let Some(series) = &request.series {
        for amount in series.amounts() {
            codes.push(moved(&original, &paths, request, Some(amount))?);
        }
    } else {
        codes.push(moved(&original, &paths, request, None)?);
    }
    let outputs = if request.with_comparison {
        RenderOutputs::ScoresAndIdentity
    } else {
        RenderOutputs::Images
    };
    let mut faces = renderer.render(codes, outputs).await?;
    let before = request.with_comparison.then(|| faces.remove(0));
    let similarities = before
        .as_ref()
        .map_or_else(Vec::new, |before| similarities(before, &faces));
    let far = |step: &EditStep| Warning::of_distance(&step.attribute, &faces);
    let mut warnings: Vec<Warning> = request.steps.iter().filter_map(far).collect();
    warnings.extend(score_search.iter().flat_map(ScoreSearchResult::warnings));
    let positions = request
        .series
        .as_ref()
        .map_or_else(Vec::new, |series| series.trajectory.positions());
    Ok(Edited {
        seed: request.source.seed(),
        before,
        similarities,
        positions,
        faces,
        directions,
        score_search,
        warnings,
        timings: renderer.admission.timings(),
    })
}

/// The code after all steps. Steps without their own amount move by `position`.
fn moved(
    original: &LatentCode,
    paths: &[EditPath],
    request: &EditRequest,
    position: Option<Amount>,
) -> Result<LatentCode, EditorError> {
    let edit = |(path, step): (&EditPath, &EditStep)| {
        let amount = step.amount.or(position).ok_or_else(|| EditorError::NoAmount {
            attribute: step.attribute.clone(),
        })?;
        Ok(path.edit(amount)?)
    };
    let steps = paths.iter().zip(&request.steps);
    let edits: Vec<Edit> = steps.map(edit).collect::<Result<_, EditorError>>()?;
    Ok(apply(original, &edits, request.layers)?)
}
