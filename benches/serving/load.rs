//! Clients at work: closed loops, open loops, and clients that hang up.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::task::LocalSet;

use crate::client::{Answer, Client};

/// Seeds, none of them twice.
#[derive(Clone, Default)]
pub(crate) struct Seeds(Rc<Cell<u32>>);

impl Seeds {
    /// The body of a request for one picture.
    pub(crate) fn body(&self) -> String {
        self.body_of(1)
    }

    /// The body of a request for `count` pictures.
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

/// What came back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    /// Milliseconds to each answer with a picture, sorted.
    pub(crate) pictures: Vec<f64>,
    /// Milliseconds to each 503, sorted.
    pub(crate) refused: Vec<f64>,
    /// Milliseconds of the runs that the pictures were drawn in, sorted; empty where the server does not say.
    pub(crate) runs: Vec<f64>,
    /// Requests that failed otherwise.
    pub(crate) failed: usize,
    /// Pictures a second.
    pub(crate) rate: f64,
}

impl Outcome {
    fn count(&mut self, answer: anyhow::Result<Answer>, milliseconds: f64) {
        match answer {
            Ok(Answer { status: 200, run, .. }) => {
                self.pictures.push(milliseconds);
                self.runs.extend(run);
            }
            Ok(Answer { status: 503, .. }) => self.refused.push(milliseconds),
            Ok(_) | Err(_) => self.failed += 1,
        }
    }

    fn closed(mut self, rate: f64) -> Self {
        self.pictures.sort_by(f64::total_cmp);
        self.refused.sort_by(f64::total_cmp);
        self.runs.sort_by(f64::total_cmp);
        self.rate = rate;
        self
    }

    /// Ends it after so many seconds, of which all count.
    fn after(self, seconds: f64) -> Self {
        let rate = ratio(self.pictures.len(), 1) / seconds;
        self.closed(rate)
    }

    /// Refusals and failures among all answers.
    pub(crate) fn share_refused(&self) -> f64 {
        let all = self.pictures.len() + self.refused.len() + self.failed;
        ratio(self.refused.len() + self.failed, all.max(1))
    }
}

/// Answers a second of a client whose answers came at these seconds: those after its first, so that its time holds whole answers
/// only; `None` of fewer than two.
fn pace(times: &[f64]) -> Option<f64> {
    let [first, .., last] = times else { return None };
    Some(ratio(times.len() - 1, 1) / (last - first))
}

/// The value below which `share` of sorted values lie; 0 of none.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a length is an index"
    )]
    let place = (ratio(sorted.len(), 1) * share) as usize;
    sorted
        .get(place.min(sorted.len().saturating_sub(1)))
        .copied()
        .unwrap_or(0.0)
}

#[expect(clippy::cast_precision_loss, reason = "counts are small numbers")]
pub(crate) fn ratio(count: usize, of: usize) -> f64 {
    count as f64 / of as f64
}

/// `clients` clients, each with one request under way at any time, for `span`. The pictures a second are each client's between its
/// first answer and its last while all of them ask, added up: whether a run ends just before the time does or just after it, and
/// whether its pictures come in pairs, makes no difference.
pub(crate) async fn closed(host: &str, path: &str, clients: usize, span: Duration, seeds: &Seeds) -> Outcome {
    let outcome = Rc::new(RefCell::new(Outcome::default()));
    let paces = Rc::new(RefCell::new(Vec::new()));
    let began = Instant::now();
    let local = LocalSet::new();
    for _ in 0..clients {
        let (host, path) = (host.to_owned(), path.to_owned());
        let (outcome, paces, seeds) = (Rc::clone(&outcome), Rc::clone(&paces), seeds.clone());
        local.spawn_local(async move {
            let mut came = Vec::new();
            while began.elapsed() < span {
                let Ok(mut client) = Client::connect(&host).await else {
                    outcome.borrow_mut().failed += 1;
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    continue;
                };
                while began.elapsed() < span {
                    let asked = Instant::now();
                    let answer = client.post(&path, &seeds.body()).await;
                    let broken = answer.is_err();
                    if answer.as_ref().is_ok_and(|answer| answer.status == 200) && began.elapsed() < span {
                        came.push(began.elapsed().as_secs_f64());
                    }
                    outcome.borrow_mut().count(answer, milliseconds(asked));
                    if broken {
                        break;
                    }
                }
            }
            paces.borrow_mut().extend(pace(&came));
        });
    }
    local.await;
    let (outcome, paces) = (outcome.take(), paces.take());
    if paces.len() == clients {
        outcome.closed(paces.iter().sum())
    } else {
        outcome.after(began.elapsed().as_secs_f64())
    }
}

/// Requests at `rate` a second for `span`, at random times, whether or not the server keeps up. Time counts from when
/// a request was due.
pub(crate) async fn open(host: &str, path: &str, rate: f64, span: Duration, seeds: &Seeds) -> Outcome {
    let outcome = Rc::new(RefCell::new(Outcome::default()));
    let idle: Rc<RefCell<Vec<Client>>> = Rc::default();
    let began = Instant::now();
    let local = LocalSet::new();
    let arrivals = async {
        let mut due = Duration::ZERO;
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        loop {
            due += Duration::from_secs_f64(-uniform(&mut state).ln() / rate);
            if due >= span {
                break;
            }
            tokio::time::sleep_until((began + due).into()).await;
            let (host, path, body) = (host.to_owned(), path.to_owned(), seeds.body());
            let (outcome, idle) = (Rc::clone(&outcome), Rc::clone(&idle));
            tokio::task::spawn_local(async move {
                let at_hand = idle.borrow_mut().pop();
                let client = match at_hand {
                    Some(client) => Ok(client),
                    None => Client::connect(&host).await,
                };
                match client {
                    Ok(mut client) => {
                        let answer = client.post(&path, &body).await;
                        let kept = answer.is_ok();
                        outcome.borrow_mut().count(answer, milliseconds(began + due));
                        if kept {
                            idle.borrow_mut().push(client);
                        }
                    }
                    Err(error) => outcome.borrow_mut().count(Err(error), 0.0),
                }
            });
        }
    };
    local.run_until(arrivals).await;
    local.await;
    outcome.take().after(began.elapsed().as_secs_f64())
}

/// `clients` clients that each ask for a picture and hang up at once.
pub(crate) async fn hang_up(host: &str, path: &str, clients: usize, seeds: &Seeds) -> anyhow::Result<()> {
    for _ in 0..clients {
        let mut client = Client::connect(host).await?;
        client.send(path, &seeds.body()).await?;
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok(())
}

/// One client after another's answer asks for a single picture, while another asks for `count` at once, again and again.
pub(crate) async fn beside(
    host: &str,
    path: &str,
    count: u32,
    span: Duration,
    seeds: &Seeds,
) -> anyhow::Result<(Outcome, usize)> {
    let local = LocalSet::new();
    let large = Rc::new(Cell::new(0));
    let (place, other, body) = (host.to_owned(), path.to_owned(), seeds.clone());
    let counted = Rc::clone(&large);
    let asking = local.spawn_local(async move {
        let mut client = Client::connect(&place).await?;
        loop {
            let answer = client.post(&other, &body.body_of(count)).await?;
            anyhow::ensure!(answer.status == 200, "a request for {count}: {}", answer.status);
            counted.set(counted.get() + 1);
        }
        #[expect(unreachable_code, reason = "says what the task's errors are")]
        anyhow::Ok(())
    });
    let singles = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let mut client = Client::connect(host).await?;
        let (began, mut outcome) = (Instant::now(), Outcome::default());
        while began.elapsed() < span {
            let asked = Instant::now();
            let answer = client.post(path, &seeds.body()).await?;
            outcome.count(Ok(answer), milliseconds(asked));
        }
        anyhow::Ok(outcome.after(began.elapsed().as_secs_f64()))
    };
    let outcome = local.run_until(singles).await?;
    if asking.is_finished() {
        asking.await??;
    }
    Ok((outcome, large.get()))
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

/// A number in (0, 1], by xorshift.
fn uniform(state: &mut u64) -> f64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (f64::from(u32::try_from(*state >> 32).unwrap_or(u32::MAX)) + 1.0) / 4_294_967_296.0
}
