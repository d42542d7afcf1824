//! Updates and deletions inside the open transaction, and their records. Refunds and adjustments
//! change in the working set, the other objects by statements of their own.

use super::invoice_adjusting::{self, Adjusted};
use super::store::Store;
use super::{accounts, methods, payments};
use crate::domain::id::ObjectId;
use crate::ledger::change::{ChangeResult, Changes, Deletable, Delete, Update};
use crate::ledger::engine::Engine;
use crate::ledger::trail::{Act, Actor, Touched};
use crate::ledger::work::changing as work;
use crate::ledger::work::trail::{self, Done};
use crate::ledger::work::trail_facts::{of_changes, of_refund, type_of_changes, type_of_deleted};
use rusqlite::{Connection, OptionalExtension};
use serde_json::{Value, json};

/// Makes each change, or finds why not, and records the call.
pub(super) fn update(store: &mut Store, request: &Update) -> rusqlite::Result<Vec<ChangeResult>> {
    let rows = update_rows(store, request)?;
    let (actor, at) = (Actor::User(request.user), request.asking.now);
    let act = Act { actor, origin: request.origin.clone(), at };
    let done = Done::new("update", type_of_changes(&request.changes));
    let touched = of_changes(&request.changes, &rows);
    store.work_at_once(|unit| trail::keep(unit, &act, done, &touched))?;
    Ok(rows)
}

fn update_rows(store: &mut Store, request: &Update) -> rusqlite::Result<Vec<ChangeResult>> {
    let Update { user, asking, changes, .. } = request;
    store.settle()?;
    match changes {
        Changes::Accounts(changes) => {
            changes.iter().map(|change| accounts::update(store, *user, asking, change)).collect()
        }
        Changes::PaymentMethods(changes) => {
            changes.iter().map(|change| methods::update(store, *user, asking, change)).collect()
        }
        Changes::InvoiceAdjustments(changes) => changes
            .iter()
            .map(|change| invoice_adjusting::update(store, *user, asking, change))
            .collect(),
        Changes::InvoiceItemAdjustments(changes) => changes
            .iter()
            .map(|change| invoice_adjusting::update_of_line(store, *user, asking, change))
            .collect(),
        Changes::Payments(changes) => {
            changes.iter().map(|change| payments::update(store, *user, asking, change)).collect()
        }
        Changes::Refunds(changes) => store.work(|unit| {
            changes.iter().map(|change| work::refund(unit, *user, asking, change)).collect()
        }),
        Changes::Adjustments(changes) => store.work(|unit| {
            changes.iter().map(|change| work::adjustment(unit, *user, asking, change)).collect()
        }),
    }
}

/// Deletes each object, or finds why not, and records the call with what each was.
pub(super) fn delete(store: &mut Store, request: &Delete) -> rusqlite::Result<Vec<ChangeResult>> {
    store.settle()?;
    let delete = |store: &mut Store, id: &ChangeResult| match (id, request.object) {
        (Ok(id), Deletable::Account) => accounts::delete(store, &request.asking, id),
        (Ok(id), Deletable::InvoiceAdjustment) => {
            invoice_adjusting::delete(store, &request.asking, Adjusted::Invoice, id)
        }
        (Ok(id), Deletable::InvoiceItemAdjustment) => {
            invoice_adjusting::delete(store, &request.asking, Adjusted::Line, id)
        }
        (Ok(id), Deletable::PaymentMethod) => methods::delete(store, &request.asking, id),
        (Ok(id), Deletable::Refund) => {
            store.work(|unit| work::delete_refund(unit, &request.asking, id))
        }
        (Err(error), _) => Ok(Err(error.clone())),
    };
    let object = type_of_deleted(request.object);
    let (mut rows, mut touched) = (Vec::with_capacity(request.ids.len()), Vec::new());
    for id in &request.ids {
        let facts = match id {
            Ok(id) => before_deletion(store, request.object, id)?,
            Err(_) => Value::Null,
        };
        let row = delete(store, id)?;
        if let Ok(id) = &row {
            touched.push(Touched { object, id: id.to_string(), facts });
        }
        rows.push(row);
    }
    let (actor, at) = (Actor::User(request.user), request.asking.now);
    let act = Act { actor, origin: request.origin.clone(), at };
    store.work_at_once(|unit| trail::keep(unit, &act, Done::new("delete", object), &touched))?;
    Ok(rows)
}

/// Notes that the number of a refund, and those before it, were given.
pub(super) fn never_give_again(connection: &Connection, number: i64) -> rusqlite::Result<()> {
    let note = "insert into meta (key, value) values ('last_deleted_refund', ?1) \
                on conflict (key) do update set value = excluded.value \
                where cast(value as integer) < ?1";
    connection.prepare_cached(note)?.execute([number]).map(|_| ())
}

/// What an object is just before it is deleted; nothing that could be asked for later.
fn before_deletion(store: &mut Store, object: Deletable, id: &ObjectId) -> rusqlite::Result<Value> {
    let select = match object {
        Deletable::Refund => return store.work(|unit| of_refund(unit, id)),
        Deletable::Account => ("number", "select number from account where id = ?1"),
        Deletable::PaymentMethod => ("type", "select type from payment_method where id = ?1"),
        Deletable::InvoiceAdjustment | Deletable::InvoiceItemAdjustment => {
            ("number", "select number from invoice_adjustment where id = ?1")
        }
    };
    fact(store.connection(), select, id)
}

fn fact(
    connection: &Connection,
    (name, select): (&str, &str),
    id: &ObjectId,
) -> rusqlite::Result<Value> {
    let mut statement = connection.prepare_cached(select)?;
    let found: Option<String> = statement.query_row([id.as_str()], |row| row.get(0)).optional()?;
    Ok(json!({ name: found }))
}
