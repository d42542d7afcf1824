//! What an electronic refund's life with its gateway leaves behind.

use crate::domain::id::RefundNumber;
use crate::domain::money::MinorUnits;
use crate::ledger::record::{Field, Lookup, Record, Value, record};
use chrono::{DateTime, Utc};
use std::borrow::Cow;

record! {
    /// When a refund in Processing is asked about next.
    Inquiry in "inquiry" [
        /// The refund.
        refund: RefundNumber,
    ] {
        /// When its order was sent first; none as long as it is certain that it never left.
        first_sent_ms: Option<DateTime<Utc>>,
        /// How many exchanges brought no verdict.
        attempts: i64,
        /// None when its gateway is not asked any more, and an operator has to settle it.
        next_ms: Option<DateTime<Utc>>,
    }
}

/// Every refund in Processing.
pub static INQUIRIES: Lookup = Lookup::new(Inquiry::TABLE, &[]);

record! {
    /// An exchange with a gateway about a refund. Only ever added.
    Exchange in "exchange" [
        /// Its key, in the order of the exchanges.
        key: i64,
    ] {
        /// The refund.
        refund: RefundNumber,
        /// The gateway.
        gateway: String,
        /// `refund`, `inquiry`, `settlement` or `operator`.
        kind: String,
        /// Where the refund stands with its gateway after it.
        gateway_state: String,
        /// The gateway's code.
        reason_code: Option<String>,
        /// The gateway's reason, or the operator's.
        reason_text: Option<String>,
        /// The gateway's id of the refund.
        reference_id: Option<String>,
        /// What was sent, without secrets.
        request: Option<String>,
        /// What was received, without secrets.
        response: Option<String>,
        /// Who decided, where no gateway did.
        operator: Option<String>,
        /// The record of the act that it belongs to.
        audit: Option<i64>,
        /// When.
        at_ms: DateTime<Utc>,
    }
}

record! {
    /// The id under which a gateway reported a settlement, so that it counts once.
    SettlementEvent in "settlement_event" [
        /// The gateway's id of the event.
        id: String,
    ] {
        /// The refund.
        refund: RefundNumber,
        /// What it reported.
        gateway_state: String,
    }
}

/// Which way an amount that goes to a gateway counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendingKind {
    /// It was sent.
    Sent,
    /// It was sent and never paid.
    Released,
}

impl Field for SendingKind {
    fn stored(&self) -> Value<'_> {
        Value::Text(Cow::Borrowed(match self {
            Self::Sent => "sent",
            Self::Released => "released",
        }))
    }

    fn from_stored(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Text(text) if text == "sent" => Some(Self::Sent),
            Value::Text(text) if text == "released" => Some(Self::Released),
            _ => None,
        }
    }
}

record! {
    /// An amount that was sent to a gateway against a payment, or released. Only ever added.
    Sending in "sending" [
        /// Its key, in the order of the sendings.
        key: i64,
    ] {
        /// The payment, as its gateway knows it.
        reference: String,
        /// The gateway.
        gateway: String,
        /// The refund.
        refund: RefundNumber,
        /// Which way it counts.
        kind: SendingKind,
        /// How much.
        amount: MinorUnits,
        /// When.
        at_ms: DateTime<Utc>,
    }
}

/// What was sent for a refund, or released.
pub static SENDING_OF_REFUND: Lookup = Lookup::new(Sending::TABLE, &["refund", "kind"]);
