//! Which part of a photograph a generator is shown, and at which size.

use image::imageops::{FilterType, crop_imm, resize};

use super::alignment::align;
use super::{Alignment, Landmarks, LandmarksError, Picture};

/// Which part of a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Framing {
    /// The largest part in the middle that has the generator's proportions.
    #[default]
    Centre,
    /// A rectangle, stretched to the generator's proportions.
    Crop(Crop),
    /// The face that landmarks mark, turned and scaled to where the model's pictures have it.
    Face(Landmarks, Alignment),
}

/// A rectangle of pixels, from the picture's upper left corner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crop {
    /// Pixels left of it.
    pub left: u32,
    /// Pixels above it.
    pub top: u32,
    /// Its width.
    pub width: u32,
    /// Its height.
    pub height: u32,
}

/// A part that cannot be taken out of a picture.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum FramingError {
    /// A crop that does not lie in it.
    #[error("crop: {0}")]
    Crop(#[from] OutsideThePicture),
    /// Landmarks that mark no face in it.
    #[error("landmarks: {0}")]
    Landmarks(#[from] LandmarksError),
}

/// A rectangle that is empty or does not lie in the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "found {}×{} pixels from {}, {}, expected a rectangle of at least one pixel inside the picture's {width}×{height}",
    crop.width, crop.height, crop.left, crop.top
)]
pub struct OutsideThePicture {
    crop: Crop,
    width: usize,
    height: usize,
}

/// The part of `picture` that `framing` says, `width` × `height` pixels large, by a Lanczos filter that takes every pixel
/// of the part into account, or as FFHQ's faces are aligned.
///
/// # Errors
/// [`FramingError`].
pub fn frame(
    picture: &Picture,
    framing: Framing,
    width: usize,
    height: usize,
) -> Result<Picture, FramingError> {
    let own = picture.sides();
    let wanted = [width, height].map(in_image);
    let crop = match framing {
        Framing::Centre => centre([picture.width(), picture.height()], [width, height]),
        Framing::Crop(crop) => crop,
        Framing::Face(landmarks, alignment) => {
            return Ok(align(picture, &landmarks, alignment, width, height)?);
        }
    };
    let fits = |start: u32, length: u32, whole: u32| {
        length > 0 && start.checked_add(length).is_some_and(|end| end <= whole)
    };
    if !(fits(crop.left, crop.width, own[0]) && fits(crop.top, crop.height, own[1])) {
        return Err(FramingError::Crop(OutsideThePicture {
            crop,
            width: picture.width(),
            height: picture.height(),
        }));
    }
    let framed = if (crop.width, crop.height) == (wanted[0], wanted[1]) {
        picture.part([crop.left, crop.top], wanted)
    } else {
        let image = picture.image();
        let part = crop_imm(&image, crop.left, crop.top, crop.width, crop.height);
        resize(&*part, wanted[0], wanted[1], FilterType::Lanczos3)
    };
    Ok(Picture::from_rgb(width, height, framed.into_raw()))
}

/// A picture whose longer side is at most `longest`, in its own proportions.
#[must_use]
pub fn shrunk(picture: Picture, longest: usize) -> Picture {
    let (width, height) = (picture.width(), picture.height());
    let own = width.max(height);
    if own <= longest {
        return picture;
    }
    let side = |length: usize| (length * longest / own).max(1);
    frame(&picture, Framing::Centre, side(width), side(height)).expect("the middle of a picture lies in it")
}

/// The largest rectangle in the middle of `own` with the proportions of `wanted`, both width and height in pixels.
#[must_use]
pub fn centre(own: [usize; 2], wanted: [usize; 2]) -> Crop {
    let (own, wanted) = (own.map(in_image), wanted.map(in_image));
    let ([own_width, own_height], [width, height]) = (own.map(u64::from), wanted.map(u64::from));
    let narrow = |length: u64| u32::try_from(length.max(1)).expect("no more than a side of the picture");
    let (crop_width, crop_height) = if own_width * height > own_height * width {
        (narrow(own_height * width / height), own[1])
    } else {
        (own[0], narrow(own_width * height / width))
    };
    Crop {
        left: (own[0] - crop_width) / 2,
        top: (own[1] - crop_height) / 2,
        width: crop_width,
        height: crop_height,
    }
}

fn in_image(length: usize) -> u32 {
    u32::try_from(length).expect("a picture's sides are below 2³²")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Columns in the levels 0, 10, 20, …
    fn columns(width: usize, height: usize) -> Picture {
        let level = |place: usize| u8::try_from(10 * (place / 3 % width)).unwrap();
        Picture::from_rgb(width, height, (0..3 * width * height).map(level).collect())
    }

    #[test]
    fn the_middle_of_a_wide_picture_is_kept_as_it_is() {
        let framed = frame(&columns(8, 4), Framing::Centre, 4, 4).unwrap();
        assert_eq!(
            framed.rgb()[..12],
            [20, 20, 20, 30, 30, 30, 40, 40, 40, 50, 50, 50]
        );
        let tall = frame(&columns(4, 9), Framing::Centre, 4, 2).unwrap();
        assert_eq!((tall.width(), tall.height()), (4, 2));
    }

    #[test]
    fn shrinking_takes_every_pixel_into_account() {
        let stripes: Vec<u8> = (0..64 * 64)
            .flat_map(|place| [if place % 2 == 0 { 0 } else { 255 }; 3])
            .collect();
        let framed = frame(&Picture::from_rgb(64, 64, stripes), Framing::Centre, 8, 8).unwrap();
        assert!(
            framed.rgb().iter().all(|level| level.abs_diff(127) <= 8),
            "{:?}",
            framed.rgb()
        );
    }

    #[test]
    fn a_crop_must_lie_in_the_picture() {
        let crop = |left, top, width, height| {
            let crop = Crop {
                left,
                top,
                width,
                height,
            };
            frame(&columns(8, 4), Framing::Crop(crop), 2, 2)
        };
        assert_eq!(crop(3, 1, 2, 2).unwrap().rgb()[..6], [30, 30, 30, 40, 40, 40]);
        assert!(crop(0, 0, 8, 4).is_ok());
        for outside in [
            crop(0, 0, 9, 4),
            crop(7, 0, 2, 1),
            crop(0, 0, 0, 4),
            crop(u32::MAX, 0, 2, 2),
        ] {
            let text = outside.unwrap_err().to_string();
            assert!(text.contains("inside the picture's 8×4"), "{text}");
        }
    }

    #[test]
    fn a_picture_is_shrunk_in_its_proportions_and_never_enlarged() {
        let sides = |width, height| {
            let shrunk = shrunk(columns(width, height), 8);
            (shrunk.width(), shrunk.height())
        };
        assert_eq!(sides(16, 4), (8, 2));
        assert_eq!(sides(1, 20), (1, 8));
        assert_eq!(sides(8, 3), (8, 3));
    }

    #[test]
    fn a_line_of_pixels_still_fills_a_square() {
        let framed = frame(&columns(20, 1), Framing::Centre, 4, 4).unwrap();
        assert_eq!((framed.width(), framed.height()), (4, 4));
    }
}
