//! A write that waits while the store fails.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::catalog::CatalogError;
use crate::catalog::store::blobs::Blobs;

/// How long a store may fail.
const LONGEST_OUTAGE: Duration = Duration::from_mins(5);

/// The time between two attempts.
const RETRY_INTERVAL: Duration = Duration::from_secs(2);

/// Creates a file that has the same bytes whoever creates it: one that exists stays. While the store fails, it tries again for minutes. Not
/// to be called on an async thread.
///
/// # Errors
/// [`CatalogError`] if the file cannot be written.
pub(crate) fn create_patiently(blobs: &dyn Blobs, key: &str, bytes: &[u8]) -> Result<(), CatalogError> {
    let begun = Instant::now();
    loop {
        match blobs.put(key, bytes, None) {
            Ok(_) | Err(CatalogError::StoreChanged { .. }) => return Ok(()),
            Err(error) if error.is_of_failing_store() && begun.elapsed() < LONGEST_OUTAGE => {
                sleep(RETRY_INTERVAL);
            }
            Err(error) => return Err(error),
        }
    }
}
