//! Payments and their parts: look up what a draft names, let the domain decide, and move the
//! invoice's balance with the part that pays it, and the credit balance with what an overpayment
//! brings.

use super::facts::{self, Named};
use super::movement::{move_invoice, move_payment};
use super::numbering::Numbered;
use super::{adjusting, custom, numbering, sending};
use crate::domain::collected::ReferenceKey;
use crate::domain::custom_value::CustomValues;
use crate::domain::draft::payment::{PaymentChange, PaymentDraft, PaymentPartDraft};
use crate::domain::facts::{PartKey, Payment, PaymentKey};
use crate::domain::id::{IdKind, ObjectId};
use crate::domain::money::MinorUnits;
use crate::domain::row_error::RowError;
use crate::domain::rules::{
    Asking, NewPart, NewPayment, PaymentChangeFacts, PaymentFacts, PaymentStep, PaymentUpdate,
    decide_part, decide_payment, decide_payment_update, reference_after,
};
use crate::domain::vocabulary::PaymentStatus;
use crate::ledger::books::BooksError;
use crate::ledger::change::ChangeResult;
use crate::ledger::record::{ByName, DayText, Field};
use crate::ledger::records::{self, PART_BY_PAYMENT, PAYMENT_BY_ID, Part};
use crate::ledger::unit::{Unit, World};
use crate::ledger::{RowResult, Saved, UserKey};
use chrono::{DateTime, Utc};

/// Makes a payment, with the part that pays its invoice and the credit that it brings, or finds why
/// not.
pub(super) fn create(
    unit: &mut Unit<'_>,
    user: UserKey,
    asking: &Asking,
    draft: &PaymentDraft,
) -> Result<RowResult, BooksError> {
    let facts = named(unit, draft)?;
    let payment = match decide_payment(draft, &facts, asking) {
        Ok(payment) => payment,
        Err(error) => return Ok(Err(error)),
    };
    let at = asking.now;
    let (key, saved) = insert(unit, user, &payment, at)?;
    if let Some((invoice, amount)) = payment.applied {
        let (is_paid, custom) = (payment.status == PaymentStatus::Processed, CustomValues::new());
        let part = NewPart { payment: key, invoice, amount, is_paid, custom };
        insert_part(unit, user, &part, at)?;
    }
    if let Some(credit) = payment.credit {
        adjusting::write(unit, user, &credit.of_payment(key, payment.account), at)?;
    }
    Ok(Ok(saved))
}

/// What a draft names.
fn named<'w>(unit: &mut Unit<'w>, draft: &PaymentDraft) -> Result<PaymentFacts<'w>, BooksError> {
    let account = draft.account_id.look_up(|id| facts::account(unit, id, false))?;
    let method = draft.method_id.look_up(|id| facts::method(unit, id))?;
    let invoice = draft.invoice_id.look_up(|id| facts::invoice(unit, Named::Id(id)))?;
    let invoice_by_number =
        draft.invoice_number.look_up(|number| facts::invoice(unit, Named::Number(number)))?;
    let known = match draft.reference_id.given() {
        Some(reference) => sending::known_by(unit, reference)?,
        None => Vec::new(),
    };
    let World { tenant, gateways, .. } = unit.world;
    Ok(PaymentFacts { tenant, gateways, account, method, invoice, invoice_by_number, known })
}

/// Makes a part of a payment, or finds why not.
pub(super) fn create_part(
    unit: &mut Unit<'_>,
    user: UserKey,
    asking: &Asking,
    draft: &PaymentPartDraft,
) -> Result<RowResult, BooksError> {
    let payment = draft.payment_id.look_up(|id| facts::payment(unit, Named::Id(id)))?;
    let invoice = draft.invoice_id.look_up(|id| facts::invoice(unit, Named::Id(id)))?;
    let tenant = &unit.world.tenant;
    match decide_part(draft, payment.as_ref(), invoice.as_ref(), tenant, asking) {
        Ok(part) => insert_part(unit, user, &part, asking.now).map(|id| Ok(id.into())),
        Err(error) => Ok(Err(error)),
    }
}

/// Changes a payment, or finds why not. What it paid is owed again once it is taken back.
pub(super) fn update(
    unit: &mut Unit<'_>,
    user: UserKey,
    asking: &Asking,
    draft: &PaymentChange,
) -> Result<ChangeResult, BooksError> {
    let facts = change_facts(unit, draft)?;
    let update = match decide_payment_update(draft, &facts, asking) {
        Ok(update) => update,
        Err(error) => return Ok(Err(error)),
    };
    let (Some(id), Some(payment)) = (draft.common.id.given(), &facts.payment) else {
        return Ok(Err(RowError::missing("Id")));
    };
    let at = asking.now;
    know(unit, payment, &update)?;
    let row: records::Payment = unit.existing(&(payment.key,))?;
    let kept = custom::kept(Some(&row.kept), &update.kept)?;
    let custom = custom::merged(row.custom.as_deref(), &update.custom)?;
    let (sets_comment, comment) = update.comment.map(str::to_owned).into_parts();
    let (sets_reference, reference) = update.reference_id.map(str::to_owned).into_parts();
    unit.change::<records::Payment>(&(payment.key,), |row| {
        if let Some((status, _)) = &update.status {
            row.status = ByName(*status);
            row.draft_credit = MinorUnits::ZERO;
        }
        if sets_comment {
            row.comment = comment;
        }
        if sets_reference {
            row.reference_id = reference;
        }
        (row.kept, row.custom) = (kept, custom);
        (row.updated_by, row.updated_ms) = (Some(user), at);
    })?;
    if let Some((_, step)) = update.status {
        take(unit, user, step, payment, at)?;
    }
    Ok(Ok(id.clone().into()))
}

/// What a change of a payment has to be judged by.
fn change_facts<'w>(
    unit: &mut Unit<'w>,
    draft: &PaymentChange,
) -> Result<PaymentChangeFacts<'w>, BooksError> {
    let payment = draft.common.id.look_up(|id| facts::payment(unit, Named::Id(id)))?;
    let known = match (draft.reference_id.given(), &payment) {
        (Some(reference), _) => sending::known_by(unit, reference)?,
        (None, Some(payment)) if draft.common.nulls.contains(&"ReferenceId") => {
            sending::known_by(unit, &payment.number)?
        }
        (None, Some(payment)) => sending::known_by(unit, payment.reference())?,
        (None, None) => Vec::new(),
    };
    let mut invoices = Vec::new();
    if let Some(payment) = payment.as_ref().filter(|one| one.status == PaymentStatus::Draft) {
        for part in &payment.parts {
            invoices.push(facts::invoice_by_key(unit, part.invoice)?);
        }
    }
    let World { tenant, gateways, .. } = unit.world;
    Ok(PaymentChangeFacts { tenant, gateways, payment, invoices, known })
}

/// Moves what a change of Status moves: the invoices of the payment's parts, and its credit.
fn take(
    unit: &mut Unit<'_>,
    user: UserKey,
    step: PaymentStep,
    payment: &Payment,
    at: DateTime<Utc>,
) -> Result<(), BooksError> {
    let sign = match step {
        PaymentStep::Process(_) => -1,
        PaymentStep::TakeBack => 1,
        PaymentStep::Discard => return Ok(()),
    };
    for part in &payment.parts {
        move_invoice(unit, part.invoice, MinorUnits::new(sign * part.rest().units()), at)?;
    }
    if let PaymentStep::Process(Some(credit)) = step {
        adjusting::write(unit, user, &credit.of_payment(payment.key, &payment.account), at)?;
    }
    Ok(())
}

pub(super) fn insert(
    unit: &mut Unit<'_>,
    user: UserKey,
    payment: &NewPayment<'_>,
    at: DateTime<Utc>,
) -> Result<(PaymentKey, Saved), BooksError> {
    let key = numbering::next_key::<records::Payment>(unit, "payment")?;
    let id = ObjectId::from(unit.row_id(IdKind::Payment, at, key)?);
    let key = PaymentKey(key);
    let number = free_number(unit, payment)?;
    let collecting = payment.gateway.filter(|_| payment.status == PaymentStatus::Processed);
    unit.insert(records::Payment {
        key,
        id: id.clone(),
        number: number.clone(),
        account: payment.account.key,
        payment_type: ByName(payment.payment_type),
        status: ByName(payment.status),
        amount: payment.amount,
        refunded: MinorUnits::ZERO,
        applied: MinorUnits::ZERO,
        to_credit_balance: MinorUnits::ZERO,
        draft_credit: payment.draft_credit,
        effective_date: DayText(payment.effective_date),
        payment_method: payment.method,
        gateway: payment.gateway.map(str::to_owned),
        // As in a seed, where an unsettled payment has to be marked as such.
        is_settled: true,
        reference_id: payment.reference_id.map(str::to_owned),
        comment: payment.comment.map(str::to_owned),
        kept: custom::kept(None, &payment.kept)?,
        created_by: Some(user),
        created_ms: at,
        updated_by: Some(user),
        updated_ms: at,
        custom: custom::merged(None, &payment.custom)?,
    })?;
    unit.know_none::<records::Payment>(&PAYMENT_BY_ID, &[id.stored()]);
    unit.know_none::<Part>(&PART_BY_PAYMENT, &[key.stored()]);
    if let Some(gateway) = collecting {
        let reference = payment.reference_id.unwrap_or(&number);
        sending::claim(unit, gateway, reference, key, payment.amount)?;
    }
    Ok((key, Saved::numbered(id, number)))
}

/// The next number; for a payment without a ReferenceId, one by which its gateway knows no other.
fn free_number(unit: &mut Unit<'_>, payment: &NewPayment<'_>) -> Result<String, BooksError> {
    loop {
        let number = Numbered::Payment.next::<records::Payment>(unit)?;
        let (Some(gateway), None) = (payment.gateway, payment.reference_id) else {
            return Ok(number);
        };
        let known = sending::known_by(unit, &number)?;
        if known.iter().all(|known| known.gateway != gateway) {
            return Ok(number);
        }
    }
}

/// Lets the gateway of a payment know it by the reference that it is to have: of a draft, once it
/// is processed, because nothing was collected before.
fn know(
    unit: &mut Unit<'_>,
    payment: &Payment,
    update: &PaymentUpdate<'_>,
) -> Result<(), BooksError> {
    let Some(gateway) = &payment.gateway else { return Ok(()) };
    let (old, new) = (payment.reference(), reference_after(&update.reference_id, payment));
    if payment.status == PaymentStatus::Draft {
        let is_processed = matches!(update.status, Some((_, PaymentStep::Process(_))));
        return match is_processed {
            true => {
                let reference = new.unwrap_or(old);
                sending::claim(unit, gateway, reference, payment.key, payment.amount)
            }
            false => Ok(()),
        };
    }
    let is_other = |new: &&str| ReferenceKey::of(old) != ReferenceKey::of(new);
    match new.filter(is_other).filter(|_| payment.is_collected()) {
        None => Ok(()),
        Some(new) => sending::claim_instead(unit, gateway, (old, new), payment.key, payment.amount),
    }
}

pub(super) fn insert_part(
    unit: &mut Unit<'_>,
    user: UserKey,
    part: &NewPart,
    at: DateTime<Utc>,
) -> Result<ObjectId, BooksError> {
    let key = numbering::next_key::<Part>(unit, "invoice_payment")?;
    let id = ObjectId::from(unit.row_id(IdKind::InvoicePayment, at, key)?);
    unit.insert(Part {
        key: PartKey(key),
        id: id.clone(),
        invoice: part.invoice,
        payment: part.payment,
        amount: part.amount,
        refunded: MinorUnits::ZERO,
        moved: MinorUnits::ZERO,
        created_by: Some(user),
        created_ms: at,
        updated_ms: at,
        custom: custom::merged(None, &part.custom)?,
    })?;
    move_payment(unit, part.payment, MinorUnits::ZERO, part.amount, at)?;
    if part.is_paid {
        let paid = MinorUnits::new(part.amount.units().saturating_neg());
        move_invoice(unit, part.invoice, paid, at)?;
    }
    Ok(id)
}
