//! Who is logged in to the console.
//!
//! What must stay true: an id is 256 random bits, leaves once, in a cookie, and is kept only as a
//! hash; a session ends after a time without use and after a time at all; how many there are is
//! bounded, and one that is opened beyond that ends the one that was not used for longest. They are
//! this process's own and gone at its end.

use crate::domain::hex::hex;
use crate::http::Visit;
use crate::ledger::UserKey;
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a session lasts without being used.
const IDLE_MAX: Duration = Duration::from_secs(30 * 60);
/// How long it lasts at all.
const AGE_MAX: Duration = Duration::from_secs(12 * 60 * 60);
/// How many there are at most.
const SESSIONS_MAX: usize = 256;
/// How many random bytes an id is made of.
const ID_BYTES: usize = 32;

/// SHA-256 of a session's id.
type Key = [u8; 32];

/// Who opened a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Holder {
    /// One who showed the token of the admin API.
    Token,
    /// A user of the ledger.
    User {
        username: Arc<str>,
        key: UserKey,
        /// SHA-256 of what its password was kept as, by which a new password ends the session.
        password: [u8; 32],
    },
}

struct Session {
    holder: Holder,
    began: Instant,
    used: Instant,
    /// What is to be said on the next page.
    notice: Option<String>,
}

/// A session that is open.
#[derive(Debug, Clone)]
pub(super) struct Open {
    key: Key,
    pub(super) holder: Holder,
    /// What the session's own forms carry.
    pub(super) csrf: String,
}

/// The sessions that are open.
#[derive(Default)]
pub(super) struct Sessions {
    open: Mutex<HashMap<Key, Session>>,
}

impl Sessions {
    /// Opens a session and returns its id; none where there is no randomness to be had.
    pub(super) fn open(&self, holder: Holder) -> Option<String> {
        self.open_at(holder, Instant::now())
    }

    fn open_at(&self, holder: Holder, now: Instant) -> Option<String> {
        let mut bytes = [0; ID_BYTES];
        getrandom::fill(&mut bytes).ok()?;
        let id = hex(&bytes);
        let mut open = self.open.lock();
        open.retain(|_, session| !session.is_over(now));
        if open.len() >= SESSIONS_MAX {
            let oldest = open.iter().min_by_key(|(_, session)| session.used).map(|(key, _)| *key);
            oldest.and_then(|key| open.remove(&key));
        }
        open.insert(key_of(&id), Session { holder, began: now, used: now, notice: None });
        Some(id)
    }

    /// Whether the cookie of a request is that of an open session.
    pub(super) fn has(&self, visit: &Visit) -> bool {
        self.find(visit, false).is_some()
    }

    /// The session of a request; `is_use` says whether its idle time starts anew.
    pub(super) fn find(&self, visit: &Visit, is_use: bool) -> Option<Open> {
        self.find_at(&cookie(visit)?, is_use, Instant::now())
    }

    fn find_at(&self, id: &str, is_use: bool, now: Instant) -> Option<Open> {
        let key = key_of(id);
        let mut open = self.open.lock();
        let session = open.get_mut(&key)?;
        if session.is_over(now) {
            open.remove(&key);
            return None;
        }
        if is_use {
            session.used = now;
        }
        let csrf = hex(&Sha256::digest(["csrf of ", id].concat()));
        Some(Open { key, holder: session.holder.clone(), csrf })
    }

    /// Ends a session.
    pub(super) fn end(&self, session: &Open) {
        self.open.lock().remove(&session.key);
    }

    /// Has something said on the next page of a session.
    pub(super) fn leave_notice(&self, session: &Open, text: String) {
        if let Some(session) = self.open.lock().get_mut(&session.key) {
            session.notice = Some(text);
        }
    }

    /// What is to be said on this page of a session.
    pub(super) fn take_notice(&self, session: &Open) -> Option<String> {
        self.open.lock().get_mut(&session.key)?.notice.take()
    }
}

impl Session {
    fn is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.used) > IDLE_MAX
            || now.saturating_duration_since(self.began) > AGE_MAX
    }
}

fn key_of(id: &str) -> Key {
    Sha256::digest(id.as_bytes()).into()
}

/// The name of the cookie: gateways on other ports of a host have their own, because cookies do
/// not know ports.
fn cookie_name(visit: &Visit) -> String {
    let port = visit.host.rsplit_once(':').map_or("", |(_, port)| port);
    let port: String = port.chars().filter(char::is_ascii_digit).collect();
    format!("refund-gateway-console-{port}")
}

/// The id in the cookie of a request.
fn cookie(visit: &Visit) -> Option<String> {
    let name = cookie_name(visit);
    let cookies = visit.headers.get("cookie")?.split(';');
    let mut pairs = cookies.filter_map(|cookie| cookie.trim().split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value.to_owned())
}

/// The header that gives the browser the id of a session, or takes it away.
pub(super) fn set_cookie(visit: &Visit, id: Option<&str>) -> String {
    let (name, value) = (cookie_name(visit), id.unwrap_or_default());
    let end = if id.is_none() { "; Max-Age=0" } else { "" };
    let secure = if visit.scheme == "https" { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_without_use_and_at_its_age() {
        let (sessions, start) = (Sessions::default(), Instant::now());
        let id = sessions.open_at(Holder::Token, start).unwrap();
        assert!(sessions.find_at("another", true, start).is_none());
        assert!(sessions.find_at(&id, false, start + IDLE_MAX).is_some());
        assert!(sessions.find_at(&id, true, start + IDLE_MAX + Duration::from_secs(1)).is_none());
        let id = sessions.open_at(Holder::Token, start).unwrap();
        let mut now = start;
        while now < start + AGE_MAX {
            now += IDLE_MAX;
            let is_open = sessions.find_at(&id, true, now).is_some();
            assert_eq!(is_open, now <= start + AGE_MAX);
        }
        assert!(sessions.find_at(&id, true, now + Duration::from_secs(1)).is_none());
    }

    #[test]
    fn one_too_many_ends_the_one_that_was_not_used_for_longest() {
        let (sessions, start) = (Sessions::default(), Instant::now());
        let at = |second: usize| start + Duration::from_secs(second as u64);
        let ids: Vec<String> = (0..SESSIONS_MAX)
            .map(|second| sessions.open_at(Holder::Token, at(second)).unwrap())
            .collect();
        assert!(sessions.find_at(&ids[0], true, at(SESSIONS_MAX)).is_some());
        sessions.open_at(Holder::Token, at(SESSIONS_MAX)).unwrap();
        assert_eq!(sessions.open.lock().len(), SESSIONS_MAX);
        assert!(sessions.find_at(&ids[1], true, at(SESSIONS_MAX)).is_none());
        assert!(sessions.find_at(&ids[0], true, at(SESSIONS_MAX)).is_some());
    }
}
