//! The second transaction of an electronic refund: it ends exactly once, by its gateway's verdict
//! or by an operator.
//!
//! What must stay true: [`end`] is the only place where a refund leaves Processing. Its money, its
//! schedule and its history follow in the same transaction.

use super::movement::{self, Moved};
use super::orders::{Kept, keep_exchange};
use super::rows::known;
use super::store::Store;
use super::trail::{self, Done};
use super::{outbox, sessions};
use crate::domain::event::EventKind;
use crate::domain::id::{RefundId, RefundNumber};
use crate::domain::lifecycle::{Ending, Verdict};
use crate::domain::origin::{FrontDoor, Origin};
use crate::domain::schedule::ASKED_FOR;
use crate::domain::vocabulary::RefundStatus;
use crate::ledger::orders::{Exchange, SettleError, Settlement};
use crate::ledger::trail::{Act, Actor};
use rusqlite::{Connection, OptionalExtension, named_params, params};

/// Ends a refund in Processing and gives its money back if the gateway declined; false when it is
/// not in Processing any more.
pub(super) fn end_refund(
    store: &mut Store,
    number: RefundNumber,
    verdict: &Verdict,
    exchange: &Exchange,
) -> rusqlite::Result<bool> {
    let ending = verdict.ending();
    let response = ending.response.as_ref();
    let kept = Kept {
        kind: exchange.kind.name(),
        state: ending.gateway_state,
        code: response.map(|response| response.code.as_str()),
        text: response.map(|response| response.text.as_str()),
        reference_id: ending.reference_id.as_deref(),
        transcript: Some(&exchange.transcript),
        operator: None,
        audit: None,
        at_ms: exchange.at.timestamp_millis(),
    };
    let by = |gateway| Act {
        actor: Actor::Gateway(gateway),
        origin: Origin::of(FrontDoor::Gateway),
        at: exchange.at,
    };
    end(store, number, &ending, &kept, "verdict", by)
}

/// Ends a refund by an operator's hand.
pub(super) fn settle_refund(
    store: &mut Store,
    settlement: &Settlement,
) -> rusqlite::Result<Result<RefundNumber, SettleError>> {
    let connection = store.connection();
    let number = settlement.refund.number();
    let Some(status) = status(connection, settlement.refund)? else {
        return Ok(Err(SettleError::NoRefund(settlement.refund)));
    };
    if status != RefundStatus::Processing {
        return Ok(Err(SettleError::NotOpen { number, status }));
    }
    let until = settlement.refund.created_at() + ASKED_FOR;
    let act = &settlement.act;
    if act.at < until {
        return Ok(Err(SettleError::TooEarly { number, until }));
    }
    let ending = settlement.settled_as.ending();
    let operator = match &act.actor {
        Actor::Operator(name) | Actor::Gateway(name) => Some(name.clone()),
        Actor::User(user) => sessions::username(connection, *user)?,
    };
    let kept = Kept {
        kind: "operator",
        state: ending.gateway_state,
        code: None,
        text: Some(&settlement.reason),
        reference_id: None,
        transcript: None,
        operator: Some(operator.as_deref().unwrap_or("unknown")),
        audit: None,
        at_ms: act.at.timestamp_millis(),
    };
    end(store, number, &ending, &kept, "settle", |_| act.clone())?;
    Ok(Ok(number))
}

/// Where the refund of this id stands, if there is one.
fn status(connection: &Connection, refund: RefundId) -> rusqlite::Result<Option<RefundStatus>> {
    let number = refund.number();
    let select = "select status, created_ms, salt from refund where number = ?1";
    let mut statement = connection.prepare_cached(select)?;
    let found = statement
        .query_row(params![number.value()], |row| {
            let id = RefundId::new(row.get(1)?, row.get(2)?, number);
            Ok((known(row, 0, RefundStatus::from_name)?, id))
        })
        .optional()?;
    Ok(found.filter(|(_, id)| *id == refund).map(|(status, _)| status))
}

/// Ends a refund in Processing, with what brought its end, and records `operation` by whoever `by`
/// says, given the name of the refund's gateway; false when it is not in Processing.
fn end(
    store: &Store,
    number: RefundNumber,
    ending: &Ending,
    kept: &Kept<'_>,
    operation: &'static str,
    by: impl FnOnce(String) -> Act,
) -> rusqlite::Result<bool> {
    let connection = store.connection();
    let approved = ending.status == RefundStatus::Processed;
    let response = ending.response.as_ref();
    let update = "update refund set status = :status, gateway_state = :gateway_state, \
         gateway_response = :response, gateway_response_code = :response_code, \
         reference_id = :reference_id, second_reference_id = :second_reference_id, \
         submitted_ms = :submitted_ms, updated_ms = :at_ms \
         where number = :number and status = 'Processing' \
         returning account, amount, payment, gateway";
    let ended = connection
        .prepare_cached(update)?
        .query_row(
            named_params! {
                ":status": ending.status.name(),
                ":gateway_state": ending.gateway_state.name(),
                ":response": response.map(|response| &response.text),
                ":response_code": response.map(|response| &response.code),
                ":reference_id": ending.reference_id,
                ":second_reference_id": ending.second_reference_id,
                ":submitted_ms": approved.then_some(kept.at_ms),
                ":at_ms": kept.at_ms,
                ":number": number.value(),
            },
            |row| {
                let (account, amount) = (row.get(0)?, row.get(1)?);
                let moved = Moved { number: number.value(), account, amount, payment: row.get(2)? };
                Ok((moved, row.get(3)?))
            },
        )
        .optional()?;
    let Some((moved, gateway)) = ended else {
        return Ok(false);
    };
    if ending.releases_hold {
        movement::release(connection, moved, kept.at_ms)?;
    } else {
        movement::post(connection, moved, kept.at_ms)?;
    }
    let forget = "delete from inquiry where refund = ?1";
    connection.prepare_cached(forget)?.execute(params![number.value()])?;
    let audit = trail::next_key(connection)?;
    let kept = Kept { audit: Some(audit), ..*kept };
    keep_exchange(connection, number, &kept)?;
    let done = Done::new(operation, "Refund");
    trail::keep_refunds(connection, audit, &by(gateway), done, &[number.value()])?;
    let kind = if approved { EventKind::Processed } else { EventKind::Error };
    outbox::keep(store, number, kind, kept.at_ms)?;
    Ok(true)
}
