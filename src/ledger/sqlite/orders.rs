//! Orders to gateways: when each is asked about next, and every exchange about it.

use super::SqliteLedger;
use super::ending;
use super::rows::{json, known};
use super::store::Store;
use crate::domain::id::{ObjectId, RefundId, RefundNumber};
use crate::domain::lifecycle::Verdict;
use crate::domain::money::{Currency, MinorUnits};
use crate::domain::schedule::{FRESH, PLANNED_AHEAD_MAX};
use crate::domain::vocabulary::GatewayState;
use crate::ledger::orders::{
    Awaited, Exchange, Note, OpenOrder, OpenStats, Orders, SettleError, Settlement, Transcript,
};
use crate::ledger::{Order, Repaid, Reply};
use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

impl Orders for SqliteLedger {
    fn end_refund(
        &self,
        number: RefundNumber,
        verdict: Verdict,
        exchange: Exchange,
    ) -> Reply<bool> {
        let end = move |store: &mut Store| ending::end_refund(store, number, &verdict, &exchange);
        self.writer.submit_patiently(end)
    }

    fn note_exchange(&self, number: RefundNumber, note: Note) -> Reply<bool> {
        self.writer.submit_patiently(move |store| note_exchange(store, number, &note))
    }

    fn mark_sent(&self, number: RefundNumber, at: DateTime<Utc>) -> Reply<bool> {
        self.writer.submit_patiently(move |store| mark_sent(store, number, at))
    }

    fn open_order(&self, number: RefundNumber) -> Reply<Option<OpenOrder>> {
        self.readers.read(move |connection| open_order(connection, number))
    }

    fn due_orders(&self, gateway: &str, until: DateTime<Utc>, most: u32) -> Reply<Vec<OpenOrder>> {
        let gateway = gateway.to_owned();
        self.readers.read(move |connection| due_orders(connection, &gateway, until, most))
    }

    fn wake_orders(&self, at: DateTime<Utc>) -> Reply<u64> {
        self.writer.submit_patiently(move |store| wake_orders(store, at))
    }

    fn settle_refund(&self, settlement: Settlement) -> Reply<Result<RefundNumber, SettleError>> {
        self.writer.submit(None, move |store| ending::settle_refund(store, &settlement))
    }

    fn open_stats(&self) -> Reply<OpenStats> {
        self.readers.read(open_stats)
    }

    fn awaited_gateways(&self) -> Reply<Vec<Awaited>> {
        self.readers.read(awaited_gateways)
    }
}

/// An exchange as its row keeps it.
pub(super) struct Kept<'a> {
    pub(super) kind: &'static str,
    pub(super) state: GatewayState,
    pub(super) code: Option<&'a str>,
    pub(super) text: Option<&'a str>,
    pub(super) reference_id: Option<&'a str>,
    pub(super) transcript: Option<&'a Transcript>,
    pub(super) operator: Option<&'a str>,
    /// The record of the act that it belongs to.
    pub(super) audit: Option<i64>,
    pub(super) at_ms: i64,
}

/// Adds an exchange to the history of a refund.
pub(super) fn keep_exchange(
    connection: &Connection,
    number: RefundNumber,
    kept: &Kept<'_>,
) -> rusqlite::Result<()> {
    let insert = "insert into exchange (refund, gateway, kind, gateway_state, reason_code, \
         reason_text, reference_id, request, response, operator, audit, at_ms) \
         select number, gateway, :kind, :state, :code, :text, :reference_id, :request, :response, \
         :operator, :audit, :at_ms from refund where number = :number";
    connection.prepare_cached(insert)?.execute(named_params! {
        ":kind": kept.kind,
        ":state": kept.state.name(),
        ":code": kept.code,
        ":text": kept.text,
        ":reference_id": kept.reference_id,
        ":request": kept.transcript.and_then(Transcript::request),
        ":response": kept.transcript.and_then(Transcript::response),
        ":operator": kept.operator,
        ":audit": kept.audit,
        ":at_ms": kept.at_ms,
        ":number": number.value(),
    })?;
    Ok(())
}

/// Writes down, in the transaction of its hold, that an order goes to its gateway now.
pub(super) fn begin_order(
    connection: &Connection,
    number: RefundNumber,
    created_ms: i64,
) -> rusqlite::Result<()> {
    let insert = "insert into inquiry (refund, first_sent_ms, attempts, next_ms) \
                  values (?1, ?2, 0, ?3)";
    let next_ms = created_ms + FRESH.num_milliseconds();
    connection.prepare_cached(insert)?.execute(params![number.value(), created_ms, next_ms])?;
    Ok(())
}

fn note_exchange(store: &mut Store, number: RefundNumber, note: &Note) -> rusqlite::Result<bool> {
    let connection = store.connection();
    let update = "update inquiry set attempts = attempts + 1, next_ms = ?2, \
         first_sent_ms = iif(?3, null, first_sent_ms) where refund = ?1";
    let next_ms = note.next.map(|next| next.timestamp_millis());
    let values = params![number.value(), next_ms, note.was_never_sent];
    if connection.prepare_cached(update)?.execute(values)? == 0 {
        return Ok(false);
    }
    let kept = Kept {
        kind: note.exchange.kind.name(),
        state: GatewayState::MarkedForSubmission,
        code: None,
        text: Some(&note.why),
        reference_id: None,
        transcript: Some(&note.exchange.transcript),
        operator: None,
        audit: None,
        at_ms: note.exchange.at.timestamp_millis(),
    };
    keep_exchange(connection, number, &kept)?;
    Ok(true)
}

fn mark_sent(store: &mut Store, number: RefundNumber, at: DateTime<Utc>) -> rusqlite::Result<bool> {
    let update = "update inquiry set first_sent_ms = coalesce(first_sent_ms, ?2) where refund = ?1";
    let mut statement = store.connection().prepare_cached(update)?;
    Ok(statement.execute(params![number.value(), at.timestamp_millis()])? > 0)
}

fn wake_orders(store: &mut Store, at: DateTime<Utc>) -> rusqlite::Result<u64> {
    let update = "update inquiry set next_ms = ?1";
    let woken =
        store.connection().prepare_cached(update)?.execute(params![at.timestamp_millis()])?;
    Ok(u64::try_from(woken).unwrap_or(u64::MAX))
}

/// What every open order is read from.
const OPEN: &str = "select refund.number, refund.created_ms, refund.salt, refund.gateway, \
     payment_method.id, refund.amount, account.currency, refund.gateway_options, \
     inquiry.first_sent_ms, inquiry.attempts, inquiry.next_ms, \
     coalesce(payment.reference_id, payment.number), \
     cast(julianday(refund.refund_date) - julianday(payment.effective_date) as integer), \
     payment.is_settled from inquiry join refund on refund.number = inquiry.refund \
     join account on account.key = refund.account \
     left join payment on payment.key = refund.payment \
     join payment_method on payment_method.key = refund.payment_method";

fn open_order(
    connection: &Connection,
    number: RefundNumber,
) -> rusqlite::Result<Option<OpenOrder>> {
    let select = format!("{OPEN} where inquiry.refund = ?1");
    let mut statement = connection.prepare_cached(&select)?;
    statement.query_row(params![number.value()], read_order).optional()
}

fn due_orders(
    connection: &Connection,
    gateway: &str,
    until: DateTime<Utc>,
    most: u32,
) -> rusqlite::Result<Vec<OpenOrder>> {
    // Each span is a search of the index; both in one condition would be none.
    let select = format!(
        "{OPEN} where inquiry.next_ms between ?1 and ?2 and refund.gateway = ?3 \
         order by inquiry.next_ms, inquiry.refund limit ?4"
    );
    let mut statement = connection.prepare_cached(&select)?;
    let ahead = (until + PLANNED_AHEAD_MAX).timestamp_millis();
    let mut due = Vec::new();
    for (from, to) in [(i64::MIN, until.timestamp_millis()), (ahead + 1, i64::MAX)] {
        let room = i64::from(most) - i64::try_from(due.len()).unwrap_or(i64::MAX);
        let orders = statement.query_map(params![from, to, gateway, room.max(0)], read_order)?;
        for order in orders {
            due.push(order?);
        }
    }
    Ok(due)
}

fn read_order(row: &Row<'_>) -> rusqlite::Result<OpenOrder> {
    let out_of_range = |value| rusqlite::Error::IntegralValueOutOfRange(0, value);
    let moment = |column: usize| -> rusqlite::Result<Option<DateTime<Utc>>> {
        let millis: Option<i64> = row.get(column)?;
        let read = |millis| DateTime::from_timestamp_millis(millis).ok_or(out_of_range(millis));
        millis.map(read).transpose()
    };
    let number: i64 = row.get(0)?;
    let number = RefundNumber::new(number).ok_or_else(|| out_of_range(number))?;
    let options: Option<String> = row.get(7)?;
    let order = Order {
        refund: RefundId::new(row.get(1)?, row.get(2)?, number),
        gateway: row.get(3)?,
        payment_method: known(row, 4, ObjectId::parse)?,
        original_payment: row.get(11)?,
        repaid: read_repaid(row, 12)?,
        amount: MinorUnits::new(row.get(5)?),
        currency: known(row, 6, Currency::from_code)?,
        options: options.map_or(Ok(Vec::new()), |options| json(7, &options))?,
    };
    Ok(OpenOrder { order, first_sent: moment(8)?, attempts: row.get(9)?, next: moment(10)? })
}

/// What the order of a new refund tells of the payment that it gives back.
pub(super) fn repaid(
    connection: &Connection,
    number: RefundNumber,
) -> rusqlite::Result<Option<Repaid>> {
    let select = "select cast(julianday(refund.refund_date) - julianday(payment.effective_date) \
         as integer), payment.is_settled from refund \
         join payment on payment.key = refund.payment where refund.number = ?1";
    let mut statement = connection.prepare_cached(select)?;
    let repaid = statement.query_row([number.value()], |row| read_repaid(row, 0)).optional()?;
    Ok(repaid.flatten())
}

/// The age of a payment in days, and whether it is settled, from two columns; none where there is
/// no payment.
fn read_repaid(row: &Row<'_>, first: usize) -> rusqlite::Result<Option<Repaid>> {
    let age_days: Option<i64> = row.get(first)?;
    let read = |age_days| Ok(Repaid { age_days, is_settled: row.get(first + 1)? });
    age_days.map(read).transpose()
}

fn awaited_gateways(connection: &Connection) -> rusqlite::Result<Vec<Awaited>> {
    let select = "select refund.gateway, count(*), count(*) - count(next_ms) from inquiry \
         join refund on refund.number = inquiry.refund group by refund.gateway";
    let mut statement = connection.prepare_cached(select)?;
    let awaited = statement.query_map([], |row| {
        let count = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
        Ok(Awaited { gateway: row.get(0)?, open: count(1)?, left_to_operators: count(2)? })
    })?;
    awaited.collect()
}

fn open_stats(connection: &Connection) -> rusqlite::Result<OpenStats> {
    let select = "select count(*), count(*) - count(next_ms), min(refund) from inquiry";
    let (open, left, oldest) = connection.prepare_cached(select)?.query_row([], |row| {
        let count = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
        Ok((count(0)?, count(1)?, row.get::<_, Option<i64>>(2)?))
    })?;
    let created = "select created_ms from refund where number = ?1";
    let oldest = match oldest {
        None => None,
        Some(number) => {
            let millis = connection.prepare_cached(created)?.query_row([number], |row| row.get(0));
            DateTime::from_timestamp_millis(millis?)
        }
    };
    Ok(OpenStats { open, left_to_operators: left, oldest })
}
