//! A file to import: read, recognised, and converted to graphs.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::ImportCommandError;
use crate::catalog::{CatalogError, Graph, ModelFolder};
use crate::checkpoint::Checkpoint;
use crate::engine::{Runtime, run_once};
use crate::importing::{self, Imported, onnx};

/// An imported file.
pub(super) struct Source {
    pub(super) file: PathBuf,
    /// SHA-256 of the file, in hexadecimal.
    pub(super) digest: String,
    /// The format of the file, in words.
    pub(super) format: String,
    pub(super) imported: Imported,
}

impl Source {
    /// Reads a file, and builds the graphs of the network in it.
    ///
    /// # Errors
    /// [`ImportCommandError`] if the file is no checkpoint, or its architecture is not known.
    pub(super) fn read(file: &Path) -> Result<Self, ImportCommandError> {
        let checkpoint = Checkpoint::read(file)?;
        let imported = importing::import(&checkpoint).map_err(|reason| ImportCommandError::Import {
            file: file.to_owned(),
            reason,
        })?;
        Ok(Self {
            file: file.to_owned(),
            digest: checkpoint.digest,
            format: checkpoint.format,
            imported,
        })
    }

    /// Reads ONNX files, or folders of them, that are the parts of one generator.
    ///
    /// # Errors
    /// [`ImportCommandError`] if a file cannot be read, or they are no generator.
    pub(super) fn read_onnx(files: &[PathBuf], runtime: &Runtime) -> Result<Self, ImportCommandError> {
        let mut graphs = Vec::new();
        for file in files {
            let (folder, names) = if file.is_dir() {
                let folder = ModelFolder::Disk(file.clone());
                let names = folder.list(".", "onnx")?;
                (folder, names)
            } else {
                let parent = file.parent().unwrap_or(Path::new(""));
                let name = file
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned();
                (ModelFolder::Disk(parent.to_owned()), vec![name])
            };
            for name in names {
                graphs.push(Graph::read(&folder, &name)?);
            }
        }
        let imported = onnx::import(&graphs, &run_once(runtime)).map_err(ImportCommandError::Onnx)?;
        Ok(Self {
            file: files[0].clone(),
            digest: Graph::digest_of(&graphs),
            format: "ONNX".to_owned(),
            imported,
        })
    }
}

/// Whether a file is an ONNX file, or a folder.
///
/// # Errors
/// [`ImportCommandError::Catalog`] if the file cannot be read.
pub(super) fn is_onnx(file: &Path) -> Result<bool, ImportCommandError> {
    /// The key of the first field, the version of the format. A file of weights is large, and does not begin with it.
    const FIRST: u8 = 0x08;
    if file.is_dir() {
        return Ok(true);
    }
    let read = || {
        let mut first = [0];
        let is_empty = std::fs::File::open(file)?.read(&mut first)? == 0;
        Ok(!is_empty && first == [FIRST] && onnx::is_onnx(&std::fs::read(file)?))
    };
    Ok(read().map_err(|reason| CatalogError::Unreadable {
        file: file.display().to_string(),
        reason,
    })?)
}
