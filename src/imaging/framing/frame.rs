//! The part of a photograph that a model gets, scaled to the model's size.

use image::imageops::{FilterType, crop_imm, resize};

use crate::imaging::framing::alignment::align;
use crate::imaging::{Alignment, Image, Landmarks, LandmarksError};

/// The part of an image.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Framing {
    /// The largest part in the centre with the proportions of the result.
    #[default]
    Centre,
    /// A rectangle, which is stretched to the proportions of the result.
    Crop(Rectangle),
    /// The face with these landmarks, rotated and scaled to its position in the model's images.
    Face(Landmarks, Alignment),
}

/// A rectangle of pixels, from the upper left corner of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rectangle {
    /// Pixels to the left of the rectangle.
    pub left: u32,
    /// Pixels above the rectangle.
    pub top: u32,
    /// Width of the rectangle.
    pub width: u32,
    /// Height of the rectangle.
    pub height: u32,
}

/// A part that does not exist in the image.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum FramingError {
    /// The rectangle does not lie in the image.
    #[error("crop: {reason}")]
    Crop {
        /// The error.
        reason: CropError,
    },
    /// The landmarks are not those of a face in the image.
    #[error("landmarks: {reason}")]
    Landmarks {
        /// The error.
        reason: LandmarksError,
    },
}

/// A rectangle that is empty or does not lie in the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "found a rectangle of {}×{} pixels at {}, {}; expected at least one pixel, inside the image of {width}×{height} pixels",
    crop.width, crop.height, crop.left, crop.top
)]
pub struct CropError {
    crop: Rectangle,
    width: usize,
    height: usize,
}

impl Framing {
    /// The part in an image with `reduction` pixels of its file per pixel along each axis ([`Image::reduction`]), if this one
    /// is in pixels of the file.
    #[must_use]
    pub fn reduced(self, reduction: u32) -> Self {
        match self {
            Self::Centre => Self::Centre,
            Self::Crop(crop) => Self::Crop(Rectangle {
                left: crop.left / reduction,
                top: crop.top / reduction,
                width: crop.width.div_ceil(reduction),
                height: crop.height.div_ceil(reduction),
            }),
            Self::Face(landmarks, alignment) => Self::Face(landmarks.reduced(reduction), alignment),
        }
    }
}

/// The part `framing` of `image`, scaled to `width` × `height` pixels: by a Lanczos filter, which uses every pixel of the part, or
/// for a face by FFHQ's alignment.
///
/// # Errors
/// [`FramingError`].
pub fn frame(image: &Image, framing: Framing, width: usize, height: usize) -> Result<Image, FramingError> {
    let own = image.sides();
    let size = [width, height].map(to_u32);
    let crop = match framing {
        Framing::Centre => centre([image.width(), image.height()], [width, height]),
        Framing::Crop(crop) => crop,
        Framing::Face(landmarks, alignment) => {
            let aligned = align(image, &landmarks, alignment, width, height);
            return aligned.map_err(|reason| FramingError::Landmarks { reason });
        }
    };
    let fits = |start: u32, length: u32, side: u32| {
        length > 0 && start.checked_add(length).is_some_and(|end| end <= side)
    };
    if !(fits(crop.left, crop.width, own[0]) && fits(crop.top, crop.height, own[1])) {
        let reason = CropError {
            crop,
            width: image.width(),
            height: image.height(),
        };
        return Err(FramingError::Crop { reason });
    }
    let framed = if (crop.width, crop.height) == (size[0], size[1]) {
        image.part([crop.left, crop.top], size)
    } else {
        let image = image.as_rgb_image();
        let part = crop_imm(&image, crop.left, crop.top, crop.width, crop.height);
        resize(&*part, size[0], size[1], FilterType::Lanczos3)
    };
    Ok(Image::from_rgb(width, height, framed.into_raw()))
}

/// `image` scaled down so that its longer side is at most `longest` pixels, with the same proportions. A smaller image is
/// returned unchanged.
#[must_use]
pub fn shrunk(image: Image, longest: usize) -> Image {
    let (width, height) = (image.width(), image.height());
    let own = width.max(height);
    if own <= longest {
        return image;
    }
    let side = |length: usize| (length * longest / own).max(1);
    frame(&image, Framing::Centre, side(width), side(height)).expect("the centre of an image lies in it")
}

/// The largest rectangle in the centre of an image of `own` size with the proportions of `wanted`; both are width and height
/// in pixels.
#[must_use]
pub fn centre(own: [usize; 2], wanted: [usize; 2]) -> Rectangle {
    let (own, wanted) = (own.map(to_u32), wanted.map(to_u32));
    let ([own_width, own_height], [width, height]) = (own.map(u64::from), wanted.map(u64::from));
    let narrow =
        |length: u64| u32::try_from(length.max(1)).expect("the length is at most a side of the image");
    let (crop_width, crop_height) = if own_width * height > own_height * width {
        (narrow(own_height * width / height), own[1])
    } else {
        (own[0], narrow(own_width * height / width))
    };
    Rectangle {
        left: (own[0] - crop_width) / 2,
        top: (own[1] - crop_height) / 2,
        width: crop_width,
        height: crop_height,
    }
}

fn to_u32(length: usize) -> u32 {
    u32::try_from(length).expect("the sides of an image are below 2³²")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An image with columns of the levels 0, 10, 20, …
    fn columns(width: usize, height: usize) -> Image {
        let level = |index: usize| u8::try_from(10 * (index / 3 % width)).unwrap();
        Image::from_rgb(width, height, (0..3 * width * height).map(level).collect())
    }

    #[test]
    fn the_centre_of_a_wide_image_keeps_its_pixels() {
        let framed = frame(&columns(8, 4), Framing::Centre, 4, 4).unwrap();
        assert_eq!(
            framed.rgb()[..12],
            [20, 20, 20, 30, 30, 30, 40, 40, 40, 50, 50, 50]
        );
        let tall = frame(&columns(4, 9), Framing::Centre, 4, 2).unwrap();
        assert_eq!((tall.width(), tall.height()), (4, 2));
    }

    #[test]
    fn shrinking_uses_every_pixel() {
        let stripes: Vec<u8> = (0..64 * 64)
            .flat_map(|index| [if index % 2 == 0 { 0 } else { 255 }; 3])
            .collect();
        let framed = frame(&Image::from_rgb(64, 64, stripes), Framing::Centre, 8, 8).unwrap();
        assert!(
            framed.rgb().iter().all(|level| level.abs_diff(127) <= 8),
            "{:?}",
            framed.rgb()
        );
    }

    #[test]
    fn a_crop_must_lie_in_the_image() {
        let crop = |left, top, width, height| {
            let crop = Rectangle {
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
            assert!(text.contains("inside the image of 8×4"), "{text}");
        }
    }

    #[test]
    fn shrinking_keeps_the_proportions_and_never_enlarges() {
        let sides = |width, height| {
            let shrunk = shrunk(columns(width, height), 8);
            (shrunk.width(), shrunk.height())
        };
        assert_eq!(sides(16, 4), (8, 2));
        assert_eq!(sides(1, 20), (1, 8));
        assert_eq!(sides(8, 3), (8, 3));
    }

    #[test]
    fn a_crop_of_a_file_is_the_same_part_of_the_smaller_image() {
        let crop = |left, top, width, height| {
            Framing::Crop(Rectangle {
                left,
                top,
                width,
                height,
            })
        };
        assert_eq!(crop(6, 2, 5, 4).reduced(2), crop(3, 1, 3, 2));
        assert_eq!(crop(6, 2, 5, 4).reduced(1), crop(6, 2, 5, 4));
        assert_eq!(Framing::Centre.reduced(2), Framing::Centre);
    }

    #[test]
    fn a_line_of_pixels_fills_a_square() {
        let framed = frame(&columns(20, 1), Framing::Centre, 4, 4).unwrap();
        assert_eq!((framed.width(), framed.height()), (4, 4));
    }
}
