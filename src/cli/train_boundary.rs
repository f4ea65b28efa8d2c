//! `faceplane train-boundary`: boundaries found on the command line, and written as a model folder has them.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::catalog::{CatalogError, ModelFolder, NpyArray, NpyError, check_writable, write_boundary};
use crate::editor::{
    EditorError, JobProgress, JobStatus, Jobs, LabelledCodes, LabelledCodesError, LoadError, Model, Models,
    TrainRequest, TrainSource,
};
use crate::engine::{Device, EngineError, Operation, QueueLimits, Runtime};
use crate::latent::{Boundary, FitMethod, LatentSpace, SampleSelection, Separation};
use crate::metrics::Metrics;

/// Which boundaries to find, and how: from faces that a model draws and scores, or from files of codes and scores.
#[derive(Clone, Debug, Args)]
pub struct TrainBoundary {
    /// The model folder [default: the bundled model]
    #[arg(long, value_name = "DIR", conflicts_with = "latents")]
    model: Option<PathBuf>,

    /// An attribute that gets a boundary; may be given several times, but once beside --scores
    #[arg(long, value_name = "NAME", required = true)]
    attribute: Vec<String>,

    /// The space of the boundaries: z, w, or w+ beside --latents [default: the model's own, or z beside --latents]
    #[arg(long, value_name = "SPACE")]
    space: Option<LatentSpace>,

    /// How many faces to sample
    #[arg(long, default_value_t = 10_000, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(4..))]
    samples: u32,

    /// How many at each end of the scores the plane is fitted to and checked with
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    chosen: Option<u32>,

    /// The same as a share of all [default: 0.02]
    #[arg(long, value_name = "SHARE", conflicts_with = "chosen")]
    ratio: Option<f64>,

    /// The share of those that the plane is fitted to, the others being held out
    #[arg(long, default_value_t = 0.7, value_name = "SHARE")]
    split: f64,

    /// Seed of the samples and of the split
    #[arg(long, default_value_t = 0, value_name = "SEED")]
    seed: u32,

    /// What finds the plane
    #[arg(long, default_value = "svm", value_name = "METHOD")]
    method: FitMethodName,

    /// Codes in a .npy file of shape (samples, dim), in w+ (samples, layers, dim), instead of a model's
    #[arg(long, value_name = "FILE", requires = "scores", conflicts_with = "samples")]
    latents: Option<PathBuf>,

    /// Their scores in a .npy file of shape (samples) or (samples, 1)
    #[arg(long, value_name = "FILE", requires = "latents")]
    scores: Option<PathBuf>,

    /// The folder for the files, a .npy and a .json each; it is made where it is missing
    #[arg(long, default_value = ".", value_name = "DIR")]
    output: PathBuf,

    /// ONNX Runtime's library [default: beside the program, .onnxruntime/ here, or the system's]
    #[arg(long, env = "FACEPLANE_ONNXRUNTIME", value_name = "PATH")]
    onnxruntime: Option<PathBuf>,

    /// Where networks run: cpu, cuda, or cuda:N (a program built with the feature cuda)
    #[arg(long, env = "FACEPLANE_DEVICE", default_value = "cpu", value_name = "DEVICE")]
    device: Device,
}

/// What finds a plane.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum FitMethodName {
    /// A linear support vector machine on the ends of the scores, as the paper has it
    Svm,
    /// Least squares of the scores on all codes
    LeastSquares,
}

/// Why no boundary was found or written.
#[derive(Debug, thiserror::Error)]
pub enum TrainBoundaryError {
    /// ONNX Runtime cannot be used.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The model cannot be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The request does not fit the model, or the codes cannot be separated.
    #[error(transparent)]
    Editor(#[from] EditorError),
    /// The job failed.
    #[error("{reason}")]
    Failed {
        /// Why.
        reason: String,
    },
    /// A file cannot be read, or is no array.
    #[error("{}: {reason}", file.display())]
    Input {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Several attributes were named beside one's scores.
    #[error("--attribute is given {found} times, expected once: --scores are one attribute's")]
    SeveralAttributes {
        /// How many were named.
        found: usize,
    },
    /// The files cannot be written.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The program cannot run.
    #[error("the program's threads cannot be started: {0}")]
    Threads(#[from] io::Error),
}

impl TrainBoundary {
    /// Finds the boundaries, writes them, and prints each file with its accuracies.
    ///
    /// # Errors
    /// [`TrainBoundaryError`]; of a training that fails nothing is written.
    pub fn run(&self) -> Result<(), TrainBoundaryError> {
        // What is found in many minutes should have a place to go.
        check_writable(&self.output)?;
        let mut line = ProgressLine::new();
        let found = match (&self.latents, &self.scores) {
            (Some(latents), Some(scores)) => vec![self.of_files(latents, scores, &mut line)?],
            _ => self.of_model(&mut line)?,
        };
        line.end();
        for boundary in &found {
            let file = write_boundary(&self.output, boundary)?;
            println!("{}: {}", file.display(), accuracies(boundary));
        }
        Ok(())
    }

    fn of_files(
        &self,
        latents: &Path,
        scores: &Path,
        line: &mut ProgressLine,
    ) -> Result<Boundary, TrainBoundaryError> {
        let [attribute] = &self.attribute[..] else {
            return Err(TrainBoundaryError::SeveralAttributes {
                found: self.attribute.len(),
            });
        };
        let space = self.space.unwrap_or(LatentSpace::Z);
        let given = LabelledCodes::new(space, array(latents)?, array(scores)?).map_err(|error| {
            let file = match &error {
                LabelledCodesError::Codes { .. } => latents,
                LabelledCodesError::Scores { .. } => scores,
            };
            input(file, error)
        })?;
        let told = |share: f64| line.show(&fitting(attribute, share));
        Ok(given.separate(attribute, space, &self.separation(), told)?)
    }

    #[tokio::main]
    async fn of_model(&self, line: &mut ProgressLine) -> Result<Vec<Boundary>, TrainBoundaryError> {
        let runtime = Runtime::load(self.onnxruntime.as_deref(), self.device, None)?;
        let folder = self.model.clone().map_or(ModelFolder::Bundled, ModelFolder::Disk);
        let alone = Operation {
            replicas: None,
            waiting: QueueLimits {
                capacity: 1,
                longest: Duration::MAX,
                patience: Duration::ZERO,
            },
        };
        let model = Model::load(&folder, &runtime, alone, &Metrics::new())?;
        let models = Models::new(vec![model], None)?;
        let model = models.default_model();
        let request = TrainRequest {
            attributes: self.attribute.clone(),
            space: self.space.unwrap_or(model.default_space()),
            source: TrainSource::Sampled {
                samples: self.samples as usize,
                seed: self.seed,
            },
            separation: self.separation(),
        };
        let job = Jobs::new().train(&models, Arc::clone(&model), request)?;
        let mut changes = job.subscribe();
        loop {
            let state = changes.borrow_and_update().clone();
            if state.status == JobStatus::Done {
                return Ok(state.boundaries);
            }
            if state.status.has_ended() {
                let reason = state.failure.unwrap_or_else(|| "it was cancelled".to_owned());
                return Err(TrainBoundaryError::Failed { reason });
            }
            line.show(&progress(&state, job.samples()));
            changes
                .changed()
                .await
                .expect("the job outlives its work, and tells of its end");
        }
    }

    fn separation(&self) -> Separation {
        let usual = Separation::default();
        let chosen = match (self.chosen, self.ratio) {
            (Some(count), _) => SampleSelection::Count(count as usize),
            (None, Some(ratio)) => SampleSelection::Ratio(ratio),
            (None, None) => usual.chosen,
        };
        Separation {
            method: match self.method {
                FitMethodName::Svm => FitMethod::Svm,
                FitMethodName::LeastSquares => FitMethod::LeastSquares,
            },
            chosen,
            split: self.split,
            seed: self.seed,
            ..usual
        }
    }
}

fn array(file: &Path) -> Result<NpyArray, TrainBoundaryError> {
    let bytes = std::fs::read(file).map_err(|error| input(file, error))?;
    NpyArray::read(&bytes).map_err(|error: NpyError| input(file, error))
}

fn input(file: &Path, reason: impl ToString) -> TrainBoundaryError {
    TrainBoundaryError::Input {
        file: file.to_owned(),
        reason: reason.to_string(),
    }
}

/// What a job does, in a line.
fn progress(state: &JobProgress, samples: usize) -> String {
    match (&state.fitting, state.samples_per_second) {
        (Some(fit), _) => fitting(&fit.attribute, fit.share),
        (None, Some(rate)) => format!("{} of {samples} faces, {rate:.0} a second", state.samples_done),
        (None, None) => format!("0 of {samples} faces"),
    }
}

fn fitting(attribute: &str, share: f64) -> String {
    format!("{attribute}: {:.0} %", 100.0 * share)
}

fn accuracies(boundary: &Boundary) -> String {
    let accuracy = boundary.provenance().accuracy;
    let known = [
        ("trained on", accuracy.train),
        ("held out", accuracy.held_out),
        ("all", accuracy.all),
    ];
    let share =
        |(name, share): (&str, Option<f64>)| share.map(|share| format!("{name} {:.2} %", 100.0 * share));
    let shares: Vec<String> = known.into_iter().filter_map(share).collect();
    format!("right side: {}", shares.join(", "))
}

/// One line on a terminal's stderr that is written over and over; nothing where stderr is no terminal.
struct ProgressLine {
    shown: bool,
    last: String,
}

impl ProgressLine {
    fn new() -> Self {
        Self {
            shown: io::stderr().is_terminal(),
            last: String::new(),
        }
    }

    fn show(&mut self, text: &str) {
        if self.shown && self.last != text {
            // A terminal that has gone is no reason to stop.
            let _ = write!(io::stderr(), "\r\x1b[2K{text}");
            text.clone_into(&mut self.last);
        }
    }

    fn end(&mut self) {
        if !self.last.is_empty() {
            let _ = write!(io::stderr(), "\r\x1b[2K");
            self.last.clear();
        }
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        self.end();
    }
}
