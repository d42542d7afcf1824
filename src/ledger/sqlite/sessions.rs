//! Finding users, sessions, OAuth clients and tokens.

use super::rows::known;
use super::sums;
use crate::domain::id::ObjectId;
use crate::domain::permission::Permissions;
use crate::ledger::record::Record;
use crate::ledger::records::{ClientRow, SessionRow, TokenRow, UserRow};
use crate::ledger::{Orgs, StoredClient, StoredSession, StoredToken, TokenHash, User, UserKey};
use chrono::DateTime;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};

/// The column of a user's orgs.
const ORGS: usize = 8;
/// The first column behind those of a user.
const FURTHER: usize = 11;

/// The beginning of a statement that selects a user, as [`read_user`] reads one; what follows are
/// further columns and the tables.
macro_rules! select_user {
    ($rest:literal) => {
        concat!(
            "select user.key, user.id, user.username, user.password_hash, user.permissions, ",
            "user.is_disabled, user.permissions_said, user.permissions_by_operator, user.orgs, ",
            "user.sum, (select value = 'test' from meta where key = 'kind')",
            $rest
        )
    };
}

/// The user of this name, unless it is shut out.
pub(super) fn find_user(connection: &Connection, username: &str) -> rusqlite::Result<Option<User>> {
    let select = select_user!(" from user where username = ?1 and is_disabled = 0");
    connection.prepare_cached(select)?.query_row(params![username], read_user).optional()
}

/// A user with what it may do on a ledger of this kind.
fn read_user(row: &Row<'_>) -> rusqlite::Result<User> {
    sums::verify(row, 0, UserRow::TABLE)?;
    Ok(User {
        key: UserKey(row.get(0)?),
        id: known(row, 1, ObjectId::parse)?,
        username: row.get(2)?,
        password_hash: row.get(3)?,
        permissions: Permissions::from_bits(row.get(4)?)
            .on_ledger(row.get::<_, Option<bool>>(10)?.unwrap_or(false)),
        orgs: orgs(row)?,
    })
}

/// The orgs of a user.
fn orgs(row: &Row<'_>) -> rusqlite::Result<Option<Orgs>> {
    let Some(text) = row.get::<_, Option<String>>(ORGS)? else { return Ok(None) };
    let orgs: Result<Vec<String>, _> = serde_json::from_str(&text);
    orgs.map(|orgs| Some(orgs.into())).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(ORGS, Type::Text, Box::new(error))
    })
}

/// The session of this token, whatever its age, unless its user is shut out.
pub(super) fn find_session(
    connection: &Connection,
    token: &TokenHash,
) -> rusqlite::Result<Option<StoredSession>> {
    let select = select_user!(
        ", session.token_hash, session.user, session.last_used_ms, session.sum \
                  from session join user on user.key = session.user \
                  where token_hash = ?1 and user.is_disabled = 0"
    );
    connection
        .prepare_cached(select)?
        .query_row(params![token], |row| {
            sums::verify(row, FURTHER, SessionRow::TABLE)?;
            let last_used = DateTime::from_timestamp_millis(row.get(13)?).unwrap_or_default();
            Ok(StoredSession { user: read_user(row)?, last_used })
        })
        .optional()
}

/// The OAuth client of this id, unless its user is shut out.
pub(super) fn find_client(
    connection: &Connection,
    id: &str,
) -> rusqlite::Result<Option<StoredClient>> {
    let select = select_user!(
        ", oauth_client.id, oauth_client.secret_hash, oauth_client.user, oauth_client.sum \
                  from oauth_client join user on user.key = oauth_client.user \
                  where oauth_client.id = ?1 and user.is_disabled = 0"
    );
    let read = |row: &Row<'_>| {
        sums::verify(row, FURTHER, ClientRow::TABLE)?;
        Ok(StoredClient { user: read_user(row)?, secret_hash: row.get(12)? })
    };
    connection.prepare_cached(select)?.query_row(params![id], read).optional()
}

/// The token of this hash, whether it has ended or not, unless its user is shut out.
pub(super) fn find_token(
    connection: &Connection,
    token: &TokenHash,
) -> rusqlite::Result<Option<StoredToken>> {
    let select = select_user!(
        ", oauth_token.token_hash, oauth_token.client, oauth_token.ends_ms, oauth_token.sum \
                  from oauth_token join oauth_client on oauth_client.id = oauth_token.client \
                  join user on user.key = oauth_client.user \
                  where token_hash = ?1 and user.is_disabled = 0"
    );
    let read = |row: &Row<'_>| {
        sums::verify(row, FURTHER, TokenRow::TABLE)?;
        let ends = DateTime::from_timestamp_millis(row.get(13)?).unwrap_or_default();
        Ok(StoredToken { user: read_user(row)?, ends })
    };
    connection.prepare_cached(select)?.query_row(params![token], read).optional()
}
