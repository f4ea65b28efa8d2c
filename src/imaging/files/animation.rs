//! Animated files, which repeat without end: PNG (APNG), WebP and GIF.

use image::codecs::gif::{GifEncoder, Repeat};
use image::{Delay, Frame, ImageError, RgbaImage};
use webp::{AnimEncoder, AnimFrame, WebPConfig};

use crate::imaging::files::jpeg_webp::{Quality, WEBP_SIDE, sides};
use crate::imaging::files::png::{PngCompression, png_encoder};
use crate::imaging::files::xmp_in_files::{gif_with_xmp, webp_with_xmp};
use crate::imaging::grid::common_size;
use crate::imaging::{FileMetadata, Image, ImagingError};

/// The speed of the search for a GIF's colours, from 1 (best) to 30. At 10 every tenth pixel counts, and the search takes about as
/// long as a small generator.
const GIF_SPEED: i32 = 10;

/// Images of one size, and the time that each is shown.
#[derive(Clone, Copy, Debug)]
pub struct Animation<'a> {
    images: &'a [Image],
    milliseconds: u16,
}

impl<'a> Animation<'a> {
    /// An animation that shows each of `images` for some `milliseconds`.
    ///
    /// # Errors
    /// [`ImagingError::UnequalSizes`] if the sizes differ; [`ImagingError::NotRgb`] without images.
    pub fn new(images: &'a [Image], milliseconds: u16) -> Result<Self, ImagingError> {
        common_size(images)?;
        Ok(Self { images, milliseconds })
    }

    /// Encodes it as PNG, with the metadata in iTXt chunks. Programs without animated PNG show the first image.
    ///
    /// # Errors
    /// [`ImagingError::Encoding`] if the images are too large for a PNG.
    pub fn encode_png(
        self,
        compression: PngCompression,
        metadata: &FileMetadata,
    ) -> Result<Vec<u8>, ImagingError> {
        let refused = |error: png::EncodingError| refused("PNG", &error);
        let frames = u32::try_from(self.images.len()).expect("a response has few images");
        let mut file = Vec::new();
        let mut encoder = png_encoder(&mut file, &self.images[0], compression, metadata)?;
        encoder.set_animated(frames, 0).map_err(refused)?;
        encoder
            .set_frame_delay(self.milliseconds, 1000)
            .map_err(refused)?;
        let mut writer = encoder.write_header().map_err(refused)?;
        for image in self.images {
            writer.write_image_data(image.rgb()).map_err(refused)?;
        }
        writer.finish().map_err(refused)?;
        Ok(file)
    }

    /// Encodes it as lossy WebP, with the metadata as XMP.
    ///
    /// # Errors
    /// [`ImagingError::TooLarge`] if a side of the images is longer than 16,383 pixels.
    pub fn encode_webp(self, quality: Quality, metadata: &FileMetadata) -> Result<Vec<u8>, ImagingError> {
        let [width, height] = sides(&self.images[0], "WebP", WEBP_SIDE)?.map(u32::from);
        let mut config = WebPConfig::new().expect("the library has the version of its header");
        config.quality = quality.percent();
        let mut encoder = AnimEncoder::new(width, height, &config);
        encoder.set_loop_count(0);
        let mut start = 0;
        for image in self.images {
            encoder.add_frame(AnimFrame::from_rgb(image.rgb(), width, height, start));
            start += i32::from(self.milliseconds);
        }
        let file = encoder
            .try_encode()
            .map_err(|error| refused("WebP", &format!("{error:?}")))?;
        Ok(webp_with_xmp(&file, [width, height], metadata))
    }

    /// Encodes it as GIF: each image in 256 colours, for a time in steps of 10 ms; with the metadata as XMP.
    ///
    /// # Errors
    /// [`ImagingError::TooLarge`] if a side of the images is longer than 65,535 pixels.
    pub fn encode_gif(self, metadata: &FileMetadata) -> Result<Vec<u8>, ImagingError> {
        let refused = |error: ImageError| refused("GIF", &error);
        let [width, height] = sides(&self.images[0], "GIF", u16::MAX)?.map(u32::from);
        let mut file = Vec::new();
        let mut encoder = GifEncoder::new_with_speed(&mut file, GIF_SPEED);
        encoder.set_repeat(Repeat::Infinite).map_err(refused)?;
        for image in self.images {
            let (pixels, _) = image.rgb().as_chunks::<3>();
            let rgba = pixels
                .iter()
                .flat_map(|&[red, green, blue]| [red, green, blue, u8::MAX]);
            let image = RgbaImage::from_raw(width, height, rgba.collect());
            let image = image.expect("an image has as many pixels as its size says");
            let delay = Delay::from_numer_denom_ms(u32::from(self.milliseconds), 1);
            encoder
                .encode_frame(Frame::from_parts(image, 0, 0, delay))
                .map_err(refused)?;
        }
        drop(encoder);
        Ok(gif_with_xmp(file, metadata))
    }
}

fn refused(format: &'static str, reason: &dyn std::fmt::Display) -> ImagingError {
    ImagingError::Encoding {
        format,
        reason: reason.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::codecs::gif::GifDecoder;
    use image::codecs::png::PngDecoder;
    use image::codecs::webp::WebPDecoder;

    use super::*;

    /// Three images of one colour each.
    fn images() -> Vec<Image> {
        [30, 120, 210]
            .map(|level| Image::from_rgb(8, 6, vec![level; 8 * 6 * 3]))
            .to_vec()
    }

    /// The red value of the first pixel, and the time, of each frame.
    fn frames<'a>(decoder: impl image::AnimationDecoder<'a>) -> Vec<(u8, u32)> {
        let frames = decoder.into_frames().collect_frames().unwrap();
        frames
            .iter()
            .map(|frame| {
                let (milliseconds, part) = frame.delay().numer_denom_ms();
                (frame.buffer().get_pixel(0, 0)[0], milliseconds / part)
            })
            .collect()
    }

    #[test]
    fn each_format_has_all_frames_and_their_times() {
        let images = images();
        let animation = Animation::new(&images, 50).unwrap();
        let expected = [(30, 50), (120, 50), (210, 50)];
        let bare = FileMetadata::default();
        let png = animation.encode_png(PngCompression::Fast, &bare).unwrap();
        let found = frames(PngDecoder::new(Cursor::new(&png)).unwrap().apng().unwrap());
        assert_eq!(found, expected);
        let gif = animation.encode_gif(&bare).unwrap();
        assert_eq!(frames(GifDecoder::new(Cursor::new(&gif)).unwrap()), expected);
        let webp = animation.encode_webp(Quality::default(), &bare).unwrap();
        let found = frames(WebPDecoder::new(Cursor::new(&webp)).unwrap());
        assert_eq!(found.len(), 3);
        for ((red, time), (expected, expected_time)) in found.into_iter().zip(expected) {
            assert!(
                red.abs_diff(expected) <= 4 && time == expected_time,
                "{red} {time}"
            );
        }
    }

    #[test]
    fn images_of_several_sizes_and_no_images_are_refused() {
        let mut images = images();
        images.push(Image::white(6, 8));
        assert!(matches!(
            Animation::new(&images, 50),
            Err(ImagingError::UnequalSizes { .. })
        ));
        assert!(matches!(
            Animation::new(&[], 50),
            Err(ImagingError::NotRgb { .. })
        ));
    }
}
