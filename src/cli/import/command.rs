//! The command: its settings and its steps.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::ImportCommandError;
use super::addition::Addition;
use super::existing_model::ExistingModel;
use super::manifest;
use super::new_model::NewModel;
use super::source::{Source, is_onnx};
use super::summary::Summary;
use crate::catalog::NewFolder;
use crate::cli::progress_line::ProgressLine;
use crate::engine::{Device, Runtime};
use crate::importing::{Generator, Imported};

/// The file that makes a folder a model folder.
const MANIFEST: &str = "manifest.toml";

/// The settings of `faceplane import`.
///
/// A checkpoint of a generator, or its ONNX files, become a model folder with everything that the service needs. Nothing in
/// the files is executed.
#[derive(Clone, Debug, Args)]
pub struct Import {
    /// Checkpoint (.pkl, .pt, .pth, .safetensors), ONNX file, folder of ONNX files, or a model folder to add to. The content decides what a
    /// file is, not its name
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Model folder to add an encoder, a classifier, a landmark or an identity network to
    #[arg(long, value_name = "DIR", conflicts_with_all = ["name", "output"])]
    into: Option<PathBuf>,

    /// Folder of boundaries (.npy, or .pt of e4e) to copy into the model folder
    #[arg(long, value_name = "DIR")]
    boundaries: Option<PathBuf>,

    /// Name of the model in requests [default: the name of the file]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// Model folder to write; it must not exist [default: a folder with the name of the model]
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,

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

/// What `--json` prints, and `import.json` keeps.
#[derive(Serialize)]
struct Report {
    /// The version of the program.
    faceplane: &'static str,
    /// The name of the model.
    model: String,
    /// The folder.
    folder: PathBuf,
    /// The files that were imported.
    sources: Vec<Summary>,
    /// Why the model has no gradient graph.
    #[serde(skip_serializing_if = "Option::is_none")]
    without_gradient: Option<String>,
}

impl Report {
    fn new(model: &str, folder: &Path, sources: &[Source], without_gradient: Option<String>) -> Self {
        Self {
            faceplane: env!("CARGO_PKG_VERSION"),
            model: model.to_owned(),
            folder: folder.to_owned(),
            sources: sources.iter().map(Summary::new).collect(),
            without_gradient,
        }
    }

    fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a report has no keys that JSON cannot have")
    }
}

impl Import {
    /// Imports the files, and prints what they are and how to serve the model.
    ///
    /// # Errors
    /// [`ImportCommandError`]. Then no folder is written.
    pub fn run(&self) -> Result<(), ImportCommandError> {
        let mut line = ProgressLine::new();
        let (models, files): (Vec<_>, Vec<_>) =
            self.files.iter().partition(|file| file.join(MANIFEST).is_file());
        let into = match (&self.into, &models[..]) {
            (into, []) => into.as_ref(),
            (None, [model]) => Some(*model),
            (_, [model, ..]) => {
                return Err(ImportCommandError::SeveralModels {
                    folder: (*model).clone(),
                });
            }
        };
        let existing = into.map(|folder| ExistingModel::read(folder)).transpose()?;
        let runtime = Runtime::load(self.onnxruntime.as_deref(), self.device, None)?;
        let (mut sources, mut graphs) = (Vec::with_capacity(files.len()), Vec::new());
        for file in files {
            line.show(&format!("reading {}", file.display()));
            if is_onnx(file)? {
                graphs.push(file.clone());
            } else {
                sources.push(Source::read(file)?);
            }
        }
        line.clear();
        let mut additions = Vec::new();
        if existing.is_some() {
            for file in &graphs {
                let (addition, kind) = Addition::of_onnx(file)?;
                self.print(&format!(
                    "{}: ONNX; {kind}; the entry in the manifest is a guess: faceplane check shows whether it is right",
                    file.display()
                ));
                additions.push(addition);
            }
        } else if !graphs.is_empty() {
            sources.push(Source::read_onnx(&graphs, &runtime)?);
        }
        for source in &sources {
            self.print(&Summary::new(source).line());
        }
        additions.extend(sources.iter().filter_map(|source| Addition::of(&source.imported)));
        if let Some(folder) = &self.boundaries {
            let known = existing.as_ref().and_then(ExistingModel::boundaries);
            additions.push(Addition::of_boundaries(folder, known)?);
        }
        let report = match &existing {
            Some(model) => Self::add(model, &sources, &additions, &runtime, &mut line)?,
            None => self.create(&sources, &additions, &runtime, &mut line)?,
        };
        line.clear();
        let folder = report.folder.display();
        self.print(&format!(
            "{folder}: written\nserve it: faceplane serve --model {folder} --default-model {}",
            report.model
        ));
        if self.json {
            // Nobody has to read this: the folder is what was asked for.
            let _ = writeln!(io::stdout(), "{}", report.json());
        }
        Ok(())
    }

    /// Writes a new model folder.
    fn create(
        &self,
        sources: &[Source],
        additions: &[Addition],
        runtime: &Runtime,
        line: &mut ProgressLine,
    ) -> Result<Report, ImportCommandError> {
        let (file, generator) = generator_of(sources)?;
        let name = match &self.name {
            Some(name) => name.clone(),
            None => manifest::model_name(file)?,
        };
        let target = self.output.clone().unwrap_or_else(|| PathBuf::from(&name));
        let folder = NewFolder::create(&target)?;
        let model = NewModel {
            name: &name,
            file,
            generator,
        };
        let (trial, without_gradient) = model.write(&folder, additions, runtime, line)?;
        line.show("synthesizing four faces");
        folder.write("samples.png", &trial.samples()?)?;
        let report = Report::new(&name, &target, sources, without_gradient);
        folder.write("import.json", report.json().as_bytes())?;
        folder.finish()?;
        line.clear();
        if let Some(reason) = &report.without_gradient {
            self.print(&format!(
                "photographs cannot be inverted by optimization: {reason}"
            ));
        }
        Ok(report)
    }

    /// Adds to a model folder that exists.
    fn add(
        model: &ExistingModel,
        sources: &[Source],
        additions: &[Addition],
        runtime: &Runtime,
        line: &mut ProgressLine,
    ) -> Result<Report, ImportCommandError> {
        let folder = model.folder();
        if additions.is_empty() {
            return Err(ImportCommandError::NothingToAdd {
                folder: folder.to_owned(),
            });
        }
        line.show("opening the folder as the service does");
        model.add(additions, runtime)?;
        Ok(Report::new(model.name(), folder, sources, None))
    }

    /// Prints a line, unless JSON is wanted.
    fn print(&self, text: &str) {
        if !self.json {
            let _ = writeln!(io::stdout(), "{text}");
        }
    }
}

/// The one generator in the files, with its file.
fn generator_of(sources: &[Source]) -> Result<(&Path, &Generator), ImportCommandError> {
    let mut generators = sources.iter().filter_map(|source| match &source.imported {
        Imported::Generator(generator) | Imported::Encoder(_, Some(generator)) => {
            Some((source.file.as_path(), &**generator))
        }
        Imported::Encoder(_, None) | Imported::Recognizer(_) => None,
    });
    match (generators.next(), generators.next()) {
        (Some(generator), None) => Ok(generator),
        (Some(_), Some(_)) => Err(ImportCommandError::SeveralGenerators),
        (None, _) => Err(ImportCommandError::NoGenerator {
            found: sources
                .iter()
                .map(|source| Summary::new(source).line())
                .collect::<Vec<_>>()
                .join(", "),
        }),
    }
}
