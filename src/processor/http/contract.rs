//! The contract of docs/PROCESSORS.md: what is asked of a processor, and what its answers mean.
//!
//! What must stay true: only an answer that is the contract's in every point is certain. Any
//! other answer, from the processor or a proxy before it, says nothing about the money.

use crate::client::header::CONTENT_TYPE;
use crate::client::{Answer, StatusCode};
use crate::domain::draft::GatewayOption;
use crate::domain::lifecycle::{Response, Verdict};
use crate::domain::money::parse_amount;
use crate::ledger::Order;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The most bytes of an answer's body that are read.
pub(super) const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// The body of an order.
#[derive(Serialize)]
struct WrittenOrder<'a> {
    reference: String,
    amount: String,
    currency: &'static str,
    kind: &'static str,
    payment_method: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    original_payment: Option<&'a str>,
    options: &'a [GatewayOption],
}

/// The body that asks for a refund; the same for the same order.
pub(super) fn order_body(order: &Order) -> Vec<u8> {
    let original_payment = order.original_payment.as_deref();
    let written = WrittenOrder {
        reference: order.refund.to_string(),
        amount: order.currency.format(order.amount),
        currency: order.currency.code(),
        kind: if original_payment.is_some() { "referenced" } else { "non-referenced" },
        payment_method: order.payment_method.as_str(),
        original_payment,
        options: &order.options,
    };
    serde_json::to_vec(&written).unwrap_or_default()
}

/// What an answer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// How the refund ended.
    Ended(Verdict),
    /// It is known, and not decided yet.
    Processing,
    /// The reference is not known, in the contract's own words.
    NeverHeard {
        /// For how long a reference is known for certain, if the adapter says so.
        retention: Option<Duration>,
    },
    /// The reference belongs to another order.
    Conflict,
}

/// The body of an answer; members that the contract does not know are left alone.
#[derive(Deserialize)]
struct WrittenAnswer {
    reference: String,
    status: Status,
    amount: Option<String>,
    currency: Option<String>,
    processor_reference: Option<String>,
    second_processor_reference: Option<String>,
    key_retention_h: Option<u32>,
    code: Option<String>,
    message: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Status {
    Approved,
    Declined,
    Processing,
    NeverHeard,
    Conflict,
}

/// What `answer` says about `order`, or why it says nothing.
pub(super) fn read(answer: &Answer, order: &Order) -> Result<Said, String> {
    let status = answer.status.as_u16();
    if answer.status.is_redirection() {
        return Err(format!("HTTP {status}: redirects are not followed"));
    }
    if answer.cut {
        return Err(format!("HTTP {status} with more than {ANSWER_BYTES_MAX} bytes"));
    }
    if !is_json(answer) {
        return Err(format!("HTTP {status} without the Content-Type application/json"));
    }
    let written: WrittenAnswer = serde_json::from_slice(&answer.body).map_err(|error| {
        format!("HTTP {status} with a body that is not the contract's: {error}")
    })?;
    if written.reference != order.refund.to_string() {
        return Err("the answer echoes another reference".to_owned());
    }
    match (answer.status, written.status) {
        (StatusCode::OK, Status::Approved | Status::Declined | Status::Processing) => {
            check_echo(&written, order)?;
            said(written)
        }
        (StatusCode::NOT_FOUND, Status::NeverHeard) => {
            let hours = |hours| Duration::from_secs(u64::from(hours) * 3600);
            Ok(Said::NeverHeard { retention: written.key_retention_h.map(hours) })
        }
        (StatusCode::CONFLICT, Status::Conflict) => Ok(Said::Conflict),
        _ => Err(format!("HTTP {status} does not go with the status of the body")),
    }
}

fn is_json(answer: &Answer) -> bool {
    let report = answer.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = report.and_then(|report| report.split(';').next()).unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("application/json")
}

fn check_echo(written: &WrittenAnswer, order: &Order) -> Result<(), String> {
    let amount = written.amount.as_deref().ok_or("the answer echoes no amount")?;
    let units = parse_amount(amount).and_then(|amount| order.currency.minor_units(amount));
    if units != Some(order.amount) {
        return Err("the answer echoes another amount".to_owned());
    }
    match written.currency.as_deref() {
        None => Err("the answer echoes no currency".to_owned()),
        Some(code) if code == order.currency.code() => Ok(()),
        Some(_) => Err("the answer echoes another currency".to_owned()),
    }
}

/// The verdict, whose every member must be there.
fn said(written: WrittenAnswer) -> Result<Said, String> {
    if written.status == Status::Processing {
        return Ok(Said::Processing);
    }
    let needed = |name: &str, value: Option<String>| {
        let given = value.filter(|value| !value.trim().is_empty());
        given.ok_or_else(|| format!("the answer has no {name}"))
    };
    let code = needed("code", written.code)?;
    let text = needed("message", written.message)?;
    let response = Response { code, text };
    if written.status == Status::Declined {
        return Ok(Said::Ended(Verdict::Declined { response }));
    }
    let reference_id = needed("processor_reference", written.processor_reference)?;
    let second = written.second_processor_reference;
    let second_reference_id = second.filter(|second| !second.trim().is_empty());
    Ok(Said::Ended(Verdict::Approved { reference_id, second_reference_id, response }))
}
