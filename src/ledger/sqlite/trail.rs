//! The audit trail in SQLite: one record a call, in the transaction of its work.
//!
//! To record a change, call [`keep`] at its end with the [`Act`] that the request carries, what was
//! done, and what it touched. A call that came to nothing leaves no record.
//!
//! What must stay true: a record is written once, after the work, under the key that
//! [`next_key`] gave before it; rows that refer to it are written in the same transaction.

use crate::domain::id::{ObjectId, RefundId};
use crate::domain::origin::RequestId;
use crate::ledger::trail::{Act, Actor, Touched};
use rusqlite::{Connection, named_params, params};
use serde_json::Value;

/// The longest text of an actor or an idempotency key that is kept, in characters.
const TEXT_CHARS_MAX: usize = 255;

/// What a call did.
#[derive(Debug, Clone, Copy)]
pub(super) struct Done<'a> {
    /// `create`, `update`, `grant`, ….
    pub(super) operation: &'static str,
    /// The type of what it touched.
    pub(super) object: &'static str,
    /// The key that made it idempotent.
    pub(super) idempotency_key: Option<&'a str>,
}

impl Done<'_> {
    /// An operation on objects of a type.
    pub(super) const fn new(operation: &'static str, object: &'static str) -> Self {
        Self { operation, object, idempotency_key: None }
    }
}

/// The key of the record that is written next in this transaction.
pub(super) fn next_key(connection: &Connection) -> rusqlite::Result<i64> {
    let next = "select coalesce(max(key), 0) + 1 from audit";
    connection.prepare_cached(next)?.query_row([], |row| row.get(0))
}

/// Records a call that touched these objects; nothing where there are none.
pub(super) fn keep(
    connection: &Connection,
    act: &Act,
    done: Done<'_>,
    touched: &[Touched],
) -> rusqlite::Result<()> {
    if touched.is_empty() {
        return Ok(());
    }
    let audit = next_key(connection)?;
    insert(connection, audit, act, done, None)?;
    let insert = "insert into audit_object (audit, object, id, refund, facts) \
                  values (?1, ?2, ?3, ?4, ?5)";
    let mut insert = connection.prepare_cached(insert)?;
    for Touched { object, id, facts } in touched {
        let refund = RefundId::parse(id).filter(|_| *object == "Refund");
        let refund = refund.map(|id| id.number().value());
        insert.execute(params![audit, object, cut(id), refund, facts.to_string()])?;
    }
    Ok(())
}

/// Records, under the key `audit`, a call that created or settled the refunds of these numbers;
/// nothing where there are none. What became of them stands in rows that refer to the record.
pub(super) fn keep_refunds(
    connection: &Connection,
    audit: i64,
    act: &Act,
    done: Done<'_>,
    numbers: &[i64],
) -> rusqlite::Result<()> {
    if numbers.is_empty() {
        return Ok(());
    }
    insert(connection, audit, act, done, Some(&Value::from(numbers).to_string()))
}

/// The numbers of the refunds that these ids are of.
pub(super) fn numbers<'i>(ids: impl Iterator<Item = &'i ObjectId>) -> Vec<i64> {
    let number = |id: &ObjectId| RefundId::parse(id.as_str()).map(|id| id.number().value());
    ids.filter_map(number).collect()
}

fn insert(
    connection: &Connection,
    audit: i64,
    act: &Act,
    done: Done<'_>,
    refunds: Option<&str>,
) -> rusqlite::Result<()> {
    let (user, actor) = match &act.actor {
        Actor::User(user) => (Some(user.0), None),
        Actor::Operator(name) | Actor::Gateway(name) => (None, Some(cut(name))),
    };
    let origin = &act.origin;
    let insert = "insert into audit (key, at_ms, user, actor, door, version, address, request_id, \
         operation, object, refunds, idempotency_key) values (:key, :at_ms, :user, :actor, :door, \
         :version, :address, :request_id, :operation, :object, :refunds, :idempotency_key)";
    connection.prepare_cached(insert)?.execute(named_params! {
        ":key": audit,
        ":at_ms": act.at.timestamp_millis(),
        ":user": user,
        ":actor": actor,
        ":door": origin.door.name(),
        ":version": origin.version.as_deref(),
        ":address": origin.address.map(|address| address.to_canonical().to_string()),
        ":request_id": origin.request_id.as_ref().map(RequestId::as_str),
        ":operation": done.operation,
        ":object": done.object,
        ":refunds": refunds,
        ":idempotency_key": done.idempotency_key.map(cut),
    })?;
    Ok(())
}

fn cut(text: &str) -> &str {
    let end = text.char_indices().nth(TEXT_CHARS_MAX).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or_default()
}
