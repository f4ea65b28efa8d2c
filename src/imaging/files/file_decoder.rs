//! What the decoders of image files have in common.

use image::RgbImage;
use image::metadata::Orientation;

/// An image file with a header that is read, and pixels that are not. Errors say what is wrong with the file.
pub(super) trait FileDecoder {
    /// Width and height of the file in pixels.
    fn size(&self) -> (u32, u32);

    /// Pixels of the file per decoded pixel, along each axis.
    fn reduction(&self) -> u32 {
        1
    }

    /// The most bytes of memory that [`Self::pixels`] takes.
    fn memory(&self) -> u64;

    /// How the pixels are to be rotated.
    fn orientation(&mut self) -> Orientation;

    /// Decodes the pixels: 8 bits per channel, in sRGB, over white.
    fn pixels(self: Box<Self>) -> Result<RgbImage, String>;
}
