//! Payments under Invoice Settlement: made with what they pay, applied and unapplied. An invoice's
//! balance moves with the part that pays it, in one place.

use super::facts;
use super::movement::{move_invoice, move_payment, negative, sum};
use super::settlement_facts::{self, invoices};
use super::{methods, payments, sending};
use crate::domain::custom_value::CustomValues;
use crate::domain::draft::credit_memo::{Step, StepDraft};
use crate::domain::draft::settlement_payment::SettlementPaymentDraft;
use crate::domain::facts::PaymentKey;
use crate::domain::money::MinorUnits;
use crate::domain::rules::{
    AppliedShare, Asking, NewPart, SettlementPaymentFacts, decide_payment_step,
    decide_settlement_payment,
};
use crate::ledger::books::BooksError;
use crate::ledger::record::Field;
use crate::ledger::records::{PART_BY_PAYMENT, Part, Payment};
use crate::ledger::unit::{Unit, World};
use crate::ledger::{RowResult, UserKey};
use chrono::{DateTime, Utc};

/// Makes a payment, or finds why not.
pub(super) fn create(
    unit: &mut Unit<'_>,
    user: UserKey,
    asking: &Asking,
    draft: &SettlementPaymentDraft,
) -> Result<RowResult, BooksError> {
    let facts = named(unit, draft)?;
    let (payment, shares) = match decide_settlement_payment(draft, &facts, asking) {
        Ok(decided) => decided,
        Err(error) => return Ok(Err(error)),
    };
    let (key, saved) = payments::insert(unit, user, &payment, asking.now)?;
    for share in shares {
        apply(unit, user, key, share, asking.now)?;
    }
    Ok(Ok(saved))
}

/// What a draft names.
fn named<'w>(
    unit: &mut Unit<'w>,
    draft: &SettlementPaymentDraft,
) -> Result<SettlementPaymentFacts<'w>, BooksError> {
    let by_id = draft.account_id.look_up(|id| facts::account(unit, id, false))?;
    let by_number =
        draft.account_number.look_up(|number| settlement_facts::account_by_number(unit, number))?;
    let method = match (draft.payment_method_id.given(), draft.payment_method_type.given()) {
        (Some(id), _) => facts::method(unit, id)?,
        (None, Some(method_type)) => methods::built_in(unit, *method_type)?,
        (None, None) => None,
    };
    let gateway = draft.gateway_id.look_up(|id| settlement_facts::gateway(unit, id))?;
    let known = match draft.reference_id.given() {
        Some(reference) => sending::known_by(unit, reference)?,
        None => Vec::new(),
    };
    let invoices = invoices(unit, &draft.invoices)?;
    let World { tenant, gateways, .. } = unit.world;
    Ok(SettlementPaymentFacts {
        tenant,
        gateways,
        by_id,
        by_number,
        method,
        gateway,
        invoices,
        known,
    })
}

/// Applies or unapplies a payment, or finds why not.
pub(super) fn step(
    unit: &mut Unit<'_>,
    user: UserKey,
    asking: &Asking,
    draft: &StepDraft,
) -> Result<RowResult, BooksError> {
    let payment = settlement_facts::payment(unit, &draft.target)?;
    let (shares, is_apply) = match &draft.step {
        Step::Apply(shares) => (shares.as_slice(), true),
        Step::Unapply(shares) => (shares.as_slice(), false),
        Step::Post | Step::Cancel => (&[][..], true),
    };
    let invoices = invoices(unit, shares)?;
    let tenant = &unit.world.tenant;
    let shares = match decide_payment_step(draft, payment.as_ref(), &invoices, tenant, asking) {
        Ok(shares) => shares,
        Err(error) => return Ok(Err(error)),
    };
    let Some(payment) = payment else { return Err(BooksError::Missing("payment")) };
    for share in shares {
        match is_apply {
            true => apply(unit, user, payment.key, share, asking.now)?,
            false => unapply(unit, payment.key, share, asking.now)?,
        }
    }
    let key = (payment.key,);
    unit.change::<Payment>(&key, |row| {
        (row.updated_by, row.updated_ms) = (Some(user), asking.now);
    })?;
    Ok(Ok(unit.existing::<Payment>(&key)?.id.into()))
}

/// Has a share of a payment's unapplied part pay an invoice.
fn apply(
    unit: &mut Unit<'_>,
    user: UserKey,
    payment: PaymentKey,
    share: AppliedShare,
    at: DateTime<Utc>,
) -> Result<(), BooksError> {
    if part_of(unit, payment, share)?.is_some() {
        return move_part(unit, payment, share, share.amount, at);
    }
    let AppliedShare { invoice, amount } = share;
    let part = NewPart { payment, invoice, amount, is_paid: true, custom: CustomValues::new() };
    payments::insert_part(unit, user, &part, at).map(|_| ())
}

/// Brings a share back from an invoice: the payment has it unapplied.
pub(super) fn unapply(
    unit: &mut Unit<'_>,
    payment: PaymentKey,
    share: AppliedShare,
    at: DateTime<Utc>,
) -> Result<(), BooksError> {
    move_part(unit, payment, share, negative(share.amount), at)
}

/// Moves what a part that is there pays of its invoice, and with it what is owed.
fn move_part(
    unit: &mut Unit<'_>,
    payment: PaymentKey,
    share: AppliedShare,
    delta: MinorUnits,
    at: DateTime<Utc>,
) -> Result<(), BooksError> {
    let part = part_of(unit, payment, share)?.ok_or(BooksError::Missing("invoice_payment"))?;
    move_payment(unit, payment, MinorUnits::ZERO, delta, at)?;
    unit.change::<Part>(&(part.key,), |row| {
        row.amount = sum(row.amount, delta);
        row.moved = sum(row.moved, delta);
        row.updated_ms = at;
    })?;
    move_invoice(unit, share.invoice, negative(delta), at)
}

fn part_of(
    unit: &mut Unit<'_>,
    payment: PaymentKey,
    share: AppliedShare,
) -> Result<Option<Part>, BooksError> {
    let parts: Vec<Part> = unit.all(&PART_BY_PAYMENT, &[payment.stored()])?;
    Ok(parts.into_iter().find(|part| part.invoice == share.invoice))
}
