//! `faceplane batch` in turns with the bare loop: both go from seeds to PNG files on the same disk.

use std::process::Command;

use anyhow::{Context as _, ensure};
use serde_json::Value;

use crate::bare_loop::BareLoop;
use crate::options::Options;
use crate::report::Report;

const NAME: &str = "faceplane batch";

/// How often each is measured in a round.
const TURNS: u64 = 3;

/// Measures the command and the bare loop's best configuration in turns. The loop runs with and without writing its files.
pub(crate) fn measure(
    options: &Options,
    round: u32,
    bare_loop: &mut BareLoop,
    report: &mut Report,
) -> anyhow::Result<()> {
    eprintln!("  batch");
    for turn in 0..TURNS {
        let folder = tempfile::tempdir()?;
        let writing = bare_loop.measure_writing(folder.path(), options.span())?;
        let encoding = bare_loop.measure_best(options.span())?;
        let rate = rate(options, u64::from(round) * TURNS + turn)?;
        let encoding = f64::midpoint(encoding, bare_loop.measure_best(options.span())?);
        let writing = f64::midpoint(writing, bare_loop.measure_writing(folder.path(), options.span())?);
        report.number(NAME, "images/s of the bare loop that writes its files", writing);
        report.number(NAME, "images/s of the bare loop that drops its files", encoding);
        report.number(NAME, "images/s", rate);
        report.number(NAME, "share of the bare loop that writes", rate / writing);
        report.number(NAME, "share of the bare loop that drops", rate / encoding);
    }
    Ok(())
}

/// The images per second of a batch of other seeds in each `turn`, without the time that the model takes to load.
fn rate(options: &Options, turn: u64) -> anyhow::Result<f64> {
    let folder = tempfile::tempdir()?;
    let (first, count) = (turn * u64::from(options.batch), u64::from(options.batch));
    let mut command = Command::new(&options.program);
    command.args([
        "batch",
        "--no-scores",
        "--pictures",
        "png",
        "--metadata",
        "none",
        "--json",
    ]);
    command.args(["--seeds", &format!("{first}-{}", first + count - 1)]);
    command.arg("--output").arg(folder.path().join("faces"));
    command.arg("--onnxruntime").arg(&options.onnxruntime);
    command.args(["--device", &options.device.to_string()]);
    if let Some(model) = &options.model {
        command.arg("--model").arg(model);
    }
    let ended = command.output().context(options.program.clone())?;
    ensure!(
        ended.status.success(),
        "{}",
        String::from_utf8_lossy(&ended.stderr)
    );
    let summary: Value = serde_json::from_slice(&ended.stdout)?;
    let number = |key: &str| {
        summary[key]
            .as_f64()
            .with_context(|| format!("{summary} has no {key}"))
    };
    Ok(number("faces")? / number("seconds")?)
}
