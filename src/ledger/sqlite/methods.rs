//! Payment methods inside the open transaction: let the domain decide, write. Numbers of cards and
//! banks never come this far: a draft holds their masks.

use super::custom::{self, Owner};
use super::rows::{self, known};
use super::store::{Store, kept_json};
use crate::domain::draft::payment_method::MethodDraft;
use crate::domain::facts::ExistingMethod;
use crate::domain::id::{IdKind, ObjectId};
use crate::domain::rules::{Asking, decide_method, decide_method_deletion, decide_method_update};
use crate::domain::vocabulary::{MethodStatus, MethodType};
use crate::ledger::change::ChangeResult;
use crate::ledger::{RowResult, UserKey};
use rusqlite::{Connection, OptionalExtension, params};

/// The ids of the methods that every tenant has, as the schema makes them: Check, Cash,
/// WireTransfer and Other.
pub(super) const BUILT_IN: [&str; 4] = [
    "c734069ef291f62717f7c390e0c0fd55",
    "61934f5aff784a1a2b6ab4bd8ae646ca",
    "2983abc7c19b8d4b0ae3c07a041a7138",
    "1c629c8e55a26b654b5c193df7bffcbf",
];

/// Makes a payment method, or finds why not.
pub(super) fn create(
    store: &Store,
    user: UserKey,
    asking: &Asking,
    draft: &MethodDraft,
) -> rusqlite::Result<RowResult> {
    let account = draft.account_id.look_up(|id| rows::account(store.connection(), id, false))?;
    let method = match decide_method(draft, account.as_ref(), store.tenant(), asking) {
        Ok(method) => method,
        Err(error) => return Ok(Err(error)),
    };
    let at_ms = asking.now.timestamp_millis();
    let key = store.next_key("payment_method")?;
    let id = ObjectId::from(store.row_id(IdKind::PaymentMethod, at_ms, key)?);
    let insert = "insert into payment_method (key, id, account, type, status, kept, created_by, \
         created_ms, updated_by, updated_ms) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?7, ?8)";
    store.connection().prepare_cached(insert)?.execute(params![
        key,
        id.as_str(),
        method.account.map(|account| account.0),
        method.method_type.name(),
        MethodStatus::Active.name(),
        kept_json(&method.kept)?,
        user.0,
        at_ms,
    ])?;
    custom::keep(store.connection(), Owner::PaymentMethod(&id), &method.custom)?;
    Ok(Ok(id))
}

/// Changes a payment method, or finds why not.
pub(super) fn update(
    store: &Store,
    user: UserKey,
    asking: &Asking,
    draft: &MethodDraft,
) -> rusqlite::Result<ChangeResult> {
    let existing = draft.common.id.look_up(|id| existing(store.connection(), id))?;
    let update = match decide_method_update(draft, existing.as_ref(), store.tenant(), asking) {
        Ok(update) => update,
        Err(error) => return Ok(Err(error)),
    };
    let id = draft.common.id.given().cloned().ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    let sql = "update payment_method set status = coalesce(?2, status), \
         kept = json_patch(kept, ?3), updated_by = ?4, updated_ms = ?5 where id = ?1";
    store.connection().prepare_cached(sql)?.execute(params![
        id.as_str(),
        update.closes.then(|| MethodStatus::Closed.name()),
        kept_json(&update.kept)?,
        user.0,
        asking.now.timestamp_millis(),
    ])?;
    custom::keep(store.connection(), Owner::PaymentMethod(&id), &update.custom)?;
    Ok(Ok(id))
}

/// Deletes a payment method, or finds why not.
pub(super) fn delete(
    store: &Store,
    asking: &Asking,
    id: &ObjectId,
) -> rusqlite::Result<ChangeResult> {
    let existing = existing(store.connection(), id)?;
    if let Err(error) = decide_method_deletion(id, existing.as_ref(), asking) {
        return Ok(Err(error));
    }
    let delete = "delete from payment_method where id = ?1";
    store.connection().prepare_cached(delete)?.execute([id.as_str()])?;
    Ok(Ok(id.clone()))
}

fn existing(connection: &Connection, id: &ObjectId) -> rusqlite::Result<Option<ExistingMethod>> {
    let select = "select method.type, method.status, owner.id, \
         exists (select 1 from account where default_payment_method = method.key), \
         exists (select 1 from refund where refund.payment_method = method.key) \
         or exists (select 1 from payment where payment.payment_method = method.key), method.id \
         from payment_method as method left join account as owner on owner.key = method.account \
         where method.id = ?1";
    let mut statement = connection.prepare_cached(select)?;
    let found = statement.query_row([id.as_str()], |row| {
        let owner: Option<String> = row.get(2)?;
        Ok(ExistingMethod {
            method_type: known(row, 0, MethodType::from_name)?,
            status: known(row, 1, MethodStatus::from_name)?,
            account_id: owner.as_deref().and_then(ObjectId::parse),
            is_default: row.get(3)?,
            is_used: row.get(4)?,
            is_built_in: BUILT_IN.contains(&row.get_ref(5)?.as_str()?),
        })
    });
    found.optional()
}
