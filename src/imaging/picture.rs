//! A picture: 8-bit RGB, row by row, made from a generator's image tensor.

use image::{ImageBuffer, Rgb, RgbImage};
use ndarray::{Array3, ArrayView3};

use super::ImagingError;

/// The values that a generator uses for black and for white.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ImageRange {
    black: f32,
    white: f32,
}

impl ImageRange {
    /// `[-1, 1]`, what nearly every generator gives.
    pub const SIGNED: Self = Self {
        black: -1.0,
        white: 1.0,
    };

    /// A range from `black` to `white`; `None` unless both are finite and `black < white`.
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

    /// A level 0 ‥ 255: `floor((x − black) · 255 / (white − black) + 1/2)`, clamped.
    ///
    /// For `[-1, 1]` this is `(x + 1) · 127.5` rounded half up, as the reference and StyleGAN2-ADA do.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the cast is the floor and the clamp, and several times as fast as both by name"
    )]
    fn level(self, value: f32) -> u8 {
        let scale = 255.0 / (self.white - self.black);
        ((value - self.black) * scale + 0.5) as u8
    }
}

/// An RGB picture of 8 bits a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

impl Picture {
    /// Makes a picture of an image tensor `[3, height, width]` whose values lie in `range`.
    ///
    /// # Errors
    /// [`ImagingError::NotRgb`] for another number of channels, [`ImagingError::NotFinite`] where a value is NaN
    /// or infinite: a generator that gives such values is broken, and a black picture would hide it.
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
        let values = tensor.as_slice().expect("in the standard layout it is one slice");
        // No branch, so that several values are looked at at once; where they are is asked only of a broken tensor.
        let broken = values
            .iter()
            .fold(false, |broken, value| broken | !value.is_finite());
        let place = || tensor.indexed_iter().find(|(_, value)| !value.is_finite());
        if let Some(((channel, row, column), _)) = broken.then(place).flatten() {
            let count = values.iter().filter(|value| !value.is_finite()).count();
            return Err(ImagingError::NotFinite {
                count,
                channel,
                row,
                column,
            });
        }
        let mut rgb = vec![0; 3 * height * width];
        for (channel, plane) in values.chunks_exact(height * width).enumerate() {
            for (level, &value) in rgb[channel..].iter_mut().step_by(3).zip(plane) {
                *level = range.level(value);
            }
        }
        Ok(Self { width, height, rgb })
    }

    /// A picture of these pixels, three bytes each.
    pub(super) fn from_rgb(width: usize, height: usize, rgb: Vec<u8>) -> Self {
        assert_eq!(rgb.len(), 3 * width * height, "three bytes a pixel");
        Self { width, height, rgb }
    }

    /// The image tensor `[3, height, width]` of this picture, with values in `range`: level 0 is black, 255 white.
    #[must_use]
    pub fn tensor(&self, range: ImageRange) -> Array3<f32> {
        let scale = (range.white - range.black) / 255.0;
        let value = |&level: &u8| range.black + scale * f32::from(level);
        let plane = |channel: usize| self.rgb[channel..].iter().step_by(3).map(value);
        let mut values = Vec::with_capacity(self.rgb.len());
        for channel in 0..3 {
            values.extend(plane(channel));
        }
        Array3::from_shape_vec((3, self.height, self.width), values)
            .expect("a plane has a value for each pixel")
    }

    /// An all-white picture, to paint others on.
    pub(super) fn blank(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            rgb: vec![255; 3 * width * height],
        }
    }

    /// Paints `other` with its upper left corner at `left`, `top`; it must fit.
    pub(super) fn paint(&mut self, other: &Picture, left: usize, top: usize) {
        for (row, line) in other.rgb.chunks_exact(3 * other.width).enumerate() {
            let start = 3 * ((top + row) * self.width + left);
            self.rgb[start..start + line.len()].copy_from_slice(line);
        }
    }

    /// The same pixels, as the image library has them.
    pub(super) fn image(&self) -> ImageBuffer<Rgb<u8>, &[u8]> {
        let [width, height] = self.sides();
        ImageBuffer::from_raw(width, height, self.rgb()).expect("a picture has three bytes a pixel")
    }

    /// Width and height in pixels, as the image library counts them.
    pub(super) fn sides(&self) -> [u32; 2] {
        [self.width, self.height].map(|side| u32::try_from(side).expect("a picture's sides are below 2³²"))
    }

    /// A rectangle of it; it must lie inside.
    pub(super) fn part(&self, [left, top]: [u32; 2], [width, height]: [u32; 2]) -> RgbImage {
        let [left, columns] = [left, width].map(|length| 3 * length as usize);
        let rows = self.rgb.chunks_exact(3 * self.width);
        let rows = rows.skip(top as usize).take(height as usize);
        let part: Vec<_> = rows.map(|row| &row[left..left + columns]).collect();
        RgbImage::from_raw(width, height, part.concat()).expect("the part has three bytes a pixel")
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

    /// The pixels: red, green, blue, from left to right and from top to bottom.
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
    fn a_range_from_zero_to_one_is_scaled_likewise() {
        let range = ImageRange::new(0.0, 1.0).unwrap();
        assert_eq!([0.0, 0.5, 1.0].map(|value| range.level(value)), [0, 128, 255]);
        assert_eq!(ImageRange::new(1.0, 1.0), None);
        assert_eq!(ImageRange::new(f32::NAN, 1.0), None);
    }

    #[test]
    fn planes_become_interleaved_pixels() {
        let tensor = Array3::from_shape_fn(
            (3, 1, 2),
            |(channel, _, column)| if channel == column { 1.0 } else { -1.0 },
        );
        let picture = Picture::from_tensor(tensor.view(), ImageRange::SIGNED).unwrap();
        assert_eq!(picture.rgb(), [255, 0, 0, 0, 255, 0]);
    }

    #[test]
    fn a_picture_becomes_the_tensor_that_it_was_made_of() {
        let levels: Vec<u8> = (0..=255).chain(0..=43).collect();
        let picture = Picture::from_rgb(10, 10, levels);
        for range in [ImageRange::SIGNED, ImageRange::new(0.0, 1.0).unwrap()] {
            let tensor = picture.tensor(range);
            assert_eq!(Picture::from_tensor(tensor.view(), range).unwrap(), picture);
        }
    }

    #[test]
    fn a_nan_is_an_error_that_says_where() {
        let mut tensor = Array3::zeros((3, 4, 5));
        tensor[[1, 2, 3]] = f32::NAN;
        tensor[[2, 0, 0]] = f32::INFINITY;
        let error = Picture::from_tensor(tensor.view(), ImageRange::SIGNED).unwrap_err();
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
