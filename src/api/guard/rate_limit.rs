//! The limit on the rate of requests, for each key, or for each address of clients where there are no keys.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::api::problem::Problem;

/// The most clients that are counted apart. Further ones share one limit.
const MOST_CLIENTS: usize = 50_000;

/// The most requests of a rate.
const MOST_REQUESTS: u32 = 1_000_000;

/// The least time between two searches for clients that may be forgotten, since each looks at all of them.
const PRUNE_INTERVAL: Duration = Duration::from_secs(1);

/// The headers of draft-ietf-httpapi-ratelimit-headers: the limit, and what is left of it.
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LEFT: HeaderName = HeaderName::from_static("ratelimit");

/// Requests in a time, such as `10/s`. So many may also come at once.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    requests: NonZeroU32,
    unit: Unit,
}

#[derive(Clone, Copy, Debug)]
enum Unit {
    Second,
    Minute,
    Hour,
}

impl Unit {
    const ALL: [Self; 3] = [Self::Second, Self::Minute, Self::Hour];

    fn name(self) -> &'static str {
        match self {
            Self::Second => "s",
            Self::Minute => "min",
            Self::Hour => "h",
        }
    }

    fn seconds(self) -> u32 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3_600,
        }
    }
}

impl Rate {
    fn period(self) -> Duration {
        Duration::from_secs(self.unit.seconds().into())
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.requests, self.unit.name())
    }
}

impl FromStr for Rate {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let (requests, unit) = text.split_once('/')?;
            let unit = Unit::ALL.into_iter().find(|known| known.name() == unit)?;
            let requests: NonZeroU32 = requests.parse().ok()?;
            (requests.get() <= MOST_REQUESTS).then_some(Self { requests, unit })
        };
        read().ok_or("expected requests in a second, a minute or an hour: 10/s, 600/min, 1000/h")
    }
}

/// By what requests are counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Client {
    /// The name of a key.
    Key(String),
    /// An address; over IPv6 the network of it, in which one client may have all addresses.
    Address(IpAddr),
    /// All that are not counted apart.
    Others,
}

impl Client {
    pub(super) fn at(address: IpAddr) -> Self {
        /// The bits of an address that name its network.
        const NETWORK: u128 = !0 << 64;
        Self::Address(match address.to_canonical() {
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & NETWORK).into(),
            address @ IpAddr::V4(_) => address,
        })
    }
}

/// Counts the requests of clients, and refuses those above the limit.
pub(super) struct RateLimit {
    rate: Rate,
    limiter: RateLimiter<Client, HashMapStateStore<Client>, DefaultClock, StateInformationMiddleware>,
    most_clients: usize,
    pruned: Mutex<Instant>,
}

/// A request that was counted.
pub(crate) struct Counted {
    rate: Rate,
    left: u32,
    /// The time until the limit is whole again, or until the next request is allowed.
    wait: Duration,
    is_refused: bool,
}

impl RateLimit {
    pub(super) fn new(rate: Rate) -> Self {
        Self::with_clients(rate, MOST_CLIENTS)
    }

    fn with_clients(rate: Rate, most_clients: usize) -> Self {
        let quota = Quota::with_period(rate.period() / rate.requests.get());
        let quota = quota
            .expect("the time between two requests is not 0")
            .allow_burst(rate.requests);
        Self {
            rate,
            limiter: RateLimiter::hashmap(quota).with_middleware(),
            most_clients,
            pruned: Mutex::new(Instant::now()),
        }
    }

    /// Counts a request.
    pub(super) fn count(&self, client: Client) -> Counted {
        // The keys are as many as the file of keys has.
        let is_apart = matches!(client, Client::Key(_)) || self.has_room();
        let client = if is_apart { client } else { Client::Others };
        let rate = self.rate;
        match self.limiter.check_key(&client) {
            Ok(state) => {
                let left = state.remaining_burst_capacity();
                let used = rate.requests.get().saturating_sub(left);
                let wait = rate
                    .period()
                    .mul_f64(f64::from(used) / f64::from(rate.requests.get()));
                let is_refused = false;
                Counted {
                    rate,
                    left,
                    wait,
                    is_refused,
                }
            }
            Err(until) => Counted {
                rate,
                left: 0,
                wait: until.wait_time_from(DefaultClock::default().now()),
                is_refused: true,
            },
        }
    }

    /// Whether a further client can be counted. Forgets those that have been quiet for so long that their limit is whole again.
    fn has_room(&self) -> bool {
        if self.limiter.len() < self.most_clients {
            return true;
        }
        let mut pruned = self.pruned.lock().unwrap_or_else(PoisonError::into_inner);
        if pruned.elapsed() >= PRUNE_INTERVAL {
            self.limiter.retain_recent();
            *pruned = Instant::now();
        }
        self.limiter.len() < self.most_clients
    }
}

impl Counted {
    /// Why the request is refused, if it is.
    pub(crate) fn problem(&self) -> Option<Problem> {
        let (limit, wait) = (self.rate.to_string(), self.wait);
        self.is_refused.then_some(Problem::RateLimit { limit, wait })
    }

    /// Says in a response what the limit is, and what is left of it.
    pub(crate) fn add_to(&self, headers: &mut HeaderMap) {
        let (requests, seconds) = (self.rate.requests, self.rate.unit.seconds());
        let wait = self.wait.as_secs_f64().ceil();
        let texts = [
            (POLICY, format!("\"requests\";q={requests};w={seconds}")),
            (LEFT, format!("\"requests\";r={};t={wait}", self.left)),
        ];
        for (name, text) in texts {
            headers.insert(
                name,
                HeaderValue::from_str(&text).expect("numbers are allowed in headers"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(rate: &str, clients: usize) -> RateLimit {
        RateLimit::with_clients(rate.parse().unwrap(), clients)
    }

    #[test]
    fn each_client_has_a_limit_of_its_own() {
        let limit = limit("2/h", 10);
        let (one, two) = (Client::Key("one".to_owned()), Client::Key("two".to_owned()));
        assert_eq!(limit.count(one.clone()).left, 1);
        assert!(limit.count(one.clone()).problem().is_none());
        let refused = limit.count(one);
        let problem = refused.problem().unwrap().to_string();
        assert!(problem.contains("2/h"), "{problem}");
        assert!(refused.wait > Duration::from_mins(29) && refused.wait <= Duration::from_mins(30));
        assert!(limit.count(two).problem().is_none());
    }

    #[test]
    fn the_clients_that_are_counted_apart_are_bounded() {
        let limit = limit("2/h", 3);
        let at = |last: u8| Client::at([10, 0, 0, last].into());
        for last in 0..100 {
            limit.count(at(last));
        }
        // Those that found no room share one limit.
        assert!(limit.limiter.len() <= 4);
        assert!(limit.count(at(100)).problem().is_some());
        assert!(limit.count(Client::Key("one".to_owned())).problem().is_none());
    }

    #[test]
    fn addresses_of_one_network_and_of_one_machine_count_together() {
        let at = |text: &str| Client::at(text.parse().unwrap());
        assert_eq!(at("2001:db8::1"), at("2001:db8::ffff:2"));
        assert_ne!(at("2001:db8::1"), at("2001:db8:0:1::1"));
        assert_eq!(at("::ffff:10.0.0.1"), at("10.0.0.1"));
        assert_ne!(at("10.0.0.1"), at("10.0.0.2"));
    }

    #[test]
    fn a_rate_names_its_time() {
        for (text, seconds) in [("10/s", 1), ("600/min", 60), ("1000/h", 3_600)] {
            let rate: Rate = text.parse().unwrap();
            assert_eq!(
                (rate.period().as_secs(), rate.to_string()),
                (seconds, text.to_owned())
            );
        }
        for wrong in ["10", "0/s", "1000001/s", "10/d", "/s", "1.5/s", "-1/s", "10/s/s"] {
            assert!(wrong.parse::<Rate>().is_err(), "{wrong}");
        }
    }
}
