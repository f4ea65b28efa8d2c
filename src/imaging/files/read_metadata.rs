//! Reads what an image file says about how its image was made.

use std::io::Cursor;
use std::panic::catch_unwind;

use image::codecs::gif::GifDecoder;
use image::{ImageDecoder as _, ImageFormat};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::imaging::files::file_metadata::FileMetadata;
use crate::imaging::files::format::known_format;
use crate::imaging::files::xmp_in_files::webp_packet;
use crate::imaging::files::{png, xmp};

/// What a PNG, JPEG, WebP or GIF file says about how its image was made. No pixel is decoded. A file that cannot be read says nothing.
#[must_use]
pub fn read_metadata(file: &[u8]) -> FileMetadata {
    // Files are untrusted: if a decoder panics, the file says nothing.
    catch_unwind(|| read(file)).ok().flatten().unwrap_or_default()
}

fn read(file: &[u8]) -> Option<FileMetadata> {
    match known_format(file).ok()? {
        ImageFormat::Png => {
            let png::Texts { recipe, xmp } = png::read_texts(file)?;
            let said = xmp.and_then(|packet| xmp::parse(packet.as_bytes()));
            let digital_source_type = said.and_then(|said| said.digital_source_type);
            Some(FileMetadata {
                recipe,
                digital_source_type,
            })
        }
        ImageFormat::Jpeg => jpeg(file),
        ImageFormat::WebP => xmp::parse(webp_packet(file)?),
        ImageFormat::Gif => {
            let mut decoder = GifDecoder::new(Cursor::new(file)).ok()?;
            xmp::parse(&decoder.xmp_metadata().ok()??)
        }
        _ => None,
    }
}

fn jpeg(file: &[u8]) -> Option<FileMetadata> {
    let options = DecoderOptions::default()
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX));
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(file), options);
    decoder.decode_headers().ok()?;
    let info = decoder.info()?;
    let said = xmp::parse(&info.xmp_data?)?;
    let extension = info.extended_xmp.and_then(|xmp| xmp::parse(&xmp));
    Some(FileMetadata {
        recipe: said.recipe.or_else(|| extension?.recipe),
        ..said
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imaging::{
        Animation, Image, PngCompression, Quality, decode, encode_jpeg, encode_png, encode_webp,
    };

    /// Each kind of file with these metadata, of images with an odd and an even side.
    fn files(metadata: &FileMetadata) -> Vec<(&'static str, Vec<u8>)> {
        let images = [40, 200].map(|level| Image::from_rgb(33, 20, vec![level; 33 * 20 * 3]));
        let animation = Animation::new(&images, 50).unwrap();
        let (fast, quality) = (PngCompression::Fast, Quality::default());
        vec![
            ("PNG", encode_png(&images[0], fast, metadata).unwrap()),
            ("JPEG", encode_jpeg(&images[0], quality, metadata).unwrap()),
            ("WebP", encode_webp(&images[0], quality, metadata).unwrap()),
            ("animated PNG", animation.encode_png(fast, metadata).unwrap()),
            ("animated WebP", animation.encode_webp(quality, metadata).unwrap()),
            ("GIF", animation.encode_gif(metadata).unwrap()),
        ]
    }

    #[test]
    fn every_kind_of_file_keeps_its_metadata_and_its_pixels() {
        // From a recipe of odd length to one that needs several segments of a JPEG.
        for length in [1, 2, 300, 65_000, 200_000] {
            let metadata = FileMetadata {
                recipe: Some(format!("{{\"code\":\"{}<&>é\"}}", "x".repeat(length))),
                ..FileMetadata::mark("trainedAlgorithmicMedia")
            };
            for ((kind, file), (_, bare)) in files(&metadata).into_iter().zip(files(&FileMetadata::default()))
            {
                assert_eq!(read_metadata(&file), metadata, "{kind}, {length}");
                assert_eq!(read_metadata(&bare), FileMetadata::default(), "{kind}");
                let pixels = |file: &[u8]| decode(file, 1 << 20).unwrap().rgb().to_vec();
                assert_eq!(pixels(&file), pixels(&bare), "{kind}, {length}");
            }
        }
    }

    #[test]
    fn a_mark_needs_no_recipe() {
        let mark = FileMetadata::mark("algorithmicMedia");
        for (kind, file) in files(&mark) {
            assert_eq!(read_metadata(&file), mark, "{kind}");
        }
    }

    #[test]
    fn damaged_files_say_nothing_or_something_else_and_do_not_panic() {
        let metadata = FileMetadata {
            recipe: Some("{\"seed\":7}".to_owned()),
            ..FileMetadata::mark("algorithmicMedia")
        };
        assert_eq!(read_metadata(b"no image"), FileMetadata::default());
        for (_, file) in files(&metadata) {
            for kept in (0..file.len()).step_by(7) {
                let _ = read_metadata(&file[..kept]);
            }
            for changed in 0..file.len() {
                let mut file = file.clone();
                file[changed] = 0xff;
                let _ = read_metadata(&file);
            }
        }
    }
}
