//! Errors of JSON's syntax: what was found where, and what was expected there.

use serde_json::error::Category;

/// What is expected, by the start of the text that `serde_json` gives an error. It offers no other way to tell errors apart.
const EXPECTED: [(&str, &str); 13] = [
    (
        "expected value",
        "a value: text in double quotes, a number, a list, an object, true, false or null",
    ),
    ("expected ident", "true, false or null"),
    (
        "expected `:`",
        "a colon between the name of a field and its value",
    ),
    (
        "expected `,` or `]`",
        "a comma before the next element, or ] at the end of the list",
    ),
    (
        "expected `,` or `}`",
        "a comma before the next field, or } at the end of the object",
    ),
    ("trailing comma", "no comma before the end of a list or an object"),
    ("key must be a string", "the name of a field in double quotes"),
    ("invalid number", "a number such as 7, -0.5 or 1e-3"),
    ("number out of range", "a number below 1.8e308"),
    ("trailing characters", "nothing after the end of the object"),
    (
        "control character",
        "no line break or other control character inside quotes; write \\n instead",
    ),
    ("recursion limit", "fewer lists and objects inside each other"),
    (
        "EOF",
        "the rest: perhaps a quote or a bracket is not closed, or the body was cut",
    ),
];

/// What is expected inside quotes, where all other errors are.
const ESCAPE: &str = "an escape such as \\n, \\\" or \\u00e9";

/// The reason that `body` is not JSON; `error` is the first error in it.
pub(crate) fn not_json(body: &[u8], error: &serde_json::Error) -> String {
    if let Err(error) = std::str::from_utf8(body) {
        let byte = body.get(error.valid_up_to()).copied().unwrap_or_default();
        let position = error.valid_up_to() + 1;
        return format!(
            "the body is not JSON: found the byte 0x{byte:02x} at position {position}, expected UTF-8"
        );
    }
    let text = error.to_string();
    let known = EXPECTED.iter().find(|(start, _)| text.starts_with(start));
    let expected = known.map_or(ESCAPE, |(_, expected)| expected);
    let found = match (error.classify(), at(body, error.line(), error.column())) {
        (Category::Eof, _) if body.is_empty() => {
            return "the body is not JSON: found nothing, expected an object such as {\"seed\": 7}"
                .to_owned();
        }
        (Category::Eof, _) | (_, None) => "the end of the body".to_owned(),
        (_, Some(character)) => format!("{character:?}"),
    };
    let (line, column) = (error.line(), error.column());
    format!("the body is not JSON: found {found} at line {line}, column {column}; expected {expected}")
}

/// The character that ends at or contains byte `column` of a line, both counted from 1.
fn at(body: &[u8], line: usize, column: usize) -> Option<char> {
    let text = std::str::from_utf8(body).ok()?;
    let line = text.split('\n').nth(line.checked_sub(1)?)?;
    let byte = column.checked_sub(1)?;
    line.char_indices()
        .take_while(|&(start, _)| start <= byte)
        .last()
        .filter(|_| byte < line.len())
        .map(|(_, character)| character)
}
