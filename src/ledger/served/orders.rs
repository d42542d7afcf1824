//! Orders to gateways: when each is asked about next, and every exchange about it.

use super::{Backend, Served};
use crate::domain::id::{RefundId, RefundNumber};
use crate::domain::lifecycle::Verdict;
use crate::domain::schedule::PLANNED_AHEAD_MAX;
use crate::ledger::books::BooksError;
use crate::ledger::orders::{
    Awaited, Exchange, Note, OpenOrder, OpenStats, Orders, Seen, SettleError, Settlement,
};
use crate::ledger::queue::UseCase;
use crate::ledger::reader::{Reader, Row};
use crate::ledger::record::{DayText, Field};
use crate::ledger::work::{ending, exchanges, naming};
use crate::ledger::{Order, Repaid, Reply};
use chrono::{DateTime, Utc};

impl<B: Backend> Orders for Served<B> {
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

    fn mark_sent(&self, number: RefundNumber, seen: Seen, at: DateTime<Utc>) -> Reply<bool> {
        self.writer.submit_case_patiently(UseCase::new(
            (number, seen, at),
            |(number, ..), needs| naming::note(*number, needs),
            |unit, (number, seen, at)| exchanges::mark_sent(unit, *number, *seen, *at),
        ))
    }

    fn open_order(&self, number: RefundNumber) -> Reply<Option<OpenOrder>> {
        self.backend.read_little(move |reader| open_order(reader, number))
    }

    fn due_orders(&self, gateway: &str, until: DateTime<Utc>, most: u32) -> Reply<Vec<OpenOrder>> {
        let gateway = gateway.to_owned();
        self.backend.read(move |reader| due_orders(reader, &gateway, until, most))
    }

    fn wake_orders(&self, at: DateTime<Utc>) -> Reply<u64> {
        self.write_patiently(move |unit| exchanges::wake(unit, at))
    }

    fn settle_refund(&self, settlement: Settlement) -> Reply<Result<RefundNumber, SettleError>> {
        self.write(None, move |unit| ending::settle_refund(unit, &settlement))
    }

    fn open_stats(&self) -> Reply<OpenStats> {
        self.backend.read(open_stats)
    }

    fn awaited_gateways(&self) -> Reply<Vec<Awaited>> {
        self.backend.read(awaited_gateways)
    }
}

/// What every open order is read from.
macro_rules! open {
    ($rest:literal) => {
        concat!(
            "select refund.number, refund.created_ms, refund.salt, refund.gateway, ",
            "payment_method.id, refund.amount, account.currency, refund.gateway_options, ",
            "inquiry.first_sent_ms, inquiry.attempts, inquiry.next_ms, ",
            "coalesce(payment.reference_id, payment.number), refund.refund_date, ",
            "payment.effective_date, payment.is_settled ",
            "from inquiry join refund on refund.number = inquiry.refund ",
            "join account on account.key = refund.account ",
            "left join payment on payment.key = refund.payment ",
            "join payment_method on payment_method.key = refund.payment_method ",
            $rest
        )
    };
}

fn open_order(
    reader: &mut dyn Reader,
    number: RefundNumber,
) -> Result<Option<OpenOrder>, BooksError> {
    reader.first(open!("where inquiry.refund = ?1"), &[number.stored()], read_order)
}

fn due_orders(
    reader: &mut dyn Reader,
    gateway: &str,
    until: DateTime<Utc>,
    most: u32,
) -> Result<Vec<OpenOrder>, BooksError> {
    // Each span is a search of the index; both in one condition would be none.
    let select = open!(
        "where inquiry.next_ms between ?1 and ?2 and refund.gateway = ?3 \
         order by inquiry.next_ms, inquiry.refund limit ?4"
    );
    let ahead = (until + PLANNED_AHEAD_MAX).timestamp_millis();
    let mut due = Vec::new();
    for (from, to) in [(i64::MIN, until.timestamp_millis()), (ahead + 1, i64::MAX)] {
        let room = i64::from(most) - i64::try_from(due.len()).unwrap_or(i64::MAX);
        let values = [from.into(), to.into(), gateway.into(), room.max(0).into()];
        due.extend(reader.list(select, &values, read_order)?);
    }
    Ok(due)
}

fn read_order(row: &Row<'_>) -> Result<OpenOrder, BooksError> {
    let order = Order {
        refund: RefundId::new(row.get(1)?, row.get(2)?, row.get(0)?),
        gateway: row.get(3)?,
        payment_method: row.get(4)?,
        original_payment: row.get(11)?,
        repaid: read_repaid(row, 12)?,
        amount: row.get(5)?,
        currency: row.get(6)?,
        options: row.json_if_any(7)?.unwrap_or_default(),
        trace: None,
    };
    Ok(OpenOrder { order, first_sent: row.get(8)?, attempts: row.get(9)?, next: row.get(10)? })
}

/// The age of a payment at the day of its refund, and whether it is settled, from three columns;
/// none where there is no payment.
fn read_repaid(row: &Row<'_>, first: usize) -> Result<Option<Repaid>, BooksError> {
    let refunded: Option<DayText> = row.get(first)?;
    let effective: Option<DayText> = row.get(first + 1)?;
    let Some((refunded, effective)) = refunded.zip(effective) else { return Ok(None) };
    let age_days = (refunded.0 - effective.0).num_days();
    Ok(Some(Repaid { age_days, is_settled: row.get(first + 2)? }))
}

fn awaited_gateways(reader: &mut dyn Reader) -> Result<Vec<Awaited>, BooksError> {
    let select = "select refund.gateway, count(*), count(*) - count(next_ms) from inquiry \
         join refund on refund.number = inquiry.refund group by refund.gateway";
    reader.list(select, &[], |row| {
        let (open, left): (i64, i64) = (row.get(1)?, row.get(2)?);
        let (open, left_to_operators) = (open.unsigned_abs(), left.unsigned_abs());
        Ok(Awaited { gateway: row.get(0)?, open, left_to_operators })
    })
}

fn open_stats(reader: &mut dyn Reader) -> Result<OpenStats, BooksError> {
    let select = "select count(*), count(*) - count(next_ms), min(refund) from inquiry";
    let counted = reader.first(select, &[], |row| {
        let counts: (i64, i64) = (row.get(0)?, row.get(1)?);
        Ok((counts, row.get::<Option<i64>>(2)?))
    })?;
    let ((open, left), oldest) = counted.unwrap_or_default();
    let created = "select created_ms from refund where number = ?1";
    let oldest = match oldest {
        None => None,
        Some(number) => reader.first(created, &[number.into()], |row| row.get(0))?,
    };
    Ok(OpenStats { open: open.unsigned_abs(), left_to_operators: left.unsigned_abs(), oldest })
}
