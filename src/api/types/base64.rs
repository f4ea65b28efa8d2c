//! Files inside JSON: base64, in the forms that programs write.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_PAD_INDIFFERENT, URL_SAFE_PAD_INDIFFERENT};
use serde::{Serialize, Serializer};
use utoipa::openapi::schema::{ObjectBuilder, Type};

use crate::api::decode::value::{Schema, Value, unfit};

/// Characters that are decoded together: whole groups of four, which give whole bytes.
const BLOCK: usize = 4096;

/// The most characters of a data URI before its data, such as `data:image/jpeg;base64`.
const LONGEST_HEAD: usize = 255;

/// A file of at most `MOST` bytes, in base64: with `+` and `/` or with `-` and `_`, with or without padding, with blanks and line
/// breaks anywhere, and with or without the head of a data URI.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Base64<const MOST: usize>(pub(crate) Vec<u8>);

impl<const MOST: usize> Value for Base64<MOST> {
    fn expected() -> String {
        format!("a file of at most {MOST} bytes in base64")
    }

    fn from_string(found: &str) -> Result<Self, String> {
        if found.len() > longest(MOST) {
            return Err(unfit(format!("{} characters", found.len()), &Self::expected()));
        }
        let file = decode(data(found)?)?;
        if file.len() > MOST {
            return Err(unfit(format!("{} bytes", file.len()), &Self::expected()));
        }
        Ok(Self(file))
    }

    fn schema() -> Schema {
        schema(MOST)
    }
}

impl<const MOST: usize> Serialize for Base64<MOST> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

/// The text behind the head of a data URI, or all of it if it is none.
fn data(text: &str) -> Result<&str, String> {
    let is_uri = text
        .get(..5)
        .is_some_and(|start| start.eq_ignore_ascii_case("data:"));
    if !is_uri {
        return Ok(text);
    }
    let ends_in_base64 = |head: &str| {
        let end = head.rsplit(';').next().unwrap_or_default();
        head.len() <= LONGEST_HEAD && end.eq_ignore_ascii_case("base64")
    };
    match text.split_once(',') {
        Some((head, data)) if ends_in_base64(head) => Ok(data),
        _ => Err(
            "found a data URI that is not in base64, expected one that begins like data:image/jpeg;base64,"
                .to_owned(),
        ),
    }
}

/// Decodes block by block, so that a text with line breaks is not copied as a whole.
fn decode(text: &str) -> Result<Vec<u8>, String> {
    let engine = if text.contains(['-', '_']) {
        URL_SAFE_PAD_INDIFFERENT
    } else {
        STANDARD_PAD_INDIFFERENT
    };
    let mut characters = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).peekable();
    let (mut file, mut block) = (
        Vec::with_capacity(text.len() / 4 * 3 + 3),
        Vec::with_capacity(BLOCK),
    );
    while characters.peek().is_some() {
        block.clear();
        block.extend(characters.by_ref().take(BLOCK));
        let decoded = engine.decode_vec(&block, &mut file);
        // Only the last block may have padding.
        let ends_early = block.last() == Some(&b'=') && characters.peek().is_some();
        if decoded.is_err() || ends_early {
            return Err(reason(text));
        }
    }
    Ok(file)
}

/// Why `text` is not base64.
fn reason(text: &str) -> String {
    let is_known = |character: char| {
        character.is_ascii_alphanumeric() || "+/-_=".contains(character) || character.is_ascii_whitespace()
    };
    let found = match text.chars().find(|&character| !is_known(character)) {
        Some(character) => format!("the character {character:?}"),
        None if text.contains(['-', '_']) && text.contains(['+', '/']) => "- or _ beside + or /".to_owned(),
        None => "an end inside a byte, or = before the end".to_owned(),
    };
    format!(
        "not base64: found {found}, expected the bytes of the file as letters, digits, + and / (or - and _)"
    )
}

/// The most characters of a file of `bytes` bytes in base64, with the line breaks of a mail as escapes in JSON (`\r\n` behind each 64
/// characters), and the head of a data URI.
pub(crate) const fn longest(bytes: usize) -> usize {
    let encoded = bytes.div_ceil(3) * 4;
    encoded + encoded / 16 + LONGEST_HEAD + 1
}

/// The schema of a file of at most `most` bytes.
pub(crate) fn schema(most: usize) -> Schema {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .content_encoding("base64")
        .max_length(Some(longest(most)))
        .into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Vec<u8>, String> {
        Base64::<20_000>::from_string(text).map(|Base64(file)| file)
    }

    proptest! {
        #[test]
        fn a_file_is_read_from_every_form_of_base64(
            file in prop::collection::vec(any::<u8>(), 0..13_000),
            url_safe: bool,
            padded: bool,
            line in prop_oneof![Just(None), (4..100_usize).prop_map(Some)],
            head in prop_oneof![Just(""), Just("data:image/jpeg;base64,"), Just("DATA:;charset=x;Base64,")],
        ) {
            let engine = if url_safe { URL_SAFE_PAD_INDIFFERENT } else { STANDARD };
            let mut text = engine.encode(&file);
            if !padded {
                text = text.trim_end_matches('=').to_owned();
            }
            if let Some(line) = line {
                let lines: Vec<&str> = text.as_bytes().chunks(line).map(|line| std::str::from_utf8(line).unwrap()).collect();
                text = lines.join("\r\n") + "\n";
            }
            prop_assert_eq!(read(&format!("{head}{text}")), Ok(file));
        }

        #[test]
        fn no_text_panics(text in "(data:[a-z;/]{0,9},)?[A-Za-z=é \n+/_-]{0,40}") {
            let _ = read(&text);
        }
    }

    #[test]
    fn what_is_not_base64_is_refused_with_what_was_found() {
        let long = STANDARD.encode(vec![7; 20_001]);
        let late = format!("{}AA==AAAA", "AAAA".repeat(BLOCK / 4 - 1));
        for (text, says) in [
            ("photo.jpg", "not base64: found the character '.'"),
            ("<é>", "found the character '<'"),
            ("AAAAA", "an end inside a byte"),
            ("AA==AAAA", "= before the end"),
            (&late, "= before the end"),
            ("====", "= before the end"),
            ("A-A/", "- or _ beside + or /"),
            ("data:image/png,AAAA", "a data URI that is not in base64"),
            ("data:AAAA", "a data URI that is not in base64"),
            (
                &long,
                "found 20001 bytes, expected a file of at most 20000 bytes in base64",
            ),
            (
                &"A".repeat(40_000),
                "found 40000 characters, expected a file of at most 20000 bytes in base64",
            ),
        ] {
            let reason = read(text).unwrap_err();
            assert!(reason.contains(says), "{reason}");
        }
    }
}
