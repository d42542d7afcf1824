//! The pages of a ledger's file: how long they are, and how all of them are copied.
//!
//! What must stay true: the length of a file's pages is chosen when the file is made and never
//! changes; pages are put into the place of those of a ledger only if they are as long.

use super::fault::busy;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The length of a new ledger's pages, in bytes. A refund changes the page of its account's
/// balance, and each changed page is written to the log as a whole, so that shorter pages mean
/// fewer bytes written for a refund; the rows that are written one after the other have room for
/// several in a page. Ledgers of earlier versions have pages of 4,096 bytes and keep them.
pub(super) const PAGE_BYTES: u32 = 2_048;

/// All pages in one step: the writer does nothing else meanwhile.
const ALL_PAGES: i32 = -1;

/// Chooses the length of the pages of a file or a ledger in memory that has none yet; what has
/// pages keeps them as they are.
pub(super) fn choose(connection: &Connection, bytes: u32) -> rusqlite::Result<()> {
    connection.pragma_update(None, "page_size", bytes)
}

/// The length of a ledger's pages, in bytes.
pub(super) fn length(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "page_size", |row| row.get(0))
}

/// Copies every page, or none: a copy that cannot be finished is rolled back. If `to` has pages,
/// those of `from` must be as long.
pub(super) fn copy(from: &Connection, to: &mut Connection) -> rusqlite::Result<()> {
    match Backup::new(from, to)?.step(ALL_PAGES)? {
        StepResult::Done => Ok(()),
        _ => Err(busy()),
    }
}

/// The ledger of a file with pages of this length: `saved` itself if its pages are as long, or else
/// a copy for which `spare` is a name that is free again when this returns.
pub(super) fn of_length(
    saved: Connection,
    bytes: u32,
    spare: &Path,
) -> rusqlite::Result<Connection> {
    if length(&saved)? == bytes {
        return Ok(saved);
    }
    let failed = |error: io::Error| rusqlite::Error::ToSqlConversionFailure(Box::new(error));
    let made = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(spare);
    made.map_err(failed)?;
    let copied = copy_into(&saved, bytes, spare);
    fs::remove_file(spare).map_err(failed)?;
    copied
}

fn copy_into(saved: &Connection, bytes: u32, spare: &Path) -> rusqlite::Result<Connection> {
    choose(saved, bytes)?;
    let name = spare.to_str().ok_or_else(|| rusqlite::Error::InvalidPath(spare.to_owned()))?;
    saved.execute("vacuum into ?1", [name])?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let copy = Connection::open_with_flags(spare, flags)?;
    // From here on its file is open, and needs no name.
    length(&copy)?;
    Ok(copy)
}
