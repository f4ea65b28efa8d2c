//! PNG files, with a text chunk that says what made the picture.

use super::{ImagingError, Picture};

/// Keyword of the iTXt chunk.
const KEYWORD: &str = "faceplane";

/// How small a PNG file is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// In a few milliseconds a megapixel.
    #[default]
    Fast,
    /// As small as it gets, in some hundred times that.
    Small,
}

/// Encodes a picture as PNG; `text` goes into an iTXt chunk before the pixels.
///
/// # Errors
/// [`ImagingError::Encoding`] where the encoder refuses: a picture over 2³¹ − 1 pixels wide or high.
pub fn encode_png(
    picture: &Picture,
    compression: Compression,
    text: Option<&str>,
) -> Result<Vec<u8>, ImagingError> {
    let refused = |reason: &dyn std::fmt::Display| ImagingError::Encoding {
        format: "PNG",
        reason: reason.to_string(),
    };
    let width = u32::try_from(picture.width()).map_err(|error| refused(&error))?;
    let height = u32::try_from(picture.height()).map_err(|error| refused(&error))?;
    let mut file = Vec::with_capacity(picture.rgb().len() / 2 + 1024);
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(match compression {
        Compression::Fast => png::Compression::Fast,
        Compression::Small => png::Compression::High,
    });
    if let Some(text) = text {
        encoder
            .add_itxt_chunk(KEYWORD.to_owned(), text.to_owned())
            .map_err(|error| refused(&error))?;
    }
    let mut writer = encoder.write_header().map_err(|error| refused(&error))?;
    writer
        .write_image_data(picture.rgb())
        .map_err(|error| refused(&error))?;
    writer.finish().map_err(|error| refused(&error))?;
    Ok(file)
}

/// Reads back the text that [`encode_png`] wrote, if the file has one.
///
/// # Errors
/// [`ImagingError::Encoding`] where the bytes are no PNG.
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

    fn ramp() -> Picture {
        let tensor = Array3::from_shape_fn((3, 16, 16), |(channel, row, column)| {
            f32::from(u8::try_from(channel + row + column).unwrap()) / 20.0 - 1.0
        });
        Picture::from_tensor(tensor.view(), ImageRange::SIGNED).unwrap()
    }

    #[test]
    fn a_png_decodes_to_the_same_pixels() {
        for compression in [Compression::Fast, Compression::Small] {
            let file = encode_png(&ramp(), compression, None).unwrap();
            let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
            let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
            reader.next_frame(&mut pixels).unwrap();
            assert_eq!(pixels, ramp().rgb());
        }
    }

    #[test]
    fn a_png_carries_what_made_it() {
        let file = encode_png(&ramp(), Compression::Fast, Some("{\"seed\":7,\"name\":\"köln\"}")).unwrap();
        assert_eq!(
            read_png_text(&file).unwrap().as_deref(),
            Some("{\"seed\":7,\"name\":\"köln\"}")
        );
        assert_eq!(
            read_png_text(&encode_png(&ramp(), Compression::Fast, None).unwrap()).unwrap(),
            None
        );
        assert!(read_png_text(b"not a picture").is_err());
    }
}
