//! PNG files, with text chunks that say how the image was made.

use crate::imaging::files::xmp;
use crate::imaging::{FileMetadata, Image, ImagingError};

/// Keyword of the iTXt chunk with the recipe.
const RECIPE: &str = "faceplane";

/// Keyword of the iTXt chunk with the XMP packet.
const XMP: &str = "XML:com.adobe.xmp";

/// Compression of a PNG file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PngCompression {
    /// Fast: a few milliseconds per megapixel.
    #[default]
    Fast,
    /// Small: about a hundred times slower.
    Small,
}

/// Encodes an image as PNG, with the metadata in iTXt chunks before the pixels.
///
/// # Errors
/// [`ImagingError::Encoding`] if a side of the image is longer than 2³¹ − 1 pixels.
pub fn encode_png(
    image: &Image,
    compression: PngCompression,
    metadata: &FileMetadata,
) -> Result<Vec<u8>, ImagingError> {
    let mut file = Vec::with_capacity(image.rgb().len() / 2 + 1024);
    let encoder = png_encoder(&mut file, image, compression, metadata)?;
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
    metadata: &FileMetadata,
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
    let mark = xmp::packet(&FileMetadata {
        recipe: None,
        ..metadata.clone()
    });
    for (keyword, text) in [(RECIPE, metadata.recipe.clone()), (XMP, mark)] {
        if let Some(text) = text {
            let added = encoder.add_itxt_chunk(keyword.to_owned(), text);
            added.map_err(|error| refused(&error))?;
        }
    }
    Ok(encoder)
}

/// The texts of a PNG file.
pub(super) struct Texts {
    pub(super) recipe: Option<String>,
    /// The XMP packet.
    pub(super) xmp: Option<String>,
}

/// The texts of a PNG file. `None` if the bytes are not a PNG file.
pub(super) fn read_texts(file: &[u8]) -> Option<Texts> {
    let reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().ok()?;
    let text = |keyword| {
        let mut chunks = reader.info().utf8_text.iter();
        chunks.find(|chunk| chunk.keyword == keyword)?.get_text().ok()
    };
    Some(Texts {
        recipe: text(RECIPE),
        xmp: text(XMP),
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
            let file = encode_png(&ramp(), compression, &FileMetadata::default()).unwrap();
            let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
            let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
            reader.next_frame(&mut pixels).unwrap();
            assert_eq!(pixels, ramp().rgb());
        }
    }
}
