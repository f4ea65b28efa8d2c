//! The command: its settings and its steps.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::JudgeError;
use super::tables::{method_tables, plane_tables};
use crate::api::{curves_of, json_of, page_of};
use crate::catalog::{Graph, ModelFolder, check_writable, escaped_attribute};
use crate::cli::alone::{ModelJobError, open};
use crate::cli::progress_line::ProgressLine;
use crate::cli::train_boundary::FitMethodOption;
use crate::editor::{Comparisons, KnownTruth, Report, ReportRequest, default_report_space, judge};
use crate::engine::{Device, Replicas, Runtime, open_truth};
use crate::imaging::{FileMetadata, Quality, SheetLayout, arrange, encode_jpeg};
use crate::latent::BoundaryFit;

/// The settings of `faceplane judge`.
///
/// Writes `judging.md` (tables), curves as SVG, strips of faces, and for each space a report as JSON and as a page.
#[derive(Clone, Debug, Args)]
pub struct Judge {
    /// Model folder [default: the bundled model]
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,

    /// Folder for the results; created if it is missing
    #[arg(long, default_value = "judging", value_name = "DIR")]
    output: PathBuf,

    /// Number of faces to sample and score
    #[arg(long, default_value_t = 2000, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(50..=100_000))]
    samples: u32,

    /// Number of faces that are moved by every method
    #[arg(long, default_value_t = 20, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    faces: u32,

    /// Seed of the samples; with another seed than the boundaries' own, they are judged by faces that they were not fitted to
    #[arg(long, default_value_t = 0, value_name = "SEED")]
    seed: u32,

    /// An ONNX graph that computes the true values of the attributes from codes as synthesis takes them
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,

    /// Number of faces that are moved for the truth, which needs no images of their edits
    #[arg(long, default_value_t = 500, value_name = "COUNT", requires = "truth", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    truth_faces: u32,

    /// Also judge boundaries that this method of training fits to the samples; repeat the flag for several
    #[arg(long, value_name = "METHOD")]
    fit: Vec<FitMethodOption>,

    /// Path of ONNX Runtime's library [default: searched beside the program, in .onnxruntime/, and in the system's library path]
    #[arg(long, env = "FACEPLANE_ONNXRUNTIME", value_name = "PATH")]
    onnxruntime: Option<PathBuf>,

    /// Device of the networks: cpu, cuda, or cuda:N (cuda needs a program built with the feature cuda)
    #[arg(long, env = "FACEPLANE_DEVICE", default_value = "cpu", value_name = "DEVICE")]
    device: Device,
}

impl Judge {
    /// Judges the model, and writes the results.
    ///
    /// # Errors
    /// [`JudgeError`] if the model cannot be used, a network fails, or a file cannot be written.
    pub fn run(&self) -> Result<(), JudgeError> {
        std::fs::create_dir_all(&self.output).map_err(|reason| JudgeError::Write {
            file: self.output.clone(),
            reason,
        })?;
        check_writable(&self.output)?;
        let mut line = ProgressLine::new();
        let reports = self.judged(&mut line)?;
        line.clear();
        for report in &reports {
            let space = report.request.space;
            self.write(&format!("report-{space}.html"), &page_of(report)?)?;
            self.write(&format!("report-{space}.json"), &json_of(report)?)?;
        }
        let last = reports.last().expect("a model has a space");
        let mark = FileMetadata::mark(last.digital_source_type.term());
        for (attribute, strip) in last.boundaries.iter().zip(&last.strips) {
            let file = format!("strip-{}.jpg", escaped_attribute(&attribute.attribute));
            let sheet = arrange(strip, SheetLayout::Strip)?;
            self.write(&file, &encode_jpeg(&sheet, Quality::default(), &mark)?)?;
        }
        for (name, svg) in curves_of(last) {
            self.write(&format!("{name}.svg"), svg.as_bytes())?;
        }
        let tables = plane_tables(&reports) + &method_tables(last);
        self.write("judging.md", tables.as_bytes())?;
        // Nobody has to read this: the files are what was asked for.
        let _ = writeln!(io::stdout(), "{}", self.output.join("judging.md").display());
        Ok(())
    }

    /// A report for each space that samples have and the model has boundaries in; the last one, of the model's default space, compares
    /// the methods.
    #[tokio::main]
    async fn judged(&self, line: &mut ProgressLine) -> Result<Vec<Report>, JudgeError> {
        let runtime = Runtime::load(self.onnxruntime.as_deref(), self.device, None)?;
        let folder = match &self.folder {
            Some(folder) => ModelFolder::Disk(folder.clone()),
            None => ModelFolder::Bundled,
        };
        let model = Arc::new(open(&folder, &runtime, 1, Replicas::Measured).map_err(ModelJobError::from)?);
        let mut comparisons = Comparisons::default();
        if let Some(file) = &self.truth {
            let truth = open_truth(&runtime, &graph(file)?, model.shape())?;
            comparisons.truth = Some((KnownTruth::new(truth), self.truth_faces as usize));
        }
        for method in &self.fit {
            let fit = BoundaryFit {
                method: (*method).into(),
                ..BoundaryFit::default()
            };
            comparisons.fits.push((method.name(), fit));
        }
        let mut spaces: Vec<_> = model
            .boundaries()
            .iter()
            .map(|boundary| boundary.space())
            .collect();
        spaces.retain(|space| model.sampled_spaces().contains(space));
        spaces.sort_by_key(|&space| (space == default_report_space(&model), space));
        spaces.dedup();
        if spaces.is_empty() {
            spaces.push(default_report_space(&model));
        }
        let request = ReportRequest {
            space: default_report_space(&model),
            samples: self.samples as usize,
            faces: self.faces.min(self.samples) as usize,
            compared: self.faces as usize,
            seed: self.seed,
        };
        let show = |space, done, all| line.show(&format!("{space}: {done} of {all} faces"));
        let reports = judge(&model, &spaces, request, comparisons, show).await;
        Ok(reports?)
    }

    fn write(&self, name: &str, contents: &[u8]) -> Result<(), JudgeError> {
        let file = self.output.join(name);
        std::fs::write(&file, contents).map_err(|reason| JudgeError::Write { file, reason })
    }
}

/// The graph in a file of any folder.
fn graph(file: &Path) -> Result<Graph, JudgeError> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    Ok(Graph::read(&ModelFolder::Disk(folder.to_owned()), &name)?)
}
