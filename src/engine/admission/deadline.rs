//! The deadline of the current task, and changes that go on after it. Everything that the task calls can ask for it.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

tokio::task_local! {
    static DEADLINE: Deadline;
}

/// The deadline of a task, and what came first: the deadline, or the beginning of a change.
#[derive(Clone)]
struct Deadline {
    /// `None` if it is too far away for the clock.
    at: Option<Instant>,
    first: Arc<OnceLock<First>>,
}

/// What comes first decides the task's outcome.
#[derive(Clone, Copy, PartialEq, Eq)]
enum First {
    /// The task is stopped at its deadline, or was dropped. No change begins any more.
    Stop,
    /// A change has begun. The task goes on to its end.
    Change,
}

impl Deadline {
    fn new(at: Option<Instant>) -> Self {
        let first = Arc::default();
        Self { at, first }
    }

    /// Lets `event` be the first, unless there was one. Whether it is.
    fn try_first(&self, event: First) -> bool {
        *self.first.get_or_init(|| event) == event
    }
}

/// Stops a task's changes that have not begun when the task is dropped.
struct StopOnDrop(Deadline);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.try_first(First::Stop);
    }
}

/// Runs `work` for at most `limit`. `None` if it takes longer. If a change has begun ([`change_permit`]), `work` goes on to
/// its end, so that the change is reported.
///
/// Images of `work` that still wait in a queue at the deadline are not synthesized.
pub async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    let deadline = Deadline::new(Instant::now().checked_add(limit));
    let stop = StopOnDrop(deadline.clone());
    let limited = async {
        let mut work = std::pin::pin!(work);
        match tokio::time::timeout(limit, &mut work).await {
            Ok(done) => Some(done),
            Err(_) if stop.0.try_first(First::Stop) => None,
            Err(_) => Some(work.await),
        }
    };
    DEADLINE.scope(deadline, limited).await
}

/// The permit for a change of the current task.
#[must_use]
pub fn change_permit() -> ChangePermit {
    ChangePermit(DEADLINE.try_with(Clone::clone).ok())
}

/// Decides between a change and the deadline of the task that makes it. It can be taken to another thread.
pub struct ChangePermit(Option<Deadline>);

impl ChangePermit {
    /// Begins the change: from now on, the deadline does not stop the task. `false` if the task was stopped or dropped
    /// before; the change must then not be made.
    #[must_use]
    pub fn begin(&self) -> bool {
        let deadline = self.0.as_ref();
        deadline.is_none_or(|deadline| deadline.try_first(First::Change))
    }
}

/// The time until the deadline of the current task. `None` if it has no deadline.
#[must_use]
pub fn time_left() -> Option<Duration> {
    current().map(|deadline| deadline.saturating_duration_since(Instant::now()))
}

/// Runs `work` with a deadline that does not stop it.
#[cfg(test)]
pub(crate) async fn with_deadline<T>(deadline: Instant, work: impl Future<Output = T>) -> T {
    DEADLINE.scope(Deadline::new(Some(deadline)), work).await
}

/// Whether the deadline of the current task has passed.
pub(crate) fn is_past() -> bool {
    current().is_some_and(|deadline| deadline <= Instant::now())
}

/// The deadline of the current task, if it has one.
pub(crate) fn current() -> Option<Instant> {
    DEADLINE.try_with(|deadline| deadline.at).ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(1);
    const LONG: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn a_change_that_has_begun_is_not_stopped_by_the_deadline() {
        let result = within(SHORT, async {
            assert!(change_permit().begin());
            tokio::time::sleep(LONG).await;
            "changed"
        });
        assert_eq!(result.await, Some("changed"));
    }

    #[tokio::test]
    async fn a_change_cannot_begin_after_the_deadline() {
        let mut permit = None;
        let result = within(SHORT, async {
            permit = Some(change_permit());
            std::future::pending::<()>().await;
        });
        assert_eq!(result.await, None);
        assert!(!permit.unwrap().begin());
    }

    #[tokio::test]
    async fn a_change_cannot_begin_after_its_task_is_dropped() {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let task = tokio::spawn(within(Duration::MAX, async {
            assert!(sender.send(change_permit()).is_ok());
            std::future::pending::<()>().await;
        }));
        let permit = receiver.await.unwrap();
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        assert!(!permit.begin());
    }

    #[tokio::test]
    async fn without_a_deadline_a_change_can_always_begin() {
        assert!(change_permit().begin());
    }
}
