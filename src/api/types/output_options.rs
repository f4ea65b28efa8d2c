//! How the client wants the response encoded.

use crate::api::decode::declare::fields;
use crate::api::decode::fields::Group;
use crate::api::problem::Problem;
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
        /// Codes, distances and scores, and each face's image in base64.
        Json = "json",
        /// Codes, distances and scores as NumPy arrays, without pictures: sample, edit and conditional edit only.
        Npz = "npz",
    }
}

choice! {
    /// Which pictures a JSON response has.
    pub(crate) enum Pictures {
        /// One of each face; the default.
        All = "all",
        /// None: codes, distances and scores only. The faces are made behind all other requests, and the response is sent while they are made.
        None = "none",
    }
}

choice! {
    /// The format of a response without pictures.
    pub(crate) enum NumbersFormat {
        /// JSON; the default.
        Json = "json",
        /// NumPy arrays in one file.
        Npz = "npz",
    }
}

choice! {
    /// The format of the pictures in a JSON response.
    pub(crate) enum PictureFormat {
        /// PNG files; the default.
        Png = "png",
        /// JPEG files.
        Jpeg = "jpeg",
        /// WebP files (lossy).
        Webp = "webp",
    }
}

choice! {
    /// How several faces are sent.
    pub(crate) enum Layout {
        /// One image with rows and columns, as square as possible.
        Grid = "grid",
        /// One image with one row.
        Strip = "strip",
        /// One after the other, again and again, in an animated PNG, WebP or GIF.
        Animation = "animation",
        /// A zip archive with an image file for each face.
        Zip = "zip",
        /// An image file for each face, sent as soon as it is made: `multipart/x-mixed-replace`. Browsers show one after the other.
        Stream = "stream",
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
        /// The format of the pictures in a JSON response. Default: `png`.
        picture_format: Option<PictureFormat>,
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
        /// Which pictures a JSON response has. Default: `all`. With `none`, up to 10,000 faces fit in one response. Only for sample, edit and
        /// conditional edit.
        pictures: Option<Pictures>,
        /// How several faces are sent. Default: `grid`; `animation` for a GIF, and for `/v1/interpolate`.
        layout: Option<Layout>,
        /// How long each face of an animation is shown, in milliseconds. A GIF has steps of 10. Default: 100.
        frame_time: Option<Integer<10, 60_000>>,
    }
}

impl OutputOptions {
    /// The format of a response without pictures, if the client wants one.
    pub(crate) fn numbers(&self) -> Result<Option<NumbersFormat>, Problem> {
        let format = match (self.pictures, self.image.format) {
            (_, Some(Format::Npz)) => NumbersFormat::Npz,
            (Some(Pictures::None), None | Some(Format::Json)) => NumbersFormat::Json,
            (Some(Pictures::None), Some(_)) => {
                let reason = "found none beside the format of an image, expected format=json or npz";
                return Err(Problem::field("pictures", reason));
            }
            (None | Some(Pictures::All), _) => return Ok(None),
        };
        if self.image.picture_format.is_some() {
            let reason = "is for pictures in JSON, and the response has none; leave it out";
            return Err(Problem::field("picture_format", reason));
        }
        Ok(Some(format))
    }
}

choice! {
    /// How the faces of a mixture are sent.
    pub(crate) enum MixLayout {
        /// One image: the faces of the columns in the first row, those of the rows in the first column; the default.
        Grid = "grid",
        /// A zip archive with an image file for each face.
        Zip = "zip",
    }
}

fields! {
    /// How the client wants the faces of a mixture encoded.
    pub(crate) struct MixOutput {
        image: Group<ImageOptions>,
        /// How the faces are sent. Default: `grid`.
        layout: Option<MixLayout>,
    }
}
