//! What operators decide about deliveries that failed: that one is tried again at once, or that a
//! webhook does without it.
//!
//! What must stay true: of the events of an account that wait for a webhook the first alone has a
//! moment, also where it is an old one that comes back; what was decided is in the audit.

use super::delivering::{begin_next, first_waiting};
use super::operating;
use crate::ledger::books::BooksError;
use crate::ledger::outbox::{Decided, Decision, DecisionRefusal};
use crate::ledger::records::{Delivery, EventRow};
use crate::ledger::trail::Act;
use crate::ledger::unit::Unit;
use chrono::{DateTime, Utc};
use serde_json::json;

/// Does what an operator decides about the delivery of an event to a webhook.
pub fn decide(
    unit: &mut Unit<'_>,
    (webhook, event): (&str, i64),
    decision: &Decision,
    at: DateTime<Utc>,
    act: &Act,
) -> Result<Decided, BooksError> {
    let Some(delivery) = unit.get::<Delivery>(&(webhook.to_owned(), event))?.cloned() else {
        return Ok(Err(DecisionRefusal::NoDelivery { webhook: webhook.to_owned(), event }));
    };
    if delivery.last_error.is_none() {
        return Ok(Err(DecisionRefusal::NotFailed(event)));
    }
    let next = match decision {
        Decision::Retry => match retry(unit, &delivery, at)? {
            Ok(next) => next,
            Err(refusal) => return Ok(Err(refusal)),
        },
        Decision::Skip { .. } => {
            unit.remove::<Delivery>(&(delivery.webhook.clone(), event))?;
            begin_next(unit, webhook, delivery.account, at)?;
            None
        }
    };
    let (operation, reason) = match decision {
        Decision::Retry => ("retry", None),
        Decision::Skip { reason } => ("skip", Some(reason)),
    };
    let of: EventRow = unit.existing(&(event,))?;
    let facts = json!({
        "webhook": webhook,
        "event": event,
        "kind": of.kind,
        "refund": of.refund.to_string(),
        "attempts": delivery.attempts,
        "last_error": delivery.last_error,
        "reason": reason,
    });
    let id = format!("{webhook}/{event}");
    operating::record(unit, act, operation, ("Delivery", &id), facts)?;
    Ok(Ok(next))
}

/// Has a delivery tried again at once, or after the earlier one of its account that waits.
fn retry(
    unit: &mut Unit<'_>,
    delivery: &Delivery,
    at: DateTime<Utc>,
) -> Result<Decided, BooksError> {
    let (webhook, event) = (delivery.webhook.as_str(), delivery.event);
    let waiting = first_waiting(unit, webhook, delivery.account)?;
    let next = match waiting.filter(|first| first.event != event) {
        Some(first) if first.event < event && !delivery.is_given_up => {
            return Ok(Err(DecisionRefusal::Waits { event, first: first.event }));
        }
        Some(first) if first.event < event => None,
        Some(later) => {
            // It has its turn again after this one.
            let key = (later.webhook, later.event);
            unit.change::<Delivery>(&key, |delivery| delivery.next_ms = None)?;
            Some(at)
        }
        None => Some(at),
    };
    unit.change::<Delivery>(&(webhook.to_owned(), event), |delivery| {
        if delivery.is_given_up {
            (delivery.is_given_up, delivery.since_ms) = (false, at);
        }
        delivery.next_ms = next;
    })?;
    Ok(Ok(next))
}
