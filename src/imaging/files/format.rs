//! The format of an image file, by its first bytes.

use image::ImageFormat;

use crate::imaging::DecodeError;

/// Formats that have no decoder here, and the bytes at an offset by which a file is recognised.
const WITHOUT_DECODER: &[(&str, usize, &[u8])] = &[
    ("AVIF", 4, b"ftypavif"),
    ("AVIF", 4, b"ftypavis"),
    ("HEIC", 4, b"ftypheic"),
    ("HEIC", 4, b"ftypheix"),
    ("HEIC", 4, b"ftyphevc"),
    ("HEIC", 4, b"ftyphevx"),
    ("HEIC", 4, b"ftypheim"),
    ("HEIC", 4, b"ftypheis"),
    ("HEIF", 4, b"ftypmif1"),
    ("HEIF", 4, b"ftypmsf1"),
    ("JPEG XL", 0, b"\xff\x0a"),
    ("JPEG XL", 4, b"JXL \r\n\x87\n"),
    ("JPEG 2000", 4, b"jP  \r\n\x87\n"),
    ("TIFF", 0, b"II*\0"),
    ("TIFF", 0, b"MM\0*"),
];

/// The format, if there is a decoder for it.
///
/// # Errors
/// [`DecodeError::UnsupportedFormat`] for a known format without a decoder; [`DecodeError::UnknownFormat`] for anything else.
pub(super) fn known_format(file: &[u8]) -> Result<ImageFormat, DecodeError> {
    // HEIF is a container: what is in it stands among the compatible brands of its first box.
    if file.get(4..12).is_some_and(|start| start == b"ftypmif1") && brands(file).any(|brand| brand == b"avif")
    {
        return Err(DecodeError::UnsupportedFormat { format: "AVIF" });
    }
    let starts = |&&(_, offset, bytes): &&(&str, usize, &[u8])| {
        file.get(offset..).is_some_and(|rest| rest.starts_with(bytes))
    };
    if let Some(&(format, ..)) = WITHOUT_DECODER.iter().find(starts) {
        return Err(DecodeError::UnsupportedFormat { format });
    }
    image::guess_format(file)
        .ok()
        .filter(ImageFormat::reading_enabled)
        .ok_or(DecodeError::UnknownFormat { bytes: file.len() })
}

/// The compatible brands of an ISO base media file (ISO/IEC 14496-12, section 4.3).
fn brands(file: &[u8]) -> impl Iterator<Item = &[u8]> {
    let length = file.first_chunk().map_or(0, |&bytes| u32::from_be_bytes(bytes)) as usize;
    file.get(16..length.min(file.len()))
        .unwrap_or_default()
        .chunks_exact(4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn photographs_of_phones_are_named_with_what_to_do() {
        for (file, name) in [
            (&b"\0\0\0\x1cftypavif\0\0\0\0mif1avif"[..], "AVIF"),
            (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", "AVIF"),
            (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
            (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "HEIF"),
            (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
            (b"II*\0\x08\0\0\0", "TIFF"),
        ] {
            let error = known_format(file).unwrap_err();
            assert_eq!(error, DecodeError::UnsupportedFormat { format: name });
            let text = error.to_string();
            assert!(
                text.contains(name) && text.contains("convert it to JPEG or PNG"),
                "{text}"
            );
        }
    }

    #[test]
    fn a_film_and_a_short_file_are_no_images() {
        for file in [
            &b"\0\0\0\x18ftypisom"[..],
            b"\0\0\0\x18ftypmif1",
            b"ftyp",
            b"\xff\xff\xff\xffftypmp42",
        ] {
            let known = known_format(file);
            assert!(known.is_err(), "{known:?}");
        }
    }
}
