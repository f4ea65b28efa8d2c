//! The command: its settings and its steps.

use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::Args;

use super::CheckError;
use super::report::Report;
use super::sheet::contact_sheet;
use crate::catalog::ModelFolder;
use crate::cli::alone::{async_runtime, open};
use crate::editor::check_networks;
use crate::engine::{Device, Replicas, Runtime};
use crate::imaging::{FileMetadata, PngCompression, encode_png};

/// The settings of `faceplane check`.
///
/// A network with a wrong entry in the manifest loads and runs, but its scores mean nothing. This command shows them.
#[derive(Clone, Debug, Args)]
pub struct Check {
    /// Model folder
    #[arg(value_name = "DIR")]
    folder: PathBuf,

    /// Number of faces to sample, from seed 0 on
    #[arg(long, default_value_t = 16, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(2..=256))]
    faces: u32,

    /// File for the contact sheet: the faces with their scores, as PNG
    #[arg(long, default_value = "check.png", value_name = "FILE")]
    sheet: PathBuf,

    /// Print JSON instead of text
    #[arg(long)]
    json: bool,

    /// Path of ONNX Runtime's library [default: searched beside the program, in .onnxruntime/, and in the system's library path]
    #[arg(long, env = "FACEPLANE_ONNXRUNTIME", value_name = "PATH")]
    onnxruntime: Option<PathBuf>,

    /// Device of the networks: cpu, cuda, or cuda:N (cuda needs a program built with the feature cuda)
    #[arg(long, env = "FACEPLANE_DEVICE", default_value = "cpu", value_name = "DEVICE")]
    device: Device,
}

impl Check {
    /// Opens the folder as the service does, samples faces, and prints what the networks say of them.
    ///
    /// # Errors
    /// [`CheckError`] if the folder cannot be served, or the sheet cannot be written. A network that looks wrong is a warning.
    pub fn run(&self) -> Result<(), CheckError> {
        let runtime = Runtime::load(self.onnxruntime.as_deref(), self.device, None)?;
        let folder = ModelFolder::Disk(self.folder.clone());
        let (findings, provenance) = async_runtime()?.block_on(async {
            let model = open(&folder, &runtime, self.faces, Replicas::Count(1))?;
            let findings = check_networks(&model, self.faces).await?;
            Ok::<_, CheckError>((findings, model.generator().provenance))
        })?;
        let mark = FileMetadata::mark(provenance.digital_source_type.term());
        let sheet = encode_png(&contact_sheet(&findings)?, PngCompression::Fast, &mark)?;
        std::fs::write(&self.sheet, sheet).map_err(|reason| CheckError::Sheet {
            file: self.sheet.clone(),
            reason,
        })?;
        let report = Report::new(&self.folder, &self.sheet, &findings);
        let text = if self.json { report.json() } else { report.text() };
        // Nobody has to read this: the sheet is written.
        let _ = writeln!(io::stdout(), "{text}");
        Ok(())
    }
}
