//! Whether a file is a whole ledger: created to its end, and beside the log that belongs to it and
//! not without one that held more.
//!
//! What must stay true: the main file has schema and mark before its journal becomes a write-ahead
//! log, so a file with such a log and without them has lost what the log held; and from the first
//! write until a clean end the main file says that it is open while a log that is not empty stands
//! beside it. A log is emptied by [`end`] alone, after the file says that it is closed. Both marks
//! count the first page up, so that a log of before is told from the file's own.

use super::knowledge;
use super::schema::{APPLICATION_ID, kind};
use crate::ledger::file::{OpenError, has_log};
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use std::path::Path;

/// Whether a file that is not empty has its schema and its mark. False where its creation was cut
/// short before it had a log, when nothing had been acknowledged yet; any other file is refused.
pub(super) fn is_whole(connection: &Connection, path: &Path) -> Result<bool, OpenError> {
    let sql = |error: rusqlite::Error| OpenError::sql(path, &error);
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let table = "select exists (select 1 from sqlite_schema where name = 'meta')";
    let has_meta: bool = connection.query_row(table, [], |row| row.get(0)).map_err(sql)?;
    let is_made = number("user_version").map_err(sql)? > 0;
    if is_made && has_meta && kind(connection).map_err(sql)?.is_some() {
        return Ok(true);
    }
    let journal = connection.pragma_query_value(None, "journal_mode", |row| row.get(0));
    let journal: String = journal.map_err(sql)?;
    let is_ours = number("application_id").map_err(sql)? == i64::from(APPLICATION_ID);
    let is_empty = number("page_count").map_err(sql)? == 0;
    if journal != "wal" && (is_ours || is_empty) {
        return Ok(false);
    }
    Err(OpenError::NotWhole { path: path.to_owned() })
}

/// Refuses a ledger that was not closed and whose log is gone: what was acknowledged last may be
/// missing then, unless another SQLite program took the log into the file. `had_log` is whether the
/// log was there before the file was opened.
pub(super) fn check_not_parted(
    connection: &Connection,
    path: &Path,
    had_log: bool,
) -> Result<(), OpenError> {
    let since = open_since(connection).map_err(|error| OpenError::sql(path, &error))?;
    match since {
        Some(since) if !had_log && !has_log(path) => {
            Err(OpenError::LogMissing { path: path.to_owned(), since })
        }
        _ => Ok(()),
    }
}

/// Since when the ledger is open, as its file says it.
fn open_since(connection: &Connection) -> rusqlite::Result<Option<String>> {
    knowledge::said(connection, "open_since")
}

/// Says in the ledger that it is open.
pub(super) fn say_open(connection: &Connection) -> rusqlite::Result<()> {
    let now = "select strftime('%Y-%m-%dT%H:%M:%SZ', 'now')";
    let now: String = connection.query_row(now, [], |row| row.get(0))?;
    counting_up(connection, || knowledge::say(connection, "open_since", &now))
}

/// Says in the ledger, or in a copy of it, that it is closed.
pub(super) fn say_closed(connection: &Connection) -> rusqlite::Result<()> {
    counting_up(connection, || knowledge::unsay(connection, "open_since"))
}

/// Does `mark` in a transaction that writes the first page, one count above all before it: a page
/// in memory would be counted up from where it was read.
fn counting_up(
    connection: &Connection,
    mark: impl FnOnce() -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    connection.release_memory()?;
    connection.execute_batch("savepoint counting_up")?;
    let marked = mark()
        .and_then(|()| write_first_page(connection))
        .and_then(|()| connection.execute_batch("release counting_up"));
    if marked.is_err() && !connection.is_autocommit() {
        connection.execute_batch("rollback to counting_up; release counting_up")?;
    }
    marked
}

/// Has the open transaction write the first page, as it is.
pub(super) fn write_first_page(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "application_id", APPLICATION_ID)
}

/// Says that the ledger is open, in the main file too. The log stays as it is when the process
/// ends in any way but by [`end`]. Returns what [`write_back`] does.
pub(super) fn begin(connection: &Connection) -> rusqlite::Result<bool> {
    keep_log_on_close(connection)?;
    say_open(connection)?;
    write_back(connection)
}

/// Keeps SQLite from removing the log when this is the last connection that closes.
pub(super) fn keep_log_on_close(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map(|_| ())
}

/// Writes what the log has into the main file, durably, as far as no reader needs it in the log.
/// The log keeps its length. Whether all was written back, so that the log may begin anew with the
/// next transaction.
pub(super) fn write_back(connection: &Connection) -> rusqlite::Result<bool> {
    let counts = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?));
    let (all, written) = connection.query_row("pragma wal_checkpoint(passive)", [], counts)?;
    Ok(all == written)
}

/// Says that the ledger is closed, and empties the log once the main file says so. True when
/// nothing is left in the log.
pub(super) fn end(connection: &Connection) -> rusqlite::Result<bool> {
    say_closed(connection)?;
    let empty = "pragma wal_checkpoint(truncate)";
    let is_busy: bool = connection.query_row(empty, [], |row| row.get(0))?;
    if !is_busy {
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    }
    Ok(!is_busy)
}
