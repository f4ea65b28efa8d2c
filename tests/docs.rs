//! The documents name files that exist.

use std::path::Path;

/// The texts between backticks in a document.
fn code_spans(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn every_file_that_a_document_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for document in ["ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let text = std::fs::read_to_string(root.join(document)).unwrap();
        let mut count = 0;
        for path in code_spans(&text).filter(|span| span.starts_with("src/") || span.starts_with("tests/")) {
            assert!(
                root.join(path).exists(),
                "{document} names {path}, which does not exist"
            );
            count += 1;
        }
        assert!(count > 0, "{document} names no file");
    }
}
