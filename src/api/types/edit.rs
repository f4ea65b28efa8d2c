//! The requests of `/v1/edit` and `/v1/conditional-edit`.

use crate::api::decode::declare::fields;
use crate::api::decode::fields::{Group, Unrecorded};
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::api::types::along::Along;
use crate::api::types::attribute_edit::AttributeEdit;
use crate::api::types::easing::Easing;
use crate::api::types::face::{FaceInput, TruncationInput};
use crate::api::types::form::form;
use crate::api::types::layers::Layers;
use crate::api::types::list::List;
use crate::api::types::output_options::{Format, OutputOptions};
use crate::api::types::space::Space;
use crate::api::types::text::Name;
use crate::api::types::trajectory::TrajectoryInput;
use crate::api::types::unit::Unit;
use crate::api::types::uploaded_image::{HasImage, UploadedImage};
use crate::editor::{self, EditRequest, FaceSource, ManyFaces};

/// The most edits of a request, and the most conditions. Every edit is projected off every condition, and all are solved together.
const MOST: usize = 64;

fields! {
    /// A face, and the edits to make.
    pub(crate) struct FaceEdits {
        /// The model. Default: the service's default model.
        model: Option<Name>,
        face: Group<FaceInput>,
        /// The space of the edit. Default: the given code's space; for a seed the model's default space, or w+ if the request or an edit
        /// has `layers`.
        space: Option<Space>,
        truncation: Group<TruncationInput>,
        /// The edits, all made together. Default: none, which gives the face itself.
        edits ["edits", "edit"]: Option<List<AttributeEdit, 0, MOST>> = ["smile:3"],
        /// What the face moves along. Default: `normal`.
        along: Option<Along>,
        /// The unit of every `by` and `to`, and of the trajectory's positions. Default: `distance`.
        unit: Option<Unit>,
        /// The layers of w+ to edit, counted from 0: `3`, or `0-3`, for edits without `layers` of their own. Default: all.
        layers: Option<Layers>,
        /// Several faces instead of one. Edits without an amount follow the trajectory.
        trajectory: Option<TrajectoryInput>,
        /// How the positions of the trajectory are spaced, as the speed of an animation. Default: `linear`.
        easing: Option<Easing>,
    }
}

fields! {
    /// A face to edit.
    #[examples(
        serde_json::json!({"seed": 7, "edits": [{"attribute": "smile", "by": 3}]}),
        serde_json::json!({"seed": 7, "space": "z", "edits": [{"attribute": "age", "by": 3}], "conditions": ["eyeglasses"]}),
        serde_json::json!({"seed": 7, "edits": [{"attribute": "smile", "to_score": 0.9}], "conditions": ["age"]}),
        serde_json::json!({"seed": 7, "edits": [{"attribute": "smile", "by": 2, "layers": "0-3"}, {"attribute": "age", "by": 1}], "unit": "deviation"}),
        serde_json::json!({"seeds": [85, 265, 297], "edits": [{"attribute": "smile", "by": 2}], "pictures": "none"}),
        serde_json::json!({"seed": 7, "edits": [{"attribute": "age"}], "trajectory": {"start": -3, "end": 3, "steps": 7}, "layout": "strip"}),
    )]
    pub(crate) struct EditInput {
        common: Group<FaceEdits>,
        /// Attributes to hold: every edit's direction is made orthogonal to the normals of their boundaries and, along a gradient, to
        /// the gradients of their scores. Default: none.
        conditions ["conditions", "condition"]: Option<List<Name, 0, MOST>> = ["eyeglasses"],
        output: Unrecorded<OutputOptions>,
    }
}

fields! {
    /// A face to edit while other attributes are held.
    #[examples(
        serde_json::json!({"seed": 7, "space": "z", "edits": [{"attribute": "age", "by": 3}], "conditions": ["eyeglasses"]}),
        serde_json::json!({"seed": 7, "edits": [{"attribute": "smile", "to_score": 0.9}], "conditions": ["age"]}),
    )]
    pub(crate) struct ConditionalEditInput {
        common: Group<FaceEdits>,
        /// Attributes to hold: every edit's direction is made orthogonal to the normals of their boundaries and, along a gradient, to
        /// the gradients of their scores. Default: none, which is the plain edit.
        conditions ["conditions", "condition"]: Option<List<Name, 0, MOST>> = ["eyeglasses"],
        output: Unrecorded<OutputOptions>,
    }
}

form!(EditForm of EditInput: "An image of the face to edit, as a file; the other fields are those of the URL.");
form!(ConditionalEditForm of ConditionalEditInput: "An image of the face to edit, as a file; the other fields are those of the URL.");

impl From<ConditionalEditInput> for EditInput {
    fn from(input: ConditionalEditInput) -> Self {
        Self {
            common: input.common,
            conditions: input.conditions,
            output: input.output,
        }
    }
}

impl HasImage for EditInput {
    fn set_image(&mut self, file: UploadedImage) {
        self.common.face.image = Some(file);
    }

    fn take_image(&mut self) -> Option<UploadedImage> {
        self.common.face.image.take()
    }
}

impl HasImage for ConditionalEditInput {
    fn set_image(&mut self, file: UploadedImage) {
        self.common.face.image = Some(file);
    }

    fn take_image(&mut self) -> Option<UploadedImage> {
        self.common.face.image.take()
    }
}

impl EditInput {
    /// The editor's request for one face.
    pub(crate) fn request(&self, api: &Api, format: Format) -> Result<EditRequest, Problem> {
        let source = self.common.face.code.source()?;
        let check = |field: &str, count| api.check_count(field, count);
        self.edit_of(source, check, format == Format::Json)
    }

    /// The editor's request for several faces, if `check` accepts their number.
    pub(crate) fn many(
        &self,
        check: impl Fn(&str, usize) -> Result<(), Problem>,
    ) -> Result<ManyFaces, Problem> {
        let common = &self.common;
        let sources = common.face.code.faces()?.sources();
        check(common.face.code.field_of_many(), sources.len())?;
        let edit = self.edit_of(sources[0].clone(), &check, false)?;
        if edit.moves_along() == editor::Along::Gradient {
            let reason = "found gradient for several faces, or for one without its picture; expected normal, or one face with its picture in each request";
            return Err(Problem::field("along", reason));
        }
        if edit.steps.iter().any(|step| step.score.is_some()) {
            let reason = "found to_score for several faces, or for one without its picture; expected by or to, or one face with its picture in each request";
            return Err(Problem::field("edits", reason));
        }
        let request = ManyFaces {
            sources,
            space: common.space.map(Into::into),
            truncation: common.truncation.choice(),
            edit: Some(edit),
        };
        check("trajectory.steps", request.count())?;
        Ok(request)
    }

    fn edit_of(
        &self,
        source: FaceSource,
        check: impl Fn(&str, usize) -> Result<(), Problem>,
        with_comparison: bool,
    ) -> Result<EditRequest, Problem> {
        let FaceEdits {
            space,
            truncation,
            edits,
            along,
            unit,
            layers,
            trajectory,
            easing,
            ..
        } = &self.common.0;
        if easing.is_some() && trajectory.is_none() {
            let reason = "found it without a trajectory, expected a trajectory beside it";
            return Err(Problem::field("easing", reason));
        }
        let steps = edits.iter().flat_map(|List(edits)| edits).enumerate();
        let series = trajectory
            .as_ref()
            .map(|trajectory| trajectory.series(*easing, check));
        let conditions = self.conditions.iter().flat_map(|List(names)| names);
        Ok(EditRequest {
            source,
            space: space.map(Into::into),
            truncation: truncation.choice(),
            steps: steps
                .map(|(index, edit)| edit.step(index))
                .collect::<Result<_, _>>()?,
            unit: unit.map(Into::into).unwrap_or_default(),
            along: along.map_or_else(editor::Along::default, Into::into),
            conditions: conditions.map(|name| name.0.clone()).collect(),
            layers: layers.map(|layers| layers.0),
            series: series.transpose()?,
            with_comparison,
        })
    }
}
