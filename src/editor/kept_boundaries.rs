//! What a store keeps, or a replaced model had, given to a model.

use std::sync::Arc;

use crate::catalog::{Store, StoreEntry, StoredChange};
use crate::editor::boundary_set::BoundarySet;
use crate::editor::{BoundaryOrigin, EditorError, Model};
use crate::latent::Boundary;

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

/// The model with changes that were kept, each with the name of its file. Those that do not fit it are left out, and logged: they
/// were made for another generator of this name.
pub(crate) fn with_changes(model: &Model, kept: Vec<(String, StoreEntry)>) -> Model {
    let mut boundaries = model.boundaries().clone();
    for (file, kept) in kept {
        if let Err(reason) = apply(model, &mut boundaries, kept) {
            tracing::warn!(file, model = model.name(), %reason, "a kept boundary does not fit the model, and is left out");
        }
    }
    model.with_boundaries(boundaries)
}

/// The boundaries of a model that did not come with it, as a store would keep them.
pub(crate) fn changes_of(model: &Model) -> Vec<(String, StoreEntry)> {
    let boundaries = model.boundaries();
    let changed = boundaries
        .iter()
        .filter(|boundary| boundaries.origin(boundary) != BoundaryOrigin::Model);
    let kept = |boundary: &Arc<Boundary>| {
        let name = format!("{} in {}", boundary.attribute(), boundary.space());
        (name, StoreEntry::Boundary(Box::new((**boundary).clone())))
    };
    changed.map(kept).collect()
}

/// Makes a change that was kept.
fn apply(model: &Model, boundaries: &mut BoundarySet, kept: StoreEntry) -> Result<(), EditorError> {
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
