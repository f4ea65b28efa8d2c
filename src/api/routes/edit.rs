//! `/v1/edit` and `/v1/conditional-edit`: a face moved along its attributes' boundaries.

use std::collections::BTreeMap;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::openapi::files::{EditForm, ImageFile};
use crate::api::openapi::problems::{BodyProblems, FaceProblems};
use crate::api::openapi::responses::{Cacheable, FaceAnswer, Fresh, SEED, WARNINGS};
use crate::api::output::{Format, Output};
use crate::api::problem::Problem;
use crate::api::request_body::Query;
use crate::api::response::{Answer, FaceBody, Recipe, bodies, picture};
use crate::api::types::edit_body::{EditBody, EditQuery};
use crate::api::types::score_search::AimBody;
use crate::api::types::values::Space;
use crate::api::{Api, response_cache, upload};
use crate::editor::{self, EditDirection, Edited, Model};

/// An edited face.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EditAnswer {
    /// The model.
    model: String,
    /// SHA-256 of the model's files.
    digest: String,
    /// The face before.
    before: FaceBody,
    /// The face after; one for each position of a trajectory.
    faces: Vec<FaceBody>,
    /// How alike the person is to the one before, −1 to 1, by the model's identity graph: one a face; absent where the
    /// model brings none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    similarities: Vec<f64>,
    /// The positions of the trajectory, one a face; empty without one.
    positions: Vec<f64>,
    /// What the code was moved along, one for each edit.
    steering: Vec<EditDirectionBody>,
    /// What a search for a score came to, where an edit has `to_score`.
    #[serde(skip_serializing_if = "Option::is_none")]
    aim: Option<AimBody>,
    /// What the caller should know.
    warnings: Vec<String>,
}

impl FaceAnswer for EditAnswer {
    const DESCRIPTION: &'static str = "The edited face; several faces of a trajectory share one image.";
    const HEADERS: &'static [(&'static str, &'static str)] = &[SEED, WARNINGS];
}

/// The direction of one edit.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EditDirectionBody {
    /// The attribute.
    attribute: String,
    /// The space of its boundary.
    space: Space,
    /// How much of the boundary's normal was left after projection, 0 to 1: one step along the direction changes the
    /// attribute's signed distance by this.
    retained: f64,
    /// The direction's cosine to the normal of each condition: 0 but for rounding.
    cosines: BTreeMap<String, f64>,
}

impl From<EditDirection> for EditDirectionBody {
    fn from(steering: EditDirection) -> Self {
        Self {
            attribute: steering.attribute,
            space: steering.space.into(),
            retained: steering.retained,
            cosines: steering.cosines,
        }
    }
}

/// Edit a face
///
/// The code is moved along the attributes' boundaries. With a `seed` the answer is the same until a boundary changes, and
/// caches may keep it and ask by its `ETag`.
#[utoipa::path(
    get, path = "/v1/edit", tag = "faces", operation_id = "edit_face_by_url",
    params(EditQuery),
    responses(
        Cacheable<EditAnswer>, FaceProblems,
    )
)]
pub(crate) async fn get_plain(
    State(api): State<Api>,
    headers: HeaderMap,
    Query(query): Query<EditQuery>,
) -> Result<Response, Problem> {
    get(&api, "/v1/edit", &headers, query).await
}

/// Edit a face
///
/// The body is JSON; or a picture of the face, and the URL says the rest, as for GET; or a form with the picture as `file`,
/// and its other fields say the rest.
#[utoipa::path(
    post, path = "/v1/edit", tag = "faces", operation_id = "edit_face",
    request_body(content((EditBody = "application/json"), (inline(ImageFile) = "image/png"), (inline(ImageFile) = "image/jpeg"), (inline(ImageFile) = "image/webp"), (EditForm = "multipart/form-data"))),
    responses(
        Fresh<EditAnswer>, FaceProblems, BodyProblems,
    )
)]
pub(crate) async fn post_plain(State(api): State<Api>, request: Request) -> Result<Response, Problem> {
    post(&api, "/v1/edit", request).await
}

/// Edit a face, other attributes held
///
/// As the plain edit, along the part of the boundary's normal that is orthogonal to every condition's.
#[utoipa::path(
    get, path = "/v1/conditional-edit", tag = "faces", operation_id = "edit_face_conditionally_by_url",
    params(EditQuery),
    responses(
        Cacheable<EditAnswer>, FaceProblems,
    )
)]
pub(crate) async fn get_conditional(
    State(api): State<Api>,
    headers: HeaderMap,
    Query(query): Query<EditQuery>,
) -> Result<Response, Problem> {
    get(&api, CONDITIONAL, &headers, query).await
}

/// Edit a face, other attributes held
///
/// The body is JSON; or a picture of the face, and the URL says the rest, as for GET; or a form with the picture as `file`,
/// and its other fields say the rest.
#[utoipa::path(
    post, path = "/v1/conditional-edit", tag = "faces", operation_id = "edit_face_conditionally",
    request_body(content((EditBody = "application/json"), (inline(ImageFile) = "image/png"), (inline(ImageFile) = "image/jpeg"), (inline(ImageFile) = "image/webp"), (EditForm = "multipart/form-data"))),
    responses(
        Fresh<EditAnswer>, FaceProblems, BodyProblems,
    )
)]
pub(crate) async fn post_conditional(State(api): State<Api>, request: Request) -> Result<Response, Problem> {
    post(&api, CONDITIONAL, request).await
}

const CONDITIONAL: &str = "/v1/conditional-edit";

async fn get(
    api: &Api,
    path: &'static str,
    headers: &HeaderMap,
    query: EditQuery,
) -> Result<Response, Problem> {
    let seeded = query.seed.is_some();
    let answer = edit(api, path, headers, query.try_into()?).await?;
    Ok(if seeded {
        answer.until_changed(headers)
    } else {
        answer.once()
    })
}

async fn post(api: &Api, path: &'static str, request: Request) -> Result<Response, Problem> {
    let headers = request.headers().clone();
    let body = upload::read(request).await?;
    Ok(edit(api, path, &headers, body).await?.once())
}

async fn edit(
    api: &Api,
    path: &'static str,
    headers: &HeaderMap,
    mut body: EditBody,
) -> Result<Answer, Problem> {
    if path == CONDITIONAL {
        body.conditions.get_or_insert_default();
    }
    let presentation = Output::of(body.wishes(), headers)?;
    let model = api.models.get(body.model.as_deref())?;
    body.model = Some(model.name().to_owned());
    if body.is_of_a_picture() {
        // Its code may take minutes to find.
        editor::check_edit(&model, &body.request(api, presentation.format)?)?;
    }
    body.face().take_code(api, &model).await?;
    if body.seed.is_none() {
        return make(api, path, &model, presentation, body).await;
    }
    let key = response_cache::key(path, model.digest(), &body, &presentation);
    let make = make(api, path, &model, presentation, body);
    api.repeats.answer(key, make).await
}

async fn make(
    api: &Api,
    path: &'static str,
    model: &Model,
    presentation: Output,
    mut body: EditBody,
) -> Result<Answer, Problem> {
    let edited = editor::edit(model, &body.request(api, presentation.format)?).await?;

    body.seed = edited.seed;
    let seed = edited.seed;
    let warnings: Vec<String> = edited.warnings.iter().map(ToString::to_string).collect();
    let recipe = Recipe::new(presentation, model, path, &body);
    let (started, timings) = (Instant::now(), edited.timings);
    let answer = match presentation.format {
        format @ (Format::Png | Format::Jpeg | Format::Webp) => {
            Answer::picture(format, picture(edited.faces, presentation, recipe).await?, model)
        }
        Format::Json => Answer::json(
            &answer_body(model, edited, presentation, recipe, warnings.clone()).await?,
            model,
        ),
    };
    let encoding = started.elapsed();
    api.metrics.encoded(encoding);
    let answer = answer.with_seeds(seed).with_warnings(&warnings);
    Ok(answer.with_timings(&timings, encoding))
}

async fn answer_body(
    model: &Model,
    edited: Edited,
    presentation: Output,
    recipe: Option<Recipe>,
    warnings: Vec<String>,
) -> Result<EditAnswer, Problem> {
    let mut faces = edited.faces;
    faces.insert(0, edited.before.expect("JSON answers ask for a comparison"));
    let mut faces = bodies(faces, presentation, recipe).await?;
    Ok(EditAnswer {
        model: model.name().to_owned(),
        digest: model.digest().to_owned(),
        before: faces.remove(0),
        faces,
        similarities: edited.similarities,
        positions: edited.positions,
        aim: edited.score_search.map(Into::into),
        steering: edited.directions.into_iter().map(Into::into).collect(),
        warnings,
    })
}
