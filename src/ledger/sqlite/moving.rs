//! A ledger in a file that is copied as a whole, and one that is being made.
//!
//! What must stay true: a file that is copied is only read. What becomes of the file that is made
//! is in [`making`](crate::ledger::file::making).

use super::audit::audit;
use super::books::{SqliteBooks, Texts};
use super::pages;
use super::readers::SqliteReader;
use super::reading::{open_for_reading, reading_connection};
use super::schema::{SCHEMA_VERSION, bring_up_to_date};
use crate::ledger::audit::{Audit, Progress};
use crate::ledger::books::{Books, BooksError};
use crate::ledger::file::making::Partial;
use crate::ledger::file::{FileLock, OpenError};
use crate::ledger::moving::{Held, MoveError, Unfinished};
use crate::ledger::reader::Reader;
use crate::ledger::records::WHOLE;
use rusqlite::Connection;
use std::path::{Path, PathBuf};

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
        Ok(audit(&self.path, progress)?)
    }
}

/// A ledger in a file, that is being made from another one's rows.
pub struct FileBegun {
    connection: Connection,
    file: Partial,
}

impl FileBegun {
    /// Takes the name, where nothing is or what is left of a copy that was not finished.
    pub fn begin(path: &Path) -> Result<Self, MoveError> {
        let file = Partial::begin(path)?;
        let connection = Self::empty(file.path());
        let connection = connection.map_err(|error| OpenError::sql(file.path(), &error))?;
        Ok(Self { connection, file })
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
        self.file.name().display().to_string()
    }

    fn read(
        &mut self,
        work: &mut dyn FnMut(&mut dyn Reader) -> Result<(), BooksError>,
    ) -> Result<(), MoveError> {
        let sql = |error: rusqlite::Error| OpenError::sql(self.file.path(), &error);
        read(&reading_connection(self.file.path()).map_err(sql)?, self.file.path(), work)
    }

    fn audit(&mut self, progress: &Progress) -> Result<Audit, MoveError> {
        Ok(audit(self.file.path(), progress)?)
    }
}

impl Unfinished for FileBegun {
    fn fill(
        &mut self,
        work: &mut dyn FnMut(&mut dyn Books) -> Result<(), BooksError>,
    ) -> Result<(), MoveError> {
        let sql = |error: rusqlite::Error| OpenError::sql(self.file.path(), &error);
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
        let Self { connection, file } = *self;
        let closed = connection.close();
        closed.map_err(|(_, error)| OpenError::sql(file.path(), &error))?;
        file.finish()
    }
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
