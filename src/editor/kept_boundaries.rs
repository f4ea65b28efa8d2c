//! What a store keeps, given to a model.

use std::sync::Arc;

use crate::catalog::{Store, StoreEntry, StoredChange};
use crate::editor::boundary_set::BoundarySet;
use crate::editor::{EditorError, Model};

/// The boundaries of a model after changes of other services. If a file of the store is wrong, its boundary stays, and the log says why.
pub(crate) fn with_stored(model: &Model, store: &Store, changes: &[StoredChange]) -> BoundarySet {
    let mut boundaries = model.boundaries().clone();
    for change in changes.iter().filter(|change| store.accept(change)) {
        let made = match &change.content {
            Ok(Some(entry)) => {
                apply(model, &mut boundaries, entry.clone()).map_err(|error| error.to_string())
            }
            Ok(None) => {
                if let Some((attribute, space)) = change.before() {
                    // If it is not there, it has been deleted here too.
                    let _ = boundaries.delete(attribute, *space);
                }
                Ok(())
            }
            Err(error) => Err(error.to_string()),
        };
        let (model, file) = (model.name(), &change.file);
        match made {
            Ok(()) => tracing::info!(model, file, "another service has changed a boundary"),
            Err(reason) => tracing::error!(
                model,
                file,
                reason,
                "another service has written a wrong file into the store: the boundary from before stays"
            ),
        }
    }
    boundaries
}

/// Makes a change that the store has kept.
pub(crate) fn apply(
    model: &Model,
    boundaries: &mut BoundarySet,
    kept: StoreEntry,
) -> Result<(), EditorError> {
    match kept {
        StoreEntry::Boundary(boundary) => {
            model.check_boundary(&boundary)?;
            boundaries.insert(Arc::from(boundary))
        }
        StoreEntry::Removed { attribute, space } => {
            boundaries.take(&(attribute.into(), space));
            Ok(())
        }
    }
}
