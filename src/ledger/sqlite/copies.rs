//! Copies of whole ledgers in the pages of SQLite; what becomes of the files is in
//! [`crate::ledger::file::copies`].

use super::audit::audit;
use super::fault::busy;
use super::reading::{open_for_reading, open_without_its_log};
use super::{pages, whole};
use crate::ledger::audit::{Audit, Progress};
use crate::ledger::file::OpenError;
use crate::ledger::file::copies::{self, Copier, CopyError, NotFilled, Restore, Restored, Shown};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ErrorCode};
use std::io;
use std::path::Path;

/// How many pages are copied between two reports of progress.
const PAGES_A_STEP: i32 = 4_096;

/// Writes a copy of the ledger to a new file, as [`copies::back_up`] says.
pub fn back_up(ledger: &Path, to: &Path, shown: &Shown) -> Result<Audit, CopyError> {
    copies::back_up(&Pages, ledger, to, shown)
}

/// Puts a copy of a backup in the place of a ledger, as [`copies::restore`] says.
pub fn restore(what: &Restore<'_>, shown: &Shown) -> Result<Restored, CopyError> {
    copies::restore(&Pages, what, shown)
}

/// Copies page by page.
struct Pages;

impl Copier for Pages {
    type Source = Connection;

    fn open(&self, ledger: &Path, accepts_missing_log: bool) -> Result<Connection, OpenError> {
        match accepts_missing_log {
            true => open_without_its_log(ledger),
            false => open_for_reading(ledger),
        }
    }

    /// A full disk is the copy's.
    fn fill(
        &self,
        source: &Connection,
        path: &Path,
        to: &Path,
        progress: &Progress,
    ) -> Result<(), NotFilled> {
        fill(source, to, progress).map_err(|error| match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull | ErrorCode::CannotOpen | ErrorCode::ReadOnly) => {
                NotFilled::Copy(io::Error::other(error))
            }
            _ => NotFilled::Source(OpenError::sql(path, &error)),
        })
    }

    fn audit(&self, path: &Path, progress: Progress) -> Result<Audit, OpenError> {
        audit(path, &progress)
    }
}

fn fill(source: &Connection, to: &Path, progress: &Progress) -> rusqlite::Result<()> {
    let mut copy = Connection::open(to)?;
    copy.pragma_update(None, "synchronous", "full")?;
    // One snapshot, whatever is committed meanwhile.
    source.execute_batch("begin")?;
    source.query_row("select count(*) from meta", [], |_| Ok(()))?;
    let backup = Backup::new(source, &mut copy)?;
    loop {
        let step = backup.step(PAGES_A_STEP)?;
        let pages = backup.progress();
        let count = |pages: i32| u64::try_from(pages).unwrap_or(0);
        let all = count(pages.pagecount);
        progress(all.saturating_sub(count(pages.remaining)), all);
        match step {
            StepResult::Done => break,
            StepResult::More => {}
            _ => return Err(busy()),
        }
    }
    drop(backup);
    source.execute_batch("rollback")?;
    whole::say_closed(&copy)?;
    make_one_file(&copy)?;
    copy.close().map_err(|(_, error)| error)
}

/// Writes what is committed, as `connection` sees it, into an empty file.
pub(super) fn save(connection: &Connection, to: &Path) -> rusqlite::Result<()> {
    let mut file = Connection::open(to)?;
    pages::copy(connection, &mut file)?;
    whole::say_closed(&file)?;
    make_one_file(&file)
}

/// Makes a copy a file of its own: one with a log would leave another log behind wherever it is
/// read.
fn make_one_file(copy: &Connection) -> rusqlite::Result<()> {
    copy.pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(()))
}
