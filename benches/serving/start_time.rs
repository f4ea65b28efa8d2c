//! The time of each server from its start to its first image.

use crate::options::{Options, ServerSettings};
use crate::report::Report;
use crate::server_process::Server;

/// Starts each server in turn and stops it after its first image. The first start does not count, because it reads its files from
/// disk. A server that fails to start is skipped here; its scenario reports the error.
pub(crate) async fn measure(servers: &[ServerSettings], options: &Options, report: &mut Report) {
    if options.starts == 0 {
        return;
    }
    eprintln!("  start times");
    for repeat in 0..=options.starts {
        for settings in servers {
            if let Ok(server) = Server::start(settings, options).await
                && let Some(milliseconds) = server.start_time
                && repeat > 0
            {
                report.number(&settings.name, "first image after ms", milliseconds);
            }
        }
    }
}
