//! Decodes small JPEG files with arbitrary bytes as their colour profile: no profile may cause a panic or change the size.
#![no_main]

use faceplane::imaging::decode;
use libfuzzer_sys::fuzz_target;

/// Bytes of a profile in one segment.
const PART: usize = 60_000;

/// A file of 8 × 8 pixels with this profile and number of channels: 1, 3 or 4.
fn jpeg(profile: &[u8], channels: u8) -> Vec<u8> {
    let mut file = vec![0xff, 0xd8];
    let mut segment = |marker: u8, body: &[u8]| {
        file.extend([0xff, marker]);
        file.extend((body.len() as u16 + 2).to_be_bytes());
        file.extend(body);
    };
    let parts = profile.chunks(PART);
    let count = parts.len() as u8;
    for (index, part) in parts.enumerate() {
        segment(0xe2, &[&b"ICC_PROFILE\0"[..], &[index as u8 + 1, count], part].concat());
    }
    segment(0xdb, &[&[0][..], &[1; 64]].concat());
    let components: Vec<u8> = (1..=channels).flat_map(|channel| [channel, 0x11, 0]).collect();
    segment(0xc0, &[&[8, 0, 8, 0, 8, channels][..], &components].concat());
    // One code of one bit, for no difference and for the end of a block.
    for table in [0, 0x10] {
        segment(0xc4, &[&[table, 1][..], &[0; 15], &[0]].concat());
    }
    let selectors: Vec<u8> = (1..=channels).flat_map(|channel| [channel, 0]).collect();
    segment(0xda, &[&[channels][..], &selectors, &[0, 63, 0]].concat());
    // Two bits of 0 for each channel.
    file.extend([0, 0, 0xff, 0xd9]);
    file
}

fuzz_target!(|profile: &[u8]| {
    if profile.len() > 4 * PART {
        return;
    }
    for channels in [1, 3, 4] {
        let image = decode(&jpeg(profile, channels), 64).expect("a profile never makes a file unreadable");
        assert_eq!((image.width(), image.height()), (8, 8));
    }
});
