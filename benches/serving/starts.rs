//! How long each server takes from its start to its first picture, in turns.

use crate::options::{Contestant, Options};
use crate::process::Server;
use crate::report::Report;

/// Starts every server in turns, and stops it after its first picture. The first time finds files and memory cold and does not
/// count. One that does not start says so when it is measured.
pub(crate) async fn measure(contestants: &[Contestant], options: &Options, report: &mut Report) {
    if options.starts == 0 {
        return;
    }
    eprintln!("  starts");
    for turn in 0..=options.starts {
        for contestant in contestants {
            if let Ok(server) = Server::start(contestant, options).await
                && let Some(milliseconds) = server.started_in
                && turn > 0
            {
                report.number(&contestant.name, "first picture after ms", milliseconds);
            }
        }
    }
}
