//! Finding users and sessions.

use super::rows::known;
use crate::domain::id::ObjectId;
use crate::domain::permission::Permissions;
use crate::ledger::{StoredSession, TokenHash, User, UserKey};
use chrono::DateTime;
use rusqlite::{Connection, OptionalExtension, Row, params};

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
