//! The reconstruction of an image that carries its code.

use crate::editor::blocking::run_blocking;
use crate::editor::inversion::target::{Target, UndecodedImage};
use crate::editor::rendering::renderer::{RenderOutputs, Renderer};
use crate::editor::{EditorError, FaceSource, Inverted, Model, TruncationChoice};
use crate::engine::Timings;
use crate::imaging::{Framing, Similarity};
use crate::latent::LatentCode;

/// Renders the code that `image` carries, and compares both if `with_scores`: the result of an inversion without its search.
///
/// # Errors
/// [`EditorError::Undecodable`] if the file is not an image. Other [`EditorError`]s if the code or the truncation does not fit the
/// model, the model is overloaded, or a network fails.
pub async fn reconstruct(
    model: &Model,
    code: LatentCode,
    truncation: TruncationChoice,
    image: UndecodedImage,
    with_scores: bool,
) -> Result<Inverted, EditorError> {
    let mut renderer = Renderer::admit(model, truncation, 1)?;
    let (target, decoding) = Target::timed(&mut renderer, image, Some(Framing::Centre)).await?;
    let codes = renderer.codes(&[FaceSource::Latent(code)], None).await?;
    let outputs = RenderOutputs::with_scores(with_scores);
    let face = renderer.render(codes, outputs).await?.remove(0);
    let similarity = if with_scores {
        let (image, target) = (face.image.clone(), target.image.clone());
        Some(run_blocking(move || Similarity::of(&image, &target)).await)
    } else {
        None
    };
    Ok(Inverted {
        face,
        target: target.image,
        method: None,
        similarity,
        optimization: None,
        warnings: Vec::new(),
        timings: Timings {
            decoding,
            ..renderer.admission.timings()
        },
    })
}
