//! The audit trail: who changed what, when, from where, and by which way. Only ever added to.
//!
//! Each call that changes something leaves one record, written in the transaction of its work. A
//! refund refers to the record of the call that created it, and an exchange with a gateway to that
//! of the act that it belongs to; whatever else a call touches is named by a [`Touched`].
//!
//! What must stay true: a record holds facts and never a body, a password, a session, or the number
//! of a card or bank account; every part of it is bounded.

use super::{Reply, UserKey};
use crate::domain::origin::{FrontDoor, Origin};
use crate::domain::refund_name::RefundName;
use chrono::SecondsFormat;
use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use serde_json::Value;

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A user of the ledger.
    User(UserKey),
    /// An operator, by the name that the system or the front door knows.
    Operator(String),
    /// A payment gateway, by its name.
    Gateway(String),
}

/// Who acts, when, and from where: what every change of the ledger is recorded with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// Who.
    pub actor: Actor,
    /// From where, and by which front door.
    pub origin: Origin,
    /// When.
    pub at: DateTime<Utc>,
}

impl Act {
    /// What the program does by itself at a start: it loads the seeds that its operator named.
    pub fn of_start(at: DateTime<Utc>) -> Self {
        let actor = Actor::Operator("start".to_owned());
        Self { actor, origin: Origin::of(FrontDoor::Seed), at }
    }
}

/// Who acts, by which way, and what is done: what many calls share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActSource {
    /// Who.
    pub actor: Actor,
    /// From where, without the id of a request.
    pub origin: Origin,
    /// `create`, `update`, `grant`, ….
    pub operation: &'static str,
    /// The type of what is touched.
    pub object: &'static str,
}

impl ActSource {
    /// Whether this is who acts, by which way, and what is done, of a call.
    pub fn is_of(
        &self,
        actor: &Actor,
        origin: &Origin,
        operation: &'static str,
        object: &'static str,
    ) -> bool {
        let Origin { door, version, address, request_id: _, trace: _ } = origin;
        let known = &self.origin;
        self.actor == *actor
            && (known.door, &known.version, known.address) == (*door, version, *address)
            && (self.operation, self.object) == (operation, object)
    }
}

/// An object that a call changed, deleted or, unless it is a refund, created.
#[derive(Debug, Clone, PartialEq)]
pub struct Touched {
    /// Its type, as the WSDL or the seed calls it: `Account`, `User`, `Gateway`.
    pub object: &'static str,
    /// What it is found by: its id, or its name where it has no id.
    pub id: String,
    /// What became of it: a small JSON object of facts, without secrets.
    pub facts: Value,
}

/// Which records are asked for. What is none does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrailQuery {
    /// Those of this user, operator or gateway, by name.
    pub actor: Option<String>,
    /// Those about objects of this type.
    pub object: Option<String>,
    /// Those about the object of this id, or the refund of this number.
    pub id: Option<String>,
    /// Those of this moment or later.
    pub from: Option<DateTime<Utc>>,
    /// Those before this moment.
    pub until: Option<DateTime<Utc>>,
    /// Those before the record of this key.
    pub before: Option<i64>,
    /// How many at most.
    pub most: u32,
}

/// Records, the newest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TrailPage {
    /// The records.
    pub records: Vec<Record>,
    /// The key to go on before, where there may be more.
    pub next: Option<i64>,
}

/// One record: a call that changed something.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Record {
    /// Its key, which grows with each record.
    pub key: i64,
    /// When.
    #[serde(serialize_with = "to_the_millisecond")]
    pub at: DateTime<Utc>,
    /// Who: the name of a user, an operator or a gateway.
    pub actor: String,
    /// What the actor is: `user`, `operator` or `gateway`.
    pub actor_kind: &'static str,
    /// The front door, by its name.
    pub door: String,
    /// The API version.
    pub version: Option<String>,
    /// The caller's address.
    pub address: Option<String>,
    /// The id of the request.
    pub request_id: Option<String>,
    /// What was done: `create`, `update`, `delete`, `settle`, `reconcile`, `verdict`, ….
    pub operation: String,
    /// The type of the objects.
    pub object: String,
    /// The key that made the call idempotent, as it was sent.
    pub idempotency_key: Option<String>,
    /// The objects.
    pub objects: Vec<RecordedObject>,
}

fn to_the_millisecond<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    at.to_rfc3339_opts(SecondsFormat::Millis, true).serialize(serializer)
}

/// An object of a record.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RecordedObject {
    /// Its type.
    pub object: String,
    /// Its id; none for a refund that was deleted since.
    pub id: Option<String>,
    /// The number of a refund.
    pub number: Option<String>,
    /// What became of it.
    pub facts: Value,
}

/// The audit trail of a ledger.
pub trait Trail: Send + Sync {
    /// The newest records that a query asks for.
    fn records(&self, query: TrailQuery) -> Reply<TrailPage>;

    /// Everything that is kept about a refund, also about one that was deleted; none when the
    /// ledger never had it.
    fn story(&self, name: RefundName) -> Reply<Option<Value>>;
}
