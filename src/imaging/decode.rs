//! Pictures from outside: PNG, JPEG, WebP, GIF and BMP files become pixels, within limits that hold before anything is decoded.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use super::Picture;
use super::level::over_white;
use super::png_rows::PngRows;

/// Bytes that a decoder may ask for, for each pixel of the limit.
const MEMORY: u64 = 8;

/// What is said of a file over which its decoder has panicked.
const GAVE_UP: &str = "the decoder gave up";

/// Why a file is not taken as a picture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// It begins like no known format.
    #[error("{bytes} bytes that are no picture, expected a PNG, JPEG, WebP, GIF or BMP file")]
    UnknownFormat {
        /// Bytes of the file.
        bytes: usize,
    },
    /// It has more pixels than are taken.
    #[error("{width}×{height} pixels, expected at most {limit} in all; shrink the picture")]
    TooLarge {
        /// Width that the file declares.
        width: u32,
        /// Height that the file declares.
        height: u32,
        /// Most pixels that are taken.
        limit: u64,
    },
    /// It is damaged, or of a kind that is not read.
    #[error("the {format} file cannot be decoded: {reason}")]
    Broken {
        /// The format that it begins like.
        format: String,
        /// What the decoder said.
        reason: String,
    },
}

/// Decodes a picture of at most `limit` pixels, whatever its name says: turned as its EXIF orientation asks, the first frame
/// of an animation, 8 bits a channel, and white where it is transparent.
///
/// Memory stays below 16 bytes for each pixel of `limit`.
///
/// # Errors
/// [`DecodeError`].
pub fn decode(file: &[u8], limit: u64) -> Result<Picture, DecodeError> {
    let reader = ImageReader::new(Cursor::new(file)).with_guessed_format();
    let reader = reader.expect("reading from memory does not fail");
    let format = reader
        .format()
        .filter(ImageFormat::reading_enabled)
        .ok_or(DecodeError::UnknownFormat { bytes: file.len() })?;
    let broken = |reason: String| DecodeError::Broken {
        format: format!("{format:?}").to_uppercase(),
        reason,
    };
    // Files are anyone's: a decoder that panics over one has found it broken.
    let decoded = catch_unwind(AssertUnwindSafe(|| -> Result<_, DecodeError> {
        let decoder = if format == ImageFormat::Png {
            PngRows::open(file, usize::try_from(MEMORY * limit).unwrap_or(usize::MAX))
                .map(|rows| Box::new(rows) as Box<dyn ImageDecoder>)
        } else {
            reader
                .into_decoder()
                .map(|decoder| Box::new(decoder) as Box<dyn ImageDecoder>)
        };
        let mut decoder = decoder.map_err(|error| broken(error.to_string()))?;
        let (width, height) = decoder.dimensions();
        if width == 0 || height == 0 {
            return Err(broken(format!("it declares {width}×{height} pixels")));
        }
        if u64::from(width) * u64::from(height) > limit {
            return Err(DecodeError::TooLarge { width, height, limit });
        }
        let mut limits = Limits::no_limits();
        limits.max_alloc = Some(MEMORY * limit);
        decoder
            .set_limits(limits)
            .map_err(|error| broken(error.to_string()))?;
        // A picture whose EXIF cannot be read stands as it is.
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let mut image = DynamicImage::from_decoder(decoder).map_err(|error| broken(error.to_string()))?;
        image.apply_orientation(orientation);
        Ok(image)
    }))
    .unwrap_or_else(|_| Err(broken(GAVE_UP.to_owned())))?;
    Ok(opaque(decoded))
}

/// A picture of 8 bits a channel, and white where it was transparent.
fn opaque(image: DynamicImage) -> Picture {
    let (width, height) = (image.width() as usize, image.height() as usize);
    if !image.color().has_alpha() {
        return Picture::from_rgb(width, height, image.into_rgb8().into_raw());
    }
    let rgba = image.into_rgba8();
    let mut rgb = Vec::with_capacity(3 * width * height);
    for &image::Rgba([r, g, b, a]) in rgba.pixels() {
        rgb.extend_from_slice(&[r, g, b].map(|level| over_white(level, a)));
    }
    Picture::from_rgb(width, height, rgb)
}

#[cfg(test)]
mod tests {
    use image::{ExtendedColorType, ImageEncoder as _, Rgb, RgbImage, RgbaImage};

    use super::*;

    const LIMIT: u64 = 1_000_000;

    /// A level that depends on a place.
    fn low(number: u32) -> u8 {
        number.to_le_bytes()[0]
    }

    fn file(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        image.write_to(&mut file, format).unwrap();
        file.into_inner()
    }

    /// 2 × 1: red, then blue.
    fn red_and_blue() -> DynamicImage {
        RgbImage::from_fn(2, 1, |x, _| Rgb(if x == 0 { [255, 0, 0] } else { [0, 0, 255] })).into()
    }

    #[test]
    fn every_format_gives_its_pixels() {
        for format in [
            ImageFormat::Png,
            ImageFormat::WebP,
            ImageFormat::Gif,
            ImageFormat::Bmp,
        ] {
            let image = match format {
                ImageFormat::Gif | ImageFormat::WebP => red_and_blue().into_rgba8().into(),
                _ => red_and_blue(),
            };
            let picture = decode(&file(&image, format), LIMIT).unwrap();
            assert_eq!((picture.width(), picture.height()), (2, 1), "{format:?}");
            assert_eq!(picture.rgb(), [255, 0, 0, 0, 0, 255], "{format:?}");
        }
        let grey: DynamicImage = RgbImage::from_pixel(16, 16, Rgb([128; 3])).into();
        let picture = decode(&file(&grey, ImageFormat::Jpeg), LIMIT).unwrap();
        assert!(picture.rgb().iter().all(|level| level.abs_diff(128) <= 1));
    }

    #[test]
    fn sixteen_bits_and_grey_become_eight_bits_and_rgb() {
        let image: DynamicImage = image::ImageBuffer::from_pixel(1, 1, image::Luma([0x8000_u16])).into();
        let picture = decode(&file(&image, ImageFormat::Png), LIMIT).unwrap();
        assert_eq!(picture.rgb(), [128; 3]);
    }

    #[test]
    fn what_is_transparent_is_white() {
        let pixel = |alpha| image::Rgba([255, 0, 0, alpha]);
        let image = RgbaImage::from_fn(3, 1, |x, _| pixel([255, 0, 128][x as usize]));
        let picture = decode(&file(&image.into(), ImageFormat::Png), LIMIT).unwrap();
        assert_eq!(picture.rgb(), [255, 0, 0, 255, 255, 255, 255, 127, 127]);
    }

    /// A PNG of 2 × 1 pixels with an EXIF orientation.
    fn oriented(orientation: u8) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = image::codecs::png::PngEncoder::new(&mut file);
        let exif = [
            b'M',
            b'M',
            0,
            42,
            0,
            0,
            0,
            8,
            0,
            1,
            1,
            0x12,
            0,
            3,
            0,
            0,
            0,
            1,
            0,
            orientation,
            0,
            0,
            0,
            0,
            0,
            0,
        ];
        encoder.set_exif_metadata(exif.to_vec()).unwrap();
        let pixels = red_and_blue().into_rgb8();
        encoder
            .write_image(&pixels, 2, 1, ExtendedColorType::Rgb8)
            .unwrap();
        file
    }

    #[test]
    fn a_picture_is_turned_as_its_exif_orientation_asks() {
        let (along, down) = ((2, 1), (1, 2));
        // Where the first stored pixel comes to lie, by orientation 1 to 8; 9 and 0 mean nothing.
        for (orientation, size, red_first) in [
            (1, along, true),
            (2, along, false),
            (3, along, false),
            (4, along, true),
            (5, down, true),
            (6, down, true),
            (7, down, false),
            (8, down, false),
            (9, along, true),
            (0, along, true),
        ] {
            let picture = decode(&oriented(orientation), LIMIT).unwrap();
            assert_eq!(
                (picture.width(), picture.height()),
                size,
                "orientation {orientation}"
            );
            assert_eq!(picture.rgb()[0] == 255, red_first, "orientation {orientation}");
        }
    }

    #[test]
    fn a_bomb_is_refused_by_what_it_declares() {
        let mut bomb = file(&red_and_blue(), ImageFormat::Bmp);
        bomb[18..22].copy_from_slice(&50_000_u32.to_le_bytes());
        bomb[22..26].copy_from_slice(&50_000_u32.to_le_bytes());
        assert_eq!(
            decode(&bomb, LIMIT).unwrap_err(),
            DecodeError::TooLarge {
                width: 50_000,
                height: 50_000,
                limit: LIMIT
            }
        );
    }

    #[test]
    fn a_picture_has_pixels() {
        // A GIF's frame may be larger than the screen that it declares.
        let mut gif = file(&red_and_blue(), ImageFormat::Gif);
        for axis in [6, 8] {
            let declared = gif[axis];
            gif[axis] = 0;
            let error = decode(&gif, LIMIT).unwrap_err().to_string();
            assert!(
                error.contains("GIF file") && error.contains("it declares"),
                "{error}"
            );
            gif[axis] = declared;
        }
    }

    #[test]
    fn what_is_no_picture_or_cut_short_is_an_error() {
        for bytes in [
            &b""[..],
            b"\x00",
            b"not a picture",
            b"<svg xmlns='x'/>",
            b"%PDF-1.7",
        ] {
            let error = decode(bytes, LIMIT).unwrap_err();
            assert_eq!(error, DecodeError::UnknownFormat { bytes: bytes.len() });
        }
        for format in [
            ImageFormat::Png,
            ImageFormat::Jpeg,
            ImageFormat::Gif,
            ImageFormat::WebP,
            ImageFormat::Bmp,
        ] {
            let image: DynamicImage =
                RgbImage::from_fn(64, 64, |x, y| Rgb([low(3 * x), low(3 * y), 7])).into();
            let whole = file(&image.to_rgba8().into(), ImageFormat::Png);
            let whole = if format == ImageFormat::Png {
                whole
            } else {
                file(&image, format)
            };
            for kept in [12, whole.len() / 2] {
                // A decoder may make do with what there is; it may not panic, or read beyond.
                if let Ok(picture) = decode(&whole[..kept], LIMIT) {
                    assert_eq!((picture.width(), picture.height()), (64, 64), "{format:?}");
                }
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn damaged_files_never_panic(place in 0_usize..4000, value: u8, kind in 0_usize..4) {
            let image: DynamicImage = RgbImage::from_fn(24, 24, |x, y| Rgb([low(9 * x), low(9 * y), 7])).into();
            let format = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::Bmp][kind];
            let mut bytes = file(&image, format);
            let place = place % bytes.len();
            bytes[place] = value;
            if let Err(DecodeError::Broken { reason, .. }) = decode(&bytes, LIMIT) {
                proptest::prop_assert_ne!(reason, GAVE_UP);
            }
        }
    }
}
