//! The output of an operation on faces: its format, by the request or by `Accept`, and how an image is encoded.

use axum::http::{HeaderMap, header};
use headers::HeaderMapExt as _;
use headers_accept::Accept;
use mediatype::names::x_::MIXED_REPLACE;
use mediatype::names::{
    _STAR, APPLICATION, GIF, HTML, IMAGE, JPEG, JSON, MULTIPART, PNG, Q, TEXT, WEBP, ZIP,
};
use mediatype::{MediaType, MediaTypeBuf, Name, ReadParams as _};

use crate::api::problem::Problem;
use crate::api::types::output_options::{
    Compression, Format, ImageOptions, Layout, Metadata, MixLayout, MixOutput, OutputOptions, PictureFormat,
    Pictures,
};
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

/// The media types of the layouts that put several image files into one.
static CONTAINERS: [(Layout, MediaType<'static>); 2] = [
    (Layout::Zip, MediaType::new(APPLICATION, ZIP)),
    (Layout::Stream, MediaType::new(MULTIPART, MIXED_REPLACE)),
];

impl Format {
    /// The format of the request; without one, the format that `Accept` prefers; without `Accept`, PNG. A client that accepts only the
    /// container of `layout` gets PNGs in it.
    fn choose(requested: Option<Self>, layout: Layout, headers: &HeaderMap) -> Result<Self, Problem> {
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
            let lossless = chosen.is_lossy() && accept.media_types().any(prefers_png);
            Some(if lossless { Self::Png } else { chosen })
        });
        let in_container = || {
            let (_, container) = CONTAINERS.iter().find(|(of, _)| *of == layout)?;
            accept.as_ref()?.negotiate([container])?;
            Some(Self::Png)
        };
        let chosen = chosen.or_else(in_container);
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
            Self::Npz => "application/octet-stream",
        }
    }
}

/// Whether a range of `Accept` is for PNG files, of which animated ones are a kind, without a reduced quality, or for the pages that a
/// browser asks for in its address bar.
fn prefers_png(range: &MediaTypeBuf) -> bool {
    let subtype = range.subty();
    let is_png = range.ty() == IMAGE && ([PNG, _STAR].contains(&subtype) || subtype.as_str() == "apng");
    let is_page = range.ty() == TEXT && subtype == HTML;
    (is_png || is_page) && range.get_param(Q).is_none()
}

impl From<PictureFormat> for Format {
    fn from(format: PictureFormat) -> Self {
        match format {
            PictureFormat::Png => Self::Png,
            PictureFormat::Jpeg => Self::Jpeg,
            PictureFormat::Webp => Self::Webp,
        }
    }
}

impl Layout {
    /// The arrangement on a sheet; `None` for other layouts.
    fn sheet(self) -> Option<SheetLayout> {
        match self {
            Self::Grid => Some(SheetLayout::Grid),
            Self::Strip => Some(SheetLayout::Strip),
            Self::Animation | Self::Zip | Self::Stream => None,
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
    /// The format of each image: that of the response, or of the images in JSON.
    pub(crate) image_format: Format,
    layout: Layout,
    /// The columns of a table besides the one of its heads.
    columns: Option<usize>,
    /// The time of each face in an animation, in milliseconds.
    frame_time: u16,
    pub(crate) metadata: Metadata,
    pub(crate) compression: Compression,
    quality: Quality,
}

impl Output {
    /// The output for `options`, and for the `Accept` header if they name no format.
    pub(crate) fn of(options: &OutputOptions, headers: &HeaderMap) -> Result<Self, Problem> {
        Self::of_several(options, Layout::Grid, headers)
    }

    /// The same for an operation with the layout `usual`, if the request names none.
    pub(crate) fn of_several(
        options: &OutputOptions,
        usual: Layout,
        headers: &HeaderMap,
    ) -> Result<Self, Problem> {
        if options.pictures == Some(Pictures::None) {
            let reason = "found none, which is for sample, edit and conditional edit; expected all";
            return Err(Problem::field("pictures", reason));
        }
        let mut output = Self::with_layout(&options.image, options.layout.unwrap_or(usual), headers)?;
        if options.layout.is_none() && output.format == Format::Gif {
            output.layout = Layout::Animation;
        }
        let is_animated = output.layout == Layout::Animation;
        if is_animated && output.format == Format::Jpeg {
            let reason = "found animation for a JPEG, expected it for PNG, WebP or GIF";
            return Err(Problem::field("layout", reason));
        }
        if options.frame_time.is_some() && !is_animated {
            let reason = "found it without an animation, expected layout=animation beside it";
            return Err(Problem::field("frame_time", reason));
        }
        let frame_time = options.frame_time.and_then(|time| u16::try_from(time.u64()).ok());
        output.frame_time = frame_time.unwrap_or(FRAME_TIME);
        Ok(output)
    }

    /// The output of an operation that always makes one face.
    pub(crate) fn of_one_face(options: &ImageOptions, headers: &HeaderMap) -> Result<Self, Problem> {
        Self::with_layout(options, Layout::Grid, headers)
    }

    /// The output with this layout.
    pub(crate) fn with_layout(
        options: &ImageOptions,
        layout: Layout,
        headers: &HeaderMap,
    ) -> Result<Self, Problem> {
        let format = Format::choose(options.format, layout, headers)?;
        if format == Format::Json && matches!(layout, Layout::Zip | Layout::Stream) {
            let reason =
                "found zip or stream for JSON, expected it for PNG, JPEG, WebP or GIF: name a format";
            return Err(Problem::field("layout", reason));
        }
        if format == Format::Npz {
            let reason = "found npz, which only sample, edit, conditional edit and score give; expected json";
            return Err(Problem::field("format", reason));
        }
        let image_format = match options.picture_format {
            Some(_) if format != Format::Json => {
                let reason =
                    "is for pictures in JSON; leave it out, and name the format of an image in format";
                return Err(Problem::field("picture_format", reason));
            }
            None if format == Format::Json => Format::Png,
            None => format,
            Some(picture_format) => picture_format.into(),
        };
        if options.compression.is_some() && image_format.is_lossy() {
            let reason = "is for PNG only; the size of JPEG and WebP files depends on their quality";
            return Err(Problem::field("compression", reason));
        }
        let quality = match options.quality {
            Some(_) if !image_format.has_quality() => {
                let reason =
                    "is for JPEG and WebP; PNG keeps every pixel, and compression=small makes it smaller";
                return Err(Problem::field("quality", reason));
            }
            quality => quality.and_then(|quality| Quality::new(u8::try_from(quality.u64()).ok()?)),
        };
        Ok(Self {
            format,
            image_format,
            layout,
            columns: None,
            frame_time: FRAME_TIME,
            metadata: options.metadata.unwrap_or(Metadata::Full),
            compression: options.compression.unwrap_or(Compression::Fast),
            quality: quality.unwrap_or_default(),
        })
    }

    /// The output of a table with `columns` columns besides the one of its heads.
    pub(crate) fn of_table(
        options: &MixOutput,
        columns: usize,
        headers: &HeaderMap,
    ) -> Result<Self, Problem> {
        let layout = match options.layout {
            None | Some(MixLayout::Grid) => Layout::Grid,
            Some(MixLayout::Zip) => Layout::Zip,
        };
        Ok(Self {
            columns: Some(columns),
            ..Self::with_layout(&options.image, layout, headers)?
        })
    }

    /// The columns of a table besides the one of its heads; `None` for other responses.
    pub(crate) fn columns(self) -> Option<usize> {
        self.columns
    }

    /// Whether each face is a file in an archive.
    pub(crate) fn is_zipped(self) -> bool {
        self.layout == Layout::Zip
    }

    /// Whether each face is sent as soon as it is made.
    pub(crate) fn is_streamed(self) -> bool {
        self.layout == Layout::Stream
    }

    /// Encodes an image.
    pub(crate) fn encode(self, image: &Image, metadata: &FileMetadata) -> Result<Vec<u8>, ImagingError> {
        match self.image_format {
            Format::Png | Format::Json | Format::Npz => encode_png(image, self.compression.into(), metadata),
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
        let table = self
            .columns
            .map(|columns| SheetLayout::Table { columns: columns + 1 });
        match table.or(self.layout.sheet()) {
            Some(layout) => self.encode(&arrange(images, layout)?, metadata),
            None => self.animate(images, metadata),
        }
    }

    fn animate(self, images: &[Image], metadata: &FileMetadata) -> Result<Vec<u8>, ImagingError> {
        let animation = Animation::new(images, self.frame_time)?;
        match self.format {
            Format::Gif => animation.encode_gif(metadata),
            Format::Webp => animation.encode_webp(self.quality, metadata),
            Format::Png | Format::Jpeg | Format::Json | Format::Npz => {
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
        Format::choose(None, Layout::Grid, &headers).ok()
    }

    #[test]
    fn browsers_and_curl_get_a_png_and_other_clients_get_what_they_prefer() {
        let in_img = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8";
        let in_another = "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5";
        let in_address_bar = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
        let in_that_of_chromium = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7";
        let in_that_of_firefox =
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/png,*/*;q=0.8";
        let in_an_older_one =
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";
        for accept in [
            "*/*",
            "image/*",
            in_img,
            in_another,
            in_address_bar,
            in_that_of_chromium,
            in_that_of_firefox,
            in_an_older_one,
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
        let without = HeaderMap::new();
        assert_eq!(
            Format::choose(None, Layout::Grid, &without).ok(),
            Some(Format::Png)
        );
        assert_eq!(
            Format::choose(Some(Format::Json), Layout::Grid, &without).ok(),
            Some(Format::Json)
        );
    }

    #[test]
    fn a_client_that_accepts_only_the_container_gets_pngs_in_it() {
        let found = |layout, accept| {
            let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
            Format::choose(None, layout, &headers).ok()
        };
        assert_eq!(found(Layout::Zip, "application/zip"), Some(Format::Png));
        assert_eq!(
            found(Layout::Zip, "application/zip, image/webp"),
            Some(Format::Webp)
        );
        let stream = "multipart/x-mixed-replace";
        assert_eq!(found(Layout::Stream, stream), Some(Format::Png));
        assert_eq!(found(Layout::Zip, stream), None);
        assert_eq!(found(Layout::Grid, "application/zip"), None);
    }
}
