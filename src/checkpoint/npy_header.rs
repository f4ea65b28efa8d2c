//! The header of NumPy's `.npy` format.
//!
//! Format: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.

use crate::checkpoint::tensor::MOST_AXES;

/// The first bytes of a `.npy` file.
pub(crate) const NPY_MAGIC: &[u8] = b"\x93NUMPY";

/// The header of a `.npy` file.
pub(crate) struct NpyHeader<'a> {
    /// The type of the elements: `<f4`.
    pub(crate) descr: &'a str,
    /// Whether the first axis varies fastest.
    pub(crate) fortran_order: bool,
    /// The length of each axis.
    pub(crate) shape: Vec<usize>,
}

impl<'a> NpyHeader<'a> {
    /// Splits a file into its header and its values.
    pub(crate) fn split(file: &[u8]) -> Option<(&[u8], &[u8])> {
        let rest = file.strip_prefix(NPY_MAGIC)?;
        let (version, rest) = rest.split_at_checked(2)?;
        let (length, rest) = match version {
            [1, 0] => rest
                .split_first_chunk()
                .map(|(&bytes, rest)| (usize::from(u16::from_le_bytes(bytes)), rest))?,
            [2 | 3, 0] => rest
                .split_first_chunk()
                .and_then(|(&bytes, rest)| Some((usize::try_from(u32::from_le_bytes(bytes)).ok()?, rest)))?,
            _ => return None,
        };
        rest.split_at_checked(length)
    }

    /// Parses `{'descr': '<f4', 'fortran_order': False, 'shape': (1, 512), }`: three keys in any order.
    pub(crate) fn parse(text: &'a [u8]) -> Option<Self> {
        let mut rest = std::str::from_utf8(text)
            .ok()?
            .trim()
            .strip_prefix('{')?
            .strip_suffix('}')?
            .trim();
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        while !rest.is_empty() {
            let (key, value) = quoted(rest)?;
            let value = value.trim_start().strip_prefix(':')?.trim_start();
            let after = match key {
                "descr" if value.starts_with('[') => {
                    // A record of named fields, which the caller refuses by its text.
                    descr = Some(value);
                    ""
                }
                "descr" => {
                    let (name, after) = quoted(value)?;
                    descr = Some(name);
                    after
                }
                "fortran_order" => {
                    let (word, after) = value.split_at(value.find([',', '}']).unwrap_or(value.len()));
                    fortran_order = Some(match word.trim() {
                        "True" => true,
                        "False" => false,
                        _ => return None,
                    });
                    after
                }
                "shape" => {
                    let (axes, after) = value.strip_prefix('(')?.split_once(')')?;
                    let axes = axes.strip_suffix(',').unwrap_or(axes).split(',').map(str::trim);
                    let axes = axes.filter(|axis| !axis.is_empty()).map(|axis| axis.parse().ok());
                    let axes = axes.collect::<Option<Vec<usize>>>()?;
                    shape = Some(axes).filter(|axes| axes.len() <= MOST_AXES);
                    after
                }
                _ => return None,
            };
            let after = after.trim_start();
            rest = after.strip_prefix(',').unwrap_or(after).trim_start();
        }
        let descr = descr?;
        let record = descr.starts_with('[');
        Some(Self {
            descr,
            fortran_order: fortran_order.or(record.then_some(false))?,
            shape: shape.or(record.then(Vec::new))?,
        })
    }
}

/// Splits a quoted word from the rest of the text.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
    text[1..].split_once(quote)
}
