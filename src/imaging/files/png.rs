//! PNG files, with a text chunk that describes how the image was made.

use crate::imaging::{Image, ImagingError};

/// Keyword of the iTXt chunk.
const KEYWORD: &str = "faceplane";

/// Compression of a PNG file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PngCompression {
    /// Fast: a few milliseconds per megapixel.
    #[default]
    Fast,
    /// Small: about a hundred times slower.
    Small,
}

/// Encodes an image as PNG, with `text` in an iTXt chunk before the pixels.
///
/// # Errors
/// [`ImagingError::Encoding`] if a side of the image is longer than 2³¹ − 1 pixels.
pub fn encode_png(
    image: &Image,
    compression: PngCompression,
    text: Option<&str>,
) -> Result<Vec<u8>, ImagingError> {
    let mut file = Vec::with_capacity(image.rgb().len() / 2 + 1024);
    let encoder = png_encoder(&mut file, image, compression, text)?;
    let mut writer = encoder.write_header().map_err(|error| refused(&error))?;
    writer
        .write_image_data(image.rgb())
        .map_err(|error| refused(&error))?;
    writer.finish().map_err(|error| refused(&error))?;
    Ok(file)
}

fn refused(reason: &dyn std::fmt::Display) -> ImagingError {
    ImagingError::Encoding {
        format: "PNG",
        reason: reason.to_string(),
    }
}

/// The encoder of a PNG with the size of `image`.
pub(super) fn png_encoder<'a>(
    file: &'a mut Vec<u8>,
    image: &Image,
    compression: PngCompression,
    text: Option<&str>,
) -> Result<png::Encoder<'a, &'a mut Vec<u8>>, ImagingError> {
    let width = u32::try_from(image.width()).map_err(|error| refused(&error))?;
    let height = u32::try_from(image.height()).map_err(|error| refused(&error))?;
    let mut encoder = png::Encoder::new(file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(match compression {
        PngCompression::Fast => png::Compression::Fast,
        PngCompression::Small => png::Compression::High,
    });
    if let Some(text) = text {
        encoder
            .add_itxt_chunk(KEYWORD.to_owned(), text.to_owned())
            .map_err(|error| refused(&error))?;
    }
    Ok(encoder)
}

/// The text that [`encode_png`] wrote, if the file has one.
///
/// # Errors
/// [`ImagingError::Encoding`] if the bytes are not a PNG file.
pub fn read_png_text(file: &[u8]) -> Result<Option<String>, ImagingError> {
    let refused = |error: png::DecodingError| ImagingError::Encoding {
        format: "PNG",
        reason: error.to_string(),
    };
    let reader = png::Decoder::new(std::io::Cursor::new(file))
        .read_info()
        .map_err(refused)?;
    let chunk = reader
        .info()
        .utf8_text
        .iter()
        .find(|chunk| chunk.keyword == KEYWORD);
    chunk
        .map(png::text_metadata::ITXtChunk::get_text)
        .transpose()
        .map_err(|error| ImagingError::Encoding {
            format: "PNG",
            reason: error.to_string(),
        })
}

#[cfg(test)]
mod tests {
    use ndarray::Array3;

    use super::*;
    use crate::imaging::ImageRange;

    fn ramp() -> Image {
        let tensor = Array3::from_shape_fn((3, 16, 16), |(channel, row, column)| {
            f32::from(u8::try_from(channel + row + column).unwrap()) / 20.0 - 1.0
        });
        Image::from_tensor(tensor.view(), ImageRange::SIGNED).unwrap()
    }

    #[test]
    fn a_png_decodes_to_the_same_pixels() {
        for compression in [PngCompression::Fast, PngCompression::Small] {
            let file = encode_png(&ramp(), compression, None).unwrap();
            let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
            let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
            reader.next_frame(&mut pixels).unwrap();
            assert_eq!(pixels, ramp().rgb());
        }
    }

    #[test]
    fn a_png_carries_its_text() {
        let file = encode_png(
            &ramp(),
            PngCompression::Fast,
            Some("{\"seed\":7,\"name\":\"köln\"}"),
        )
        .unwrap();
        assert_eq!(
            read_png_text(&file).unwrap().as_deref(),
            Some("{\"seed\":7,\"name\":\"köln\"}")
        );
        assert_eq!(
            read_png_text(&encode_png(&ramp(), PngCompression::Fast, None).unwrap()).unwrap(),
            None
        );
        assert!(read_png_text(b"not an image").is_err());
    }
}
