//! The files of jobs in a store: a document for each job, and its report.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::catalog::CatalogError;
use crate::catalog::store::blobs::{Blob, Blobs, Version};

/// The folder of the documents. No model has a name that begins with `_`.
const DOCUMENTS: &str = "_jobs";
/// The folder of the reports.
const REPORTS: &str = "_reports";

/// The files of jobs in a store: `_jobs/NUMBER.json`, `_reports/NUMBER.json` and `_reports/NUMBER.html`. A clone shares them.
#[derive(Clone, Debug)]
pub struct JobFiles {
    blobs: Arc<dyn Blobs>,
}

/// The format of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportFormat {
    /// JSON.
    Json,
    /// A page.
    Html,
}

impl JobFiles {
    /// The files of jobs in a store.
    #[must_use]
    pub fn new(blobs: Arc<dyn Blobs>) -> Self {
        Self { blobs }
    }

    /// The numbers of all jobs, each with the version of its document.
    ///
    /// # Errors
    /// [`CatalogError`] if the store cannot be read.
    pub fn list(&self) -> Result<BTreeMap<u64, Version>, CatalogError> {
        let listed = self.blobs.list(DOCUMENTS)?.into_iter();
        let numbered = listed.filter_map(|(key, version)| {
            let file = key.strip_prefix(DOCUMENTS)?.strip_prefix('/')?;
            Some((file.strip_suffix(".json")?.parse().ok()?, version))
        });
        Ok(numbered.collect())
    }

    /// Reads the document of a job; `None` if there is none.
    ///
    /// # Errors
    /// [`CatalogError`] if the store cannot be read.
    pub fn read(&self, number: u64) -> Result<Option<Blob>, CatalogError> {
        self.blobs.get(&document(number))
    }

    /// Writes the document of a job if it has the version `expected`, or does not exist for `None`.
    ///
    /// # Errors
    /// As [`Blobs::put`].
    pub fn write(
        &self,
        number: u64,
        bytes: &[u8],
        expected: Option<&Version>,
    ) -> Result<Version, CatalogError> {
        self.blobs.put(&document(number), bytes, expected)
    }

    /// Removes a job: its document and its report.
    ///
    /// # Errors
    /// [`CatalogError`] if the store cannot be written.
    pub fn remove(&self, number: u64) -> Result<(), CatalogError> {
        // The document is last, so that an interrupted removal is finished later.
        self.blobs.remove(&report(number, ReportFormat::Json))?;
        self.blobs.remove(&report(number, ReportFormat::Html))?;
        self.blobs.remove(&document(number))
    }

    /// Reads the report of a job; `None` if there is none.
    ///
    /// # Errors
    /// [`CatalogError`] if the store cannot be read.
    pub fn read_report(&self, number: u64, format: ReportFormat) -> Result<Option<Vec<u8>>, CatalogError> {
        let blob = self.blobs.get(&report(number, format))?;
        Ok(blob.map(|blob| blob.bytes))
    }

    /// Writes the report of a job. One that is there stays, because only the service that ran the job writes it.
    ///
    /// # Errors
    /// [`CatalogError`] if the store cannot be written.
    pub fn write_report(&self, number: u64, format: ReportFormat, bytes: &[u8]) -> Result<(), CatalogError> {
        match self.blobs.put(&report(number, format), bytes, None) {
            Ok(_) | Err(CatalogError::StoreChanged { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The name of the document of a job in messages.
    #[must_use]
    pub fn name(&self, number: u64) -> String {
        self.blobs.name(&document(number))
    }
}

fn document(number: u64) -> String {
    format!("{DOCUMENTS}/{number}.json")
}

fn report(number: u64, format: ReportFormat) -> String {
    let extension = match format {
        ReportFormat::Json => "json",
        ReportFormat::Html => "html",
    };
    format!("{REPORTS}/{number}.{extension}")
}
