//! What is asked of `/v1/edit` and `/v1/conditional-edit`, in JSON and in a URL.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::output::{Compression, Format, Layout, Metadata, OutputOptions};
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::api::types::edit_text::{EditText, TrajectoryText};
use crate::api::types::picture_file::{NamedFace, PictureFile};
use crate::api::types::values::{
    LatentBody, Object, Real, Space, Whole, check_length, face_source, random_seed,
};
use crate::api::upload::Pictured;
use crate::editor::{EditRequest, EditStep, EditorError, Model, PositionKind, Series, TruncationChoice};
use crate::latent::{Amount, LayerRange, Trajectory};

/// What to edit. Without `seed`, `latent` and `image`, a seed is drawn and given back.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(examples(
    json!({"seed": 7, "edits": [{"attribute": "smile", "by": 3}]}),
    json!({"seed": 7, "space": "z", "edits": [{"attribute": "age", "by": 3}], "conditions": ["eyeglasses"]}),
    json!({"seed": 7, "edits": [{"attribute": "smile", "to_score": 0.9}], "conditions": ["age"]}),
    json!({"seed": 7, "edits": [{"attribute": "age"}], "trajectory": {"start": -3, "end": 3, "steps": 7}, "layout": "strip"})
))]
pub(crate) struct EditBody {
    /// The model; the default one if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<String>,
    /// The face that `numpy.random.RandomState(seed).randn(1, z_dim)` means to this model.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>, maximum = 4_294_967_295u64)]
    pub(crate) seed: Option<u32>,
    /// A code to edit instead of a seed's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<LatentBody>)]
    latent: Option<Object<LatentBody>>,
    /// A picture of the face instead: a PNG, JPEG, WebP, GIF or BMP file, at most 20 MiB and 25 million pixels. A PNG that this
    /// model made carries its code; any other picture is inverted first, as `/v1/invert` does it.
    #[serde(skip_serializing)]
    #[schema(value_type = Option<String>, content_encoding = "base64")]
    image: Option<PictureFile>,
    /// The space of the move. If left out, a code's own; for a seed the model's default, or w+ where `layers` are given.
    #[serde(skip_serializing_if = "Option::is_none")]
    space: Option<Space>,
    /// Truncation where z is mapped to w: 1 is none, 0 the mean face; the model's own if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = -2, maximum = 2)]
    psi: Option<f64>,
    /// How many of the first layers are truncated; the model's own number, or all, if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    truncation_layers: Option<usize>,
    /// The moves, all made together; at least one.
    #[schema(value_type = Vec<EditItem>, required, min_items = 1, max_items = 64)]
    edits: Vec<Object<EditItem>>,
    /// Attributes to hold: every move is made orthogonal to their boundaries. At least one for
    /// `/v1/conditional-edit`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 64)]
    pub(crate) conditions: Option<Vec<String>>,
    /// The layers of w+ that move, counted from 0: `"3"`, `"0-3"`; all if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "0-3", pattern = "^[0-9]+(-[0-9]+)?$")]
    layers: Option<String>,
    /// Several faces instead of one; edits without an amount follow it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<TrajectoryBody>)]
    trajectory: Option<Object<TrajectoryBody>>,
    /// The kind of answer; `Accept` decides if left out.
    #[serde(skip_serializing)]
    format: Option<Format>,
    /// How several faces share a picture.
    #[serde(skip_serializing)]
    layout: Option<Layout>,
    /// What a PNG says of itself.
    #[serde(skip_serializing)]
    metadata: Option<Metadata>,
    /// How small a PNG is made.
    #[serde(skip_serializing)]
    compression: Option<Compression>,
    /// How much of the picture a JPEG or WebP keeps; 90 if left out.
    #[serde(skip_serializing)]
    #[schema(minimum = 1, maximum = 100)]
    quality: Option<u8>,
}

/// One attribute's move: `by`, `to` or `to_score`, or none of them where a trajectory says how far.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EditItem {
    /// The attribute.
    pub(crate) attribute: String,
    /// How far along the direction, towards the positive side where it is above 0; −3 to 3 is usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = -1000, maximum = 1000)]
    pub(crate) by: Option<f64>,
    /// The signed distance from the attribute's boundary to end at; 0 is on the plane.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = -1000, maximum = 1000)]
    pub(crate) to: Option<f64>,
    /// The score to end at, by the attribute's classifier: a probability above 0 and below 1 where it gives logits or
    /// probabilities, a value otherwise. The distance is searched for, and every condition's score is held where it was.
    /// By one edit alone, and without a trajectory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) to_score: Option<f64>,
}

/// Evenly spaced positions, both ends among them.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TrajectoryBody {
    /// The first position; −3 if left out.
    #[schema(minimum = -1000, maximum = 1000)]
    pub(crate) start: f64,
    /// The last position; 3 if left out.
    #[schema(minimum = -1000, maximum = 1000)]
    pub(crate) end: f64,
    /// How many faces; 10 if left out.
    #[schema(minimum = 1)]
    pub(crate) steps: u32,
    /// Whether the positions are amounts to move by, or signed distances to move to; by if left out.
    #[serde(rename = "move")]
    pub(crate) moves: Move,
}

impl Default for TrajectoryBody {
    fn default() -> Self {
        let usual = Trajectory::default();
        Self {
            start: usual.start(),
            end: usual.end(),
            steps: usual.steps(),
            moves: Move::By,
        }
    }
}

/// What the positions of a trajectory are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Move {
    /// Amounts to move by: 0 is the face as it was.
    By,
    /// Signed distances to move to: 0 is on the plane.
    To,
}

/// What to edit, in a URL.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EditQuery {
    /// The model; the default one if left out.
    model: Option<String>,
    /// The face that `numpy.random.RandomState(seed).randn(1, z_dim)` means to this model; one is drawn, and given
    /// back in `Faceplane-Seed`, if left out.
    #[param(value_type = Option<u64>, maximum = 4_294_967_295u64, example = 7)]
    pub(crate) seed: Option<Whole>,
    /// The space of the move. If left out, the model's default, or w+ where `layers` are given.
    space: Option<Space>,
    /// Truncation where z is mapped to w: 1 is none, 0 the mean face; the model's own if left out.
    #[param(value_type = Option<f64>, minimum = -2, maximum = 2)]
    psi: Option<Real>,
    /// How many of the first layers are truncated.
    #[param(value_type = Option<u32>, minimum = 1)]
    truncation_layers: Option<Whole>,
    /// A move: `smile:2` is by 2, `smile:to:2` to the signed distance 2, `smile:to_score:0.9` to where the classifier
    /// says 0.9, `smile` follows the trajectory. Several
    /// are made together.
    #[serde(default)]
    #[param(value_type = Vec<String>, required, min_items = 1, example = json!(["smile:3"]))]
    edit: Vec<EditText>,
    /// An attribute to hold; several may be given. At least one for `/v1/conditional-edit`.
    #[serde(default)]
    #[param(example = json!(["eyeglasses"]))]
    condition: Vec<String>,
    /// The layers of w+ that move, counted from 0: `3`, `0-3`; all if left out.
    #[param(pattern = "^[0-9]+(-[0-9]+)?$")]
    layers: Option<String>,
    /// Several faces instead of one: `start:end:steps`, such as `-3:3:7`.
    #[param(value_type = Option<String>, pattern = "^[^:]+:[^:]+:[0-9]+$")]
    trajectory: Option<TrajectoryText>,
    /// Whether the trajectory's positions are amounts to move by, or signed distances to move to; by if left out.
    #[serde(rename = "move")]
    moves: Option<Move>,
    /// The kind of answer; `Accept` decides if left out.
    format: Option<Format>,
    /// How several faces share a picture.
    layout: Option<Layout>,
    /// What a PNG says of itself.
    metadata: Option<Metadata>,
    /// How small a PNG is made.
    compression: Option<Compression>,
    /// How much of the picture a JPEG or WebP keeps; 90 if left out.
    #[param(minimum = 1, maximum = 100)]
    quality: Option<u8>,
}

impl TryFrom<EditQuery> for EditBody {
    type Error = Problem;

    fn try_from(query: EditQuery) -> Result<Self, Problem> {
        let mut trajectory = query.trajectory.map(|text| text.0);
        match (&mut trajectory, query.moves) {
            (Some(trajectory), Some(moves)) => trajectory.moves = moves,
            (None, Some(_)) => {
                return Err(Problem::field(
                    "move",
                    "found it without a trajectory; give one, such as trajectory=-3:3:7",
                ));
            }
            (_, None) => {}
        }
        Ok(Self {
            model: query.model,
            seed: query.seed.map(|seed| seed.0),
            latent: None,
            image: None,
            space: query.space,
            psi: query.psi.map(|psi| psi.0),
            truncation_layers: query.truncation_layers.map(|layers| layers.0 as usize),
            edits: query.edit.into_iter().map(|edit| Object(edit.0)).collect(),
            conditions: (!query.condition.is_empty()).then_some(query.condition),
            layers: query.layers,
            trajectory: trajectory.map(Object),
            format: query.format,
            layout: query.layout,
            metadata: query.metadata,
            compression: query.compression,
            quality: query.quality,
        })
    }
}

impl Pictured for EditBody {
    type Query = EditQuery;

    fn asked(query: EditQuery) -> Result<Self, Problem> {
        query.try_into()
    }

    fn image(&mut self) -> &mut Option<PictureFile> {
        &mut self.image
    }
}

impl EditBody {
    pub(crate) fn face(&mut self) -> NamedFace<'_> {
        NamedFace {
            image: &mut self.image,
            seed: self.seed,
            latent: &mut self.latent,
            psi: &mut self.psi,
            truncation_layers: &mut self.truncation_layers,
        }
    }

    /// Names the model, and chooses a seed if the request has neither a seed nor a code.
    pub(crate) fn complete(&mut self, model: &Model) -> Result<(), Problem> {
        self.model = Some(model.name().to_owned());
        if self.seed.is_none() && self.latent.is_none() {
            self.seed = Some(random_seed()?);
        }
        Ok(())
    }

    /// Whether a picture says which face is meant.
    pub(crate) fn is_of_a_picture(&self) -> bool {
        self.image.is_some()
    }

    pub(crate) fn wishes(&self) -> OutputOptions {
        OutputOptions {
            format: self.format,
            layout: self.layout,
            metadata: self.metadata,
            compression: self.compression,
            quality: self.quality,
        }
    }

    pub(crate) fn request(&self, api: &Api, format: Format) -> Result<EditRequest, Problem> {
        check_length("edits", self.edits.len())?;
        check_length("conditions", self.conditions.as_ref().map_or(0, Vec::len))?;
        let step = |(place, Object(item)): (usize, &Object<EditItem>)| {
            let amount = match (item.by, item.to, item.to_score) {
                (Some(by), None, None) => Some(Amount::By(by)),
                (None, Some(to), None) => Some(Amount::To(to)),
                (None, None, _) => None,
                _ => {
                    let reason = "found several of by, to and to_score, expected one of them";
                    return Err(Problem::field(format!("edits[{place}]"), reason));
                }
            };
            Ok(EditStep {
                attribute: item.attribute.clone(),
                amount,
                score: item.to_score,
            })
        };
        let series = self.trajectory.as_ref().map(|Object(body)| {
            api.check_count("trajectory.steps", body.steps)?;
            let trajectory = Trajectory::new(body.start, body.end, body.steps).map_err(EditorError::from)?;
            let kind = match body.moves {
                Move::By => PositionKind::By,
                Move::To => PositionKind::To,
            };
            Ok::<_, Problem>(Series { trajectory, kind })
        });
        let layers = self.layers.as_deref().map(str::parse::<LayerRange>).transpose();
        Ok(EditRequest {
            source: face_source(self.seed, self.latent.as_ref())?,
            space: self.space.map(Into::into),
            truncation: TruncationChoice {
                psi: self.psi,
                layers: self.truncation_layers,
            },
            steps: self
                .edits
                .iter()
                .enumerate()
                .map(step)
                .collect::<Result<_, _>>()?,
            conditions: self.conditions.clone(),
            layers: layers.map_err(|error| Problem::field("layers", error.to_string()))?,
            series: series.transpose()?,
            with_comparison: format == Format::Json,
        })
    }
}
