//! Imports point down only: what each folder may not name, as a table.

use std::path::{Path, PathBuf};

/// A folder of `src`, and words that none of its files may have.
const NEVER: [(&str, &[&str]); 6] = [
    (
        "latent",
        &[
            "serde",
            "tokio",
            "ort::",
            "std::fs",
            "std::path",
            "axum",
            "utoipa",
            "crate::imaging",
            "crate::catalog",
            "crate::engine",
            "crate::editor",
            "crate::api",
        ],
    ),
    (
        "imaging",
        &[
            "serde",
            "tokio",
            "ort::",
            "axum",
            "utoipa",
            "crate::latent",
            "crate::catalog",
            "crate::engine",
            "crate::editor",
            "crate::api",
        ],
    ),
    (
        "catalog",
        &[
            "ort::",
            "tokio",
            "axum",
            "utoipa",
            "crate::imaging",
            "crate::engine",
            "crate::editor",
            "crate::api",
        ],
    ),
    (
        "engine",
        &[
            "axum",
            "utoipa",
            "serde",
            "png::",
            "crate::imaging",
            "crate::editor",
            "crate::api",
        ],
    ),
    (
        "editor",
        &["axum", "utoipa", "serde", "ort::", "http::", "crate::api"],
    ),
    ("api", &["ort::"]),
];

/// Words that only one place of `src` may have.
const ONLY: [(&str, &str); 4] = [
    ("ort::", "engine"),
    ("axum", "api"),
    ("utoipa", "api"),
    ("StatusCode::", "api"),
];

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The code of a file: no comments, and nothing from its tests on.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]").next().unwrap();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Whether `code` names `word`, not as the end of a longer word.
fn names(code: &str, word: &str) -> bool {
    let mut before = code
        .match_indices(word)
        .map(|(place, _)| code[..place].chars().next_back());
    before.any(|letter| !letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_'))
}

#[test]
fn folders_name_only_what_lies_below_them() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (folder, words) in NEVER {
        for file in files(&source.join(folder)) {
            let code = code(&file);
            for word in words {
                assert!(
                    !names(&code, word),
                    "{} names {word}, which {folder} never does",
                    file.display()
                );
            }
        }
    }
}

#[test]
fn ort_axum_and_statuses_each_have_one_place() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in files(&source) {
        let place = file.strip_prefix(&source).unwrap();
        for (word, home) in ONLY {
            // The server hands a router to axum's own listener.
            let allowed = place.starts_with(home) || (word == "axum" && place == Path::new("server.rs"));
            assert!(
                allowed || !names(&code(&file), word),
                "{} names {word}, which only {home} does",
                file.display()
            );
        }
    }
}

#[test]
fn every_file_opens_with_a_sentence_of_what_it_is() {
    for file in files(Path::new(env!("CARGO_MANIFEST_DIR")))
        .iter()
        .filter(|file| {
            !file.components().any(|part| {
                matches!(
                    part.as_os_str().to_str(),
                    Some("target" | ".tools" | ".onnxruntime")
                )
            })
        })
    {
        let text = std::fs::read_to_string(file).unwrap();
        assert!(
            text.starts_with("//! "),
            "{} does not say what it is",
            file.display()
        );
    }
}
