//! What one server goes through in a round.

use std::time::Duration;

use crate::ceiling::Ceiling;
use crate::load::{Outcome, Seeds, beside, closed, hang_up, open, quantile, ratio};
use crate::options::{Contestant, Kind, Options};
use crate::process::{Server, own_cpu};
use crate::report::Report;

/// How often the server and the bare loop take turns.
const TURNS: usize = 5;

/// A server, and what it is measured against.
pub(crate) struct Scenario<'a> {
    pub(crate) options: &'a Options,
    pub(crate) contestant: &'a Contestant,
    pub(crate) ceiling: &'a mut Ceiling,
}

impl Scenario<'_> {
    /// Starts the server, measures it, stops it.
    pub(crate) async fn play(mut self, report: &mut Report) -> anyhow::Result<()> {
        let name = &self.contestant.name;
        eprintln!("  {name}");
        let server = Server::start(self.contestant, self.options).await?;
        let (path, seeds) = (&self.contestant.path, Seeds::default());
        let warm = self.options.span().min(Duration::from_secs(1));
        closed(&server.host, path, 4, warm, &seeds).await;
        for &clients in &self.options.concurrency {
            let (cpu, own) = (server.usage().cpu, own_cpu());
            let outcome = closed(&server.host, path, clients, self.options.span(), &seeds).await;
            let way = format!("{clients} at once");
            self.note(report, &way, &outcome);
            let drawn = ratio(outcome.pictures.len().max(1), 1000);
            report.number(
                name,
                &format!("{way}: server's CPU ms an image"),
                (server.usage().cpu - cpu) / drawn,
            );
            report.number(
                name,
                &format!("{way}: client's CPU ms an image"),
                (own_cpu() - own) / drawn,
            );
            report.number(
                name,
                &format!("{way}: of the ceiling"),
                outcome.rate / self.ceiling.best(),
            );
        }
        for &load in &self.options.load {
            let rate = self.ceiling.best() * f64::from(load) / 100.0;
            let outcome = open(&server.host, path, rate, self.options.span(), &seeds).await;
            self.note(report, &format!("at {load} %"), &outcome);
        }
        if matches!(self.contestant.kind, Kind::Own(_)) {
            self.in_turns(report, &server, &seeds).await?;
            if self.options.beside > 0 {
                self.beside(report, &server, &seeds).await?;
            }
            if self.options.overload > 0.0 {
                self.overload(report, &server, &seeds).await?;
            }
        }
        report.number(name, "peak MiB", server.usage().peak);
        Ok(())
    }

    fn note(&self, report: &mut Report, way: &str, outcome: &Outcome) {
        let name = &self.contestant.name;
        report.number(name, &format!("{way}: images/s"), outcome.rate);
        report.number(name, &format!("{way}: p50 ms"), quantile(&outcome.pictures, 0.5));
        report.number(name, &format!("{way}: p99 ms"), quantile(&outcome.pictures, 0.99));
        report.number(
            name,
            &format!("{way}: refused %"),
            outcome.share_refused() * 100.0,
        );
        if !outcome.refused.is_empty() {
            report.number(
                name,
                &format!("{way}: 503 p99 ms"),
                quantile(&outcome.refused, 0.99),
            );
        }
    }

    /// The server and the bare loop, one after the other and again: a machine whose speed changes leaves their ratio alone.
    async fn in_turns(&mut self, report: &mut Report, server: &Server, seeds: &Seeds) -> anyhow::Result<()> {
        let (name, path, span) = (&self.contestant.name, &self.contestant.path, self.options.span());
        let most = self.options.concurrency.iter().copied().max().unwrap_or(1);
        for _ in 0..TURNS {
            let bare = self.ceiling.again(span)?;
            let rate = closed(&server.host, path, most, span, seeds).await.rate;
            report.number(name, "in turns: bare loop's images/s", bare);
            report.number(name, &format!("in turns, {most} at once: images/s"), rate);
            report.number(
                name,
                &format!("in turns, {most} at once: % of the loop"),
                rate / bare * 100.0,
            );
            let bare = self.ceiling.alone(span)?;
            let alone = quantile(&closed(&server.host, path, 1, span, seeds).await.pictures, 0.5);
            report.number(name, "in turns: bare run's p50 ms", bare);
            report.number(name, "in turns, alone: p50 ms", alone);
            report.number(name, "in turns, alone: ms above the bare run", alone - bare);
        }
        Ok(())
    }

    /// Single pictures beside a request for many.
    async fn beside(&self, report: &mut Report, server: &Server, seeds: &Seeds) -> anyhow::Result<()> {
        let (name, count) = (&self.contestant.name, self.options.beside);
        let path = &self.contestant.path;
        let (outcome, large) = beside(&server.host, path, count, self.options.span(), seeds).await?;
        let (single, run) = (quantile(&outcome.pictures, 0.5), quantile(&outcome.runs, 0.5));
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

    /// More than it can draw for a while, with clients that hang up midway; then what it still does.
    async fn overload(&mut self, report: &mut Report, server: &Server, seeds: &Seeds) -> anyhow::Result<()> {
        let (name, path) = (&self.contestant.name, &self.contestant.path);
        let half = Duration::from_secs_f64(self.options.overload / 2.0);
        // The machine's speed may have changed since the round began.
        let ceiling = self.ceiling.again(half / 6)?;
        report.number(name, "before the overload: bare loop's images/s", ceiling);
        let calm = open(&server.host, path, ceiling * 0.8, half / 3, seeds).await;
        self.note(report, "before the overload, at 80 %", &calm);
        let rate = ceiling * 1.2;
        let before = server.usage().resident;
        let first = open(&server.host, path, rate, half, seeds).await;
        let between = server.usage().resident;
        hang_up(&server.host, path, 100, seeds).await?;
        let second = open(&server.host, path, rate, half, seeds).await;
        self.note(report, "overload, first half", &first);
        self.note(report, "overload, second half", &second);
        report.number(name, "overload: MiB before", before);
        report.number(name, "overload: MiB midway", between);
        report.number(name, "overload: MiB after", server.usage().resident);
        let after = closed(&server.host, path, 32, half / 6, seeds).await;
        self.note(report, "after the overload, 32 at once", &after);
        Ok(())
    }
}
