//! Where a graph can be read again, and that it is still the one that the model was loaded from.

use crate::catalog::{CatalogError, Graph, ModelFolder};

/// A graph of a model folder that is read again when it is needed, so that nobody keeps a second copy of its weights.
#[derive(Clone, Debug)]
pub struct GraphSource {
    folder: ModelFolder,
    file: String,
    /// SHA-256 of the graph that the model was loaded from.
    digest: String,
}

impl GraphSource {
    /// The source of `graph`, which was read from this file of the folder.
    #[must_use]
    pub fn new(folder: &ModelFolder, file: &str, graph: &Graph) -> Self {
        Self {
            folder: folder.clone(),
            file: file.to_owned(),
            digest: graph.own_digest().to_owned(),
        }
    }

    /// The file, relative to the folder.
    pub(crate) fn file(&self) -> &str {
        &self.file
    }

    /// Reads the graph again.
    ///
    /// # Errors
    /// [`CatalogError::Changed`] if the folder has another one now, and the errors of [`Graph::read`].
    pub fn read(&self) -> Result<Graph, CatalogError> {
        let graph = Graph::read(&self.folder, &self.file)?;
        if graph.own_digest() == self.digest {
            return Ok(graph);
        }
        Err(CatalogError::Changed { file: graph.file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_graph_that_has_changed_is_not_read_for_the_one_before() {
        let place = tempfile::tempdir().unwrap();
        let folder = ModelFolder::Disk(place.path().to_owned());
        let write = |content: &str| std::fs::write(place.path().join("g.onnx"), content).unwrap();
        write("");
        let source = GraphSource::new(&folder, "g.onnx", &Graph::read(&folder, "g.onnx").unwrap());
        assert!(source.read().is_ok());
        write("\u{8}\u{9}");
        let error = source.read().unwrap_err();
        assert!(
            matches!(&error, CatalogError::Changed { file } if file.ends_with("g.onnx")),
            "{error}"
        );
        write("");
        assert!(source.read().is_ok());
    }
}
