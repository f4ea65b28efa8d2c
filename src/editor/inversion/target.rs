//! The target of an inversion: the image, decoded and framed as the generator's own images are.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ndarray::{ArrayView1, Axis};

use crate::editor::blocking::run_blocking;
use crate::editor::rendering::renderer::Renderer;
use crate::editor::{EditorError, Model};
use crate::engine::{Admission, Images, Reservation};
use crate::imaging::{DecodeError, Framing, Image, ImageRange, Landmarks, Rectangle, centre, frame};

/// The largest factor by which an image is scaled up to the generator's size.
const LARGEST_SCALE: usize = 16;

/// An image file.
pub struct UndecodedImage {
    /// Decodes the file. It is called once, off the async threads, after the request was admitted.
    pub decode: Box<dyn FnOnce() -> Result<Image, DecodeError> + Send>,
    /// The memory of decoding, and of the image until its part is cut out.
    pub memory: Reservation,
}

/// The part of an image to invert, in the generator's size.
pub(crate) struct Target {
    /// As pixels.
    pub(crate) image: Image,
    /// As a tensor `[1, 3, height, width]`.
    pub(crate) tensor: Images,
}

impl Target {
    /// As [`new`](Self::new), with the time that it took without the landmark graph's.
    pub(crate) async fn timed(
        renderer: &mut Renderer<'_>,
        undecoded: UndecodedImage,
        framing: Option<Framing>,
    ) -> Result<(Self, Duration), EditorError> {
        let (began, model) = (Instant::now(), renderer.model());
        let admission = &mut renderer.admission;
        let target = Self::new(model, admission, undecoded, framing).await?;
        let decoding = began.elapsed().saturating_sub(admission.timings().landmarks);
        Ok((target, decoding))
    }

    /// Decodes an image and cuts out the part that the request names, the face that the model's landmark graph finds, or
    /// the centre.
    ///
    /// # Errors
    /// [`EditorError::Undecodable`] if the file is not an image, [`EditorError::Framing`] if the crop or the landmarks do
    /// not fit it, [`EditorError::ImageTooSmall`] if the part has too few pixels, and [`EditorError::NoFace`] if the
    /// landmark graph finds no face.
    async fn new(
        model: &Model,
        admission: &mut Admission,
        undecoded: UndecodedImage,
        framing: Option<Framing>,
    ) -> Result<Self, EditorError> {
        let (width, height) = (model.shape().width, model.shape().height);
        let range = model.generator().image_range;
        let UndecodedImage { decode, memory } = undecoded;
        let framed = move |image: &Image, framing| {
            let _memory = memory;
            check_size(image, framing, [width, height])?;
            let image = frame(image, framing, width, height)?;
            let tensor = image.tensor(range).insert_axis(Axis(0)).into_shared();
            Ok(Self { image, tensor })
        };
        match (framing, model.engine().landmarker_size()) {
            (None, Some(size)) => {
                let image = Arc::new(run_blocking(decode).await?);
                let framing = find_face(model, admission, &image, size).await?;
                run_blocking(move || framed(&image, framing)).await
            }
            (framing, _) => {
                let framing = framing.unwrap_or(Framing::Centre);
                run_blocking(move || {
                    let image = decode()?;
                    framed(&image, framing.reduced(image.reduction()))
                })
                .await
            }
        }
    }
}

/// Refuses a part of `image` that has too few pixels to tell a face.
fn check_size(image: &Image, framing: Framing, size: [usize; 2]) -> Result<(), EditorError> {
    let part = match framing {
        Framing::Centre => centre([image.width(), image.height()], size),
        Framing::Crop(crop) => crop,
        // The landmarks of a small face are refused when they are made.
        Framing::Face(..) => return Ok(()),
    };
    let least = size.map(|side| (side / LARGEST_SCALE).max(1));
    let found = [part.width, part.height].map(|side| side as usize);
    if found.iter().zip(&least).any(|(found, least)| found < least) {
        return Err(EditorError::ImageTooSmall { found, least });
    }
    Ok(())
}

/// The framing of the face that the landmark graph finds; the graph takes images of a height and width.
///
/// # Errors
/// [`EditorError::NoFace`] if it finds none, or another [`EditorError`] if it fails.
pub(crate) async fn find_face(
    model: &Model,
    admission: &mut Admission,
    image: &Arc<Image>,
    [height, width]: [usize; 2],
) -> Result<Framing, EditorError> {
    let part = centre([image.width(), image.height()], [width, height]);
    let shared = Arc::clone(image);
    let input = run_blocking(move || {
        let shrunk = frame(&shared, Framing::Crop(part), width, height)?;
        let tensor = shrunk.tensor(ImageRange::SIGNED);
        Ok::<_, EditorError>(tensor.insert_axis(Axis(0)).into_shared())
    });
    let found = admission.landmarks(input.await?).await?;
    let Rectangle {
        left,
        top,
        width,
        height,
    } = part;
    let pixels =
        |share: f32, start: u32, length: u32| f64::from(start) + f64::from(share) * f64::from(length);
    let point = |row: ArrayView1<'_, f32>| [pixels(row[0], left, width), pixels(row[1], top, height)];
    let points: Vec<_> = found.outer_iter().map(point).collect();
    let landmarks = Landmarks::new(&points).map_err(EditorError::NoFace)?;
    landmarks
        .check_within(image.width(), image.height())
        .map_err(EditorError::NoFace)?;
    Ok(Framing::Face(landmarks, model.alignment()))
}
