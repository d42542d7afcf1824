//! Reporting to the ledger what gateways settled and what they rejected after all.
//!
//! What must stay true: an event that was reported before changes nothing, and money is put back
//! once at most.

use super::trail::Act;
use crate::domain::id::{RefundId, RefundNumber};
use crate::domain::reconciliation::{Refusal, Rejected, Settlement};
use crate::domain::vocabulary::GatewayState;
use chrono::{DateTime, NaiveDate, Utc};

pub use crate::domain::refund_name::RefundName;

/// The longest reason and the longest id of an event, in characters.
pub const TEXT_CHARS_MAX: usize = 500;

/// When something was, as gateways report it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// At this moment.
    Moment(DateTime<Utc>),
    /// On this day of the tenant's; on the day of the refund itself, not before that.
    Day(NaiveDate),
}

/// One event of a gateway's settlement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reconciliation {
    /// The refund.
    pub refund: RefundName,
    /// What the gateway says of it.
    pub settlement: Settlement,
    /// When that was.
    pub at: When,
    /// Why, in the gateway's words.
    pub reason: Option<String>,
    /// The event's own id, by which it is known when it is reported again.
    pub event_id: Option<String>,
}

/// Events, each of which counts or is refused on its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reconcile {
    /// The events, in the order of the results.
    pub events: Vec<Reconciliation>,
    /// What becomes of the money of those that failed.
    pub rejected: Rejected,
    /// Who reports them, from where, and when, which is when the ledger changes.
    pub act: Act,
}

/// What came of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reconciled {
    /// The refund.
    pub refund: RefundId,
    /// Where it stands now.
    pub gateway_state: GatewayState,
    /// Whether the event changed anything; it does not when it was reported before.
    pub has_changed: bool,
    /// Whether its money was put back by this event.
    pub was_put_back: bool,
}

/// Why an event was refused. It changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReconcileError {
    /// No refund is called so.
    #[error("the ledger has no refund {0}")]
    NoRefund(RefundName),
    /// The refund is not in a state for it.
    #[error("{number} {refusal}")]
    Refused {
        /// RefundNumber.
        number: RefundNumber,
        /// Why.
        refusal: Refusal,
    },
    /// The event is earlier than the refund.
    #[error("{number} was created at {}, after the event", created.to_rfc3339())]
    BeforeItsRefund {
        /// RefundNumber.
        number: RefundNumber,
        /// When the refund was created.
        created: DateTime<Utc>,
    },
    /// The event is yet to come.
    #[error("{number}: the event is of {}, and now it is {}", at.to_rfc3339(), now.to_rfc3339())]
    InTheFuture {
        /// RefundNumber.
        number: RefundNumber,
        /// When the event is said to be.
        at: DateTime<Utc>,
        /// When it was reported to the ledger.
        now: DateTime<Utc>,
    },
    /// The id was that of an event with other content.
    #[error("the event id `{0}` was told before, of another refund or with another state")]
    EventIdReused(String),
}

/// What came of each event.
pub type ReconcileResult = Result<Reconciled, ReconcileError>;
