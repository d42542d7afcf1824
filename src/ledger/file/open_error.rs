//! Why the file of a ledger could not be opened: one variant for each thing that its reader does
//! about it.

use std::io;
use std::path::{Path, PathBuf};

/// Why a ledger could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process holds it.
    #[error("the ledger {} is in use by another process", path.display())]
    InUse {
        /// The ledger.
        path: PathBuf,
    },
    /// There is no such file.
    #[error("there is no ledger at {}", path.display())]
    Missing {
        /// The ledger.
        path: PathBuf,
    },
    /// A test ledger where none is wanted, or the other way round.
    #[error("the ledger {} is {}a test ledger", path.display(), if *is_test { "" } else { "not " })]
    Mark {
        /// The ledger.
        path: PathBuf,
        /// What it is.
        is_test: bool,
    },
    /// It was written by a newer version of this program.
    #[error(
        "the ledger {} has schema {found}, and this program knows {known}",
        path.display()
    )]
    NewerSchema {
        /// The ledger.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// It is a file of something else.
    #[error("the file {} is no ledger of this program", path.display())]
    NotALedger {
        /// The file.
        path: PathBuf,
    },
    /// It is a device, a folder or the like.
    #[error("{} is no regular file, and so no ledger", path.display())]
    NotAFile {
        /// What was named.
        path: PathBuf,
    },
    /// It is a file without a byte, which nothing was written to yet.
    #[error("the file {} is empty: it is a ledger yet to be made", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A copy of another ledger was to be there, and was not finished.
    #[error("a copy of a ledger to {} was not finished", path.display())]
    Unfinished {
        /// The file that has the name.
        path: PathBuf,
    },
    /// It has no schema or no mark, which every ledger has in its main file.
    #[error(
        "the file {} is no whole ledger: it lacks the schema or the mark that every ledger has",
        path.display()
    )]
    NotWhole {
        /// The file.
        path: PathBuf,
    },
    /// It was not closed, and the log that belongs to it is not there.
    #[error(
        "the ledger {} has been open since {since} and was not closed, and its log ({}-wal) is \
         missing: refunds that were acknowledged last may be missing too",
        path.display(),
        path.display()
    )]
    LogMissing {
        /// The ledger.
        path: PathBuf,
        /// When it was opened, as its file says it.
        since: String,
    },
    /// The log beside it is older than it, or another ledger's, and would be taken for its own.
    #[error(
        "the log {}-wal does not belong to the ledger {} as it is: one of them is older than the \
         other, and together they would leave out acknowledged refunds",
        path.display(),
        path.display()
    )]
    StrangeLog {
        /// The ledger.
        path: PathBuf,
    },
    /// It cannot be trusted.
    #[error("the ledger {} is damaged: {detail}", path.display())]
    Damaged {
        /// The ledger.
        path: PathBuf,
        /// What was found.
        detail: String,
    },
    /// A gateway is seeded and configured, so that it is unknown which of them a refund means.
    #[error(
        "the ledger {} has a sandbox by the name of the configured gateway `{name}`",
        path.display()
    )]
    GatewayTwice {
        /// The ledger.
        path: PathBuf,
        /// The gateway.
        name: String,
    },
    /// The linked SQLite has a known corruption bug.
    #[error("SQLite {found} is linked, and 3.51.3 is the oldest that is safe")]
    OldSqlite {
        /// Its version.
        found: &'static str,
    },
    /// The file system or the engine refused.
    #[error("the ledger {} cannot be opened: {detail}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was said.
        detail: String,
    },
}

impl OpenError {
    /// What the file system said.
    pub fn io(path: &Path, error: &io::Error) -> Self {
        Self::Io { path: path.to_owned(), detail: error.to_string() }
    }
}
