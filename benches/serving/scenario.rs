//! The measurements of one server in a round.

use std::time::Duration;

use crate::bare_loop::BareLoop;
use crate::clients::{
    Outcome, Seeds, closed_loop, disconnect_early, open_loop, quantile, ratio, singles_beside_large,
};
use crate::options::{Launch, Options, ServerSettings};
use crate::report::Report;
use crate::server_process::{Server, own_cpu};

/// The number of alternating measurements of the server and the bare loop.
const TURNS: usize = 5;

/// A server, and the bare loop that it is compared with.
pub(crate) struct Scenario<'a> {
    pub(crate) options: &'a Options,
    pub(crate) settings: &'a ServerSettings,
    pub(crate) bare_loop: &'a mut BareLoop,
}

impl Scenario<'_> {
    /// Starts the server, measures it and stops it.
    pub(crate) async fn measure(mut self, report: &mut Report) -> anyhow::Result<()> {
        let name = &self.settings.name;
        eprintln!("  {name}");
        let server = Server::start(self.settings, self.options).await?;
        let (path, seeds) = (&self.settings.path, Seeds::default());
        let warm = self.options.span().min(Duration::from_secs(1));
        closed_loop(&server.host, path, 4, warm, &seeds).await;
        for &clients in &self.options.concurrency {
            let (cpu, own) = (server.usage().cpu, own_cpu());
            let outcome = closed_loop(&server.host, path, clients, self.options.span(), &seeds).await;
            let label = format!("{clients} at once");
            self.record(report, &label, &outcome);
            let thousands = ratio(outcome.latencies.len().max(1), 1000);
            report.number(
                name,
                &format!("{label}: server's CPU ms an image"),
                (server.usage().cpu - cpu) / thousands,
            );
            report.number(
                name,
                &format!("{label}: client's CPU ms an image"),
                (own_cpu() - own) / thousands,
            );
            report.number(
                name,
                &format!("{label}: share of the ceiling"),
                outcome.rate / self.bare_loop.best_rate(),
            );
        }
        for &load in &self.options.load {
            let rate = self.bare_loop.best_rate() * f64::from(load) / 100.0;
            let outcome = open_loop(&server.host, path, rate, self.options.span(), &seeds).await;
            self.record(report, &format!("at {load} %"), &outcome);
        }
        if matches!(self.settings.launch, Launch::Service(_)) {
            self.compare_in_turns(report, &server, &seeds).await?;
            if self.options.beside > 0 {
                self.measure_beside_large(report, &server, &seeds).await?;
            }
            if self.options.overload > 0.0 {
                self.measure_overload(report, &server, &seeds).await?;
            }
        }
        report.number(name, "peak MiB", server.usage().peak);
        Ok(())
    }

    fn record(&self, report: &mut Report, label: &str, outcome: &Outcome) {
        let name = &self.settings.name;
        report.number(name, &format!("{label}: images/s"), outcome.rate);
        report.number(
            name,
            &format!("{label}: p50 ms"),
            quantile(&outcome.latencies, 0.5),
        );
        report.number(
            name,
            &format!("{label}: p99 ms"),
            quantile(&outcome.latencies, 0.99),
        );
        report.number(
            name,
            &format!("{label}: refused %"),
            outcome.share_refused() * 100.0,
        );
        if !outcome.refused.is_empty() {
            report.number(
                name,
                &format!("{label}: 503 p99 ms"),
                quantile(&outcome.refused, 0.99),
            );
        }
    }

    /// Measures the bare loop and the server alternately, so that their ratio does not change with the speed of the machine.
    async fn compare_in_turns(
        &mut self,
        report: &mut Report,
        server: &Server,
        seeds: &Seeds,
    ) -> anyhow::Result<()> {
        let (name, path, span) = (&self.settings.name, &self.settings.path, self.options.span());
        let most = self.options.concurrency.iter().copied().max().unwrap_or(1);
        for _ in 0..TURNS {
            let bare = self.bare_loop.measure_best(span)?;
            let rate = closed_loop(&server.host, path, most, span, seeds).await.rate;
            report.number(name, "in turns: bare loop's images/s", bare);
            report.number(name, &format!("in turns, {most} at once: images/s"), rate);
            report.number(
                name,
                &format!("in turns, {most} at once: % of the loop"),
                rate / bare * 100.0,
            );
            let bare = self.bare_loop.single_image(span)?;
            let alone = quantile(
                &closed_loop(&server.host, path, 1, span, seeds).await.latencies,
                0.5,
            );
            report.number(name, "in turns: bare run's p50 ms", bare);
            report.number(name, "in turns, alone: p50 ms", alone);
            report.number(name, "in turns, alone: ms above the bare run", alone - bare);
        }
        Ok(())
    }

    /// Measures single images while another client requests many at once.
    async fn measure_beside_large(
        &self,
        report: &mut Report,
        server: &Server,
        seeds: &Seeds,
    ) -> anyhow::Result<()> {
        let (name, count) = (&self.settings.name, self.options.beside);
        let path = &self.settings.path;
        let (outcome, large) =
            singles_beside_large(&server.host, path, count, self.options.span(), seeds).await?;
        let (single, run) = (quantile(&outcome.latencies, 0.5), quantile(&outcome.runs, 0.5));
        report.number(name, &format!("beside {count}: p50 ms"), single);
        report.number(name, &format!("beside {count}: a run's ms"), run);
        report.number(name, &format!("beside {count}: p50 in runs"), single / run);
        report.number(
            name,
            &format!("beside {count}: large requests answered"),
            ratio(large, 1),
        );
        Ok(())
    }

    /// Sends more requests than the server can answer, with clients that disconnect early in between, and then measures it again
    /// without overload.
    async fn measure_overload(
        &mut self,
        report: &mut Report,
        server: &Server,
        seeds: &Seeds,
    ) -> anyhow::Result<()> {
        let (name, path) = (&self.settings.name, &self.settings.path);
        let half = Duration::from_secs_f64(self.options.overload / 2.0);
        // The machine's speed may have changed since the round began.
        let capacity = self.bare_loop.measure_best(half / 6)?;
        report.number(name, "before the overload: bare loop's images/s", capacity);
        let normal = open_loop(&server.host, path, capacity * 0.8, half / 3, seeds).await;
        self.record(report, "before the overload, at 80 %", &normal);
        let rate = capacity * 1.2;
        let before = server.usage().resident;
        let first = open_loop(&server.host, path, rate, half, seeds).await;
        let between = server.usage().resident;
        disconnect_early(&server.host, path, 100, seeds).await?;
        let second = open_loop(&server.host, path, rate, half, seeds).await;
        self.record(report, "overload, first half", &first);
        self.record(report, "overload, second half", &second);
        report.number(name, "overload: MiB before", before);
        report.number(name, "overload: MiB midway", between);
        report.number(name, "overload: MiB after", server.usage().resident);
        let after = closed_loop(&server.host, path, 32, half / 6, seeds).await;
        self.record(report, "after the overload, 32 at once", &after);
        Ok(())
    }
}
