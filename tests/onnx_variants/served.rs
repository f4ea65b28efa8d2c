//! Model folders that the tests write, opened as the service opens them.

use std::path::Path;

use faceplane::catalog::Graph;
use faceplane::editor::{FaceSource, LoadError, SampleRequest, TruncationChoice, sample};
use faceplane::engine::run_once;
use faceplane::graph::Model;
use faceplane::importing::{Generator, ImportError, Imported, onnx};
use tempfile::TempDir;

use crate::onnx_variants::tiny::plain;
use crate::support::{load, runtime};

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

/// Imports ONNX files, and returns the generator.
pub(crate) fn import(graphs: &[Graph]) -> Result<Generator, ImportError> {
    match onnx::import(graphs, &run_once(runtime()))? {
        Imported::Generator(generator) => Ok(*generator),
        other => panic!("no generator: {other:?}"),
    }
}

/// An ONNX file in memory.
pub(crate) fn file(name: &str, model: &Model) -> Graph {
    Graph::new(name.to_owned(), model.to_bytes().into())
}

/// Imports one graph.
pub(crate) fn import_one(model: &Model) -> Generator {
    import(&[file("generator.onnx", model)]).unwrap_or_else(|error| panic!("{error}"))
}

/// The faces of an imported generator, as the service makes them.
pub(crate) fn imported_faces(generator: &Generator) -> Vec<(usize, usize, Vec<u8>)> {
    let synthesis = generator.synthesis.to_bytes();
    let mut files = vec![("synthesis.onnx", synthesis.as_slice())];
    let mapping = generator.mapping.as_ref().map(Model::to_bytes);
    let mut manifest = "synthesis = \"synthesis.onnx\"\n".to_owned();
    if let Some(mapping) = &mapping {
        files.push(("mapping.onnx", mapping));
        manifest += "mapping = \"mapping.onnx\"\n";
    }
    faces(folder(&manifest, &files).path()).unwrap_or_else(|error| panic!("{error}"))
}

/// The faces of the plain generator.
pub(crate) fn plain_faces() -> Vec<(usize, usize, Vec<u8>)> {
    faces(folder_of(&plain()).path()).unwrap()
}

/// Refuses faces that differ by more than rounding.
pub(crate) fn assert_same(found: &[(usize, usize, Vec<u8>)], expected: &[(usize, usize, Vec<u8>)]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!((found.0, found.1), (expected.0, expected.1));
        let apart = found.2.iter().zip(&expected.2).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(apart <= Some(1), "{apart:?} levels apart");
    }
}
