//! Decodes WebP, GIF and BMP files with the image crate.

use std::io::Cursor;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, Rgb, RgbImage};

use crate::imaging::files::file_decoder::FileDecoder;
use crate::imaging::rounding::over_white;

/// Bytes of memory per pixel: the decoder's own, those of the decoded image with alpha, and its RGB.
const MEMORY_PER_PIXEL: u64 = 12;

/// A WebP, GIF or BMP file with a header that is read, and pixels that are not.
pub(super) struct OtherDecoder<'a>(Box<dyn ImageDecoder + 'a>);

impl<'a> OtherDecoder<'a> {
    /// Reads the header, with at most `memory` bytes of memory.
    pub(super) fn open(file: &'a [u8], format: ImageFormat, memory: u64) -> Result<Self, String> {
        let reader = ImageReader::with_format(Cursor::new(file), format);
        let mut decoder = reader.into_decoder().map_err(|error| error.to_string())?;
        let mut limits = Limits::no_limits();
        limits.max_alloc = Some(memory);
        decoder.set_limits(limits).map_err(|error| error.to_string())?;
        Ok(Self(Box::new(decoder)))
    }
}

impl FileDecoder for OtherDecoder<'_> {
    fn size(&self) -> (u32, u32) {
        self.0.dimensions()
    }

    fn memory(&self) -> u64 {
        let (width, height) = self.size();
        MEMORY_PER_PIXEL * u64::from(width) * u64::from(height)
    }

    fn orientation(&mut self) -> Orientation {
        // If the EXIF data cannot be read, the image is not rotated.
        self.0.orientation().unwrap_or(Orientation::NoTransforms)
    }

    fn pixels(self: Box<Self>) -> Result<RgbImage, String> {
        let image = DynamicImage::from_decoder(self.0).map_err(|error| error.to_string())?;
        Ok(opaque(image))
    }
}

/// An image of 8 bits per channel, with white in place of transparency.
fn opaque(image: DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.into_rgb8();
    }
    let rgba = image.into_rgba8();
    let mut pixels = rgba.pixels();
    RgbImage::from_fn(rgba.width(), rgba.height(), |_, _| {
        let &image::Rgba([r, g, b, a]) = pixels.next().expect("both images have the same size");
        Rgb([r, g, b].map(|level| over_white(level, a)))
    })
}
