//! A ledger in PostgreSQL as it is served: its readers beside its writer.

use super::PostgresLedger;
use super::address::Address;
use super::fault::{Kind, PostgresError};
use super::link::Link;
use super::readers::Readers;
use super::sharing::Shared;
use super::snapshots::{self, Done};
use super::starting::{self, Start};
use super::store::Store;
use crate::ledger::books::BooksError;
use crate::ledger::damage::Damage;
use crate::ledger::engine::Load;
use crate::ledger::opening::{LedgerSettings, OpenMode, OpenOptions};
use crate::ledger::reader::Reader;
use crate::ledger::served::Backend;
use crate::ledger::sharing::Sharing;
use crate::ledger::test_bench::{Snapshot, SnapshotError};
use crate::ledger::writer::Writer;
use crate::ledger::{LedgerError, Reply};
use std::io;
use std::sync::Arc;
use std::time::Instant;
use tokio::task::spawn_blocking;

/// What reads a ledger in PostgreSQL.
pub struct Postgres {
    readers: Readers,
    /// What is shared with other nodes; a test ledger has a single one.
    shared: Option<Arc<Shared>>,
}

impl PostgresLedger {
    /// Opens the ledger at a URL, makes it if the mode allows, and brings its schema up to date.
    pub fn open(url: &str, options: &OpenOptions) -> Result<Self, PostgresError> {
        let address = Address::of_process(url)?;
        let LedgerSettings { queue_max, batch_max, gateways, events } = options.settings.clone();
        let is_test = match options.mode {
            OpenMode::CreateOrOpen { test } => Some(test),
            OpenMode::CreateOrOpenAny | OpenMode::Existing => None,
        };
        let is_made = options.mode != OpenMode::Existing;
        let start = Start {
            id_seed: options.id_seed,
            configured: gateways,
            events,
            is_test,
            is_made,
            is_alone: true,
        };
        let opened = starting::open(address.clone(), start)?;
        let damage = Damage::default();
        let tenant = opened.store.world.tenant.clone();
        let shared = match opened.is_test {
            true => None,
            false => {
                let node = opened.store.node();
                Some(Arc::new(Shared::start(address.clone(), node, damage.clone())?))
            }
        };
        let load = Load { queue_max, batch_max };
        let writer = Writer::start(opened.store, load, damage.clone());
        let writer =
            writer.map_err(|error| PostgresError::new(Kind::Refused, error.to_string()))?;
        let backend = Postgres { readers: Readers::new(address, damage.clone()), shared };
        Ok(Self::new(backend, writer, tenant, damage, opened.is_test))
    }
}

impl Backend for Postgres {
    type Engine = Store;

    fn read<T, F>(&self, work: F) -> Reply<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Reader) -> Result<T, BooksError> + Send + 'static,
    {
        let read = self.readers.read(None, work);
        Box::pin(async move {
            let late = || LedgerError::Unavailable("a reading took too long".to_owned());
            read.await?.ok_or_else(late)
        })
    }

    /// No thread that all calls share may wait for a server.
    fn read_little<T, F>(&self, work: F) -> Reply<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Reader) -> Result<T, BooksError> + Send + 'static,
    {
        self.read(work)
    }

    fn read_until<T, F>(&self, deadline: Instant, work: F) -> Reply<Option<T>>
    where
        T: Send + 'static,
        F: FnMut(&mut dyn Reader) -> Result<T, BooksError> + Send + 'static,
    {
        self.readers.read(Some(deadline), work)
    }

    fn sharing(&self) -> Option<Arc<dyn Sharing>> {
        let shared = self.shared.clone()?;
        Some(shared)
    }

    /// PostgreSQL checks its pages itself where they have checksums.
    fn begin_check(&self) {}

    fn save(&self, name: String) -> Reply<Result<(), SnapshotError>> {
        self.of_snapshots(move |link| snapshots::save(link, &name).map(Ok))
    }

    fn drop_snapshot(&self, name: String) -> Reply<Result<(), SnapshotError>> {
        self.of_snapshots(move |link| {
            let was_there = snapshots::remove(link, &name)?;
            Ok(if was_there { Ok(()) } else { Err(SnapshotError::Missing(name)) })
        })
    }

    fn snapshots(&self) -> Reply<Result<Vec<Snapshot>, SnapshotError>> {
        self.of_snapshots(|link| {
            let all = snapshots::all(link)?;
            Ok(Ok(all.into_iter().map(|(_, snapshot, _)| snapshot).collect()))
        })
    }
}

impl Postgres {
    /// Work on snapshots, on a connection of its own and off the async threads.
    fn of_snapshots<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Link) -> Done<T> + Send + 'static,
    ) -> Reply<Result<T, SnapshotError>> {
        let address = self.readers.address().clone();
        let done = spawn_blocking(move || snapshots::beside(&address, work));
        Box::pin(async move {
            Ok(done.await.unwrap_or_else(|error| Err(io::Error::other(error).into())))
        })
    }
}
