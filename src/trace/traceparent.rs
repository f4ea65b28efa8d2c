//! The header `traceparent` (W3C Trace Context, <https://www.w3.org/TR/trace-context/>): the trace and the span that a request
//! belongs to at its client.

use std::fmt;

/// Bytes of a header of version 00. Later versions may be longer.
const LENGTH: usize = 55;

/// The id of a trace. It is never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceId([u8; 16]);

impl TraceId {
    /// The id with these bytes; `None` if all are 0.
    #[must_use]
    pub fn new(bytes: [u8; 16]) -> Option<Self> {
        (bytes != [0; 16]).then_some(Self(bytes))
    }

    /// A random id.
    #[must_use]
    pub fn random() -> Self {
        let mut bytes = [0; 16];
        // Without random numbers from the system, the trace has an id of its own all the same.
        if getrandom::fill(&mut bytes).is_err() || bytes == [0; 16] {
            bytes[15] = 1;
        }
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(self) -> [u8; 16] {
        self.0
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

/// A valid `traceparent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traceparent {
    /// The trace.
    pub trace: TraceId,
    /// The span of the client. It is never 0.
    pub span: [u8; 8],
    /// Whether the client records the trace.
    pub is_sampled: bool,
}

impl Traceparent {
    /// Reads the header: version, trace, span and flags in hexadecimal digits, such as
    /// `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01`. `None` if it is not valid; a new trace then begins.
    #[must_use]
    pub fn parse(header: &str) -> Option<Self> {
        let (known, rest) = header.split_at_checked(LENGTH)?;
        let mut parts = known.split('-');
        let [version] = hexadecimal(parts.next()?)?;
        let trace = TraceId::new(hexadecimal(parts.next()?)?)?;
        let span = hexadecimal(parts.next()?)?;
        let [flags] = hexadecimal(parts.next()?)?;
        let is_whole = parts.next().is_none() && span != [0; 8];
        let is_version = match version {
            0 => rest.is_empty(),
            0xff => false,
            _ => rest.is_empty() || rest.starts_with('-'),
        };
        (is_whole && is_version).then_some(Self {
            trace,
            span,
            is_sampled: flags & 1 == 1,
        })
    }
}

/// The bytes of lower-case hexadecimal digits, two for each byte.
fn hexadecimal<const BYTES: usize>(text: &str) -> Option<[u8; BYTES]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let digits = text.as_bytes();
    if digits.len() != 2 * BYTES {
        return None;
    }
    let mut bytes = [0; BYTES];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const SPAN: &str = "b7ad6b7169203331";

    #[test]
    fn a_valid_header_names_the_trace_the_span_and_whether_it_is_recorded() {
        for (version, flags, rest, is_sampled) in [
            ("00", "01", "", true),
            ("00", "00", "", false),
            ("00", "03", "", true),
            ("cc", "01", "", true),
            ("cc", "01", "-what-a-later-version-adds", true),
        ] {
            let header = format!("{version}-{TRACE}-{SPAN}-{flags}{rest}");
            let parsed = Traceparent::parse(&header).unwrap();
            assert_eq!(parsed.trace.to_string(), TRACE, "{header}");
            assert_eq!(parsed.span, [0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31]);
            assert_eq!(parsed.is_sampled, is_sampled, "{header}");
        }
    }

    #[test]
    fn a_header_that_is_not_valid_is_ignored() {
        for header in [
            String::new(),
            format!("00-{TRACE}-{SPAN}"),
            format!("00-{TRACE}-{SPAN}-01-more"),
            format!("00-{TRACE}-{SPAN}-01 "),
            format!("cc-{TRACE}-{SPAN}-01.more"),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("0g-{TRACE}-{SPAN}-01"),
            format!("00-{TRACE}-{SPAN}-0x"),
            format!("00-{}-{SPAN}-01", "0".repeat(32)),
            format!("00-{TRACE}-{}-01", "0".repeat(16)),
            format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            format!("00-{SPAN}-{TRACE}-01"),
            format!("00-{TRACE}é{SPAN}-1"),
            "-".repeat(LENGTH),
        ] {
            assert_eq!(Traceparent::parse(&header), None, "{header}");
        }
    }

    #[test]
    fn two_random_traces_have_different_ids() {
        assert_ne!(TraceId::random(), TraceId::random());
        assert_eq!(TraceId::random().to_string().len(), 32);
    }
}
