//! Users and sessions. A session's token leaves the ledger once and is kept only as a hash.

use super::rows::known;
use super::store::Store;
use crate::domain::id::ObjectId;
use crate::domain::permission::Permissions;
use crate::ledger::{StoredSession, TokenHash, User, UserKey};
use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row, params};
use sha2::{Digest, Sha256};

/// The user of this name, unless it is shut out.
pub(super) fn find_user(connection: &Connection, username: &str) -> rusqlite::Result<Option<User>> {
    let select = "select key, id, username, password_hash, permissions, \
                  (select value = 'test' from meta where key = 'kind') \
                  from user where username = ?1 and is_disabled = 0";
    connection.prepare_cached(select)?.query_row(params![username], read_user).optional()
}

/// A user with what it may do on a ledger of this kind.
fn read_user(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        key: UserKey(row.get(0)?),
        id: known(row, 1, ObjectId::parse)?,
        username: row.get(2)?,
        password_hash: row.get(3)?,
        permissions: Permissions::from_bits(row.get(4)?)
            .on_ledger(row.get::<_, Option<bool>>(5)?.unwrap_or(false)),
    })
}

/// Opens a session, gives its token, and forgets those that have expired.
pub(super) fn open_session(
    store: &mut Store,
    user: UserKey,
    at: DateTime<Utc>,
    expired: DateTime<Utc>,
) -> rusqlite::Result<String> {
    let token = store.next_session_token()?;
    let hash: TokenHash = Sha256::digest(token.as_bytes()).into();
    // A few at a time: clients that log in before every call leave very many.
    let forget = "delete from session where token_hash in (select token_hash from session \
                  where last_used_ms < ?1 limit 100)";
    store.connection().prepare_cached(forget)?.execute(params![expired.timestamp_millis()])?;
    let insert = "insert into session (token_hash, user, last_used_ms) values (?1, ?2, ?3)";
    store.connection().prepare_cached(insert)?.execute(params![
        hash,
        user.0,
        at.timestamp_millis()
    ])?;
    Ok(token)
}

/// The session of this token, whatever its age, unless its user is shut out.
pub(super) fn find_session(
    connection: &Connection,
    token: &TokenHash,
) -> rusqlite::Result<Option<StoredSession>> {
    let select = "select user.key, user.id, user.username, user.password_hash, \
                  user.permissions, (select value = 'test' from meta where key = 'kind'), \
                  session.last_used_ms \
                  from session join user on user.key = session.user \
                  where token_hash = ?1 and user.is_disabled = 0";
    connection
        .prepare_cached(select)?
        .query_row(params![token], |row| {
            let last_used = DateTime::from_timestamp_millis(row.get(6)?).unwrap_or_default();
            Ok(StoredSession { user: read_user(row)?, last_used })
        })
        .optional()
}

/// Notes that a session was used; never backwards.
pub(super) fn keep_session(
    store: &mut Store,
    token: &TokenHash,
    at: DateTime<Utc>,
) -> rusqlite::Result<()> {
    let update = "update session set last_used_ms = max(last_used_ms, ?2) where token_hash = ?1";
    store.connection().prepare_cached(update)?.execute(params![token, at.timestamp_millis()])?;
    Ok(())
}
