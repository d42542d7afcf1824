//! Whether the disk has room for what requests write, once it was found full.
//!
//! What a probe writes is less than what a refund does, and can find room in the log that is there
//! already. What must stay true: after a commit that found the disk full, nothing is committed, not
//! even by a probe, before something was written that is as long as a large batch.

use super::knowledge;
use rusqlite::{Connection, ErrorCode};

/// Under which name the ledger keeps what is written to try it out, until the next commit.
const NAME: &str = "room";
/// How long that is, in bytes.
const BATCH_BYTES: usize = 256 << 10;

/// What is known of the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// It was not full at the last commit.
    Enough,
    /// It was full, and that is to be tried out.
    Wanting,
    /// What was written to try it out is to be removed.
    Tried,
}

impl Room {
    /// Writes in the open transaction what tries it out, or removes that.
    pub(super) fn try_out(self, connection: &Connection) -> rusqlite::Result<()> {
        match self {
            Self::Enough => Ok(()),
            Self::Wanting => knowledge::say(connection, NAME, &"-".repeat(BATCH_BYTES)),
            Self::Tried => knowledge::unsay(connection, NAME),
        }
    }

    /// What is known after work that failed of an error, or of none.
    #[must_use]
    pub(super) fn after(self, error: Option<&rusqlite::Error>) -> Self {
        let is_full =
            |error: &rusqlite::Error| error.sqlite_error_code() == Some(ErrorCode::DiskFull);
        if error.is_some_and(is_full) { Self::Wanting } else { self }
    }

    /// Removes what a process may have left that tried it out.
    pub(super) fn clear(connection: &Connection) -> rusqlite::Result<()> {
        knowledge::unsay(connection, NAME)
    }

    /// What is known once that transaction is committed.
    #[must_use]
    pub(super) const fn committed(self) -> Self {
        match self {
            Self::Wanting => Self::Tried,
            Self::Enough | Self::Tried => Self::Enough,
        }
    }
}
