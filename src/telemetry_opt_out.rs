//! ONNX Runtime's official builds report to their makers; here they do so only for those who want it.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// What ONNX Runtime reads when it is loaded: 1 is silence.
const SWITCH: &str = "ORT_DISABLE_TELEMETRY";

/// Starts the program anew, in its own place, with ONNX Runtime's reports switched off; does nothing where the environment
/// already says whether they are.
///
/// The library reads its environment before its interface could tell it, and changing one's own environment is not safe
/// beside other threads.
///
/// # Errors
/// What the system says where the program cannot be started anew.
pub fn keep_reports_off() -> io::Result<()> {
    if std::env::var_os(SWITCH).is_some() {
        return Ok(());
    }
    let program = std::env::current_exe()?;
    let arguments = std::env::args_os().skip(1);
    Err(Command::new(program).args(arguments).env(SWITCH, "1").exec())
}
