//! What gateways settled and rejected.
//!
//! What must stay true: an event's id is kept with what it did, so that it does it once; the money
//! of a rejected refund goes back by a compensating entry, or to its payment, once at most. What
//! the ledger does has the moment at which it is reported; only SettledOn and the history have the
//! gateway's.

use super::exchanges::{self, Kept, Purpose};
use super::trail::{self, Done};
use super::{events, facts, movement};
use crate::domain::calendar::{day_at, moment_at};
use crate::domain::event::EventKind;
use crate::domain::facts::ExistingRefund;
use crate::domain::id::RefundNumber;
use crate::domain::reconciliation::{Rejected, Settlement, Standing, Step, decide};
use crate::domain::vocabulary::GatewayState;
use crate::ledger::books::BooksError;
use crate::ledger::reconciliation::{
    Reconcile, ReconcileError, ReconcileResult, Reconciled, Reconciliation, RefundName, When,
};
use crate::ledger::records::{Refund, SettlementEvent};
use crate::ledger::unit::Unit;
use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;

/// By how much a gateway's clock may be ahead of this one.
const CLOCK_SKEW_MAX: TimeDelta = TimeDelta::minutes(5);

/// Does each event, or finds why not.
pub fn reconcile(
    unit: &mut Unit<'_>,
    request: &Reconcile,
) -> Result<Vec<ReconcileResult>, BooksError> {
    let audit = trail::next_key(unit)?;
    let mut results = Vec::with_capacity(request.events.len());
    let terms = Terms { rejected: request.rejected, at: request.act.at, audit };
    for event in &request.events {
        results.push(reconcile_one(unit, event, &terms)?);
    }
    let changed = results.iter().flatten().filter(|done| done.has_changed);
    let numbers: Vec<RefundNumber> = changed.map(|done| done.refund.number()).collect();
    let done = Done::new("reconcile", "Refund");
    trail::keep_refunds(unit, audit, &request.act, done, &numbers)?;
    Ok(results)
}

/// A refund as it is before the event.
struct Found {
    row: Refund,
    standing: Standing,
}

/// What holds for every event of a report.
pub(super) struct Terms {
    /// What becomes of the money of those that failed.
    pub(super) rejected: Rejected,
    /// When it is reported.
    pub(super) at: DateTime<Utc>,
    /// The record of the act.
    pub(super) audit: i64,
}

/// Does one event, or finds why not.
pub(super) fn reconcile_one(
    unit: &mut Unit<'_>,
    event: &Reconciliation,
    terms: &Terms,
) -> Result<ReconcileResult, BooksError> {
    let Some(Found { row, standing }) = find(unit, event.refund)? else {
        return Ok(Err(ReconcileError::NoRefund(event.refund)));
    };
    let (id, number) = (row.id(), row.number);
    let done = |gateway_state, has_changed, was_put_back| Reconciled {
        refund: id,
        gateway_state,
        has_changed,
        was_put_back,
    };
    let state = match event.settlement {
        Settlement::Settled => GatewayState::Settled,
        Settlement::Failed => GatewayState::FailedToSettle,
    };
    if let Some(event_id) = &event.event_id
        && let Some(earlier) = unit.get::<SettlementEvent>(&(event_id.clone(),))?
    {
        let now = standing.gateway_state.unwrap_or(state);
        let is_same = earlier.refund == number && earlier.gateway_state == state.name();
        let reused = || ReconcileError::EventIdReused(event_id.clone());
        return Ok(is_same.then(|| done(now, false, false)).ok_or_else(reused));
    }
    let created = row.created_ms;
    // A ledger whose clock is ahead of this process's has its refunds for the present.
    let now = terms.at.max(created);
    let settled_at = moment(event.at, created, unit.world.tenant.time_zone);
    if let Some(error) = untimely(number, settled_at, created, now) {
        return Ok(Err(error));
    }
    let step = match decide(event.settlement, &standing, terms.rejected) {
        Ok(step) => step,
        Err(refusal) => return Ok(Err(ReconcileError::Refused { number, refusal })),
    };
    if step == Step::Nothing {
        return Ok(Ok(done(state, false, false)));
    }
    let puts_back = step == Step::Fail { puts_back: true };
    unit.change::<Refund>(&(number,), |row| {
        row.gateway_state = Some(state);
        if event.settlement == Settlement::Settled {
            row.settled_ms = Some(settled_at);
        }
        if puts_back {
            row.compensated_ms = Some(now);
        }
        row.updated_ms = Some(now);
    })?;
    if puts_back {
        movement::compensate(unit, &row, now)?;
    }
    keep(unit, number, event, state, (settled_at, terms.audit))?;
    keep_events(unit, number, event.settlement, puts_back, now)?;
    Ok(Ok(done(state, true, puts_back)))
}

/// Keeps for webhooks what a settlement did.
fn keep_events(
    unit: &mut Unit<'_>,
    number: RefundNumber,
    settlement: Settlement,
    puts_back: bool,
    at: DateTime<Utc>,
) -> Result<(), BooksError> {
    let kind = match settlement {
        Settlement::Settled => EventKind::Settled,
        Settlement::Failed => EventKind::FailedToSettle,
    };
    events::keep(unit, number, kind, at)?;
    if puts_back {
        events::keep(unit, number, EventKind::Compensated, at)?;
    }
    Ok(())
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

/// Adds the event to the refund's history, and its id to those that were reported.
fn keep(
    unit: &mut Unit<'_>,
    number: RefundNumber,
    event: &Reconciliation,
    state: GatewayState,
    (at, audit): (DateTime<Utc>, i64),
) -> Result<(), BooksError> {
    let kept = Kept {
        purpose: Purpose::Settlement,
        state,
        code: None,
        text: event.reason.as_deref(),
        reference_id: None,
        transcript: None,
        operator: None,
        audit: Some(audit),
        at,
    };
    exchanges::keep(unit, number, &kept)?;
    match &event.event_id {
        None => Ok(()),
        Some(id) => {
            let (id, gateway_state) = (id.clone(), state.name().to_owned());
            unit.insert(SettlementEvent { id, refund: number, gateway_state })
        }
    }
}

fn find(unit: &mut Unit<'_>, name: RefundName) -> Result<Option<Found>, BooksError> {
    let row = unit.get::<Refund>(&(name.number(),))?.cloned();
    // An id of another moment or another ledger is none of this one's, though its number may be.
    let is_named = |row: &Refund| match name {
        RefundName::Id(id) => id == row.id(),
        RefundName::Number(_) => true,
    };
    let Some(row) = row.filter(is_named) else { return Ok(None) };
    let mut standing = Standing {
        status: row.status,
        gateway_state: row.gateway_state,
        is_compensated: row.compensated_ms.is_some(),
        invoice_paid_since: None,
    };
    if row.payment.is_some() {
        let refund = facts::existing_refund(unit, &row)?;
        let paid = ExistingRefund::invoice_settled_since(&refund);
        standing.invoice_paid_since = paid.map(|invoice| invoice.number.clone());
    }
    Ok(Some(Found { row, standing }))
}
