//! `faceplane publish` and `faceplane withdraw`: the models of services that share a store.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;

use super::host_name::host_name;
use super::progress_line::ProgressLine;
use crate::catalog::{CatalogError, ModelPublisher, ModelStore, StoreAddress};

/// The settings of `faceplane publish`.
#[derive(Debug, Args)]
pub struct Publish {
    /// The model folder
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,

    /// The store: a folder, or a bucket
    #[arg(long, env = "FACEPLANE_STORE", value_name = "DIR|URL")]
    store: StoreAddress,

    /// The name of the model, in place of the one in the manifest
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

/// The settings of `faceplane withdraw`.
#[derive(Debug, Args)]
pub struct Withdraw {
    /// The name of the model
    #[arg(value_name = "NAME")]
    name: String,

    /// The store: a folder, or a bucket
    #[arg(long, env = "FACEPLANE_STORE", value_name = "DIR|URL")]
    store: StoreAddress,
}

impl Publish {
    /// Publishes the model.
    ///
    /// # Errors
    /// As [`ModelPublisher::publish`].
    pub fn run(&self) -> Result<(), CatalogError> {
        let mut line = ProgressLine::new();
        let progress = |bytes: u64| line.show(&format!("{} MiB", bytes >> 20));
        let publisher = publisher(&self.store)?;
        let document = publisher.publish(&self.folder, self.name.as_deref(), progress)?;
        line.clear();
        let (name, files, bytes) = (document.name(), document.file_count(), document.bytes());
        say(&format!("published {name}: {files} files, {bytes} bytes"));
        Ok(())
    }
}

impl Withdraw {
    /// Withdraws the model.
    ///
    /// # Errors
    /// As [`ModelPublisher::withdraw`].
    pub fn run(&self) -> Result<(), CatalogError> {
        publisher(&self.store)?.withdraw(&self.name)?;
        say(&format!("withdrew {}", self.name));
        Ok(())
    }
}

/// Prints a line. If standard output is closed, the work is done all the same.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn publisher(address: &StoreAddress) -> Result<ModelPublisher, CatalogError> {
    let models = ModelStore::new(address.open()?.blobs());
    Ok(ModelPublisher::new(models, &host_name()))
}
