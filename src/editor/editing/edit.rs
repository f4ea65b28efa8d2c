//! The operation *edit*.

use ndarray::Array2;

use crate::editor::editing::edit_path::{EditDirection, PlannedEdit, plan_edits};
use crate::editor::editing::gradient_walk::gradient_edit::{
    GradientEdit, check_space, gradient_edit, walked_attributes,
};
use crate::editor::editing::gradient_walk::result::Walk;
use crate::editor::editing::request::{Along, EditRequest, EditStep};
use crate::editor::editing::score_search::result::ScoreSearchResult;
use crate::editor::editing::score_search::scored_attribute::scored_attributes;
use crate::editor::editing::score_search::search::{ROUND_IMAGES, ScoreSearch};
use crate::editor::editing::warning::Warning;
use crate::editor::editing::way::far_along_way;
use crate::editor::judging::identity::similarities;
use crate::editor::rendering::face_channel::FaceSender;
use crate::editor::rendering::latent_source::check_conversion;
use crate::editor::rendering::renderer::{RenderOutputs, Renderer};
use crate::editor::{EditorError, Face, Model};
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
    /// The faces after the edit: one, or one for each position; none if they were sent one by one.
    pub faces: Vec<Face>,
    /// The direction of each step.
    pub directions: Vec<EditDirection>,
    /// The result of the search for a score, if the request has a target score.
    pub score_search: Option<ScoreSearchResult>,
    /// The walks, if the edit follows a gradient: one, or one for each side of a trajectory.
    pub walks: Vec<Walk>,
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
    edit_to(model, request, None).await
}

/// The same; with a `sender`, the faces after the edit are sent there as they are made. They are compared with nothing then.
///
/// # Errors
/// As [`edit`].
pub async fn edit_to(
    model: &Model,
    request: &EditRequest,
    sender: Option<FaceSender>,
) -> Result<Edited, EditorError> {
    request.check()?;
    let space = request.space.or_else(|| {
        let is_sampled = request.source.seed().is_some();
        (is_sampled && request.has_layers()).then_some(LatentSpace::WPlus)
    });
    let mut images = request.images();
    if request.has_target_score() {
        images = images.max(ROUND_IMAGES);
    }
    let with_comparison = request.with_comparison && sender.is_none();
    let renderer = match request.moves_along() {
        Along::Normal => Renderer::admit(model, request.truncation, images)?,
        Along::Gradient => {
            walked_attributes(model, request)?;
            let renderer = Renderer::admit_walk(model, request.truncation, images)?;
            model.engine().open_score_gradients().await?;
            renderer
        }
    };
    let mut renderer = renderer.sending_to(sender);
    let sources = std::slice::from_ref(&request.source);
    let original = renderer.codes(sources, space).await?.swap_remove(0);
    let mut moved = match request.moves_along() {
        Along::Normal => along_normals(&mut renderer, request, &original).await?,
        Along::Gradient => {
            let GradientEdit { codes, walks } = gradient_edit(&mut renderer, request, &original).await?;
            Moved {
                codes,
                walks,
                ..Moved::default()
            }
        }
    };
    if with_comparison {
        moved.codes.insert(0, original.clone());
    }
    let outputs = if with_comparison {
        RenderOutputs::ScoresAndIdentity
    } else {
        RenderOutputs::Images
    };
    let mut faces = renderer.render(moved.codes, outputs).await?;
    let before = with_comparison.then(|| faces.remove(0));
    let similarities = before
        .as_ref()
        .map_or_else(Vec::new, |before| similarities(before, &faces));
    let mut warnings = Vec::new();
    for edit in &moved.edits {
        warnings.extend(edit.far_from_samples(&original, faces.iter().map(|face| &face.code))?);
    }
    if warnings.is_empty() && !request.moves_along_one_normal() {
        let ways = faces.iter().map(|face| (&original, &face.code));
        warnings.extend(far_along_way(model, ways).await);
    }
    warnings.extend(moved.score_search.iter().flat_map(Warning::of_search));
    warnings.extend(moved.walks.iter().flat_map(Warning::of_walk));
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
        directions: moved.edits.into_iter().map(|edit| edit.report).collect(),
        score_search: moved.score_search,
        walks: moved.walks,
        warnings,
        timings: renderer.admission.timings(),
    })
}

/// The edited codes, and how they were found.
#[derive(Default)]
struct Moved {
    codes: Vec<LatentCode>,
    edits: Vec<PlannedEdit>,
    score_search: Option<ScoreSearchResult>,
    walks: Vec<Walk>,
}

/// Moves `original` along the normals of boundaries.
async fn along_normals(
    renderer: &mut Renderer<'_>,
    request: &EditRequest,
    original: &LatentCode,
) -> Result<Moved, EditorError> {
    let edits = plan_edits(renderer.model(), request, original.space()).await?;
    let (mut codes, mut score_search) = (Vec::with_capacity(request.images()), None);
    if request.has_target_score() {
        let search = ScoreSearch::new(renderer, request, &edits, original)?;
        let (code, result) = search.run().await?;
        codes.push(code);
        score_search = Some(result);
    } else {
        for position in request.positions() {
            codes.push(self::moved(original, &edits, request, position)?);
        }
    }
    Ok(Moved {
        codes,
        edits,
        score_search,
        walks: Vec::new(),
    })
}

/// Checks everything that does not depend on the face, for a face with a code in `space`, which is found later.
///
/// [`edit`] checks it again. Callers check it first if the code takes long to find.
///
/// # Errors
/// The first of the errors that [`edit`] returns before it runs a network.
pub async fn check_edit(model: &Model, request: &EditRequest, space: LatentSpace) -> Result<(), EditorError> {
    request.check()?;
    let space = check_conversion(model, space, request.space)?;
    if request.moves_along() == Along::Gradient {
        walked_attributes(model, request)?;
        check_space(space)?;
        origin_of(model, space)?.rows(request.layers_of(&request.steps[0]))?;
        return Ok(model.engine().open_score_gradients().await?);
    }
    let edits = plan_edits(model, request, space).await?;
    // Any code of the space shows whether the layers exist and the distances can be reached together.
    let origin = origin_of(model, space)?;
    if request.has_target_score() {
        let path = &edits[0].path;
        origin.rows(path.layers)?;
        return scored_attributes(model, request, path, space).map(|_| ());
    }
    for position in request.positions() {
        moved(&origin, &edits, request, position)?;
    }
    Ok(())
}

fn origin_of(model: &Model, space: LatentSpace) -> Result<LatentCode, EditorError> {
    let (rows, columns) = model.code_shape(space)?;
    Ok(LatentCode::new(space, Array2::zeros((rows, columns)))?)
}

/// The code after all steps. Steps without their own amount move by `position`.
pub(crate) fn moved(
    original: &LatentCode,
    edits: &[PlannedEdit],
    request: &EditRequest,
    position: Option<Amount>,
) -> Result<LatentCode, EditorError> {
    let edit = |(edit, step): (&PlannedEdit, &EditStep)| {
        let amount = step.amount.or(position).ok_or_else(|| EditorError::NoAmount {
            attribute: step.attribute.clone(),
        })?;
        Ok(edit.path.edit(amount.in_units_of(edit.report.unit))?)
    };
    let steps = edits.iter().zip(&request.steps);
    let edits: Vec<Edit> = steps.map(edit).collect::<Result<_, EditorError>>()?;
    Ok(apply(original, &edits, None)?)
}
