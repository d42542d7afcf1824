//! Finding users, sessions, OAuth clients and tokens, and letting callers in.

use super::{Backend, Served};
use crate::domain::permission::Permissions;
use crate::ledger::books::BooksError;
use crate::ledger::queue::UseCase;
use crate::ledger::reader::{Reader, Row};
use crate::ledger::record::Field;
use crate::ledger::test_bench::TEST_KIND;
use crate::ledger::work::{naming, sessions as work};
use crate::ledger::{
    Orgs, Reply, Sessions, StoredClient, StoredSession, StoredToken, TokenHash, User, UserKey,
};
use chrono::{DateTime, Utc};

/// The beginning of a statement that selects a user, as [`user`] reads one; what follows are
/// further columns and the tables.
macro_rules! select_user {
    ($rest:literal) => {
        concat!(
            "select user.key, user.id, user.username, user.password_hash, user.permissions, ",
            "user.orgs, (select meta.value from meta where meta.key = 'kind')",
            $rest
        )
    };
}

/// The place of the first column behind those of a user.
const BEHIND: usize = 7;

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
        self.backend.read(move |reader| find_session(reader, &token))
    }

    fn keep_session(&self, token: TokenHash, at: DateTime<Utc>) -> Reply<()> {
        self.writer.submit_case(
            None,
            UseCase::new(
                (token, at),
                |(token, _), needs| naming::session(*token, needs),
                |unit, (token, at)| work::keep(unit, *token, *at),
            ),
        )
    }

    fn find_client(&self, id: &str) -> Reply<Option<StoredClient>> {
        let id = id.to_owned();
        self.backend.read(move |reader| find_client(reader, &id))
    }

    fn issue_token(&self, client: String, at: DateTime<Utc>, ends: DateTime<Utc>) -> Reply<String> {
        self.write(None, move |unit| work::issue(unit, client.clone(), at, ends))
    }

    fn find_token(&self, token: TokenHash) -> Reply<Option<StoredToken>> {
        self.backend.read(move |reader| find_token(reader, &token))
    }
}

/// A user with what it may do on a ledger of this kind.
fn user(row: &Row<'_>) -> Result<User, BooksError> {
    let kind: Option<String> = row.get(6)?;
    let is_test = kind.is_some_and(|kind| kind == TEST_KIND);
    Ok(User {
        key: row.get(0)?,
        id: row.get(1)?,
        username: row.get(2)?,
        password_hash: row.get(3)?,
        permissions: row.get::<Permissions>(4)?.on_ledger(is_test),
        orgs: row.json_if_any::<Vec<String>>(5)?.map(Orgs::from),
    })
}

/// The user of this name, unless it is shut out.
fn find_user(reader: &mut dyn Reader, username: &str) -> Result<Option<User>, BooksError> {
    let select = select_user!(" from user where username = ?1 and is_disabled = 0");
    reader.first(select, &[username.into()], user)
}

/// The session of this token, whatever its age, unless its user is shut out.
fn find_session(
    reader: &mut dyn Reader,
    token: &TokenHash,
) -> Result<Option<StoredSession>, BooksError> {
    let select = select_user!(
        ", session.last_used_ms \
                  from session join user on user.key = session.user \
                  where token_hash = ?1 and user.is_disabled = 0"
    );
    reader.first(select, &[token.stored()], |row| {
        Ok(StoredSession { user: user(row)?, last_used: row.get(BEHIND)? })
    })
}

/// The OAuth client of this id, unless its user is shut out.
fn find_client(reader: &mut dyn Reader, id: &str) -> Result<Option<StoredClient>, BooksError> {
    let select = select_user!(
        ", oauth_client.secret_hash \
                  from oauth_client join user on user.key = oauth_client.user \
                  where oauth_client.id = ?1 and user.is_disabled = 0"
    );
    reader.first(select, &[id.into()], |row| {
        Ok(StoredClient { user: user(row)?, secret_hash: row.get(BEHIND)? })
    })
}

/// The token of this hash, whether it has ended or not, unless its user is shut out.
fn find_token(
    reader: &mut dyn Reader,
    token: &TokenHash,
) -> Result<Option<StoredToken>, BooksError> {
    let select = select_user!(
        ", oauth_token.ends_ms \
                  from oauth_token join oauth_client on oauth_client.id = oauth_token.client \
                  join user on user.key = oauth_client.user \
                  where token_hash = ?1 and user.is_disabled = 0"
    );
    reader.first(select, &[token.stored()], |row| {
        Ok(StoredToken { user: user(row)?, ends: row.get(BEHIND)? })
    })
}
