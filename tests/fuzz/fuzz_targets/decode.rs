//! Decodes and crops arbitrary bytes as an image: no file may cause a panic or an image above the pixel limit.
#![no_main]

use faceplane::imaging::{Alignment, Framing, Landmarks, decode, decoding_memory, frame, read_metadata};
use libfuzzer_sys::fuzz_target;

const MAX_PIXELS: u64 = 1 << 20;

fuzz_target!(|file: &[u8]| {
    let _ = read_metadata(file);
    let memory = decoding_memory(file, MAX_PIXELS);
    let Ok(image) = decode(file, MAX_PIXELS) else {
        return;
    };
    memory.expect("a file that can be decoded has a size");
    let (width, height) = (image.width(), image.height());
    assert!(width > 0 && height > 0 && (width * height) as u64 <= MAX_PIXELS);
    // The file's last ten bytes give five landmarks, so that the fuzzer varies them too.
    let fractions: Vec<f64> = file.iter().rev().take(10).map(|&byte| f64::from(byte) / 255.0).collect();
    if let [a, b, c, d, e, f, g, h, i, j] = fractions[..] {
        let (x, y) = (width as f64, height as f64);
        let points = [[a * x, b * y], [c * x, d * y], [e * x, f * y], [g * x, h * y], [i * x, j * y]];
        let landmarks = Landmarks::new(&points).expect("five finite points are landmarks");
        let framing = Framing::Face(landmarks, Alignment::default());
        let _ = frame(&image, framing, 16, 16);
    }
    let framed = frame(&image, Framing::Centre, 16, 16).expect("every image has a centre");
    assert_eq!((framed.width(), framed.height()), (16, 16));
});
