//! OAuth: a client's id and secret become a token, and a token becomes a caller, for an hour.
//!
//! Source: "Create an OAuth token" of the vendor's REST reference. What must stay true: tokens and
//! secrets are known only by their hashes; a token ends with its client and with its client's user;
//! wrong secrets are counted by the same guard as wrong passwords.

use super::login::{Credential, LoginError};
use super::session::{SessionError, caller_of};
use super::{Caller, Service};
use crate::ledger::TokenHash;
use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::{Mutex, MutexGuard};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::net::IpAddr;

/// How long a token is good, in seconds. The vendor's are good for an hour.
pub const TOKEN_SECONDS: i64 = 3_599;
/// How many tokens are kept in memory; beyond it they are looked up again.
const CACHED_MAX: usize = 10_000;

/// Tokens that are in use, and when they end.
#[derive(Debug, Default)]
pub(super) struct TokenCache(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    tokens: HashMap<TokenHash, (Caller, DateTime<Utc>)>,
    /// How often everything was forgotten.
    forgotten: u64,
}

impl TokenCache {
    /// Knows no token any more: each is looked up again.
    pub(super) fn forget(&self) {
        let mut known = self.lock();
        known.tokens.clear();
        known.forgotten += 1;
    }

    /// The caller behind a token that is good at `now`; for what is not known, how often everything
    /// was forgotten.
    fn caller(&self, token: &TokenHash, now: DateTime<Utc>) -> Result<Caller, u64> {
        let known = self.lock();
        let found = known.tokens.get(token).filter(|(_, ends)| now < *ends);
        found.map(|(caller, _)| caller.clone()).ok_or(known.forgotten)
    }

    /// Keeps what was looked up since `forgotten` times of forgetting, unless that is not what the
    /// ledger says any more.
    fn keep(&self, token: TokenHash, caller: Caller, ends: DateTime<Utc>, forgotten: u64) {
        let mut known = self.lock();
        if known.forgotten != forgotten {
            return;
        }
        if known.tokens.len() >= CACHED_MAX {
            known.tokens.clear();
        }
        known.tokens.insert(token, (caller, ends));
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock()
    }
}

impl Service {
    /// Issues a token to a client that proves its secret.
    pub async fn issue_token(
        &self,
        client: &str,
        secret: &str,
        from: IpAddr,
    ) -> Result<String, LoginError> {
        let found = async {
            let client = self.ledger.find_client(client).await?;
            Ok(client.map(|client| Credential { user: client.user, hash: client.secret_hash }))
        };
        self.verify(client, secret, from, found).await?;
        let now = self.clock.aged();
        let ends = now + TimeDelta::seconds(TOKEN_SECONDS);
        Ok(self.ledger.issue_token(client.to_owned(), now, ends).await?)
    }

    /// The caller behind a token.
    pub async fn bearer(&self, token: &str) -> Result<Caller, SessionError> {
        let hash: TokenHash = Sha256::digest(token.as_bytes()).into();
        let now = self.clock.aged();
        let forgotten = match self.tokens.caller(&hash, now) {
            Ok(caller) => return Ok(caller),
            Err(forgotten) => forgotten,
        };
        let stored = self.ledger.find_token(hash).await?.ok_or(SessionError::Invalid)?;
        if now >= stored.ends {
            return Err(SessionError::Invalid);
        }
        let caller = caller_of(&stored.user);
        self.tokens.keep(hash, caller.clone(), stored.ends, forgotten);
        Ok(caller)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::ObjectId;
    use crate::domain::origin::{FrontDoor, Origin};
    use crate::domain::permission::Permissions;
    use crate::ledger::UserKey;

    /// Regression: a token that was looked up while its user was disabled stayed good for an hour.
    #[test]
    fn what_was_looked_up_before_everything_was_forgotten_is_not_kept() {
        let cache = TokenCache::default();
        let (token, now) = ([7; 32], DateTime::from_timestamp(1_790_000_000, 0).unwrap());
        let ends = now + TimeDelta::seconds(TOKEN_SECONDS);
        let caller = Caller {
            user: UserKey(1),
            user_id: ObjectId::parse(&"1".repeat(32)).unwrap(),
            username: "demo".into(),
            permissions: Permissions::all(),
            orgs: None,
            origin: Origin::of(FrontDoor::Rest),
        };
        let forgotten = cache.caller(&token, now).unwrap_err();
        cache.forget();
        cache.keep(token, caller.clone(), ends, forgotten);
        let forgotten = cache.caller(&token, now).unwrap_err();
        cache.keep(token, caller, ends, forgotten);
        assert!(cache.caller(&token, ends - TimeDelta::seconds(1)).is_ok());
        assert!(cache.caller(&token, ends).is_err());
    }
}
