//! Model folders that the tests write, opened as the service opens them.

use std::path::Path;

use faceplane::editor::{FaceSource, LoadError, SampleRequest, TruncationChoice, sample};
use faceplane::graph::Model;
use tempfile::TempDir;

use crate::support::load;

/// A model folder with these files.
pub(crate) fn folder(generator: &str, files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let manifest = format!("name = \"tiny\"\n[generator]\n{generator}\n");
    std::fs::write(folder.path().join("manifest.toml"), manifest).unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    folder
}

/// A model folder with one graph, z → image.
pub(crate) fn folder_of(synthesis: &Model) -> TempDir {
    folder(
        "synthesis = \"synthesis.onnx\"",
        &[("synthesis.onnx", &synthesis.to_bytes())],
    )
}

/// The bytes of the first seeds' images, and their width and height.
pub(crate) fn faces(folder: &Path) -> Result<Vec<(usize, usize, Vec<u8>)>, LoadError> {
    let model = load(folder)?;
    let request = SampleRequest {
        sources: (0..4).map(FaceSource::Seed).collect(),
        space: None,
        truncation: TruncationChoice::default(),
        with_scores: false,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let sampled = runtime.block_on(sample(&model, &request)).unwrap();
    let images = sampled.faces.into_iter().map(|face| face.image);
    Ok(images
        .map(|image| (image.width(), image.height(), image.rgb().to_vec()))
        .collect())
}
