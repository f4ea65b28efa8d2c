//! How many images a run should hold: as many as make each of them cheaper, found by runs of each size.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A larger batch is used where it takes at most this much of the smaller one's time for each image.
const WORTH_IT: f64 = 0.95;

/// No run that takes longer is made twice as large: people would wait for it. But two images are tried in any case: if they were drawn
/// one after the other, the second would be there no sooner.
const LONGEST: Duration = Duration::from_millis(500);

/// A run that takes longer is not made to be timed: those that people wait for tell.
pub(crate) const LONG_RUN: Duration = Duration::from_millis(250);

/// Runs of a size that tell how long it takes. The first makes room, and whatever else the machine does makes a run longer, never
/// shorter: the least counts.
const RUNS: usize = 3;

/// So many where they are long: few long runs meet nothing else that the machine does.
const LONG_RUNS: usize = 8;

/// The sizes 1, 2, 4, … are tried until one is not worth it, each in turns with the best so far, so that whatever else the machine
/// does meets both. Runs that are made for this alone tell as much as those that people wait for, so a search that a slow
/// generator's start leaves unfinished goes on at work. Clones share it.
#[derive(Clone, Debug)]
pub struct BatchSize(Arc<Mutex<Search>>);

#[derive(Debug)]
struct Search {
    best: Size,
    /// What may be better; `None` when nothing is left to try.
    tried: Option<Size>,
    most: usize,
}

#[derive(Debug)]
struct Size {
    images: usize,
    runs: usize,
    least: Duration,
}

impl Size {
    fn new(images: usize) -> Self {
        Self {
            images,
            runs: 0,
            least: Duration::MAX,
        }
    }

    fn note(&mut self, run: Duration) {
        self.runs += 1;
        self.least = self.least.min(run);
    }

    fn is_known(&self) -> bool {
        self.runs >= if self.least > LONG_RUN { LONG_RUNS } else { RUNS }
    }

    /// What to try after it.
    fn next(&self, most: usize) -> Option<Self> {
        let images = 2 * self.images;
        (images <= most && self.least <= LONGEST).then(|| Self::new(images))
    }

    /// Seconds an image.
    fn each(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a batch is a small number")]
        let images = self.images as f64;
        self.least.as_secs_f64() / images
    }
}

impl Search {
    /// The size whose run is next.
    fn turn(&self) -> usize {
        match &self.tried {
            Some(tried) if tried.runs < self.best.runs => tried.images,
            _ => self.best.images,
        }
    }
}

impl BatchSize {
    /// To be found, at most `most`.
    #[must_use]
    pub fn up_to(most: usize) -> Self {
        Self::searching(1, most)
    }

    /// Known.
    #[must_use]
    pub fn settled(images: usize) -> Self {
        Self::searching(images, images)
    }

    fn searching(best: usize, most: usize) -> Self {
        let tried = (best < most).then(|| Size::new(2 * best));
        Self(Arc::new(Mutex::new(Search {
            best: Size::new(best),
            tried,
            most,
        })))
    }

    /// Most images that the next run should hold: the best size, or one that is being tried.
    #[must_use]
    pub fn largest(&self) -> usize {
        self.lock().turn()
    }

    /// Whether nothing is left to try.
    pub(crate) fn is_settled(&self) -> bool {
        self.lock().tried.is_none()
    }

    /// Counts a run of so many images.
    pub(crate) fn note(&self, images: usize, run: Duration) {
        let search = &mut *self.lock();
        if images != search.turn() {
            return;
        }
        let Search { best, tried, most } = search;
        let Some(size) = tried else { return };
        if images == best.images {
            best.note(run);
            return;
        }
        size.note(run);
        if !size.is_known() {
            return;
        }
        let worth_it = size.each() <= WORTH_IT * best.each();
        tracing::debug!(images = size.images, run = ?size.least, best = best.images, best_run = ?best.least, worth_it, "larger runs");
        let next = size.next(*most);
        if worth_it {
            *best = Size::new(size.images);
        }
        *tried = next.filter(|_| worth_it);
    }

    /// Ends the search where a run of so many images has failed, and no run of what is tried has succeeded: the graph may not take
    /// so many. Whether smaller runs may succeed instead.
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

    /// The sizes that are run until the search ends, and what it ends with, where runs of 1, 2, 4, 8 images take `milliseconds`.
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
    fn larger_runs_are_tried_while_they_are_worth_it() {
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
    fn long_runs_are_tried_more_often() {
        let batch = BatchSize::up_to(2);
        let millis = Duration::from_millis;
        for _ in 0..LONG_RUNS - 1 {
            batch.note(1, millis(600));
            batch.note(2, millis(1250));
        }
        batch.note(1, millis(600));
        batch.note(2, millis(1050));
        assert!(batch.is_settled());
        assert_eq!(batch.largest(), 2, "one run had the machine for itself");
    }

    #[test]
    fn what_comes_is_counted_whatever_its_size() {
        let batch = BatchSize::up_to(4);
        let run = |images, milliseconds| batch.note(images, Duration::from_millis(milliseconds));
        run(2, 5);
        assert_eq!(batch.largest(), 1, "one image has not been timed yet");
        run(3, 1);
        let other = batch.clone();
        for (one, two) in [(90, 90), (10, 12), (90, 90)] {
            assert_eq!(batch.largest(), 1);
            run(1, one);
            run(1, 1);
            assert_eq!(batch.largest(), 2, "whose turn it is");
            assert!(!other.is_settled());
            other.note(2, Duration::from_millis(two));
        }
        run(2, 12);
        assert_eq!(
            batch.largest(),
            4,
            "two were cheaper, and four are tried beside them"
        );
    }

    #[test]
    fn a_size_that_fails_is_not_tried_again() {
        let batch = BatchSize::up_to(8);
        batch.note(1, Duration::from_millis(10));
        assert!(
            !batch.give_up(1),
            "one image was drawn before, so that another try would be no other"
        );
        assert_eq!(batch.largest(), 2);
        assert!(batch.give_up(2));
        assert_eq!(batch.largest(), 1);
        assert!(!batch.give_up(2), "there is nothing left to give up");
    }

    #[test]
    fn a_size_that_is_known_stays() {
        let batch = BatchSize::settled(3);
        batch.note(3, Duration::from_secs(9));
        assert_eq!(batch.largest(), 3);
    }
}
