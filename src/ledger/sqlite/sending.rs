//! What gateways collected under which reference, for seeds, migrations and audits.

use crate::domain::collected::{KnownPayment, ReferenceKey};
use crate::domain::facts::PaymentKey;
use crate::domain::money::MinorUnits;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, params};

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
