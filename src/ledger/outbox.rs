//! What happened to refunds, for those who listen.
//!
//! What must stay true: an event is written in the transaction that it reports; each webhook gets
//! every event that it wants at least once, and those of one account in their order; what waits for
//! a webhook is not removed.

use super::Reply;
use super::trail::Act;
use crate::domain::event::EventKind;
use crate::domain::facts::AccountKey;
use chrono::{DateTime, Utc};

/// An event as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its place among the events of the ledger, from 1.
    pub sequence: i64,
    /// The JSON that is delivered.
    pub payload: String,
}

/// An event that is to be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The event.
    pub event: Event,
    /// The account whose events go one after the other.
    pub account: AccountKey,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was first due.
    pub since: DateTime<Utc>,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempt {
    /// The receiver has it.
    Delivered,
    /// It is tried again; the account's later events wait for it.
    Again {
        /// When.
        next: DateTime<Utc>,
        /// What went wrong.
        why: String,
    },
    /// It is given up and kept; the account's later events go on.
    GivenUp {
        /// What went wrong.
        why: String,
    },
}

/// What an operator decides about a delivery that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It is tried again at once. One that was given up has its whole time once more.
    Retry,
    /// It is not delivered any more, and the account's later events go on.
    Skip {
        /// Why, in the operator's words.
        reason: String,
    },
}

/// Why there is nothing to decide about a delivery. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecisionRefusal {
    /// No webhook of the configuration has this name.
    #[error("There is no webhook `{0}`.")]
    NoWebhook(String),
    /// It was delivered, or skipped, or is no event that the webhook wants.
    #[error("The webhook `{webhook}` has no event {event} to get.")]
    NoDelivery {
        /// The webhook.
        webhook: String,
        /// The event.
        event: i64,
    },
    /// No attempt has failed.
    #[error("Event {0} has not failed: it is delivered in its turn.")]
    NotFailed(i64),
    /// An earlier event of the same account goes first.
    #[error("Event {event} waits for event {first} of the same account; decide about that one.")]
    Waits {
        /// The event.
        event: i64,
        /// The earlier one.
        first: i64,
    },
}

/// When a delivery is tried next; none where it is not, or where an earlier event of its account
/// goes first.
pub type Decided = Result<Option<DateTime<Utc>>, DecisionRefusal>;

/// What waits for a webhook, or was given up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeliveryStats {
    /// Events that wait.
    pub waiting: u64,
    /// Events that were given up.
    pub given_up: u64,
}

/// The outbox of a ledger.
pub trait Outbox: Send + Sync {
    /// Begins to keep events for webhooks that are new: what happens from now on is theirs.
    fn register_webhooks(&self, names: Vec<String>) -> Reply<()>;

    /// Puts what has happened since, of these kinds (none: of all), among the deliveries of a
    /// webhook, a bounded number at a time; whether there may be more.
    fn collect(
        &self,
        webhook: &str,
        kinds: Option<Vec<EventKind>>,
        at: DateTime<Utc>,
    ) -> Reply<bool>;

    /// At most `most` deliveries that are due, at most one of each account.
    fn due(&self, webhook: &str, at: DateTime<Utc>, most: usize) -> Reply<Vec<Delivery>>;

    /// Writes down what came of an attempt to deliver an event (its place, and how often it had
    /// been tried before). A failure is not written where there was another attempt since.
    fn note_attempt(
        &self,
        webhook: &str,
        tried: (i64, u32),
        attempt: Attempt,
        at: DateTime<Utc>,
    ) -> Reply<()>;

    /// Does with a delivery that failed (by its webhook and the place of its event) what an
    /// operator decides, by the moment that deliveries go by.
    fn decide_delivery(
        &self,
        delivery: (&str, i64),
        decision: Decision,
        at: DateTime<Utc>,
        act: Act,
    ) -> Reply<Decided>;

    /// Removes events from before this moment, the oldest first and a bounded number at a time,
    /// with their deliveries that were given up; whether there may be more. What one of these
    /// webhooks has still to get stays, and so does the newest event.
    fn remove_events(&self, before: DateTime<Utc>, webhooks: Vec<String>) -> Reply<bool>;

    /// What waits for a webhook.
    fn delivery_stats(&self, webhook: &str) -> Reply<DeliveryStats>;
}
