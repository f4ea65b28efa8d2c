//! The markers of a JPEG file: its size, its kind, and its metadata (ITU-T T.81, annex B).

/// What the markers say of an image.
pub(super) struct JpegMarkers<'a> {
    /// Width in pixels.
    pub(super) width: u16,
    /// Height in pixels.
    pub(super) height: u16,
    /// Whether each scan refines the image.
    pub(super) progressive: bool,
    /// Horizontal and vertical sampling factor of each component.
    pub(super) sampling: Vec<[u8; 2]>,
    /// Whether the first scan has every component.
    pub(super) interleaved: bool,
    /// The EXIF data, without their identifier.
    pub(super) exif: Option<&'a [u8]>,
    /// The parts of the colour profile, with their numbers.
    profile: Vec<(u8, &'a [u8])>,
}

/// The frame header of a file.
struct Frame {
    width: u16,
    height: u16,
    progressive: bool,
    sampling: Vec<[u8; 2]>,
}

/// The error for a file that ends too early.
const CUT_OFF: &str = "the file ends before the image does: it was cut off";

const START_OF_SCAN: u8 = 0xda;
const END_OF_IMAGE: u8 = 0xd9;

impl<'a> JpegMarkers<'a> {
    /// Reads the markers up to the end of the image, which must be there.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub(super) fn read(file: &'a [u8]) -> Result<Self, String> {
        let mut frame = None;
        let mut first_scan = None;
        let (mut exif, mut profile) = (None, Vec::new());
        let mut rest = file.get(2..).ok_or(CUT_OFF)?;
        loop {
            let (marker, after) = next_marker(rest).ok_or(CUT_OFF)?;
            if marker == END_OF_IMAGE {
                break;
            }
            let length = usize::from(u16_at(after, 0).ok_or(CUT_OFF)?);
            let segment = after.get(2..length.max(2)).ok_or(CUT_OFF)?;
            rest = &after[segment.len() + 2..];
            match marker {
                // DHT, JPG and DAC have numbers among those of the frame headers.
                0xc4 | 0xc8 | 0xcc => {}
                0xc0..=0xcf if frame.is_some() => return Err("it has two frames".to_owned()),
                0xc0..=0xcf => frame = Some(Frame::read(marker, segment)?),
                START_OF_SCAN if first_scan.is_none() => first_scan = segment.first().copied(),
                0xe1 if exif.is_none() => exif = segment.strip_prefix(b"Exif\0\0"),
                0xe2 => {
                    if let Some([number, _, part @ ..]) = segment.strip_prefix(b"ICC_PROFILE\0") {
                        profile.push((*number, part));
                    }
                }
                _ => {}
            }
        }
        let Frame {
            width,
            height,
            progressive,
            sampling,
        } = frame.ok_or("it has no frame header")?;
        let first_scan = first_scan.ok_or("it has no scan")?;
        Ok(Self {
            width,
            height,
            progressive,
            interleaved: usize::from(first_scan) == sampling.len(),
            sampling,
            exif,
            profile,
        })
    }

    /// The largest horizontal and vertical sampling factor.
    pub(super) fn largest_sampling(&self) -> [u8; 2] {
        let largest = |axis: usize| self.sampling.iter().map(|factors| factors[axis]).max();
        [0, 1].map(|axis| largest(axis).unwrap_or(1))
    }

    /// Samples of all components, in whole blocks.
    pub(super) fn samples(&self) -> u64 {
        let [horizontal, vertical] = self.largest_sampling();
        let units = |length: u16, factor: u8| u64::from(length).div_ceil(8 * u64::from(factor));
        let units = units(self.width, horizontal) * units(self.height, vertical);
        let blocks: u64 = self
            .sampling
            .iter()
            .map(|&[across, down]| u64::from(across) * u64::from(down))
            .sum();
        64 * units * blocks
    }

    /// Bytes of the colour profile.
    pub(super) fn profile_length(&self) -> usize {
        self.profile.iter().map(|(_, part)| part.len()).sum()
    }

    /// The colour profile, put together from its parts (ICC.1:2022, annex B.4).
    pub(super) fn profile(&self) -> Option<Vec<u8>> {
        let mut parts = self.profile.clone();
        parts.sort_by_key(|&(number, _)| number);
        (!parts.is_empty()).then(|| parts.iter().flat_map(|(_, part)| *part).copied().collect())
    }
}

impl Frame {
    fn read(marker: u8, segment: &[u8]) -> Result<Self, String> {
        let progressive = match marker {
            0xc0 | 0xc1 => false,
            0xc2 => true,
            0xc9..=0xcb => return Err("it is arithmetically coded, which few programs can read".to_owned()),
            _ => return Err("it is lossless or hierarchical, which few programs can read".to_owned()),
        };
        let (Some(&precision), Some(height), Some(width), Some(&count)) = (
            segment.first(),
            u16_at(segment, 1),
            u16_at(segment, 3),
            segment.get(5),
        ) else {
            return Err(CUT_OFF.to_owned());
        };
        if precision != 8 {
            return Err(format!("it has {precision} bits per channel instead of 8"));
        }
        let components = segment.get(6..6 + 3 * usize::from(count)).ok_or(CUT_OFF)?;
        let sampling: Vec<_> = components
            .chunks_exact(3)
            .map(|component| [component[1] >> 4, component[1] & 15])
            .collect();
        if ![1, 3, 4].contains(&sampling.len()) {
            return Err(format!("it has {count} channels instead of 1, 3 or 4"));
        }
        if sampling.iter().flatten().any(|factor| !(1..=4).contains(factor)) {
            return Err("a sampling factor is not between 1 and 4".to_owned());
        }
        Ok(Self {
            width,
            height,
            progressive,
            sampling,
        })
    }
}

/// The next marker that is not part of the coded image, and the bytes after it. `None` at the end of the file.
fn next_marker(mut bytes: &[u8]) -> Option<(u8, &[u8])> {
    loop {
        let start = bytes.iter().position(|&byte| byte == 0xff)?;
        bytes = bytes.get(start + 1..)?;
        match *bytes.first()? {
            // A stuffed byte, TEM, and restarts of the decoder; 0xff fills.
            0 | 1 | 0xd0..=0xd7 | 0xff => {}
            marker => return Some((marker, &bytes[1..])),
        }
    }
}

fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    let pair = bytes.get(offset..)?.first_chunk()?;
    Some(u16::from_be_bytes(*pair))
}
