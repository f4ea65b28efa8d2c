//! The files of the bundled model, which are compiled into the program.

/// Names and contents of files under `onnx/phantom/`.
macro_rules! phantom_files {
    ($($name:literal)*) => {
        &[$(($name, include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/onnx/phantom/", $name)))),*]
    };
}

/// The manifest of the bundled model, the files that it names, and the boundaries.
const FILES: &[(&str, &[u8])] = phantom_files![
    "boundaries/age_w.json" "boundaries/age_w.npy"
    "boundaries/age_z.json" "boundaries/age_z.npy"
    "boundaries/eyeglasses_w.json" "boundaries/eyeglasses_w.npy"
    "boundaries/eyeglasses_z.json" "boundaries/eyeglasses_z.npy"
    "boundaries/gender_w.json" "boundaries/gender_w.npy"
    "boundaries/gender_z.json" "boundaries/gender_z.npy"
    "boundaries/pose_w.json" "boundaries/pose_w.npy"
    "boundaries/pose_z.json" "boundaries/pose_z.npy"
    "boundaries/smile_w.json" "boundaries/smile_w.npy"
    "boundaries/smile_z.json" "boundaries/smile_z.npy"
    "classifier.onnx"
    "encoder.onnx"
    "encoder_errors.npy"
    "manifest.toml"
    "mapping.onnx"
    "quality.onnx"
    "synthesis.onnx"
    "w_avg.npy"
];

/// The content of the file at a path relative to the model folder.
pub(crate) fn content(name: &str) -> Option<&'static [u8]> {
    let (_, content) = FILES.iter().find(|(known, _)| *known == name)?;
    Some(content)
}

/// The paths of all files, sorted.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_boundary_in_the_folder_is_compiled_in() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("onnx/phantom/boundaries");
        for entry in std::fs::read_dir(folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(content(&format!("boundaries/{name}")).is_some(), "{name}");
        }
    }
}
