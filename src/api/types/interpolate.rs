//! The request of `/v1/interpolate`.

use crate::api::decode::declare::fields;
use crate::api::decode::fields::{Group, Unrecorded};
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::api::types::easing::Easing;
use crate::api::types::face::TruncationInput;
use crate::api::types::faces::{Faces, HasFaces};
use crate::api::types::flag::Flag;
use crate::api::types::number::{Integer, MOST_U32};
use crate::api::types::output_options::{Format, OutputOptions};
use crate::api::types::seeds::Seeds;
use crate::api::types::space::Space;
use crate::api::types::text::Name;
use crate::editor::{self, InterpolateRequest, Model};

/// The frames of a motion if the request does not say: three seconds at the usual time of a frame.
const FRAMES: u32 = 30;

fields! {
    /// Faces, and the motion between them.
    #[examples(
        serde_json::json!({"seeds": [85, 265, 297], "frames": 12}),
        serde_json::json!({"faces": [{"seed": 85}, {"seed": 265}], "space": "z", "frames": 9, "easing": "ease-in-out", "layout": "strip"}),
        serde_json::json!({"seeds": [85, 265], "frames": 8, "loop": true, "format": "webp", "frame_time": 40}),
    )]
    pub(crate) struct InterpolateInput {
        /// The model. Default: the service's default model.
        model: Option<Name>,
        /// The seeds of the faces, in the order of the motion: numbers, and ranges with both ends.
        seeds: Option<Seeds> = "85,265,297",
        /// The faces instead of seeds. In a URL each is a seed, or a code such as `w:0.1,-0.2`.
        faces ["faces", "face"]: Option<Faces>,
        /// The space of the motion, which is straight in w, w+ and s and an arc in z. Default: the first that the codes of all faces
        /// lead to, in the order z, w, w+, s; for seeds, the model's default space.
        space: Option<Space>,
        truncation: Group<TruncationInput>,
        /// How many faces in all: those of the request, each as it is, and those between them. Default: 30, or as many as the service
        /// allows.
        frames: Option<Integer<2, MOST_U32>>,
        /// The speed between two faces. Default: `linear`.
        easing: Option<Easing>,
        /// Whether the motion goes back to the first face, which is not repeated at the end. Default: false.
        looped ["loop", "loop"]: Option<Flag>,
        output: Unrecorded<OutputOptions>,
    }
}

impl InterpolateInput {
    /// Puts the faces of `seeds` into `faces`, and says how many frames there are.
    pub(crate) fn complete(&mut self, api: &Api) -> Result<(), Problem> {
        let faces = match (&self.seeds, &self.faces) {
            (Some(seeds), None) => Faces::of_seeds(seeds),
            (None, Some(_)) => return self.complete_frames(api),
            (Some(_), Some(_)) => {
                let reason = "found faces beside it, expected one of the two";
                return Err(Problem::field("seeds", reason));
            }
            (None, None) => {
                let reason = "missing, expected two or more seeds such as 85,265, or faces instead";
                return Err(Problem::field("seeds", reason));
            }
        };
        (self.seeds, self.faces) = (None, Some(faces));
        self.complete_frames(api)
    }

    fn complete_frames(&mut self, api: &Api) -> Result<(), Problem> {
        let frames = match self.frames {
            Some(frames) => frames.u32(),
            None => FRAMES.min(api.limits.max_images),
        };
        api.check_count("frames", frames as usize)?;
        self.frames = Some(u64::from(frames).into());
        Ok(())
    }

    /// Whether every face is that of a seed.
    pub(crate) fn is_seeded(&self) -> bool {
        let mut faces = self.faces.iter().flat_map(|Faces(faces)| faces);
        faces.all(|face| face.code.seed.is_some())
    }

    /// The editor's request.
    pub(crate) fn request(&self, format: Format) -> Result<InterpolateRequest, Problem> {
        let sources = self.faces.as_ref().map(|faces| faces.sources("faces"));
        Ok(InterpolateRequest {
            sources: sources.transpose()?.unwrap_or_default(),
            space: self.space.map(Into::into),
            truncation: self.truncation.choice(),
            frames: self.frames.map_or(0, Integer::usize),
            easing: self.easing.map(Into::into).unwrap_or_default(),
            looped: self.looped.is_some_and(|Flag(looped)| looped),
            with_scores: format == Format::Json,
        })
    }
}

impl HasFaces for InterpolateInput {
    fn faces(&mut self) -> (Vec<(&'static str, &mut Faces)>, &mut TruncationInput) {
        let faces = self.faces.iter_mut().map(|faces| ("faces", faces));
        (faces.collect(), &mut self.truncation)
    }

    fn check(&self, model: &Model) -> Result<(), Problem> {
        Ok(editor::check_interpolation(model, &self.request(Format::Png)?)?)
    }
}
