//! Connections that only read, beside the process that holds the ledger.

use super::books::Texts;
use super::open::{BUSY_TIMEOUT, check_magic, check_ownership, keep_plans};
use super::readers::SqliteReader;
use super::whole;
use crate::ledger::books::BooksError;
use crate::ledger::file::{OpenError, has_log, is_empty, log};
use crate::ledger::reader::Reader;
use rusqlite::{Connection, MAIN_DB, OpenFlags};
use std::path::Path;

/// How many prepared statements a connection keeps: a query has one for each of its shapes.
const STATEMENTS_KEPT: usize = 64;

/// Opens a ledger that another process may hold, for reading alone. The file is opened as one that
/// could be written, where that is allowed, because SQLite forgets the conditions on values
/// (`check`) of a file that it may only read; see [`knows_conditions`].
pub(super) fn open_for_reading(path: &Path) -> Result<Connection, OpenError> {
    let had_log = has_log(path);
    let connection = open_without_its_log(path)?;
    whole::check_not_parted(&connection, path, had_log)?;
    Ok(connection)
}

/// As [`open_for_reading`], also a ledger that was not closed and lost its log.
pub(super) fn open_without_its_log(path: &Path) -> Result<Connection, OpenError> {
    if !path.exists() {
        return Err(OpenError::Missing { path: path.to_owned() });
    }
    if is_empty(path)? {
        return Err(OpenError::Empty { path: path.to_owned() });
    }
    check_magic(path)?;
    log::check_log_in_use(path)?;
    let sql = |error: &rusqlite::Error| OpenError::sql(path, error);
    // SQLite opens a file that may not be written for reading.
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(|e| sql(&e))?;
    whole::keep_log_on_close(&connection).map_err(|e| sql(&e))?;
    check_ownership(&connection, path)?;
    if !whole::is_whole(&connection, path)? {
        return Err(OpenError::NotWhole { path: path.to_owned() });
    }
    Ok(connection)
}

/// A read-only connection to a ledger that is known to be one.
pub(super) fn reading_connection(path: &Path) -> rusqlite::Result<Connection> {
    connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

/// A connection that checks the file of a ledger that this process serves. It writes nothing, but
/// is opened as [`open_for_reading`] opens one, so that conditions on values are checked too.
pub(super) fn checking_connection(path: &Path) -> rusqlite::Result<Connection> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    whole::keep_log_on_close(&connection)?;
    Ok(connection)
}

/// Whether SQLite checks the conditions on values here.
pub(super) fn knows_conditions(connection: &Connection) -> rusqlite::Result<bool> {
    connection.is_readonly(MAIN_DB).map(|is_read_only| !is_read_only)
}

fn connect(path: &Path, access: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    configure(&connection)?;
    Ok(connection)
}

/// Makes a connection one that only reads.
pub(super) fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    keep_plans(connection)?;
    super::functions::register(connection)
}

/// Does `work` on a ledger that another process may hold.
pub(super) fn read_once<T>(
    path: &Path,
    work: impl FnOnce(&mut dyn Reader) -> Result<T, BooksError>,
) -> Result<T, OpenError> {
    let connection = open_for_reading(path)?;
    let found = work(&mut SqliteReader::new(&connection, &mut Texts::default()));
    found.map_err(|error| OpenError::sql(path, &error.into()))
}
