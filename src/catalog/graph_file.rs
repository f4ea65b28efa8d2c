//! An ONNX file, with the files of weights that it names.

use std::borrow::Cow;
use std::path::{Component, Path};
use std::sync::{Arc, OnceLock};

use sha2::{Digest as _, Sha256};

use crate::catalog::{CatalogError, ModelFolder};
use crate::checkpoint::hexadecimal;
use crate::graph::edits::embed_weights;
use crate::graph::{GraphError, Model, Outline};

/// The bytes of an ONNX file and of its external weights, and its name in errors. Clones share the bytes.
#[derive(Clone, Debug)]
pub struct Graph {
    /// Name of the file in errors.
    pub file: String,
    /// Content of the file.
    pub bytes: Arc<Cow<'static, [u8]>>,
    /// Files with weights that are not in the ONNX file, each with the name that the graph has for it.
    pub weights: Vec<(String, Arc<[u8]>)>,
    /// SHA-256 of all of them, once it was needed.
    digest: Arc<OnceLock<String>>,
}

impl Graph {
    /// A graph that has all its weights in `bytes`.
    #[must_use]
    pub fn new(file: String, bytes: Cow<'static, [u8]>) -> Self {
        Self {
            file,
            bytes: Arc::new(bytes),
            weights: Vec::new(),
            digest: Arc::default(),
        }
    }

    /// Reads an ONNX file, and the files of external weights that it names, relative to its own folder.
    ///
    /// # Errors
    /// [`CatalogError::Unreadable`] if a file cannot be read; [`CatalogError::Entry`] if the graph names a file of weights
    /// outside its folder.
    pub fn read(folder: &ModelFolder, file: &str) -> Result<Self, CatalogError> {
        let mut graph = Self::new(folder.name(file), folder.read(file)?);
        let own_folder = Path::new(file).parent().unwrap_or(Path::new(""));
        for location in Outline::read(&graph.bytes).external_files {
            let inside = |part| matches!(part, Component::Normal(_) | Component::CurDir);
            if location.is_empty() || !Path::new(&location).components().all(inside) {
                return Err(CatalogError::Entry {
                    file: graph.file,
                    key: "the file of its weights".to_owned(),
                    found: format!("{location:?}"),
                    expected:
                        "a file in the graph's folder or below it, named by a relative path without \"..\""
                            .to_owned(),
                });
            }
            let path = own_folder.join(&location);
            let weights = folder.read(&path.to_string_lossy())?;
            graph.weights.push((location, Arc::from(&*weights)));
        }
        Ok(graph)
    }

    /// The graph in memory, with all its weights.
    ///
    /// # Errors
    /// [`GraphError`] if the bytes are no ONNX file, or weights do not lie in the files that the graph names.
    pub fn model(&self) -> Result<Model, GraphError> {
        let mut model = Model::read(&self.bytes)?;
        let file = |name: &str| {
            let mut files = self.weights.iter();
            files.find(|(known, _)| known == name).map(|(_, bytes)| &**bytes)
        };
        embed_weights(&mut model, &file)?;
        Ok(model)
    }

    /// Bytes of the ONNX file and its weights.
    #[must_use]
    pub fn size(&self) -> usize {
        self.bytes.len() + self.weights.iter().map(|(_, bytes)| bytes.len()).sum::<usize>()
    }

    /// SHA-256 of the graph and its weights, in hexadecimal. It is taken once for all clones.
    pub(crate) fn own_digest(&self) -> &str {
        self.digest
            .get_or_init(|| Self::digest_of(std::slice::from_ref(self)))
    }

    /// SHA-256 over some graphs and their weights, in hexadecimal.
    #[must_use]
    pub fn digest_of(graphs: &[Self]) -> String {
        let mut digest = Sha256::new();
        for graph in graphs {
            digest.update(&**graph.bytes);
            for (_, weights) in &graph.weights {
                digest.update(weights);
            }
        }
        hexadecimal(&digest.finalize())
    }

    /// Adds the content and the length of all files to a digest.
    pub(super) fn digest(&self, digest: &mut Sha256) {
        let weights = self.weights.iter().map(|(_, bytes)| &**bytes);
        for bytes in [&**self.bytes].into_iter().chain(weights) {
            digest.update(bytes.len().to_le_bytes());
            digest.update(bytes);
        }
    }
}
