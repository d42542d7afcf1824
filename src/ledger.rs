//! The store of record: accounts, refunds, and the append-only entries behind every balance.
//!
//! The interface speaks in whole use cases, never in statements or connections, so that the same
//! gateway can run on SQLite or on a database of many machines. No other room writes SQL.
//!
//! What must stay true:
//! - opening + Σ(entries) = balance ≥ 0 for every account, at every moment that a reader can see;
//! - a reply of `Ok` is durable before it is given;
//! - [`LedgerError::Busy`], [`LedgerError::Unavailable`] and [`LedgerError::Damaged`] mean that
//!   nothing happened, and [`LedgerError::Unknown`] that the outcome is unknown: then the caller
//!   must get no answer at all.

pub mod audit;
pub mod bookkeeping;
pub mod books;
pub mod change;
mod checks;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod conformance_objects;
#[cfg(test)]
mod conformance_seed;
mod damage;
pub mod engine;
pub mod file;
pub mod health;
#[cfg(test)]
mod memory;
pub mod moving;
pub mod opening;
pub mod operator;
pub mod orders;
pub mod outbox;
pub mod postgres;
pub mod query;
mod queue;
pub mod reader;
pub mod readings;
mod readings_sessions;
pub mod reconciliation;
pub mod record;
pub mod records;
mod saved;
pub mod seed;
pub mod seeding;
pub mod served;
pub mod sessions;
pub mod settings;
pub mod sharing;
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

use operator::Operators;
use outbox::Outbox;
use query::Queries;
use readings::Readings;
use sharing::Sharing;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use test_bench::TestBench;
use trail::Trail;
use views::Views;

pub use bookkeeping::{
    AmendedAnswer, Batch, Bookkeeping, Context, Create, Created, Idempotency, LineUp, Render,
    RenderRows, RenderViews, RowResult,
};
pub use damage::Damage;
pub use health::{Health, LedgerStats};
pub use orders::{Order, Orders, Repaid};
pub use saved::{Ended, Number, Saved, WrittenOff};
pub use sessions::{Orgs, Sessions, StoredClient, StoredSession, StoredToken, TokenHash, User};
pub use settings::Settings;

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

/// The store behind one interface: what a gateway asks of it, by use.
pub trait Ledger
where
    Self: Bookkeeping + Sessions + Queries + Orders + Outbox + Views,
    Self: Trail + Operators + Settings + Health + Readings,
{
    /// What can be done with a test ledger alone; nothing where it is none.
    fn test_bench(&self) -> Option<&dyn TestBench>;

    /// What this process shares with other nodes that serve the same ledger; nothing where there
    /// can be none.
    fn sharing(&self) -> Option<Arc<dyn Sharing>> {
        None
    }

    /// Reads the tenant's settings again, which another node may have changed.
    fn know_its_tenant(&self) -> Reply<()> {
        Box::pin(std::future::ready(Ok(())))
    }
}

#[cfg(test)]
mod tests;
