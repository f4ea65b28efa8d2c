//! An image of 8-bit RGB pixels, and its conversion from and to an image tensor.

use image::{ImageBuffer, Rgb, RgbImage};
use ndarray::{Array3, ArrayView3};

use crate::imaging::ImagingError;

/// The values of black and white in an image tensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ImageRange {
    black: f32,
    white: f32,
}

impl ImageRange {
    /// `[-1, 1]`, the range of nearly every generator.
    pub const SIGNED: Self = Self {
        black: -1.0,
        white: 1.0,
    };

    /// Makes a range from `black` to `white`; `None` unless both are finite and `black < white`.
    #[must_use]
    pub fn new(black: f32, white: f32) -> Option<Self> {
        (black.is_finite() && white.is_finite() && black < white).then_some(Self { black, white })
    }

    /// The value of black.
    #[must_use]
    pub fn black(self) -> f32 {
        self.black
    }

    /// The value of white.
    #[must_use]
    pub fn white(self) -> f32 {
        self.white
    }

    /// The level from 0 to 255 of a value: `floor((x − black) · 255 / (white − black) + 1/2)`, clamped.
    ///
    /// For `[-1, 1]` this is `(x + 1) · 127.5` rounded half up, as the reference and StyleGAN2-ADA do.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the cast rounds down and clamps, several times faster than floor and clamp"
    )]
    fn level(self, value: f32) -> u8 {
        let scale = 255.0 / (self.white - self.black);
        ((value - self.black) * scale + 0.5) as u8
    }
}

/// An RGB image of 8 bits per channel, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
    /// Pixels of the image file per pixel, along each axis.
    reduction: u32,
}

impl Image {
    /// Makes an image from a tensor `[3, height, width]` with values in `range`.
    ///
    /// # Errors
    /// [`ImagingError::NotRgb`] for another number of channels or no pixels. [`ImagingError::NotFinite`] for a NaN or an
    /// infinity: then the generator is broken, and a black image would hide it.
    pub fn from_tensor(tensor: ArrayView3<'_, f32>, range: ImageRange) -> Result<Self, ImagingError> {
        let (channels, height, width) = tensor.dim();
        if channels != 3 || height == 0 || width == 0 {
            return Err(ImagingError::NotRgb {
                channels,
                height,
                width,
            });
        }
        let tensor = tensor.as_standard_layout();
        let values = tensor.as_slice().expect("the standard layout is contiguous");
        // A fold without branches checks several values at once. The position is searched only if a value is wrong.
        let broken = values
            .iter()
            .fold(false, |broken, value| broken | !value.is_finite());
        let first = || tensor.indexed_iter().find(|(_, value)| !value.is_finite());
        if let Some(((channel, row, column), _)) = broken.then(first).flatten() {
            let count = values.iter().filter(|value| !value.is_finite()).count();
            return Err(ImagingError::NotFinite {
                count,
                channel,
                row,
                column,
            });
        }
        let mut rgb = vec![0; 3 * height * width];
        for (channel, channel_values) in values.chunks_exact(height * width).enumerate() {
            for (level, &value) in rgb[channel..].iter_mut().step_by(3).zip(channel_values) {
                *level = range.level(value);
            }
        }
        Ok(Self::from_rgb(width, height, rgb))
    }

    /// Makes an image from its pixels, three bytes each.
    pub(super) fn from_rgb(width: usize, height: usize, rgb: Vec<u8>) -> Self {
        assert_eq!(rgb.len(), 3 * width * height, "a pixel has three bytes");
        Self {
            width,
            height,
            rgb,
            reduction: 1,
        }
    }

    /// The image as one of a larger file, with `reduction` pixels of the file per pixel along each axis.
    pub(super) fn reduced_by(self, reduction: u32) -> Self {
        Self { reduction, ..self }
    }

    /// Pixels of the image file per pixel along each axis: 1, or 2 if a large JPEG was decoded at half its size.
    #[must_use]
    pub fn reduction(&self) -> u32 {
        self.reduction
    }

    /// The image tensor `[3, height, width]`, with values in `range`: level 0 is black, 255 is white.
    #[must_use]
    pub fn tensor(&self, range: ImageRange) -> Array3<f32> {
        let scale = (range.white - range.black) / 255.0;
        let value = |&level: &u8| range.black + scale * f32::from(level);
        let of_channel = |channel: usize| self.rgb[channel..].iter().step_by(3).map(value);
        let mut values = Vec::with_capacity(self.rgb.len());
        for channel in 0..3 {
            values.extend(of_channel(channel));
        }
        Array3::from_shape_vec((3, self.height, self.width), values)
            .expect("a channel has one value per pixel")
    }

    /// A white image.
    pub(super) fn white(width: usize, height: usize) -> Self {
        Self::from_rgb(width, height, vec![255; 3 * width * height])
    }

    /// Copies `other` into this image, with its upper left corner at `left`, `top`. It must fit.
    pub(super) fn insert(&mut self, other: &Image, left: usize, top: usize) {
        for (row, pixels) in other.rgb.chunks_exact(3 * other.width).enumerate() {
            let start = 3 * ((top + row) * self.width + left);
            self.rgb[start..start + pixels.len()].copy_from_slice(pixels);
        }
    }

    /// The same pixels as an image of the `image` crate.
    pub(super) fn as_rgb_image(&self) -> ImageBuffer<Rgb<u8>, &[u8]> {
        let [width, height] = self.sides();
        ImageBuffer::from_raw(width, height, self.rgb()).expect("a pixel has three bytes")
    }

    /// Width and height in pixels, as `u32` for the `image` crate.
    pub(super) fn sides(&self) -> [u32; 2] {
        [self.width, self.height]
            .map(|side| u32::try_from(side).expect("the sides of an image are below 2³²"))
    }

    /// A copy of a rectangle, which must lie inside the image.
    pub(super) fn part(&self, [left, top]: [u32; 2], [width, height]: [u32; 2]) -> RgbImage {
        let [left, columns] = [left, width].map(|length| 3 * length as usize);
        let rows = self.rgb.chunks_exact(3 * self.width);
        let rows = rows.skip(top as usize).take(height as usize);
        let part: Vec<_> = rows.map(|row| &row[left..left + columns]).collect();
        RgbImage::from_raw(width, height, part.concat()).expect("a pixel has three bytes")
    }

    /// Width in pixels.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// The pixels as red, green and blue, from left to right and from top to bottom.
    #[must_use]
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_rounded_half_up_and_clamped() {
        let cases = [
            (-1.0, 0),
            (1.0, 255),
            (0.0, 128),
            (-7.0, 0),
            (7.0, 255),
            (1.0 / 127.5 - 1.0, 1),
            (0.5, 191),
        ];
        for (value, level) in cases {
            assert_eq!(ImageRange::SIGNED.level(value), level, "level of {value}");
        }
    }

    #[test]
    fn a_range_from_0_to_1_is_scaled_to_levels() {
        let range = ImageRange::new(0.0, 1.0).unwrap();
        assert_eq!([0.0, 0.5, 1.0].map(|value| range.level(value)), [0, 128, 255]);
        assert_eq!(ImageRange::new(1.0, 1.0), None);
        assert_eq!(ImageRange::new(f32::NAN, 1.0), None);
    }

    #[test]
    fn channels_become_interleaved_pixels() {
        let tensor = Array3::from_shape_fn(
            (3, 1, 2),
            |(channel, _, column)| if channel == column { 1.0 } else { -1.0 },
        );
        let image = Image::from_tensor(tensor.view(), ImageRange::SIGNED).unwrap();
        assert_eq!(image.rgb(), [255, 0, 0, 0, 255, 0]);
    }

    #[test]
    fn an_image_of_a_tensor_gives_the_tensor_back() {
        let levels: Vec<u8> = (0..=255).chain(0..=43).collect();
        let image = Image::from_rgb(10, 10, levels);
        for range in [ImageRange::SIGNED, ImageRange::new(0.0, 1.0).unwrap()] {
            let tensor = image.tensor(range);
            assert_eq!(Image::from_tensor(tensor.view(), range).unwrap(), image);
        }
    }

    #[test]
    fn a_nan_is_an_error_with_its_position() {
        let mut tensor = Array3::zeros((3, 4, 5));
        tensor[[1, 2, 3]] = f32::NAN;
        tensor[[2, 0, 0]] = f32::INFINITY;
        let error = Image::from_tensor(tensor.view(), ImageRange::SIGNED).unwrap_err();
        assert_eq!(
            error,
            ImagingError::NotFinite {
                count: 2,
                channel: 1,
                row: 2,
                column: 3
            }
        );
    }
}
