//! What was sent to gateways against a payment, and what of it was never paid.
//!
//! What must stay true: everything that is sent is counted here in the transaction of its hold, and
//! more than was collected is refused. A release is for what its gateway declined, never got, or
//! rejected after all; cancelling or deleting a refund releases nothing: its money went out.

use crate::domain::collected::ReferenceKey;
use crate::domain::facts::PaymentKey;
use crate::domain::id::RefundNumber;
use crate::domain::money::MinorUnits;
use crate::ledger::books::BooksError;
use crate::ledger::record::{Field, Record};
use crate::ledger::records::{Collected, Payment, SENDING_OF_REFUND, Sending, SendingKind};
use crate::ledger::unit::Unit;
use chrono::{DateTime, Utc};

/// Counts what is sent against a payment for a refund. A payment that no gateway took fails:
/// nothing was collected with it.
pub(super) fn send(
    unit: &mut Unit<'_>,
    refund: RefundNumber,
    payment: PaymentKey,
    amount: MinorUnits,
    at: DateTime<Utc>,
) -> Result<(), BooksError> {
    let payment: Payment = unit.existing(&(payment,))?;
    let reference = payment.reference_id.as_ref().unwrap_or(&payment.number);
    let reference = ReferenceKey::of(reference).as_str().to_owned();
    let gateway = payment.gateway.ok_or(BooksError::Missing(Collected::TABLE.name))?;
    let key = unit.next_key::<Sending>()?;
    let kind = SendingKind::Sent;
    count(unit, Sending { key, reference, gateway, refund, kind, amount, at_ms: at })
}

/// Counts what was sent for a refund as never paid; once at most, and nothing for one that was
/// never sent against a payment.
pub(super) fn release(
    unit: &mut Unit<'_>,
    refund: RefundNumber,
    at: DateTime<Utc>,
) -> Result<(), BooksError> {
    let of_refund = [Field::stored(&refund), SendingKind::Sent.stored()];
    let Some(sent) = unit.find::<Sending>(&SENDING_OF_REFUND, &of_refund)? else {
        return Ok(());
    };
    let key = unit.next_key::<Sending>()?;
    count(unit, Sending { key, kind: SendingKind::Released, at_ms: at, ..sent })
}

fn count(unit: &mut Unit<'_>, sending: Sending) -> Result<(), BooksError> {
    let delta = match sending.kind {
        SendingKind::Sent => sending.amount.units(),
        SendingKind::Released => -sending.amount.units(),
    };
    let key = (sending.reference.clone(), sending.gateway.clone());
    unit.insert(sending)?;
    unit.change::<Collected>(&key, |row| {
        row.sent = MinorUnits::new(row.sent.units().saturating_add(delta));
    })
}
