//! Manipulation inversion: a face is edited, its image is inverted, the edit is undone, and the image is compared with the one before.

use ndarray::{Array1, Axis};

use crate::editor::blocking::run_blocking;
use crate::editor::inversion::encoding::encoder_space;
use crate::editor::inversion::iterative_encoding::{MOST_ROUNDS, iterative_encoding};
use crate::editor::rendering::renderer::{RenderOutputs, Renderer};
use crate::editor::{EditorError, Model};
use crate::imaging::{Image, Similarity};
use crate::latent::{LatentCode, LatentSpace};

/// Most faces whose edits are undone, for each method and attribute.
pub(crate) const UNDONE_FACES: usize = 4;
/// The images that one edit which is undone is counted as.
pub(crate) const UNDONE_IMAGES: usize = MOST_ROUNDS + 2;

/// Faces that were inverted by the encoder without an edit, to compare undone edits with.
#[derive(Clone, Copy, Debug)]
pub struct InvertedFaces {
    /// How many faces.
    pub faces: usize,
    /// The mean PSNR in dB of their images to those before.
    pub psnr: f64,
}

/// Undoes edits, and compares the images with those before.
pub(crate) struct EditUndoer {
    images: Vec<Image>,
}

impl EditUndoer {
    /// Keeps the images of the first of `faces`. `None` if the model has no encoder for the codes that its synthesis takes.
    ///
    /// # Errors
    /// [`EditorError`] if a network fails.
    pub(crate) async fn new(model: &Model, faces: &[LatentCode]) -> Result<Option<Self>, EditorError> {
        if !can_undo(model) {
            return Ok(None);
        }
        let mut renderer = Renderer::background(model);
        let mut images = Vec::new();
        for face in faces.iter().take(UNDONE_FACES) {
            images.push(image_of(&mut renderer, face.clone()).await?);
        }
        Ok(Some(Self { images }))
    }

    /// Whether this face is one of those whose edits are undone.
    pub(crate) fn has(&self, face: usize) -> bool {
        face < self.images.len()
    }

    /// Inverts `faces`, the same that [`new`](Self::new) got, without an edit.
    ///
    /// # Errors
    /// [`EditorError`] if a network fails.
    pub(crate) async fn unedited(
        &self,
        model: &Model,
        faces: &[LatentCode],
    ) -> Result<InvertedFaces, EditorError> {
        let mut found = Vec::new();
        for (face, code) in faces.iter().enumerate().take(self.images.len()) {
            found.push(self.psnr(model, face, code, code).await?);
        }
        Ok(InvertedFaces {
            faces: found.len(),
            psnr: Array1::from(found).mean().unwrap_or_default(),
        })
    }

    /// The PSNR in dB of a face before an edit, and after the edited image was inverted and the way from `code` to `edited` taken back.
    ///
    /// The way is that of the synthesis input, so that an edit in z can be undone from a code in w; for codes in s, that of the styles.
    ///
    /// # Errors
    /// [`EditorError`] if a network fails.
    pub(crate) async fn psnr(
        &self,
        model: &Model,
        face: usize,
        code: &LatentCode,
        edited: &LatentCode,
    ) -> Result<f64, EditorError> {
        let mut renderer = Renderer::background(model);
        let image = renderer.synthesize(std::slice::from_ref(edited)).await?;
        let found = iterative_encoding(&mut renderer, &image, None).await?.code;
        let in_styles = edited.space() == LatentSpace::S;
        let found = if in_styles {
            renderer.styles(found).await?
        } else {
            synthesis_code(&mut renderer, &found).await?
        };
        let way = if in_styles {
            edited.values() - code.values()
        } else {
            let from = synthesis_code(&mut renderer, code).await?;
            synthesis_code(&mut renderer, edited).await?.values() - from.values()
        };
        let undone = found.values() - &way;
        let undone =
            LatentCode::new(found.space(), undone).map_err(EditorError::computed("undoing an edit"))?;
        let undone = undone.with_label(code.label().cloned());
        let (after, before) = (image_of(&mut renderer, undone).await?, self.images[face].clone());
        Ok(run_blocking(move || Similarity::of(&after, &before).psnr).await)
    }
}

/// Whether the model has an encoder for the codes that its synthesis takes.
pub(crate) fn can_undo(model: &Model) -> bool {
    model.engine().has_encoder() && encoder_space(model) >= model.shape().synthesis_space()
}

/// The code that the synthesis takes for `code`: in w+, or in the space of a synthesis without layers.
async fn synthesis_code(renderer: &mut Renderer<'_>, code: &LatentCode) -> Result<LatentCode, EditorError> {
    let rows = renderer.synthesis_rows(std::slice::from_ref(code)).await?;
    let rows = rows.index_axis_move(Axis(0), 0);
    let space = match renderer.model().shape().synthesis_space() {
        LatentSpace::W if rows.nrows() > 1 => LatentSpace::WPlus,
        space => space,
    };
    LatentCode::new(space, rows).map_err(EditorError::computed("the mapping"))
}

async fn image_of(renderer: &mut Renderer<'_>, code: LatentCode) -> Result<Image, EditorError> {
    let mut faces = renderer.render(vec![code], RenderOutputs::Images).await?;
    Ok(faces.remove(0).image)
}
