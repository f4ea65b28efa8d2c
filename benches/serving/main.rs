//! How fast the service is beside a bare loop over the same graphs, and beside other servers: `benches/README.md`.

#[path = "../bare.rs"]
mod bare;
mod ceiling;
mod client;
mod encoding;
mod load;
mod options;
mod process;
mod report;
mod scenario;
mod starts;

use anyhow::Context as _;
use clap::Parser as _;

use ceiling::Ceiling;
use options::Options;
use report::Report;
use scenario::Scenario;

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the client's runtime")?;
    let mut report = Report::new();
    encoding::measure(&options, &mut report)?;
    let mut ceiling = Ceiling::open(&options)?;
    let contestants = options.contestants()?;
    for round in 1..=options.rounds {
        eprintln!("round {round} of {}", options.rounds);
        ceiling.measure(&options, &mut report)?;
        runtime.block_on(starts::measure(&contestants, &options, &mut report));
        for contestant in &contestants {
            let scenario = Scenario {
                options: &options,
                contestant,
                ceiling: &mut ceiling,
            };
            // A server that cannot be measured is left out, and the others go on.
            if let Err(error) = runtime.block_on(scenario.play(&mut report)) {
                eprintln!("{}: left out: {error:#}", contestant.name);
                report.say(&contestant.name, "left out", &format!("{error:#}"));
            }
        }
    }
    print!("{}", report.table());
    if let Some(file) = &options.json {
        std::fs::write(file, report.json()?).with_context(|| file.display().to_string())?;
    }
    Ok(())
}
