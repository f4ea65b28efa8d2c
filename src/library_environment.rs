//! Environment variables that libraries read before this program could set them otherwise.

use std::env;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// The variables, and their values unless the user sets others.
const DEFAULTS: [(&str, &str); 2] = [
    // ONNX Runtime's official builds send usage reports, unless this is 1 when the library is loaded.
    ("ORT_DISABLE_TELEMETRY", "1"),
    // The allocator, mimalloc, returns memory to the system when it has been free for this many milliseconds. With 0, each image costs some
    // 300 page faults, 8 % of its time. Its own default, 1000, keeps more memory.
    ("MIMALLOC_PURGE_DELAY", "100"),
];

/// Replaces this process by the same program with all variables set. Does nothing if they are set already.
///
/// A new process is needed because mimalloc reads its variable before `main`, and because a process with several threads
/// cannot change its own environment safely.
///
/// # Errors
/// The error of the operating system if the program cannot be started again.
pub fn set_defaults() -> io::Result<()> {
    let missing: Vec<_> = DEFAULTS
        .into_iter()
        .filter(|(name, _)| env::var_os(name).is_none())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let program = env::current_exe()?;
    Err(Command::new(program)
        .args(env::args_os().skip(1))
        .envs(missing)
        .exec())
}
