//! One request of a command: its image, its response, its file.

use std::path::PathBuf;

use super::destination::{Destination, JSON};
use super::error::RequestError;
use crate::api::{LocalClient, LocalRequest};

/// A request to send.
#[derive(Debug)]
pub(super) struct Task {
    /// The name of its file, without the ending.
    pub(super) name: String,
    pub(super) request: LocalRequest,
    pub(super) image: Option<PathBuf>,
}

impl Task {
    /// Sends the request, and writes the response. Returns what the user should know.
    pub(super) async fn run(
        self,
        client: LocalClient,
        destination: Destination,
    ) -> Result<Vec<String>, RequestError> {
        let (name, mut request) = (self.name, self.request);
        if let Some(file) = self.image {
            let read = tokio::task::spawn_blocking(move || {
                std::fs::read(&file).map_err(|source| RequestError::Unreadable { file, source })
            });
            request.image = Some(read.await.expect("reading a file does not panic")?);
        }
        let has_seed = request
            .parameters
            .iter()
            .any(|(name, _)| name.starts_with("seed"));
        let response = client.send(request).await.map_err(|problem| match destination {
            Destination::Folder(_) => RequestError::OneOfSeveral {
                name: name.clone(),
                problem,
            },
            Destination::File(_) | Destination::StandardOutput => problem.into(),
        })?;
        let mut notes = Vec::new();
        // JSON has both.
        if !response.media_type.ends_with(JSON) {
            let seed = response.seeds.first().filter(|_| !has_seed);
            notes.extend(seed.map(|seed| format!("the seed is {seed}")));
            let warnings = response.warnings.iter();
            notes.extend(warnings.map(|warning| format!("{name}: {warning}")));
        }
        destination.write(&name, response).await?;
        Ok(notes)
    }
}
