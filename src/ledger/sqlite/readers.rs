//! Connections that only read, handed out one reader each.
//!
//! A read happens on a blocking thread and in one short transaction, so that it neither holds up
//! the async threads nor pins the log for long. What reads a few rows by their keys is done by the
//! thread that asks: to hand it over and to wake up again costs several times what it does.

use super::reading::reading_connection;
use super::soundness::is_damage;
use crate::ledger::damage::Damage;
use crate::ledger::{LedgerError, Reply};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
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
    idle: Mutex<Vec<Connection>>,
    damage: Damage,
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
    ) -> Self {
        let readers = Self::new(Path::new(":memory:"), damage);
        readers.pool.give_back(connection);
        Self { pause: Some(pause), ..readers }
    }

    /// Runs `work` on a connection of its own.
    pub(super) fn read<T, F>(&self, work: F) -> Reply<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
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

    /// Runs `work` on a connection of its own and on this thread, which may be one of those that
    /// all calls share: the work must be bounded to very little.
    pub(super) fn read_here<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, LedgerError> {
        self.pool.read(work)
    }
}

fn failed(error: &dyn std::error::Error) -> LedgerError {
    LedgerError::Unavailable(error.to_string())
}

impl Pool {
    fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, LedgerError> {
        let connection = self.take().map_err(|error| failed(&error))?;
        let result = work(&connection);
        self.give_back(connection);
        result.map_err(|error| {
            if is_damage(&error) {
                self.damage.note(&error.to_string());
                return LedgerError::Damaged(error.to_string());
            }
            failed(&error)
        })
    }

    fn take(&self) -> rusqlite::Result<Connection> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| reading_connection(&self.path), Ok)
    }

    fn give_back(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_MAX && connection.is_autocommit() {
            idle.push(connection);
        }
    }
}
