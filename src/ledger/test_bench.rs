//! What only a test ledger lets be done with it: forget everything or one account, be saved and
//! be put back.
//!
//! What must stay true: a ledger that is not marked as test has none of this, so that no order of
//! anybody's can take an entry out of real books.

use super::Reply;
use super::seed::{SeedConflict, SeedPlan};
use crate::domain::id::ObjectId;
use chrono::{DateTime, Utc};
use std::path::{Path, PathBuf};

/// The further use cases of a test ledger.
pub trait TestBench: Send + Sync {
    /// The ledger's file, beside which its snapshots are.
    fn path(&self) -> &Path;

    /// Forgets everything and loads `seeds` in their order: all of it at once, or, on a conflict,
    /// nothing. With `keep_sessions`, users and sessions stay as they are.
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

    /// Saves everything that is committed into a new file, readable by its owner alone.
    fn save(&self, to: PathBuf) -> Reply<()>;

    /// Puts back what was saved, in the place of everything that is there. What an older version
    /// of this program saved is brought up to date.
    fn put_back(&self, from: PathBuf) -> Reply<Result<(), UnfitSnapshot>>;

    /// The newest moment at which something was done; none on a ledger that holds only seeds.
    fn newest_moment(&self) -> Reply<Option<DateTime<Utc>>>;

    /// The account of each object that is named by its id: of an account itself, and of a payment
    /// method, an invoice, a payment or a refund; none of any other.
    fn accounts_of(&self, ids: Vec<ObjectId>) -> Reply<Vec<Option<ObjectId>>>;

    /// Ids of objects, at most [`KNOWN_IDS_MAX`] of each kind, oldest first: what a caller may have
    /// meant who sent another.
    fn known_ids(&self) -> Reply<Vec<KnownId>>;
}

/// Why a file cannot be put back. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the snapshot cannot be put back: {0}")]
pub struct UnfitSnapshot(pub String);

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
