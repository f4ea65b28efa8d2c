//! The output of an operation on faces: its format, by the request or by `Accept`, and how an image is encoded.

use axum::http::{HeaderMap, header};
use headers::HeaderMapExt as _;
use headers_accept::Accept;
use mediatype::names::{_STAR, APPLICATION, GIF, IMAGE, JPEG, JSON, PNG, Q, WEBP};
use mediatype::{MediaType, MediaTypeBuf, Name, ReadParams as _};

use crate::api::problem::Problem;
use crate::api::types::output_options::{Compression, Format, ImageOptions, Layout, Metadata, OutputOptions};
use crate::imaging::{
    self, Animation, FileMetadata, Image, ImagingError, Quality, SheetLayout, arrange, encode_jpeg,
    encode_png, encode_webp,
};

/// How long each face of an animation is shown if the request does not say, in milliseconds.
const FRAME_TIME: u16 = 100;

/// The media types of the responses. A client that accepts each of them gets the first.
pub(crate) static OFFERED: [MediaType<'static>; 5] = [
    MediaType::new(IMAGE, PNG),
    MediaType::new(IMAGE, JPEG),
    MediaType::new(IMAGE, WEBP),
    MediaType::new(IMAGE, GIF),
    MediaType::new(APPLICATION, JSON),
];

impl Format {
    /// The format of the request; without one, the format that `Accept` prefers; without `Accept`, PNG.
    fn choose(requested: Option<Self>, headers: &HeaderMap) -> Result<Self, Problem> {
        if let Some(format) = requested {
            return Ok(format);
        }
        let Some(found) = headers.get(header::ACCEPT) else {
            return Ok(Self::Png);
        };
        let accept = headers.typed_get::<Accept>();
        let chosen = accept.as_ref().and_then(|accept| {
            let chosen = Self::of(accept.negotiate(&OFFERED)?.subty)?;
            // Browsers list WebP before PNG. They get the lossless format.
            let lossless = chosen.is_lossy() && accept.media_types().any(accepts_png_fully);
            Some(if lossless { Self::Png } else { chosen })
        });
        chosen.ok_or_else(|| Problem::NotAcceptable {
            found: String::from_utf8_lossy(found.as_bytes()).into_owned(),
            offered: "image/png, image/jpeg, image/webp, image/gif and application/json",
        })
    }

    fn of(name: Name<'_>) -> Option<Self> {
        let formats = [
            (PNG, Self::Png),
            (JPEG, Self::Jpeg),
            (WEBP, Self::Webp),
            (GIF, Self::Gif),
            (JSON, Self::Json),
        ];
        let format = formats.into_iter().find(|&(known, _)| known == name);
        format.map(|(_, format)| format)
    }

    fn is_lossy(self) -> bool {
        matches!(self, Self::Jpeg | Self::Webp | Self::Gif)
    }

    fn has_quality(self) -> bool {
        matches!(self, Self::Jpeg | Self::Webp)
    }

    /// The media type.
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
            Self::Gif => "image/gif",
            Self::Json => "application/json",
        }
    }
}

/// Whether a range of `Accept` includes PNG without a reduced quality.
fn accepts_png_fully(range: &MediaTypeBuf) -> bool {
    let subtype = range.subty();
    range.ty() == IMAGE && (subtype == PNG || subtype == _STAR) && range.get_param(Q).is_none()
}

impl Layout {
    /// The arrangement on a sheet; `None` for an animation.
    fn sheet(self) -> Option<SheetLayout> {
        match self {
            Self::Grid => Some(SheetLayout::Grid),
            Self::Strip => Some(SheetLayout::Strip),
            Self::Animation => None,
        }
    }
}

impl From<Compression> for imaging::PngCompression {
    fn from(compression: Compression) -> Self {
        match compression {
            Compression::Fast => Self::Fast,
            Compression::Small => Self::Small,
        }
    }
}

/// The output of an operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    pub(crate) format: Format,
    layout: Layout,
    /// The time of each face in an animation, in milliseconds.
    frame_time: u16,
    pub(crate) metadata: Metadata,
    pub(crate) compression: Compression,
    quality: Quality,
}

impl Output {
    /// The output for `options`, and for the `Accept` header if they name no format.
    pub(crate) fn of(options: &OutputOptions, headers: &HeaderMap) -> Result<Self, Problem> {
        let output = Self::of_one_face(&options.image, headers)?;
        let layout = options.layout.unwrap_or(output.layout);
        let is_animated = layout == Layout::Animation;
        if is_animated && output.format == Format::Jpeg {
            let reason = "found animation for a JPEG, expected it for PNG, WebP or GIF";
            return Err(Problem::field("layout", reason));
        }
        if options.frame_time.is_some() && !is_animated {
            let reason = "found it without an animation, expected layout=animation beside it";
            return Err(Problem::field("frame_time", reason));
        }
        let frame_time = options.frame_time.and_then(|time| u16::try_from(time.u64()).ok());
        Ok(Self {
            layout,
            frame_time: frame_time.unwrap_or(FRAME_TIME),
            ..output
        })
    }

    /// The output of an operation that always makes one face.
    pub(crate) fn of_one_face(options: &ImageOptions, headers: &HeaderMap) -> Result<Self, Problem> {
        let format = Format::choose(options.format, headers)?;
        if options.compression.is_some() && format.is_lossy() {
            let reason = "is for PNG only; the size of JPEG and WebP files depends on their quality";
            return Err(Problem::field("compression", reason));
        }
        let quality = match options.quality {
            Some(_) if !format.has_quality() => {
                let reason =
                    "is for JPEG and WebP; PNG keeps every pixel, and compression=small makes it smaller";
                return Err(Problem::field("quality", reason));
            }
            quality => quality.and_then(|quality| Quality::new(u8::try_from(quality.u64()).ok()?)),
        };
        Ok(Self {
            format,
            layout: if format == Format::Gif {
                Layout::Animation
            } else {
                Layout::Grid
            },
            frame_time: FRAME_TIME,
            metadata: options.metadata.unwrap_or(Metadata::Full),
            compression: options.compression.unwrap_or(Compression::Fast),
            quality: quality.unwrap_or_default(),
        })
    }

    /// Encodes an image. Images in JSON are PNGs.
    pub(crate) fn encode(self, image: &Image, metadata: &FileMetadata) -> Result<Vec<u8>, ImagingError> {
        match self.format {
            Format::Png | Format::Json => encode_png(image, self.compression.into(), metadata),
            Format::Jpeg => encode_jpeg(image, self.quality, metadata),
            Format::Webp => encode_webp(image, self.quality, metadata),
            Format::Gif => self.animate(std::slice::from_ref(image), metadata),
        }
    }

    /// Encodes several images as one file: a sheet, or an animation.
    pub(crate) fn encode_all(
        self,
        images: &[Image],
        metadata: &FileMetadata,
    ) -> Result<Vec<u8>, ImagingError> {
        match self.layout.sheet() {
            Some(layout) => self.encode(&arrange(images, layout)?, metadata),
            None => self.animate(images, metadata),
        }
    }

    fn animate(self, images: &[Image], metadata: &FileMetadata) -> Result<Vec<u8>, ImagingError> {
        let animation = Animation::new(images, self.frame_time)?;
        match self.format {
            Format::Gif => animation.encode_gif(metadata),
            Format::Webp => animation.encode_webp(self.quality, metadata),
            Format::Png | Format::Jpeg | Format::Json => {
                animation.encode_png(self.compression.into(), metadata)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn chosen(accept: &'static str) -> Option<Format> {
        let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
        Format::choose(None, &headers).ok()
    }

    #[test]
    fn browsers_and_curl_get_a_png_and_other_clients_get_what_they_prefer() {
        let in_img = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8";
        let in_another = "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5";
        let in_address_bar = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
        for accept in [
            "*/*",
            "image/*",
            in_img,
            in_another,
            in_address_bar,
            "application/json;q=0.5, image/png",
        ] {
            assert_eq!(chosen(accept), Some(Format::Png), "{accept}");
        }
        for accept in [
            "application/json",
            "image/png;q=0.1, application/json",
            "application/*, image/tiff",
        ] {
            assert_eq!(chosen(accept), Some(Format::Json), "{accept}");
        }
        assert_eq!(chosen("image/webp"), Some(Format::Webp));
        assert_eq!(chosen("image/jpeg, */*;q=0.1"), Some(Format::Jpeg));
        assert_eq!(chosen("image/webp, image/png;q=0.5"), Some(Format::Webp));
        assert_eq!(chosen("image/gif"), Some(Format::Gif));
        for accept in ["image/tiff", "image/png;q=0, application/json;q=0"] {
            assert_eq!(chosen(accept), None, "{accept}");
        }
        assert_eq!(Format::choose(None, &HeaderMap::new()).ok(), Some(Format::Png));
        assert_eq!(
            Format::choose(Some(Format::Json), &HeaderMap::new()).ok(),
            Some(Format::Json)
        );
    }
}
