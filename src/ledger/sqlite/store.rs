//! The writer's connection and what it keeps in memory beside it.
//!
//! The memory is a copy of what the file says; after a rollback it is read again, so that the two
//! never part.

use super::books::{SqliteBooks, Texts};
use super::identity::Identity;
use super::salts::{digest, fill_randomly, ledger_salt, salt_of};
use super::{rows, soundness, whole};
use crate::domain::facts::{Gateway, Tenant};
use crate::domain::secret::SESSION_CHARS;
use crate::ledger::books::BooksError;
use crate::ledger::engine::{CommitError, Engine};
use crate::ledger::unit::{Unit, World};
use crate::ledger::working_set::Shelves;
use rusqlite::{Connection, ErrorCode, OptionalExtension, params};
use std::cell::Cell;

/// The writer's side of a ledger.
pub(super) struct Store {
    connection: Connection,
    identity: Identity,
    id_seed: Option<u64>,
    /// What holds for every request.
    world: World,
    /// The rows that the open transaction has met.
    shelves: Shelves,
    texts: Texts,
    /// Those of the gateways that the file does not have.
    configured: Vec<Gateway>,
    /// What is in memory may differ from the file.
    is_stale: bool,
    /// Statements may have written to the file beside the working set.
    is_shared: Cell<bool>,
    /// What SQLite counts up when another connection commits, as of the last transaction.
    data_version: i64,
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
        let keeps_events = keep_events(&connection, events)?;
        let seeded = id_seed.map(|seed| salt_of(&digest(seed, "salt", 0)));
        let row_salt = ledger_salt(&connection, seeded)?;
        let salt = seeded.unwrap_or(row_salt);
        let mut store = Self {
            connection,
            identity,
            id_seed,
            world: World {
                tenant: Tenant::default(),
                gateways: Vec::new(),
                keeps_events,
                salt,
                row_salt,
            },
            shelves: Shelves::default(),
            texts: Texts::default(),
            configured,
            is_stale: true,
            is_shared: Cell::new(false),
            data_version: 0,
        };
        store.reload()?;
        Ok(store)
    }

    /// A store over a ledger in memory, in a world that a test made.
    #[cfg(test)]
    pub(super) fn in_world(connection: Connection, world: World) -> Self {
        Self {
            connection,
            identity: Identity::of(std::path::Path::new("/dev/null")).unwrap(),
            id_seed: None,
            world,
            shelves: Shelves::default(),
            texts: Texts::default(),
            configured: Vec::new(),
            is_stale: false,
            is_shared: Cell::new(false),
            data_version: 0,
        }
    }

    /// A store as this one, with the same seed of its ids, over another connection.
    pub(super) fn like(&self, connection: Connection) -> rusqlite::Result<Self> {
        let (identity, configured) = (self.identity.clone(), self.configured.clone());
        Self::load(connection, identity, self.id_seed, configured, Some(self.world.keeps_events))
    }

    /// The connection outside any transaction, for what replaces the whole file.
    pub(super) fn connection_mut(&mut self) -> &mut Connection {
        self.is_shared.set(true);
        &mut self.connection
    }

    /// Takes over the file as it is now, after everything in it was replaced. Whether events are
    /// kept is this process's to say, not that of whoever wrote what came.
    pub(super) fn begin_anew(&mut self) -> rusqlite::Result<()> {
        self.connection.flush_prepared_statement_cache();
        let keeps_events = Some(self.world.keeps_events);
        self.world.keeps_events = keep_events(&self.connection, keeps_events)?;
        let seeded = self.id_seed.map(|seed| salt_of(&digest(seed, "salt", 0)));
        self.world.row_salt = ledger_salt(&self.connection, seeded)?;
        self.world.salt = seeded.unwrap_or(self.world.row_salt);
        self.shelves.clear();
        whole::say_open(&self.connection)?;
        self.reload()
    }

    /// The connection, inside the open transaction. What is in the working set is written before
    /// the next unit of work, and nothing that was learnt before counts there.
    pub(super) fn connection(&self) -> &Connection {
        self.is_shared.set(true);
        &self.connection
    }

    /// The tenant's settings as the open transaction sees them.
    pub(super) fn tenant(&self) -> &Tenant {
        &self.world.tenant
    }

    /// The gateways, seeded and configured, as the open transaction sees them.
    pub(super) fn gateways(&self) -> &[Gateway] {
        &self.world.gateways
    }

    /// The gateways that are configured, and so nothing that a seed may define.
    pub(super) fn configured_gateways(&self) -> &[Gateway] {
        &self.configured
    }

    /// As [`Store::work`], between statements of SQL: what was changed before is written first, and
    /// what this changes at once.
    pub(super) fn work_at_once<T>(
        &mut self,
        work: impl FnOnce(&mut Unit<'_>) -> Result<T, BooksError>,
    ) -> rusqlite::Result<T> {
        self.settle()?;
        let done = self.work(work)?;
        self.settle()?;
        Ok(done)
    }

    /// Writes what was changed in the working set and forgets the rest of it, so that statements of
    /// SQL see and change what is there.
    pub(super) fn settle(&mut self) -> rusqlite::Result<()> {
        self.shelves.flush(&mut SqliteBooks::new(&self.connection, &mut self.texts))?;
        self.shelves.clear();
        Ok(())
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
    pub(super) fn reload(&mut self) -> rusqlite::Result<()> {
        self.world.tenant = rows::tenant(&self.connection)?;
        let seeded = rows::gateways(&self.connection)?.into_iter().map(|(gateway, _)| gateway);
        self.world.gateways = seeded.chain(self.configured.iter().cloned()).collect();
        self.is_stale = false;
        Ok(())
    }

    /// Marks a point of the open transaction that it can be taken back to.
    pub(super) fn set_savepoint(&mut self) -> rusqlite::Result<()> {
        self.settle()?;
        self.connection.prepare_cached("savepoint whole")?.execute([]).map(|_| ())
    }

    /// Keeps what was done since the savepoint, or takes it back.
    pub(super) fn end_savepoint(&mut self, keep: bool) -> rusqlite::Result<()> {
        if keep {
            self.settle()?;
        } else {
            self.shelves.clear();
            self.connection.prepare_cached("rollback to whole")?.execute([])?;
        }
        self.connection.prepare_cached("release whole")?.execute([]).map(|_| ())
    }

    /// A new session token: [`SESSION_CHARS`] URL-safe characters, random, or with an id seed the
    /// next that follows from it.
    pub(super) fn next_session_token(&self) -> rusqlite::Result<String> {
        let mut bytes = [0_u8; 128];
        match self.id_seed {
            None => fill_randomly(&mut bytes)?,
            Some(seed) => {
                let token = self.count_up("session_counter")?;
                for (part, block) in (0_u64..).zip(bytes.chunks_mut(32)) {
                    let source = digest(seed, "session", token.wrapping_mul(4) | part);
                    block.copy_from_slice(&source);
                }
            }
        }
        let mut token: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        token.truncate(SESSION_CHARS);
        Ok(token)
    }

    /// The id of a new query locator, random, or with an id seed the next that follows from it.
    pub(super) fn next_locator_id(&self) -> rusqlite::Result<[u8; 16]> {
        let mut id = [0_u8; 16];
        match self.id_seed {
            None => fill_randomly(&mut id)?,
            Some(seed) => {
                let source = digest(seed, "locator", self.count_up("locator_counter")?);
                for (byte, drawn) in id.iter_mut().zip(source) {
                    *byte = drawn;
                }
            }
        }
        Ok(id)
    }

    /// With an id seed, the next source of request ids that follows from it.
    pub(super) fn next_request_seed(&self) -> rusqlite::Result<Option<[u8; 32]>> {
        let Some(seed) = self.id_seed else {
            return Ok(None);
        };
        Ok(Some(digest(seed, "requests", self.count_up("request_id_counter")?)))
    }

    /// Adds one to a counter of the ledger and gives its new value.
    fn count_up(&self, key: &str) -> rusqlite::Result<u64> {
        let count = "insert into meta (key, value) values (?1, '1') on conflict (key) \
                     do update set value = cast(cast(value as integer) + 1 as text) \
                     returning cast(value as integer)";
        let mut statement = self.connection.prepare_cached(count)?;
        statement.query_row(params![key], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
    }

    /// Writes something that changes nothing, so that a commit has to reach the disk.
    pub(super) fn probe(&mut self) -> rusqlite::Result<()> {
        self.count_up("probes").map(|_| ())
    }

    /// Writes the log back into the main file, beside which it stays.
    pub(super) fn write_back(&self) {
        if let Err(error) = whole::write_back(&self.connection) {
            tracing::warn!(%error, "the log could not be written back; nothing is lost");
        }
    }
}

impl Engine for Store {
    type Error = rusqlite::Error;

    fn is_damage(error: &rusqlite::Error) -> bool {
        soundness::is_damage(error)
    }

    fn begin(&mut self) -> rusqlite::Result<()> {
        if !self.identity.holds() {
            return Err(failure("its file was removed or replaced"));
        }
        if self.is_stale {
            self.reload()?;
        }
        self.shelves.begin_anew();
        self.connection.prepare_cached("begin immediate")?.execute([])?;
        if let Err(error) = self.follow_others() {
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
            self.settle()?;
        }
        let mut books = SqliteBooks::new(&self.connection, &mut self.texts);
        let mut unit = Unit::new(&mut self.shelves, &mut books, &self.world);
        Ok(work(&mut unit)?)
    }

    fn flush(&mut self) -> rusqlite::Result<()> {
        self.shelves.flush(&mut SqliteBooks::new(&self.connection, &mut self.texts))?;
        Ok(())
    }

    /// A full disk or a busy file stops a commit before its last frame is in the log, so that a
    /// rollback is certain. After any other error the frame may or may not be there.
    fn commit(&mut self) -> Result<(), CommitError> {
        let commit = self.connection.prepare_cached("commit");
        let committed = commit.and_then(|mut commit| commit.execute([]));
        committed.map(|_| ()).map_err(|error| match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy) => {
                CommitError::RolledBack(error.to_string())
            }
            _ => CommitError::Unknown(error.to_string()),
        })
    }

    /// Some errors make SQLite roll back by itself, and then there is nothing left to undo. The
    /// memory is read again before the next transaction.
    fn roll_back(&mut self) -> rusqlite::Result<()> {
        self.is_stale = true;
        self.shelves.clear();
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
    /// unknown stays as it is, for the next start to recover.
    fn close(self, is_lost: bool) {
        match if is_lost { Ok(false) } else { whole::end(&self.connection) } {
            Ok(true) => {}
            Ok(false) => tracing::warn!("the log stays beside the ledger until the next start"),
            Err(error) => {
                tracing::warn!(%error, "the log stays beside the ledger: it is not written");
            }
        }
        if let Err((_, error)) = self.connection.close() {
            tracing::warn!(%error, "the ledger did not close cleanly; nothing is lost");
        }
    }
}

/// Whether events are kept: as it is said now, which is written down, or as it was said last.
fn keep_events(connection: &Connection, said: Option<bool>) -> rusqlite::Result<bool> {
    let kept = are_events_kept(connection)?;
    let Some(said) = said.filter(|said| *said != kept) else {
        return Ok(kept);
    };
    let insert = "insert into meta (key, value) values ('events', ?1) \
                  on conflict (key) do update set value = excluded.value";
    connection.execute(insert, params![if said { "on" } else { "off" }])?;
    Ok(said)
}

/// Whether events were kept when the ledger was last served.
pub(super) fn are_events_kept(connection: &Connection) -> rusqlite::Result<bool> {
    let select = "select value = 'on' from meta where key = 'events'";
    Ok(connection.query_row(select, [], |row| row.get(0)).optional()?.unwrap_or(false))
}

/// A failure that is not SQLite's, in the form of those that are.
fn failure(why: &str) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(why.into())
}
