//! The command: its settings and its steps.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::ImportCommandError;
use super::manifest::{self, MAPPING, SYNTHESIS, W_AVG};
use super::source::{Source, is_onnx};
use super::summary::Summary;
use super::trial::Trial;
use crate::catalog::{NewFolder, NpyArray};
use crate::cli::progress_line::ProgressLine;
use crate::engine::{Device, Runtime};
use crate::importing::{Generator, Imported};

/// The settings of `faceplane import`.
///
/// A checkpoint of a generator, or its ONNX files, become a model folder with everything that the service needs. Nothing in
/// the files is executed.
#[derive(Clone, Debug, Args)]
pub struct Import {
    /// Checkpoint (.pkl, .pt, .pth, .safetensors), ONNX file, or folder of ONNX files. The content decides what it is, not its name
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

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
    #[serde(skip_serializing_if = "Option::is_none")]
    folder: Option<PathBuf>,
    /// The files that were imported.
    sources: Vec<Summary>,
}

impl Import {
    /// Imports the files, and prints what they are and how to serve the model.
    ///
    /// # Errors
    /// [`ImportCommandError`]. Then no folder is written.
    pub fn run(&self) -> Result<(), ImportCommandError> {
        let mut line = ProgressLine::new();
        let mut sources = Vec::with_capacity(self.files.len());
        let runtime = Runtime::load(self.onnxruntime.as_deref(), self.device, None)?;
        let mut graphs = Vec::new();
        for file in &self.files {
            line.show(&format!("reading {}", file.display()));
            if is_onnx(file)? {
                graphs.push(file.clone());
            } else {
                sources.push(Source::read(file)?);
            }
        }
        if !graphs.is_empty() {
            sources.push(Source::read_onnx(&graphs, &runtime)?);
        }
        line.clear();
        for source in &sources {
            self.print(&Summary::new(source).line());
        }
        let (file, generator) = generator_of(&sources)?;
        let name = match &self.name {
            Some(name) => name.clone(),
            None => manifest::model_name(file)?,
        };
        let target = self.output.clone().unwrap_or_else(|| PathBuf::from(&name));
        let folder = NewFolder::create(&target)?;
        let mut report = Report {
            faceplane: env!("CARGO_PKG_VERSION"),
            model: name.clone(),
            folder: None,
            sources: sources.iter().map(Summary::new).collect(),
        };
        Self::write_generator(&folder, &name, file, generator, &runtime, &mut line)?;
        line.show("synthesizing four faces");
        let samples = Trial::open(folder.path(), &runtime)?.samples()?;
        folder.write("samples.png", &samples)?;
        folder.write("import.json", pretty(&report).as_bytes())?;
        folder.finish()?;
        line.clear();
        self.print(&format!(
            "{}: written, with four faces in samples.png\nserve it: faceplane serve --model {} --default-model {name}",
            target.display(),
            target.display(),
        ));
        if self.json {
            report.folder = Some(target);
            // Nobody has to read this: the folder is what was asked for.
            let _ = writeln!(io::stdout(), "{}", pretty(&report));
        }
        Ok(())
    }

    /// Writes the graphs of a generator, its average w code and its manifest.
    fn write_generator(
        folder: &NewFolder,
        name: &str,
        file: &Path,
        generator: &Generator,
        runtime: &Runtime,
        line: &mut ProgressLine,
    ) -> Result<(), ImportCommandError> {
        line.show("writing the graphs");
        let file = file.file_name().unwrap_or_default().to_string_lossy();
        if let Some(mapping) = &generator.mapping {
            folder.write(MAPPING, &mapping.to_bytes())?;
        }
        folder.write(SYNTHESIS, &generator.synthesis.to_bytes())?;
        let manifest = |has_w_avg: bool| {
            let text = manifest::of_generator(name, generator, &file, has_w_avg);
            folder.write("manifest.toml", text.as_bytes())
        };
        let w_avg = match (&generator.w_avg, &generator.mapping) {
            (Some(w_avg), _) => Some(w_avg.to_vec()),
            (None, None) => None,
            (None, Some(_)) => {
                line.show("computing the average w code, which the file does not have");
                manifest(false)?;
                Some(Trial::open(folder.path(), runtime)?.average_w()?)
            }
        };
        if let Some(w_avg) = &w_avg {
            folder.write(W_AVG, &NpyArray::of_row(w_avg).write_f4())?;
        }
        Ok(manifest(w_avg.is_some())?)
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
        (Some(_), Some(_)) => Err(ImportCommandError::Several { found: "a generator" }),
        (None, _) => Err(ImportCommandError::NoGenerator {
            found: sources
                .iter()
                .map(|source| Summary::new(source).line())
                .collect::<Vec<_>>()
                .join(", "),
        }),
    }
}

fn pretty(report: &Report) -> String {
    serde_json::to_string_pretty(report).expect("a report has no keys that JSON cannot have")
}
