//! Who may call: users, their sessions, OAuth clients and their tokens.
//!
//! What must stay true: a token leaves the ledger once and is kept only as a hash; who is shut out
//! is not found by anything here.

use super::{Reply, UserKey};
use crate::domain::id::ObjectId;
use crate::domain::permission::Permissions;
use chrono::{DateTime, Utc};
use std::fmt;
use std::sync::Arc;

/// A user, as the login needs it.
#[derive(Clone)]
pub struct User {
    /// Its key.
    pub key: UserKey,
    /// Its id, as clients see it.
    pub id: ObjectId,
    /// Its name, which is also its e-mail address.
    pub username: String,
    /// The PHC string of its password.
    pub password_hash: String,
    /// What it may do.
    pub permissions: Permissions,
    /// The orgs that it may name; none where nothing says any.
    pub orgs: Option<Orgs>,
}

/// The ids of orgs.
pub type Orgs = Arc<[String]>;

impl fmt::Debug for User {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = out.debug_struct("User");
        out.field("key", &self.key).field("username", &self.username).finish_non_exhaustive()
    }
}

/// SHA-256 of a session's token: the only form in which the ledger knows it.
pub type TokenHash = [u8; 32];

/// A session as the ledger keeps it.
#[derive(Debug, Clone)]
pub struct StoredSession {
    /// Whose it is.
    pub user: User,
    /// When it was last used, at most a minute ago when it is in use.
    pub last_used: DateTime<Utc>,
}

/// An OAuth client, as the ledger keeps it.
#[derive(Debug, Clone)]
pub struct StoredClient {
    /// As whom it calls.
    pub user: User,
    /// The PHC string of its secret.
    pub secret_hash: String,
}

/// A token of an OAuth client.
#[derive(Debug, Clone)]
pub struct StoredToken {
    /// As whom its client calls.
    pub user: User,
    /// When it ends.
    pub ends: DateTime<Utc>,
}

/// Finding callers, and letting them in.
pub trait Sessions: Send + Sync {
    /// The user of this name, letter for letter, unless it is shut out.
    fn find_user(&self, username: &str) -> Reply<Option<User>>;

    /// Opens a session and returns its token: 255 URL-safe characters, kept here only as a hash.
    /// Sessions that were last used before `expired` are forgotten on the way.
    fn open_session(
        &self,
        user: UserKey,
        at: DateTime<Utc>,
        expired: DateTime<Utc>,
    ) -> Reply<String>;

    /// The session of this token, whatever its age.
    fn find_session(&self, token: TokenHash) -> Reply<Option<StoredSession>>;

    /// Notes that a session was used.
    fn keep_session(&self, token: TokenHash, at: DateTime<Utc>) -> Reply<()>;

    /// The OAuth client of this id, letter for letter, unless its user is shut out.
    fn find_client(&self, id: &str) -> Reply<Option<StoredClient>>;

    /// Issues a token to a client, good until `ends`: 255 URL-safe characters, kept here only as a
    /// hash. Tokens that ended before `at` are forgotten on the way.
    fn issue_token(&self, client: String, at: DateTime<Utc>, ends: DateTime<Utc>) -> Reply<String>;

    /// The token of this hash, whether it has ended or not.
    fn find_token(&self, token: TokenHash) -> Reply<Option<StoredToken>>;
}
