//! The stored answers of requests with an idempotency key, written in the transaction of the work
//! that they tell of.

use crate::ledger::{Created, Idempotency, RowResult, UserKey};
use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, OptionalExtension, params};

/// How long a stored answer is kept.
const ANSWERS_KEPT: TimeDelta = TimeDelta::hours(24);

/// What was answered under this key within its time, if anything was.
pub(super) fn earlier_answer(
    connection: &Connection,
    user: UserKey,
    once: &Idempotency,
    now: DateTime<Utc>,
) -> rusqlite::Result<Option<Created>> {
    let kept_since = (now - ANSWERS_KEPT).timestamp_millis();
    let select = "select fingerprint, answer from idempotency \
                  where user = ?1 and operation = ?2 and key = ?3 and at_ms >= ?4";
    let mut statement = connection.prepare_cached(select)?;
    let found = statement
        .query_row(params![user.0, once.operation, once.key, kept_since], |row| {
            Ok((row.get::<_, [u8; 32]>(0)?, row.get(1)?))
        })
        .optional()?;
    Ok(found.map(|(fingerprint, answer)| {
        if fingerprint == once.fingerprint { Created::Replayed(answer) } else { Created::KeyReused }
    }))
}

/// Stores the answer to a request with a key, and gives it.
pub(super) fn keep_answer(
    connection: &Connection,
    user: UserKey,
    once: &Idempotency,
    rows: &[RowResult],
    now: DateTime<Utc>,
) -> rusqlite::Result<Vec<u8>> {
    let answer = (once.render)(rows);
    // A few at a time: a busy day leaves very many, and everybody waits for the writer.
    let forget = "delete from idempotency where (user, operation, key) in ( \
                  select user, operation, key from idempotency where at_ms < ?1 limit 100)";
    let kept_since = (now - ANSWERS_KEPT).timestamp_millis();
    connection.prepare_cached(forget)?.execute(params![kept_since])?;
    let insert = "insert or replace into idempotency \
                  (user, operation, key, fingerprint, answer, at_ms) \
                  values (?1, ?2, ?3, ?4, ?5, ?6)";
    let at_ms = now.timestamp_millis();
    connection.prepare_cached(insert)?.execute(params![
        user.0,
        once.operation,
        once.key,
        once.fingerprint,
        answer,
        at_ms
    ])?;
    Ok(answer)
}
