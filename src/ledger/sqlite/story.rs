//! The story of one refund: everything that the ledger keeps about it, as one JSON value.
//!
//! What must stay true: it only reads, in one snapshot; it holds no secret and no body, and of a
//! refund that was deleted all that outlives it.

use super::books::{SqliteBooks, Texts};
use super::rows;
use super::trail_reading::{self, is_of_this_ledger, page};
use crate::domain::id::RefundNumber;
use crate::domain::money::{Currency, MinorUnits};
use crate::domain::refund_name::RefundName;
use crate::ledger::trail::Record;
use crate::ledger::unit::{Unit, World};
use crate::ledger::work::events;
use crate::ledger::working_set::Shelves;
use chrono::{DateTime, SecondsFormat};
use rusqlite::{Connection, OptionalExtension, Row};
use serde_json::{Map, Value, json};

/// How many records, exchanges and events of a refund are returned at most.
const ITEMS_MAX: u32 = 1_000;

/// The story of the refund of this name; none when the ledger never had one.
pub(super) fn story(connection: &Connection, name: RefundName) -> rusqlite::Result<Option<Value>> {
    let snapshot = connection.unchecked_transaction()?;
    if !is_of_this_ledger(&snapshot, name)? {
        return Ok(None);
    }
    let number = name.number();
    let mut records = page(&snapshot, &trail_reading::about(number, ITEMS_MAX))?.records;
    records.reverse();
    let (refund, is_deleted) = match facts(&snapshot, number)? {
        Some(refund) => (refund, false),
        None => match last_facts(&records, number) {
            Some(refund) => (refund, true),
            None => return Ok(None),
        },
    };
    let (created, changes): (Vec<_>, Vec<_>) =
        records.into_iter().partition(|record| record.operation == "create");
    let zone = rows::tenant(&snapshot)?.time_zone.name();
    let shown = |records: Vec<Record>| -> Vec<Value> {
        records.into_iter().map(|record| own_part(record, number)).collect()
    };
    let mut told = Map::new();
    told.insert("number".to_owned(), json!(number.to_string()));
    told.insert("deleted".to_owned(), json!(is_deleted));
    told.insert("time_zone".to_owned(), json!(zone));
    told.insert("facts".to_owned(), refund);
    told.insert("created".to_owned(), shown(created).into_iter().next().unwrap_or_default());
    told.insert("decision".to_owned(), decision(&snapshot, number)?);
    told.insert("entries".to_owned(), json!(entries(&snapshot, number)?));
    told.insert("exchanges".to_owned(), json!(exchanges(&snapshot, number)?));
    told.insert("events".to_owned(), json!(events(&snapshot, number)?));
    told.insert("settlements".to_owned(), json!(settlements(&snapshot, number)?));
    told.insert("changes".to_owned(), json!(shown(changes)));
    Ok(Some(Value::Object(told)))
}

/// A record of which only what concerns the refund is returned.
fn own_part(mut record: Record, number: RefundNumber) -> Value {
    let own = Some(number.to_string());
    record.objects.retain(|object| object.number == own);
    serde_json::to_value(record).unwrap_or_default()
}

/// The account and the refund as they are now.
fn facts(connection: &Connection, number: RefundNumber) -> rusqlite::Result<Option<Value>> {
    let mut texts = Texts::default();
    let mut books = SqliteBooks::new(connection, &mut texts);
    let (mut shelves, world) = (Shelves::default(), World::default());
    let told = events::describe(&mut Unit::new(&mut shelves, &mut books, &world), number)?;
    let Some((_, mut told)) = told else {
        return Ok(None);
    };
    let select = "select user.username, refund.created_ms from refund \
                  join user on user.key = refund.created_by where refund.number = ?1";
    let mut statement = connection.prepare_cached(select)?;
    let by: String = statement.query_row([number.value()], |row| row.get(0))?;
    if let Some(refund) = told.get_mut("refund").and_then(Value::as_object_mut) {
        refund.insert("created_by".to_owned(), json!(by));
    }
    Ok(Some(told))
}

/// What a refund was when it was deleted.
fn last_facts(records: &[Record], number: RefundNumber) -> Option<Value> {
    let number = Some(number.to_string());
    let deleted = records.iter().rev().filter(|record| record.operation == "delete");
    let objects = deleted.flat_map(|record| &record.objects);
    let object = objects.into_iter().find(|object| object.number == number)?;
    Some(object.facts.clone())
}

/// What the decision stood on; null for a refund that was deleted.
fn decision(connection: &Connection, number: RefundNumber) -> rusqlite::Result<Value> {
    let select = "select account.currency, source_before, refund.amount, method_choice \
                  from refund join account on account.key = refund.account \
                  where refund.number = ?1";
    let mut statement = connection.prepare_cached(select)?;
    let read = |row: &Row<'_>| {
        let currency = rows::known(row, 0, Currency::from_code)?;
        let before: Option<i64> = row.get(1)?;
        let amount: i64 = row.get(2)?;
        let money = |units: i64| currency.format(MinorUnits::new(units));
        Ok(json!({
            "source_before": before.map(money),
            "source_after": before.map(|before| money(before - amount)),
            "method_choice": row.get::<_, Option<String>>(3)?,
        }))
    };
    Ok(statement.query_row([number.value()], read).optional()?.unwrap_or_default())
}

fn entries(connection: &Connection, number: RefundNumber) -> rusqlite::Result<Vec<Value>> {
    let select = "select entry.at_ms, entry.kind, entry.delta, entry.balance, account.currency \
         from entry join account on account.key = entry.account where entry.key in ( \
             select entry from refund where number = ?1 and entry is not null \
             union select key from entry_row where refund = ?1 and kind in (2, 3)) \
         order by entry.key";
    list(connection, select, number, |row| {
        let currency = rows::known(row, 4, Currency::from_code)?;
        let money = |units: i64| currency.format(MinorUnits::new(units));
        Ok(json!({
            "at": moment(row.get(0)?),
            "kind": row.get::<_, String>(1)?,
            "amount": money(row.get(2)?),
            "balance": money(row.get(3)?),
        }))
    })
}

fn exchanges(connection: &Connection, number: RefundNumber) -> rusqlite::Result<Vec<Value>> {
    let select = "select at_ms, kind, gateway, gateway_state, reason_code, reason_text, \
         reference_id, operator from exchange where refund = ?1 order by key limit 1000";
    list(connection, select, number, |row| {
        let text = |column| row.get::<_, Option<String>>(column);
        Ok(json!({
            "at": moment(row.get(0)?),
            "kind": text(1)?,
            "gateway": text(2)?,
            "gateway_state": text(3)?,
            "code": text(4)?,
            "reason": text(5)?,
            "reference_id": text(6)?,
            "operator": text(7)?,
        }))
    })
}

fn events(connection: &Connection, number: RefundNumber) -> rusqlite::Result<Vec<Value>> {
    let select = "select at_ms, key, kind from event where refund = ?1 order by key limit 1000";
    list(connection, select, number, |row| {
        Ok(json!({
            "at": moment(row.get(0)?),
            "sequence": row.get::<_, i64>(1)?,
            "kind": row.get::<_, String>(2)?,
        }))
    })
}

fn settlements(connection: &Connection, number: RefundNumber) -> rusqlite::Result<Vec<Value>> {
    let select = "select id, gateway_state from settlement_event where refund = ?1 limit 1000";
    list(connection, select, number, |row| {
        let (id, state): (String, String) = (row.get(0)?, row.get(1)?);
        Ok(json!({ "event_id": id, "gateway_state": state }))
    })
}

fn list(
    connection: &Connection,
    select: &str,
    number: RefundNumber,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<Value>,
) -> rusqlite::Result<Vec<Value>> {
    connection.prepare_cached(select)?.query_map([number.value()], read)?.collect()
}

fn moment(millis: i64) -> Option<String> {
    let moment = DateTime::from_timestamp_millis(millis)?;
    Some(moment.to_rfc3339_opts(SecondsFormat::Millis, true))
}
