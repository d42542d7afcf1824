//! The audit trail: one record a call, in the transaction of its work.
//!
//! To record a change, call [`keep`] at its end with the [`Act`] that the request carries, what was
//! done, and what it touched. A call that came to nothing leaves no record.
//!
//! What must stay true: a record is written once, after the work, under the key that [`next_key`]
//! gave before it; rows that refer to it are written in the same transaction.

use crate::domain::id::{ObjectId, RefundId, RefundNumber};
use crate::domain::origin::{Origin, RequestId};
use crate::ledger::UserKey;
use crate::ledger::books::BooksError;
use crate::ledger::record::{Field, Value as Stored};
use crate::ledger::records::{AUDIT_SOURCE_BY_ALL, AuditObject, AuditRow, AuditSource};
use crate::ledger::trail::{Act, ActSource, Actor, Touched};
use crate::ledger::unit::{Unit, Unmet};
use serde_json::Value;

/// The longest text of an actor or an idempotency key that is kept, in characters.
const TEXT_CHARS_MAX: usize = 255;

/// What a call did.
#[derive(Debug, Clone, Copy)]
pub struct Done<'a> {
    /// `create`, `update`, `grant`, ….
    pub operation: &'static str,
    /// The type of what it touched.
    pub object: &'static str,
    /// The key that made it idempotent.
    pub idempotency_key: Option<&'a str>,
}

impl Done<'_> {
    /// An operation on objects of a type.
    pub const fn new(operation: &'static str, object: &'static str) -> Self {
        Self { operation, object, idempotency_key: None }
    }
}

/// The key for the record of a call.
pub fn next_key(unit: &mut Unit<'_>) -> Result<i64, BooksError> {
    unit.next_key::<AuditRow>()
}

/// Records, under a key of its own, a call that touched these objects; nothing without any.
pub fn keep(
    unit: &mut Unit<'_>,
    act: &Act,
    done: Done<'_>,
    touched: &[Touched],
) -> Result<(), BooksError> {
    if touched.is_empty() {
        return Ok(());
    }
    let audit = next_key(unit)?;
    keep_as(unit, audit, act, done, touched)
}

/// Records, under the key `audit`, a call that touched these objects; nothing where there are none.
pub fn keep_as(
    unit: &mut Unit<'_>,
    audit: i64,
    act: &Act,
    done: Done<'_>,
    touched: &[Touched],
) -> Result<(), BooksError> {
    if touched.is_empty() {
        return Ok(());
    }
    insert(unit, audit, act, done, &[])?;
    for Touched { object, id, facts } in touched {
        let refund = RefundId::parse(id).filter(|_| *object == "Refund");
        let key = unit.next_key::<AuditObject>()?;
        unit.insert(AuditObject {
            key,
            audit,
            object: (*object).to_owned(),
            id: cut(id).to_owned(),
            refund: refund.map(RefundId::number),
            facts: facts.to_string(),
        })?;
    }
    Ok(())
}

/// Records, under the key `audit`, a call that created or settled the refunds of these numbers;
/// nothing where there are none. What became of them stands in rows that refer to the record.
pub fn keep_refunds(
    unit: &mut Unit<'_>,
    audit: i64,
    act: &Act,
    done: Done<'_>,
    numbers: &[RefundNumber],
) -> Result<(), BooksError> {
    if numbers.is_empty() {
        return Ok(());
    }
    insert(unit, audit, act, done, numbers)
}

/// The numbers of the refunds that these ids are of.
pub fn numbers<'i>(ids: impl Iterator<Item = &'i ObjectId>) -> Vec<RefundNumber> {
    ids.filter_map(|id| RefundId::parse(id.as_str())).map(RefundId::number).collect()
}

fn insert(
    unit: &mut Unit<'_>,
    audit: i64,
    act: &Act,
    done: Done<'_>,
    refunds: &[RefundNumber],
) -> Result<(), BooksError> {
    let source = source(unit, act, done)?;
    let (first_refund, refund_count, others) = match refunds {
        [] => (None, None, None),
        [first, ..] if follow_each_other(refunds) => {
            (Some(*first), i64::try_from(refunds.len()).ok(), None)
        }
        _ => {
            let numbers = refunds.iter().map(|number| number.value());
            (None, None, Some(Value::from_iter(numbers).to_string()))
        }
    };
    unit.insert(AuditRow {
        key: audit,
        at_ms: act.at,
        source,
        request_id: act.origin.request_id.as_ref().map(RequestId::as_str).map(str::to_owned),
        first_refund,
        refund_count,
        refunds: others,
        idempotency_key: done.idempotency_key.map(cut).map(str::to_owned),
    })
}

fn follow_each_other(numbers: &[RefundNumber]) -> bool {
    numbers.windows(2).all(|pair| match pair {
        [one, next] => one.value() + 1 == next.value(),
        _ => true,
    })
}

/// The key of the row that says who acts, by which way, and what is done; it is made if it is new.
fn source(unit: &mut Unit<'_>, act: &Act, done: Done<'_>) -> Result<i64, BooksError> {
    let Act { actor, origin, .. } = act;
    let (operation, object) = (done.operation, done.object);
    let is_it = |latest: &ActSource| latest.is_of(actor, origin, operation, object);
    if let Some(key) = unit.latest_source(is_it) {
        return Ok(key);
    }
    let mut source = source_row(actor, origin, operation, object);
    let known = unit.find::<AuditSource>(&AUDIT_SOURCE_BY_ALL, &values_of(&source))?;
    let key = match known {
        Some(known) => known.key,
        None => {
            let key = unit.next_key::<AuditSource>()?;
            source.key = key;
            unit.insert(source)?;
            key
        }
    };
    let (actor, origin) =
        (actor.clone(), Origin { request_id: None, trace: None, ..origin.clone() });
    unit.remember_source(ActSource { actor, origin, operation, object }, key);
    Ok(key)
}

/// Whether it is known which row says that a user does something by this way.
pub(super) fn see_source(
    unit: &mut Unit<'_>,
    user: UserKey,
    origin: &Origin,
    operation: &'static str,
    object: &'static str,
) -> Result<(), Unmet> {
    let actor = Actor::User(user);
    let is_it = |latest: &ActSource| latest.is_of(&actor, origin, operation, object);
    if unit.latest_source(is_it).is_some() {
        return Ok(());
    }
    let source = source_row(&actor, origin, operation, object);
    unit.see_one::<AuditSource>(&AUDIT_SOURCE_BY_ALL, &values_of(&source)).map(|_| ())
}

/// The row of a source, but for its key.
fn source_row(
    actor: &Actor,
    origin: &Origin,
    operation: &'static str,
    object: &'static str,
) -> AuditSource {
    let (user, actor) = match actor {
        Actor::User(user) => (user.0, ""),
        Actor::Operator(name) | Actor::Gateway(name) => (0, cut(name)),
    };
    let address = origin.address.map(|address| address.to_canonical().to_string());
    AuditSource {
        key: 0,
        user,
        actor: actor.to_owned(),
        door: origin.door.name().to_owned(),
        version: origin.version.as_deref().unwrap_or_default().to_owned(),
        address: address.unwrap_or_default(),
        operation: operation.to_owned(),
        object: object.to_owned(),
    }
}

/// The values by which a source is found.
fn values_of(source: &AuditSource) -> Vec<Stored<'_>> {
    let texts = [
        &source.actor,
        &source.door,
        &source.version,
        &source.address,
        &source.operation,
        &source.object,
    ];
    std::iter::once(source.user.stored()).chain(texts.map(Field::stored)).collect()
}

fn cut(text: &str) -> &str {
    let end = text.char_indices().nth(TEXT_CHARS_MAX).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or_default()
}
