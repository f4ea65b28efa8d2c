//! Inversions that go on after their request. They are kept while they run, and for some minutes after their end.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::api::buffered_response::BufferedResponse;
use crate::api::inversion_run::{InversionEvent, InversionRun};
use crate::api::problem::Problem;
use crate::api::problem_document::ProblemDocument;
use crate::api::responses::invert::InversionProgress;

/// Most inversions that run or are kept.
const MOST: usize = 32;

/// How long an ended inversion is kept, unless later ones need its place.
pub(crate) const KEPT: Duration = Duration::from_mins(10);

/// The inversions that run in the background, and those that ended lately. A clone is cheap.
#[derive(Clone)]
pub(crate) struct BackgroundInversions {
    all: Arc<Mutex<VecDeque<Arc<BackgroundInversion>>>>,
    /// How long an ended inversion is kept.
    kept: Duration,
    /// Most bytes of the responses that are kept, besides the newest. A response may have some megabytes.
    bytes: usize,
}

/// An inversion in the background.
pub(crate) struct BackgroundInversion {
    id: String,
    state: watch::Sender<InversionState>,
    is_cancelled: watch::Sender<bool>,
}

/// How far an inversion is, or how it ended.
#[derive(Clone)]
pub(crate) enum InversionState {
    /// It runs; its latest step, once there is one.
    Running(Option<Arc<InversionProgress>>),
    /// The code is found. The response is JSON.
    Done(BufferedResponse),
    /// It failed.
    Failed(Arc<ProblemDocument>),
    /// It was cancelled.
    Cancelled,
}

impl InversionState {
    pub(crate) fn has_ended(&self) -> bool {
        !matches!(self, Self::Running(_))
    }

    /// The size of its response, in bytes.
    fn bytes(&self) -> usize {
        match self {
            Self::Done(response) => response.len(),
            Self::Running(_) | Self::Failed(_) | Self::Cancelled => 0,
        }
    }
}

impl BackgroundInversion {
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// How far it is now.
    pub(crate) fn state(&self) -> InversionState {
        self.state.borrow().clone()
    }

    /// A receiver of its states from now on.
    pub(crate) fn subscribe(&self) -> watch::Receiver<InversionState> {
        self.state.subscribe()
    }

    /// Cancels it, unless it has ended, and waits for its end.
    pub(crate) async fn cancel(&self) -> InversionState {
        self.is_cancelled.send_replace(true);
        let mut states = self.subscribe();
        let ended = states.wait_for(InversionState::has_ended).await;
        // This cannot fail: the inversion owns the sender.
        ended.map_or(InversionState::Cancelled, |state| state.clone())
    }

    /// Follows `run` to its end.
    async fn follow(&self, mut run: InversionRun, request_id: Option<String>) {
        let mut is_cancelled = self.is_cancelled.subscribe();
        loop {
            let event = tokio::select! {
                event = run.next() => event,
                _ = is_cancelled.wait_for(|&cancelled| cancelled) => None,
            };
            let state = match event {
                Some(InversionEvent::Progress(progress)) => InversionState::Running(Some(Arc::new(progress))),
                Some(InversionEvent::Done(response)) => InversionState::Done(response),
                Some(InversionEvent::Failed(problem)) => {
                    problem.log();
                    InversionState::Failed(Arc::new(ProblemDocument::new(&problem, request_id.clone())))
                }
                None => InversionState::Cancelled,
            };
            let has_ended = state.has_ended();
            self.state.send_replace(state);
            if has_ended {
                return;
            }
        }
    }
}

impl BackgroundInversions {
    /// No inversion yet. Ended ones are kept for `kept`, with responses of at most `bytes` in all besides the newest.
    pub(crate) fn new(kept: Duration, bytes: usize) -> Self {
        Self {
            all: Arc::default(),
            kept,
            bytes,
        }
    }

    /// Keeps an inversion that `start` begins. `request_id` is that of its request.
    ///
    /// # Errors
    /// [`Problem::TooManyInversions`]; nothing is begun.
    pub(crate) fn start(
        &self,
        request_id: Option<String>,
        start: impl FnOnce() -> InversionRun,
    ) -> Result<Arc<BackgroundInversion>, Problem> {
        let inversion = Arc::new(BackgroundInversion {
            id: random_id()?,
            state: watch::Sender::new(InversionState::Running(None)),
            is_cancelled: watch::Sender::new(false),
        });
        let mut all = self.lock();
        if all.len() >= MOST {
            let oldest = all.iter().position(|kept| kept.state().has_ended());
            all.remove(oldest.ok_or(Problem::TooManyInversions { most: MOST })?);
        }
        all.push_back(Arc::clone(&inversion));
        drop(all);
        let run = start();
        let (inversions, followed) = (self.clone(), Arc::clone(&inversion));
        tokio::spawn(async move {
            followed.follow(run, request_id).await;
            inversions.limit_bytes();
            let id = followed.id.clone();
            // If it makes room for others, its response must not stay in memory for the rest of its time.
            drop(followed);
            tokio::time::sleep(inversions.kept).await;
            inversions.lock().retain(|kept| kept.id != id);
        });
        Ok(inversion)
    }

    /// The inversion with the id `id`.
    ///
    /// # Errors
    /// [`Problem::UnknownInversion`].
    pub(crate) fn get(&self, id: &str) -> Result<Arc<BackgroundInversion>, Problem> {
        let found = self.lock().iter().find(|kept| kept.id == id).cloned();
        found.ok_or_else(|| Problem::UnknownInversion { found: id.to_owned() })
    }

    /// Drops the oldest responses that are too many bytes together with later ones. The newest stays.
    fn limit_bytes(&self) {
        let mut all = self.lock();
        let mut bytes: usize = all.iter().map(|kept| kept.state().bytes()).sum();
        while bytes > self.bytes {
            let mut done = all
                .iter()
                .enumerate()
                .filter(|(_, kept)| kept.state().bytes() > 0);
            let (Some((oldest, _)), Some(_)) = (done.next(), done.next()) else {
                return;
            };
            let dropped = all.remove(oldest);
            bytes -= dropped.map_or(0, |dropped| dropped.state().bytes());
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Arc<BackgroundInversion>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An id that nobody can guess: whoever knows it may see the image.
fn random_id() -> Result<String, Problem> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| Problem::Internal {
        reason: format!("the system gave no random numbers: {error}"),
    })?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An inversion that never ends by itself.
    fn endless() -> InversionRun {
        InversionRun::start(Duration::MAX, |_| std::future::pending())
    }

    /// An inversion that fails at once.
    fn failing() -> InversionRun {
        InversionRun::start(Duration::MAX, |_| async { Err(Problem::Draining) })
    }

    #[tokio::test]
    async fn ended_inversions_make_room_and_running_ones_are_kept() {
        let inversions = BackgroundInversions::new(KEPT, 0);
        let first = inversions.start(None, failing).unwrap();
        let mut states = first.subscribe();
        states.wait_for(InversionState::has_ended).await.unwrap();
        let running: Vec<_> = (1..MOST)
            .map(|_| inversions.start(None, endless).unwrap())
            .collect();
        assert!(inversions.get(first.id()).is_ok());
        inversions.start(None, endless).unwrap();
        assert!(inversions.get(first.id()).is_err(), "it made room");
        assert_eq!(
            Arc::strong_count(&first),
            1,
            "nothing holds its response any more"
        );
        let refused = inversions.start(None, || unreachable!("it is refused before"));
        assert!(matches!(refused, Err(Problem::TooManyInversions { .. })));
        assert!(matches!(running[0].cancel().await, InversionState::Cancelled));
        inversions.start(None, endless).unwrap();
    }

    #[tokio::test]
    async fn an_ended_inversion_is_forgotten_when_its_time_is_over() {
        let inversions = BackgroundInversions::new(Duration::ZERO, 0);
        let ended = inversions.start(None, failing).unwrap();
        let running = inversions.start(None, endless).unwrap();
        while inversions.get(ended.id()).is_ok() {
            tokio::task::yield_now().await;
        }
        assert!(ended.state().has_ended());
        assert!(inversions.get(running.id()).is_ok());
    }
}
