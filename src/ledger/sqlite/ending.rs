//! The second transaction of an electronic refund: its gateway's verdict ends it, exactly once.

use super::create::{Movement, insert_entry};
use super::rows::{json, known};
use super::store::Store;
use crate::domain::id::{ObjectId, RefundId, RefundNumber};
use crate::domain::lifecycle::Verdict;
use crate::domain::money::{Currency, MinorUnits};
use crate::domain::vocabulary::RefundStatus;
use crate::ledger::Order;
use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, named_params, params};

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
         where number = :number and status = 'Processing' returning account, amount";
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
            |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)),
        )
        .optional()?;
    let Some((account, amount)) = ended else {
        return Ok(false);
    };
    if ending.releases_hold {
        release(connection, account, amount, number, at_ms)?;
    }
    Ok(true)
}

fn release(
    connection: &Connection,
    account: i64,
    amount: i64,
    number: RefundNumber,
    at_ms: i64,
) -> rusqlite::Result<()> {
    let update = "update account set balance = balance + ?2 where key = ?1 returning balance";
    let balance: i64 =
        connection.prepare_cached(update)?.query_row(params![account, amount], |row| row.get(0))?;
    let movement = Movement {
        kind: "release",
        delta: MinorUnits::new(amount),
        balance: MinorUnits::new(balance),
        refund: number.value(),
    };
    insert_entry(connection, account, &movement, at_ms)
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
