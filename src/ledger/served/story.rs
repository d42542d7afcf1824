//! The story of one refund: everything that the ledger keeps about it, as one JSON value.
//!
//! What must stay true: it only reads, in one snapshot; it holds no secret and no body, and of a
//! refund that was deleted all that outlives it.

use super::trail::{self, is_of_this_ledger, page};
use crate::domain::id::RefundNumber;
use crate::domain::money::{Currency, MinorUnits};
use crate::domain::refund_name::RefundName;
use crate::ledger::books::BooksError;
use crate::ledger::reader::{Reader, Row};
use crate::ledger::record::Field;
use crate::ledger::records::{CUSTOM_FIELDS, TENANT_SETTINGS};
use crate::ledger::trail::Record;
use crate::ledger::unit::{Unit, World};
use crate::ledger::work::events;
use crate::ledger::working_set::Shelves;
use crate::ledger::world;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};

/// How many records, exchanges and events of a refund are returned at most.
const ITEMS_MAX: u32 = 1_000;

/// The story of the refund of this name; none when the ledger never had one.
pub fn story(reader: &mut dyn Reader, name: RefundName) -> Result<Option<Value>, BooksError> {
    reader.begin_snapshot()?;
    if !is_of_this_ledger(reader, name)? {
        return Ok(None);
    }
    let number = name.number();
    let mut records = page(reader, &trail::about(number, ITEMS_MAX))?.records;
    records.reverse();
    let (refund, is_deleted) = match facts(reader, number)? {
        Some(refund) => (refund, false),
        None => match last_facts(&records, number) {
            Some(refund) => (refund, true),
            None => return Ok(None),
        },
    };
    let (created, changes): (Vec<_>, Vec<_>) =
        records.into_iter().partition(|record| record.operation == "create");
    let settings = reader.records(&TENANT_SETTINGS, &[])?;
    let tenant = world::tenant_of(settings, &reader.records(&CUSTOM_FIELDS, &[])?)?;
    let zone = tenant.time_zone.name();
    let shown = |records: Vec<Record>| -> Vec<Value> {
        records.into_iter().map(|record| own_part(record, number)).collect()
    };
    let mut found = Map::new();
    found.insert("number".to_owned(), json!(number.to_string()));
    found.insert("deleted".to_owned(), json!(is_deleted));
    found.insert("time_zone".to_owned(), json!(zone));
    found.insert("facts".to_owned(), refund);
    found.insert("created".to_owned(), shown(created).into_iter().next().unwrap_or_default());
    found.insert("decision".to_owned(), decision(reader, number)?);
    found.insert("entries".to_owned(), json!(entries(reader, number)?));
    found.insert("exchanges".to_owned(), json!(exchanges(reader, number)?));
    found.insert("events".to_owned(), json!(events(reader, number)?));
    found.insert("settlements".to_owned(), json!(settlements(reader, number)?));
    found.insert("changes".to_owned(), json!(shown(changes)));
    Ok(Some(Value::Object(found)))
}

/// A record of which only what concerns the refund is returned.
fn own_part(mut record: Record, number: RefundNumber) -> Value {
    let own = Some(number.to_string());
    record.objects.retain(|object| object.number == own);
    serde_json::to_value(record).unwrap_or_default()
}

/// The account and the refund as they are now.
fn facts(reader: &mut dyn Reader, number: RefundNumber) -> Result<Option<Value>, BooksError> {
    let (mut shelves, world) = (Shelves::default(), World::default());
    let found = events::describe(&mut Unit::new(&mut shelves, reader.books(), &world), number)?;
    let Some((_, mut found)) = found else {
        return Ok(None);
    };
    let select = "select user.username, refund.created_ms from refund \
                  join user on user.key = refund.created_by where refund.number = ?1";
    let by: Option<String> = reader.first(select, &[number.stored()], |row| row.get(0))?;
    if let Some(refund) = found.get_mut("refund").and_then(Value::as_object_mut) {
        refund.insert("created_by".to_owned(), json!(by.ok_or(BooksError::Missing("user"))?));
    }
    Ok(Some(found))
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
fn decision(reader: &mut dyn Reader, number: RefundNumber) -> Result<Value, BooksError> {
    let select = "select account.currency, source_before, refund.amount, method_choice \
                  from refund join account on account.key = refund.account \
                  where refund.number = ?1";
    let read = |row: &Row<'_>| {
        let currency: Currency = row.get(0)?;
        let before: Option<i64> = row.get(1)?;
        let amount: i64 = row.get(2)?;
        let money = |units: i64| currency.format(MinorUnits::new(units));
        Ok(json!({
            "source_before": before.map(money),
            "source_after": before.map(|before| money(before - amount)),
            "method_choice": row.get::<Option<String>>(3)?,
        }))
    };
    Ok(reader.first(select, &[number.stored()], read)?.unwrap_or_default())
}

fn entries(reader: &mut dyn Reader, number: RefundNumber) -> Result<Vec<Value>, BooksError> {
    let select = "select entry.at_ms, entry.kind, entry.delta, entry.balance, account.currency \
         from entry join account on account.key = entry.account where entry.key in ( \
             select entry from refund where number = ?1 and entry is not null \
             union select key from entry_row where refund = ?1 and kind in (2, 3)) \
         order by entry.key";
    reader.list(select, &[number.stored()], |row| {
        let currency: Currency = row.get(4)?;
        let money = |units: i64| currency.format(MinorUnits::new(units));
        Ok(json!({
            "at": moment(row.get(0)?),
            "kind": row.get::<String>(1)?,
            "amount": money(row.get(2)?),
            "balance": money(row.get(3)?),
        }))
    })
}

fn exchanges(reader: &mut dyn Reader, number: RefundNumber) -> Result<Vec<Value>, BooksError> {
    let select = "select at_ms, kind, gateway, gateway_state, reason_code, reason_text, \
         reference_id, operator from exchange where refund = ?1 order by key limit 1000";
    reader.list(select, &[number.stored()], |row| {
        let text = |column| row.get::<Option<String>>(column);
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

fn events(reader: &mut dyn Reader, number: RefundNumber) -> Result<Vec<Value>, BooksError> {
    let select = "select at_ms, key, kind from event where refund = ?1 order by key limit 1000";
    reader.list(select, &[number.stored()], |row| {
        Ok(json!({
            "at": moment(row.get(0)?),
            "sequence": row.get::<i64>(1)?,
            "kind": row.get::<String>(2)?,
        }))
    })
}

fn settlements(reader: &mut dyn Reader, number: RefundNumber) -> Result<Vec<Value>, BooksError> {
    let select = "select id, gateway_state from settlement_event where refund = ?1 limit 1000";
    reader.list(select, &[number.stored()], |row| {
        let (id, state): (String, String) = (row.get(0)?, row.get(1)?);
        Ok(json!({ "event_id": id, "gateway_state": state }))
    })
}

fn moment(moment: DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(SecondsFormat::Millis, true)
}
