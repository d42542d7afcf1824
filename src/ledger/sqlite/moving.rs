//! A ledger in a file that is copied as a whole, and one that is being made.
//!
//! What must stay true: a file that is copied is only read; the name of the copy is taken first, by
//! a file that says what it is and that nothing opens as a ledger, and the ledger gets that name
//! when it is whole, durable and sound.

use super::audit::audit;
use super::books::{SqliteBooks, Texts};
use super::copies::folder_of;
use super::lock::FileLock;
use super::log::beside;
use super::open_error::OpenError;
use super::pages;
use super::readers::SqliteReader;
use super::reading::{open_for_reading, reading_connection};
use super::schema::{SCHEMA_VERSION, bring_up_to_date};
use crate::ledger::audit::{Audit, Progress};
use crate::ledger::books::{Books, BooksError};
use crate::ledger::moving::{Held, MoveError, Unfinished};
use crate::ledger::reader::Reader;
use crate::ledger::records::WHOLE;
use rusqlite::Connection;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// What a file says as long as the ledger is not made whose name it has.
pub(super) const UNFINISHED: &[u8] = b"a copy of a ledger to this file was not finished\n";

/// A ledger in a file, to be copied.
pub struct FileHeld {
    connection: Connection,
    path: PathBuf,
    _lock: FileLock,
}

impl FileHeld {
    /// Takes hold of the ledger at `path`, which nothing may serve.
    pub fn take(path: &Path) -> Result<Self, MoveError> {
        if !path.exists() {
            return Err(OpenError::Missing { path: path.to_owned() }.into());
        }
        let lock = FileLock::take(path)?;
        let connection = open_for_reading(path)?;
        let sql = |error: rusqlite::Error| OpenError::sql(path, &error);
        let found = connection.pragma_query_value(None, "user_version", |row| row.get(0));
        let found: i64 = found.map_err(sql)?;
        if found != SCHEMA_VERSION {
            let place = path.display().to_string();
            return Err(MoveError::OldSchema { place, found, wanted: SCHEMA_VERSION });
        }
        Ok(Self { connection, path: path.to_owned(), _lock: lock })
    }
}

impl Held for FileHeld {
    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn read(
        &mut self,
        work: &mut dyn FnMut(&mut dyn Reader) -> Result<(), BooksError>,
    ) -> Result<(), MoveError> {
        read(&self.connection, &self.path, work)
    }

    fn audit(&mut self, progress: &Progress) -> Result<Audit, MoveError> {
        Ok(audit(&self.path, Progress::clone(progress))?)
    }
}

/// A ledger in a file, that is being made from another one's rows.
pub struct FileBegun {
    connection: Connection,
    /// Where it is as long as it is not whole.
    partial: PathBuf,
    path: PathBuf,
    _lock: FileLock,
}

impl FileBegun {
    /// Takes the name, where nothing is or what is left of a copy that was not finished.
    pub fn begin(path: &Path) -> Result<Self, MoveError> {
        let refused = |error| io_error(path, error);
        if path.symlink_metadata().is_ok() {
            if !is_unfinished(path).map_err(refused)? {
                return Err(MoveError::NotEmpty(path.display().to_string()));
            }
        } else {
            let named = File::options().write(true).create_new(true).mode(0o600).open(path);
            let said = named.and_then(|mut named| {
                named.write_all(UNFINISHED)?;
                named.sync_all()?;
                sync_names_beside(path)
            });
            said.map_err(refused)?;
        }
        let lock = FileLock::take(path)?;
        let partial = beside(path, ".partial");
        let made =
            File::options().write(true).create(true).truncate(true).mode(0o600).open(&partial);
        made.map_err(|error| io_error(&partial, error))?;
        let sql = |error: rusqlite::Error| OpenError::sql(&partial, &error);
        let connection = Self::empty(&partial).map_err(sql)?;
        Ok(Self { connection, partial, path: path.to_owned(), _lock: lock })
    }

    /// A ledger of no rows. Nothing of it has to outlive a failure, so that no journal is kept.
    fn empty(path: &Path) -> rusqlite::Result<Connection> {
        let mut connection = Connection::open(path)?;
        pages::choose(&connection, pages::PAGE_BYTES)?;
        connection.pragma_update(None, "foreign_keys", false)?;
        bring_up_to_date(&mut connection)?;
        connection.pragma_update_and_check(None, "journal_mode", "off", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "off")?;
        for whole in WHOLE {
            connection.execute(&format!("delete from {}", whole.table.name), [])?;
        }
        Ok(connection)
    }
}

impl Held for FileBegun {
    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn read(
        &mut self,
        work: &mut dyn FnMut(&mut dyn Reader) -> Result<(), BooksError>,
    ) -> Result<(), MoveError> {
        let sql = |error: rusqlite::Error| OpenError::sql(&self.partial, &error);
        read(&reading_connection(&self.partial).map_err(sql)?, &self.partial, work)
    }

    fn audit(&mut self, progress: &Progress) -> Result<Audit, MoveError> {
        Ok(audit(&self.partial, Progress::clone(progress))?)
    }
}

impl Unfinished for FileBegun {
    fn fill(
        &mut self,
        work: &mut dyn FnMut(&mut dyn Books) -> Result<(), BooksError>,
    ) -> Result<(), MoveError> {
        let sql = |error: rusqlite::Error| OpenError::sql(&self.partial, &error);
        self.connection.execute_batch("begin exclusive").map_err(sql)?;
        let mut texts = Texts::default();
        work(&mut SqliteBooks::new(&self.connection, &mut texts))
            .map_err(|error| sql(error.into()))?;
        self.connection.execute_batch("commit").map_err(sql)?;
        let kept =
            self.connection.pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(()));
        Ok(kept.map_err(sql)?)
    }

    fn finish(self: Box<Self>) -> Result<(), MoveError> {
        let Self { connection, partial, path, _lock } = *self;
        let sql = |error: rusqlite::Error| OpenError::sql(&partial, &error);
        connection.close().map_err(|(_, error)| sql(error))?;
        let renamed = File::open(&partial)
            .and_then(|file| file.sync_all())
            .and_then(|()| fs::rename(&partial, &path))
            .and_then(|()| sync_names_beside(&path));
        renamed.map_err(|error| io_error(&path, error))
    }
}

/// Whether a file stands for a ledger that was not finished.
pub(super) fn is_unfinished(path: &Path) -> io::Result<bool> {
    if !fs::metadata(path)?.is_file() {
        return Ok(false);
    }
    let mut begin = Vec::with_capacity(UNFINISHED.len());
    let length = u64::try_from(UNFINISHED.len()).unwrap_or(u64::MAX);
    File::open(path)?.take(length).read_to_end(&mut begin)?;
    Ok(begin == UNFINISHED)
}

fn read(
    connection: &Connection,
    path: &Path,
    work: &mut dyn FnMut(&mut dyn Reader) -> Result<(), BooksError>,
) -> Result<(), MoveError> {
    let mut texts = Texts::default();
    let mut reader = SqliteReader::new(connection, &mut texts);
    let read = reader.begin_snapshot().and_then(|()| work(&mut reader));
    let ended =
        if connection.is_autocommit() { Ok(()) } else { connection.execute_batch("rollback") };
    let sql = |error: rusqlite::Error| OpenError::sql(path, &error);
    read.map_err(|error| sql(error.into()))?;
    Ok(ended.map_err(sql)?)
}

/// Makes the names in the folder of a file durable.
fn sync_names_beside(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

fn io_error(path: &Path, error: io::Error) -> MoveError {
    MoveError::Io { path: path.to_owned(), error }
}
