//! Decodes a PNG file row by row to 8 bits of sRGB per channel over white, so that memory holds the pixels only once.

use std::io::Cursor;

use image::RgbImage;
use image::metadata::Orientation;
use png::{BitDepth, ColorType as Colour, Transformations};

use crate::imaging::files::colour::ToSrgb;
use crate::imaging::files::file_decoder::FileDecoder;
use crate::imaging::files::png_colour;
use crate::imaging::rounding::over_white;

/// A PNG file of which the header is read, and the pixels are not.
pub(super) struct PngDecoder<'a>(png::Reader<Cursor<&'a [u8]>>);

impl<'a> PngDecoder<'a> {
    /// Reads the header, with at most `memory` bytes of memory.
    pub(super) fn open(file: &'a [u8], memory: usize) -> Result<Self, String> {
        let mut decoder = png::Decoder::new_with_limits(Cursor::new(file), png::Limits { bytes: memory });
        decoder.set_ignore_text_chunk(true);
        decoder.set_transformations(Transformations::EXPAND);
        Ok(Self(decoder.read_info().map_err(broken)?))
    }

    fn read(&mut self, rgb: &mut [u8]) -> Result<(), String> {
        let to_srgb = png_colour::to_srgb(self.0.info())?;
        let reader = &mut self.0;
        let (spread, blend) = converter(reader.output_color_type());
        let convert = |row: &[u8], rgb: &mut [u8]| {
            spread(row, rgb);
            to_srgb.convert(rgb)?;
            blend(row, rgb);
            Ok::<_, String>(())
        };
        let mut rows_of_rgb = rgb.chunks_exact_mut(3 * reader.info().width as usize);
        if reader.info().interlaced {
            // The rows of an interlaced file do not come in order.
            let mut all = vec![0; reader.output_buffer_size().unwrap_or(0)];
            let length = reader.next_frame(&mut all).map_err(broken)?.line_size;
            for (row, rgb) in all.chunks_exact(length).zip(rows_of_rgb) {
                convert(row, rgb)?;
            }
            return Ok(());
        }
        while let (Some(row), Some(rgb)) = (reader.next_row().map_err(broken)?, rows_of_rgb.next()) {
            convert(row.data(), rgb)?;
        }
        Ok(())
    }
}

impl FileDecoder for PngDecoder<'_> {
    fn size(&self) -> (u32, u32) {
        self.0.info().size()
    }

    fn memory(&self) -> u64 {
        let (width, height) = self.size();
        let pixels = u64::from(width) * u64::from(height);
        // An interlaced file is decoded as a whole before it becomes RGB.
        let interlaced = self.0.info().interlaced;
        let whole = self.0.output_buffer_size().filter(|_| interlaced);
        let profile = self
            .0
            .info()
            .icc_profile
            .as_ref()
            .map_or(0, |profile| profile.len());
        3 * pixels + whole.unwrap_or(0) as u64 + ToSrgb::memory(profile)
    }

    fn orientation(&mut self) -> Orientation {
        let exif = self.0.info().exif_metadata.as_deref();
        exif.and_then(Orientation::from_exif_chunk)
            .unwrap_or(Orientation::NoTransforms)
    }

    fn pixels(mut self: Box<Self>) -> Result<RgbImage, String> {
        let (width, height) = self.size();
        let mut image = RgbImage::new(width, height);
        self.read(&mut image)?;
        Ok(image)
    }
}

/// The functions that convert a row of such samples to RGB, and that lay the RGB over white.
type Converter = (fn(&[u8], &mut [u8]), fn(&[u8], &mut [u8]));

fn converter((colour, depth): (Colour, BitDepth)) -> Converter {
    match (colour, depth == BitDepth::Sixteen) {
        (Colour::Grayscale, false) => (spread_row::<1, 1>, |_, _| ()),
        (Colour::Grayscale, true) => (spread_row::<1, 2>, |_, _| ()),
        (Colour::GrayscaleAlpha, false) => (spread_row::<2, 1>, blend_row::<2, 1>),
        (Colour::GrayscaleAlpha, true) => (spread_row::<2, 2>, blend_row::<2, 2>),
        // The png crate has expanded the palette.
        (Colour::Rgb | Colour::Indexed, false) => (spread_row::<3, 1>, |_, _| ()),
        (Colour::Rgb | Colour::Indexed, true) => (spread_row::<3, 2>, |_, _| ()),
        (Colour::Rgba, false) => (spread_row::<4, 1>, blend_row::<4, 1>),
        (Colour::Rgba, true) => (spread_row::<4, 2>, blend_row::<4, 2>),
    }
}

/// Converts a row to RGB. By the number of channels, it is grey, grey and alpha, RGB, or RGBA. A sample has one byte or two.
fn spread_row<const CHANNELS: usize, const BYTES: usize>(row: &[u8], rgb_row: &mut [u8]) {
    for (pixel, rgb) in row
        .chunks_exact(CHANNELS * BYTES)
        .zip(rgb_row.chunks_exact_mut(3))
    {
        rgb.copy_from_slice(&match CHANNELS {
            1 | 2 => [level::<BYTES>(pixel, 0); 3],
            _ => [0, 1, 2].map(|channel| level::<BYTES>(pixel, channel)),
        });
    }
}

/// Lays a row of RGB over white, by the opacity in the last channel of the row that it was made from.
fn blend_row<const CHANNELS: usize, const BYTES: usize>(row: &[u8], rgb_row: &mut [u8]) {
    for (pixel, rgb) in row
        .chunks_exact(CHANNELS * BYTES)
        .zip(rgb_row.chunks_exact_mut(3))
    {
        let opacity = level::<BYTES>(pixel, CHANNELS - 1);
        for colour in rgb {
            *colour = over_white(*colour, opacity);
        }
    }
}

/// The 8-bit level of a channel.
fn level<const BYTES: usize>(pixel: &[u8], channel: usize) -> u8 {
    match BYTES {
        1 => pixel[channel],
        _ => narrowed(u16::from_be_bytes([pixel[2 * channel], pixel[2 * channel + 1]])),
    }
}

/// The 8-bit level nearest to a 16-bit level.
fn narrowed(level: u16) -> u8 {
    u8::try_from((u32::from(level) + 128) / 257).expect("65535 becomes 255")
}

fn broken(error: png::DecodingError) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDES: [usize; 2] = [5, 3];

    /// A pixel that differs from its neighbours in every byte.
    fn pixel(x: usize, y: usize, bytes: usize) -> Vec<u8> {
        let byte = |index: usize| (83 * (index + bytes * (x + SIDES[0] * y)) % 256).to_le_bytes()[0];
        (0..bytes).map(byte).collect()
    }

    /// The passes of an interlaced file: first column and row, and the steps between columns and rows (PNG specification, section
    /// 8).
    const PASSES: [[usize; 4]; 7] = [
        [0, 0, 8, 8],
        [4, 0, 8, 8],
        [0, 4, 4, 8],
        [2, 0, 4, 4],
        [0, 2, 2, 4],
        [1, 0, 2, 2],
        [0, 1, 1, 2],
    ];

    /// A file of 5 × 3 pixels.
    fn file(colour: Colour, depth: BitDepth, interlaced: bool) -> Vec<u8> {
        let [width, height] = SIDES;
        let bytes = colour.samples() * if depth == BitDepth::Sixteen { 2 } else { 1 };
        let mut rows = Vec::new();
        for [left, top, across, down] in if interlaced { &PASSES[..] } else { &[[0, 0, 1, 1]] } {
            for y in (*top..height).step_by(*down) {
                let row: Vec<_> = (*left..width)
                    .step_by(*across)
                    .flat_map(|x| pixel(x, y, bytes))
                    .collect();
                if !row.is_empty() {
                    // No filter.
                    rows.push(0);
                    rows.extend(row);
                }
            }
        }
        // One stored block, without compression; the decoder ignores the checksum.
        let length = u16::try_from(rows.len()).unwrap();
        let mut packed = vec![0x78, 1, 1];
        packed.extend(length.to_le_bytes());
        packed.extend((!length).to_le_bytes());
        packed.extend(rows);
        packed.extend([0; 4]);
        let mut info = png::Info::with_size(5, 3);
        (info.color_type, info.bit_depth, info.interlaced) = (colour, depth, interlaced);
        let mut file = Vec::new();
        let encoder = png::Encoder::with_info(&mut file, info).unwrap();
        let mut writer = encoder.write_header().unwrap();
        writer.write_chunk(png::chunk::IDAT, &packed).unwrap();
        drop(writer);
        file
    }

    #[test]
    fn every_kind_of_sample_gives_the_pixels_of_the_image_crate() {
        for colour in [
            Colour::Grayscale,
            Colour::GrayscaleAlpha,
            Colour::Rgb,
            Colour::Rgba,
        ] {
            for (depth, interlaced) in [
                (BitDepth::Eight, false),
                (BitDepth::Sixteen, false),
                (BitDepth::Eight, true),
                (BitDepth::Sixteen, true),
            ] {
                let file = file(colour, depth, interlaced);
                let rows = Box::new(PngDecoder::open(&file, 1 << 20).unwrap())
                    .pixels()
                    .unwrap();
                let peer = image::load_from_memory(&file).unwrap().into_rgba8();
                let peer = peer
                    .pixels()
                    .flat_map(|&image::Rgba([r, g, b, a])| [r, g, b].map(|level| over_white(level, a)));
                assert!(
                    rows.into_raw().into_iter().eq(peer),
                    "{colour:?} {depth:?}, interlaced: {interlaced}"
                );
            }
        }
    }

    #[test]
    fn every_16_bit_level_becomes_the_nearest_8_bit_level() {
        for level in 0..=u16::MAX {
            let nearest = (f64::from(level) / 257.0).round();
            assert!((f64::from(narrowed(level)) - nearest).abs() < 0.5, "{level}");
        }
    }
}
