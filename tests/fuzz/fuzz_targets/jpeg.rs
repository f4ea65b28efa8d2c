//! Decodes arbitrary bytes as the markers and scans of a JPEG, at full and at half size: no file may cause a panic.
#![no_main]

use faceplane::imaging::decode;
use libfuzzer_sys::fuzz_target;

const MAX_PIXELS: u64 = 1 << 16;

fuzz_target!(|rest: &[u8]| {
    // The end of the image is there, because a file without it is refused before it is decoded.
    let file = [&b"\xff\xd8\xff"[..], rest, b"\xff\xd9"].concat();
    for limit in [MAX_PIXELS, MAX_PIXELS / 4] {
        if let Ok(image) = decode(&file, limit) {
            assert!((image.width() * image.height()) as u64 <= limit);
        }
    }
});
