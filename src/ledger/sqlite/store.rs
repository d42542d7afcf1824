//! The writer's connection and what it keeps in memory beside it.
//!
//! The memory is a copy of what the file says; after a rollback it is read again, so that the two
//! never part.

use super::books::{SqliteBooks, Texts};
use super::fault::{self, failure};
use super::room::Room;
use super::whole;
use crate::domain::facts::Gateway;
use crate::ledger::books::BooksError;
use crate::ledger::engine::{CloseError, CommitError, Engine};
use crate::ledger::file::{FileLock, Identity, OpenError, Parted, log};
use crate::ledger::unit::{self, Unit, World};
use crate::ledger::work::beginning;
use crate::ledger::working_set::Shelves;
use rusqlite::{Connection, ErrorCode};
use std::cell::Cell;
use std::io;
use std::path::Path;
use tempfile::TempDir;

/// How a ledger whose file or log was removed or replaced was left.
#[derive(Debug, Clone, Copy)]
struct Sealed {
    parted: Parted,
    /// All that was committed is in the file that was open, which says that it is closed.
    is_closed: bool,
}

/// The writer's side of a ledger.
pub struct Store {
    connection: Connection,
    identity: Identity,
    /// The file or its log was removed or replaced; since then nothing is written.
    sealed: Option<Sealed>,
    /// What holds for every request.
    world: World,
    /// The rows that the open transaction has met.
    shelves: Shelves,
    texts: Texts,
    /// What is in memory may differ from the file.
    is_stale: bool,
    /// The log may begin anew, and then does so with the first page.
    is_log_new: bool,
    room: Room,
    /// Statements may have written to the file beside the working set.
    is_shared: Cell<bool>,
    /// What SQLite counts up when another connection commits, as of the last transaction.
    data_version: i64,
    /// What a simulation has happen at the file.
    #[cfg(test)]
    pub(super) trouble: Option<super::inline::Trouble>,
    /// Let go of once the connection is closed, because fields drop in order; none of a ledger in
    /// memory.
    pub(super) lock: Option<FileLock>,
    /// The folder of a temporary ledger, removed at the end.
    pub(super) folder: Option<TempDir>,
}

impl Store {
    /// Takes over a connection whose schema is up to date. `id_seed` makes ids and tokens follow
    /// from it and from counters in the ledger.
    pub(super) fn load(
        connection: Connection,
        identity: Identity,
        id_seed: Option<u64>,
        configured: Vec<Gateway>,
        events: Option<bool>,
    ) -> rusqlite::Result<Self> {
        let world = World { configured, id_seed, ..World::default() };
        let mut store = Self::over(connection, identity, world);
        store.begin_to_serve(events)?;
        Ok(store)
    }

    fn over(connection: Connection, identity: Identity, world: World) -> Self {
        Self {
            connection,
            identity,
            sealed: None,
            world,
            shelves: Shelves::default(),
            texts: Texts::default(),
            is_stale: true,
            is_log_new: true,
            room: Room::Enough,
            is_shared: Cell::new(false),
            data_version: 0,
            #[cfg(test)]
            trouble: None,
            lock: None,
            folder: None,
        }
    }

    /// Says in the file that it is open, and leaves nothing in the log.
    pub(super) fn say_open(&mut self) -> rusqlite::Result<()> {
        self.is_log_new |= whole::begin(&self.connection)?;
        Ok(())
    }

    /// Takes the log that is there now for the file's own.
    pub(super) fn know_its_log(&mut self) -> io::Result<()> {
        self.identity = Identity::with_its_log(self.path())?;
        Ok(())
    }

    /// Settles with the file what holds from now on, in a transaction.
    fn begin_to_serve(&mut self, events: Option<bool>) -> rusqlite::Result<()> {
        self.is_stale = true;
        self.begin()?;
        let begun = beginning::begin(self, self.world.id_seed, events);
        let begun = begun.and_then(|begun| self.flush().map(|()| begun));
        let begun = match begun {
            Ok(begun) => begun,
            Err(error) => {
                self.roll_back()?;
                return Err(error);
            }
        };
        self.commit().map_err(|error| failure(&error.to_string()))?;
        let World { keeps_events, salt, row_salt, .. } = &mut self.world;
        (*keeps_events, *salt, *row_salt) = (begun.keeps_events, begun.salt, begun.row_salt);
        Ok(())
    }

    /// A store over a ledger in memory, in a world that a test made.
    #[cfg(test)]
    pub(super) fn in_world(connection: Connection, world: World) -> Self {
        let identity = Identity::of(Path::new("/dev/null")).unwrap();
        Self { is_stale: false, ..Self::over(connection, identity, world) }
    }

    /// The connection, without what was known beside it.
    #[cfg(test)]
    pub(super) fn into_connection(self) -> Connection {
        self.connection
    }

    /// A store as this one, with the same seed of its ids, over another connection.
    pub(super) fn like(&self, connection: Connection) -> rusqlite::Result<Self> {
        let World { configured, id_seed, keeps_events, .. } = &self.world;
        let (identity, configured) = (self.identity.clone(), configured.clone());
        Self::load(connection, identity, *id_seed, configured, Some(*keeps_events))
    }

    /// The connection outside any transaction, for what replaces the whole file.
    pub(super) fn connection_mut(&mut self) -> &mut Connection {
        self.is_shared.set(true);
        &mut self.connection
    }

    /// Takes over the file as it is now, after everything in it was replaced. Whether events are
    /// kept is this process's to say, not that of the process that wrote what came.
    pub(super) fn begin_again(&mut self) -> rusqlite::Result<()> {
        self.connection.flush_prepared_statement_cache();
        self.shelves.clear();
        whole::say_open(&self.connection)?;
        self.begin_to_serve(Some(self.world.keeps_events))
    }

    /// The connection, inside the open transaction. What is in the working set is written before
    /// the next unit of work, and nothing that was learnt before counts there.
    pub(super) fn connection(&self) -> &Connection {
        self.is_shared.set(true);
        &self.connection
    }

    /// What holds for every request, as the last transaction left it.
    pub(super) const fn world(&self) -> &World {
        &self.world
    }

    /// The ledger's file.
    pub(super) fn path(&self) -> &Path {
        self.identity.path()
    }

    /// Forgets what was learnt from earlier transactions, if another connection has written since.
    fn follow_others(&mut self) -> rusqlite::Result<()> {
        let mut version = self.connection.prepare_cached("pragma data_version")?;
        let version = version.query_row([], |row| row.get(0))?;
        if version != self.data_version {
            self.data_version = version;
            self.shelves.forget_newest();
        }
        Ok(())
    }

    /// Reads again what is kept in memory.
    fn reload(&mut self) -> rusqlite::Result<()> {
        let mut books = SqliteBooks::new(&self.connection, &mut self.texts);
        self.world.reload(&mut self.shelves, &mut books)?;
        self.is_stale = false;
        Ok(())
    }

    fn commit_durably(&self) -> rusqlite::Result<usize> {
        #[cfg(test)]
        self.meet(super::inline::At::Commit)?;
        let committed = self.connection.prepare_cached("commit")?.execute([])?;
        #[cfg(test)]
        self.meet(super::inline::At::Committed)?;
        Ok(committed)
    }

    #[cfg(test)]
    fn meet(&self, at: super::inline::At) -> rusqlite::Result<()> {
        use super::inline::{At, Failing};
        let Some(failing) = self.trouble.as_ref().and_then(|trouble| trouble(at)) else {
            return Ok(());
        };
        if failing == Failing::Broken && matches!(at, At::Commit | At::RollBack) {
            // What was not committed is not there when the file is read again.
            self.connection.execute_batch("rollback")?;
        }
        Err(failing.error())
    }

    /// Goes on with a file that was closed because it had been moved, and is back.
    fn take_up(&mut self) -> rusqlite::Result<()> {
        if self.sealed.is_some_and(|sealed| sealed.is_closed) && self.identity.check().is_ok() {
            self.say_open()?;
            self.sealed = None;
        }
        Ok(())
    }

    /// Says in the file that it is closed, and empties its log; whether both was done.
    fn end(&self) -> bool {
        match Room::clear(&self.connection).and_then(|()| whole::end(&self.connection)) {
            Ok(true) => return true,
            Ok(false) => tracing::warn!("the log stays beside the ledger until the next start"),
            Err(error) => {
                tracing::warn!(%error, "the log stays beside the ledger: it is not written");
            }
        }
        false
    }

    /// Refuses to go on where the paths lead to other files than those that are open. What is
    /// committed is written into the file that is open then, which is closed, so that the log that
    /// lies beside it now is not taken for its own by the next start.
    fn check_identity(&mut self) -> Result<(), Sealed> {
        if let Some(sealed) = self.sealed {
            return Err(sealed);
        }
        self.identity.check().map_err(|parted| {
            tracing::error!(%parted, "nothing more is written to the ledger");
            let sealed = Sealed { parted, is_closed: self.end() };
            // The log by that name may be another's.
            if let Err(error) = whole::keep_log_on_close(&self.connection) {
                tracing::warn!(%error, "a log that is not this ledger's may be removed");
            }
            self.sealed = Some(sealed);
            sealed
        })
    }

    /// Writes the log back into the main file, beside which it stays.
    pub(super) fn write_back(&mut self) {
        match whole::write_back(&self.connection) {
            Ok(is_all) => self.is_log_new |= is_all,
            Err(error) => {
                tracing::warn!(%error, "the log could not be written back; nothing is lost");
            }
        }
    }

    /// Follows what others have written, and begins a new log with the first page.
    fn begun(&mut self) -> rusqlite::Result<()> {
        self.follow_others()?;
        if self.is_log_new { whole::write_first_page(&self.connection) } else { Ok(()) }
    }
}

impl Engine for Store {
    type Error = rusqlite::Error;

    fn is_damage(error: &rusqlite::Error) -> bool {
        fault::is_damage(error)
    }

    fn begin(&mut self) -> rusqlite::Result<()> {
        self.take_up()?;
        if let Err(Sealed { parted, .. }) = self.check_identity() {
            return Err(failure(&parted.to_string()));
        }
        if self.is_stale {
            self.reload()?;
        }
        self.shelves.begin_anew();
        #[cfg(test)]
        self.meet(super::inline::At::Begin)?;
        self.connection.prepare_cached("begin immediate")?.execute([])?;
        if let Err(error) = self.begun() {
            self.roll_back()?;
            return Err(error);
        }
        Ok(())
    }

    /// What the work changes is written before anything else is read by a statement, and at the
    /// latest before the commit.
    fn work<T>(
        &mut self,
        work: impl FnOnce(&mut Unit<'_>) -> Result<T, BooksError>,
    ) -> rusqlite::Result<T> {
        if self.is_shared.replace(false) {
            self.flush()?;
            self.shelves.clear();
        }
        let mut books = SqliteBooks::new(&self.connection, &mut self.texts);
        Ok(unit::work(&mut self.shelves, &mut books, &mut self.world, work)?)
    }

    fn flush(&mut self) -> rusqlite::Result<()> {
        #[cfg(test)]
        self.meet(super::inline::At::Flush)?;
        let flushed = self.shelves.flush(&mut SqliteBooks::new(&self.connection, &mut self.texts));
        let flushed = flushed.map_err(rusqlite::Error::from);
        let flushed = flushed.and_then(|()| self.room.try_out(&self.connection));
        self.room = self.room.after(flushed.as_ref().err());
        flushed
    }

    /// A full disk or a busy file stops a commit before its last frame is in the log, so that a
    /// rollback is certain. After any other error the frame may or may not be there.
    fn commit(&mut self) -> Result<(), CommitError> {
        let committed = self.commit_durably();
        self.room = self.room.after(committed.as_ref().err());
        committed.map_err(|error| match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy) => {
                CommitError::RolledBack(error.to_string())
            }
            _ => CommitError::Unknown(error.to_string()),
        })?;
        self.is_log_new = false;
        self.room = self.room.committed();
        match self.check_identity() {
            // What was in the log that is gone is in the file.
            Ok(()) | Err(Sealed { parted: Parted::Log, is_closed: true }) => Ok(()),
            Err(Sealed { parted, .. }) => Err(CommitError::Unknown(parted.to_string())),
        }
    }

    /// Some errors make SQLite roll back by itself, and then there is nothing left to undo. The
    /// memory is read again before the next transaction.
    fn roll_back(&mut self) -> rusqlite::Result<()> {
        self.is_stale = true;
        self.shelves.clear();
        #[cfg(test)]
        self.meet(super::inline::At::RollBack)?;
        if self.connection.is_autocommit() {
            return Ok(());
        }
        self.connection.execute_batch("rollback")
    }

    /// Writes the log back, so that little is ever in the log alone.
    fn rest(&mut self) {
        self.write_back();
    }

    /// A clean end says so in the file and leaves nothing in the log. A file whose last commit is
    /// unknown stays as it is, for the next start to recover, and so does one whose log is damaged,
    /// which SQLite would write into the file unseen.
    fn close(mut self, is_lost: bool) -> Result<(), CloseError> {
        let is_whole = match self.check_identity() {
            Err(Sealed { parted, .. }) => Err(CloseError::Parted(parted.to_string())),
            Ok(()) if is_lost => Ok(()),
            Ok(()) => log::check_log(self.path())
                .map_err(|error| match error {
                    OpenError::Damaged { detail, .. } => CloseError::Damaged(detail),
                    error => CloseError::Damaged(error.to_string()),
                })
                .inspect(|()| {
                    self.end();
                }),
        };
        if let Err((_, error)) = self.connection.close() {
            tracing::warn!(%error, "the ledger did not close cleanly; nothing is lost");
        }
        is_whole
    }
}
