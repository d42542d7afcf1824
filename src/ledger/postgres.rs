//! A ledger in PostgreSQL: the same rows as in a file, behind the same use cases, for those who
//! outgrow one machine or may not lose one.
//!
//! Any number of nodes write to one ledger, and their batches take turns. A batch begins by locking
//! the one row of `turn` and ends by counting it up from the value that it found, so that each
//! batch is the successor of one whose rows it has seen in full. What must stay true:
//!
//! - No decision rests on an isolation level. The lock makes batches wait for each other; the
//!   guarded count makes one fail that did not wait; constraints repeat what the records refuse.
//! - A commit is acknowledged when PostgreSQL has said so, or, where the connection ended first,
//!   once another one found the batch in `batches` with the turn in its hands.
//! - A database that is behind what this process saw committed has lost acknowledged work, and
//!   takes nothing more from it.
//!
//! Why turns and not the locks of single rows: refunds, entries, records of the audit and events
//! have counted keys without gaps; those of an account lead from each to the one before; and what
//! holds for the absence of rows (a number that is not taken, a method without refunds) would need
//! locks of its own in each use case. A batch would therefore hold the counters from its first
//! refund to its commit anyway. What nodes do beside the turn, in parallel, is all the rest:
//! reading requests, signing in, deciding nothing, and answering.

mod address;
mod asking;
mod audit;
mod backend;
mod beside;
mod books;
mod clocks;
mod fault;
mod foreseen;
mod forms;
mod hosts;
mod link;
mod moving;
mod outcome;
mod passfile;
mod pending;
mod purpose;
mod readers;
mod rights;
mod room;
mod schema;
mod settings;
mod sharing;
mod sharing_words;
mod snapshots;
mod starting;
mod store;
mod summing;
mod sums;
mod test_bench;
mod tls;
mod values;
mod waiter;
mod words;

#[cfg(test)]
mod bank_tests;
#[cfg(test)]
pub(in crate::ledger) mod for_tests;
#[cfg(test)]
mod listing_tests;
#[cfg(test)]
mod moving_tests;
#[cfg(test)]
mod nodes_tests;
#[cfg(test)]
mod passing_tests;
#[cfg(test)]
mod random_ledgers_tests;
#[cfg(test)]
mod random_queries_tests;
#[cfg(test)]
mod reading_tests;
#[cfg(test)]
mod relay_tests;
#[cfg(test)]
mod statements_tests;
#[cfg(test)]
mod sums_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod trips_tests;

pub use address::{Address, AddressError, Secrets};
pub use backend::Postgres;
pub use beside::ServerEvents;
pub use fault::PostgresError;
pub use moving::{ServerBegun, ServerHeld};
pub use starting::migrate;

/// A ledger in PostgreSQL, of which this process is one node of any number; of a test ledger it is
/// the only one.
pub type PostgresLedger = super::served::Served<Postgres>;
