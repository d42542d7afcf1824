//! Logging in: a name and a password become a session.

use super::login_guard::{Attempt, Left, LoginGuard, Refused};
use super::password::HashMemory;
use super::session::caller_of;
use super::{Caller, Service, password};
use crate::ledger::{LedgerError, User};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;

/// How much of a name stands in the log.
const NAME_CHARS_LOGGED: usize = 64;

/// Why a login failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// There is no such user, or it has another password; callers do not learn which.
    #[error("user name and password do not match")]
    Mismatch,
    /// Too many wrong passwords came for this user or from this address. Nothing was looked at.
    #[error("too many wrong passwords came")]
    Refused,
    /// Too many other logins wait. Nothing was done.
    #[error("too many logins wait")]
    Busy,
    /// The ledger gave no result.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// A user, and the PHC string of what proves that a caller is it.
pub(super) struct Credential {
    pub(super) user: User,
    pub(super) hash: String,
}

impl Service {
    /// Opens a session and returns its token, 255 URL-safe characters. Older sessions stay good.
    pub async fn login(
        &self,
        username: &str,
        password: &str,
        from: IpAddr,
    ) -> Result<String, LoginError> {
        let user = self.verify(username, password, from, self.user_named(username)).await?;
        let now = self.clock.aged();
        let expired = self.sessions.surely_over_since(now);
        Ok(self.ledger.open_session(user.key, now, expired).await?)
    }

    /// The caller of this name and password, without a session: each call of such a client hashes.
    pub async fn identify(
        &self,
        username: &str,
        password: &str,
        from: IpAddr,
    ) -> Result<Caller, LoginError> {
        let found = self.user_named(username);
        Ok(caller_of(&self.verify(username, password, from, found).await?))
    }

    /// That a secret which is no user's was right, unless too many wrong ones came before from this
    /// address. They are counted under `name`.
    ///
    /// # Errors
    /// [`LoginError::Mismatch`] where it was wrong, [`LoginError::Refused`] unseen.
    pub async fn guard_secret(
        &self,
        name: &str,
        is_right: bool,
        from: IpAddr,
    ) -> Result<(), LoginError> {
        self.may_try(name, from).await?;
        if is_right {
            return Ok(());
        }
        self.note_mismatch(name, from).await;
        Err(LoginError::Mismatch)
    }

    async fn user_named(&self, username: &str) -> Result<Option<Credential>, LedgerError> {
        let user = self.ledger.find_user(username).await?;
        Ok(user.map(|user| Credential { hash: user.password_hash.clone(), user }))
    }

    /// The user behind a name, of a user or of an OAuth client, and its password or secret, within
    /// the turns that hashing has, and unless too many wrong ones came before. `found` is what the
    /// ledger has under the name.
    pub(super) async fn verify(
        &self,
        username: &str,
        password: &str,
        from: IpAddr,
        found: impl Future<Output = Result<Option<Credential>, LedgerError>>,
    ) -> Result<User, LoginError> {
        self.may_try(username, from).await?;
        let wait = Duration::from_millis(self.settings.login_wait_ms);
        let turn = Arc::clone(&self.hashing).acquire_owned();
        let Ok(Ok(turn)) = tokio::time::timeout(wait, turn).await else {
            return Err(LoginError::Busy);
        };
        let _attempt = self.attempt(username, from).await?;
        let found = found.await?;
        let memory = Arc::clone(&self.hash_memory);
        let verified = verified(found, password.to_owned(), memory, turn).await;
        if matches!(verified, Err(LoginError::Mismatch)) {
            self.note_mismatch(username, from).await;
        }
        verified
    }

    /// Notes a wrong password, and says so where logins are refused from now on.
    async fn note_mismatch(&self, username: &str, from: IpAddr) {
        if self.note_wrong(username, from).await {
            let user: String = username.chars().take(NAME_CHARS_LOGGED).collect();
            let seconds = self.settings.login_refused_s;
            tracing::warn!(?user, %from, seconds, "after many wrong passwords, logins are refused");
        }
    }
}

impl Service {
    /// Begins to look at a password. Others may have been wrong while this one waited, or may be
    /// wrong that are being looked at: where they would be too many, this one waits for them.
    async fn attempt(&self, username: &str, from: IpAddr) -> Result<Attempt<'_>, LoginError> {
        loop {
            let ended = self.login_guard.ended();
            let left = self.may_try(username, from).await?;
            if let Some(attempt) = self.login_guard.begin(username, from, left) {
                return Ok(attempt);
            }
            ended.await;
        }
    }

    /// Refuses a login that may not even be looked at now; how many more may be wrong.
    async fn may_try(&self, username: &str, from: IpAddr) -> Result<Left, LoginError> {
        let checked = match self.ledger.sharing() {
            None => self.login_guard.check(username, from, self.clock.passing()),
            Some(sharing) => {
                let (guard, by) = (&self.login_guard, LoginGuard::counted_by(username, from));
                let wrong = sharing.wrong_logins(by, guard.window(), guard.most()).await?;
                guard.check_all(username, from, &wrong, self.clock.passing())
            }
        };
        checked.map_err(|Refused { seconds }| {
            tracing::debug!(%from, seconds, "a login is refused unseen");
            LoginError::Refused
        })
    }

    /// Notes a wrong password; whether the pair is refused from now on.
    async fn note_wrong(&self, username: &str, from: IpAddr) -> bool {
        let Some(sharing) = self.ledger.sharing() else {
            return self.login_guard.note_wrong(username, from, self.clock.passing());
        };
        let by = LoginGuard::counted_by(username, from);
        let noted = sharing.note_wrong_login(by, self.login_guard.window()).await;
        if let Err(error) = noted {
            tracing::warn!(%error, "a wrong password was not noted");
        }
        matches!(self.may_try(username, from).await, Err(LoginError::Refused))
    }
}

/// The user, if `password` is its own. Hashing takes long, so it happens off the async threads,
/// where it cannot be interrupted: the turn is given back when it ends, not when its caller goes
/// away.
async fn verified(
    found: Option<Credential>,
    password: String,
    memory: Arc<HashMemory>,
    turn: OwnedSemaphorePermit,
) -> Result<User, LoginError> {
    let check = move || {
        let _turn = turn;
        let stored = found.as_ref().map(|found| found.hash.as_str());
        password::verify(&password, stored, &memory).then_some(found).flatten()
    };
    // A hash that did not come to its end (no memory, say) says nothing about the password.
    let checked = tokio::task::spawn_blocking(check).await.map_err(|_| LoginError::Busy)?;
    checked.map(|found| found.user).ok_or(LoginError::Mismatch)
}
