//! The proof that generators work: now and then an image on the sessions that serve requests, so that a lost device shows while nobody
//! asks for a face.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout};

use crate::editor::{Model, Models};

/// The rest after a proof, as a multiple of its run. Proofs of a slow generator then take at most a hundredth of the time.
const REST: u32 = 100;

/// The time of a proof on a generator of which a run is known to take long, as a multiple of the run of a full batch.
const BATCHES: u32 = 3;

/// When generators are proven.
#[derive(Clone, Copy, Debug)]
pub struct ProofTimes {
    /// The time between two proofs.
    pub interval: Duration,
    /// The longest time of a proof, with its time in the queue. Generators with long runs get more.
    pub limit: Duration,
}

impl Default for ProofTimes {
    /// A proof every 10 s, which may take 30 s: as long as the shortest run that is terminated.
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(10),
            limit: Duration::from_secs(30),
        }
    }
}

/// A generator that made no image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the generator of model {model} made no image: {reason}; if this lasts, restart the service")]
pub struct UnprovenGenerator {
    model: String,
    reason: String,
}

/// The generator that failed its last proof, if one did. Cheap to clone; clones share their state.
#[derive(Clone, Default)]
pub struct ProofFailure(Arc<Mutex<Option<UnprovenGenerator>>>);

impl ProofFailure {
    /// The generator that failed its last proof, if one did.
    #[must_use]
    pub fn get(&self) -> Option<UnprovenGenerator> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes the result of a round, and logs if it differs from the one before.
    fn set(&self, failure: Option<UnprovenGenerator>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (&*known, &failure) {
            (None, Some(unproven)) => tracing::error!("{unproven}"),
            (Some(_), None) => tracing::info!("all generators make images again"),
            _ => {}
        }
        *known = failure;
    }
}

/// Proves the generators of all models, in rounds.
///
/// A request's run that succeeds is a proof, too, so that a busy service pays nothing.
pub struct DeviceProof {
    models: Models,
    times: ProofTimes,
    failure: ProofFailure,
    /// By model.
    proven: BTreeMap<String, Proven>,
}

/// What is known of a generator since its last proof.
#[derive(Clone, Copy)]
struct Proven {
    /// Runs that had succeeded by then.
    runs: u64,
    /// The time of a run of one image, once known.
    run: Duration,
    /// When the next proof may be.
    next: Instant,
}

impl DeviceProof {
    /// Nothing is proven yet; nothing has failed.
    #[must_use]
    pub fn new(models: Models, times: ProofTimes) -> Self {
        Self {
            models,
            times,
            failure: ProofFailure::default(),
            proven: BTreeMap::new(),
        }
    }

    /// What the last round found.
    #[must_use]
    pub fn failure(&self) -> ProofFailure {
        self.failure.clone()
    }

    /// Makes rounds without end.
    pub async fn follow(mut self) {
        loop {
            sleep(self.times.interval).await;
            self.round().await;
        }
    }

    /// Proves each generator that has not run with success since the round before.
    pub async fn round(&mut self) {
        let names: Vec<String> = self.models.iter().map(|model| model.name().to_owned()).collect();
        self.proven.retain(|name, _| names.contains(name));
        let mut failure = None;
        for name in names {
            // Only one model is held at a time, so that one that is dropped meanwhile can end.
            let Some(model) = self.models.find(&name) else {
                continue;
            };
            match self.prove(&model).await {
                Ok(proven) => {
                    self.proven.insert(name, proven);
                }
                Err(reason) => {
                    failure.get_or_insert(UnprovenGenerator { model: name, reason });
                }
            }
        }
        self.failure.set(failure);
    }

    /// Proves a generator, if that is needed.
    async fn prove(&self, model: &Model) -> Result<Proven, String> {
        let engine = model.engine();
        let known = self.proven.get(model.name()).copied();
        let run = known.map_or(Duration::ZERO, |known| known.run);
        let now = Instant::now();
        if let Some(known) = known {
            let runs = engine.successful_runs();
            if runs != known.runs || now < known.next {
                return Ok(Proven { runs, ..known });
            }
        }
        let before = engine.successful_runs();
        let batch = u32::try_from(engine.largest_batch()).unwrap_or(u32::MAX);
        let limit = self.times.limit.max(run.saturating_mul(batch) * BATCHES);
        let reason = match timeout(limit, engine.prove()).await {
            Ok(Ok(run)) => {
                return Ok(Proven {
                    runs: engine.successful_runs(),
                    run,
                    next: Instant::now() + run.saturating_mul(REST),
                });
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("it did not within {} s", limit.as_secs_f64()),
        };
        // A request's run may have succeeded meanwhile.
        match engine.successful_runs() {
            runs if runs != before => Ok(Proven { runs, run, next: now }),
            _ => Err(reason),
        }
    }
}
