//! JPEG files of every kind that libjpeg-turbo writes: right, or refused.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use faceplane::imaging::{DecodeError, decode};

const WIDTH: usize = 45;
const HEIGHT: usize = 35;
const LIMIT: u64 = 1 << 20;

/// The most that a level may differ from the image, by compression and by sampling of the chroma.
const TOLERANCE: u8 = 16;

/// The files that `jpegs.py` wrote, by name.
fn files() -> BTreeMap<String, Vec<u8>> {
    let files: BTreeMap<String, String> = serde_json::from_str(include_str!("jpegs.json")).unwrap();
    let decoded = files
        .into_iter()
        .map(|(name, file)| (name, STANDARD.decode(file).unwrap()));
    decoded.collect()
}

/// The image in all files.
fn pixels(grey: bool) -> Vec<u8> {
    let level = |number: usize| u8::try_from(number).unwrap();
    let pixel = |index: usize| {
        let (x, y) = (index % WIDTH, index / WIDTH);
        let red = level(60 + 3 * x + y);
        let colour = [red, level(220 - 2 * x - y), level(40 + x + 4 * y)];
        if grey { [red; 3] } else { colour }
    };
    (0..WIDTH * HEIGHT).flat_map(pixel).collect()
}

/// Kinds that few programs write, and that one decoder or the other gets wrong.
fn is_refused(name: &str) -> bool {
    ["arithmetic", "4x4,2x2,2x2", "4x1,2x1,1x1"]
        .iter()
        .any(|start| name.starts_with(start))
}

#[test]
fn seventy_kinds_of_jpeg_are_right_or_refused() {
    let files = files();
    assert!(files.len() >= 60, "{} files", files.len());
    let mut wrong = Vec::new();
    for (name, file) in &files {
        let decoded = decode(file, LIMIT);
        let worst = decoded.as_ref().map(|image| {
            let expected = pixels(name.starts_with("grey"));
            assert_eq!((image.width(), image.height()), (WIDTH, HEIGHT), "{name}");
            let differences = image.rgb().iter().zip(&expected).map(|(a, b)| a.abs_diff(*b));
            differences.max().unwrap()
        });
        let as_expected = match worst {
            Ok(worst) => worst <= TOLERANCE && !is_refused(name),
            Err(_) => is_refused(name),
        };
        if !as_expected {
            wrong.push(format!("{name}: {worst:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_jpeg_that_is_cut_off_anywhere_is_refused_with_the_reason() {
    for (name, file) in files() {
        if is_refused(&name) {
            continue;
        }
        for length in (4..file.len() - 1).step_by(29) {
            let error = decode(&file[..length], LIMIT).unwrap_err();
            assert!(matches!(error, DecodeError::Broken { .. }), "{name}: {error}");
            assert!(
                error.to_string().contains("it was cut off"),
                "{name}, {length} bytes: {error}"
            );
        }
    }
}

#[test]
fn a_jpeg_of_up_to_four_times_the_pixels_is_decoded_at_half_its_size() {
    let count = (WIDTH * HEIGHT) as u64;
    let (width, height) = (WIDTH.div_ceil(2), HEIGHT.div_ceil(2));
    for (name, file) in files() {
        if is_refused(&name) {
            continue;
        }
        let image = decode(&file, count - 1).unwrap();
        assert_eq!(
            (image.width(), image.height(), image.reduction()),
            (width, height, 2),
            "{name}"
        );
        let whole = pixels(name.starts_with("grey"));
        for (x, y) in [(0, 0), (width / 2, height / 2), (width - 2, height - 2)] {
            let (found, expected) = (3 * (y * width + x), 3 * (2 * y * WIDTH + 2 * x));
            for channel in 0..3 {
                let difference = image.rgb()[found + channel].abs_diff(whole[expected + channel]);
                assert!(difference <= 2 * TOLERANCE, "{name}, {x}, {y}: {difference}");
            }
        }
        let error = decode(&file, count / 4 - 1).unwrap_err();
        assert!(matches!(error, DecodeError::TooLarge { .. }), "{name}: {error}");
    }
}

#[test]
fn a_line_of_pixels_has_no_more_of_them_at_half_its_size_than_the_limit() {
    let line = jpeg_of(1, 40);
    assert_eq!(decode(&line, 20).unwrap().height(), 20);
    let error = decode(&line, 19).unwrap_err();
    assert!(matches!(error, DecodeError::TooLarge { .. }), "{error}");
}

/// A grey JPEG.
fn jpeg_of(width: u16, height: u16) -> Vec<u8> {
    let mut file = Vec::new();
    let levels = vec![100; usize::from(width) * usize::from(height)];
    jpeg_encoder::Encoder::new(&mut file, 90)
        .encode(&levels, width, height, jpeg_encoder::ColorType::Luma)
        .unwrap();
    file
}
