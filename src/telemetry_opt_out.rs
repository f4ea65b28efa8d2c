//! Keeps the telemetry of ONNX Runtime's official builds off, unless the user turns it on.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// The environment variable that ONNX Runtime reads when it is loaded. 1 turns its telemetry off.
const VARIABLE: &str = "ORT_DISABLE_TELEMETRY";

/// The environment variable that the allocator, mimalloc, reads when the program starts: the milliseconds after which it returns free
/// memory to the system. With its default, it keeps the memory of threads that are idle: 1,080 MB after six inversions, with 0
/// milliseconds 260 MB.
const PURGE_DELAY: &str = "MIMALLOC_PURGE_DELAY";

/// Replaces this process by the same program with ONNX Runtime's telemetry off, and with an allocator that returns memory at once. Does nothing if the environment already
/// sets `ORT_DISABLE_TELEMETRY`.
///
/// A new process is needed because the library reads its environment before its API could turn telemetry off, and
/// because a process with several threads cannot change its own environment safely.
///
/// # Errors
/// The error of the operating system if the program cannot be started again.
pub fn turn_telemetry_off() -> io::Result<()> {
    if std::env::var_os(VARIABLE).is_some() {
        return Ok(());
    }
    let program = std::env::current_exe()?;
    let arguments = std::env::args_os().skip(1);
    let mut command = Command::new(program);
    command.args(arguments).env(VARIABLE, "1");
    if std::env::var_os(PURGE_DELAY).is_none() {
        command.env(PURGE_DELAY, "0");
    }
    Err(command.exec())
}
