//! A network's thread.

/// Does `work` on a thread of its own, which is called after the network, as far as the system takes names.
pub(super) fn on_a_thread(name: &str, work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new()
        .name(name.chars().take(15).collect())
        .spawn(work)
        .expect("the system has a thread for each network");
}
