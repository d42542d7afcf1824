//! What gateways collected under which reference, what was sent back against it, and what of that
//! was never paid.
//!
//! What must stay true: everything that is sent is counted here in the transaction of its hold, and
//! more than was collected is refused. A release is for what its gateway declined, never got, or
//! rejected after all; cancelling or deleting a refund releases nothing: its money went out.

use crate::domain::collected::{KnownPayment, ReferenceKey};
use crate::domain::facts::PaymentKey;
use crate::domain::id::RefundNumber;
use crate::domain::money::MinorUnits;
use crate::ledger::books::BooksError;
use crate::ledger::record::{Field, Record};
use crate::ledger::records::{
    COLLECTED_BY_REFERENCE, Collected, Payment, SENDING_OF_REFUND, Sending, SendingKind,
};
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

/// The payments that gateways know by a reference: one for each gateway.
pub fn known_by(unit: &mut Unit<'_>, reference: &str) -> Result<Vec<KnownPayment>, BooksError> {
    let key = ReferenceKey::of(reference).as_str().to_owned();
    let rows: Vec<Collected> = unit.all(&COLLECTED_BY_REFERENCE, &[key.stored()])?;
    let mut known = Vec::with_capacity(rows.len());
    for row in rows {
        let payment: Payment = unit.existing(&(row.payment,))?;
        known.push(KnownPayment { key: row.payment, number: payment.number, gateway: row.gateway });
    }
    Ok(known)
}

/// Notes that a gateway knows a payment by a reference, under which it collected an amount. The
/// reference must be free there.
pub fn claim(
    unit: &mut Unit<'_>,
    gateway: &str,
    reference: &str,
    payment: PaymentKey,
    amount: MinorUnits,
) -> Result<(), BooksError> {
    let (excess, sent) = (MinorUnits::ZERO, MinorUnits::ZERO);
    let (reference, gateway) = key(gateway, reference);
    unit.insert(Collected { reference, gateway, payment, amount, excess, sent })
}

/// Notes that a gateway now knows a payment by another reference, which must be free there. Nothing
/// may have been sent against the old one.
pub(super) fn claim_instead(
    unit: &mut Unit<'_>,
    gateway: &str,
    (old, new): (&str, &str),
    payment: PaymentKey,
    amount: MinorUnits,
) -> Result<(), BooksError> {
    let old = key(gateway, old);
    let row = unit.get::<Collected>(&old)?.filter(|row| row.payment == payment).cloned();
    // Where it is another's, that payment of an old ledger has the same reference, and stays what
    // it stands for.
    let Some(row) = row else { return claim(unit, gateway, new, payment, amount) };
    unit.remove::<Collected>(&old)?;
    unit.insert(Collected { reference: key(gateway, new).0, ..row })
}

/// The key under which a gateway's payment of a reference is kept.
fn key(gateway: &str, reference: &str) -> (String, String) {
    (ReferenceKey::of(reference).as_str().to_owned(), gateway.to_owned())
}
