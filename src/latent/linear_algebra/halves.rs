//! Work on both halves of a range, in two threads.

use std::ops::Range;
use std::thread;

/// From this many items on, two threads share the work.
const SHARED: usize = 512;

/// Computes something for both halves of `0..count`: in two threads if they are many. The halves, and so the bits of the results, do not
/// depend on that.
pub(crate) fn both_halves<T: Send>(count: usize, compute: impl Fn(Range<usize>) -> T + Sync) -> [T; 2] {
    let middle = count / 2;
    if count < SHARED {
        return [compute(0..middle), compute(middle..count)];
    }
    thread::scope(|scope| {
        let second = scope.spawn(|| compute(middle..count));
        let first = compute(0..middle);
        [first, second.join().expect("sums over codes never panic")]
    })
}
