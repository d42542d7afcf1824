//! A ledger as it is served: every use case over an engine's writer and readers, whatever engine it
//! is.
//!
//! What must stay true: what changes something goes through the writer's queue, and what reads does
//! not wait for the writer; the tenant's settings that are known here are those of the last
//! transaction of this process that changed them, or newer ones of another node.

pub mod bench;
mod bookkeeping;
mod conditions;
pub mod events;
mod health;
mod listed_accounts;
mod listed_refunds;
mod listed_sessions;
mod operators;
pub mod orders;
mod queries;
mod readings;
mod sessions;
pub(in crate::ledger) mod settings;
pub mod story;
pub mod trail;
mod trail_objects;
mod views;

use super::books::BooksError;
use super::damage::Damage;
use super::engine::Engine;
use super::reader::Reader;
use super::records::{CUSTOM_FIELDS, TENANT_SETTINGS};
use super::sharing::Sharing;
use super::test_bench::{Snapshot, SnapshotError, TestBench, TestEngine};
use super::ticket::Ticket;
use super::unit::Unit;
use super::writer::Writer;
use super::{Ledger, Reply, world};
use crate::domain::facts::Tenant;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

/// What keeps a ledger: an engine that writes, which the writer's thread owns, and what reads
/// beside it.
pub trait Backend: Send + Sync + 'static {
    /// The writing side.
    type Engine: TestEngine;

    /// Does `work` on a reading of its own.
    fn read<T, F>(&self, work: F) -> Reply<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Reader) -> Result<T, BooksError> + Send + 'static;

    /// As [`Backend::read`], for what finds very few rows by their keys: the thread that asks does
    /// it, where that takes less than handing it over.
    fn read_little<T, F>(&self, work: F) -> Reply<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Reader) -> Result<T, BooksError> + Send + 'static;

    /// As [`Backend::read`], until a moment after which there is no result any more. It may be
    /// begun twice.
    fn read_until<T, F>(&self, deadline: Instant, work: F) -> Reply<Option<T>>
    where
        T: Send + 'static,
        F: FnMut(&mut dyn Reader) -> Result<T, BooksError> + Send + 'static;

    /// What is shared with other nodes; nothing where there can be none.
    fn sharing(&self) -> Option<Arc<dyn Sharing>> {
        None
    }

    /// Checks what is stored beside serving, from now on, where the engine does not by itself.
    fn begin_check(&self);

    /// How large the files of the ledger are, where it is kept in files.
    fn sizes(&self) -> FileSizes {
        FileSizes::default()
    }

    /// Saves everything that is committed under a name, as [`TestBench::save`] says.
    fn save(&self, name: String) -> Reply<Result<(), SnapshotError>>;

    /// Removes a snapshot.
    fn drop_snapshot(&self, name: String) -> Reply<Result<(), SnapshotError>>;

    /// The snapshots that there are, by name.
    fn snapshots(&self) -> Reply<Result<Vec<Snapshot>, SnapshotError>>;
}

/// How large files are, in bytes, where there are any.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileSizes {
    /// The ledger's.
    pub file_bytes: Option<u64>,
    /// That of what was committed and is not yet in there.
    pub log_bytes: Option<u64>,
}

/// A ledger that is served.
pub struct Served<B: Backend> {
    /// Its readers end before the writer does.
    pub(super) backend: B,
    pub(super) writer: Writer<B::Engine>,
    /// What the ledger says, as of the last change by this process or the last reading.
    tenant: Arc<RwLock<Arc<Tenant>>>,
    damage: Damage,
    /// It is marked as test.
    pub(super) is_test: bool,
}

impl<B: Backend> Served<B> {
    /// A ledger that is open. The writer notes damage where the readers note it.
    pub(super) fn new(
        backend: B,
        writer: Writer<B::Engine>,
        tenant: Tenant,
        damage: Damage,
        is_test: bool,
    ) -> Self {
        let tenant = Arc::new(RwLock::new(Arc::new(tenant)));
        Self { backend, writer, tenant, damage, is_test }
    }

    /// Does the work of a client in a transaction, or replies at once that too much is waiting.
    fn write<T: Send + 'static>(
        &self,
        ticket: Option<Ticket>,
        mut work: impl FnMut(&mut Unit<'_>) -> Result<T, BooksError> + Send + 'static,
    ) -> Reply<T> {
        self.writer.submit(ticket, move |engine| engine.work(&mut work))
    }

    /// Does work of the gateway itself in a transaction, however long that waits for its turn.
    fn write_patiently<T: Send + 'static>(
        &self,
        mut work: impl FnMut(&mut Unit<'_>) -> Result<T, BooksError> + Send + 'static,
    ) -> Reply<T> {
        self.writer.submit_patiently(move |engine| engine.work(&mut work))
    }

    /// The result of what may have changed the tenant's settings, once they are known here as well.
    fn knowing_its_tenant<T: Send + 'static>(&self, work: Reply<(T, Tenant)>) -> Reply<T> {
        let known = Arc::clone(&self.tenant);
        Box::pin(async move {
            let (result, tenant) = work.await?;
            know(&known, tenant);
            Ok(result)
        })
    }
}

/// Has the settings of the tenant be these from now on.
fn know(known: &RwLock<Arc<Tenant>>, tenant: Tenant) {
    *known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(tenant);
}

impl<B: Backend> Ledger for Served<B> {
    fn test_bench(&self) -> Option<&dyn TestBench> {
        self.is_test.then_some(self)
    }

    fn sharing(&self) -> Option<Arc<dyn Sharing>> {
        self.backend.sharing()
    }

    fn know_its_tenant(&self) -> Reply<()> {
        let read = self.backend.read(|reader| {
            let settings = reader.records(&TENANT_SETTINGS, &[])?;
            world::tenant_of(settings, &reader.records(&CUSTOM_FIELDS, &[])?)
        });
        let known = Arc::clone(&self.tenant);
        Box::pin(async move {
            know(&known, read.await?);
            Ok(())
        })
    }
}
