//! Decodes WebP, GIF and BMP files with the image crate.

use std::io::Cursor;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage, RgbaImage};

use crate::imaging::files::colour::{Channels, ToSrgb};
use crate::imaging::files::file_decoder::FileDecoder;
use crate::imaging::rounding::over_white;

/// Bytes of memory per pixel: the decoder's own, those of the decoded image with alpha, and its RGB.
const MEMORY_PER_PIXEL: u64 = 12;

/// A WebP, GIF or BMP file with a header that is read, and pixels that are not.
pub(super) struct OtherDecoder<'a> {
    decoder: Box<dyn ImageDecoder + 'a>,
    profile: Option<Vec<u8>>,
}

impl<'a> OtherDecoder<'a> {
    /// Reads the header, with at most `memory` bytes of memory.
    pub(super) fn open(file: &'a [u8], format: ImageFormat, memory: u64) -> Result<Self, String> {
        let reader = ImageReader::with_format(Cursor::new(file), format);
        let mut decoder = reader.into_decoder().map_err(|error| error.to_string())?;
        let mut limits = Limits::no_limits();
        limits.max_alloc = Some(memory);
        decoder.set_limits(limits).map_err(|error| error.to_string())?;
        // A profile that cannot be read is ignored.
        let profile = decoder.icc_profile().unwrap_or_default();
        let decoder = Box::new(decoder);
        Ok(Self { decoder, profile })
    }
}

impl FileDecoder for OtherDecoder<'_> {
    fn size(&self) -> (u32, u32) {
        self.decoder.dimensions()
    }

    fn memory(&self) -> u64 {
        let (width, height) = self.size();
        let profile = self.profile.as_ref().map_or(0, Vec::len);
        MEMORY_PER_PIXEL * u64::from(width) * u64::from(height) + ToSrgb::memory(profile)
    }

    fn orientation(&mut self) -> Orientation {
        // If the EXIF data cannot be read, the image is not rotated.
        self.decoder.orientation().unwrap_or(Orientation::NoTransforms)
    }

    fn pixels(self: Box<Self>) -> Result<RgbImage, String> {
        let image = DynamicImage::from_decoder(self.decoder).map_err(|error| error.to_string())?;
        let conversion = self
            .profile
            .and_then(|profile| ToSrgb::of_file(&profile, Channels::Rgb));
        let to_srgb = conversion.unwrap_or(ToSrgb::Unchanged);
        if !image.color().has_alpha() {
            let mut rgb = image.into_rgb8();
            to_srgb.convert(&mut rgb)?;
            return Ok(rgb);
        }
        opaque(&image.into_rgba8(), &to_srgb)
    }
}

/// The image in sRGB, over white.
fn opaque(image: &RgbaImage, to_srgb: &ToSrgb) -> Result<RgbImage, String> {
    let mut opaque = RgbImage::new(image.width(), image.height());
    let length = image.width() as usize;
    for (row, rgb_row) in image
        .chunks_exact(4 * length)
        .zip(opaque.chunks_exact_mut(3 * length))
    {
        for (pixel, rgb) in row.chunks_exact(4).zip(rgb_row.chunks_exact_mut(3)) {
            rgb.copy_from_slice(&pixel[..3]);
        }
        to_srgb.convert(rgb_row)?;
        for (pixel, rgb) in row.chunks_exact(4).zip(rgb_row.chunks_exact_mut(3)) {
            for level in rgb {
                *level = over_white(*level, pixel[3]);
            }
        }
    }
    Ok(opaque)
}
