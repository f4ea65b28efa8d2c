//! Decides whether a request may call an operation, and counts it.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use axum::extract::Request;
use axum::http::{HeaderMap, Method};
use headers::authorization::Bearer;
use headers::{Authorization, HeaderMapExt as _};
use ipnet::IpNet;

use crate::api::guard::client_address::{PeerAddress, client_address};
use crate::api::guard::cookie;
use crate::api::guard::keys::{Key, Keys};
use crate::api::guard::needed_scope::METRICS;
use crate::api::guard::rate_limit::{Client, Counted, Rate, RateLimit};
use crate::api::guard::sessions::Sessions;
use crate::api::problem::Problem;

/// Decides who may call which operation. All clones share the keys, the sessions and the counts of requests. The default has no
/// keys and no limit: everybody may call everything.
#[derive(Clone, Default)]
pub struct Guard {
    keys: Option<Arc<RwLock<Keys>>>,
    sessions: Arc<Sessions>,
    has_open_metrics: bool,
    limit: Option<Arc<RateLimit>>,
    proxies: Arc<[IpNet]>,
}

impl Guard {
    /// A guard that wants one of these keys.
    #[must_use]
    pub fn with_keys(keys: Keys) -> Self {
        Self {
            keys: Some(Arc::new(RwLock::new(keys))),
            ..Self::default()
        }
    }

    /// The same guard; the metrics need no key.
    #[must_use]
    pub fn with_open_metrics(self) -> Self {
        Self {
            has_open_metrics: true,
            ..self
        }
    }

    /// The same guard; each key, or each address without keys, may send so many requests.
    #[must_use]
    pub fn with_rate_limit(self, rate: Rate) -> Self {
        Self {
            limit: Some(Arc::new(RateLimit::new(rate))),
            ..self
        }
    }

    /// The same guard; these proxies say which address a request came from.
    #[must_use]
    pub fn with_trusted_proxies(self, proxies: &[IpNet]) -> Self {
        Self {
            proxies: proxies.into(),
            ..self
        }
    }

    /// Replaces the keys. The sessions of keys that are gone end.
    pub fn replace_keys(&self, keys: Keys) {
        if let Some(current) = &self.keys {
            *current.write().unwrap_or_else(PoisonError::into_inner) = keys;
        }
    }

    /// Whether an operation needs no key here.
    pub(crate) fn is_open(&self, method: &Method, path: &str) -> bool {
        self.keys.is_none() || (self.has_open_metrics && path == METRICS && method.is_safe())
    }

    /// The key of a request, by its header or by the session of its cookie.
    pub(crate) fn key_of(&self, headers: &HeaderMap) -> Result<Arc<Key>, Problem> {
        if headers.typed_get::<Authorization<Bearer>>().is_some() {
            return self.key_in_header(headers);
        }
        let token = cookie::token(headers).ok_or(Problem::NoKey)?;
        let digest = self.sessions.key_of(&token, Instant::now());
        // The file may have lost the key since, or given it another scope.
        let key = digest.and_then(|digest| self.find(|keys| keys.with_digest(digest)));
        key.ok_or(Problem::SessionEnded)
    }

    /// Begins a session of the key in the header, and returns its token; `None` if there are no keys.
    pub(crate) fn begin_session(&self, headers: &HeaderMap) -> Result<Option<String>, Problem> {
        if self.keys.is_none() {
            return Ok(None);
        }
        let key = self.key_in_header(headers)?;
        let token = self.sessions.begin(key.digest, Instant::now());
        token.map(Some).map_err(|error| Problem::Internal {
            reason: format!("no random numbers for a session: {error}"),
        })
    }

    /// Ends the session of a request, if it has one.
    pub(crate) fn end_session(&self, headers: &HeaderMap) {
        if let Some(token) = cookie::token(headers) {
            self.sessions.end(&token);
        }
    }

    /// Counts a request of this key, or of the client's address; `None` if there is no limit.
    pub(crate) fn count(&self, key: Option<&Key>, request: &Request) -> Option<Counted> {
        let limit = self.limit.as_ref()?;
        let peer = request.extensions().get::<PeerAddress>();
        let address = peer.map(|peer| client_address(peer.0, request.headers(), &self.proxies));
        let client = match key {
            Some(key) => Client::Key(key.name.clone()),
            None => address.map_or(Client::Others, Client::at),
        };
        Some(limit.count(client))
    }

    fn key_in_header(&self, headers: &HeaderMap) -> Result<Arc<Key>, Problem> {
        let sent = headers.typed_get::<Authorization<Bearer>>();
        let sent = sent.ok_or(Problem::NoKey)?;
        self.find(|keys| keys.find(sent.token()))
            .ok_or(Problem::UnknownKey)
    }

    fn find(&self, of: impl FnOnce(&Keys) -> Option<Arc<Key>>) -> Option<Arc<Key>> {
        let keys = self.keys.as_ref()?;
        of(&keys.read().unwrap_or_else(PoisonError::into_inner))
    }
}
