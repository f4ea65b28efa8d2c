//! Model folders with mistakes: each is an error that names the file.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::process::{program, refusal};

/// Copies the bundled model under another name, for tests that break it.
pub(crate) fn copied_model() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("other");
    let bundled = Path::new(env!("CARGO_MANIFEST_DIR")).join("onnx/phantom");
    std::fs::create_dir_all(model.join("boundaries")).unwrap();
    for folder in ["", "boundaries"] {
        for entry in std::fs::read_dir(bundled.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                std::fs::copy(&path, model.join(folder).join(path.file_name().unwrap())).unwrap();
            }
        }
    }
    replace(
        &model.join("manifest.toml"),
        "name = \"phantom\"",
        "name = \"other\"",
    );
    (folder, model)
}

fn replace(file: &Path, old: &str, new: &str) {
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains(old), "{} has no {old}", file.display());
    std::fs::write(file, text.replacen(old, new, 1)).unwrap();
}

#[test]
fn a_broken_model_folder_is_an_error_that_names_the_file() {
    type Break = fn(&Path);
    let cases: [(&str, Break, &str); 18] = [
        (
            "gradient.onnx",
            |model| {
                std::fs::write(model.join("gradient.onnx"), "not a graph").unwrap();
                let (manifest, features) = (model.join("manifest.toml"), "features = \"classifier.onnx\"");
                replace(&manifest, features, "file = \"gradient.onnx\"");
            },
            "ONNX Runtime cannot open",
        ),
        (
            "manifest.toml",
            |model| {
                let (manifest, features) = (model.join("manifest.toml"), "features = \"classifier.onnx\"");
                replace(&manifest, features, "features = \"other.onnx\"");
            },
            "gradient.features",
        ),
        (
            "manifest.toml",
            |model| std::fs::remove_file(model.join("manifest.toml")).unwrap(),
            "cannot be read",
        ),
        (
            "manifest.toml",
            |model| std::fs::write(model.join("manifest.toml"), "name = ").unwrap(),
            "line 1",
        ),
        (
            "manifest.toml",
            |model| replace(&model.join("manifest.toml"), "[truncation]", "[trunkation]"),
            "trunkation",
        ),
        (
            "nothing.onnx",
            |model| {
                replace(
                    &model.join("manifest.toml"),
                    "\"mapping.onnx\"",
                    "\"nothing.onnx\"",
                );
            },
            "cannot be read",
        ),
        (
            "synthesis.onnx",
            |model| std::fs::write(model.join("synthesis.onnx"), b"not a graph").unwrap(),
            "cannot open the graph",
        ),
        (
            "synthesis.onnx",
            |model| {
                let file = model.join("synthesis.onnx");
                let graph = std::fs::read(&file).unwrap();
                std::fs::write(&file, &graph[..graph.len() / 2]).unwrap();
            },
            "cannot open the graph",
        ),
        (
            "mapping.onnx",
            |model| {
                std::fs::copy(model.join("classifier.onnx"), model.join("mapping.onnx")).unwrap();
            },
            "expected",
        ),
        (
            "classifier.onnx",
            |model| {
                std::fs::copy(model.join("mapping.onnx"), model.join("classifier.onnx")).unwrap();
            },
            "expected",
        ),
        (
            "classifier.onnx",
            |model| {
                let manifest = model.join("manifest.toml");
                let text = std::fs::read_to_string(&manifest).unwrap();
                let kept: Vec<&str> = text.lines().filter(|line| !line.contains("\"smile\"")).collect();
                std::fs::write(&manifest, kept.join("\n")).unwrap();
            },
            "4",
        ),
        (
            "w_avg.npy",
            |model| std::fs::write(model.join("w_avg.npy"), b"\x80\x04pickle").unwrap(),
            "no .npy file",
        ),
        (
            "w_avg.npy",
            |model| {
                std::fs::copy(model.join("boundaries/smile_w.npy"), model.join("w_avg.npy")).unwrap();
                let file = model.join("w_avg.npy");
                let bytes = std::fs::read(&file).unwrap();
                std::fs::write(&file, &bytes[..bytes.len() - 8]).unwrap();
            },
            "expected 512",
        ),
        (
            "encoder_errors.npy",
            |model| {
                let array = faceplane::catalog::NpyArray {
                    shape: vec![2, 2],
                    values: vec![1.0, 0.5, 0.5, 1.0],
                };
                std::fs::write(model.join("encoder_errors.npy"), array.write_f4()).unwrap();
            },
            "2 values a row",
        ),
        (
            "encoder_errors.npy",
            |model| {
                std::fs::copy(
                    model.join("boundaries/smile_w.npy"),
                    model.join("encoder_errors.npy"),
                )
                .unwrap();
            },
            "that is not square",
        ),
        (
            "smile_w.npy",
            |model| {
                let array = faceplane::catalog::NpyArray {
                    shape: vec![1, 63],
                    values: vec![1.0; 63],
                };
                std::fs::write(model.join("boundaries/smile_w.npy"), array.write_f4()).unwrap();
            },
            "63",
        ),
        (
            "smile_w.npy",
            |model| {
                let array = faceplane::catalog::NpyArray {
                    shape: vec![1, 64],
                    values: vec![0.0; 64],
                };
                std::fs::write(model.join("boundaries/smile_w.npy"), array.write_f4()).unwrap();
            },
            "norm 0",
        ),
        (
            "smile_w.json",
            |model| std::fs::write(model.join("boundaries/smile_w.json"), "{\"space\": \"x\"}").unwrap(),
            "found the latent space `x`",
        ),
    ];
    for (file, break_it, says) in cases {
        let (_place, model) = copied_model();
        break_it(&model);
        let line = refusal(program().arg("--model").arg(&model));
        assert!(
            line.contains(file) && line.contains(says),
            "{file} should be said to be wrong by {says:?}: {line}"
        );
    }
}
