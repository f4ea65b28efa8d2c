//! How the client wants the response encoded.

use crate::api::decode::declare::fields;
use crate::api::decode::fields::Group;
use crate::api::types::choice::choice;
use crate::api::types::number::Integer;

choice! {
    /// The format of the response.
    pub(crate) enum Format {
        /// One PNG; several faces share it.
        Png = "png",
        /// One JPEG; several faces share it.
        Jpeg = "jpeg",
        /// One WebP (lossy); several faces share it.
        Webp = "webp",
        /// One GIF, in 256 colours for each face; several faces are an animation.
        Gif = "gif",
        /// Codes, distances and scores, and each face's PNG in base64.
        Json = "json",
    }
}

choice! {
    /// How several faces share one image.
    pub(crate) enum Layout {
        /// Rows and columns, as square as possible; the default.
        Grid = "grid",
        /// One row.
        Strip = "strip",
        /// One after the other, again and again, in an animated PNG, WebP or GIF.
        Animation = "animation",
    }
}

choice! {
    /// The metadata in an image file.
    pub(crate) enum Metadata {
        /// The recipe, and the mark that a model made the image; the default. The recipe has the program's version, the model and its digest,
        /// the request and the code. It is in the iTXt chunk `faceplane` of a PNG, and in the XMP packet of other files.
        Full = "full",
        /// The mark only, unless the model's manifest says that it is optional.
        None = "none",
    }
}

choice! {
    /// The compression of a PNG.
    pub(crate) enum Compression {
        /// Fast encoding; the default.
        Fast = "fast",
        /// A smaller file, which takes longer to encode.
        Small = "small",
    }
}

fields! {
    /// How the client wants a response about one face encoded.
    pub(crate) struct ImageOptions {
        /// The format of the response. Default: what the `Accept` header prefers, or else PNG.
        format: Option<Format>,
        /// The metadata in an image file. Default: `full`.
        metadata: Option<Metadata>,
        /// The compression of a PNG. Default: `fast`.
        compression: Option<Compression>,
        /// The quality of a JPEG or WebP. Default: 90.
        quality: Option<Integer<1, 100>>,
    }
}

fields! {
    /// How the client wants a response about one or several faces encoded.
    pub(crate) struct OutputOptions {
        image: Group<ImageOptions>,
        /// How several faces share one image. Default: `grid`; `animation` for a GIF.
        layout: Option<Layout>,
        /// How long each face of an animation is shown, in milliseconds. A GIF has steps of 10. Default: 100.
        frame_time: Option<Integer<10, 60_000>>,
    }
}
