//! Logging in: a name and a password become a session.

use super::password::HashMemory;
use super::session::caller_of;
use super::{Caller, Service, password};
use crate::ledger::{LedgerError, User};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;

/// Why a login failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// There is no such user, or it has another password; nobody learns which.
    #[error("user name and password do not match")]
    Mismatch,
    /// Too many other logins wait. Nothing was done.
    #[error("too many logins wait")]
    Busy,
    /// The ledger gave no result.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Service {
    /// Opens a session and returns its token, 255 URL-safe characters. Older sessions stay good.
    pub async fn login(&self, username: &str, password: &str) -> Result<String, LoginError> {
        let user = self.verify(username, password).await?;
        let now = self.clock.now();
        let expired = self.sessions.surely_over_since(now);
        Ok(self.ledger.open_session(user.key, now, expired).await?)
    }

    /// The caller of this name and password, without a session: each call of such a client hashes.
    pub async fn identify(&self, username: &str, password: &str) -> Result<Caller, LoginError> {
        Ok(caller_of(&self.verify(username, password).await?))
    }

    /// The user of this name and password, within the turns that hashing has.
    async fn verify(&self, username: &str, password: &str) -> Result<User, LoginError> {
        let wait = Duration::from_millis(self.settings.login_wait_ms);
        let turn = Arc::clone(&self.hashing).acquire_owned();
        let Ok(Ok(turn)) = tokio::time::timeout(wait, turn).await else {
            return Err(LoginError::Busy);
        };
        let user = self.ledger.find_user(username).await?;
        let memory = Arc::clone(&self.hash_memory);
        verified(user, password.to_owned(), memory, turn).await
    }
}

/// The user, if `password` is its own. Hashing takes long, so it happens off the async threads,
/// where it cannot be interrupted: the turn is given back when it ends, not when nobody waits.
async fn verified(
    user: Option<User>,
    password: String,
    memory: Arc<HashMemory>,
    turn: OwnedSemaphorePermit,
) -> Result<User, LoginError> {
    let check = move || {
        let _turn = turn;
        let stored = user.as_ref().map(|user| user.password_hash.as_str());
        password::verify(&password, stored, &memory).then_some(user).flatten()
    };
    // A hash that did not come to its end (no memory, say) says nothing about the password.
    let checked = tokio::task::spawn_blocking(check).await.map_err(|_| LoginError::Busy)?;
    checked.ok_or(LoginError::Mismatch)
}
