//! Unusual, damaged and malicious image files: each is decoded, or refused with a 422 that names the field.

use std::io::Cursor;
use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use faceplane::engine::{EngineError, Gradient, LossGradient};
use image::codecs::gif::GifEncoder;
use image::{
    DynamicImage, Frame, ImageBuffer, ImageEncoder as _, ImageFormat, Luma, Rgb, RgbImage, RgbaImage,
};
use ndarray::{Array1, Array3, ArrayView3, ArrayView4, Axis};

use crate::support::Client;

/// A gradient network with loss 0 everywhere.
struct ZeroGradient;

impl Gradient for ZeroGradient {
    fn largest_batch(&self) -> usize {
        8
    }

    fn loss_gradient(
        &mut self,
        codes: ArrayView3<'_, f32>,
        _: ArrayView4<'_, f32>,
    ) -> Result<LossGradient, EngineError> {
        Ok(LossGradient {
            loss: Array1::zeros(codes.len_of(Axis(0))),
            perceptual: None,
            gradient: Array3::zeros(codes.dim()),
        })
    }
}

/// The expected response to a file.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Expected {
    Decoded,
    Refused,
    /// Decoded or refused: decoders may differ.
    Either,
}
use Expected::{Decoded, Either, Refused};

/// The files to send: a name, the expected response and the bytes.
struct Files(Vec<(String, Expected, Vec<u8>)>);

impl Files {
    fn add(&mut self, name: impl Into<String>, expected: Expected, file: impl Into<Vec<u8>>) {
        self.0.push((name.into(), expected, file.into()));
    }
}

/// An image in which every pixel differs from its neighbours.
fn pattern(side: u32) -> DynamicImage {
    let level = |x: u32| u8::try_from(x % 256).unwrap();
    RgbImage::from_fn(side, side, |x, y| Rgb([level(4 * x), level(3 * y), level(x * y)])).into()
}

fn file(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    image.write_to(&mut file, format).unwrap();
    file.into_inner()
}

const FORMATS: [ImageFormat; 5] = [
    ImageFormat::Png,
    ImageFormat::Jpeg,
    ImageFormat::WebP,
    ImageFormat::Gif,
    ImageFormat::Bmp,
];

/// A JPEG with an EXIF orientation; its EXIF data are cut after `cut` bytes.
fn oriented(orientation: u16, cut: usize) -> Vec<u8> {
    let mut exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01".to_vec();
    exif.extend(orientation.to_be_bytes());
    exif.extend([0; 6]);
    exif.truncate(exif.len() - cut);
    let mut bytes = file(&pattern(32), ImageFormat::Jpeg);
    let mut segment = vec![0xff, 0xe1];
    segment.extend(u16::try_from(exif.len() + 2).unwrap().to_be_bytes());
    segment.extend(exif);
    bytes.splice(2..2, segment);
    bytes
}

/// The CRC of a PNG's chunk.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc: u32, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 * (crc & 1))
        })
    })
}

fn chunk(kind: [u8; 4], body: &[u8]) -> Vec<u8> {
    let mut typed = kind.to_vec();
    typed.extend(body);
    let mut chunk = u32::try_from(body.len()).unwrap().to_be_bytes().to_vec();
    chunk.extend(&typed);
    chunk.extend(crc(&typed).to_be_bytes());
    chunk
}

/// Small files that claim to be huge, or decompress to much more than their size.
fn decompression_bombs(files: &mut Files) {
    let huge = 50_000_u32;
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut head = [huge.to_be_bytes(), huge.to_be_bytes()].concat();
    head.extend([8, 2, 0, 0, 0]);
    png.extend(chunk(*b"IHDR", &head));
    png.extend(chunk(*b"IDAT", b"\x78\x9c\x03\0\0\0\0\x01"));
    png.extend(chunk(*b"IEND", b""));
    files.add("PNG of 50,000 × 50,000", Refused, png);
    let mut bmp = file(&pattern(4), ImageFormat::Bmp);
    bmp[18..22].copy_from_slice(&huge.to_le_bytes());
    bmp[22..26].copy_from_slice(&huge.to_le_bytes());
    files.add("BMP of 50,000 × 50,000", Refused, bmp);
    let mut gif = file(&pattern(4), ImageFormat::Gif);
    gif[6..10].copy_from_slice(&[0x50, 0xc3, 0x50, 0xc3]);
    files.add("GIF of 50,000 × 50,000", Refused, gif);
    let mut jpeg = file(&pattern(16), ImageFormat::Jpeg);
    let start = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    jpeg[start + 5..start + 9].copy_from_slice(&[0xc3, 0x50, 0xc3, 0x50]);
    files.add("JPEG of 50,000 × 50,000", Refused, jpeg);
    let mut webp = b"RIFF\x1a\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0".to_vec();
    webp.extend([0x4f, 0xc3, 0, 0x4f, 0xc3, 0, 0, 0]);
    files.add("WebP of 50,000 × 50,000", Refused, webp);
    // A text chunk that claims four gigabytes, and one that decompresses to gigabytes.
    for kind in [b"iCCP", b"zTXt", b"tEXt"] {
        let mut png = file(&pattern(4), ImageFormat::Png);
        let mut broken = u32::MAX.to_be_bytes().to_vec();
        broken.extend(kind);
        png.splice(33..33, broken);
        files.add(
            format!(
                "PNG with a chunk {} that claims 4 GiB",
                String::from_utf8_lossy(kind)
            ),
            Refused,
            png,
        );
    }
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, 4, 4);
    encoder.set_color(png::ColorType::Rgb);
    encoder
        .add_ztxt_chunk("Comment".into(), "\0".repeat(8 << 20))
        .unwrap();
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&[7; 48]).unwrap();
    writer.finish().unwrap();
    files.add("PNG with 8 MiB of compressed text", Either, png);
}

/// Valid files that few programs write.
fn unusual(files: &mut Files) {
    let cmyk = vec![40_u8; 4 * 32 * 32];
    let mut jpeg = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut jpeg, 90);
    encoder
        .encode(&cmyk, 32, 32, jpeg_encoder::ColorType::Cmyk)
        .unwrap();
    files.add("CMYK JPEG", Decoded, jpeg);
    let grey: DynamicImage = ImageBuffer::from_pixel(9, 9, Luma([0x1234_u16])).into();
    files.add("grey PNG of 16 bits", Decoded, file(&grey, ImageFormat::Png));
    let deep: DynamicImage = ImageBuffer::from_pixel(9, 9, image::Rgba([1_u16, 2, 3, 4])).into();
    files.add("RGBA PNG of 16 bits", Decoded, file(&deep, ImageFormat::Png));
    for (width, height) in [(1, 1), (1, 3000), (3000, 1)] {
        let uniform: DynamicImage = RgbImage::from_pixel(width, height, Rgb([9, 9, 9])).into();
        for format in FORMATS {
            files.add(
                format!("{format:?} of {width} × {height}"),
                Decoded,
                file(&uniform, format),
            );
        }
    }
    let mut gif = Vec::new();
    let frames = (0..5).map(|index| {
        Frame::new(RgbaImage::from_pixel(
            12,
            12,
            image::Rgba([index * 50, 0, 0, 255]),
        ))
    });
    GifEncoder::new(&mut gif).encode_frames(frames).unwrap();
    files.add("animated GIF", Decoded, gif);
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, 4, 4);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_animated(3, 0).unwrap();
    let mut writer = encoder.write_header().unwrap();
    for level in 0..3 {
        writer.write_image_data(&[level; 48]).unwrap();
    }
    writer.finish().unwrap();
    files.add("animated PNG", Decoded, png);
    let mut png = Vec::new();
    let mut encoder = image::codecs::png::PngEncoder::new(&mut png);
    encoder.set_icc_profile(vec![0; 500]).unwrap();
    encoder
        .write_image(pattern(8).as_bytes(), 8, 8, image::ExtendedColorType::Rgb8)
        .unwrap();
    files.add("PNG with an invalid colour profile", Decoded, png);
    for orientation in [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, u16::MAX] {
        files.add(
            format!("JPEG of orientation {orientation}"),
            Decoded,
            oriented(orientation, 0),
        );
        files.add(
            format!("JPEG with truncated EXIF of orientation {orientation}"),
            Decoded,
            oriented(orientation, 9),
        );
    }
}

/// Files with two valid interpretations, or with a wrong type.
fn ambiguous(files: &mut Files) {
    for bytes in [
        &b""[..],
        b"\0",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"RIFF\0\0\0\0WEBP",
        b"RIFF\xff\xff\xff\xffWEBPVP8L",
        b"GIF89a",
        b"BM",
        b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>",
        b"<!doctype html><img src=x>",
        b"%PDF-1.7\n%%EOF",
        b"PK\x03\x04",
        b"MZ",
        b"\x7fELF",
        b"II*\0\x08\0\0\0",
        b"\0\0\x01\0\x01\0",
        b"#!/bin/sh\nexit 1\n",
        b"push graphic-context\nimage over 0,0 0,0 'https://localhost/'",
    ] {
        files.add(format!("{:?}", String::from_utf8_lossy(bytes)), Refused, bytes);
    }
    for length in [1, 100, 10_000] {
        files.add(format!("{length} zero bytes"), Refused, vec![0; length]);
        files.add(format!("{length} bytes of 0xff"), Refused, vec![0xff; length]);
    }
    for format in FORMATS {
        let complete = file(&pattern(24), format);
        for (what, tail) in [
            ("a ZIP", &b"PK\x05\x06\0\0\0\0"[..]),
            ("a script", b"<script>alert(1)</script>"),
            ("itself", &complete.clone()),
        ] {
            files.add(
                format!("{format:?} followed by {what}"),
                Decoded,
                [&complete, tail].concat(),
            );
        }
        files.add(
            format!("{format:?} after the header of a PDF"),
            Refused,
            [b"%PDF-1.7\n", &complete[..]].concat(),
        );
        for other in FORMATS.into_iter().filter(|&other| other != format) {
            let mut bytes = complete.clone();
            let head = &file(&pattern(24), other)[..12];
            bytes[..12].copy_from_slice(head);
            files.add(format!("{format:?} with the header of {other:?}"), Either, bytes);
        }
    }
    files.add(
        "a GIF that is also a script",
        Either,
        &b"GIF89a/*\0\0\0\0\0*/=1;alert(1);"[..],
    );
}

/// Truncated files, and files with inverted bytes.
fn damaged(files: &mut Files) {
    for format in FORMATS {
        let complete = file(&pattern(24), format);
        for share in [5, 20, 40, 60, 80, 99] {
            let length = complete.len() * share / 100;
            files.add(format!("{share} % of a {format:?}"), Either, &complete[..length]);
        }
        for step in 0..12 {
            let mut bytes = complete.clone();
            let offset = 8 + step * (bytes.len() - 8) / 12;
            for byte in &mut bytes[offset..(offset + 4).min(complete.len())] {
                *byte = !*byte;
            }
            files.add(
                format!("{format:?} with four bytes inverted at {offset}"),
                Either,
                bytes,
            );
        }
    }
}

#[tokio::test]
async fn two_hundred_invalid_or_unusual_files_are_decoded_or_refused_with_a_422() {
    let mut files = Files(Vec::new());
    decompression_bombs(&mut files);
    unusual(&mut files);
    ambiguous(&mut files);
    damaged(&mut files);
    let files = files.0;
    assert!(files.len() >= 200, "{} files", files.len());
    let mut wrong = Vec::new();
    let client = Arc::new(Client::with_gradient(ZeroGradient));
    for (name, expected, file) in files {
        let request = Request::post("/v1/invert?method=optimize&steps=1&space=w")
            .header("content-type", "image/png")
            .header("accept", "application/json");
        let response = client.send(request.body(Body::from(file)).unwrap()).await;
        let status = response.status.as_u16();
        let text = String::from_utf8_lossy(&response.body).into_owned();
        let as_expected = match expected {
            Decoded => status == 200,
            Refused => status == 422,
            Either => status == 200 || status == 422,
        };
        if !as_expected || status == 422 && !text.contains("image: ") {
            wrong.push(format!("{name}: {status} {text}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
