//! Reads arbitrary bytes as a checkpoint, with all its tensors: no file may cause a panic, or take much memory or time.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use faceplane::checkpoint::{Checkpoint, read_arrays};
use libfuzzer_sys::fuzz_target;

/// Checkpoints are read from a file, because their tensors stay in it.
static FILE: LazyLock<PathBuf> =
    LazyLock::new(|| std::env::temp_dir().join(format!("fuzz-checkpoint-{}", std::process::id())));

fuzz_target!(|bytes: &[u8]| {
    std::fs::write(&*FILE, bytes).expect("the folder for temporary files can be written to");
    match Checkpoint::read(&FILE) {
        Err(error) => assert!(!error.fault.to_string().contains('\n')),
        Ok(checkpoint) => {
            let _ = format!("{checkpoint:?}").len();
        }
    }
    for (_, tensor) in read_arrays(bytes.to_vec(), "arrays", 1 << 20).unwrap_or_default() {
        if let Ok(values) = tensor.read() {
            assert_eq!(values.shape(), tensor.shape());
        }
    }
});
