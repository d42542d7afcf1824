//! The ledger on SQLite: one file, one writer thread, group commit.
//!
//! The writer owns the only connection that writes and commits whatever is waiting as one
//! transaction, with synchronous FULL: a reply is durable before it is given. Readers have
//! connections of their own and never wait for the writer. The file is held under an exclusive
//! lock, so that what the writer keeps in memory (tenant, gateways, the next number) stays true.

mod audit;
mod audit_billing;
mod audit_indexes;
mod audit_rows;
mod audit_sending;
mod audit_sums;
mod books;
mod copies;
mod counters;
#[cfg(test)]
mod for_tests;
mod gateway_identities;
mod identity;
#[cfg(test)]
mod inline;
mod keeping;
mod lock;
mod log;
mod meter;
mod newest;
mod open;
mod open_error;
mod operating;
mod orders;
mod outbox;
mod query;
mod query_billing;
mod query_columns;
mod query_functions;
mod query_invoicing;
mod query_statement;
mod query_tables;
mod readers;
mod reading;
mod rows;
mod salts;
mod schema;
mod sending;
mod sessions;
mod soundness;
mod store;
mod story;
mod test_bench;
mod trail_reading;
mod views;
mod whole;

pub use copies::{CopyError, Restore, Restored, Shown, back_up, restore};
#[cfg(test)]
pub(super) use for_tests::{audited_store_for_tests, store_for_tests};
#[cfg(test)]
pub(crate) use inline::{At, Disk, Failing, FoundRefund, Pause, Trouble};
pub use open::{LedgerSettings, OpenMode, OpenOptions};
pub use open_error::OpenError;

use super::audit::{Audit, Progress};
use super::change::{ChangeResult, Delete, Update};
use super::damage::Damage;
use super::engine::{Engine, Load};
use super::outbox::Event;
use super::query::{Find, FindError, Page, Queries};
use super::queue::UseCase;
use super::reconciliation::{Reconcile, ReconcileResult};
use super::seed::{SeedConflict, SeedPlan, SeedReport};
use super::seeding;
use super::test_bench::{KnownId, TestBench, UnfitSnapshot};
use super::work::naming::{self, Needs};
use super::work::{answers, changing, creating, drawing, reconciling, sessions as using};
use super::writer::Writer;
use super::{
    AmendedAnswer, Bookkeeping, Create, Created, Health, Ledger, LedgerError, LedgerStats, Reply,
    Sessions, Settings, StoredClient, StoredSession, StoredToken, TokenHash, User, UserKey,
};
use crate::domain::facts::{Gateway, Tenant};
use crate::domain::id::ObjectId;
use crate::domain::script::Script;
use chrono::{DateTime, Utc};
use lock::FileLock;
use readers::Readers;
use rusqlite::Connection;
use soundness::Watch;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use store::Store;
use tempfile::TempDir;

/// A ledger in one SQLite file, held exclusively by this process. Dropping it does what is waiting,
/// writes the log back into the file, and lets go of it.
pub struct SqliteLedger {
    path: PathBuf,
    is_test: bool,
    /// What was found wrong with the file since it was opened.
    damage: Damage,
    /// The check beside serving, once it was begun. It ends first, because its snapshot would keep
    /// the writer from putting the log away.
    watch: Mutex<Option<Watch>>,
    readers: Readers,
    /// Closes the file last, so that SQLite can put the log away.
    writer: Writer<Store>,
    /// What the file says, which nobody else can change.
    tenant: Arc<RwLock<Arc<Tenant>>>,
    /// Released after the writer has closed its connection, because fields drop in order; none of a
    /// ledger in memory.
    _lock: Option<FileLock>,
    /// The folder of a temporary ledger, removed at the end.
    _folder: Option<TempDir>,
}

impl SqliteLedger {
    /// Opens the ledger at `path`, creates it if the mode allows, and brings its schema up to date.
    pub fn open(path: &Path, options: &OpenOptions) -> Result<Self, OpenError> {
        Self::open_in(path, options, None)
    }

    /// Creates a test ledger in a temporary folder that is removed when the ledger is dropped.
    pub fn temporary(options: &OpenOptions) -> Result<Self, OpenError> {
        let folder = tempfile::Builder::new().prefix("refund-gateway-").tempdir();
        let folder = folder.map_err(|error| OpenError::io(Path::new(":memory:"), &error))?;
        Self::open_in(&folder.path().join("ledger.db"), options, Some(folder))
    }

    fn open_in(
        path: &Path,
        options: &OpenOptions,
        folder: Option<TempDir>,
    ) -> Result<Self, OpenError> {
        open::create_if_allowed(path, options.mode)?;
        let lock = FileLock::take(path)?;
        let store = open::open_store(path, options)?;
        let is_test = schema::is_test(store.connection());
        let is_test = is_test.map_err(|error| OpenError::sql(path, &error))?;
        let tenant = Arc::new(RwLock::new(Arc::new(store.tenant().clone())));
        let damage = Damage::default();
        let readers = Readers::new(path, damage.clone());
        let LedgerSettings { queue_max, batch_max, .. } = options.settings;
        let writer = Writer::start(store, Load { queue_max, batch_max }, damage.clone());
        let writer = writer.map_err(|error| OpenError::io(path, &error))?;
        Ok(Self {
            path: path.to_owned(),
            is_test,
            damage,
            watch: Mutex::default(),
            readers,
            writer,
            tenant,
            _lock: Some(lock),
            _folder: folder,
        })
    }

    /// The result of what may have changed the tenant's settings, once they are known here as well.
    fn knowing_its_tenant<T: Send + 'static>(&self, work: Reply<(T, Tenant)>) -> Reply<T> {
        let known = Arc::clone(&self.tenant);
        Box::pin(async move {
            let (result, tenant) = work.await?;
            *known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(tenant);
            Ok(result)
        })
    }

    /// Recomputes every balance of a ledger that may be in use by another process.
    pub fn audit_file(path: &Path) -> Result<Audit, OpenError> {
        Self::audit_file_showing(path, Arc::new(|_, _| ()))
    }

    /// As [`SqliteLedger::audit_file`], saying on the way how far it is.
    pub fn audit_file_showing(path: &Path, progress: Progress) -> Result<Audit, OpenError> {
        audit::audit(path, progress)
    }
}

/// The events of a ledger that may be in use by another process.
pub struct EventFile(Connection);

impl EventFile {
    /// Opens the ledger at `path` for reading.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        reading::open_for_reading(path).map(Self)
    }

    /// At most `most` events after the one of this sequence, in their order.
    pub fn after(&self, sequence: i64, most: usize) -> Result<Vec<Event>, LedgerError> {
        let events = outbox::events_after(&self.0, sequence, most);
        events.map_err(|error| LedgerError::Unavailable(error.to_string()))
    }

    /// Whether the gateway keeps events in this ledger, as of its last start.
    pub fn are_kept(&self) -> Result<bool, LedgerError> {
        let kept = store::are_events_kept(&self.0);
        kept.map_err(|error| LedgerError::Unavailable(error.to_string()))
    }
}

impl Bookkeeping for SqliteLedger {
    fn create(&self, request: Create) -> Reply<Created> {
        let (ticket, line_up) = (request.context.ticket.clone(), request.line_up.clone());
        let once_durable = move |created: &Created| {
            if let (Some(line_up), Created::Fresh { orders, .. }) = (line_up, created) {
                line_up(orders);
            }
        };
        let case = UseCase::new(request, naming::create, creating::create);
        self.writer.submit_case_and(Some(ticket), case, once_durable)
    }

    fn update(&self, request: Update) -> Reply<Vec<ChangeResult>> {
        let ticket = request.context.ticket.clone();
        let case = UseCase::new(request, naming::update, changing::update);
        self.writer.submit_case(Some(ticket), case)
    }

    fn delete(&self, request: Delete) -> Reply<Vec<ChangeResult>> {
        let ticket = request.context.ticket.clone();
        let case = UseCase::new(request, naming::delete, changing::delete);
        self.writer.submit_case(Some(ticket), case)
    }

    fn reconcile(&self, request: Reconcile) -> Reply<Vec<ReconcileResult>> {
        let case = UseCase::new(request, naming::reconcile, reconciling::reconcile);
        self.writer.submit_case(None, case)
    }

    fn amend_answer(&self, answer: AmendedAnswer) -> Reply<bool> {
        self.writer.submit_case_patiently(UseCase::new(answer, naming::amend, answers::amend))
    }

    fn load_seed(&self, seed: SeedPlan) -> Reply<Result<SeedReport, SeedConflict>> {
        let loaded = self.writer.submit_alone(move |store| {
            let loaded = store.work(|unit| seeding::load(unit, seed))?;
            store.name_gateways()?;
            Ok(loaded.map(|report| (report, store.tenant().clone())))
        });
        // It is durable in the log; a copy of the main file alone shall have it too.
        let written_back = self.writer.submit_exclusive(|store| {
            store.write_back();
            Ok(())
        });
        let known = Arc::clone(&self.tenant);
        Box::pin(async move {
            let loaded = loaded.await?.map(|(report, tenant)| {
                *known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(tenant);
                report
            });
            written_back.await?;
            Ok(loaded)
        })
    }
}

impl Sessions for SqliteLedger {
    fn find_user(&self, username: &str) -> Reply<Option<User>> {
        let username = username.to_owned();
        self.readers.read(move |connection| sessions::find_user(connection, &username))
    }

    fn open_session(
        &self,
        user: UserKey,
        at: DateTime<Utc>,
        expired: DateTime<Utc>,
    ) -> Reply<String> {
        self.writer
            .submit(None, move |store| store.work(|unit| using::open(unit, user, at, expired)))
    }

    fn find_session(&self, token: TokenHash) -> Reply<Option<StoredSession>> {
        self.readers.read(move |connection| sessions::find_session(connection, &token))
    }

    fn keep_session(&self, token: TokenHash, at: DateTime<Utc>) -> Reply<()> {
        let names = |(token, _): &_, needs: &mut Needs<'_>| naming::session(*token, needs);
        let case =
            UseCase::new((token, at), names, |unit, (token, at)| using::keep(unit, *token, *at));
        self.writer.submit_case(None, case)
    }

    fn find_client(&self, id: &str) -> Reply<Option<StoredClient>> {
        let id = id.to_owned();
        self.readers.read(move |connection| sessions::find_client(connection, &id))
    }

    fn issue_token(&self, client: String, at: DateTime<Utc>, ends: DateTime<Utc>) -> Reply<String> {
        self.writer.submit(None, move |store| {
            store.work(|unit| using::issue(unit, client.clone(), at, ends))
        })
    }

    fn find_token(&self, token: TokenHash) -> Reply<Option<StoredToken>> {
        self.readers.read(move |connection| sessions::find_token(connection, &token))
    }
}

impl Queries for SqliteLedger {
    fn find(&self, request: Find) -> Reply<Result<Page, FindError>> {
        let tenant = self.tenant();
        let at_once = self.readers.read_here(|connection| {
            let at_most = query::READING_AT_ONCE_MAX;
            query::look_at_once(connection, &tenant, &request, at_most)
        });
        let look = match at_once {
            Ok(Err(FindError::TooSlow)) => {
                self.readers.read(move |connection| query::look(connection, &tenant, &request))
            }
            found => Box::pin(std::future::ready(found)),
        };
        let writer = self.writer.later();
        Box::pin(async move {
            match look.await? {
                Ok(found) => query::keep(writer, found).await,
                Err(error) => Ok(Err(error)),
            }
        })
    }
}

impl Settings for SqliteLedger {
    fn tenant(&self) -> Arc<Tenant> {
        Arc::clone(&self.tenant.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn gateways(&self) -> Reply<Vec<(Gateway, Script)>> {
        self.readers.read(rows::gateways)
    }

    fn begin_request_ids(&self) -> Reply<Option<[u8; 32]>> {
        self.writer.submit_patiently(|store| store.work(drawing::request_seed))
    }

    fn age(&self) -> Reply<Option<DateTime<Utc>>> {
        self.readers.read(newest::age)
    }

    fn keep_age(&self, at: DateTime<Utc>) -> Reply<()> {
        self.writer.submit_patiently(move |store| store.work(|unit| using::keep_age(unit, at)))
    }
}

impl Health for SqliteLedger {
    fn probe(&self) -> Reply<()> {
        self.writer.submit_patiently(|store| store.work(drawing::probe))
    }

    fn begin_check(&self) {
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        if watch.is_some() {
            return;
        }
        match Watch::start(&self.path, self.damage.clone()) {
            Ok(begun) => *watch = Some(begun),
            Err(error) => tracing::error!(%error, "the ledger is not checked beside serving"),
        }
    }

    fn damage(&self) -> Option<String> {
        self.damage.found().map(str::to_owned)
    }

    fn lost_commit(&self) -> Option<String> {
        self.damage.lost().map(str::to_owned)
    }

    fn stats(&self) -> LedgerStats {
        self.writer.stats()
    }
}

impl Ledger for SqliteLedger {
    fn test_bench(&self) -> Option<&dyn TestBench> {
        self.is_test.then_some(self)
    }
}

impl TestBench for SqliteLedger {
    fn path(&self) -> &Path {
        &self.path
    }

    fn begin_anew(
        &self,
        seeds: Vec<SeedPlan>,
        keep_sessions: bool,
    ) -> Reply<Result<(), SeedConflict>> {
        self.knowing_its_tenant(self.writer.submit_exclusive(move |store| {
            let begun = test_bench::begin_anew(store, seeds, keep_sessions)?;
            Ok((begun, store.tenant().clone()))
        }))
    }

    fn renew_account(
        &self,
        id: ObjectId,
        seeds: Vec<SeedPlan>,
    ) -> Reply<Result<bool, SeedConflict>> {
        self.writer.submit_alone(move |store| test_bench::renew_account(store, &id, &seeds))
    }

    fn save(&self, to: PathBuf) -> Reply<()> {
        self.readers.read(move |connection| test_bench::save(connection, &to))
    }

    fn put_back(&self, from: PathBuf) -> Reply<Result<(), UnfitSnapshot>> {
        self.knowing_its_tenant(self.writer.submit_exclusive(move |store| {
            let put_back = test_bench::put_back(store, &from)?;
            Ok((put_back, store.tenant().clone()))
        }))
    }

    fn accounts_of(&self, ids: Vec<ObjectId>) -> Reply<Vec<Option<ObjectId>>> {
        self.readers.read(move |connection| test_bench::accounts_of(connection, &ids))
    }

    fn newest_moment(&self) -> Reply<Option<DateTime<Utc>>> {
        self.readers.read(newest::newest_moment)
    }

    fn known_ids(&self) -> Reply<Vec<KnownId>> {
        self.readers.read(test_bench::known_ids)
    }
}

#[cfg(test)]
mod settlement_tests;
#[cfg(test)]
mod tests;
