//! The scheduling priority of threads.

/// The nice value of a thread with low priority. Beside a thread of normal priority (0), it gets about a tenth of a core that
/// both want.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// Lowers the priority of the current thread and of all threads that it starts later.
///
/// Does nothing on other systems than Linux, or if the system refuses: only speed depends on it.
pub(crate) fn lower() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        tracing::debug!(%error, "cannot lower a thread's priority; it keeps the normal one");
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_low_priority_holds_for_one_thread_and_those_that_it_starts() {
        let priority = || rustix::process::getpriority_process(None).unwrap();
        let before = priority();
        let lowered = std::thread::spawn(move || {
            lower();
            (priority(), std::thread::spawn(priority).join().unwrap())
        });
        assert_eq!(lowered.join().unwrap(), (NICE, NICE));
        assert_eq!(priority(), before);
    }
}
