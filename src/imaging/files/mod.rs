//! Image files: their encoders and decoders.
//!
//! It never changes an image, except that transparent pixels become white.
//!
//! | to find | look in |
//! | --- | --- |
//! | decoding of uploads, with limits | `decode` |
//! | recognition of formats | `format` |
//! | PNG files row by row, with little memory | `png_decoder` |
//! | PNG files, and the text that they carry | `png` |
//! | JPEG and WebP files | `jpeg_webp` |

pub(super) mod decode;
mod format;
pub(super) mod jpeg_webp;
pub(super) mod png;
mod png_decoder;
