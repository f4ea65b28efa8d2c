//! A part of a model folder besides its generator: its file, and its table in the manifest.

use std::path::Path;

use super::ImportCommandError;
use crate::catalog::{BOUNDARY_EXTENSIONS, CatalogError, Graph, Manifest, ModelFolder};
use crate::graph;
use crate::importing::{Encoder, Guess, GuessedKind, Imported, Recognizer, guess};

/// The folder of boundaries in a model folder.
const BOUNDARIES: &str = "boundaries";

/// Files, and the table of the manifest that names them.
pub(super) struct Addition {
    table: &'static str,
    /// Each with its path in the model folder.
    pub(super) files: Vec<(String, Vec<u8>)>,
    /// The text of the table.
    pub(super) text: String,
}

impl Addition {
    /// What an imported file adds besides a generator.
    pub(super) fn of(imported: &Imported) -> Option<Self> {
        match imported {
            Imported::Generator(_) => None,
            Imported::Encoder(encoder, _) => Some(Self::of_encoder(encoder)),
            Imported::Recognizer(recognizer) => Some(Self::of_recognizer(recognizer)),
        }
    }

    fn of_encoder(encoder: &Encoder) -> Self {
        let Encoder {
            architecture, size, ..
        } = encoder;
        Self {
            table: "encoder",
            files: vec![("encoder.onnx".to_owned(), encoder.complete_graph().to_bytes())],
            text: format!(
                "\n[encoder]\nfile = \"encoder.onnx\"          # {architecture}: image [batch, 3, {size}, {size}] -> w+\n\
                 space = \"w+\"\n"
            ),
        }
    }

    fn of_recognizer(recognizer: &Recognizer) -> Self {
        let Recognizer {
            architecture,
            size,
            graph,
        } = recognizer;
        Self {
            table: "identity",
            files: vec![("identity.onnx".to_owned(), graph.to_bytes())],
            text: format!(
                "\n[identity]\nfile = \"identity.onnx\"         # {architecture}: image [batch, 3, {size}, {size}] -> embedding\n"
            ),
        }
    }

    /// An ONNX file that takes images, with the entry that its graph suggests.
    ///
    /// # Errors
    /// [`ImportCommandError`] if the file cannot be read, or nothing can be made of it.
    pub(super) fn of_onnx(path: &Path) -> Result<(Self, &'static str), ImportCommandError> {
        let folder = ModelFolder::Disk(path.parent().unwrap_or(Path::new("")).to_owned());
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let graph = Graph::read(&folder, &name)?;
        let unknown = |reason: String| ImportCommandError::UnknownNetwork {
            file: path.to_owned(),
            reason,
        };
        let model = graph::Model::read(&graph.bytes).map_err(|error| unknown(error.to_string()))?;
        let guessed = guess(&model, &name);
        let Guess { kind, entry } = guessed
            .ok_or_else(|| unknown("it takes no image, or returns nothing of a fixed size".to_owned()))?;
        let (table, kind) = match kind {
            GuessedKind::Classifier => ("classifiers", "a classifier"),
            GuessedKind::Encoder => ("encoder", "an encoder"),
            GuessedKind::Landmarks => ("landmarks", "a landmark network"),
            GuessedKind::Identity => ("identity", "an identity network"),
        };
        let weights = graph
            .weights
            .iter()
            .map(|(location, bytes)| (location.clone(), bytes.to_vec()));
        let files = [(name, graph.bytes.to_vec())].into_iter().chain(weights);
        let addition = Self {
            table,
            files: files.collect(),
            text: format!("\n{}\n", entry.trim_end()),
        };
        Ok((addition, kind))
    }

    /// The boundary files of a folder, and the `.json` beside each. `existing` is the folder of boundaries that the model has.
    ///
    /// # Errors
    /// [`ImportCommandError::Catalog`] if the folder cannot be read, and [`ImportCommandError::NoBoundaries`] if it has none.
    pub(super) fn of_boundaries(folder: &Path, existing: Option<&str>) -> Result<Self, ImportCommandError> {
        let unreadable = |path: &Path, reason| CatalogError::Unreadable {
            file: path.display().to_string(),
            reason,
        };
        let entries = std::fs::read_dir(folder).map_err(|reason| unreadable(folder, reason))?;
        let (target, mut files) = (existing.unwrap_or(BOUNDARIES), Vec::new());
        let mut has_normals = false;
        for entry in entries {
            let path = entry.map_err(|reason| unreadable(folder, reason))?.path();
            let extension = path.extension().unwrap_or_default();
            let is_normal = BOUNDARY_EXTENSIONS.iter().any(|known| extension == *known);
            if !is_normal && extension != "json" {
                continue;
            }
            has_normals |= is_normal;
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let content = std::fs::read(&path).map_err(|reason| unreadable(&path, reason))?;
            files.push((format!("{target}/{name}"), content));
        }
        if !has_normals {
            return Err(ImportCommandError::NoBoundaries {
                folder: folder.to_owned(),
            });
        }
        files.sort();
        Ok(Self {
            table: "boundaries",
            files,
            text: match existing {
                Some(_) => String::new(),
                None => format!("\n[boundaries]\nfolder = \"{BOUNDARIES}\"\n"),
            },
        })
    }

    /// An error if the manifest `file` has such a table.
    ///
    /// # Errors
    /// [`ImportCommandError::HasTable`].
    pub(super) fn check_missing(&self, manifest: &Manifest, file: &str) -> Result<(), ImportCommandError> {
        let has_table = match self.table {
            "encoder" => manifest.encoder.is_some(),
            "identity" => manifest.identity.is_some(),
            "landmarks" => manifest.landmarks.is_some(),
            // Boundaries and classifiers join those that the model has.
            _ => false,
        };
        if !has_table {
            return Ok(());
        }
        Err(ImportCommandError::HasTable {
            file: file.to_owned(),
            table: self.table.to_owned(),
        })
    }
}
