//! Payments and their parts inside the open transaction: look up what a draft names, let the domain
//! decide, and move the invoice's balance with the part that pays it, and the credit balance with
//! what an overpayment brings.

use super::billing_rows::{self, Named};
use super::custom::{self, Owner};
use super::store::{Store, kept_json};
use super::{rows, sending};
use crate::domain::collected::ReferenceKey;
use crate::domain::custom_value::CustomValues;
use crate::domain::draft::payment::{PaymentChange, PaymentDraft, PaymentPartDraft};
use crate::domain::facts::{Payment, PaymentKey};
use crate::domain::id::{IdKind, ObjectId};
use crate::domain::money::MinorUnits;
use crate::domain::rules::{
    Asking, NewPart, NewPayment, PaymentChangeFacts, PaymentFacts, PaymentStep, PaymentUpdate,
    decide_part, decide_payment, decide_payment_update, reference_after,
};
use crate::domain::vocabulary::PaymentStatus;
use crate::ledger::change::ChangeResult;
use crate::ledger::work::adjusting;
use crate::ledger::{RowResult, UserKey};
use chrono::{DateTime, Utc};
use rusqlite::{Connection, named_params, params};

/// Makes a payment, with the part that pays its invoice and the credit that it brings, or finds why
/// not.
pub(super) fn create(
    store: &mut Store,
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
    let is_processed = payment.status == PaymentStatus::Processed;
    if let Some((invoice, amount)) = payment.applied {
        let (payment, custom) = (PaymentKey(key), CustomValues::new());
        let is_paid = is_processed;
        let part = NewPart { payment, invoice, amount, is_paid, custom };
        insert_part(store, user, &part, at_ms)?;
    }
    if let Some(credit) = payment.credit {
        let adjustment = credit.of_payment(PaymentKey(key), payment.account);
        store.work_at_once(|unit| adjusting::write(unit, user, &adjustment, asking.now))?;
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
    store: &mut Store,
    user: UserKey,
    asking: &Asking,
    draft: &PaymentChange,
) -> rusqlite::Result<ChangeResult> {
    let connection = store.connection();
    let facts = change_facts(store, draft)?;
    let update = match decide_payment_update(draft, &facts, asking) {
        Ok(update) => update,
        Err(error) => return Ok(Err(error)),
    };
    let id = draft.common.id.given().cloned().ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    let at_ms = asking.now.timestamp_millis();
    if let Some(payment) = &facts.payment {
        know(connection, payment, &update)?;
    }
    let sql = "update payment set status = coalesce(:status, status), \
         draft_credit = iif(:status is null, draft_credit, 0), \
         comment = iif(:sets_comment, :comment, comment), \
         reference_id = iif(:sets_reference, :reference, reference_id), \
         kept = json_patch(kept, :kept), updated_by = :user, updated_ms = :at_ms where id = :id";
    let (sets_comment, comment) = update.comment.into_parts();
    let (sets_reference, reference) = update.reference_id.into_parts();
    connection.prepare_cached(sql)?.execute(named_params! {
        ":status": update.status.as_ref().map(|(status, _)| status.name()),
        ":sets_comment": sets_comment,
        ":comment": comment,
        ":sets_reference": sets_reference,
        ":reference": reference,
        ":kept": kept_json(&update.kept)?,
        ":user": user.0,
        ":at_ms": at_ms,
        ":id": id.as_str(),
    })?;
    if let (Some((_, step)), Some(payment)) = (update.status, &facts.payment) {
        take(store, user, step, payment, asking.now)?;
    }
    custom::keep(store.connection(), Owner::Payment(&id), &update.custom)?;
    Ok(Ok(id))
}

/// What a change of a payment has to be judged by.
fn change_facts<'s>(
    store: &'s Store,
    draft: &PaymentChange,
) -> rusqlite::Result<PaymentChangeFacts<'s>> {
    let connection = store.connection();
    let payment = draft.common.id.look_up(|id| billing_rows::payment(connection, Named::Id(id)))?;
    let known = match (draft.reference_id.given(), &payment) {
        (Some(reference), _) => sending::known_by(connection, reference)?,
        (None, Some(payment)) if draft.common.nulls.contains(&"ReferenceId") => {
            sending::known_by(connection, &payment.number)?
        }
        (None, Some(payment)) => sending::known_by(connection, payment.reference())?,
        (None, None) => Vec::new(),
    };
    let mut invoices = Vec::new();
    if let Some(payment) = payment.as_ref().filter(|one| one.status == PaymentStatus::Draft) {
        for part in &payment.parts {
            let invoice = billing_rows::invoice(connection, Named::Id(&part.invoice_id))?;
            invoices.push(invoice.ok_or(rusqlite::Error::QueryReturnedNoRows)?);
        }
    }
    let (tenant, gateways) = (store.tenant(), store.gateways());
    Ok(PaymentChangeFacts { tenant, gateways, payment, invoices, known })
}

/// Moves what a change of Status moves: the invoices of the payment's parts, and its credit.
fn take(
    store: &mut Store,
    user: UserKey,
    step: PaymentStep,
    payment: &Payment,
    at: DateTime<Utc>,
) -> rusqlite::Result<()> {
    let at_ms = at.timestamp_millis();
    let sign = match step {
        PaymentStep::Process(_) => -1,
        PaymentStep::TakeBack => 1,
        PaymentStep::Discard => return Ok(()),
    };
    for part in &payment.parts {
        let moved = MinorUnits::new(sign * part.rest().units());
        billing_rows::move_invoice(store.connection(), part.invoice, moved, at_ms)?;
    }
    if let PaymentStep::Process(Some(credit)) = step {
        let adjustment = credit.of_payment(payment.key, &payment.account);
        store.work_at_once(|unit| adjusting::write(unit, user, &adjustment, at))?;
    }
    Ok(())
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
         comment, kept, created_by, created_ms, updated_by, updated_ms, draft_credit) \
         values (:key, :id, :number, :account, :type, :status, :amount, 0, 0, :effective_date, \
         :method, :gateway, :is_settled, :reference_id, :comment, :kept, :user, :at_ms, \
         :user, :at_ms, :draft_credit)";
    store.connection().prepare_cached(insert)?.execute(named_params! {
        ":key": key,
        ":id": id.as_str(),
        ":number": number,
        ":account": payment.account.key.0,
        ":type": payment.payment_type.name(),
        ":status": payment.status.name(),
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
        ":draft_credit": payment.draft_credit.units(),
    })?;
    match payment.gateway.filter(|_| payment.status == PaymentStatus::Processed) {
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
        let number = store.next_number("payment", "payment", "P-")?;
        let (Some(gateway), None) = (payment.gateway, payment.reference_id) else {
            return Ok(number);
        };
        let known = sending::known_by(store.connection(), &number)?;
        if known.iter().all(|known| known.gateway != gateway) {
            return Ok(number);
        }
    }
}

/// Lets the gateway of a payment know it by the reference that it is to have: of a draft, once it
/// is processed, because nothing was collected before.
fn know(
    connection: &Connection,
    payment: &Payment,
    update: &PaymentUpdate<'_>,
) -> rusqlite::Result<()> {
    let Some(gateway) = &payment.gateway else { return Ok(()) };
    let (old, new) = (payment.reference(), reference_after(&update.reference_id, payment));
    if payment.status == PaymentStatus::Draft {
        let is_processed = matches!(update.status, Some((_, PaymentStep::Process(_))));
        return match is_processed {
            true => {
                let reference = new.unwrap_or(old);
                sending::claim(connection, gateway, reference, payment.key, payment.amount)
            }
            false => Ok(()),
        };
    }
    let is_other = |new: &&str| ReferenceKey::of(old) != ReferenceKey::of(new);
    match new.filter(is_other).filter(|_| payment.is_collected()) {
        None => Ok(()),
        Some(new) => {
            sending::claim_instead(connection, gateway, (old, new), payment.key, payment.amount)
        }
    }
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
    if part.is_paid {
        let paid = MinorUnits::new(-part.amount.units());
        billing_rows::move_invoice(store.connection(), part.invoice, paid, at_ms)?;
    }
    Ok(id)
}
