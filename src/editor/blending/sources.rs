//! The codes of several faces in one space.

use ndarray::Array2;

use crate::editor::rendering::latent_source::LatentSource;
use crate::editor::rendering::mapping_truncation::MappingTruncation;
use crate::editor::rendering::renderer::Renderer;
use crate::editor::{EditorError, FaceSource, Model, TruncationChoice, inverted_space};
use crate::latent::{LatentCode, LatentSpace};

/// The first space that the codes of all `sources` lead to: z, w, w+, s. A seed's code is in the model's default space.
pub(crate) fn common_space(model: &Model, sources: &[FaceSource]) -> LatentSpace {
    let space = |source: &FaceSource| match source {
        FaceSource::Seed(_) | FaceSource::LabelledSeed(..) => model.default_space(),
        FaceSource::Latent(code) => code.space(),
    };
    let spaces = sources.iter().map(space);
    spaces.max().unwrap_or_else(|| model.default_space())
}

/// A code in the space of the codes that inversions find. It stands for such a code in checks that come before the inversion.
///
/// # Errors
/// [`EditorError::CannotInvert`] if the model lacks the graphs for it.
pub fn any_inverted_code(model: &Model) -> Result<LatentCode, EditorError> {
    let space = inverted_space(model)?;
    let (rows, columns) = model.code_shape(space)?;
    Ok(LatentCode::new(space, Array2::zeros((rows, columns)))?)
}

/// Checks that the codes of all `sources` fit the model, and lead to `space`.
///
/// # Errors
/// The first of the errors of [`codes`] that needs no network.
pub(crate) fn check(
    model: &Model,
    sources: &[FaceSource],
    space: LatentSpace,
    truncation: TruncationChoice,
) -> Result<(), EditorError> {
    let truncation = MappingTruncation::new(model, truncation)?;
    for source in sources {
        LatentSource::new(model, source, Some(space), &truncation)?;
    }
    Ok(())
}

/// The codes of `sources` in `space`. If the truncation of some layers made w+ codes of some of them, all are in w+.
///
/// # Errors
/// [`EditorError`] if a code or the space does not fit the model, or mapping fails.
pub(crate) async fn codes(
    renderer: &mut Renderer<'_>,
    sources: &[FaceSource],
    space: LatentSpace,
) -> Result<Vec<LatentCode>, EditorError> {
    let codes = renderer.codes(sources, Some(space)).await?;
    if codes.iter().all(|code| code.space() == codes[0].space()) {
        return Ok(codes);
    }
    let rows = renderer.model().shape().synthesis_rows();
    let layered = codes.iter().map(|code| code.broadcast(rows));
    Ok(layered.collect::<Result<_, _>>()?)
}
