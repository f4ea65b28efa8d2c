//! Checkpoints: what is read, and what is refused.

mod arrays;
mod containers;
mod fixtures;
mod foreign;
mod hostile;
mod limits;
pub(crate) mod pickle_writer;

use faceplane::checkpoint::{Checkpoint, CheckpointError};

/// Reads a file with these bytes.
fn read(bytes: &[u8]) -> Result<Checkpoint, CheckpointError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    Checkpoint::read(file.path())
}

/// The error of a file with these bytes, which is one sentence without the file's name.
fn refusal(bytes: &[u8]) -> String {
    let error = match read(bytes) {
        Ok(checkpoint) => panic!("read as {checkpoint:?}"),
        Err(error) => error,
    };
    let sentence = error.fault.to_string();
    assert!(!sentence.contains('\n') && sentence.len() < 500, "{sentence}");
    assert_eq!(error.to_string(), format!("{}: {sentence}", error.file));
    sentence
}

/// Asserts that a file with these bytes is refused with these words.
fn assert_refused(bytes: &[u8], words: &str) {
    let sentence = refusal(bytes);
    assert!(sentence.contains(words), "{sentence:?} does not say {words:?}");
}
