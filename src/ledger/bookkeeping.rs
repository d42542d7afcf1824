//! The use cases that change the books: creating, changing, deleting, reconciling, loading a seed.
//!
//! What must stay true: each is one transaction, or part of one, and its reply is durable before it
//! is given; a row that fails touches no other row.

use super::change::{ChangeResult, Delete, Update};
use super::reconciliation::{Reconcile, ReconcileResult};
use super::seed::{SeedConflict, SeedPlan, SeedReport};
use super::ticket::Ticket;
use super::{Order, Reply, Saved, UserKey};
use crate::domain::draft::batch::Drafts;
use crate::domain::origin::Origin;
use crate::domain::row_error::RowError;
use crate::domain::rules::Asking;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::sync::Arc;

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

/// Changing the books.
pub trait Bookkeeping: Send + Sync {
    /// Creates objects: looks up facts, decides, and writes, all in one transaction.
    fn create(&self, request: Create) -> Reply<Created>;

    /// Changes what is there, in one transaction, and returns one result a change, in order.
    fn update(&self, request: Update) -> Reply<Vec<ChangeResult>>;

    /// Deletes what may go, in one transaction, and returns one result an id, in order.
    fn delete(&self, request: Delete) -> Reply<Vec<ChangeResult>>;

    /// Reconciles refunds with what their gateways settled or rejected, each on its own.
    fn reconcile(&self, request: Reconcile) -> Reply<Vec<ReconcileResult>>;

    /// Replaces the stored answer of a request with a key by what became of its work since, unless
    /// the key is no longer that request's. False: it was not.
    fn amend_answer(&self, answer: AmendedAnswer) -> Reply<bool>;

    /// Adds what a seed names. A second time nothing changes; a conflict changes nothing.
    fn load_seed(&self, seed: SeedPlan) -> Reply<Result<SeedReport, SeedConflict>>;
}
