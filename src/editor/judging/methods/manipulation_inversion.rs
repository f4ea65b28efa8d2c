//! Manipulation inversion: a face is edited, its image is inverted, the edit is undone, and the image is compared with the one before.

use std::sync::Arc;

use crate::editor::blocking::run_blocking;
use crate::editor::inversion::encoding::encoder_space;
use crate::editor::inversion::iterative_encoding::{MOST_ROUNDS, iterative_encoding};
use crate::editor::judging::methods::faces::CodesBySpace;
use crate::editor::rendering::renderer::{RenderOutputs, Renderer};
use crate::editor::{EditorError, Model};
use crate::imaging::{Image, Similarity};
use crate::latent::{Amount, Boundary, Direction, Edit, LatentCode, LatentSpace, apply};

/// Most faces that are edited and inverted.
const MOST_FACES: usize = 4;
/// How far a face is moved, in standard deviations of the samples' distances.
const DEVIATIONS: f64 = 1.0;

/// How well edits can be undone on the codes of inverted images.
#[derive(Clone, Debug)]
pub struct ManipulationInversion {
    /// The space of the edits.
    pub space: LatentSpace,
    /// How many faces were edited.
    pub faces: usize,
    /// The mean PSNR of inverted faces that were not edited, in dB.
    pub unedited: f64,
    /// Each edited attribute, and the mean PSNR of its faces after the edit was undone, in dB.
    pub undone: Vec<(String, f64)>,
}

/// Edits, inverts and undoes the first of `codes`, at most `faces` and at least one. `None` if the model has no encoder for w or w+, or no boundary there.
///
/// # Errors
/// [`EditorError`] if a network fails.
pub(crate) async fn manipulation_inversion(
    model: &Arc<Model>,
    codes: &CodesBySpace,
    faces: usize,
) -> Result<Option<ManipulationInversion>, EditorError> {
    let space = encoder_space(model);
    let names: Vec<&str> = model.classifiers().attributes().collect();
    let find = |name: &&str| model.boundaries().of_attributes(&[name], space).ok();
    let boundaries: Vec<Arc<Boundary>> = names.iter().filter_map(find).flatten().collect();
    if !model.engine().has_encoder() || space < model.shape().synthesis_space() || boundaries.is_empty() {
        return Ok(None);
    }
    let mut renderer = Renderer::background(model);
    let count = faces.min(MOST_FACES);
    let mut faces = Vec::new();
    for face in 0..count {
        let code = codes.code(space, face)?;
        let image = image_of(&mut renderer, code.clone()).await?;
        faces.push((code, image));
    }
    let mut unedited = Vec::new();
    for (code, image) in &faces {
        let found = inverted(&mut renderer, code).await?;
        unedited.push(psnr(&mut renderer, found, image).await?);
    }
    let mut undone = Vec::new();
    for boundary in &boundaries {
        let direction = Direction::along(boundary);
        let amount = DEVIATIONS * codes.deviation_along(boundary.space(), direction.step());
        let moved = |code: &LatentCode, by: f64| {
            let edit = Edit::new(Arc::clone(boundary), direction.clone(), Amount::By(by))?;
            apply(code, &[edit], None)
        };
        let mut found = Vec::new();
        for (code, image) in &faces {
            let edited = inverted(&mut renderer, &moved(code, amount)?).await?;
            found.push(psnr(&mut renderer, moved(&edited, -amount)?, image).await?);
        }
        undone.push((boundary.attribute().to_owned(), mean(&found)));
    }
    Ok(Some(ManipulationInversion {
        space,
        faces: faces.len(),
        unedited: mean(&unedited),
        undone,
    }))
}

/// How many images that takes, at most.
pub(crate) fn inversion_images(model: &Model, faces: usize) -> usize {
    if model.engine().has_encoder() {
        faces.min(MOST_FACES) * (model.outputs().len() + 1) * (MOST_ROUNDS + 2)
    } else {
        0
    }
}

/// The code that iterative encoding finds for the image of `code`.
async fn inverted(renderer: &mut Renderer<'_>, code: &LatentCode) -> Result<LatentCode, EditorError> {
    let image = renderer.synthesize(std::slice::from_ref(code)).await?;
    Ok(iterative_encoding(renderer, &image, None).await?.code)
}

async fn image_of(renderer: &mut Renderer<'_>, code: LatentCode) -> Result<Image, EditorError> {
    let mut faces = renderer.render(vec![code], RenderOutputs::Images).await?;
    Ok(faces.remove(0).image)
}

async fn psnr(renderer: &mut Renderer<'_>, code: LatentCode, before: &Image) -> Result<f64, EditorError> {
    let (after, before) = (image_of(renderer, code).await?, before.clone());
    Ok(run_blocking(move || Similarity::of(&after, &before).psnr).await)
}

fn mean(values: &[f64]) -> f64 {
    let sum: f64 = values.iter().sum();
    sum / f64::from(u32::try_from(values.len().max(1)).expect("few faces"))
}
