//! The documents name files that exist, and the files that build the program name the same features.

use std::collections::BTreeSet;
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

/// The names in the rest of the line that begins with `start`.
fn names_after<'a>(text: &'a str, start: &str) -> BTreeSet<&'a str> {
    let line = text.lines().find_map(|line| line.strip_prefix(start)).unwrap();
    let names = line.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-');
    names.filter(|name| !name.is_empty()).collect()
}

#[test]
fn the_tests_and_the_images_have_all_features_but_cuda() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |file| std::fs::read_to_string(root.join(file)).unwrap();
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let mut features: BTreeSet<&str> = manifest["features"]
        .as_table()
        .unwrap()
        .keys()
        .map(|name| &name[..])
        .collect();
    // An image has it if it is for GPUs.
    assert!(features.remove("cuda"));
    assert_eq!(names_after(&read("Makefile"), "FEATURES := "), features);
    assert_eq!(names_after(&read("Dockerfile"), "ENV FEATURES="), features);
}
