//! Finding users, sessions, OAuth clients and tokens, and letting callers in.
//!
//! What must stay true: they are found as records, so that whatever an engine checks of a record
//! when it reads one is checked here.

use super::{Backend, Served};
use crate::ledger::books::BooksError;
use crate::ledger::queue::UseCase;
use crate::ledger::reader::Reader;
use crate::ledger::record::Record;
use crate::ledger::records::{ClientRow, Meta, SessionRow, TokenRow, USER_BY_NAME, UserRow};
use crate::ledger::test_bench::{KIND, TEST_KIND};
use crate::ledger::work::naming::{self, Needs};
use crate::ledger::work::sessions as work;
use crate::ledger::{
    Orgs, Reply, Sessions, StoredClient, StoredSession, StoredToken, TokenHash, User, UserKey,
};
use chrono::{DateTime, Utc};

impl<B: Backend> Sessions for Served<B> {
    fn find_user(&self, username: &str) -> Reply<Option<User>> {
        let username = username.to_owned();
        self.backend.read(move |reader| find_user(reader, &username))
    }

    fn open_session(
        &self,
        user: UserKey,
        at: DateTime<Utc>,
        expired: DateTime<Utc>,
    ) -> Reply<String> {
        self.write(None, move |unit| work::open(unit, user, at, expired))
    }

    fn find_session(&self, token: TokenHash) -> Reply<Option<StoredSession>> {
        self.backend.read(move |reader| find_session(reader, token))
    }

    fn keep_session(&self, token: TokenHash, at: DateTime<Utc>) -> Reply<()> {
        let names = |(token, _): &_, needs: &mut Needs<'_>| naming::session(*token, needs);
        let case =
            UseCase::new((token, at), names, |unit, (token, at)| work::keep(unit, *token, *at));
        self.writer.submit_case(None, case)
    }

    fn find_client(&self, id: &str) -> Reply<Option<StoredClient>> {
        let id = id.to_owned();
        self.backend.read(move |reader| find_client(reader, id))
    }

    fn issue_token(&self, client: String, at: DateTime<Utc>, ends: DateTime<Utc>) -> Reply<String> {
        self.write(None, move |unit| work::issue(unit, client.clone(), at, ends))
    }

    fn find_token(&self, token: TokenHash) -> Reply<Option<StoredToken>> {
        self.backend.read(move |reader| find_token(reader, token))
    }
}

/// A user with what it may do on a ledger of this kind, unless it is shut out.
fn user(reader: &mut dyn Reader, row: UserRow) -> Result<Option<User>, BooksError> {
    if row.is_disabled {
        return Ok(None);
    }
    let kind = reader.record::<Meta>(&(KIND.to_owned(),))?;
    let is_test = kind.is_some_and(|kind| kind.value == TEST_KIND);
    let unknown = |_| BooksError::Unknown { table: UserRow::TABLE.name, column: "orgs" };
    let orgs = row.orgs.map(|orgs| serde_json::from_str::<Vec<String>>(&orgs).map_err(unknown));
    Ok(Some(User {
        key: row.key,
        id: row.id,
        username: row.username,
        password_hash: row.password_hash,
        permissions: row.permissions.on_ledger(is_test),
        orgs: orgs.transpose()?.map(Orgs::from),
    }))
}

/// The user of a key, which a row refers to, unless it is shut out.
fn user_of(reader: &mut dyn Reader, key: UserKey) -> Result<Option<User>, BooksError> {
    match reader.record::<UserRow>(&(key,))? {
        Some(row) => user(reader, row),
        None => Ok(None),
    }
}

/// The user of this name, unless it is shut out.
fn find_user(reader: &mut dyn Reader, username: &str) -> Result<Option<User>, BooksError> {
    match reader.records::<UserRow>(&USER_BY_NAME, &[username.into()])?.pop() {
        Some(row) => user(reader, row),
        None => Ok(None),
    }
}

/// The session of this token, whatever its age, unless its user is shut out.
fn find_session(
    reader: &mut dyn Reader,
    token: TokenHash,
) -> Result<Option<StoredSession>, BooksError> {
    let Some(session) = reader.record::<SessionRow>(&(token,))? else { return Ok(None) };
    let user = user_of(reader, session.user)?;
    Ok(user.map(|user| StoredSession { user, last_used: session.last_used_ms }))
}

/// The OAuth client of this id, unless its user is shut out.
fn find_client(reader: &mut dyn Reader, id: String) -> Result<Option<StoredClient>, BooksError> {
    let Some(client) = reader.record::<ClientRow>(&(id,))? else { return Ok(None) };
    let user = user_of(reader, client.user)?;
    Ok(user.map(|user| StoredClient { user, secret_hash: client.secret_hash }))
}

/// The token of this hash, whether it has ended or not, unless its user is shut out.
fn find_token(
    reader: &mut dyn Reader,
    token: TokenHash,
) -> Result<Option<StoredToken>, BooksError> {
    let Some(token) = reader.record::<TokenRow>(&(token,))? else { return Ok(None) };
    let client = find_client(reader, token.client)?;
    Ok(client.map(|client| StoredToken { user: client.user, ends: token.ends_ms }))
}
