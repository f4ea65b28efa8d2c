//! A writer that never blocks: a thread writes the lines, and lines that do not fit into its buffer are dropped and counted.
//!
//! tracing-appender's writer is like it, but it writes to standard output when it ends, which blocks or panics where the log
//! does; it limits lines, not bytes; and it does not count the lines of failed writes.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;

/// Most bytes that wait to be written: some thousand lines.
const MAX_WAITING: usize = 1 << 20;

/// The writer. Each write must be one or more whole lines.
pub(super) struct LogWriter(Arc<Shared>);

struct Shared {
    queue: Mutex<Queue>,
    /// Notified when a line arrives, and when the thread has written all lines.
    changed: Condvar,
    lost: Counter,
}

#[derive(Default)]
struct Queue {
    /// Lines that the thread has not taken yet.
    waiting: Vec<u8>,
    /// Whether the thread writes lines that it has taken.
    writing: bool,
}

impl LogWriter {
    /// Starts the thread that writes to `destination`. `lost` counts the lines that are dropped.
    ///
    /// # Panics
    /// If the system cannot start a thread.
    pub(super) fn start(destination: impl Write + Send + 'static, lost: Counter) -> Self {
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            changed: Condvar::new(),
            lost,
        });
        let thread = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || thread.write_to(destination))
            .expect("the system can start a thread for the log");
        Self(shared)
    }

    /// Waits up to `timeout` until all lines are written.
    pub(super) fn wait_until_written(&self, timeout: Duration) {
        let queue = self.0.lock();
        let is_busy = |queue: &mut Queue| queue.writing || !queue.waiting.is_empty();
        // Nothing is left to do if the time is over.
        drop(self.0.changed.wait_timeout_while(queue, timeout, is_busy));
    }
}

impl Write for &LogWriter {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        let mut queue = self.0.lock();
        if queue.waiting.len() + lines.len() <= MAX_WAITING {
            queue.waiting.extend_from_slice(lines);
            self.0.changed.notify_all();
        } else {
            self.0.lost.inc_by(count_lines(lines));
        }
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes lines as they arrive, until the process ends.
    fn write_to(&self, mut destination: impl Write) {
        let mut queue = self.lock();
        loop {
            queue.writing = false;
            self.changed.notify_all();
            let is_empty = |queue: &mut Queue| queue.waiting.is_empty();
            queue = self
                .changed
                .wait_while(queue, is_empty)
                .unwrap_or_else(PoisonError::into_inner);
            let lines = std::mem::take(&mut queue.waiting);
            queue.writing = true;
            drop(queue);
            self.write_lines(&mut destination, &lines);
            queue = self.lock();
        }
    }

    /// Writes the lines one by one, so that the exact number of lost ones is known.
    fn write_lines(&self, destination: &mut impl Write, lines: &[u8]) {
        for line in lines.split_inclusive(|&byte| byte == b'\n') {
            if destination.write_all(line).is_err() {
                self.lost.inc();
            }
        }
    }
}

fn count_lines(lines: &[u8]) -> u64 {
    lines.split_inclusive(|&byte| byte == b'\n').count() as u64
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// A destination that hands each write to the test, and waits until the test says whether it succeeds.
    struct Controlled {
        written: Sender<Vec<u8>>,
        succeeds: Receiver<bool>,
    }

    impl Write for Controlled {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.written.send(bytes.to_vec()).unwrap();
            if self.succeeds.recv().unwrap() {
                Ok(bytes.len())
            } else {
                Err(io::ErrorKind::StorageFull.into())
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn controlled() -> (LogWriter, Counter, Receiver<Vec<u8>>, Sender<bool>) {
        let ((written, reached), (success, succeeds)) = (channel(), channel());
        let lost = Counter::default();
        let writer = LogWriter::start(Controlled { written, succeeds }, lost.clone());
        (writer, lost, reached, success)
    }

    #[test]
    fn a_destination_that_stalls_blocks_no_writer_and_the_lines_beyond_the_limit_are_counted() {
        let (writer, lost, reached, success) = controlled();
        let line = [vec![b'x'; 1023], vec![b'\n']].concat();
        (&writer).write_all(&line).unwrap();
        assert_eq!(reached.recv().unwrap(), line, "the thread is now in a write");
        for _ in 0..MAX_WAITING / line.len() + 3 {
            (&writer).write_all(&line).unwrap();
        }
        assert_eq!(lost.get(), 3);
        // This returns although nothing more is written.
        writer.wait_until_written(Duration::from_millis(1));
        for _ in 0..=MAX_WAITING / line.len() {
            success.send(true).unwrap();
        }
        assert_eq!(reached.iter().take(MAX_WAITING / line.len()).count(), 1024);
        writer.wait_until_written(Duration::from_mins(1));
        assert_eq!(lost.get(), 3, "the lines in the buffer were written");
    }

    #[test]
    fn lines_that_cannot_be_written_are_counted_and_later_ones_are_written() {
        let (writer, lost, reached, success) = controlled();
        for succeeds in [false, false, true] {
            success.send(succeeds).unwrap();
        }
        (&writer).write_all(b"one\ntwo\n").unwrap();
        writer.wait_until_written(Duration::from_mins(1));
        assert_eq!(lost.get(), 2);
        (&writer).write_all(b"three\n").unwrap();
        writer.wait_until_written(Duration::from_mins(1));
        assert_eq!(
            (lost.get(), reached.iter().take(3).last().unwrap()),
            (2, b"three\n".to_vec())
        );
    }
}
