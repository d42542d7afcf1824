//! Orders to gateways: when each is asked about next, and every exchange about it.

use super::SqliteLedger;
use super::rows::{json, known};
use crate::domain::id::{ObjectId, RefundId, RefundNumber};
use crate::domain::lifecycle::Verdict;
use crate::domain::money::{Currency, MinorUnits};
use crate::domain::schedule::PLANNED_AHEAD_MAX;
use crate::ledger::engine::Engine;
use crate::ledger::orders::{
    Awaited, Exchange, Note, OpenOrder, OpenStats, Orders, SettleError, Settlement,
};
use crate::ledger::queue::UseCase;
use crate::ledger::work::{ending, exchanges, naming};
use crate::ledger::{Order, Repaid, Reply};
use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row, params};

impl Orders for SqliteLedger {
    fn end_refund(
        &self,
        number: RefundNumber,
        verdict: Verdict,
        exchange: Exchange,
    ) -> Reply<bool> {
        let request = (number, verdict, exchange);
        self.writer.submit_case_patiently(UseCase::new(
            request,
            |(number, verdict, _), needs| naming::end(*number, verdict, needs),
            |unit, (number, verdict, exchange)| {
                ending::end_refund(unit, *number, verdict, exchange)
            },
        ))
    }

    fn note_exchange(&self, number: RefundNumber, note: Note) -> Reply<bool> {
        self.writer.submit_case_patiently(UseCase::new(
            (number, note),
            |(number, _), needs| naming::note(*number, needs),
            |unit, (number, note)| exchanges::note(unit, *number, note),
        ))
    }

    fn mark_sent(&self, number: RefundNumber, at: DateTime<Utc>) -> Reply<bool> {
        self.writer.submit_case_patiently(UseCase::new(
            (number, at),
            |(number, _), needs| naming::note(*number, needs),
            |unit, (number, at)| exchanges::mark_sent(unit, *number, *at),
        ))
    }

    fn open_order(&self, number: RefundNumber) -> Reply<Option<OpenOrder>> {
        let found = self.readers.read_here(|connection| open_order(connection, number));
        Box::pin(std::future::ready(found))
    }

    fn due_orders(&self, gateway: &str, until: DateTime<Utc>, most: u32) -> Reply<Vec<OpenOrder>> {
        let gateway = gateway.to_owned();
        self.readers.read(move |connection| due_orders(connection, &gateway, until, most))
    }

    fn wake_orders(&self, at: DateTime<Utc>) -> Reply<u64> {
        self.writer.submit_patiently(move |store| store.work(|unit| exchanges::wake(unit, at)))
    }

    fn settle_refund(&self, settlement: Settlement) -> Reply<Result<RefundNumber, SettleError>> {
        self.writer
            .submit(None, move |store| store.work(|unit| ending::settle_refund(unit, &settlement)))
    }

    fn open_stats(&self) -> Reply<OpenStats> {
        self.readers.read(open_stats)
    }

    fn awaited_gateways(&self) -> Reply<Vec<Awaited>> {
        self.readers.read(awaited_gateways)
    }
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
