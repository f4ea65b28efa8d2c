//! Image files: their encoders and decoders.
//!
//! It never changes how an image looks, except that transparent pixels become white.
//!
//! | to find | look in |
//! | --- | --- |
//! | decoding of uploads, with limits | `decode` |
//! | recognition of formats | `format` |
//! | conversion to sRGB by colour profiles and by chunks of a PNG | `colour`, `png_colour` |
//! | PNG files row by row, with little memory | `png_decoder` |
//! | PNG files, and the texts that they carry | `png` |
//! | JPEG files of any kind, and their markers | `jpeg_decoder`, `jpeg_markers` |
//! | WebP, GIF and BMP files | `other_decoder` |
//! | encoding of JPEG and WebP files | `jpeg_webp` |
//! | animated files: PNG, WebP and GIF | `animation` |
//! | what a file says about how its image was made | `file_metadata`, `read_metadata` |
//! | who says so: a signature | `content_credentials` |
//! | the same as XMP, and its place in JPEG, WebP and GIF files | `xmp`, `xmp_in_files` |

pub(super) mod animation;
mod colour;
pub(super) mod content_credentials;
pub(super) mod decode;
mod file_decoder;
pub(super) mod file_metadata;
mod format;
mod jpeg_decoder;
mod jpeg_markers;
pub(super) mod jpeg_webp;
mod other_decoder;
pub(super) mod png;
mod png_colour;
mod png_decoder;
pub(super) mod read_metadata;
mod xmp;
mod xmp_in_files;
