//! What a tester does to a test ledger: reset it, seed it, snapshot it, put a snapshot back.
//!
//! What must stay true: a ledger that is not marked as test refuses all of it; one of these is done
//! at a time, to its end even when its caller has gone away, and as a whole or not at all;
//! after a reset or a snapshot put back, nothing that began before reaches the ledger, and nothing
//! that this process keeps in memory speaks of what was there before.

use super::Service;
use super::drain::StillUnderWay;
use super::seed::{self, Seed, SeedError, SeedReport, SeedTextError};
use super::test_clock::{catch_up, reported};
use crate::domain::id::ObjectId;
use crate::ledger::LedgerError;
use crate::ledger::seed::{SeedConflict, SeedPlan};
pub use crate::ledger::test_bench::Snapshot;
use crate::ledger::test_bench::{KnownId, SnapshotError, TestBench};
use crate::ledger::trail::Act;
use chrono::{DateTime, Utc};
use parking_lot::{Mutex, MutexGuard};
use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::sync::Arc;

/// The longest name of a snapshot, in characters.
const NAME_CHARS_MAX: usize = 64;

/// Why the bench did not do it. Nothing was changed, but where it says so.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The ledger holds real books.
    #[error("this is no test ledger; start with --test on a ledger of its own")]
    NotATestLedger,
    /// There is no such account.
    #[error("there is no account `{0}`")]
    NoAccount(ObjectId),
    /// The name is none.
    #[error("`{0}` is no name of a snapshot: 1 to 64 letters, digits, `-`, `_`, `.`, no `.` first")]
    BadName(String),
    /// There is no such snapshot.
    #[error("there is no snapshot `{0}`")]
    NoSnapshot(String),
    /// What a snapshot holds cannot be put back.
    #[error("the snapshot cannot be put back: {0}")]
    UnfitSnapshot(String),
    /// Something is under way that cannot even be cut off.
    #[error("still under way, although it was cut off: {}", .0.join(", "))]
    StillUnderWay(Vec<&'static str>),
    /// The clock would stand before something that was done.
    #[error(
        "the clock cannot go back to {}: the newest moment of the ledger is {}; reset first",
        reported(*moment), reported(*newest)
    )]
    ClockBack {
        /// Where it was to stand.
        moment: DateTime<Utc>,
        /// When something was last done.
        newest: DateTime<Utc>,
    },
    /// The seed cannot be read.
    #[error(transparent)]
    SeedText(#[from] SeedTextError),
    /// The seed was not loaded.
    #[error(transparent)]
    Seed(#[from] SeedError),
    /// The ledger gave no result. If it is [`LedgerError::Unknown`], it may have been done.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The ledger was changed, but what goes with it could not be brought up to date.
    #[error("the ledger was changed, but not all that goes with it: {0}; reset once more")]
    Halfway(LedgerError),
    /// The file system refused.
    #[error("the snapshots cannot be used: {0}")]
    Files(io::Error),
}

impl From<SeedConflict> for BenchError {
    fn from(conflict: SeedConflict) -> Self {
        Self::Seed(conflict.into())
    }
}

impl From<SnapshotError> for BenchError {
    fn from(error: SnapshotError) -> Self {
        match error {
            SnapshotError::Missing(name) => Self::NoSnapshot(name),
            SnapshotError::Unfit(why) => Self::UnfitSnapshot(why),
            SnapshotError::Unusable(error) => Self::Files(error),
        }
    }
}

impl From<StillUnderWay> for BenchError {
    fn from(StillUnderWay(what): StillUnderWay) -> Self {
        Self::StillUnderWay(what)
    }
}

/// The seeds that a reset loads again: those of the start and those that came since.
#[derive(Debug, Default)]
pub struct Seeds(Mutex<Vec<Remembered>>);

#[derive(Debug, Clone)]
struct Remembered {
    text: String,
    /// Made at the first reset, because hashing passwords is slow by design.
    plan: Option<SeedPlan>,
}

impl Seeds {
    fn lock(&self) -> MutexGuard<'_, Vec<Remembered>> {
        self.0.lock()
    }

    fn add(&self, text: String) {
        self.lock().push(Remembered { text, plan: None });
    }

    /// What they bring into a ledger that has nothing, in their order, loaded at this moment.
    async fn plans(&self, at: DateTime<Utc>) -> Result<Vec<SeedPlan>, BenchError> {
        let all = self.lock().clone();
        let mut plans = Vec::with_capacity(all.len());
        for (place, Remembered { text, plan }) in all.into_iter().enumerate() {
            plans.push(match plan {
                Some(plan) => plan,
                None => {
                    let plan = seed::plan(Seed::parse(&text)?, None).await?;
                    if let Some(remembered) = self.lock().get_mut(place) {
                        remembered.plan = Some(plan.clone());
                    }
                    plan
                }
            });
        }
        Ok(plans.into_iter().map(|plan| SeedPlan { at, ..plan }).collect())
    }
}

impl Service {
    pub(super) fn bench(&self) -> Result<&dyn TestBench, BenchError> {
        self.ledger.test_bench().ok_or(BenchError::NotATestLedger)
    }

    /// Remembers a seed that was loaded at the start, so that a reset loads it again.
    pub fn remember_seed(&self, text: String) {
        self.seeds.add(text);
    }

    /// Makes the ledger as it was after its seeds, with the same ids to come where ids are seeded,
    /// takes back every ordered fault, and puts the clock where it began. With `keep_sessions`,
    /// users and sessions stay. `forget` is called while nothing is under way.
    pub async fn reset(
        self: &Arc<Self>,
        keep_sessions: bool,
        forget: impl FnOnce() + Send + 'static,
    ) -> Result<(), BenchError> {
        self.in_turn(|service| async move {
            let bench = service.bench()?;
            let seeds = service.seeds.plans(service.clock.beginning()).await?;
            let _cleared = service.drain.clear().await?;
            bench.begin_anew(seeds, keep_sessions).await??;
            service.faults.clear();
            service.clock.reset();
            forget();
            service.begin_request_ids_anew().await.map_err(BenchError::Halfway)?;
            service.know_another_ledger().await
        })
        .await
    }

    /// Makes one account as it was after its seeds: what it had since is gone, and if no seed names
    /// it, so is the account. Calls that name it are given the time to end, as by a reset of all.
    pub async fn reset_account(self: &Arc<Self>, id: ObjectId) -> Result<(), BenchError> {
        self.in_turn(|service| async move {
            let bench = service.bench()?;
            let seeds = service.seeds.plans(service.clock.now()).await?;
            service.drain.clear_of(&id).await?;
            let is_known = bench.renew_account(id.clone(), seeds).await??;
            if is_known { Ok(()) } else { Err(BenchError::NoAccount(id)) }
        })
        .await
    }

    /// Loads a seed into the running ledger.
    pub async fn load_seed(
        self: &Arc<Self>,
        text: String,
        act: Act,
    ) -> Result<SeedReport, BenchError> {
        self.in_turn(|service| async move {
            service.bench()?;
            let seed = Seed::parse(&text)?;
            let report = seed::load(service.ledger.as_ref(), seed, act).await?;
            service.seeds.add(text);
            service.know_its_gateways().await.map_err(BenchError::Halfway)?;
            Ok(report)
        })
        .await
    }

    /// Saves the ledger as it is under a name, in the place of an earlier one of that name.
    pub async fn save_snapshot(self: &Arc<Self>, name: &str) -> Result<(), BenchError> {
        let name = self.of_snapshot(name)?;
        self.in_turn(|service| async move { Ok(service.bench()?.save(name).await??) }).await
    }

    /// Puts a snapshot in the place of everything that the ledger holds. Ordered faults and the
    /// journal stay, and so does the clock, unless the snapshot knows a later moment.
    pub async fn put_back_snapshot(self: &Arc<Self>, name: &str) -> Result<(), BenchError> {
        let name = self.of_snapshot(name)?;
        self.in_turn(|service| async move {
            let known = service.bench()?.snapshots().await??;
            if !known.iter().any(|snapshot| snapshot.name == name) {
                return Err(BenchError::NoSnapshot(name));
            }
            let _cleared = service.drain.clear().await?;
            service.bench()?.put_back(name).await??;
            catch_up(&service.clock, service.ledger.as_ref()).await.map_err(BenchError::Halfway)?;
            service.know_another_ledger().await
        })
        .await
    }

    /// Removes a snapshot.
    pub async fn drop_snapshot(self: &Arc<Self>, name: &str) -> Result<(), BenchError> {
        let name = self.of_snapshot(name)?;
        self.in_turn(|service| async move { Ok(service.bench()?.drop_snapshot(name).await??) })
            .await
    }

    /// The snapshots that there are, by name.
    pub async fn snapshots(&self) -> Result<Vec<Snapshot>, BenchError> {
        Ok(self.bench()?.snapshots().await??)
    }

    /// The name of a snapshot, where there can be any.
    fn of_snapshot(&self, name: &str) -> Result<String, BenchError> {
        self.bench()?;
        check_name(name).map(|()| name.to_owned())
    }

    /// The account of each object that is named by its id, as far as it is known; faults to order
    /// go by it, and they are not worth an error.
    pub async fn accounts_of(&self, ids: Vec<ObjectId>) -> VecDeque<Option<ObjectId>> {
        let (Ok(bench), false) = (self.bench(), ids.is_empty()) else {
            return VecDeque::new();
        };
        bench.accounts_of(ids).await.unwrap_or_default().into()
    }

    /// Ids that a caller may have meant who sent others.
    pub async fn known_ids(&self) -> Result<Vec<KnownId>, BenchError> {
        Ok(self.bench()?.known_ids().await?)
    }

    /// Opens a session in the name of a user, whose password the tester need not know; none if
    /// there is no such user.
    pub async fn session_of_user(&self, username: &str) -> Result<Option<String>, BenchError> {
        self.bench()?;
        let Some(user) = self.ledger.find_user(username).await? else { return Ok(None) };
        let now = self.clock.aged();
        let expired = self.sessions.surely_over_since(now);
        Ok(Some(self.ledger.open_session(user.key, now, expired).await?))
    }

    /// Does `work` when it is its turn, to its end, even if its caller goes away.
    async fn in_turn<T, F>(
        self: &Arc<Self>,
        work: impl FnOnce(Arc<Self>) -> F,
    ) -> Result<T, BenchError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, BenchError>> + Send + 'static,
    {
        let service = Arc::clone(self);
        let work = work(Arc::clone(self));
        let task = tokio::spawn(async move {
            let _turn = service.bench_turn.lock().await;
            work.await
        });
        let lost = |_| LedgerError::Unknown("the task ended early".to_owned());
        task.await.map_err(lost)?
    }

    /// Forgets what is kept in memory of a ledger that has changed as a whole: its sandboxes would
    /// take a refund whose id comes again for one that they have paid. Who listens, listens on.
    async fn know_another_ledger(&self) -> Result<(), BenchError> {
        self.leases.clear();
        self.sessions.forget();
        self.tokens.forget();
        self.login_guard.forget();
        self.processors.forget_sandboxes();
        self.know_its_gateways().await.map_err(BenchError::Halfway)?;
        self.look_for_left_gateways().await.map_err(BenchError::Halfway)?;
        self.register_webhooks().await.map_err(BenchError::Halfway)
    }

    async fn know_its_gateways(&self) -> Result<(), LedgerError> {
        self.processors.add_sandboxes(self.ledger.gateways().await?);
        Ok(())
    }
}

/// Refuses a name that no snapshot can have.
fn check_name(name: &str) -> Result<(), BenchError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let good = (1..=NAME_CHARS_MAX).contains(&name.len())
        && name.bytes().all(fits)
        && !name.starts_with('.');
    if good { Ok(()) } else { Err(BenchError::BadName(name.to_owned())) }
}
