//! Decodes JPEG files, by the crate that is right for the kind of file.
//!
//! zune-jpeg is the fastest, and right on files with one scan and on progressive ones, if their chroma is not sampled in an
//! unusual way. On several sequential scans (`cjpeg -scans`) it returns wrong pixels without an error. jpeg-decoder is right
//! on these, and can decode at half size. Both were compared with libjpeg-turbo on 3,856 files of all that `cjpeg` writes.

use image::RgbImage;
use image::metadata::Orientation;
use jpeg_decoder::Decoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::imaging::files::colour::{Channels, ToSrgb};
use crate::imaging::files::file_decoder::FileDecoder;
use crate::imaging::files::jpeg_markers::JpegMarkers;

/// A JPEG file with markers that are read, and pixels that are not.
pub(super) struct JpegDecoder<'a> {
    file: &'a [u8],
    markers: JpegMarkers<'a>,
    /// Whether the image is decoded at half its size.
    halved: bool,
}

impl<'a> JpegDecoder<'a> {
    /// Reads the markers. An image with more pixels than `limit` is decoded at half its size.
    pub(super) fn open(file: &'a [u8], limit: u64) -> Result<Self, String> {
        let markers = JpegMarkers::read(file)?;
        let [horizontal, vertical] = markers.largest_sampling();
        let usual =
            |&[across, down]: &[u8; 2]| [1, horizontal].contains(&across) && [1, vertical].contains(&down);
        if !markers.sampling.iter().all(usual) {
            return Err(format!(
                "found the sampling factors {:?}, expected 1 or the largest one for each channel",
                markers.sampling
            ));
        }
        let halved = u64::from(markers.width) * u64::from(markers.height) > limit;
        Ok(Self {
            file,
            markers,
            halved,
        })
    }

    /// Width and height of the decoded image.
    fn decoded_size(&self) -> (u32, u32) {
        let (width, height) = self.size();
        (
            width.div_ceil(self.reduction()),
            height.div_ceil(self.reduction()),
        )
    }

    /// Whether zune-jpeg decodes this kind of file without an error of its own.
    fn is_plain(&self) -> bool {
        let JpegMarkers {
            progressive,
            interleaved,
            ..
        } = self.markers;
        let sampled = match self.markers.sampling[..] {
            [_] => true,
            [[across, down], [1, 1], [1, 1]] => across <= 2 && down <= 2,
            _ => false,
        };
        sampled && (progressive || interleaved) && !self.halved
    }

    fn channels(&self) -> Channels {
        match self.markers.sampling.len() {
            1 => Channels::Grey,
            3 => Channels::Rgb,
            _ => Channels::Cmyk,
        }
    }

    /// The conversion by the file's profile. A profile that cannot be used is ignored.
    fn to_srgb(&self) -> ToSrgb {
        let profile = self.markers.profile();
        let conversion = profile.and_then(|profile| ToSrgb::of_file(&profile, self.channels()));
        conversion.unwrap_or(ToSrgb::Unchanged)
    }

    fn decode_plain(&self, rgb: &mut [u8]) -> Result<(), String> {
        let options = DecoderOptions::default()
            .set_strict_mode(true)
            .set_max_width(usize::from(u16::MAX))
            .set_max_height(usize::from(u16::MAX));
        let grey = self.markers.sampling.len() == 1;
        let colours = if grey { ColorSpace::Luma } else { ColorSpace::RGB };
        let options = options.jpeg_set_out_colorspace(colours);
        let mut decoder = zune_jpeg::JpegDecoder::new_with_options(ZCursor::new(self.file), options);
        if !grey {
            return decoder.decode_into(rgb).map_err(|error| error.to_string());
        }
        spread_grey(&decoder.decode().map_err(|error| error.to_string())?, rgb);
        Ok(())
    }

    fn decode_unusual(&self, rgb: &mut [u8], to_srgb: &ToSrgb) -> Result<(), String> {
        let mut decoder = Decoder::new(self.file);
        if self.halved {
            let half = [self.markers.width, self.markers.height].map(|length| length.div_ceil(2));
            decoder
                .scale(half[0], half[1])
                .map_err(|error| error.to_string())?;
        }
        let pixels = decoder.decode().map_err(|error| error.to_string())?;
        match self.markers.sampling.len() {
            1 => spread_grey(&pixels, rgb),
            3 => rgb.copy_from_slice(&pixels),
            _ => to_srgb.convert_inks(&pixels, rgb)?,
        }
        Ok(())
    }
}

impl FileDecoder for JpegDecoder<'_> {
    fn size(&self) -> (u32, u32) {
        (self.markers.width.into(), self.markers.height.into())
    }

    fn reduction(&self) -> u32 {
        if self.halved { 2 } else { 1 }
    }

    fn memory(&self) -> u64 {
        let (width, height) = self.decoded_size();
        let pixels = u64::from(width) * u64::from(height);
        let samples = self.markers.samples();
        let decoding = match (
            self.is_plain(),
            self.markers.progressive,
            self.markers.sampling.len(),
        ) {
            (true, false, 1) => 4 * pixels,
            (true, false, _) => 3 * pixels,
            // The coefficients have two bytes.
            (true, true, 1) => 4 * pixels + 2 * samples,
            (true, true, _) => 3 * pixels + 2 * samples,
            // The channels one by one, then together, then as RGB. Coefficients wait for their thread.
            (false, _, channels) => {
                let decoded = samples / u64::from(self.reduction().pow(2));
                (3 + channels as u64) * pixels + decoded + 2 * samples
            }
        };
        decoding + ToSrgb::memory(self.markers.profile_length())
    }

    fn orientation(&mut self) -> Orientation {
        let orientation = self.markers.exif.and_then(Orientation::from_exif_chunk);
        orientation.unwrap_or(Orientation::NoTransforms)
    }

    fn pixels(self: Box<Self>) -> Result<RgbImage, String> {
        let (width, height) = self.decoded_size();
        let mut image = RgbImage::new(width, height);
        let to_srgb = self.to_srgb();
        if self.is_plain() {
            self.decode_plain(&mut image)?;
        } else {
            self.decode_unusual(&mut image, &to_srgb)?;
        }
        if self.channels() != Channels::Cmyk {
            to_srgb.convert(&mut image)?;
        }
        Ok(image)
    }
}

/// Grey levels as RGB.
fn spread_grey(levels: &[u8], rgb: &mut [u8]) {
    for (rgb, &level) in rgb.chunks_exact_mut(3).zip(levels) {
        rgb.fill(level);
    }
}
