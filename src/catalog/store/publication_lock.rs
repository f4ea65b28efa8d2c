//! The lock on publishing and withdrawing models.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::catalog::CatalogError;
use crate::catalog::store::blobs::{Blobs, Version};

const KEY: &str = "_publication.json";
/// The time after which the lock is renewed.
const RENEWAL: Duration = Duration::from_secs(10);
/// The age of a lock from which its process counts as killed.
const ABANDONED: Duration = Duration::from_mins(2);

/// The lock: while one process publishes or withdraws a model, no other does. Otherwise one could remove content that the other has just
/// found. It is a file of the store, which its process renews, so that the lock of a killed one is taken over.
#[derive(Debug)]
pub(super) struct PublicationLock {
    blobs: Arc<dyn Blobs>,
    machine: String,
    version: Version,
    renewed: Instant,
}

#[derive(Deserialize, Serialize)]
struct Record {
    machine: String,
    /// Milliseconds since 1970.
    renewed: u64,
}

impl PublicationLock {
    /// Takes the lock. `machine` names this process for people.
    pub(super) fn take(blobs: Arc<dyn Blobs>, machine: &str) -> Result<Self, CatalogError> {
        let found = blobs.get(KEY)?;
        if let Some(found) = &found
            && let Ok(record) = serde_json::from_slice::<Record>(&found.bytes)
            && milliseconds().saturating_sub(record.renewed) < ABANDONED.as_secs() * 1000
        {
            return Err(CatalogError::StoredModel {
                file: blobs.name(KEY),
                reason: format!(
                    "another process, on {}, publishes or withdraws a model; repeat this when it has ended, or {} s after it was killed",
                    record.machine,
                    ABANDONED.as_secs()
                ),
            });
        }
        let version = blobs.put(KEY, &record(machine), found.as_ref().map(|found| &found.version))?;
        Ok(Self {
            blobs,
            machine: machine.to_owned(),
            version,
            renewed: Instant::now(),
        })
    }

    /// Renews the lock, if it is time. An error if it was taken over meanwhile.
    pub(super) fn renew(&mut self) -> Result<(), CatalogError> {
        if self.renewed.elapsed() >= RENEWAL {
            let version = self.blobs.put(KEY, &record(&self.machine), Some(&self.version))?;
            (self.version, self.renewed) = (version, Instant::now());
        }
        Ok(())
    }
}

impl Drop for PublicationLock {
    fn drop(&mut self) {
        // If that fails, the lock is taken over later.
        let _ = self.blobs.delete(KEY, &self.version);
    }
}

fn record(machine: &str) -> Vec<u8> {
    let record = Record {
        machine: machine.to_owned(),
        renewed: milliseconds(),
    };
    serde_json::to_vec(&record).expect("a record is JSON")
}

fn milliseconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    u64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}
