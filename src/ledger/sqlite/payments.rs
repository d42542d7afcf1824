//! Payments and their parts inside the open transaction: look up what a draft names, let the domain
//! decide, and move the invoice's balance with the part that pays it, and the credit balance with
//! what an overpayment brings.

use super::billing_rows::{self, Named};
use super::custom::{self, Owner};
use super::store::{Store, kept_json};
use super::{adjusting, rows, sending};
use crate::domain::collected::ReferenceKey;
use crate::domain::custom_value::CustomValues;
use crate::domain::draft::payment::{PaymentChange, PaymentDraft, PaymentPartDraft};
use crate::domain::facts::{InvoiceKey, Payment, PaymentKey};
use crate::domain::id::{IdKind, ObjectId};
use crate::domain::money::MinorUnits;
use crate::domain::rules::{
    Asking, NewPart, NewPayment, PaymentFacts, PaymentUpdate, decide_part, decide_payment,
    decide_payment_update, reference_after,
};
use crate::domain::vocabulary::PaymentStatus;
use crate::ledger::change::ChangeResult;
use crate::ledger::{RowResult, UserKey};
use rusqlite::{Connection, named_params, params};

/// Makes a payment, with the part that pays its invoice and the credit that it brings, or finds why
/// not.
pub(super) fn create(
    store: &Store,
    user: UserKey,
    asking: &Asking,
    draft: &PaymentDraft,
) -> rusqlite::Result<RowResult> {
    let connection = store.connection();
    let account = draft.account_id.look_up(|id| rows::account(connection, id, false))?;
    let method = draft.method_id.look_up(|id| rows::payment_method(connection, id))?;
    let invoice =
        draft.invoice_id.look_up(|id| billing_rows::invoice(connection, Named::Id(id)))?;
    let invoice_by_number = draft
        .invoice_number
        .look_up(|number| billing_rows::invoice(connection, Named::Number(number)))?;
    let known = draft.reference_id.given().map(|one| sending::known_by(connection, one));
    let known = known.transpose()?.unwrap_or_default();
    let (tenant, gateways) = (store.tenant(), store.gateways());
    let facts =
        PaymentFacts { tenant, gateways, account, method, invoice, invoice_by_number, known };
    let payment = match decide_payment(draft, &facts, asking) {
        Ok(payment) => payment,
        Err(error) => return Ok(Err(error)),
    };
    let at_ms = asking.now.timestamp_millis();
    let key = store.next_key("payment")?;
    let id = ObjectId::from(store.row_id(IdKind::Payment, at_ms, key)?);
    insert(store, key, &id, user, &payment, at_ms)?;
    custom::keep(connection, Owner::Payment(&id), &payment.custom)?;
    if let Some((invoice, amount)) = payment.applied {
        let (payment, custom) = (PaymentKey(key), CustomValues::new());
        let part = NewPart { payment, invoice, amount, custom };
        insert_part(store, user, &part, at_ms)?;
    }
    if let Some(credit) = payment.credit {
        let adjustment = credit.of_payment(PaymentKey(key), payment.account);
        adjusting::write(store, user, &adjustment, at_ms)?;
    }
    Ok(Ok(id))
}

/// Makes a part of a payment, or finds why not.
pub(super) fn create_part(
    store: &Store,
    user: UserKey,
    asking: &Asking,
    draft: &PaymentPartDraft,
) -> rusqlite::Result<RowResult> {
    let connection = store.connection();
    let payment =
        draft.payment_id.look_up(|id| billing_rows::payment(connection, Named::Id(id)))?;
    let invoice =
        draft.invoice_id.look_up(|id| billing_rows::invoice(connection, Named::Id(id)))?;
    match decide_part(draft, payment.as_ref(), invoice.as_ref(), store.tenant(), asking) {
        Ok(part) => insert_part(store, user, &part, asking.now.timestamp_millis()).map(Ok),
        Err(error) => Ok(Err(error)),
    }
}

/// Changes a payment, or finds why not. What it paid is owed again once it is taken back.
pub(super) fn update(
    store: &Store,
    user: UserKey,
    asking: &Asking,
    draft: &PaymentChange,
) -> rusqlite::Result<ChangeResult> {
    let connection = store.connection();
    let existing =
        draft.common.id.look_up(|id| billing_rows::payment(connection, Named::Id(id)))?;
    let known = match (draft.reference_id.given(), &existing) {
        (Some(reference), _) => sending::known_by(connection, reference)?,
        (None, Some(existing)) => sending::known_by(connection, &existing.number)?,
        (None, None) => Vec::new(),
    };
    let tenant = store.tenant();
    let update = match decide_payment_update(draft, existing.as_ref(), &known, tenant, asking) {
        Ok(update) => update,
        Err(error) => return Ok(Err(error)),
    };
    let id = draft.common.id.given().cloned().ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    let at_ms = asking.now.timestamp_millis();
    if let Some(payment) = &existing {
        know_by_another(connection, payment, &update)?;
    }
    if update.taken_back.is_some() {
        let parts = existing.iter().flat_map(|payment| &payment.parts);
        for part in parts {
            move_invoice(store, part.invoice, part.rest(), 1, at_ms)?;
        }
    }
    let sql = "update payment set status = coalesce(:status, status), \
         comment = iif(:sets_comment, :comment, comment), \
         reference_id = iif(:sets_reference, :reference, reference_id), \
         kept = json_patch(kept, :kept), updated_by = :user, updated_ms = :at_ms where id = :id";
    let (sets_comment, comment) = update.comment.into_parts();
    let (sets_reference, reference) = update.reference_id.into_parts();
    connection.prepare_cached(sql)?.execute(named_params! {
        ":status": update.taken_back.map(PaymentStatus::name),
        ":sets_comment": sets_comment,
        ":comment": comment,
        ":sets_reference": sets_reference,
        ":reference": reference,
        ":kept": kept_json(&update.kept)?,
        ":user": user.0,
        ":at_ms": at_ms,
        ":id": id.as_str(),
    })?;
    custom::keep(connection, Owner::Payment(&id), &update.custom)?;
    Ok(Ok(id))
}

fn insert(
    store: &Store,
    key: i64,
    id: &ObjectId,
    user: UserKey,
    payment: &NewPayment<'_>,
    at_ms: i64,
) -> rusqlite::Result<()> {
    let number = free_number(store, payment)?;
    let insert = "insert into payment (key, id, number, account, type, status, amount, refunded, \
         to_credit_balance, effective_date, payment_method, gateway, is_settled, reference_id, \
         comment, kept, created_by, created_ms, updated_by, updated_ms) values (:key, :id, \
         :number, :account, :type, :status, :amount, 0, 0, :effective_date, :method, :gateway, \
         :is_settled, :reference_id, :comment, :kept, :user, :at_ms, :user, :at_ms)";
    store.connection().prepare_cached(insert)?.execute(named_params! {
        ":key": key,
        ":id": id.as_str(),
        ":number": number,
        ":account": payment.account.key.0,
        ":type": payment.payment_type.name(),
        ":status": PaymentStatus::Processed.name(),
        ":amount": payment.amount.units(),
        ":effective_date": payment.effective_date.to_string(),
        ":method": payment.method.0,
        ":gateway": payment.gateway,
        // As in a seed: whoever tests an unsettled payment says so there.
        ":is_settled": true,
        ":reference_id": payment.reference_id,
        ":comment": payment.comment,
        ":kept": kept_json(&payment.kept)?,
        ":user": user.0,
        ":at_ms": at_ms,
    })?;
    match payment.gateway {
        None => Ok(()),
        Some(gateway) => {
            let reference = payment.reference_id.unwrap_or(&number);
            let key = PaymentKey(key);
            sending::claim(store.connection(), gateway, reference, key, payment.amount)
        }
    }
}

/// The next number; for a payment without a ReferenceId, one by which its gateway knows no other.
fn free_number(store: &Store, payment: &NewPayment<'_>) -> rusqlite::Result<String> {
    loop {
        let number = store.next_number("payment", "P-")?;
        let (Some(gateway), None) = (payment.gateway, payment.reference_id) else {
            return Ok(number);
        };
        let known = sending::known_by(store.connection(), &number)?;
        if known.iter().all(|known| known.gateway != gateway) {
            return Ok(number);
        }
    }
}

/// Lets the gateway of a payment know it by the reference that it is to have.
fn know_by_another(
    connection: &Connection,
    payment: &Payment,
    update: &PaymentUpdate<'_>,
) -> rusqlite::Result<()> {
    let (Some(gateway), Some(new)) =
        (&payment.gateway, reference_after(&update.reference_id, payment))
    else {
        return Ok(());
    };
    let old = payment.reference();
    if ReferenceKey::of(old) == ReferenceKey::of(new) {
        return Ok(());
    }
    sending::claim_instead(connection, gateway, (old, new), payment.key, payment.amount)
}

fn insert_part(
    store: &Store,
    user: UserKey,
    part: &NewPart,
    at_ms: i64,
) -> rusqlite::Result<ObjectId> {
    let key = store.next_key("invoice_payment")?;
    let id = ObjectId::from(store.row_id(IdKind::InvoicePayment, at_ms, key)?);
    let insert = "insert into invoice_payment (key, id, invoice, payment, amount, refunded, \
         created_by, created_ms, updated_ms) values (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7, ?7)";
    store.connection().prepare_cached(insert)?.execute(params![
        key,
        id.as_str(),
        part.invoice.0,
        part.payment.0,
        part.amount.units(),
        user.0,
        at_ms,
    ])?;
    custom::keep(store.connection(), Owner::InvoicePayment(&id), &part.custom)?;
    move_invoice(store, part.invoice, part.amount, -1, at_ms)?;
    Ok(id)
}

/// Moves what is owed on an invoice: up by `sign` 1, down by -1. The schema guards its bounds.
fn move_invoice(
    store: &Store,
    invoice: InvoiceKey,
    amount: MinorUnits,
    sign: i64,
    at_ms: i64,
) -> rusqlite::Result<()> {
    let update = "update invoice set balance = balance + ?2, updated_ms = ?3 where key = ?1 \
                  returning key";
    let mut statement = store.connection().prepare_cached(update)?;
    statement.query_row(params![invoice.0, sign * amount.units(), at_ms], |_| Ok(()))
}
