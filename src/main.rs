//! The program: reads the command line, runs the command, and reports its error.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use faceplane::cli::{Action, Cli, ConfigError, RequestError, check_health, end_now, serve};
use faceplane::{engine, library_environment, telemetry};

/// Returns memory to the system after a burst. glibc's allocator keeps most of it: after 20 uploads of 20 MB, 850 MB instead of 300.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Longest time that the end of the program waits for runs of networks that are no longer needed.
const MAX_WAIT_FOR_RUNS: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    let cli = match Cli::read(std::env::args_os()) {
        Ok(cli) => cli,
        Err(ConfigError::Arguments(error)) => error.exit(),
        Err(error) => return fail(&error.into()),
    };
    let code = match run(&cli.action) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    };
    // A run that is still under way when the process ends would lose ONNX Runtime's library.
    if !engine::wait_for_threads(MAX_WAIT_FOR_RUNS) {
        telemetry::print_line("faceplane: a run of a network did not end; the process ends without it");
        end_now(1);
    }
    telemetry::flush();
    code
}

fn run(action: &Action) -> anyhow::Result<()> {
    if !matches!(
        action,
        Action::Health(_)
            | Action::Key(_)
            | Action::Publish(_)
            | Action::Withdraw(_)
            | Action::Completions(_)
    ) {
        library_environment::set_defaults()
            .context("the program cannot be started again with the environment that its libraries need")?;
    }
    match action {
        Action::Serve(config) => serve(config),
        Action::Request(request) => Ok(request.run()?),
        Action::Batch(batch) => Ok(batch.run()?),
        Action::Import(import) => Ok(import.run()?),
        Action::Check(check) => Ok(check.run()?),
        Action::TrainBoundary(training) => Ok(training.run()?),
        Action::Directions(directions) => Ok(directions.run()?),
        Action::Judge(judge) => Ok(judge.run()?),
        Action::Publish(publish) => Ok(publish.run()?),
        Action::Withdraw(withdraw) => Ok(withdraw.run()?),
        Action::Key(key) => Ok(key.run()?),
        Action::Health(config) => Ok(check_health(&config.listen)?),
        Action::Completions(completions) => {
            completions.run();
            Ok(())
        }
    }
}

fn fail(error: &anyhow::Error) -> ExitCode {
    telemetry::print_line(&format!("faceplane: {error:#}"));
    let request = error.downcast_ref::<RequestError>();
    request.map_or(ExitCode::FAILURE, |error| ExitCode::from(error.exit_code()))
}
