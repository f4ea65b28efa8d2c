//! The size of a batch: measured, so that a batch holds more images only if each then takes less time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Most time for each image of a larger batch, as a fraction of the smaller one's, for the larger one to be used.
const WORTH_IT: f64 = 0.95;

/// Longest run that is tried at twice the size. Clients would wait too long for larger ones. Two images are tried in any
/// case: if they were synthesized one after the other, the second would not be ready sooner.
const LONGEST: Duration = Duration::from_millis(500);

/// Longest run that is made at the start just to be measured. Longer ones are measured when requests need them.
pub(crate) const LONG_RUN: Duration = Duration::from_millis(250);

/// Runs to measure of each size. The shortest counts: the first run allocates memory, and other work on the machine only
/// makes a run longer.
const RUNS: usize = 3;

/// Runs to measure if they are longer than [`LONG_RUN`]. Slow runs are repeated more often, because few of them are
/// undisturbed.
const LONG_RUNS: usize = 8;

/// The best batch size of a generator, found by a search.
///
/// The sizes 1, 2, 4, … are tried until one is not worth it. Runs of a new size alternate with runs of the best size so far,
/// so that other work on the machine disturbs both alike. The search begins with runs at the start; if these are long, it
/// goes on with the runs of requests. Clones share the search.
#[derive(Clone, Debug)]
pub struct BatchSize(Arc<Mutex<Search>>);

#[derive(Debug)]
struct Search {
    best: Size,
    /// The size that may be better. `None` if no size is left to try.
    tried: Option<Size>,
    largest: usize,
}

/// Measurements of one size.
#[derive(Debug)]
struct Size {
    images: usize,
    runs: usize,
    shortest: Duration,
}

impl Size {
    fn new(images: usize) -> Self {
        Self {
            images,
            runs: 0,
            shortest: Duration::MAX,
        }
    }

    fn note(&mut self, run: Duration) {
        self.runs += 1;
        self.shortest = self.shortest.min(run);
    }

    fn is_measured(&self) -> bool {
        self.runs >= if self.shortest > LONG_RUN { LONG_RUNS } else { RUNS }
    }

    /// The size to try next. `None` if it would be too large.
    fn next(&self, largest: usize) -> Option<Self> {
        let images = 2 * self.images;
        (images <= largest && self.shortest <= LONGEST).then(|| Self::new(images))
    }

    /// Seconds for each image.
    fn seconds_per_image(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a batch is a small number")]
        let images = self.images as f64;
        self.shortest.as_secs_f64() / images
    }
}

impl Search {
    /// The size of the next run.
    fn current(&self) -> usize {
        match &self.tried {
            Some(tried) if tried.runs < self.best.runs => tried.images,
            _ => self.best.images,
        }
    }
}

impl BatchSize {
    /// A size to be found, at most `largest`.
    #[must_use]
    pub fn up_to(largest: usize) -> Self {
        Self::searching(1, largest)
    }

    /// A known size.
    #[must_use]
    pub fn settled(images: usize) -> Self {
        Self::searching(images, images)
    }

    fn searching(best: usize, largest: usize) -> Self {
        let tried = (best < largest).then(|| Size::new(2 * best));
        Self(Arc::new(Mutex::new(Search {
            best: Size::new(best),
            tried,
            largest,
        })))
    }

    /// Ends the search: from now on, runs hold `images`.
    pub(crate) fn settle(&self, images: usize) {
        let mut search = self.lock();
        search.best = Size::new(images);
        search.tried = None;
    }

    /// Most images in the next run: the best size, or the one that is being tried.
    #[must_use]
    pub fn largest(&self) -> usize {
        self.lock().current()
    }

    /// Whether the search has ended.
    pub(crate) fn is_settled(&self) -> bool {
        self.lock().tried.is_none()
    }

    /// Adds a run of `images` to the measurements.
    pub(crate) fn note(&self, images: usize, run: Duration) {
        let search = &mut *self.lock();
        if images != search.current() {
            return;
        }
        let Search { best, tried, largest } = search;
        let Some(size) = tried else { return };
        if images == best.images {
            best.note(run);
            return;
        }
        size.note(run);
        if !size.is_measured() {
            return;
        }
        let worth_it = size.seconds_per_image() <= WORTH_IT * best.seconds_per_image();
        tracing::debug!(
            images = size.images, run = ?size.shortest, best = best.images, best_run = ?best.shortest, worth_it,
            "a batch size was measured"
        );
        let next = size.next(*largest);
        if worth_it {
            *best = Size::new(size.images);
        }
        *tried = next.filter(|_| worth_it);
    }

    /// Called when a run of `images` failed. Ends the search if no run of the size that is being tried has succeeded: the
    /// graph may not take that many images. Returns whether smaller runs may succeed instead.
    pub(crate) fn give_up(&self, images: usize) -> bool {
        let mut search = self.lock();
        let failed =
            images > search.best.images && search.tried.as_ref().is_some_and(|tried| tried.runs == 0);
        if failed {
            search.tried = None;
        }
        failed
    }

    fn lock(&self) -> MutexGuard<'_, Search> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sizes that a search tries, and its result, if runs of 1, 2, 4, 8 images take `milliseconds`.
    fn search(most: usize, milliseconds: [u64; 4]) -> (Vec<usize>, usize) {
        let (batch, mut sizes) = (BatchSize::up_to(most), Vec::new());
        while !batch.is_settled() {
            let size = batch.largest();
            if !sizes.contains(&size) {
                sizes.push(size);
            }
            batch.note(size, Duration::from_millis(milliseconds[size.ilog2() as usize]));
        }
        (sizes, batch.largest())
    }

    #[test]
    fn larger_batches_are_tried_while_they_are_worth_it() {
        for (name, most, milliseconds, tried, best) in [
            ("gains nothing", 8, [10, 20, 40, 80], vec![1, 2], 1),
            ("gains by two only", 8, [10, 16, 32, 64], vec![1, 2, 4], 2),
            ("gains always", 8, [14, 18, 26, 42], vec![1, 2, 4, 8], 8),
            ("takes no more", 4, [14, 18, 26, 42], vec![1, 2, 4], 4),
            ("takes one", 1, [14, 18, 26, 42], vec![], 1),
            ("long", 8, [900, 1300, 2100, 3700], vec![1, 2], 2),
            ("longer by four", 8, [300, 480, 700, 1300], vec![1, 2, 4], 4),
            ("too long", 8, [1500, 1600, 1700, 1800], vec![1, 2], 2),
        ] {
            assert_eq!(search(most, milliseconds), (tried, best), "{name}");
        }
    }

    #[test]
    fn long_runs_are_repeated_more_often() {
        let batch = BatchSize::up_to(2);
        let millis = Duration::from_millis;
        for _ in 0..LONG_RUNS - 1 {
            batch.note(1, millis(600));
            batch.note(2, millis(1250));
        }
        batch.note(1, millis(600));
        batch.note(2, millis(1050));
        assert!(batch.is_settled());
        assert_eq!(batch.largest(), 2, "one run was undisturbed");
    }

    #[test]
    fn runs_of_other_sizes_do_not_disturb_the_search() {
        let batch = BatchSize::up_to(4);
        let run = |images, milliseconds| batch.note(images, Duration::from_millis(milliseconds));
        run(2, 5);
        assert_eq!(batch.largest(), 1, "one image has not been measured yet");
        run(3, 1);
        let other = batch.clone();
        for (one, two) in [(90, 90), (10, 12), (90, 90)] {
            assert_eq!(batch.largest(), 1);
            run(1, one);
            run(1, 1);
            assert_eq!(batch.largest(), 2, "the sizes alternate");
            assert!(!other.is_settled());
            other.note(2, Duration::from_millis(two));
        }
        run(2, 12);
        assert_eq!(batch.largest(), 4, "two were worth it, so four are tried");
    }

    #[test]
    fn a_size_that_fails_is_not_tried_again() {
        let batch = BatchSize::up_to(8);
        batch.note(1, Duration::from_millis(10));
        assert!(
            !batch.give_up(1),
            "a single image worked before, so that a smaller run cannot help"
        );
        assert_eq!(batch.largest(), 2);
        assert!(batch.give_up(2));
        assert_eq!(batch.largest(), 1);
        assert!(!batch.give_up(2), "the search has ended already");
    }

    #[test]
    fn a_known_size_never_changes() {
        let batch = BatchSize::settled(3);
        batch.note(3, Duration::from_secs(9));
        assert_eq!(batch.largest(), 3);
        let searching = BatchSize::up_to(8);
        let replica = searching.clone();
        searching.note(1, Duration::from_millis(10));
        searching.settle(4);
        replica.note(4, Duration::from_millis(1));
        assert_eq!(replica.largest(), 4, "the replicas share it");
    }
}
