//! Users and their sessions, OAuth clients and their tokens.

use crate::domain::id::ObjectId;
use crate::domain::permission::Permissions;
use crate::ledger::record::{Lookup, Record, record};
use crate::ledger::{TokenHash, UserKey};
use chrono::{DateTime, Utc};

record! {
    /// A user, by name.
    User in "user" of UserRow [
        /// Its key.
        key: UserKey,
    ] {
        /// Its id.
        id: ObjectId,
        /// Its name.
        username: String,
    }
}

record! {
    /// A user, whole.
    UserRow in "user" [
        /// Its key.
        key: UserKey,
    ] {
        /// Its id.
        id: ObjectId,
        /// Its name.
        username: String,
        /// The PHC string of its password.
        password_hash: String,
        /// What it may do.
        permissions: Permissions,
        /// Whether it is shut out.
        is_disabled: bool,
        /// Which permissions were asked about when its own were last said.
        permissions_said: Permissions,
        /// Which of them an operator has changed since: there, a seed gives way.
        permissions_by_operator: Permissions,
        /// The orgs that it may name, a JSON array; none where nothing says any.
        orgs: Option<String>,
    }
}

impl From<&UserRow> for User {
    fn from(row: &UserRow) -> Self {
        Self { key: row.key, id: row.id.clone(), username: row.username.clone() }
    }
}

/// A user by its name.
pub static USER_BY_NAME: Lookup = Lookup::new(UserRow::TABLE, &["username"]);
/// Every user.
pub static USERS: Lookup = Lookup::new(UserRow::TABLE, &[]);

record! {
    /// A session.
    SessionRow in "session" [
        /// The SHA-256 of its token.
        token_hash: TokenHash,
    ] {
        /// Whose it is.
        user: UserKey,
        /// When it was last used.
        last_used_ms: DateTime<Utc>,
    }
}

/// Every session.
pub static SESSIONS: Lookup = Lookup::new(SessionRow::TABLE, &[]);
/// The sessions of a user.
pub static SESSION_BY_USER: Lookup = Lookup::new(SessionRow::TABLE, &["user"]);
/// Sessions by when they were last used.
pub static SESSION_BY_LAST_USE: Lookup = Lookup::new(SessionRow::TABLE, &["last_used_ms"]);

record! {
    /// An OAuth client.
    ClientRow in "oauth_client" [
        /// Its id of 36 characters.
        id: String,
    ] {
        /// The PHC string of its secret.
        secret_hash: String,
        /// As whom it calls.
        user: UserKey,
    }
}

record! {
    /// A token that was issued to a client.
    TokenRow in "oauth_token" [
        /// Its SHA-256.
        token_hash: TokenHash,
    ] {
        /// The client.
        client: String,
        /// When it ends.
        ends_ms: DateTime<Utc>,
    }
}

/// Every token.
pub static ISSUED: Lookup = Lookup::new(TokenRow::TABLE, &[]);
/// Tokens by when they end.
pub static TOKEN_BY_END: Lookup = Lookup::new(TokenRow::TABLE, &["ends_ms"]);
