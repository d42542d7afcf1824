//! What gateways collected under which reference, and what was sent back against it.
//!
//! What must stay true: everything that is sent is counted here in the transaction of its hold, and
//! the schema refuses what is more than was collected. A release is for what its gateway declined,
//! never got, or rejected after all; cancelling or deleting a refund releases nothing, because its
//! money went out.

use crate::domain::collected::{Collected, KnownPayment, ReferenceKey};
use crate::domain::facts::PaymentKey;
use crate::domain::money::MinorUnits;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, OptionalExtension, params};

/// Makes `gateway_reference(text)` known to a connection: the form in which references are
/// compared. Migrations and audits use it, and nothing that stays in the file.
pub(super) fn add_function(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_scalar_function("gateway_reference", 1, flags, |context| {
        let text: String = context.get(0)?;
        Ok(ReferenceKey::of(&text).as_str().to_owned())
    })
}

/// What a gateway collected under a reference. Nothing, if it knows no payment by it.
pub(super) fn collected(
    connection: &Connection,
    gateway: &str,
    reference: &str,
) -> rusqlite::Result<Collected> {
    let select = "select amount, sent from collected where reference = ?1 and gateway = ?2";
    let key = ReferenceKey::of(reference);
    let found =
        connection.prepare_cached(select)?.query_row(params![key.as_str(), gateway], |row| {
            let [amount, sent] = [row.get(0)?, row.get(1)?].map(MinorUnits::new);
            Ok(Collected { amount, sent })
        });
    Ok(found.optional()?.unwrap_or(Collected::NOTHING))
}

/// The payments that gateways know by a reference: one for each gateway.
pub(super) fn known_by(
    connection: &Connection,
    reference: &str,
) -> rusqlite::Result<Vec<KnownPayment>> {
    let select = "select payment.key, payment.number, collected.gateway from collected \
                  join payment on payment.key = collected.payment where collected.reference = ?1";
    let key = ReferenceKey::of(reference);
    let mut statement = connection.prepare_cached(select)?;
    let known = statement.query_map([key.as_str()], |row| {
        Ok(KnownPayment { key: PaymentKey(row.get(0)?), number: row.get(1)?, gateway: row.get(2)? })
    })?;
    known.collect()
}

/// Notes that a gateway knows a payment by a reference, under which it collected an amount. The
/// reference must be free there.
pub(super) fn claim(
    connection: &Connection,
    gateway: &str,
    reference: &str,
    payment: PaymentKey,
    amount: MinorUnits,
) -> rusqlite::Result<()> {
    let insert = "insert into collected (reference, gateway, payment, amount) \
                  values (?1, ?2, ?3, ?4)";
    let key = ReferenceKey::of(reference);
    let values = params![key.as_str(), gateway, payment.0, amount.units()];
    connection.prepare_cached(insert)?.execute(values).map(|_| ())
}

/// Notes that a gateway now knows a payment by another reference, which must be free there. Nothing
/// may have been sent against the old one.
pub(super) fn claim_instead(
    connection: &Connection,
    gateway: &str,
    (old, new): (&str, &str),
    payment: PaymentKey,
    amount: MinorUnits,
) -> rusqlite::Result<()> {
    let update = "update collected set reference = ?4 \
                  where reference = ?1 and gateway = ?2 and payment = ?3";
    let [old_key, new_key] = [old, new].map(ReferenceKey::of);
    let values = params![old_key.as_str(), gateway, payment.0, new_key.as_str()];
    match connection.prepare_cached(update)?.execute(values)? {
        // Another payment of an old ledger has the same reference, and stays what it stands for.
        0 => claim(connection, gateway, new, payment, amount),
        _ => Ok(()),
    }
}
