//! The operation *interpolate*: faces between two or more faces.

use crate::editor::blending::error::BlendError;
use crate::editor::blending::sources::{self, common_space};
use crate::editor::blending::timeline::{Moment, timeline};
use crate::editor::rendering::face_channel::FaceSender;
use crate::editor::rendering::renderer::{RenderOutputs, Renderer};
use crate::editor::{EditorError, Face, FaceSource, Model, TruncationChoice};
use crate::engine::Timings;
use crate::latent::{Easing, LatentSpace, interpolate as between};

/// Faces, and the way between them.
#[derive(Clone, Debug)]
pub struct InterpolateRequest {
    /// The sources of the faces, two or more, in the order of the motion.
    pub sources: Vec<FaceSource>,
    /// The space of the motion. If `None`: the first that the codes of all faces lead to.
    pub space: Option<LatentSpace>,
    /// The truncation of codes that are mapped.
    pub truncation: TruncationChoice,
    /// How many faces to make, those of the sources included.
    pub frames: usize,
    /// The speed between two faces.
    pub easing: Easing,
    /// Whether the motion goes back to the first face.
    pub looped: bool,
    /// Whether the classifiers score the faces.
    pub with_scores: bool,
}

/// Faces on the way between others.
#[derive(Clone, Debug)]
pub struct Interpolated {
    /// The position of each face: 1.25 is a quarter of the way from the second source to the third.
    pub positions: Vec<f64>,
    /// The faces; none if they were sent one by one.
    pub faces: Vec<Face>,
    /// The time that each part took.
    pub timings: Timings,
}

impl InterpolateRequest {
    /// The space of the motion.
    fn space(&self, model: &Model) -> LatentSpace {
        self.space.unwrap_or_else(|| common_space(model, &self.sources))
    }

    fn check(&self) -> Result<(), EditorError> {
        let (faces, frames) = (self.sources.len(), self.frames);
        if faces < 2 {
            return Err(BlendError::TooFewFaces { faces }.into());
        }
        if frames < faces {
            return Err(BlendError::TooFewFrames { frames, faces }.into());
        }
        Ok(())
    }
}

/// Checks everything that needs no network. Callers check it first if the codes take long to find.
///
/// # Errors
/// The first of the errors that [`interpolate`] returns before it runs a network.
pub fn check_interpolation(model: &Model, request: &InterpolateRequest) -> Result<(), EditorError> {
    request.check()?;
    sources::check(model, &request.sources, request.space(model), request.truncation)
}

/// Makes the faces between the sources. Each source is met exactly. With a `sender`, the faces are sent there as they are made.
///
/// # Errors
/// [`EditorError`] if there are too few faces or frames, a code, the space or the truncation does not fit the model, two z codes have
/// different labels, the model is overloaded, or a network fails.
pub async fn interpolate(
    model: &Model,
    request: &InterpolateRequest,
    sender: Option<FaceSender>,
) -> Result<Interpolated, EditorError> {
    check_interpolation(model, request)?;
    let InterpolateRequest { sources, frames, .. } = request;
    let moments = timeline(sources.len(), *frames, request.looped, request.easing);
    let mut renderer = Renderer::admit(model, request.truncation, *frames)?.sending_to(sender);
    let keys = sources::codes(&mut renderer, sources, request.space(model)).await?;
    let in_z = keys[0].space() == LatentSpace::Z;
    if in_z && keys.iter().any(|key| key.label() != keys[0].label()) {
        return Err(BlendError::LabelsDiffer.into());
    }
    let code = |moment: &Moment| between(&keys[moment.from], &keys[moment.to], moment.share);
    let codes = moments.iter().map(code).collect::<Result<_, _>>()?;
    let outputs = RenderOutputs::with_scores(request.with_scores);
    let mut faces = renderer.render(codes, outputs).await?;
    for (face, moment) in faces.iter_mut().zip(&moments) {
        face.seed = moment.key().and_then(|key| sources[key].seed());
    }
    Ok(Interpolated {
        positions: moments.into_iter().map(Moment::position).collect(),
        faces,
        timings: renderer.admission.timings(),
    })
}
