//! Decodes PNG, JPEG, WebP, GIF and BMP files of callers. The limits are checked before any pixel is decoded.

use std::panic::{AssertUnwindSafe, catch_unwind};

use image::metadata::Orientation;
use image::{DynamicImage, ImageFormat};

use crate::imaging::files::file_decoder::FileDecoder;
use crate::imaging::files::format::known_format;
use crate::imaging::files::jpeg_decoder::JpegDecoder;
use crate::imaging::files::other_decoder::OtherDecoder;
use crate::imaging::files::png_decoder::PngDecoder;
use crate::imaging::{DecodeError, Image};

/// Bytes of memory per pixel of the limit that a decoder may take.
const MEMORY_PER_PIXEL: u64 = 12;

/// Bytes of memory that decoding takes beside those of its pixels: tables, and the decompressed metadata.
const BASE_MEMORY: u64 = 1 << 20;

/// The reason for a file that makes its decoder panic.
const PANICKED: &str = "the decoder failed";

/// Decodes an image of at most `limit` pixels. A JPEG with up to four times that is decoded at half its size
/// ([`Image::reduction`]). The content decides the format. The image is rotated by its EXIF orientation;
/// of an animation the first frame is used; the result has 8 bits per channel; transparent pixels become white.
///
/// [`decoding_memory`] says how much memory this takes.
///
/// # Errors
/// [`DecodeError`].
pub fn decode(file: &[u8], limit: u64) -> Result<Image, DecodeError> {
    guarded(file, limit, |mut decoder| {
        let (orientation, reduction) = (decoder.orientation(), decoder.reduction());
        let mut image = DynamicImage::ImageRgb8(decoder.pixels()?);
        image.apply_orientation(orientation);
        let (width, height) = (image.width() as usize, image.height() as usize);
        Ok(Image::from_rgb(width, height, image.into_rgb8().into_raw()).reduced_by(reduction))
    })
}

/// The most bytes of memory that [`decode`] takes for this file, beside the file itself. No pixel is decoded.
///
/// # Errors
/// [`DecodeError`], if the header already shows that [`decode`] will refuse the file.
pub fn decoding_memory(file: &[u8], limit: u64) -> Result<u64, DecodeError> {
    guarded(file, limit, |mut decoder| {
        let (width, height) = decoder.size();
        // An image that is rotated exists twice.
        let rotated = match decoder.orientation() {
            Orientation::NoTransforms => 0,
            _ => 6 * u64::from(width) * u64::from(height) / u64::from(decoder.reduction().pow(2)),
        };
        Ok(BASE_MEMORY + decoder.memory().max(rotated))
    })
}

/// Reads the header, checks the limits, and gives the decoder to `use_decoder`.
///
/// Files are untrusted: if a decoder panics, the file counts as broken.
fn guarded<T>(
    file: &[u8],
    limit: u64,
    use_decoder: impl FnOnce(Box<dyn FileDecoder + '_>) -> Result<T, String>,
) -> Result<T, DecodeError> {
    let format = known_format(file)?;
    let broken = |reason: String| DecodeError::Broken {
        format: format!("{format:?}").to_uppercase(),
        reason,
    };
    let result = catch_unwind(AssertUnwindSafe(|| {
        let decoder = open(file, format, limit).map_err(broken)?;
        let (width, height) = decoder.size();
        if width == 0 || height == 0 {
            return Err(broken(format!("its header has {width}×{height} pixels")));
        }
        let reduction = decoder.reduction();
        let pixels = u64::from(width.div_ceil(reduction)) * u64::from(height.div_ceil(reduction));
        if pixels > limit {
            let limit = limit * u64::from(reduction.pow(2));
            return Err(DecodeError::TooLarge { width, height, limit });
        }
        use_decoder(decoder).map_err(broken)
    }));
    result.unwrap_or_else(|_| Err(broken(PANICKED.to_owned())))
}

/// A decoder that has read the header.
fn open(file: &[u8], format: ImageFormat, limit: u64) -> Result<Box<dyn FileDecoder + '_>, String> {
    let memory = MEMORY_PER_PIXEL * limit;
    Ok(match format {
        ImageFormat::Png => Box::new(PngDecoder::open(
            file,
            usize::try_from(memory).unwrap_or(usize::MAX),
        )?),
        ImageFormat::Jpeg => Box::new(JpegDecoder::open(file, limit)?),
        other => Box::new(OtherDecoder::open(file, other, memory)?),
    })
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::{ExtendedColorType, ImageEncoder as _, Rgb, RgbImage, RgbaImage};

    use super::*;

    const LIMIT: u64 = 1_000_000;

    /// The lowest byte of a number.
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
            let decoded = decode(&file(&image, format), LIMIT).unwrap();
            assert_eq!((decoded.width(), decoded.height()), (2, 1), "{format:?}");
            assert_eq!(decoded.rgb(), [255, 0, 0, 0, 0, 255], "{format:?}");
        }
        let grey: DynamicImage = RgbImage::from_pixel(16, 16, Rgb([128; 3])).into();
        let decoded = decode(&file(&grey, ImageFormat::Jpeg), LIMIT).unwrap();
        assert!(decoded.rgb().iter().all(|level| level.abs_diff(128) <= 1));
    }

    #[test]
    fn sixteen_bits_and_grey_become_eight_bits_and_rgb() {
        let image: DynamicImage = image::ImageBuffer::from_pixel(1, 1, image::Luma([0x8000_u16])).into();
        let decoded = decode(&file(&image, ImageFormat::Png), LIMIT).unwrap();
        assert_eq!(decoded.rgb(), [128; 3]);
    }

    #[test]
    fn transparent_pixels_become_white() {
        let pixel = |alpha| image::Rgba([255, 0, 0, alpha]);
        let image = RgbaImage::from_fn(3, 1, |x, _| pixel([255, 0, 128][x as usize]));
        let decoded = decode(&file(&image.into(), ImageFormat::Png), LIMIT).unwrap();
        assert_eq!(decoded.rgb(), [255, 0, 0, 255, 255, 255, 255, 127, 127]);
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
    fn an_image_is_rotated_by_its_exif_orientation() {
        let (along, down) = ((2, 1), (1, 2));
        // Whether the first stored pixel comes first, by orientation 1 to 8; 9 and 0 have no meaning.
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
            let decoded = decode(&oriented(orientation), LIMIT).unwrap();
            assert_eq!(
                (decoded.width(), decoded.height()),
                size,
                "orientation {orientation}"
            );
            assert_eq!(decoded.rgb()[0] == 255, red_first, "orientation {orientation}");
        }
    }

    #[test]
    fn a_file_with_a_huge_size_in_its_header_is_refused() {
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
    fn the_memory_of_an_image_grows_with_its_pixels_and_a_huge_one_is_refused_by_its_header() {
        let memory = |side| {
            let image: DynamicImage = RgbImage::new(side, side).into();
            decoding_memory(&file(&image, ImageFormat::Png), 100 * 100).unwrap()
        };
        assert!(memory(100) - memory(50) >= 3 * (100 * 100 - 50 * 50));
        let large: DynamicImage = RgbImage::new(101, 100).into();
        let error = decoding_memory(&file(&large, ImageFormat::Png), 100 * 100).unwrap_err();
        assert!(matches!(error, DecodeError::TooLarge { .. }), "{error}");
    }

    #[test]
    fn an_image_without_pixels_is_refused() {
        // The frame of a GIF may be larger than the screen in its header.
        let mut gif = file(&red_and_blue(), ImageFormat::Gif);
        for axis in [6, 8] {
            let size = gif[axis];
            gif[axis] = 0;
            let error = decode(&gif, LIMIT).unwrap_err().to_string();
            assert!(
                error.contains("GIF file") && error.contains("its header has"),
                "{error}"
            );
            gif[axis] = size;
        }
    }

    #[test]
    fn other_bytes_are_refused_and_truncated_files_never_panic() {
        for bytes in [
            &b""[..],
            b"\x00",
            b"not an image",
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
            let bytes = file(&image.to_rgba8().into(), ImageFormat::Png);
            let bytes = if format == ImageFormat::Png {
                bytes
            } else {
                file(&image, format)
            };
            for kept in [12, bytes.len() / 2] {
                // A decoder may return a partial image; it must not panic.
                if let Ok(decoded) = decode(&bytes[..kept], LIMIT) {
                    assert_eq!((decoded.width(), decoded.height()), (64, 64), "{format:?}");
                }
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn damaged_files_never_panic(index in 0_usize..4000, value: u8, kind in 0_usize..4) {
            let image: DynamicImage = RgbImage::from_fn(24, 24, |x, y| Rgb([low(9 * x), low(9 * y), 7])).into();
            let format = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::Bmp][kind];
            let mut bytes = file(&image, format);
            let index = index % bytes.len();
            bytes[index] = value;
            if let Err(DecodeError::Broken { reason, .. }) = decode(&bytes, LIMIT) {
                proptest::prop_assert_ne!(reason, PANICKED);
            }
        }
    }
}
