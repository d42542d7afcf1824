//! Connections that only read, handed out one reader each.
//!
//! A read happens on a blocking thread and in one short transaction, so that it neither holds up
//! the async threads nor pins the log for long. What reads a few rows by their keys is done by the
//! thread that asks: to hand it over and to wake up again costs several times what it does.

use super::books::{RowColumns, SqliteBooks, Texts, select};
use super::dialect::SqliteDialect;
use super::reading::reading_connection;
use super::sums;
use crate::ledger::books::{Books, BooksError, TakeRow};
use crate::ledger::damage::Damage;
use crate::ledger::query::dialect::Dialect;
use crate::ledger::reader::Reader;
use crate::ledger::record::{Columns, Table, Value};
use crate::ledger::{LedgerError, Reply};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How many idle connections are kept.
const IDLE_MAX: usize = 4;

/// The readers of one ledger.
pub(super) struct Readers {
    pool: Arc<Pool>,
    /// What a simulation waits for before each reading; it has no threads.
    #[cfg(test)]
    pause: Option<super::inline::Pause>,
}

struct Pool {
    path: PathBuf,
    idle: Mutex<Vec<Idle>>,
    damage: Damage,
}

/// A connection that is not in use, and the texts of its statements.
struct Idle {
    connection: Connection,
    texts: Texts,
}

impl Readers {
    /// Readers of the file at `path`, who take note of damage that they come across.
    pub(super) fn new(path: &Path, damage: Damage) -> Self {
        Self {
            pool: Arc::new(Pool { path: path.to_owned(), idle: Mutex::default(), damage }),
            #[cfg(test)]
            pause: None,
        }
    }

    /// Readers without threads, of this one connection; `pause` is over before each reading.
    #[cfg(test)]
    pub(super) fn inline(
        connection: Connection,
        damage: Damage,
        pause: super::inline::Pause,
    ) -> (Self, InlineReader) {
        let readers = Self::new(Path::new(":memory:"), damage);
        readers.pool.give_back(Idle { connection, texts: Texts::default() });
        let reader = InlineReader(Arc::clone(&readers.pool));
        (Self { pause: Some(pause), ..readers }, reader)
    }

    /// Does `work` on a connection of its own.
    pub(super) fn read<T, F>(&self, work: F) -> Reply<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteReader<'_>) -> Result<T, BooksError> + Send + 'static,
    {
        let pool = Arc::clone(&self.pool);
        #[cfg(test)]
        if let Some(pause) = &self.pause {
            let pause = pause();
            return Box::pin(async move {
                pause.await;
                pool.read(work)
            });
        }
        let read = tokio::task::spawn_blocking(move || pool.read(work));
        Box::pin(async move { read.await.map_err(|error| failed(&error))? })
    }

    /// Does `work` on a connection of its own and on this thread, which may be one of those that
    /// all calls share: the work must be bounded to very little.
    pub(super) fn read_here<T>(
        &self,
        work: impl FnOnce(&mut SqliteReader<'_>) -> Result<T, BooksError>,
    ) -> Result<T, LedgerError> {
        self.pool.read(work)
    }
}

/// The connection of readers without threads.
#[cfg(test)]
pub(super) struct InlineReader(Arc<Pool>);

#[cfg(test)]
impl InlineReader {
    /// The connection, which then nothing reads with any more.
    pub(super) fn take_connection(&self) -> Option<Connection> {
        let idle = self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map(|idle| idle.connection)
    }
}

fn failed(error: &dyn std::error::Error) -> LedgerError {
    LedgerError::Unavailable(error.to_string())
}

impl Pool {
    fn read<T>(
        &self,
        work: impl FnOnce(&mut SqliteReader<'_>) -> Result<T, BooksError>,
    ) -> Result<T, LedgerError> {
        let mut idle = self.take().map_err(|error| failed(&error))?;
        let result = work(&mut SqliteReader::new(&idle.connection, &mut idle.texts));
        self.give_back(idle);
        result.map_err(|error| match error {
            BooksError::Damaged(_) | BooksError::Unknown { .. } => {
                self.damage.note(&error.to_string());
                LedgerError::Damaged(error.to_string())
            }
            error => failed(&error),
        })
    }

    fn take(&self) -> rusqlite::Result<Idle> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let open = || {
            let connection = reading_connection(&self.path)?;
            Ok(Idle { connection, texts: Texts::default() })
        };
        idle.map_or_else(open, Ok)
    }

    /// Keeps a connection whose snapshot, if it had one, has ended.
    fn give_back(&self, idle: Idle) {
        let connection = &idle.connection;
        // Some errors end a transaction by themselves.
        let has_ended = connection.is_autocommit()
            || connection.prepare_cached("rollback").and_then(|mut end| end.execute([])).is_ok();
        let mut kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if has_ended && kept.len() < IDLE_MAX {
            kept.push(idle);
        }
    }
}

/// One reading on a connection, whose snapshot ends with it.
pub(super) struct SqliteReader<'r> {
    connection: &'r Connection,
    books: SqliteBooks<'r>,
}

impl<'r> SqliteReader<'r> {
    pub(super) const fn new(connection: &'r Connection, texts: &'r mut Texts) -> Self {
        Self { connection, books: SqliteBooks::new(connection, texts) }
    }

    /// The connection, for what is no statement.
    pub(super) const fn connection(&self) -> &'r Connection {
        self.connection
    }

    /// Does `work`, unless `is_over` says after so many steps of SQLite's machine that it has taken
    /// too long: then there is nothing.
    pub(super) fn read_until<T>(
        &mut self,
        steps: i32,
        mut is_over: impl FnMut() -> bool + Send + 'static,
        work: impl FnOnce(&mut dyn Reader) -> Result<T, BooksError>,
    ) -> Result<Option<T>, BooksError> {
        let was_over = Arc::new(AtomicBool::new(false));
        let noted = Arc::clone(&was_over);
        let look = move || {
            let is_over = is_over();
            noted.fetch_or(is_over, Ordering::Relaxed);
            is_over
        };
        self.connection.progress_handler(steps, Some(look))?;
        let found = work(self);
        self.connection.progress_handler(0, None::<fn() -> bool>)?;
        match found {
            Err(_) if was_over.load(Ordering::Relaxed) => Ok(None),
            found => found.map(Some),
        }
    }
}

impl Reader for SqliteReader<'_> {
    fn begin_snapshot(&mut self) -> Result<(), BooksError> {
        if self.connection.is_autocommit() {
            self.connection.prepare_cached("begin")?.execute([])?;
        }
        Ok(())
    }

    fn select(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        most: usize,
        take: TakeRow<'_>,
    ) -> Result<(), BooksError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        select(&mut statement, values, most, take)
    }

    fn scan(
        &mut self,
        table: &'static Table,
        visit: &mut dyn FnMut(Result<&dyn Columns, BooksError>),
    ) -> Result<(), BooksError> {
        let select = format!("select {} from {} not indexed", sums::columns(table), table.name);
        let mut statement = self.connection.prepare_cached(&select)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            match sums::verify(row, 0, table) {
                Ok(()) => visit(Ok(&RowColumns { row, table })),
                Err(error) => visit(Err(error)),
            }
        }
        Ok(())
    }

    fn books(&mut self) -> &mut dyn Books {
        &mut self.books
    }

    fn dialect(&self) -> &'static dyn Dialect {
        &SqliteDialect
    }
}
