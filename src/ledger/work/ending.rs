//! The second transaction of an electronic refund: it ends exactly once, by its gateway's verdict
//! or by an operator.
//!
//! What must stay true: `end` is the only place where a refund leaves Processing. Its money, its
//! schedule and its history follow in the same transaction.

use super::exchanges::{self, Kept, Purpose};
use super::trail::{self, Done};
use super::{events, facts, movement};
use crate::domain::event::EventKind;
use crate::domain::id::RefundNumber;
use crate::domain::lifecycle::{Ending, Verdict};
use crate::domain::origin::{FrontDoor, Origin};
use crate::domain::schedule::ASKED_FOR;
use crate::domain::vocabulary::RefundStatus;
use crate::ledger::books::BooksError;
use crate::ledger::orders::{Exchange, ExchangeKind, SettleError, Settlement};
use crate::ledger::records::{Inquiry, Refund, User};
use crate::ledger::trail::{Act, Actor};
use crate::ledger::unit::Unit;

/// Ends a refund in Processing and gives its money back if the gateway declined; false when it is
/// not in Processing any more. What was declined before it left counts only as long as no other
/// task has dealt with the order: it may have left since.
pub fn end_refund(
    unit: &mut Unit<'_>,
    number: RefundNumber,
    verdict: &Verdict,
    exchange: &Exchange,
) -> Result<bool, BooksError> {
    if let ExchangeKind::Unsent { attempts } = exchange.kind
        && exchanges::attempts(unit, number)? != Some(attempts)
    {
        return Ok(false);
    }
    let ending = verdict.ending();
    let response = ending.response.as_ref();
    let kept = Kept {
        purpose: Purpose::Gateway(exchange.kind),
        state: ending.gateway_state,
        code: response.map(|response| response.code.as_str()),
        text: response.map(|response| response.text.as_str()),
        reference_id: ending.reference_id.as_deref(),
        transcript: Some(&exchange.transcript),
        operator: None,
        audit: None,
        at: exchange.at,
    };
    let by = |gateway| Act {
        actor: Actor::Gateway(gateway),
        origin: Origin::of(FrontDoor::Gateway),
        at: exchange.at,
    };
    end(unit, number, &ending, &kept, "verdict", by)
}

/// Ends a refund by an operator's hand.
pub fn settle_refund(
    unit: &mut Unit<'_>,
    settlement: &Settlement,
) -> Result<Result<RefundNumber, SettleError>, BooksError> {
    let number = settlement.refund.number();
    let Some(refund) = facts::refund_row(unit, settlement.refund)? else {
        return Ok(Err(SettleError::NoRefund(settlement.refund)));
    };
    let status = refund.status;
    if status != RefundStatus::Processing {
        return Ok(Err(SettleError::NotOpen { number, status }));
    }
    let until = settlement.refund.created_at() + ASKED_FOR;
    let act = &settlement.act;
    if settlement.at_least < until {
        let (clock, aged) = (act.at, settlement.at_least);
        return Ok(Err(SettleError::TooEarly { number, until, clock, aged }));
    }
    let ending = settlement.settled_as.ending();
    let operator = match &act.actor {
        Actor::Operator(name) | Actor::Gateway(name) => Some(name.clone()),
        Actor::User(user) => unit.get::<User>(&(*user,))?.map(|user| user.username.clone()),
    };
    let kept = Kept {
        purpose: Purpose::Operator,
        state: ending.gateway_state,
        code: None,
        text: Some(&settlement.reason),
        reference_id: None,
        transcript: None,
        operator: Some(operator.as_deref().unwrap_or("unknown")),
        audit: None,
        at: act.at,
    };
    end(unit, number, &ending, &kept, "settle", |_| act.clone())?;
    Ok(Ok(number))
}

/// Ends a refund in Processing, with what brought its end, and records `operation` by the act that
/// `by` makes of the name of the refund's gateway; false when it is not in Processing.
fn end(
    unit: &mut Unit<'_>,
    number: RefundNumber,
    ending: &Ending,
    kept: &Kept<'_>,
    operation: &'static str,
    by: impl FnOnce(String) -> Act,
) -> Result<bool, BooksError> {
    let found = unit.get::<Refund>(&(number,))?.cloned();
    let Some(refund) = found.filter(|refund| refund.status == RefundStatus::Processing) else {
        return Ok(false);
    };
    let approved = ending.status == RefundStatus::Processed;
    unit.change::<Refund>(&(number,), |row| {
        row.status = ending.status;
        row.gateway_state = Some(ending.gateway_state);
        let response = ending.response.clone();
        (row.gateway_response_code, row.gateway_response) =
            response.map(|response| (response.code, response.text)).unzip();
        row.reference_id.clone_from(&ending.reference_id);
        row.second_reference_id.clone_from(&ending.second_reference_id);
        row.submitted_ms = approved.then_some(kept.at);
        row.updated_ms = Some(kept.at);
    })?;
    if ending.releases_hold {
        movement::release(unit, &refund, kept.at)?;
    } else {
        movement::post(unit, &refund, kept.at)?;
    }
    unit.remove::<Inquiry>(&(number,))?;
    let audit = trail::next_key(unit)?;
    exchanges::keep(unit, number, &Kept { audit: Some(audit), ..*kept })?;
    let act = by(refund.gateway.unwrap_or_default());
    trail::keep_refunds(unit, audit, &act, Done::new(operation, "Refund"), &[number])?;
    let kind = if approved { EventKind::Processed } else { EventKind::Error };
    events::keep(unit, number, kind, kept.at)?;
    Ok(true)
}
