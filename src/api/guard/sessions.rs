//! The sessions of browsers, which stand for a key where a page cannot send a header: `<img>`, links and downloads.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::api::guard::digest::Digest;
use crate::api::guard::new_key::random_text;

/// How long a session lasts. Then the page asks for the key again.
pub(super) const LIFETIME: Duration = Duration::from_hours(12);

/// The most sessions of one key. A further one ends the oldest.
const MOST_OF_KEY: usize = 100;

/// The most sessions of all keys. A further one ends the oldest.
const MOST: usize = 1_000;

/// The open sessions, the oldest first. They are in memory only, so they end when the service does.
#[derive(Default)]
pub(super) struct Sessions(Mutex<VecDeque<Session>>);

struct Session {
    token: Digest,
    key: Digest,
    ends: Instant,
}

impl Sessions {
    /// Begins a session of a key, and returns its token.
    pub(super) fn begin(&self, key: Digest, now: Instant) -> std::io::Result<String> {
        let token = random_text()?;
        let mut sessions = self.lock();
        sessions.retain(|session| session.ends > now);
        if sessions.iter().filter(|session| session.key == key).count() >= MOST_OF_KEY {
            let oldest = sessions.iter().position(|session| session.key == key);
            oldest.and_then(|index| sessions.remove(index));
        }
        if sessions.len() >= MOST {
            sessions.pop_front();
        }
        sessions.push_back(Session {
            token: Digest::of(&token),
            key,
            ends: now + LIFETIME,
        });
        Ok(token)
    }

    /// The key of the session with this token.
    pub(super) fn key_of(&self, token: &str, now: Instant) -> Option<Digest> {
        let token = Digest::of(token);
        let sessions = self.lock();
        let mut open = sessions.iter().filter(|session| session.ends > now);
        open.find(|session| session.token == token)
            .map(|session| session.key)
    }

    /// Ends the session with this token.
    pub(super) fn end(&self, token: &str) {
        let token = Digest::of(token);
        self.lock().retain(|session| session.token != token);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_after_its_lifetime() {
        let (sessions, key, now) = (Sessions::default(), Digest::of("key"), Instant::now());
        let token = sessions.begin(key, now).unwrap();
        let last = now + LIFETIME.saturating_sub(Duration::from_secs(1));
        assert!(sessions.key_of(&token, last).is_some_and(|found| found == key));
        assert!(sessions.key_of(&token, now + LIFETIME).is_none());
        assert!(sessions.key_of("another", now).is_none());
    }

    #[test]
    fn the_number_of_sessions_is_bounded_for_each_key_and_for_all() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        let other = sessions.begin(Digest::of("other"), now).unwrap();
        let begun: Vec<String> = (0..=MOST_OF_KEY)
            .map(|_| sessions.begin(Digest::of("key"), now).unwrap())
            .collect();
        assert!(sessions.key_of(&begun[0], now).is_none());
        assert!(sessions.key_of(&begun[1], now).is_some() && sessions.key_of(&other, now).is_some());
        for key in 0..MOST {
            sessions.begin(Digest::of(&key.to_string()), now).unwrap();
        }
        assert!(sessions.key_of(&other, now).is_none());
        assert_eq!(sessions.lock().len(), MOST);
    }
}
