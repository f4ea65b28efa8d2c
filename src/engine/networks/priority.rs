//! How much the system prefers one thread to another.

/// What `nice` takes: a core that both want is then shared about one to ten.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// Makes this thread, and those that it begins from now on, give way to the process's others.
///
/// Systems where that is not a thread's own matter, or that refuse, go on as they were: nothing but speed rests on it.
pub(crate) fn lower() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        tracing::debug!(%error, "the system does not let a thread give way");
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_gives_way_alone_and_so_do_those_that_it_begins() {
        let own = || rustix::process::getpriority_process(None).unwrap();
        let before = own();
        let lowered = std::thread::spawn(move || {
            lower();
            (own(), std::thread::spawn(own).join().unwrap())
        });
        assert_eq!(lowered.join().unwrap(), (NICE, NICE));
        assert_eq!(own(), before);
    }
}
