//! The load: clients in closed loops, in open loops, and clients that close their connections early.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::task::LocalSet;

use crate::connection::{Connection, Response};

/// Request bodies with seeds that never repeat, so that no server can use a cached response.
#[derive(Clone, Default)]
pub(crate) struct Seeds(Rc<Cell<u32>>);

impl Seeds {
    /// The body of a request for one image.
    pub(crate) fn body(&self) -> String {
        self.body_of(1)
    }

    /// The body of a request for `count` images.
    fn body_of(&self, count: u32) -> String {
        let seed = self.0.get() + 2;
        self.0.set(seed + count);
        if count == 1 {
            format!(r#"{{"seed": {seed}}}"#)
        } else {
            format!(r#"{{"seed": {seed}, "count": {count}}}"#)
        }
    }
}

/// The responses of one measurement.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    /// Latencies of the responses with an image in ms, sorted.
    pub(crate) latencies: Vec<f64>,
    /// Latencies of the responses with status 503 in ms, sorted.
    pub(crate) refused: Vec<f64>,
    /// Times of the synthesis runs of the images in ms, sorted; empty if the server does not report them.
    pub(crate) runs: Vec<f64>,
    /// The number of requests that failed in any other way.
    pub(crate) failed: usize,
    /// Images per second.
    pub(crate) rate: f64,
}

impl Outcome {
    fn record(&mut self, response: anyhow::Result<Response>, milliseconds: f64) {
        match response {
            Ok(Response { status: 200, run, .. }) => {
                self.latencies.push(milliseconds);
                self.runs.extend(run);
            }
            Ok(Response { status: 503, .. }) => self.refused.push(milliseconds),
            Ok(_) | Err(_) => self.failed += 1,
        }
    }

    /// Sorts the times and sets the rate.
    fn with_rate(mut self, rate: f64) -> Self {
        self.latencies.sort_by(f64::total_cmp);
        self.refused.sort_by(f64::total_cmp);
        self.runs.sort_by(f64::total_cmp);
        self.rate = rate;
        self
    }

    /// Sorts the times, and computes the rate from the length of the measurement.
    fn with_length(self, seconds: f64) -> Self {
        let rate = ratio(self.latencies.len(), 1) / seconds;
        self.with_rate(rate)
    }

    /// The share of refusals and failures in all responses.
    pub(crate) fn share_refused(&self) -> f64 {
        let all = self.latencies.len() + self.refused.len() + self.failed;
        ratio(self.refused.len() + self.failed, all.max(1))
    }
}

/// The rate of one client in responses per second, from the times of its responses in seconds. It counts from the first response,
/// so that no request is counted in part; `None` for fewer than two responses.
fn client_rate(times: &[f64]) -> Option<f64> {
    let [first, .., last] = times else { return None };
    Some(ratio(times.len() - 1, 1) / (last - first))
}

/// The quantile `share` of sorted values; 0 if there are none.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a length is an index"
    )]
    let index = (ratio(sorted.len(), 1) * share) as usize;
    sorted
        .get(index.min(sorted.len().saturating_sub(1)))
        .copied()
        .unwrap_or(0.0)
}

/// `count` divided by `of`.
#[expect(clippy::cast_precision_loss, reason = "counts are small numbers")]
pub(crate) fn ratio(count: usize, of: usize) -> f64 {
    count as f64 / of as f64
}

/// Runs `clients` clients for `span`, each with one request in flight at any time.
///
/// The rate is the sum of the rates of the clients, and each of these counts from the client's first response to its last. So the
/// rate does not depend on whether a run ends just before or just after `span`, nor on whether images come in batches.
pub(crate) async fn closed_loop(
    host: &str,
    path: &str,
    clients: usize,
    span: Duration,
    seeds: &Seeds,
) -> Outcome {
    let outcome = Rc::new(RefCell::new(Outcome::default()));
    let rates = Rc::new(RefCell::new(Vec::new()));
    let start = Instant::now();
    let local = LocalSet::new();
    for _ in 0..clients {
        let (host, path) = (host.to_owned(), path.to_owned());
        let (outcome, rates, seeds) = (Rc::clone(&outcome), Rc::clone(&rates), seeds.clone());
        local.spawn_local(async move {
            let mut arrived = Vec::new();
            while start.elapsed() < span {
                let Ok(mut connection) = Connection::open(&host).await else {
                    outcome.borrow_mut().failed += 1;
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    continue;
                };
                while start.elapsed() < span {
                    let sent = Instant::now();
                    let response = connection.post(&path, &seeds.body()).await;
                    let broken = response.is_err();
                    if response.as_ref().is_ok_and(|response| response.status == 200)
                        && start.elapsed() < span
                    {
                        arrived.push(start.elapsed().as_secs_f64());
                    }
                    outcome.borrow_mut().record(response, milliseconds(sent));
                    if broken {
                        break;
                    }
                }
            }
            rates.borrow_mut().extend(client_rate(&arrived));
        });
    }
    local.await;
    let (outcome, rates) = (outcome.take(), rates.take());
    if rates.len() == clients {
        outcome.with_rate(rates.iter().sum())
    } else {
        outcome.with_length(start.elapsed().as_secs_f64())
    }
}

/// Sends `rate` requests per second for `span`, at random times, even if the server does not keep up. The latency of a request
/// counts from the time at which it was due.
pub(crate) async fn open_loop(host: &str, path: &str, rate: f64, span: Duration, seeds: &Seeds) -> Outcome {
    let outcome = Rc::new(RefCell::new(Outcome::default()));
    let idle: Rc<RefCell<Vec<Connection>>> = Rc::default();
    let start = Instant::now();
    let local = LocalSet::new();
    let arrivals = async {
        let mut due = Duration::ZERO;
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        loop {
            due += Duration::from_secs_f64(-uniform(&mut state).ln() / rate);
            if due >= span {
                break;
            }
            tokio::time::sleep_until((start + due).into()).await;
            let (host, path, body) = (host.to_owned(), path.to_owned(), seeds.body());
            let (outcome, idle) = (Rc::clone(&outcome), Rc::clone(&idle));
            tokio::task::spawn_local(async move {
                let reused = idle.borrow_mut().pop();
                let connection = match reused {
                    Some(connection) => Ok(connection),
                    None => Connection::open(&host).await,
                };
                match connection {
                    Ok(mut connection) => {
                        let response = connection.post(&path, &body).await;
                        let usable = response.is_ok();
                        outcome.borrow_mut().record(response, milliseconds(start + due));
                        if usable {
                            idle.borrow_mut().push(connection);
                        }
                    }
                    Err(error) => outcome.borrow_mut().record(Err(error), 0.0),
                }
            });
        }
    };
    local.run_until(arrivals).await;
    local.await;
    outcome.take().with_length(start.elapsed().as_secs_f64())
}

/// Sends a request for an image on each of `clients` connections, and closes the connection 2 ms later.
pub(crate) async fn disconnect_early(
    host: &str,
    path: &str,
    clients: usize,
    seeds: &Seeds,
) -> anyhow::Result<()> {
    for _ in 0..clients {
        let mut connection = Connection::open(host).await?;
        connection.send(path, &seeds.body()).await?;
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok(())
}

/// Requests single images one after the other for `span`, while another client requests `count` images at once, again and again.
/// Returns the outcome of the single images, and the number of large requests that were answered.
pub(crate) async fn singles_beside_large(
    host: &str,
    path: &str,
    count: u32,
    span: Duration,
    seeds: &Seeds,
) -> anyhow::Result<(Outcome, usize)> {
    let local = LocalSet::new();
    let answered = Rc::new(Cell::new(0));
    let (large_host, large_path, large_seeds) = (host.to_owned(), path.to_owned(), seeds.clone());
    let counter = Rc::clone(&answered);
    let large = local.spawn_local(async move {
        let mut connection = Connection::open(&large_host).await?;
        loop {
            let response = connection.post(&large_path, &large_seeds.body_of(count)).await?;
            let status = response.status;
            anyhow::ensure!(
                status == 200,
                "a request for {count} images: found status {status}, expected 200"
            );
            counter.set(counter.get() + 1);
        }
        #[expect(unreachable_code, reason = "gives the type of the task's errors")]
        anyhow::Ok(())
    });
    let singles = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let mut connection = Connection::open(host).await?;
        let (start, mut outcome) = (Instant::now(), Outcome::default());
        while start.elapsed() < span {
            let sent = Instant::now();
            let response = connection.post(path, &seeds.body()).await?;
            outcome.record(Ok(response), milliseconds(sent));
        }
        anyhow::Ok(outcome.with_length(start.elapsed().as_secs_f64()))
    };
    let outcome = local.run_until(singles).await?;
    if large.is_finished() {
        large.await??;
    }
    Ok((outcome, answered.get()))
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

/// A pseudo-random number in (0, 1], by xorshift.
fn uniform(state: &mut u64) -> f64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (f64::from(u32::try_from(*state >> 32).unwrap_or(u32::MAX)) + 1.0) / 4_294_967_296.0
}
