//! Where an XMP packet is in a JPEG, WebP or GIF file (ISO 16684-3).

use md5::{Digest as _, Md5};

use crate::imaging::files::file_metadata::FileMetadata;
use crate::imaging::files::xmp;

/// Names the segment of a JPEG's packet, and the segments of its extension.
const PACKET: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
const EXTENSION: &[u8] = b"http://ns.adobe.com/xmp/extension/\0";

/// The most bytes of a segment of a JPEG, without its marker and its length.
const LARGEST_SEGMENT: usize = 65_533;

/// Bytes of an extension in one segment. The rest of the segment is for its header.
const EXTENSION_PART: usize = 65_400;

/// The flag of a WebP that has an XMP packet (RFC 9649, section 2.7).
const HAS_XMP: u8 = 4;

/// The content of the APP1 segments of a JPEG. If the packet does not fit into one segment, the recipe is in an extension of several.
pub(super) fn jpeg_segments(metadata: &FileMetadata) -> Vec<Vec<u8>> {
    let Some(packet) = xmp::packet(metadata) else {
        return Vec::new();
    };
    let whole = [PACKET, packet.as_bytes()].concat();
    if whole.len() <= LARGEST_SEGMENT {
        return vec![whole];
    }
    let extension = xmp::extension(metadata);
    let guid = format!("{:032X}", u128::from_be_bytes(Md5::digest(&extension).into()));
    let packet = xmp::packet_with_extension(metadata, &guid);
    let mut segments = vec![[PACKET, packet.as_bytes()].concat()];
    let number = |number: usize| u32::try_from(number).map_or([0xff; 4], u32::to_be_bytes);
    for (index, part) in extension.as_bytes().chunks(EXTENSION_PART).enumerate() {
        let (length, offset) = (number(extension.len()), number(index * EXTENSION_PART));
        segments.push([EXTENSION, guid.as_bytes(), &length, &offset, part].concat());
    }
    segments
}

/// The same WebP file of `width` × `height` pixels, with an XMP packet.
pub(super) fn webp_with_xmp(file: &[u8], [width, height]: [u32; 2], metadata: &FileMetadata) -> Vec<u8> {
    let Some(packet) = xmp::packet(metadata) else {
        return file.to_vec();
    };
    let mut marked = file.to_vec();
    if file[12..].starts_with(b"VP8X") {
        marked[20] |= HAS_XMP;
    } else {
        let [width, height] = [width, height].map(|length| (length - 1).to_le_bytes());
        let header = [&[HAS_XMP, 0, 0, 0], &width[..3], &height[..3]].concat();
        marked.splice(12..12, chunk(*b"VP8X", &header));
    }
    marked.extend(chunk(*b"XMP ", packet.as_bytes()));
    let length =
        u32::try_from(marked.len() - 8).expect("a WebP of 16,383 × 16,383 pixels has less than 4 GiB");
    marked[4..8].copy_from_slice(&length.to_le_bytes());
    marked
}

/// A chunk of a RIFF file. Its content is padded to an even length.
fn chunk(name: [u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).expect("metadata have less than 4 GiB");
    let padding: &[u8] = if content.len() % 2 == 1 { &[0] } else { &[] };
    [&name, &length.to_le_bytes()[..], content, padding].concat()
}

/// The XMP packet of a WebP file.
pub(super) fn webp_packet(file: &[u8]) -> Option<&[u8]> {
    let mut rest = file.get(12..)?;
    loop {
        let (name, after) = rest.split_first_chunk::<4>()?;
        let (length, content) = after.split_first_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        if name == b"XMP " {
            return content.get(..length);
        }
        rest = content.get(length.checked_next_multiple_of(2)?..)?;
    }
}

/// The same GIF file, with an XMP packet before its first image.
pub(super) fn gif_with_xmp(mut file: Vec<u8>, metadata: &FileMetadata) -> Vec<u8> {
    let Some(packet) = xmp::packet(metadata) else {
        return file;
    };
    // The signature, the screen, and the global colours if there are any (GIF89a, sections 17 to 19).
    let flags = file[10];
    let colours = if flags & 0x80 == 0 { 0 } else { 2 << (flags & 7) };
    let start = 13 + 3 * colours;
    // The packet is not divided into blocks. A reader takes its bytes for the lengths of blocks, and wherever that leads it, the
    // descending bytes after the packet lead to the zero that ends the extension.
    let mut extension = b"\x21\xff\x0bXMP DataXMP".to_vec();
    extension.extend(packet.as_bytes());
    extension.push(1);
    extension.extend((0..=u8::MAX).rev());
    extension.push(0);
    file.splice(start..start, extension);
    file
}
