//! `faceplane directions`: finds directions without labels and writes them as boundary files of a model folder.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::alone::{ModelJobError, boundaries_of, jobs, load};
use super::progress_line::ProgressLine;
use crate::catalog::{CatalogError, check_writable, write_boundary};
use crate::editor::{DirectionMethod, DirectionsRequest};
use crate::engine::Device;
use crate::latent::Boundary;

/// The settings of `faceplane directions`.
#[derive(Clone, Debug, Args)]
pub struct Directions {
    /// Model folder [default: the bundled model]
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,

    /// How directions are found
    #[arg(long, value_name = "METHOD")]
    method: MethodOption,

    /// Number of directions
    #[arg(long, default_value_t = 10, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    count: u32,

    /// Number of codes to sample for pca
    #[arg(long, default_value_t = 10_000, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(2..))]
    samples: u32,

    /// Seed of the sampling
    #[arg(long, default_value_t = 0, value_name = "SEED")]
    seed: u32,

    /// Folder for the boundary files, a .npy and a .json for each direction; created if it is missing
    #[arg(long, default_value = ".", value_name = "DIR")]
    output: PathBuf,

    /// Path of ONNX Runtime's library [default: searched beside the program, in .onnxruntime/, and in the system's library path]
    #[arg(long, env = "FACEPLANE_ONNXRUNTIME", value_name = "PATH")]
    onnxruntime: Option<PathBuf>,

    /// Device of the networks: cpu, cuda, or cuda:N (cuda needs a program built with the feature cuda)
    #[arg(long, env = "FACEPLANE_DEVICE", default_value = "cpu", value_name = "DEVICE")]
    device: Device,
}

/// How directions are found.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum MethodOption {
    /// `SeFa`: along which the weights of the generator change its layers most
    Sefa,
    /// GANSpace: the principal components of sampled w codes
    Pca,
}

/// No direction was found, or none was written.
#[derive(Debug, thiserror::Error)]
pub enum DirectionsError {
    /// The model cannot be used, or has no such directions.
    #[error(transparent)]
    Model(#[from] ModelJobError),
    /// The files cannot be written.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

impl Directions {
    /// Finds the directions, writes them, and prints each file.
    ///
    /// # Errors
    /// [`DirectionsError`]. If no direction is found, no file is written.
    pub fn run(&self) -> Result<(), DirectionsError> {
        check_writable(&self.output)?;
        let mut line = ProgressLine::new();
        let found = self.find(&mut line)?;
        line.clear();
        for boundary in found {
            let file = write_boundary(&self.output, &boundary)?;
            // Nobody has to read this: the file is what was asked for.
            let _ = writeln!(io::stdout(), "{}", file.display());
        }
        Ok(())
    }

    #[tokio::main]
    async fn find(&self, line: &mut ProgressLine) -> Result<Vec<Arc<Boundary>>, ModelJobError> {
        let models = load(self.model.as_deref(), self.onnxruntime.as_deref(), self.device)?;
        let request = DirectionsRequest {
            method: match self.method {
                MethodOption::Sefa => DirectionMethod::Sefa,
                MethodOption::Pca => DirectionMethod::Pca,
            },
            count: self.count as usize,
            samples: self.samples as usize,
            seed: self.seed,
        };
        let job = jobs().directions(&models, models.default_model(), request)?;
        boundaries_of(&job, line).await
    }
}
