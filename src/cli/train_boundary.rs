//! `faceplane train-boundary`: trains boundaries without a service and writes them as files of a model folder.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::alone::{ModelJobError, boundaries_of, fitting, jobs, load};
use super::progress_line::ProgressLine;
use super::sample_files::{input_error, read_samples};
use super::train_boundary_error::TrainBoundaryError;
use crate::catalog::{self, NpyArray, boundary_files, check_writable, write_boundary, write_file};
use crate::editor::{
    EditorError, KeepRule, KeptSamples, LabelledCodes, LabelledCodesError, SampleCount, TrainRequest,
    TrainSource,
};
use crate::engine::Device;
use crate::latent::{
    Boundary, BoundaryFit, Doubt, FitMethod, LatentSpace, SampleSelection, SharedCodes, check_attribute_name,
};

/// The most numbers of a file that is no `.npy` file: 130,000 codes of 512 numbers.
const MOST_NUMBERS: usize = 1 << 26;

/// The settings of `faceplane train-boundary`.
///
/// The training data is either sampled, synthesized and scored by a model, or read from files of codes and scores.
#[derive(Clone, Debug, Args)]
pub struct TrainBoundary {
    /// Model folder [default: the bundled model]
    #[arg(long, value_name = "DIR", conflicts_with = "latents")]
    model: Option<PathBuf>,

    /// Attribute to train a boundary for; repeat the flag for several (with --scores: one)
    #[arg(long, value_name = "NAME", required = true)]
    attribute: Vec<String>,

    /// Name of the boundary, if it is not the attribute; repeat the flag, one for each --attribute
    #[arg(long, value_name = "NAME")]
    name: Vec<String>,

    /// Latent space of the boundaries: z, w, s (ranks style channels), or (with --latents) w+ [default: the model's default space; with --latents, z]
    #[arg(long, value_name = "SPACE")]
    space: Option<LatentSpace>,

    /// Number of faces to sample, or auto: until the expected cosine of each direction is at least 0.99, and at most 100,000; in s, the
    /// number of images, of which auto takes 16 for each style channel, or as many as 100,000 hold [default: 10,000; in s, auto]
    #[arg(long, value_name = "COUNT", value_parser = sample_count)]
    samples: Option<SampleCount>,

    /// Number of codes to choose at each end of the scores: this many with the lowest and this many with the highest ones
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    chosen: Option<u32>,

    /// The number of --chosen as a fraction of all codes, at most 0.5 [default: 0.02]
    #[arg(long, value_name = "FRACTION", conflicts_with = "chosen")]
    ratio: Option<f64>,

    /// Fraction of the chosen codes that the boundary is fitted to; the others are held out and measure its accuracy
    #[arg(long, default_value_t = 0.7, value_name = "FRACTION")]
    split: f64,

    /// Seed of the sampling and of the split [default: 0; with samples from a file, their seed]
    #[arg(long, value_name = "SEED")]
    seed: Option<u32>,

    /// Score above which a face has the attribute [default: what the model says of its classifier; with --scores, the
    /// median, between two different scores their mean, and for svm the mean of the lowest and the highest]
    #[arg(long, value_name = "SCORE", allow_negative_numbers = true)]
    threshold: Option<f64>,

    /// In s: number of style channels that each boundary moves
    #[arg(long, default_value_t = 10, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=1024))]
    channels: u32,

    /// Method that fits the boundary
    #[arg(long, default_value = "regression", value_name = "METHOD")]
    method: FitMethodOption,

    /// A .npy, .npz or .pt file of latent codes to use instead of a model: shape (samples, dim), or (samples, layers, dim) in w+. A
    /// .npz file of /v1/jobs/JOB/samples or --samples-output has the scores, too; so has a folder of faceplane batch. Several such files
    /// and folders are joined
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "samples")]
    latents: Vec<PathBuf>,

    /// A .npy, .npz or .pt file with the score of each code: shape (samples) or (samples, 1)
    #[arg(long, value_name = "FILE", requires = "latents")]
    scores: Option<PathBuf>,

    /// A .npz file to write the sampled codes and their scores to
    #[arg(long, value_name = "FILE", conflicts_with = "latents")]
    samples_output: Option<PathBuf>,

    /// Folder for the boundary files, a .npy and a .json for each boundary; created if it is missing
    #[arg(long, default_value = ".", value_name = "DIR")]
    output: PathBuf,

    /// Replace boundaries of the same names and space that are in the output folder already, such as those that came with a model
    #[arg(long)]
    replace: bool,

    /// Path of ONNX Runtime's library [default: searched beside the program, in .onnxruntime/, and in the system's library path]
    #[arg(long, env = "FACEPLANE_ONNXRUNTIME", value_name = "PATH")]
    onnxruntime: Option<PathBuf>,

    /// Device of the networks: cpu, cuda, or cuda:N (cuda needs a program built with the feature cuda)
    #[arg(long, env = "FACEPLANE_DEVICE", default_value = "cpu", value_name = "DEVICE")]
    device: Device,
}

/// Method that fits a boundary.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum FitMethodOption {
    /// Fits ridge regression (of the scores or of their ranks) and logistic regression (of the sides of the threshold) to all codes, and
    /// takes the one that separates held-out codes better; logistic regression if there are only two scores
    Regression,
    /// Linear support vector machine on the codes with the lowest and the highest scores, as in the paper
    Svm,
    /// Least-squares regression of the scores on all codes
    LeastSquares,
}

impl FitMethodOption {
    /// Its name, as the flag takes it.
    pub(super) fn name(self) -> String {
        let known = self.to_possible_value();
        known.map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

impl From<FitMethodOption> for FitMethod {
    fn from(option: FitMethodOption) -> Self {
        match option {
            FitMethodOption::Regression => Self::Regression,
            FitMethodOption::Svm => Self::Svm,
            FitMethodOption::LeastSquares => Self::LeastSquares,
        }
    }
}

/// What was trained, and the samples of it that are to be written.
struct Trained {
    boundaries: Vec<Arc<Boundary>>,
    samples: Option<Arc<KeptSamples>>,
}

impl From<Vec<Arc<Boundary>>> for Trained {
    fn from(boundaries: Vec<Arc<Boundary>>) -> Self {
        Self {
            boundaries,
            samples: None,
        }
    }
}

impl TrainBoundary {
    /// Trains the boundaries, writes them, and prints each file with its figures and their warnings.
    ///
    /// # Errors
    /// [`TrainBoundaryError`]. If training fails, no file is written.
    pub fn run(&self) -> Result<(), TrainBoundaryError> {
        // Training takes minutes, so the output folder is checked first.
        check_writable(&self.output)?;
        if let Some(file) = &self.samples_output {
            check_writable(file.parent().unwrap_or(Path::new(".")))?;
        }
        let names = self.names()?;
        let mut line = ProgressLine::new();
        let Trained { boundaries, samples } = match (&self.latents[..], &self.scores) {
            ([latents], Some(scores)) => {
                vec![self.train_from_files(latents, scores, &names, &mut line)?.into()].into()
            }
            ([], _) => self.train_from_model(names, &mut line)?,
            (several, Some(_)) => {
                let found = several.len();
                return Err(TrainBoundaryError::SeveralLatents { found });
            }
            (latents, None) => self.train_from_samples(latents, &names, &mut line)?.into(),
        };
        line.clear();
        for boundary in &boundaries {
            let file = write_boundary(&self.output, boundary)?;
            // Nobody has to read this: the file is what was asked for.
            let _ = writeln!(io::stdout(), "{}: {}", file.display(), figures(boundary));
            let known = boundary.provenance();
            if let Some(why) = &known.sampling {
                let _ = writeln!(io::stdout(), "  sampling {why}");
            }
            for doubt in Doubt::of(known) {
                let _ = writeln!(io::stdout(), "  warning: {doubt}");
            }
        }
        // Last, so that no boundary is lost if the disk is full.
        if let (Some(file), Some(samples)) = (&self.samples_output, samples) {
            write_file(file, &samples.scored().write())?;
        }
        Ok(())
    }

    /// Refuses to replace boundaries that nobody said to replace.
    fn check_new(&self, names: &[String], space: LatentSpace) -> Result<(), TrainBoundaryError> {
        let mut files = names
            .iter()
            .flat_map(|name| boundary_files(&self.output, name, space));
        match files.find(|file| file.exists()).filter(|_| !self.replace) {
            Some(file) => Err(TrainBoundaryError::Exists { file }),
            None => Ok(()),
        }
    }

    /// The names of the boundaries.
    fn names(&self) -> Result<Vec<String>, TrainBoundaryError> {
        let (found, attributes) = (self.name.len(), self.attribute.len());
        if found != 0 && found != attributes {
            return Err(TrainBoundaryError::NameCount { found, attributes });
        }
        let names = if found == 0 { &self.attribute } else { &self.name };
        let repeated = names
            .iter()
            .enumerate()
            .find(|&(index, name)| names[..index].contains(name));
        match repeated {
            Some((_, name)) => Err(TrainBoundaryError::RepeatedName { name: name.clone() }),
            None => Ok(names.clone()),
        }
    }

    fn train_from_samples(
        &self,
        latents: &[PathBuf],
        names: &[String],
        line: &mut ProgressLine,
    ) -> Result<Vec<Arc<Boundary>>, TrainBoundaryError> {
        let samples = read_samples(latents, self.space)?;
        self.check_new(names, samples.space)?;
        let shared = SharedCodes::default();
        let mut boundaries = Vec::with_capacity(names.len());
        for (attribute, name) in self.attribute.iter().zip(names) {
            let column = samples.attributes.iter().position(|scored| scored == attribute);
            let column = column.ok_or_else(|| TrainBoundaryError::NotScored {
                file: latents[0].clone(),
                attribute: attribute.clone(),
                known: samples.attributes.clone(),
            })?;
            let labelled = LabelledCodes {
                codes: samples.codes.clone(),
                scores: samples
                    .scores
                    .column(column)
                    .iter()
                    .copied()
                    .map(f64::from)
                    .collect(),
            };
            let fit = BoundaryFit {
                seed: self.seed.unwrap_or(samples.seed),
                threshold: self.threshold.or(Some(samples.thresholds[column])),
                ..self.fit()
            };
            let report = |share: f64| line.show(&fitting(name, share));
            boundaries.push(
                labelled
                    .separate(name, samples.space, &fit, &shared, report)?
                    .into(),
            );
        }
        Ok(boundaries)
    }

    fn train_from_files(
        &self,
        latents: &Path,
        scores: &Path,
        names: &[String],
        line: &mut ProgressLine,
    ) -> Result<Boundary, TrainBoundaryError> {
        let [name] = names else {
            return Err(TrainBoundaryError::SeveralAttributes {
                found: self.attribute.len(),
            });
        };
        check_attribute_name(name).map_err(EditorError::from)?;
        let space = self.space.unwrap_or(LatentSpace::Z);
        self.check_new(names, space)?;
        let codes =
            LabelledCodes::new(space, read_array(latents)?, read_array(scores)?).map_err(|error| {
                let file = match &error {
                    LabelledCodesError::Codes { .. } => latents,
                    LabelledCodesError::Scores { .. } => scores,
                };
                input_error(file, error)
            })?;
        let report = |share: f64| line.show(&fitting(name, share));
        Ok(codes.separate(name, space, &self.fit(), &SharedCodes::default(), report)?)
    }

    #[tokio::main]
    async fn train_from_model(
        &self,
        names: Vec<String>,
        line: &mut ProgressLine,
    ) -> Result<Trained, TrainBoundaryError> {
        let models = load(self.model.as_deref(), self.onnxruntime.as_deref(), self.device)?;
        let model = models.default_model();
        let space = self.space.unwrap_or(model.default_space());
        if space == LatentSpace::S && self.samples_output.is_some() {
            return Err(TrainBoundaryError::NoSamples);
        }
        self.check_new(&names, space)?;
        let request = TrainRequest {
            attributes: self.attribute.clone(),
            names,
            keep: KeepRule::New,
            space,
            source: TrainSource::Sampled {
                samples: self.samples.unwrap_or(SampleCount::usual(space)),
                seed: self.seed.unwrap_or(0),
            },
            fit: self.fit(),
            channels: self.channels as usize,
        };
        let job = jobs()
            .train(&models, model, request)
            .map_err(ModelJobError::from)?;
        let boundaries = boundaries_of(&job, line).await?;
        let samples = self.samples_output.is_some().then(|| job.samples());
        Ok(Trained {
            boundaries,
            samples: samples.transpose().map_err(EditorError::from)?,
        })
    }

    fn fit(&self) -> BoundaryFit {
        let defaults = BoundaryFit::default();
        let selection = match (self.chosen, self.ratio) {
            (Some(count), _) => SampleSelection::Count(count as usize),
            (None, Some(ratio)) => SampleSelection::Ratio(ratio),
            (None, None) => defaults.selection,
        };
        BoundaryFit {
            method: self.method.into(),
            selection,
            split: self.split,
            seed: self.seed.unwrap_or(0),
            threshold: self.threshold,
            ..defaults
        }
    }
}

/// A number of faces, or `auto`.
fn sample_count(text: &str) -> Result<SampleCount, String> {
    if text == "auto" {
        return Ok(SampleCount::AUTO);
    }
    match text.parse() {
        Ok(samples @ 4..=u32::MAX) => Ok(SampleCount::Fixed(samples as usize)),
        _ => Err(format!("expected a whole number from 4 to {}, or auto", u32::MAX)),
    }
}

fn read_array(file: &Path) -> Result<NpyArray, TrainBoundaryError> {
    let bytes = std::fs::read(file).map_err(|error| input_error(file, error))?;
    catalog::read_array(&bytes, MOST_NUMBERS).map_err(|error| input_error(file, error))
}

/// The figures of a boundary, as one line.
fn figures(boundary: &Boundary) -> String {
    let accuracy = boundary.provenance().accuracy;
    let share = |share: f64| format!("{:.2} %", 100.0 * share);
    let shares = [
        ("training", accuracy.train),
        ("held out", accuracy.held_out),
        ("all held out", accuracy.held_out_all),
        ("all", accuracy.all),
    ];
    let shares = shares.map(|(name, found)| Some(format!("{name} {}", share(found?))));
    let shares: Vec<String> = shares.into_iter().flatten().collect();
    let others = [
        Some(format!("accuracy: {}", shares.join(", "))),
        accuracy.correlation.map(|r| format!("correlation {r:.3}")),
        accuracy
            .cosine
            .map(|cosine| format!("expected cosine {cosine:.4}")),
        accuracy
            .score_per_unit
            .map(|slope| format!("score per unit {slope:.3}")),
    ];
    others.into_iter().flatten().collect::<Vec<_>>().join("; ")
}
