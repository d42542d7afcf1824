//! The ledger on SQLite: one file, one writer thread, group commit.
//!
//! The writer owns the only connection that writes and commits whatever is waiting as one
//! transaction, with synchronous FULL: a reply is durable before it is given. Readers have
//! connections of their own and never wait for the writer. The file is held under an exclusive
//! lock, so that what the writer keeps in memory (tenant, gateways, the next number) stays true.

mod audit;
mod audit_indexes;
mod audit_schema;
mod backend;
mod books;
mod copies;
mod dialect;
mod fault;
#[cfg(test)]
mod for_tests;
mod functions;
#[cfg(test)]
mod inline;
#[cfg(test)]
mod inline_kept;
mod knowledge;
mod moving;
mod open;
mod pages;
mod readers;
mod reading;
mod room;
mod schema;
mod sending;
mod soundness;
mod store;
mod sums;
mod test_bench;
mod whole;

pub use super::file::OpenError;
pub use super::opening::{LedgerSettings, OpenMode, OpenOptions};
pub use backend::Sqlite;
pub use copies::{back_up, restore};
#[cfg(test)]
pub(super) use for_tests::{audited_store_for_tests, columns_for_tests, store_for_tests};
#[cfg(test)]
pub(crate) use inline::{At, Disk, Failing, FoundRefund, Pause, Trouble};
pub use moving::{FileBegun, FileHeld};

use super::LedgerError;
use super::audit::{Audit, Progress};
use super::damage::Damage;
use super::engine::Load;
use super::file::{self, FileLock, snapshots};
use super::outbox::Event;
use super::served::{Served, events, story};
use super::writer::Writer;
use crate::domain::refund_name::RefundName;
use books::Texts;
use readers::{Readers, SqliteReader};
use rusqlite::Connection;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

/// A ledger in one SQLite file, held exclusively by this process. Dropping it does what is waiting,
/// writes the log back into the file, and lets go of it.
pub type SqliteLedger = Served<Sqlite>;

impl SqliteLedger {
    /// Opens the ledger at `path`, creates it if the mode allows, and brings its schema up to date.
    pub fn open(path: &Path, options: &OpenOptions) -> Result<Self, OpenError> {
        Self::open_in(path, options, None)
    }

    /// Creates a test ledger in a temporary folder that is removed when the ledger is dropped.
    pub fn temporary(options: &OpenOptions) -> Result<Self, OpenError> {
        let folder = tempfile::Builder::new().prefix("refund-gateway-").tempdir();
        let folder = folder.map_err(|error| OpenError::io(Path::new(":memory:"), &error))?;
        Self::open_in(&folder.path().join("ledger.db"), options, Some(folder))
    }

    fn open_in(
        path: &Path,
        options: &OpenOptions,
        folder: Option<TempDir>,
    ) -> Result<Self, OpenError> {
        file::create_if_allowed(path, options.mode)?;
        let lock = FileLock::take(path)?;
        let mut store = open::open_store(path, options)?;
        (store.lock, store.folder) = (Some(lock), folder);
        let is_test = schema::is_test(store.connection());
        let is_test = is_test.map_err(|error| OpenError::sql(path, &error))?;
        if is_test {
            snapshots::sweep(path).map_err(|error| OpenError::io(path, &error))?;
        }
        let tenant = store.world().tenant.clone();
        let damage = Damage::default();
        let readers = Readers::new(path, damage.clone());
        let LedgerSettings { queue_max, batch_max, .. } = options.settings;
        let writer = Writer::start(store, Load { queue_max, batch_max }, damage.clone());
        let writer = writer.map_err(|error| OpenError::io(path, &error))?;
        let backend = Sqlite::new(path.to_owned(), damage.clone(), readers);
        Ok(Self::new(backend, writer, tenant, damage, is_test))
    }

    /// The ledger's file.
    pub fn path(&self) -> &Path {
        self.backend.path()
    }

    /// Recomputes every balance of a ledger that may be in use by another process.
    pub fn audit_file(path: &Path) -> Result<Audit, OpenError> {
        let unseen: Progress = Arc::new(|_, _| ());
        Self::audit_file_showing(path, &unseen)
    }

    /// As [`SqliteLedger::audit_file`], saying on the way how far it is.
    pub fn audit_file_showing(path: &Path, progress: &Progress) -> Result<Audit, OpenError> {
        audit::audit(path, progress)
    }

    /// The story of a refund in a ledger that may be in use by another process.
    pub fn story_in_file(path: &Path, name: RefundName) -> Result<Option<Value>, OpenError> {
        reading::read_once(path, |reader| story::story(reader, name))
    }
}

/// The events of a ledger that may be in use by another process.
pub struct EventFile(Connection);

impl EventFile {
    /// Opens the ledger at `path` for reading.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        reading::open_for_reading(path).map(Self)
    }

    /// At most `most` events after the one of this sequence, in their order.
    pub fn after(&self, sequence: i64, most: usize) -> Result<Vec<Event>, LedgerError> {
        let mut texts = Texts::default();
        let events = events::after(&mut SqliteReader::new(&self.0, &mut texts), sequence, most);
        events.map_err(|error| LedgerError::Unavailable(error.to_string()))
    }

    /// Whether the gateway keeps events in this ledger, as of its last start.
    pub fn are_kept(&self) -> Result<bool, LedgerError> {
        let mut texts = Texts::default();
        let kept = events::are_kept(&mut SqliteReader::new(&self.0, &mut texts));
        kept.map_err(|error| LedgerError::Unavailable(error.to_string()))
    }
}

#[cfg(test)]
mod audit_tests;
#[cfg(test)]
mod bench_tests;
#[cfg(test)]
mod damage_tests;
#[cfg(test)]
mod events_tests;
#[cfg(test)]
mod opening_tests;
#[cfg(test)]
mod orders_tests;
#[cfg(test)]
mod query_tests;
#[cfg(test)]
mod reading_tests;
#[cfg(test)]
mod settlement_tests;
#[cfg(test)]
mod tests;
