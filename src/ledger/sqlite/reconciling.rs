//! What gateways settled and rejected, inside the open transaction.
//!
//! What must stay true: an event's id is kept with what it did, so that it does it once; the money
//! of a rejected refund goes back by a compensating entry, or to its payment, once at most. What
//! the ledger does has the moment at which it is told; only SettledOn and the history have the
//! gateway's.

use super::orders::{Kept, keep_exchange};
use super::rows::known;
use super::store::Store;
use super::{billing_rows, movement, outbox};
use crate::domain::calendar::{day_at, moment_at};
use crate::domain::event::EventKind;
use crate::domain::facts::ExistingRefund;
use crate::domain::id::{ObjectId, RefundId, RefundNumber};
use crate::domain::reconciliation::{Settlement, Standing, Step, decide};
use crate::domain::vocabulary::{GatewayState, RefundStatus};
use crate::ledger::reconciliation::{
    Reconcile, ReconcileError, ReconcileResult, Reconciled, Reconciliation, RefundName, When,
};
use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use movement::Moved;
use rusqlite::{Connection, OptionalExtension, named_params, params};

/// By how much a gateway's clock may be ahead of this one.
const CLOCK_SKEW_MAX: TimeDelta = TimeDelta::minutes(5);

/// Does each event, or finds why not.
pub(super) fn reconcile(
    store: &Store,
    request: &Reconcile,
) -> rusqlite::Result<Vec<ReconcileResult>> {
    request.events.iter().map(|event| reconcile_one(store, event, request)).collect()
}

/// A refund as it is before the event.
struct Found {
    id: RefundId,
    moved: Moved,
    standing: Standing,
}

fn reconcile_one(
    store: &Store,
    event: &Reconciliation,
    request: &Reconcile,
) -> rusqlite::Result<ReconcileResult> {
    let connection = store.connection();
    let Some(found) = find(connection, event.refund)? else {
        return Ok(Err(ReconcileError::NoRefund(event.refund)));
    };
    let number = found.id.number();
    let done = |gateway_state, has_changed, was_put_back| Reconciled {
        refund: found.id,
        gateway_state,
        has_changed,
        was_put_back,
    };
    let state = match event.settlement {
        Settlement::Settled => GatewayState::Settled,
        Settlement::Failed => GatewayState::FailedToSettle,
    };
    if let Some(event_id) = &event.event_id
        && let Some(earlier) = earlier(connection, event_id)?
    {
        let now = found.standing.gateway_state.unwrap_or(state);
        let is_same = earlier == (number.value(), state.name().to_owned());
        let reused = || ReconcileError::EventIdReused(event_id.clone());
        return Ok(is_same.then(|| done(now, false, false)).ok_or_else(reused));
    }
    let created = found.id.created_at();
    // A ledger whose clock is ahead of this process's has its refunds for the present.
    let now = request.now.max(created);
    let settled_at = moment(event.at, created, store.tenant().time_zone);
    if let Some(error) = untimely(number, settled_at, created, now) {
        return Ok(Err(error));
    }
    let step = match decide(event.settlement, &found.standing, request.rejected) {
        Ok(step) => step,
        Err(refusal) => return Ok(Err(ReconcileError::Refused { number, refusal })),
    };
    if step == Step::Nothing {
        return Ok(Ok(done(state, false, false)));
    }
    let puts_back = step == Step::Fail { puts_back: true };
    let [settled_ms, at_ms] = [settled_at, now].map(|moment| moment.timestamp_millis());
    let update = "update refund set gateway_state = :state, \
         settled_ms = iif(:is_settled, :settled_ms, settled_ms), \
         compensated_ms = iif(:puts_back, :at_ms, compensated_ms), updated_ms = :at_ms \
         where number = :number";
    connection.prepare_cached(update)?.execute(named_params! {
        ":state": state.name(),
        ":is_settled": event.settlement == Settlement::Settled,
        ":settled_ms": settled_ms,
        ":puts_back": puts_back,
        ":at_ms": at_ms,
        ":number": number.value(),
    })?;
    if puts_back {
        movement::compensate(connection, found.moved, at_ms)?;
    }
    keep(connection, number, event, state, settled_ms)?;
    let kind = match event.settlement {
        Settlement::Settled => EventKind::Settled,
        Settlement::Failed => EventKind::FailedToSettle,
    };
    outbox::keep(store, number, kind, at_ms)?;
    if puts_back {
        outbox::keep(store, number, EventKind::Compensated, at_ms)?;
    }
    Ok(Ok(done(state, true, puts_back)))
}

/// What is wrong with the moment of an event, if anything is.
fn untimely(
    number: RefundNumber,
    at: DateTime<Utc>,
    created: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Option<ReconcileError> {
    if at < created {
        return Some(ReconcileError::BeforeItsRefund { number, created });
    }
    (at > now + CLOCK_SKEW_MAX).then_some(ReconcileError::InTheFuture { number, at, now })
}

/// The moment that is meant of a refund of this moment, for a tenant in `zone`.
fn moment(at: When, created: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
    match at {
        When::Moment(moment) => moment,
        When::Day(day) if day == day_at(created, zone) => created,
        When::Day(day) => moment_at(day.and_time(NaiveTime::MIN), zone),
    }
}

/// Adds the event to the refund's history, and its id to those that were told.
fn keep(
    connection: &Connection,
    number: RefundNumber,
    event: &Reconciliation,
    state: GatewayState,
    at_ms: i64,
) -> rusqlite::Result<()> {
    let kept = Kept {
        kind: "settlement",
        state,
        code: None,
        text: event.reason.as_deref(),
        reference_id: None,
        transcript: None,
        operator: None,
        at_ms,
    };
    keep_exchange(connection, number, &kept)?;
    if let Some(event_id) = &event.event_id {
        let insert = "insert into settlement_event (id, refund, gateway_state) values (?1, ?2, ?3)";
        let values = params![event_id, number.value(), state.name()];
        connection.prepare_cached(insert)?.execute(values)?;
    }
    Ok(())
}

/// What an event of this id told, if it was told before.
fn earlier(connection: &Connection, event_id: &str) -> rusqlite::Result<Option<(i64, String)>> {
    let select = "select refund, gateway_state from settlement_event where id = ?1";
    let mut statement = connection.prepare_cached(select)?;
    statement.query_row([event_id], |row| Ok((row.get(0)?, row.get(1)?))).optional()
}

fn find(connection: &Connection, name: RefundName) -> rusqlite::Result<Option<Found>> {
    let number = name.number();
    let select = "select created_ms, salt, status, gateway_state, account, amount, payment, \
                  compensated_ms is not null from refund where number = ?1";
    let mut statement = connection.prepare_cached(select)?;
    let found = statement
        .query_row([number.value()], |row| {
            let has_state = row.get::<_, Option<String>>(3)?.is_some();
            let state = has_state.then(|| known(row, 3, GatewayState::from_name)).transpose()?;
            Ok(Found {
                id: RefundId::new(row.get(0)?, row.get(1)?, number),
                moved: Moved {
                    number: number.value(),
                    account: row.get(4)?,
                    amount: row.get(5)?,
                    payment: row.get(6)?,
                },
                standing: Standing {
                    status: known(row, 2, RefundStatus::from_name)?,
                    gateway_state: state,
                    is_compensated: row.get(7)?,
                    invoice_paid_since: None,
                },
            })
        })
        .optional()?;
    // An id of another moment or another ledger is nobody's, though its number may be somebody's.
    let is_named = |found: &Found| match name {
        RefundName::Id(id) => id == found.id,
        RefundName::Number(_) => true,
    };
    let Some(mut found) = found.filter(is_named) else {
        return Ok(None);
    };
    if found.moved.payment.is_some() {
        let refund = billing_rows::refund(connection, &ObjectId::from(found.id))?;
        let paid = refund.as_ref().and_then(ExistingRefund::invoice_settled_since);
        found.standing.invoice_paid_since = paid.map(|invoice| invoice.number.clone());
    }
    Ok(Some(found))
}
