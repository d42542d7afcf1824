//! What is kept of calls: who made them, what they were answered, and the events they caused.

use crate::domain::facts::AccountKey;
use crate::domain::id::RefundNumber;
use crate::ledger::UserKey;
use crate::ledger::record::{Lookup, Record, record};
use chrono::{DateTime, Utc};

record! {
    /// Who acts, by which way, and what is done. What is absent is 0 or an empty text. Only ever
    /// added.
    AuditSource in "audit_source" [
        /// Its key.
        key: i64,
    ] {
        /// The user, or 0.
        user: i64,
        /// The operator or the gateway.
        actor: String,
        /// The front door.
        door: String,
        /// The API version.
        version: String,
        /// The caller's address.
        address: String,
        /// `create`, `update`, `grant`, ….
        operation: String,
        /// The type of what was touched.
        object: String,
    }
}

/// An audit source by all of it.
pub static AUDIT_SOURCE_BY_ALL: Lookup = Lookup::new(
    AuditSource::TABLE,
    &["user", "actor", "door", "version", "address", "operation", "object"],
);

record! {
    /// A call that changed something. Only ever added.
    AuditRow in "audit_row" [
        /// Its key, in the order of the calls.
        key: i64,
    ] {
        /// When.
        at_ms: DateTime<Utc>,
        /// Who, by which way, and what.
        source: i64,
        /// The id of the request.
        request_id: Option<String>,
        /// The first of the refunds that it created or settled, if their numbers follow each other.
        first_refund: Option<RefundNumber>,
        /// How many those are.
        refund_count: Option<i64>,
        /// Their numbers, if they do not: a JSON array.
        refunds: Option<String>,
        /// The key that made it idempotent.
        idempotency_key: Option<String>,
    }
}

record! {
    /// The answer to a call with an idempotency key.
    StoredAnswer in "idempotency" [
        /// Whose call it was.
        user: UserKey,
        /// Its operation.
        operation: String,
        /// Its key.
        key: String,
    ] {
        /// What it asked for.
        fingerprint: Vec<u8>,
        /// The bytes of its answer.
        answer: Vec<u8>,
        /// When it was answered.
        at_ms: DateTime<Utc>,
    }
}

record! {
    /// Something that happened to a refund, for webhooks.
    EventRow in "event" [
        /// Its place in the order of all events.
        key: i64,
    ] {
        /// The refund's account.
        account: AccountKey,
        /// The refund.
        refund: RefundNumber,
        /// What happened, by its name.
        kind: String,
        /// What is reported of it, a JSON object.
        payload: String,
        /// When.
        at_ms: DateTime<Utc>,
    }
}

/// The events of an account.
pub static EVENT_BY_ACCOUNT: Lookup = Lookup::new(EventRow::TABLE, &["account"]);

/// Stored answers by their age.
pub static ANSWER_BY_AGE: Lookup = Lookup::new(StoredAnswer::TABLE, &["at_ms"]);

record! {
    /// What a call touched beside the refunds that it created or settled. Only ever added.
    AuditObject in "audit_object" [
        /// Its key.
        key: i64,
    ] {
        /// The record of the call.
        audit: i64,
        /// The object's type.
        object: String,
        /// Its id, or its name where it has no id.
        id: String,
        /// Its number, where it is a refund.
        refund: Option<RefundNumber>,
        /// What became of it, a JSON object.
        facts: String,
    }
}

record! {
    /// Up to which event a webhook has its deliveries.
    Webhook in "webhook" [
        /// Its name.
        name: String,
    ] {
        /// The key of that event.
        collected: i64,
    }
}

/// Webhooks by how far they are.
pub static WEBHOOK_BY_PLACE: Lookup = Lookup::new(Webhook::TABLE, &["collected"]);

record! {
    /// What a webhook still has to get, or did not take. Of the events of an account that wait,
    /// the first alone has a moment, so that nothing overtakes it.
    Delivery in "delivery" [
        /// The webhook.
        webhook: String,
        /// The event.
        event: i64,
    ] {
        /// The event's account.
        account: AccountKey,
        /// How often it was tried.
        attempts: u32,
        /// When it was first due.
        since_ms: DateTime<Utc>,
        /// When it is tried next.
        next_ms: Option<DateTime<Utc>>,
        /// What went wrong last.
        last_error: Option<String>,
        /// Whether it is kept and not tried any more.
        is_given_up: bool,
    }
    fault |delivery| (delivery.is_given_up && delivery.next_ms.is_some())
        .then_some("one that was given up has a moment")
}

/// The deliveries of an event.
pub static DELIVERY_BY_EVENT: Lookup = Lookup::new(Delivery::TABLE, &["event"]);
/// What waits for a webhook of an account.
pub static DELIVERY_WAITING: Lookup =
    Lookup::new(Delivery::TABLE, &["webhook", "account"]).only("is_given_up", 0);
