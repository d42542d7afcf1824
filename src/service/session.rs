//! Using a session: a token becomes a caller, as long as it was used often enough.
//!
//! A session ends after an idle time. The cache makes a call cheap; the ledger, which is written at
//! most once a minute, makes a session survive a restart. Tokens are known only by their hashes.

use super::oauth::TOKEN_SECONDS;
use super::{Caller, Service};
use crate::domain::origin::{FrontDoor, Origin};
use crate::ledger::readings::{Listed, ListedSession, SessionHandle, SessionPlace, SessionsQuery};
use crate::ledger::trail::Act;
use crate::ledger::{LedgerError, TokenHash, User};
use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::{Mutex, MutexGuard};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How old the written last use of a session may become while it is in use.
const WRITE_EVERY: TimeDelta = TimeDelta::minutes(1);
/// How many sessions are kept in memory; beyond it they are looked up again.
const CACHED_MAX: usize = 10_000;

/// Why a session gives no caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// There is no such session, or not any more.
    #[error("the session is unknown or has expired")]
    Invalid,
    /// The ledger gave no result.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Sessions that are in use.
#[derive(Debug)]
pub struct SessionCache {
    idle_max: TimeDelta,
    sessions: Mutex<HashMap<TokenHash, Cached>>,
    /// How often everything was forgotten.
    forgotten: AtomicU64,
}

#[derive(Debug, Clone)]
struct Cached {
    caller: Caller,
    last_used: DateTime<Utc>,
    last_written: DateTime<Utc>,
}

enum Use {
    Good { caller: Caller, write: bool },
    NotCached,
}

impl SessionCache {
    /// A cache for sessions that end after `idle_max` without use.
    pub fn new(idle_max: Duration) -> Self {
        let idle_max = TimeDelta::from_std(idle_max).unwrap_or(TimeDelta::hours(8));
        Self { idle_max, sessions: Mutex::default(), forgotten: AtomicU64::new(0) }
    }

    /// Knows no session any more: each is looked up again.
    pub(super) fn forget(&self) {
        let mut sessions = self.lock();
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        sessions.clear();
    }

    /// When a session must have been written last to be over at `now`, also where the cache knows
    /// less: what is written may be behind the last use.
    pub(super) fn surely_over_since(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        now - self.idle_max - WRITE_EVERY
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TokenHash, Cached>> {
        self.sessions.lock()
    }

    fn is_over(&self, last_used: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        now - last_used > self.idle_max
    }

    fn touch(&self, token: &TokenHash, now: DateTime<Utc>) -> Use {
        let mut sessions = self.lock();
        let Some(cached) = sessions.get_mut(token) else {
            return Use::NotCached;
        };
        if self.is_over(cached.last_used, now) {
            // Another node may have seen it in use since.
            sessions.remove(token);
            return Use::NotCached;
        }
        cached.last_used = cached.last_used.max(now);
        let write = now - cached.last_written >= WRITE_EVERY;
        if write {
            cached.last_written = now;
        }
        Use::Good { caller: cached.caller.clone(), write }
    }

    /// Keeps what was looked up since `forgotten` times of forgetting, unless that is not what the
    /// ledger says any more.
    fn insert(&self, token: TokenHash, cached: Cached, forgotten: u64) {
        let mut sessions = self.lock();
        if self.forgotten.load(Ordering::SeqCst) != forgotten {
            return;
        }
        if sessions.len() >= CACHED_MAX {
            sessions.clear();
        }
        sessions.insert(token, cached);
    }
}

impl Service {
    /// The caller behind a session token, whose idle time starts anew.
    pub async fn authenticate(&self, token: &str) -> Result<Caller, SessionError> {
        let token: TokenHash = Sha256::digest(token.as_bytes()).into();
        let now = self.clock.aged();
        match self.sessions.touch(&token, now) {
            Use::Good { caller, write } => {
                if write {
                    self.ledger.keep_session(token, now).await?;
                }
                Ok(caller)
            }
            Use::NotCached => self.recall(token, now).await,
        }
    }

    /// The name of the user whose session this is, whether it has expired or not. The session is
    /// not used by this, and a ledger that gives no result is not worth an error.
    pub async fn user_of(&self, token: &str) -> Option<Arc<str>> {
        let token: TokenHash = Sha256::digest(token.as_bytes()).into();
        let cached = self.sessions.lock().get(&token).map(|cached| cached.caller.username.clone());
        match cached {
            Some(username) => Some(username),
            None => {
                let stored = self.ledger.find_session(token).await.ok().flatten();
                stored.map(|stored| stored.user.username.as_str().into())
            }
        }
    }

    /// Sessions that may still be good and tokens that are, of the user of this name or of all,
    /// those used or issued last before others; from a place on, so many at most.
    pub async fn sessions(
        &self,
        username: Option<String>,
        from: Option<SessionPlace>,
        rows_max: u32,
    ) -> Result<Listed<ListedSession, SessionPlace>, LedgerError> {
        let good_at = self.clock.aged();
        let used_since = self.sessions.surely_over_since(good_at);
        let token_life = TimeDelta::seconds(TOKEN_SECONDS);
        let query = SessionsQuery { used_since, good_at, token_life, username, from, rows_max };
        self.ledger.list_sessions(query).await
    }

    /// Ends a session or a token for every call from now on; false where there is none of this
    /// name.
    pub async fn end_session(&self, handle: SessionHandle, act: Act) -> Result<bool, LedgerError> {
        // So that no test ledger is replaced meanwhile.
        let _turn = self.bench_turn.lock().await;
        let ended = self.ledger.end_session(handle, act).await;
        // Also after an unknown outcome: looking up again is always right.
        self.sessions.forget();
        self.tokens.forget();
        ended
    }

    /// Takes a session from the ledger into the cache, if it is still good.
    async fn recall(&self, token: TokenHash, now: DateTime<Utc>) -> Result<Caller, SessionError> {
        let forgotten = self.sessions.forgotten.load(Ordering::SeqCst);
        let stored = self.ledger.find_session(token).await?.ok_or(SessionError::Invalid)?;
        if self.sessions.is_over(stored.last_used, now) {
            return Err(SessionError::Invalid);
        }
        let stale = now - stored.last_used >= WRITE_EVERY;
        if stale {
            self.ledger.keep_session(token, now).await?;
        }
        let last_written = if stale { now } else { stored.last_used };
        let caller = caller_of(&stored.user);
        let cached = Cached { caller: caller.clone(), last_used: now, last_written };
        self.sessions.insert(token, cached, forgotten);
        Ok(caller)
    }
}

/// The caller that a user is.
pub(super) fn caller_of(user: &User) -> Caller {
    Caller {
        user: user.key,
        user_id: user.id.clone(),
        username: user.username.as_str().into(),
        permissions: user.permissions,
        orgs: user.orgs.clone(),
        origin: Origin::of(FrontDoor::Soap),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::sqlite::{LedgerSettings, OpenMode, OpenOptions, SqliteLedger};
    use crate::service::clock::Clock;
    use crate::service::seed::{self, Seed};
    use crate::service::{Ledger, ServiceSettings};
    use std::net::{IpAddr, Ipv4Addr};

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    async fn ledger() -> Arc<dyn Ledger> {
        let mode = OpenMode::CreateOrOpen { test: true };
        let options = OpenOptions { mode, id_seed: None, settings: LedgerSettings::default() };
        let ledger = SqliteLedger::temporary(&options).unwrap();
        let act = Act::of_start(DateTime::default());
        seed::load(&ledger, Seed::demo().unwrap(), act).await.unwrap();
        Arc::new(ledger)
    }

    /// A process that starts on the ledger so many seconds later.
    async fn process(ledger: &Arc<dyn Ledger>, second: i64) -> Arc<Service> {
        let clock = Clock::fixed(DateTime::from_timestamp(1_790_000_000 + second, 0).unwrap());
        Service::start(Arc::clone(ledger), clock, ServiceSettings::default()).await.unwrap()
    }

    fn advance(service: &Service, seconds: i64) {
        assert!(service.clock().advance(TimeDelta::seconds(seconds)));
    }

    #[tokio::test]
    async fn a_session_ends_after_its_idle_time_and_survives_restarts() {
        let ledger = ledger().await;
        let token =
            process(&ledger, 0).await.login("demo@example.com", "demo", HERE).await.unwrap();
        for second in [900, 1800, 2700] {
            assert!(process(&ledger, second).await.authenticate(&token).await.is_ok(), "{second}");
        }
        let late = process(&ledger, 2700 + 901).await.authenticate(&token).await;
        assert_eq!(late.unwrap_err(), SessionError::Invalid);
        let unknown = process(&ledger, 0).await.authenticate("nobody's").await;
        assert_eq!(unknown.unwrap_err(), SessionError::Invalid);
    }

    #[tokio::test]
    async fn a_session_ends_in_the_process_that_cached_it_as_well() {
        let service = process(&ledger().await, 0).await;
        let token = service.login("demo@example.com", "demo", HERE).await.unwrap();
        advance(&service, 900);
        assert!(service.authenticate(&token).await.is_ok());
        advance(&service, 901);
        assert_eq!(service.authenticate(&token).await.unwrap_err(), SessionError::Invalid);
    }

    #[tokio::test]
    async fn another_login_never_ends_a_session_in_use() {
        let ledger = ledger().await;
        let service = process(&ledger, 0).await;
        let token = service.login("demo@example.com", "demo", HERE).await.unwrap();
        // The last use is written once a minute, so the ledger may be 59 seconds behind.
        advance(&service, 59);
        assert!(service.authenticate(&token).await.is_ok());
        advance(&service, 890);
        service.login("demo@example.com", "demo", HERE).await.unwrap();
        assert!(service.authenticate(&token).await.is_ok());
        assert!(process(&ledger, 950).await.authenticate(&token).await.is_ok());
    }
}
