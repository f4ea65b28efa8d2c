//! What the command says about an imported file: one line, and JSON.

use serde::Serialize;

use super::source::Source;
use crate::importing::{Encoder, Generator, Imported, Recognizer};

/// What was read from a file.
#[derive(Serialize)]
pub(super) struct Summary {
    /// The file, as it was named.
    pub(super) file: String,
    /// SHA-256 of the file, in hexadecimal.
    pub(super) sha256: String,
    /// The format of the file.
    pub(super) format: String,
    /// The networks that were taken from it.
    pub(super) networks: Vec<NetworkSummary>,
}

/// A network that was imported.
#[derive(Serialize)]
pub(super) struct NetworkSummary {
    kind: &'static str,
    architecture: String,
    /// Its name in the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<String>,
    /// Height and width of its images, or of the images that it takes.
    resolution: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    z_dim: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    w_dim: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    layers: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    classes: Option<usize>,
}

impl Summary {
    /// The summary of a file.
    pub(super) fn new(source: &Source) -> Self {
        let networks = match &source.imported {
            Imported::Generator(generator) => vec![of_generator(generator)],
            Imported::Encoder(encoder, generator) => [of_encoder(encoder)]
                .into_iter()
                .chain(generator.as_deref().map(of_generator))
                .collect(),
            Imported::Recognizer(recognizer) => vec![of_recognizer(recognizer)],
        };
        Self {
            file: source.file.display().to_string(),
            sha256: source.digest.clone(),
            format: source.format.clone(),
            networks,
        }
    }

    /// One line for a terminal.
    pub(super) fn line(&self) -> String {
        let networks: Vec<_> = self.networks.iter().map(NetworkSummary::words).collect();
        format!("{}: {}; {}", self.file, self.format, networks.join("; "))
    }
}

impl NetworkSummary {
    fn words(&self) -> String {
        let Self { resolution, .. } = self;
        let sizes = [
            self.z_dim.map(|dim| format!("z {dim}")),
            self.w_dim.map(|dim| format!("w {dim}")),
            self.layers.map(|layers| format!("{layers} layers")),
            self.classes.map(|classes| format!("{classes} classes")),
            self.network.as_ref().map(|network| format!("network {network}")),
        ];
        let kind = format!("{} {}", self.kind, self.architecture);
        let size = format!("{resolution}×{resolution}");
        let words = [kind, size].into_iter().chain(sizes.into_iter().flatten());
        words.collect::<Vec<_>>().join(", ")
    }
}

fn of_generator(generator: &Generator) -> NetworkSummary {
    let has_mapping = generator.mapping.is_some();
    NetworkSummary {
        kind: "generator",
        architecture: generator.architecture.clone(),
        network: Some(generator.chosen.clone()).filter(|name| !name.is_empty()),
        resolution: generator.resolution,
        z_dim: Some(generator.z_dim),
        w_dim: has_mapping.then_some(generator.w_dim),
        layers: has_mapping.then_some(generator.layers),
        classes: Some(generator.classes).filter(|&classes| classes > 0),
    }
}

fn of_encoder(encoder: &Encoder) -> NetworkSummary {
    NetworkSummary::of_image_network("encoder", &encoder.architecture, encoder.size)
}

fn of_recognizer(recognizer: &Recognizer) -> NetworkSummary {
    NetworkSummary::of_image_network("identity", &recognizer.architecture, recognizer.size)
}

impl NetworkSummary {
    fn of_image_network(kind: &'static str, architecture: &str, size: usize) -> Self {
        Self {
            kind,
            architecture: architecture.to_owned(),
            network: None,
            resolution: size,
            z_dim: None,
            w_dim: None,
            layers: None,
            classes: None,
        }
    }
}
