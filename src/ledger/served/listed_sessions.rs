//! Who is logged in: sessions and OAuth tokens in one list, on any engine.
//!
//! What must stay true: a page reads as many rows of either as it has at most, by the index of
//! their moments; those of one moment follow each other by their hashes, wherever they stand.

use crate::domain::number::saturated;
use crate::ledger::TokenHash;
use crate::ledger::books::BooksError;
use crate::ledger::reader::{Reader, Row};
use crate::ledger::readings::{
    Listed, ListedSession, ROWS_MAX, SessionHandle, SessionKind, SessionPlace, SessionsQuery,
};
use crate::ledger::record::{Field, Value};
use chrono::{DateTime, Utc};
use std::cmp::Reverse;

/// A page of sessions and tokens.
pub(super) fn page(
    reader: &mut dyn Reader,
    query: &SessionsQuery,
) -> Result<Listed<ListedSession, SessionPlace>, BooksError> {
    let most: usize = saturated(query.rows_max.clamp(1, ROWS_MAX));
    let mut rows = sessions(reader, query)?;
    rows.extend(tokens(reader, query)?);
    rows.sort_by_key(|row| (Reverse(row.at), row.handle));
    let has_more = rows.len() > most;
    rows.truncate(most);
    let place =
        |row: &ListedSession| SessionPlace { at_ms: row.at.timestamp_millis(), handle: row.handle };
    let next = rows.last().filter(|_| has_more).map(place);
    Ok(Listed { rows, next })
}

/// What a page of either is selected by, behind its first moment: from which on, after which hash,
/// of whom, and how many.
fn bounds(query: &SessionsQuery) -> (i64, [Value<'static>; 3]) {
    let (at, hash) =
        query.from.map_or((i64::MAX, [0; 32]), |from| (from.at_ms, from.handle.hashes().1));
    let username = query.username.clone().map_or(Value::Null, Value::from);
    let more = i64::from(query.rows_max.clamp(1, ROWS_MAX)) + 1;
    (at, [Value::Bytes(hash.to_vec().into()), username, more.into()])
}

fn sessions(
    reader: &mut dyn Reader,
    query: &SessionsQuery,
) -> Result<Vec<ListedSession>, BooksError> {
    let select = "select session.token_hash, user.username, session.last_used_ms \
         from session join user on user.key = session.user \
         where session.last_used_ms >= ?1 and session.last_used_ms <= ?2 \
         and (session.last_used_ms < ?2 or session.token_hash > ?3) \
         and user.username = coalesce(?4, user.username) \
         order by session.last_used_ms desc, session.token_hash limit ?5";
    let (at, [hash, username, more]) = bounds(query);
    let values = [query.used_since.stored(), at.into(), hash, username, more];
    reader.list(select, &values, |row| listed(row, row.get(2)?, SessionKind::Session))
}

fn tokens(
    reader: &mut dyn Reader,
    query: &SessionsQuery,
) -> Result<Vec<ListedSession>, BooksError> {
    let select = "select oauth_token.token_hash, user.username, oauth_token.ends_ms, \
         oauth_token.client from oauth_token \
         join oauth_client on oauth_client.id = oauth_token.client \
         join user on user.key = oauth_client.user \
         where oauth_token.ends_ms > ?1 and oauth_token.ends_ms <= ?2 \
         and (oauth_token.ends_ms < ?2 or oauth_token.token_hash > ?3) \
         and user.username = coalesce(?4, user.username) and user.is_disabled = 0 \
         order by oauth_token.ends_ms desc, oauth_token.token_hash limit ?5";
    let (at, [hash, username, more]) = bounds(query);
    let ends = at.saturating_add(query.token_life.num_milliseconds());
    let values = [query.good_at.stored(), ends.into(), hash, username, more];
    reader.list(select, &values, |row| {
        let ends: DateTime<Utc> = row.get(2)?;
        let kind = SessionKind::Token { client: row.get(3)?, ends };
        listed(row, ends - query.token_life, kind)
    })
}

fn listed(
    row: &Row<'_>,
    at: DateTime<Utc>,
    kind: SessionKind,
) -> Result<ListedSession, BooksError> {
    let handle = SessionHandle::of(&row.get(0)?);
    Ok(ListedSession { handle, username: row.get(1)?, at, kind })
}

/// The hash of the session or token of this handle.
pub(super) fn named(
    reader: &mut dyn Reader,
    handle: SessionHandle,
) -> Result<Option<TokenHash>, BooksError> {
    let (least, greatest) = handle.hashes();
    let select = "select token_hash from session where token_hash between ?1 and ?2 \
         union all select token_hash from oauth_token where token_hash between ?1 and ?2";
    reader.first(select, &[least.stored(), greatest.stored()], |row| row.get::<TokenHash>(0))
}
