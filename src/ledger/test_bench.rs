//! What only a test ledger lets be done with it: forget everything or one account, be saved and
//! be put back.
//!
//! What must stay true: a ledger that is not marked as test has none of this, so that no order
//! can take an entry out of real books.

use super::engine::Engine;
use super::seed::{SeedConflict, SeedPlan};
use super::{LedgerError, Reply};
use crate::domain::facts::Tenant;
use crate::domain::id::ObjectId;
use chrono::{DateTime, Utc};
use std::io;
use std::time::SystemTime;

/// Under which name the ledger keeps what it is for.
pub const KIND: &str = "kind";
/// That it is for testing.
pub const TEST_KIND: &str = "test";
/// That it is not.
const REAL_KIND: &str = "real";

/// What a new ledger is said to be for.
pub(super) const fn kind(is_test: bool) -> &'static str {
    if is_test { TEST_KIND } else { REAL_KIND }
}

/// What belongs to the account of the key `?1`, each after all that refers to it.
pub(super) const OF_AN_ACCOUNT: &[&str] = &[
    "delete from delivery where account = ?1",
    "delete from event where account = ?1",
    "delete from entry_row where account = ?1",
    "delete from exchange where refund in (select number from refund_row where account = ?1)",
    "delete from settlement_event where refund in \
     (select number from refund_row where account = ?1)",
    "delete from inquiry where refund in (select number from refund_row where account = ?1)",
    "delete from refund_invoice_payment where refund in \
     (select number from refund_row where account = ?1)",
    "delete from adjustment where account = ?1",
    "delete from invoice_adjustment where invoice in \
     (select key from invoice where account = ?1)",
    "delete from invoice_line where invoice in (select key from invoice where account = ?1)",
    "delete from refund_row where account = ?1",
    "delete from sending where exists (select 1 from collected \
     join payment on payment.key = collected.payment where payment.account = ?1 \
     and collected.reference = sending.reference and collected.gateway = sending.gateway)",
    "delete from collected where payment in (select key from payment where account = ?1)",
    "delete from invoice_payment where payment in (select key from payment where account = ?1)",
    "delete from invoice_payment where invoice in (select key from invoice where account = ?1)",
    "delete from payment where account = ?1",
    "delete from invoice where account = ?1",
    "update account_row set default_payment_method = null \
     where default_payment_method in (select key from payment_method where account = ?1)",
    "delete from payment_method where account = ?1",
    "update account_row set parent = null where parent = ?1",
    "delete from balance where account = ?1",
    "delete from account_row where key = ?1",
];

/// The further use cases of a test ledger.
pub trait TestBench: Send + Sync {
    /// Forgets everything and loads `seeds` in their order: all of it at once, or, on a conflict,
    /// nothing. With `keep_sessions`, users, sessions and tokens stay as they are.
    fn begin_anew(
        &self,
        seeds: Vec<SeedPlan>,
        keep_sessions: bool,
    ) -> Reply<Result<(), SeedConflict>>;

    /// Forgets an account with all that belongs to it, and loads what `seeds` have of it: all of
    /// it at once, or, on a conflict, nothing. False when neither the ledger nor a seed knows it.
    fn renew_account(
        &self,
        id: ObjectId,
        seeds: Vec<SeedPlan>,
    ) -> Reply<Result<bool, SeedConflict>>;

    /// Saves everything that is committed as the snapshot of a name, in the place of an earlier one
    /// of that name.
    fn save(&self, name: String) -> Reply<Result<(), SnapshotError>>;

    /// Puts back a snapshot, in the place of everything that is there. What an older version of
    /// this program saved is brought up to date.
    fn put_back(&self, name: String) -> Reply<Result<(), SnapshotError>>;

    /// Removes a snapshot.
    fn drop_snapshot(&self, name: String) -> Reply<Result<(), SnapshotError>>;

    /// The snapshots that there are, by name.
    fn snapshots(&self) -> Reply<Result<Vec<Snapshot>, SnapshotError>>;

    /// The newest moment at which something was done; none on a ledger that holds only seeds.
    fn newest_moment(&self) -> Reply<Option<DateTime<Utc>>>;

    /// The account of each object that is named by its id: of an account itself, and of a payment
    /// method, an invoice, a payment or a refund; none of any other.
    fn accounts_of(&self, ids: Vec<ObjectId>) -> Reply<Vec<Option<ObjectId>>>;

    /// Ids of objects, at most [`KNOWN_IDS_MAX`] of each kind, oldest first: what a caller may have
    /// meant who sent another.
    fn known_ids(&self) -> Reply<Vec<KnownId>>;
}

/// What an engine does with a test ledger as a whole, on its writer's thread.
pub trait TestEngine: Engine {
    /// The tenant's settings as the last transaction left them.
    fn tenant(&self) -> &Tenant;

    /// As [`TestBench::begin_anew`], outside any transaction.
    fn begin_anew(
        &mut self,
        seeds: Vec<SeedPlan>,
        keep_sessions: bool,
    ) -> Result<Result<(), SeedConflict>, LedgerError>;

    /// As [`TestBench::put_back`], outside any transaction.
    fn put_back(&mut self, name: &str) -> Result<Result<(), SnapshotError>, LedgerError>;

    /// Takes out an account and all that is its own, inside the open transaction, which is for
    /// nothing else; no number that was given to one of its refunds is given again. False when the
    /// ledger does not know it.
    fn forget_account(&mut self, id: &ObjectId) -> Result<bool, Self::Error>;
}

/// A snapshot that can be put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Its name.
    pub name: String,
    /// How many bytes it takes on disk.
    pub bytes: u64,
    /// When it was saved, by the machine's clock.
    pub saved: SystemTime,
}

/// Why a snapshot was not saved, put back or removed. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// There is none of this name.
    #[error("there is no snapshot `{0}`")]
    Missing(String),
    /// What it holds cannot be put back.
    #[error("the snapshot cannot be put back: {0}")]
    Unfit(String),
    /// Where they are kept cannot be used.
    #[error("the snapshots cannot be used: {0}")]
    Unusable(#[from] io::Error),
}

/// How many ids of a kind are returned.
pub const KNOWN_IDS_MAX: usize = 10_000;

/// An id of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownId {
    /// The object's name in the WSDL.
    pub object: &'static str,
    /// Its id.
    pub id: String,
    /// What else it is known by: its number, or its type.
    pub also: String,
}
