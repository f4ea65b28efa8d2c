//! Follows the store: makes the changes that other services have made, within seconds.

use std::pin::pin;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use crate::editor::blocking::run_blocking;
use crate::editor::{EditorError, Models};

/// The time between two looks into the store. A change of another service shows after at most this time and the time of a look.
const INTERVAL: Duration = Duration::from_millis(1500);

/// The time of a look after which the store counts as failing.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whether the last look into the store failed. It logs the first failure, and the end of the failures.
#[derive(Default)]
struct Health {
    is_failing: bool,
}

impl Health {
    fn fails(&mut self, models: &Models, reason: &str) {
        models.store_metrics().failed();
        if !std::mem::replace(&mut self.is_failing, true) {
            tracing::error!(
                reason,
                "the store cannot be read: what is loaded goes on serving, without changes of other services"
            );
        }
    }

    fn recovers(&mut self, models: &Models) {
        models.store_metrics().was_read();
        if std::mem::replace(&mut self.is_failing, false) {
            tracing::info!("the store can be read again");
        }
    }
}

/// Makes the changes of other services in the store, without end. Returns at once if there is no store.
pub async fn follow_store(models: Models) {
    if !models.keeps_changes() {
        return;
    }
    let mut health = Health::default();
    health.recovers(&models);
    loop {
        sleep(INTERVAL).await;
        match look(&models, &mut health).await {
            Ok(()) => health.recovers(&models),
            Err(reason) => health.fails(&models, &reason),
        }
    }
}

/// Looks once at the boundaries of all models. An error says why it could not.
async fn look(models: &Models, health: &mut Health) -> Result<(), String> {
    for model in models.iter() {
        let (source, name) = (models.clone(), model.name().to_owned());
        let mut read = pin!(run_blocking(move || source.stored_changes(&name)));
        // A second thread would not be answered either, so there is only one.
        let changes = loop {
            match timeout(PATIENCE, &mut read).await {
                Ok(changes) => break changes.map_err(|error| error.to_string())?,
                Err(_) => health.fails(models, "the store does not answer"),
            }
        };
        if changes.is_empty() {
            continue;
        }
        match models.make_stored(model.name(), changes).await {
            // The model was dropped.
            Err(EditorError::UnknownModel { .. }) => {}
            made => drop(made.map_err(|error| error.to_string())?),
        }
    }
    Ok(())
}
