//! The stored answers of requests with an idempotency key, written in the transaction of the work
//! that they report.

use crate::ledger::books::BooksError;
use crate::ledger::records::{ANSWER_BY_AGE, StoredAnswer};
use crate::ledger::unit::Unit;
use crate::ledger::{AmendedAnswer, Created, Idempotency, UserKey};
use chrono::TimeDelta;

/// How long a stored answer is kept.
const ANSWERS_KEPT: TimeDelta = TimeDelta::hours(24);
/// How many old answers one batch removes: a busy day leaves very many.
const ANSWERS_REMOVED_MAX: u32 = 100;

/// What was answered under this key within its time, if anything was.
pub fn earlier_answer(
    unit: &mut Unit<'_>,
    user: UserKey,
    once: &Idempotency,
) -> Result<Option<Created>, BooksError> {
    let stored = unit.get::<StoredAnswer>(&key(user, once))?;
    let stored = stored.filter(|stored| stored.at_ms >= once.at - ANSWERS_KEPT);
    Ok(stored.map(|stored| match stored.fingerprint == once.fingerprint {
        true => Created::Replayed(stored.answer.clone()),
        false => Created::KeyReused,
    }))
}

/// Stores the answer to a request with a key, and gives it.
pub fn keep_answer(
    unit: &mut Unit<'_>,
    user: UserKey,
    once: &Idempotency,
    answer: Vec<u8>,
) -> Result<Vec<u8>, BooksError> {
    let (key, now) = (key(user, once), once.at);
    let fingerprint = once.fingerprint.to_vec();
    let is_old_there = unit.get::<StoredAnswer>(&key)?.is_some();
    if is_old_there {
        unit.change::<StoredAnswer>(&key, |stored| {
            stored.fingerprint = fingerprint;
            stored.answer.clone_from(&answer);
            stored.at_ms = now;
        })?;
    } else {
        let (user, operation, key) = key;
        let answer = answer.clone();
        unit.insert(StoredAnswer { user, operation, key, fingerprint, answer, at_ms: now })?;
    }
    unit.remove_older(&ANSWER_BY_AGE, now - ANSWERS_KEPT, ANSWERS_REMOVED_MAX);
    Ok(answer)
}

/// Replaces a stored answer; false where the key is not that request's any more.
pub fn amend(unit: &mut Unit<'_>, amended: &AmendedAnswer) -> Result<bool, BooksError> {
    let key = (amended.user, amended.operation.to_owned(), amended.key.clone());
    let stored = unit.get::<StoredAnswer>(&key)?;
    if stored.is_none_or(|stored| stored.fingerprint != amended.fingerprint) {
        return Ok(false);
    }
    unit.change::<StoredAnswer>(&key, |stored| stored.answer.clone_from(&amended.answer))?;
    Ok(true)
}

fn key(user: UserKey, once: &Idempotency) -> (UserKey, String, String) {
    (user, once.operation.to_owned(), once.key.clone())
}
