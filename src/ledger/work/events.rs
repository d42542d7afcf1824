//! What is reported of a refund: to webhooks, in stories, and when it is deleted.
//!
//! What must stay true: no free text, no names of people, no secrets; events are counted without a
//! gap and never twice, also after a test ledger lost its newest.

use crate::domain::event::EventKind;
use crate::domain::facts::AccountKey;
use crate::domain::id::RefundNumber;
use crate::domain::vocabulary::GatewayState;
use crate::ledger::books::BooksError;
use crate::ledger::records::{Account, Balance, EventRow, Method, Payment, Refund};
use crate::ledger::unit::Unit;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

/// Keeps that something happened to a refund, if webhooks are to hear of it.
pub fn keep(
    unit: &mut Unit<'_>,
    number: RefundNumber,
    kind: EventKind,
    at: DateTime<Utc>,
) -> Result<(), BooksError> {
    if !unit.world.keeps_events {
        return Ok(());
    }
    // A test ledger may have lost its newest events, and a webhook its place behind them.
    let floor = unit.latest_collected()?;
    let key = unit.next_key_above::<EventRow>(floor)?;
    let (account, mut payload) =
        describe(unit, number)?.ok_or(BooksError::Missing("refund_row"))?;
    if let Value::Object(payload) = &mut payload {
        let salt = unit.world.row_salt;
        payload.insert("id".to_owned(), json!(format!("{salt:06x}-{key}")));
        payload.insert("sequence".to_owned(), json!(key));
        payload.insert("kind".to_owned(), json!(kind.name()));
        payload.insert("at".to_owned(), json!(moment(Some(at))));
    }
    let (kind, payload) = (kind.name().to_owned(), payload.to_string());
    unit.insert(EventRow { key, account, refund: number, kind, payload, at_ms: at })
}

/// The account's key, and what is reported of a refund; none where it is not there.
pub fn describe(
    unit: &mut Unit<'_>,
    number: RefundNumber,
) -> Result<Option<(AccountKey, Value)>, BooksError> {
    let Some(refund) = unit.get::<Refund>(&(number,))?.cloned() else { return Ok(None) };
    let account: Account = unit.existing(&(refund.account,))?;
    let balance: Balance = unit.existing(&(refund.account,))?;
    let method = match refund.payment_method {
        Some(key) => unit.get::<Method>(&(key,))?.map(|method| method.id.to_string()),
        None => None,
    };
    let payment = match refund.payment {
        Some(key) => unit
            .get::<Payment>(&(key,))?
            .map(|payment| json!({ "id": payment.id.as_str(), "number": payment.number })),
        None => None,
    };
    let state = refund.gateway_state.unwrap_or(GatewayState::NotSubmitted);
    let payload = json!({
        "account": {
            "id": account.id.as_str(),
            "number": account.number,
            "credit_balance": account.currency.format(balance.units),
        },
        "refund": {
            "id": refund.id().to_string(),
            "number": number.to_string(),
            "type": refund.refund_type.name(),
            "source_type": refund.source_type.name(),
            "status": refund.status.name(),
            "gateway_state": state.name(),
            "amount": account.currency.format(refund.amount),
            "currency": account.currency.code(),
            "method_type": refund.method_type.name(),
            "payment_method": method,
            "gateway": refund.gateway,
            "reference_id": refund.reference_id,
            "gateway_response_code": refund.gateway_response_code,
            "gateway_response": refund.gateway_response,
            "refund_date": refund.refund_day.to_string(),
            "created": moment(Some(refund.created_ms)),
            "submitted": moment(refund.submitted_ms),
            "settled": moment(refund.settled_ms),
            "compensated": moment(refund.compensated_ms),
            "payment": payment,
        },
    });
    Ok(Some((refund.account, payload)))
}

fn moment(moment: Option<DateTime<Utc>>) -> Option<String> {
    moment.map(|moment| moment.to_rfc3339_opts(SecondsFormat::Millis, true))
}
