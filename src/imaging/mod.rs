//! Images: from tensors to pixels, and from pixels to files and back.
//!
//! It knows pixels and file formats. It never knows latent codes, networks or requests.
//!
//! | to find | look in |
//! | --- | --- |
//! | an image, and its conversion from and to a tensor | [`Image`], [`ImageRange`] |
//! | image files: PNG, JPEG and WebP, decoding of uploads and the memory that it takes | [`encode_png`], [`encode_jpeg`], [`encode_webp`], [`decode`], [`decoding_memory`] |
//! | the part of a photograph that a model gets: centre, crop or aligned face | [`frame`], [`Framing`] |
//! | what a file says about how its image was made | [`FileMetadata`], [`read_metadata`] |
//! | who says so: a signature in an image file | [`ContentCredentials`] |
//! | several images on one sheet, or one after the other | [`arrange`], [`Animation`] |
//! | text below an image | [`captioned`] |
//! | how similar two images are: MSE, PSNR, SSIM | [`Similarity`] |

mod caption;
mod error;
mod files;
mod framing;
mod grid;
mod image;
mod rounding;
mod similarity;

pub use caption::captioned;
pub use error::{DecodeError, ImagingError};
pub use files::animation::Animation;
pub use files::content_credentials::{ContentCredentials, CredentialsError};
pub use files::decode::{decode, decoding_memory};
pub use files::file_metadata::FileMetadata;
pub use files::jpeg_webp::{Quality, encode_jpeg, encode_webp};
pub use files::png::{PngCompression, encode_png};
pub use files::read_metadata::read_metadata;
pub use framing::alignment::Alignment;
pub use framing::frame::{CropError, Framing, FramingError, Rectangle, centre, frame, shrunk};
pub use framing::landmarks::{Landmarks, LandmarksError};
pub use grid::{SheetLayout, arrange};
pub use image::{Image, ImageRange};
pub use similarity::Similarity;
