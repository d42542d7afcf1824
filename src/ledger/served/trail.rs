//! Reading the audit trail, a page at a time, the newest record first.
//!
//! What must stay true: a page is found by the records' key, so that reading on neither repeats nor
//! leaves out a record; what it looks at is bounded, whatever is asked for; what a caller wrote is
//! bound and never part of a statement.

use super::conditions::Conditions;
use super::{Backend, Served, story, trail_objects};
use crate::domain::id::{RefundId, RefundNumber};
use crate::domain::number::saturated;
use crate::domain::refund_name::RefundName;
use crate::ledger::Reply;
use crate::ledger::books::BooksError;
use crate::ledger::reader::{Reader, Row};
use crate::ledger::record::{Field, Value};
use crate::ledger::trail::{Record, RecordedObject, Trail, TrailPage, TrailQuery};
use serde_json::{Value as Json, json};

impl<B: Backend> Trail for Served<B> {
    fn records(&self, query: TrailQuery) -> Reply<TrailPage> {
        self.backend.read(move |reader| page(reader, &query))
    }

    fn story(&self, name: RefundName) -> Reply<Option<Json>> {
        self.backend.read(move |reader| story::story(reader, name))
    }
}

/// The records with the numbers of the refunds that each names, before their objects are read.
const SELECT: &str = "select audit.key, audit.at_ms, user.username, audit.actor, audit.door, \
     audit.version, audit.address, audit.request_id, audit.operation, audit.object, \
     audit.idempotency_key, audit.refunds from audit left join user on user.key = audit.user";

/// The records that a refund of the number `?` refers to, or that name it.
const OF_REFUND: &str = "audit.key in (select audit from refund where number = ? \
     union select audit from exchange where refund = ? \
     union select audit from audit_object where refund = ?";
const OF_OBJECT: &str =
    "audit.key in (select audit from audit_object where id = ? and refund is null)";
const OF_TYPE: &str = "(audit.object = ? or exists (select 1 from audit_object as touched \
     where touched.audit = audit.key and touched.object = ?))";

/// How many records a page goes through at most where each has to be looked at.
const RECORDS_MAX: i64 = 20_000;

/// The records about a refund, the newest first.
pub(super) fn about(number: RefundNumber, most: u32) -> TrailQuery {
    TrailQuery { id: Some(number.to_string()), most, ..TrailQuery::default() }
}

/// A page of the records that a query asks for.
pub(in crate::ledger) fn page(
    reader: &mut dyn Reader,
    query: &TrailQuery,
) -> Result<TrailPage, BooksError> {
    let mut conditions = conditions(reader, query)?;
    let floor = floor(reader, query)?;
    if let Some(floor) = floor {
        conditions.add("audit.key > ?", Value::Integer(floor));
    }
    let most = i64::from(query.most.max(1));
    let all = conditions.all();
    let limit = conditions.bind(Value::Integer(most + 1));
    let select = format!("{SELECT} where {all} order by audit.key desc limit {limit}");
    let mut records = reader.list(&select, conditions.values(), record)?;
    let has_more = records.len() > saturated::<usize>(most);
    records.truncate(saturated::<usize>(most));
    trail_objects::read(reader, &mut records)?;
    let last = records.last().filter(|_| has_more).map(|record| record.key);
    // Where the page ended at its bound, the next one begins there.
    let next = last.or_else(|| Some(floor? + 1));
    Ok(TrailPage { records, next })
}

/// The key of the newest record that a page does not go on to, where an index does not find what is
/// asked for and there are older records.
fn floor(reader: &mut dyn Reader, query: &TrailQuery) -> Result<Option<i64>, BooksError> {
    let is_found = query.id.is_some()
        || (query.actor.is_none()
            && query.object.is_none()
            && query.from.is_none()
            && query.until.is_none());
    if is_found {
        return Ok(None);
    }
    let newest = "select coalesce(max(key), 0) from audit_row";
    let newest: i64 = reader.first(newest, &[], |row| row.get(0))?.unwrap_or_default();
    let from = query.before.map_or(newest, |before| newest.min(before.saturating_sub(1)));
    Ok(Some(from - RECORDS_MAX).filter(|floor| *floor > 0))
}

fn conditions(reader: &mut dyn Reader, query: &TrailQuery) -> Result<Conditions, BooksError> {
    let mut conditions = Conditions::default();
    let text = |text: &str| Value::from(text.to_owned());
    if let Some(before) = query.before {
        conditions.add("audit.key < ?", Value::Integer(before));
    }
    if let Some(from) = query.from {
        conditions.add("audit.at_ms >= ?", Value::Integer(from.timestamp_millis()));
    }
    if let Some(until) = query.until {
        conditions.add("audit.at_ms < ?", Value::Integer(until.timestamp_millis()));
    }
    if let Some(actor) = &query.actor {
        conditions.add("coalesce(user.username, audit.actor) = ?", text(actor));
    }
    if let Some(object) = &query.object {
        conditions.add(OF_TYPE, text(object));
    }
    match query.id.as_deref().map(|id| (id, RefundName::parse(id))) {
        None => {}
        Some((_, Some(name))) if is_of_this_ledger(reader, name)? => {
            let created_in = creating_records(reader, name.number())?;
            let others: String =
                created_in.iter().map(|key| format!(" union select {key}")).collect();
            let of_refund = format!("{OF_REFUND}{others})");
            conditions.add(&of_refund, Value::Integer(name.number().value()));
        }
        Some((id, _)) => conditions.add(OF_OBJECT, text(id)),
    }
    Ok(conditions)
}

/// The keys of the records in which a refund was created that was deleted since.
fn creating_records(reader: &mut dyn Reader, number: RefundNumber) -> Result<Vec<i64>, BooksError> {
    let select = "select facts from audit_object where refund = ?1";
    let facts = reader.list(select, &[number.stored()], |row| row.json::<Json>(0))?;
    Ok(facts.iter().filter_map(|facts| facts.get("created_in")?.as_i64()).collect())
}

/// Whether an Id or a number may be that of a refund of this ledger: one that is there, or one that
/// was deleted. An Id of another ledger can carry a number that this one gave as well.
pub(super) fn is_of_this_ledger(
    reader: &mut dyn Reader,
    name: RefundName,
) -> Result<bool, BooksError> {
    let RefundName::Id(id) = name else {
        return Ok(true);
    };
    if let Some(known) = id_of(reader, id.number())? {
        return Ok(known == id);
    }
    let deleted = "select 1 from audit_object where refund = ?1 and id = ?2";
    let (number, id) = (id.number(), id.to_string());
    let deleted = reader.first(deleted, &[number.stored(), id.stored()], |_| Ok(()))?;
    Ok(deleted.is_some())
}

/// The Id of the refund of this number, if it is there.
fn id_of(reader: &mut dyn Reader, number: RefundNumber) -> Result<Option<RefundId>, BooksError> {
    let select = "select created_ms, salt from refund where number = ?1";
    reader.first(select, &[number.stored()], |row| {
        Ok(RefundId::new(row.get(0)?, row.get(1)?, number))
    })
}

fn record(row: &Row<'_>) -> Result<Record, BooksError> {
    let (user, other): (Option<String>, Option<String>) = (row.get(2)?, row.get(3)?);
    let door: String = row.get(4)?;
    let actor_kind = match (&user, door.as_str()) {
        (Some(_), _) => "user",
        (None, "gateway") => "gateway",
        (None, _) => "operator",
    };
    let object: String = row.get(9)?;
    let numbers: Vec<i64> = row.json_if_any(11)?.unwrap_or_default();
    let numbers = numbers.into_iter().filter_map(RefundNumber::new);
    Ok(Record {
        key: row.get(0)?,
        at: row.get(1)?,
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
