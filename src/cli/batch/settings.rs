//! The settings of `faceplane batch`.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueHint, value_parser};

use super::error::BatchError;
use crate::api::BatchWords;
use crate::catalog::StoreAddress;
use crate::cli::settings::positive;
use crate::editor::ScoreLimit;
use crate::engine::Device;
use crate::latent::{SeedRange, Shard};

/// The word of `--pictures` for none.
const NONE: &str = "none";

/// The settings of `faceplane batch`.
///
/// The folder gets a part with codes and scores for each 256 seeds, and a picture of each face. If the command is killed, the same
/// command goes on. See docs/batch.md.
#[derive(Clone, Debug, Args)]
pub struct Batch {
    /// The first and the last seed, such as 0-999999
    #[arg(long, value_name = "FIRST-LAST")]
    pub(super) seeds: SeedRange,

    /// Folder for the parts and the pictures, created if it is missing; or a bucket: `s3://BUCKET/PATH`, `gs://BUCKET/PATH` or
    /// `az://CONTAINER/PATH` (needs a program built with the feature object-store)
    #[arg(short, long, value_name = "DIR|URL", value_hint = ValueHint::DirPath)]
    pub(super) output: StoreAddress,

    /// Make one of COUNT equal shares of the seeds, from 1/COUNT to COUNT/COUNT [default: all seeds]
    #[arg(long, value_name = "NUMBER/COUNT", conflicts_with = "shards")]
    shard: Option<Shard>,

    /// Make the share of --shard-index of this many, as a pod of a Kubernetes indexed Job
    #[arg(long, value_name = "COUNT", value_parser = positive)]
    shards: Option<u32>,

    /// With --shards: which share, from 0 on
    #[arg(long, env = "JOB_COMPLETION_INDEX", value_name = "INDEX")]
    shard_index: Option<u32>,

    /// Model folder [default: the bundled model]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) model: Option<PathBuf>,

    /// Store of services, a folder or a bucket, that has the model: --model is then its name, as faceplane publish gave it
    #[arg(long, value_name = "DIR|URL", requires = "model")]
    pub(super) store: Option<StoreAddress>,

    #[command(flatten)]
    words: Words,

    /// JSON file with the edits and the other words of POST /v1/edit, instead of their flags
    #[arg(long, value_name = "FILE", conflicts_with = "Words", value_hint = ValueHint::FilePath)]
    request: Option<PathBuf>,

    /// Format of the pictures
    #[arg(long, default_value = "png", value_name = "FORMAT", value_parser = PossibleValuesParser::new(["png", "webp", "jpeg", NONE]))]
    pictures: String,

    /// Do not score the faces
    #[arg(long)]
    pub(super) no_scores: bool,

    /// Keep a face only if its score is within the limit, such as 'smile>=0.5'; with edits, the score of the edited face. Repeat the flag for
    /// several limits
    #[arg(long, value_name = "LIMIT")]
    pub(super) keep: Vec<ScoreLimit>,

    /// Edit a face only if its score before the edits is within the limit; repeat the flag for several limits
    #[arg(long, value_name = "LIMIT")]
    pub(super) keep_original: Vec<ScoreLimit>,

    /// Keep an edited face only if the person is at least as similar as this to the one before the edits: the cosine of the identity
    /// network's embeddings, from -1 to 1
    #[arg(long, value_name = "COSINE", allow_negative_numbers = true, value_parser = cosine)]
    pub(super) keep_similar: Option<f64>,

    /// Images of a run of the generator: 1, 2, 4, … up to 64. The bits of a face depend on it [default: 1; on a GPU, 8]
    #[arg(long = "batch-size", value_name = "COUNT", value_parser = value_parser!(u16).range(1..=64))]
    pub(super) images_of_run: Option<u16>,

    /// Print JSON instead of text
    #[arg(long)]
    pub(super) json: bool,

    /// Path of ONNX Runtime's library [default: searched beside the program, in .onnxruntime/, and in the system's library path]
    #[arg(long, env = "FACEPLANE_ONNXRUNTIME", value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub(super) onnxruntime: Option<PathBuf>,

    /// Device of the networks: cpu, cuda, or cuda:N (cuda needs a program built with the feature cuda)
    #[arg(long, env = "FACEPLANE_DEVICE", default_value = "cpu", value_name = "DEVICE")]
    pub(super) device: Device,

    /// Threads of each network [default: the number of cores; on a GPU, one]
    #[arg(long, env = "FACEPLANE_THREADS", value_name = "COUNT", value_parser = positive)]
    pub(super) threads: Option<u32>,
}

/// The words of the API, as `faceplane edit` takes them.
#[derive(Clone, Debug, Args)]
#[group(id = "Words", multiple = true)]
#[command(next_help_heading = "Faces, as for faceplane edit")]
struct Words {
    /// The space of the codes and the edits: z, w, w+ or s [default: the model's default space]
    #[arg(long, value_name = "SPACE")]
    space: Option<String>,

    /// Truncation: 1 is none, 0 is the mean face [default: the model's own]
    #[arg(long, value_name = "PSI", allow_hyphen_values = true)]
    psi: Option<String>,

    /// How many of the first layers are truncated [default: the model's own number, or all]
    #[arg(long, value_name = "COUNT")]
    truncation_layers: Option<String>,

    /// The class of a class-conditional generator [default: the seed's remainder by the number of classes]
    #[arg(long, value_name = "CLASS")]
    label: Option<String>,

    /// An edit, such as smile:2; repeat the flag for several edits, made together
    #[arg(long, value_name = "EDIT", allow_hyphen_values = true)]
    edit: Vec<String>,

    /// Attribute to hold; repeat the flag for several
    #[arg(long, value_name = "ATTRIBUTE")]
    condition: Vec<String>,

    /// Unit of the amounts: distance or deviation [default: distance]
    #[arg(long, value_name = "UNIT")]
    unit: Option<String>,

    /// Layers of w+ to edit, such as 0-3 [default: all]
    #[arg(long, value_name = "LAYERS")]
    layers: Option<String>,

    /// Several faces of each seed: edits without an amount follow the trajectory, such as -3:3:7
    #[arg(long, value_name = "START:END:STEPS", allow_hyphen_values = true)]
    trajectory: Option<String>,

    /// How the positions of the trajectory are spaced [default: linear]
    #[arg(long, value_name = "EASING")]
    easing: Option<String>,

    /// Metadata in the pictures: full or none [default: full]
    #[arg(long, value_name = "METADATA")]
    metadata: Option<String>,

    /// Compression of PNG: fast or small [default: fast]
    #[arg(long, value_name = "COMPRESSION")]
    compression: Option<String>,

    /// Quality of JPEG and WebP, from 1 to 100 [default: 90]
    #[arg(long, value_name = "QUALITY")]
    quality: Option<String>,
}

impl Words {
    /// The texts, by their names in a URL.
    fn texts(&self) -> Vec<(String, String)> {
        let single = [
            ("space", &self.space),
            ("psi", &self.psi),
            ("truncation_layers", &self.truncation_layers),
            ("label", &self.label),
            ("unit", &self.unit),
            ("layers", &self.layers),
            ("trajectory", &self.trajectory),
            ("easing", &self.easing),
            ("metadata", &self.metadata),
            ("compression", &self.compression),
            ("quality", &self.quality),
        ];
        let single = single
            .into_iter()
            .flat_map(|(name, text)| text.iter().map(move |text| (name, text)));
        let edits = self.edit.iter().map(|text| ("edit", text));
        let conditions = self.condition.iter().map(|text| ("condition", text));
        let all = single.chain(edits).chain(conditions);
        all.map(|(name, text)| (name.to_owned(), text.clone())).collect()
    }
}

impl Batch {
    /// The format of the pictures, if there are any.
    pub(super) fn pictures(&self) -> Option<&str> {
        Some(&*self.pictures).filter(|format| *format != NONE)
    }

    /// What is made of each seed.
    pub(super) fn words(&self) -> Result<BatchWords, BatchError> {
        let Some(file) = &self.request else {
            return Ok(BatchWords::of_texts(&self.words.texts(), self.pictures())?);
        };
        let wrong = |reason: String| BatchError::Request {
            file: file.clone(),
            reason,
        };
        let bytes = std::fs::read(file).map_err(|error| wrong(error.to_string()))?;
        BatchWords::of_json(&bytes, self.pictures()).map_err(|problem| wrong(problem.to_string()))
    }

    /// The share of the seeds.
    pub(super) fn shard(&self) -> Result<Shard, BatchError> {
        match (self.shard, self.shards, self.shard_index) {
            (Some(shard), _, _) => Ok(shard),
            (None, None, _) => Ok(Shard::ALL),
            (None, Some(count), None) => Err(BatchError::NoIndex { count }),
            (None, Some(count), Some(index)) => Ok(Shard::new(index, count)?),
        }
    }
}

/// A cosine.
fn cosine(text: &str) -> Result<f64, String> {
    let cosine = text.parse().ok().filter(|cosine| (-1.0..=1.0).contains(cosine));
    cosine.ok_or_else(|| format!("found {text:?}, expected a number from -1 to 1"))
}
