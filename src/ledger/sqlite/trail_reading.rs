//! Reading the audit trail, a page at a time, the newest record first.
//!
//! What must stay true: a page is found by the records' key, so that reading on neither repeats nor
//! leaves out a record; what a caller wrote is bound and never part of a statement.

use super::{OpenError, SqliteLedger, reading, story};
use crate::domain::id::{RefundId, RefundNumber};
use crate::domain::number::saturated;
use crate::domain::refund_name::RefundName;
use crate::ledger::Reply;
use crate::ledger::trail::{Record, RecordedObject, Trail, TrailPage, TrailQuery};
use chrono::DateTime;
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};
use serde_json::{Value, json};
use std::path::Path;

impl SqliteLedger {
    /// The story of a refund in a ledger that may be in use by another process.
    pub fn story_in_file(path: &Path, name: RefundName) -> Result<Option<Value>, OpenError> {
        let connection = reading::open_for_reading(path)?;
        story::story(&connection, name).map_err(|error| OpenError::sql(path, &error))
    }
}

impl Trail for SqliteLedger {
    fn story(&self, name: RefundName) -> Reply<Option<Value>> {
        self.readers.read(move |connection| story::story(connection, name))
    }

    fn records(&self, query: TrailQuery) -> Reply<TrailPage> {
        self.readers.read(move |connection| page(connection, &query))
    }
}

/// The records with the numbers of the refunds that each names, before their objects are read.
const SELECT: &str = "select audit.key, audit.at_ms, user.username, audit.actor, audit.door, \
     audit.version, audit.address, audit.request_id, audit.operation, audit.object, \
     audit.idempotency_key, audit.refunds from audit left join user on user.key = audit.user";

/// The records that a refund of the number `?` refers to, or that name it.
const OF_REFUND: &str = "audit.key in (select audit from refund where number = ? \
     union select audit from exchange where refund = ? \
     union select audit from audit_object where refund = ? \
     union select json_extract(facts, '$.created_in') from audit_object \
         where refund = ? and json_extract(facts, '$.created_in') is not null)";
const OF_OBJECT: &str =
    "audit.key in (select audit from audit_object where id = ? and refund is null)";
const OF_TYPE: &str = "(audit.object = ? or exists (select 1 from audit_object as touched \
     where touched.audit = audit.key and touched.object = ?))";

/// The conditions of a query and the values that they bind, in order.
#[derive(Default)]
struct Conditions {
    texts: Vec<&'static str>,
    values: Vec<Box<dyn ToSql>>,
}

impl Conditions {
    fn add<V: ToSql + Clone + 'static>(&mut self, text: &'static str, value: V) {
        let count = text.matches('?').count();
        self.values.extend((0..count).map(|_| -> Box<dyn ToSql> { Box::new(value.clone()) }));
        self.texts.push(text);
    }
}

/// The records about a refund, the newest first.
pub(super) fn about(number: RefundNumber, most: u32) -> TrailQuery {
    TrailQuery { id: Some(number.to_string()), most, ..TrailQuery::default() }
}

pub(super) fn page(connection: &Connection, query: &TrailQuery) -> rusqlite::Result<TrailPage> {
    let mut conditions = Conditions::default();
    if let Some(before) = query.before {
        conditions.add("audit.key < ?", before);
    }
    if let Some(from) = query.from {
        conditions.add("audit.at_ms >= ?", from.timestamp_millis());
    }
    if let Some(until) = query.until {
        conditions.add("audit.at_ms < ?", until.timestamp_millis());
    }
    if let Some(actor) = &query.actor {
        conditions.add("coalesce(user.username, audit.actor) = ?", actor.clone());
    }
    if let Some(object) = &query.object {
        conditions.add(OF_TYPE, object.clone());
    }
    match query.id.as_deref().map(|id| (id, RefundName::parse(id))) {
        None => {}
        Some((_, Some(name))) if is_of_this_ledger(connection, name)? => {
            conditions.add(OF_REFUND, name.number().value());
        }
        Some((id, _)) => conditions.add(OF_OBJECT, id.to_owned()),
    }
    let condition = match conditions.texts.is_empty() {
        true => String::new(),
        false => format!(" where {}", conditions.texts.join(" and ")),
    };
    let most = i64::from(query.most.max(1));
    conditions.values.push(Box::new(most + 1));
    let select = format!("{SELECT}{condition} order by audit.key desc limit ?");
    let mut statement = connection.prepare(&select)?;
    let values = rusqlite::params_from_iter(conditions.values.iter());
    let records = statement.query_map(values, record)?;
    let mut records: Vec<Record> = records.collect::<Result<_, _>>()?;
    let has_more = records.len() > saturated::<usize>(most);
    records.truncate(saturated::<usize>(most));
    for record in &mut records {
        read_objects(connection, record)?;
    }
    let next = records.last().filter(|_| has_more).map(|record| record.key);
    Ok(TrailPage { records, next })
}

/// Whether an Id or a number may be that of a refund of this ledger: one that is there, or one that
/// was deleted. An Id of another ledger can carry a number that this one gave as well.
pub(super) fn is_of_this_ledger(
    connection: &Connection,
    name: RefundName,
) -> rusqlite::Result<bool> {
    let RefundName::Id(id) = name else {
        return Ok(true);
    };
    if let Some(known) = id_of(connection, id.number())? {
        return Ok(known == id);
    }
    let deleted = "select exists (select 1 from audit_object where refund = ?1 and id = ?2)";
    let mut statement = connection.prepare_cached(deleted)?;
    statement.query_row(params![id.number().value(), id.to_string()], |row| row.get(0))
}

/// The Id of the refund of this number, if it is there.
fn id_of(connection: &Connection, number: RefundNumber) -> rusqlite::Result<Option<RefundId>> {
    let select = "select created_ms, salt from refund where number = ?1";
    let mut statement = connection.prepare_cached(select)?;
    let id = |row: &Row<'_>| Ok(RefundId::new(row.get(0)?, row.get(1)?, number));
    statement.query_row([number.value()], id).optional()
}

fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    let (user, other): (Option<String>, Option<String>) = (row.get(2)?, row.get(3)?);
    let door: String = row.get(4)?;
    let actor_kind = match (&user, door.as_str()) {
        (Some(_), _) => "user",
        (None, "gateway") => "gateway",
        (None, _) => "operator",
    };
    let object: String = row.get(9)?;
    let numbers: Option<String> = row.get(11)?;
    let numbers: Vec<i64> =
        numbers.map_or(Ok(Vec::new()), |numbers| super::rows::json(11, &numbers))?;
    let numbers = numbers.into_iter().filter_map(RefundNumber::new);
    Ok(Record {
        key: row.get(0)?,
        at: DateTime::from_timestamp_millis(row.get(1)?).unwrap_or_default(),
        actor: user.or(other).unwrap_or_default(),
        actor_kind,
        door,
        version: row.get(5)?,
        address: row.get(6)?,
        request_id: row.get(7)?,
        operation: row.get(8)?,
        idempotency_key: row.get(10)?,
        objects: numbers
            .map(|number| RecordedObject {
                object: object.clone(),
                id: None,
                number: Some(number.to_string()),
                facts: json!({}),
            })
            .collect(),
        object,
    })
}

/// Adds to a record what its refunds are, and what else it touched.
fn read_objects(connection: &Connection, record: &mut Record) -> rusqlite::Result<()> {
    for object in &mut record.objects {
        let Some(RefundName::Number(number)) = object.number.as_deref().and_then(RefundName::parse)
        else {
            continue;
        };
        object.id = id_of(connection, number)?.map(|id| id.to_string());
        if record.operation != "create" {
            object.facts = ending_facts(connection, number, record.key)?;
        }
    }
    let select = "select object, id, refund, facts from audit_object where audit = ?1 order by key";
    let mut statement = connection.prepare_cached(select)?;
    let touched = statement.query_map([record.key], |row| {
        let number: Option<i64> = row.get(2)?;
        let facts: String = row.get(3)?;
        Ok(RecordedObject {
            object: row.get(0)?,
            id: Some(row.get(1)?),
            number: number.and_then(RefundNumber::new).map(|number| number.to_string()),
            facts: super::rows::json(3, &facts)?,
        })
    })?;
    for object in touched {
        record.objects.push(object?);
    }
    Ok(())
}

/// What became of a refund by a verdict, an operator or a settlement.
fn ending_facts(
    connection: &Connection,
    number: RefundNumber,
    audit: i64,
) -> rusqlite::Result<Value> {
    let select = "select gateway, kind, gateway_state, reason_code, reason_text, reference_id \
                  from exchange where refund = ?1 and audit = ?2 order by key desc limit 1";
    let mut statement = connection.prepare_cached(select)?;
    let facts = |row: &Row<'_>| {
        let text = |column| row.get::<_, Option<String>>(column);
        Ok(json!({
            "gateway": text(0)?,
            "by": text(1)?,
            "gateway_state": text(2)?,
            "code": text(3)?,
            "reason": text(4)?,
            "reference_id": text(5)?,
        }))
    };
    let found = statement.query_row(params![number.value(), audit], facts).optional()?;
    Ok(found.unwrap_or_else(|| json!({})))
}
