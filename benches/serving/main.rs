//! Compares the service with a bare loop over the same graphs, and with other servers: see `benches/README.md`.

mod bare_loop;
#[path = "../bare_session.rs"]
mod bare_session;
mod batch_work;
mod clients;
mod connection;
mod options;
mod png_encoding;
mod report;
mod scenario;
mod server_process;
mod start_time;

use anyhow::Context as _;
use clap::Parser as _;

use bare_loop::BareLoop;
use options::Options;
use report::Report;
use scenario::Scenario;

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the asynchronous runtime of the clients does not start")?;
    let mut report = Report::new();
    png_encoding::measure(&options, &mut report)?;
    let mut bare_loop = BareLoop::open(&options)?;
    let servers = options.servers()?;
    for round in 1..=options.rounds {
        eprintln!("round {round} of {}", options.rounds);
        bare_loop.measure(&options, &mut report)?;
        if options.batch > 0 {
            batch_work::measure(&options, round, &mut bare_loop, &mut report)?;
            continue;
        }
        runtime.block_on(start_time::measure(&servers, &options, &mut report));
        for server in &servers {
            let scenario = Scenario {
                options: &options,
                settings: server,
                bare_loop: &mut bare_loop,
            };
            // If a server cannot be measured, the report says so, and the others are still measured.
            if let Err(error) = runtime.block_on(scenario.measure(&mut report)) {
                eprintln!("{}: not measured: {error:#}", server.name);
                report.remark(&server.name, "not measured", &format!("{error:#}"));
            }
        }
    }
    print!("{}", report.table());
    if let Some(file) = &options.json {
        std::fs::write(file, report.json()?).with_context(|| file.display().to_string())?;
    }
    Ok(())
}
