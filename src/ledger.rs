//! The store of record: accounts, refunds, and the append-only entries behind every balance.
//!
//! The interface speaks in whole use cases, never in statements or connections, so that the same
//! gateway can run on SQLite or on a database of many machines. Nobody else writes SQL.
//!
//! What must stay true:
//! - opening + Σ(entries) = balance ≥ 0 for every account, at every moment that a reader can see;
//! - a reply of `Ok` is durable before it is given;
//! - [`LedgerError::Busy`], [`LedgerError::Unavailable`] and [`LedgerError::Damaged`] mean that
//!   nothing happened, and [`LedgerError::Unknown`] that the outcome is unknown: then the caller
//!   must get no answer at all.

pub mod audit;
pub mod books;
pub mod change;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod conformance_objects;
#[cfg(test)]
mod conformance_seed;
mod damage;
pub mod engine;
#[cfg(test)]
mod memory;
pub mod operator;
pub mod orders;
pub mod outbox;
#[cfg(test)]
pub mod postgres;
pub mod query;
mod queue;
pub mod reconciliation;
pub mod record;
pub mod records;
mod saved;
pub mod seed;
pub mod seeding;
pub mod sqlite;
pub mod test_bench;
pub mod ticket;
pub mod trail;
pub mod unit;
pub mod views;
pub mod work;
pub mod working_set;
pub mod world;
mod writer;

use crate::domain::draft::GatewayOption;
use crate::domain::draft::batch::Drafts;
use crate::domain::facts::{Gateway, Tenant};
use crate::domain::id::{ObjectId, RefundId};
use crate::domain::money::{Currency, MinorUnits};
use crate::domain::origin::Origin;
use crate::domain::permission::Permissions;
use crate::domain::row_error::RowError;
use crate::domain::rules::Asking;
use crate::domain::script::Script;
use change::{ChangeResult, Delete, Update};
use chrono::{DateTime, Utc};
use operator::Operators;
use orders::Orders;
use outbox::Outbox;
use query::{Find, FindError, Page};
use reconciliation::{Reconcile, ReconcileResult};
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use test_bench::TestBench;
use ticket::Ticket;
use trail::Trail;
use views::Views;

pub use saved::{Ended, Number, Saved, WrittenOff};

/// What comes back from the ledger, some time later.
pub type Reply<T> = Pin<Box<dyn Future<Output = Result<T, LedgerError>> + Send>>;

/// Why the ledger gave no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// Too much is waiting already. Nothing happened; trying again later is safe.
    #[error("the queue to the ledger is full")]
    Busy,
    /// The request was withdrawn before its transaction began. Nothing happened.
    #[error("the request was withdrawn before it began")]
    Withdrawn,
    /// The transaction was rolled back for certain, or never begun. Nothing happened.
    #[error("the ledger cannot be written: {0}")]
    Unavailable(String),
    /// What is stored is damaged. Nothing happened, and nothing will until it was restored.
    #[error("the ledger is damaged: {0}")]
    Damaged(String),
    /// The commit failed in a way that leaves its outcome open.
    #[error("the outcome of the transaction is unknown: {0}")]
    Unknown(String),
}

/// The key of a user inside the ledger; clients never see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserKey(pub i64);

/// A user, as the login needs it.
#[derive(Clone)]
pub struct User {
    /// Its key.
    pub key: UserKey,
    /// Its id, as clients see it.
    pub id: ObjectId,
    /// Its name, which is also its e-mail address.
    pub username: String,
    /// The PHC string of its password.
    pub password_hash: String,
    /// What it may do.
    pub permissions: Permissions,
    /// The orgs that it may name; none where nothing says any.
    pub orgs: Option<Orgs>,
}

/// The ids of orgs.
pub type Orgs = Arc<[String]>;

impl fmt::Debug for User {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = out.debug_struct("User");
        out.field("key", &self.key).field("username", &self.username).finish_non_exhaustive()
    }
}

/// SHA-256 of a session's token: the only form in which the ledger knows it.
pub type TokenHash = [u8; 32];

/// A session as the ledger keeps it.
#[derive(Debug, Clone)]
pub struct StoredSession {
    /// Whose it is.
    pub user: User,
    /// When it was last used, at most a minute ago when it is in use.
    pub last_used: DateTime<Utc>,
}

/// An OAuth client, as the ledger keeps it.
#[derive(Debug, Clone)]
pub struct StoredClient {
    /// As whom it calls.
    pub user: User,
    /// The PHC string of its secret.
    pub secret_hash: String,
}

/// A token of an OAuth client.
#[derive(Debug, Clone)]
pub struct StoredToken {
    /// As whom its client calls.
    pub user: User,
    /// When it ends.
    pub ends: DateTime<Utc>,
}

/// The answer to a create call, made inside the transaction, whose bytes are stored; it must not
/// depend on anything but what it is given.
pub enum Render {
    /// From the results of the rows.
    Rows(RenderRows),
    /// The same with what each row made or changed, as the work of the call leaves it; and once
    /// more when gateways have answered.
    Views(RenderViews),
}

/// Makes an answer from the results of rows.
pub type RenderRows = Box<dyn Fn(&[RowResult]) -> Vec<u8> + Send>;

/// Makes an answer from results that have their [`Saved::view`]; none where no answer is to be
/// stored.
pub type RenderViews = Arc<dyn Fn(&[RowResult]) -> Option<Vec<u8>> + Send + Sync>;

/// What a row of a call came to: what was made, changed or deleted, or why nothing was.
pub type RowResult = Result<Saved, RowError>;

/// A promise to answer a repeated request with the same bytes and to do its work once.
pub struct Idempotency {
    /// The caller's key, unique for the user and the operation.
    pub key: String,
    /// The operation that the key is scoped to.
    pub operation: &'static str,
    /// What the request asked for; another value under the same key is another request.
    pub fingerprint: [u8; 32],
    /// When it is asked for, by the clock that keys get old by.
    pub at: DateTime<Utc>,
    /// Makes the answer that is stored.
    pub render: Render,
}

/// What a repeated request is answered once a gateway's verdict is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AmendedAnswer {
    /// Whose request it was.
    pub user: UserKey,
    /// The operation that the key is scoped to.
    pub operation: &'static str,
    /// The caller's key.
    pub key: String,
    /// What the request asked for.
    pub fingerprint: [u8; 32],
    /// The bytes.
    pub answer: Vec<u8>,
}

/// Under which circumstances something is asked for, the same for creating, changing and deleting.
pub struct Context {
    /// Who asks.
    pub user: UserKey,
    /// From where.
    pub origin: Origin,
    /// With which permissions and version, and when.
    pub asking: Asking,
    /// With which the request can be withdrawn until its transaction begins.
    pub ticket: Ticket,
}

/// Drafts of one type, each of which becomes an object or a row error on its own.
#[derive(Debug)]
pub struct Batch {
    /// The drafts, in the order of the results.
    pub drafts: Drafts,
    /// Rows, from 0, that are to fail so whatever they ask for, because a tester ordered it.
    pub ordered: BTreeMap<usize, RowError>,
    /// Whether all rows are created or none is (useSingleTransaction); the service lets it stand
    /// only where the settings do.
    pub is_single: bool,
}

/// A batch to be created.
pub struct Create {
    /// By whom, when and how.
    pub context: Context,
    /// What.
    pub batch: Batch,
    /// Set when the caller gave a key.
    pub idempotency: Option<Idempotency>,
    /// Takes note of the orders as soon as they are durable, if the caller wants it.
    pub line_up: Option<LineUp>,
}

/// Takes note of the orders of a request. The ledger calls it in the order of its commits, before
/// the request's own reply; it must not wait for anything.
pub type LineUp = Arc<dyn Fn(&[Order]) + Send + Sync>;

/// What a create call came to.
#[derive(Debug)]
pub enum Created {
    /// It was done now.
    Fresh {
        /// One result a draft, in order.
        rows: Vec<RowResult>,
        /// What gateways have to be asked for, now that the amounts are held.
        orders: Vec<Order>,
        /// The stored answer, when there was a key.
        answer: Option<Vec<u8>>,
    },
    /// It had been done before; these are the bytes of that answer.
    Replayed(Vec<u8>),
    /// The key belongs to a request that asked for something else. Nothing was done.
    KeyReused,
}

/// What a gateway is asked to pay. The refund's id is the key under which it may pay only once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The refund, in Processing, its amount held.
    pub refund: RefundId,
    /// The gateway's name.
    pub gateway: String,
    /// The payment method to pay to.
    pub payment_method: ObjectId,
    /// The payment to give back, as the gateway knows it: its ReferenceId, or its PaymentNumber if
    /// it has none. Without one it is a non-referenced refund.
    pub original_payment: Option<String>,
    /// What is known of that payment; gateways on a wire know it themselves.
    pub repaid: Option<Repaid>,
    /// How much.
    pub amount: MinorUnits,
    /// In which currency.
    pub currency: Currency,
    /// Parameters for the gateway.
    pub options: Vec<GatewayOption>,
}

/// A payment that a refund gives back, as it was when the refund was created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repaid {
    /// The days from its EffectiveDate to the RefundDate.
    pub age_days: i64,
    /// Whether its gateway has settled it.
    pub is_settled: bool,
}

/// What the ledger says of itself, for metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LedgerStats {
    /// Requests that wait for the writer now.
    pub queued: u64,
    /// Transactions committed since the start.
    pub commits: u64,
    /// Requests that those transactions carried.
    pub committed_requests: u64,
    /// Transactions rolled back or lost since the start.
    pub failures: u64,
    /// Time spent in commits since the start, in microseconds.
    pub commit_us: u64,
}

/// The store behind one interface.
pub trait Ledger: Orders {
    /// Creates objects: looks up facts, decides, and writes, all in one transaction.
    fn create(&self, request: Create) -> Reply<Created>;

    /// Changes what is there, in one transaction, and tells one result a change, in order.
    fn update(&self, request: Update) -> Reply<Vec<ChangeResult>>;

    /// Deletes what may go, in one transaction, and tells one result an id, in order.
    fn delete(&self, request: Delete) -> Reply<Vec<ChangeResult>>;

    /// Reconciles refunds with what their gateways settled or rejected, each on its own.
    fn reconcile(&self, request: Reconcile) -> Reply<Vec<ReconcileResult>>;

    /// What happened to refunds, where it is kept.
    fn outbox(&self) -> Option<&dyn Outbox> {
        None
    }

    /// What the v1 operations read, where it can be read.
    fn views(&self) -> Option<&dyn Views> {
        None
    }

    /// Replaces the stored answer of a request with a key by what became of its work since, unless
    /// the key is no longer that request's. False: it was not.
    fn amend_answer(&self, _answer: AmendedAnswer) -> Reply<bool> {
        Box::pin(async { Ok(false) })
    }

    /// What operators change, where they can.
    fn operators(&self) -> Option<&dyn Operators> {
        None
    }

    /// Who changed what, where it is kept.
    fn trail(&self) -> Option<&dyn Trail> {
        None
    }

    /// The user of this name, letter for letter, unless it is shut out.
    fn find_user(&self, username: &str) -> Reply<Option<User>>;

    /// Opens a session and returns its token: 255 URL-safe characters, kept here only as a hash.
    /// Sessions that were last used before `expired` are forgotten on the way.
    fn open_session(
        &self,
        user: UserKey,
        at: DateTime<Utc>,
        expired: DateTime<Utc>,
    ) -> Reply<String>;

    /// The session of this token, whatever its age.
    fn find_session(&self, token: TokenHash) -> Reply<Option<StoredSession>>;

    /// The OAuth client of this id, letter for letter, unless its user is shut out.
    fn find_client(&self, _id: &str) -> Reply<Option<StoredClient>> {
        Box::pin(async { Ok(None) })
    }

    /// Issues a token to a client, good until `ends`: 255 URL-safe characters, kept here only as a
    /// hash. Tokens that ended before `at` are forgotten on the way.
    fn issue_token(
        &self,
        _client: String,
        _at: DateTime<Utc>,
        _ends: DateTime<Utc>,
    ) -> Reply<String> {
        let none = || LedgerError::Unavailable("the ledger keeps no tokens".to_owned());
        Box::pin(async move { Err(none()) })
    }

    /// The token of this hash, whether it has ended or not.
    fn find_token(&self, _token: TokenHash) -> Reply<Option<StoredToken>> {
        Box::pin(async { Ok(None) })
    }

    /// The newest moment by which something here got old; none on a new ledger, and where that is
    /// not kept.
    fn age(&self) -> Reply<Option<DateTime<Utc>>> {
        Box::pin(async { Ok(None) })
    }

    /// Notes by which moment things get old; never backwards.
    fn keep_age(&self, _at: DateTime<Utc>) -> Reply<()> {
        Box::pin(async { Ok(()) })
    }

    /// Notes that a session was used.
    fn keep_session(&self, token: TokenHash, at: DateTime<Utc>) -> Reply<()>;

    /// Finds a page of what a query asks for, and keeps a locator where more follows.
    fn find(&self, request: Find) -> Reply<Result<Page, FindError>>;

    /// Adds what a seed names. A second time nothing changes; a conflict changes nothing.
    fn load_seed(
        &self,
        seed: seed::SeedPlan,
    ) -> Reply<Result<seed::SeedReport, seed::SeedConflict>>;

    /// The tenant's settings and the fields that it declared, as seeds and operators last said.
    fn tenant(&self) -> Arc<Tenant>;

    /// The gateways and the scripts of those that are sandboxes.
    fn gateways(&self) -> Reply<Vec<(Gateway, Script)>>;

    /// Where ids are seeded, what the ids of requests follow from until this is asked for again;
    /// no two beginnings of a ledger have the same.
    fn begin_request_ids(&self) -> Reply<Option<[u8; 32]>> {
        Box::pin(async { Ok(None) })
    }

    /// Writes durably and changes nothing, to learn whether the ledger can be written.
    fn probe(&self) -> Reply<()>;

    /// Checks what is stored, now and every hour, beside whatever else is done, where the engine
    /// does not do so by itself. Damage ends all writing.
    fn begin_check(&self) {}

    /// What was found damaged since the start; once there is something, nothing is written.
    fn damage(&self) -> Option<String> {
        None
    }

    /// Why the outcome of a commit is unknown, since which nothing is written; the next start
    /// recovers what there is.
    fn lost_commit(&self) -> Option<String> {
        None
    }

    /// Counters since the start.
    fn stats(&self) -> LedgerStats;

    /// What can be done with a test ledger alone; nothing where it is none.
    fn test_bench(&self) -> Option<&dyn TestBench> {
        None
    }
}

#[cfg(test)]
mod tests;
