//! The second transaction of an electronic refund: its gateway's verdict ends it, exactly once.

use super::movement::{self, Moved};
use super::rows::{json, known};
use super::store::Store;
use crate::domain::id::{ObjectId, RefundId, RefundNumber};
use crate::domain::lifecycle::Verdict;
use crate::domain::money::{Currency, MinorUnits};
use crate::domain::vocabulary::RefundStatus;
use crate::ledger::Order;
use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, named_params};

/// Ends a refund in Processing and gives its money back if the gateway declined; false when it is
/// not in Processing any more.
pub(super) fn end_refund(
    store: &mut Store,
    number: RefundNumber,
    verdict: &Verdict,
    at: DateTime<Utc>,
) -> rusqlite::Result<bool> {
    let connection = store.connection();
    let ending = verdict.ending();
    let at_ms = at.timestamp_millis();
    let approved = ending.status == RefundStatus::Processed;
    let update = "update refund set status = :status, gateway_state = :gateway_state, \
         gateway_response = :response, gateway_response_code = :response_code, \
         reference_id = :reference_id, submitted_ms = :submitted_ms, updated_ms = :updated_ms \
         where number = :number and status = 'Processing' returning account, amount, payment";
    let ended = connection
        .prepare_cached(update)?
        .query_row(
            named_params! {
                ":status": ending.status.name(),
                ":gateway_state": ending.gateway_state.name(),
                ":response": ending.response,
                ":response_code": ending.response_code,
                ":reference_id": ending.reference_id,
                ":submitted_ms": approved.then_some(at_ms),
                ":updated_ms": at_ms,
                ":number": number.value(),
            },
            |row| {
                let (account, amount) = (row.get(0)?, row.get(1)?);
                Ok(Moved { number: number.value(), account, amount, payment: row.get(2)? })
            },
        )
        .optional()?;
    let Some(moved) = ended else {
        return Ok(false);
    };
    if ending.releases_hold {
        movement::release(connection, moved, at_ms)?;
    } else {
        movement::post(connection, moved, at_ms)?;
    }
    Ok(true)
}

/// The orders of all refunds in Processing, oldest first.
pub(super) fn open_orders(connection: &Connection) -> rusqlite::Result<Vec<Order>> {
    let select = "select refund.number, refund.created_ms, refund.salt, refund.gateway, \
         payment_method.id, refund.amount, account.currency, refund.gateway_options \
         from refund join account on account.key = refund.account \
         join payment_method on payment_method.key = refund.payment_method \
         where refund.status = 'Processing' order by refund.number";
    let mut statement = connection.prepare_cached(select)?;
    let orders = statement.query_map([], |row| {
        let out_of_range = |value| rusqlite::Error::IntegralValueOutOfRange(0, value);
        let number: i64 = row.get(0)?;
        let number = RefundNumber::new(number).ok_or_else(|| out_of_range(number))?;
        let options: Option<String> = row.get(7)?;
        Ok(Order {
            refund: RefundId::new(row.get(1)?, row.get(2)?, number),
            gateway: row.get(3)?,
            payment_method: known(row, 4, ObjectId::parse)?,
            amount: MinorUnits::new(row.get(5)?),
            currency: known(row, 6, Currency::from_code)?,
            options: options.map_or(Ok(Vec::new()), |options| json(7, &options))?,
        })
    })?;
    orders.collect()
}
