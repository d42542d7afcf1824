//! The writer thread: takes what is waiting, does it in one transaction, commits, then replies.
//!
//! What must stay true: no reply of `Ok` before its commit returned; a reply that says "nothing
//! happened" only after a rollback that is certain; after a commit that failed in any other way
//! no result is reported, and nothing more is written until its outcome is known, or a restart has
//! recovered the ledger; and once the ledger was found damaged, nothing is begun or committed.

mod batch;
mod outcome;
mod turns;

use super::damage::Damage;
use super::engine::{CommitError, Engine, Load};
use super::queue::{
    Answer, Exclusive, Job, Later, Task, UseCase, alone, closed, ended_early, exclusive, plain,
    request, submit, submit_and,
};
use super::ticket::Ticket;
use super::{LedgerError, LedgerStats, Reply};
use prometheus_client::metrics::histogram::Histogram;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Instant;
use tokio::runtime::Builder;
use tokio::sync::mpsc;

use batch::{Batch, begun, fail_all, name_all, run_all};

pub(super) use turns::Turns;

/// The handle to the writer thread.
pub(super) struct Writer<E> {
    /// Taken at the end, so that the thread sees that nothing more will come.
    queue: Option<mpsc::Sender<Job<E>>>,
    counters: Arc<Counters>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Counters {
    commits: AtomicU64,
    committed_requests: AtomicU64,
    failures: AtomicU64,
    commit_durations: Histogram,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            commits: AtomicU64::default(),
            committed_requests: AtomicU64::default(),
            failures: AtomicU64::default(),
            commit_durations: LedgerStats::default().commit_durations,
        }
    }
}

impl<E: Engine> Writer<E> {
    /// Starts the thread on `engine`.
    pub(super) fn start(engine: E, load: Load, damage: Damage) -> io::Result<Self> {
        let (mut writer, turns) = Self::without_thread(engine, load, damage);
        let timer = Builder::new_current_thread().enable_time().build()?;
        let thread = thread::Builder::new()
            .name("ledger-writer".to_owned())
            .spawn(move || turns.take_all(&timer))?;
        writer.thread = Some(thread);
        Ok(writer)
    }

    /// A writer whose turns are for the caller to take.
    pub(super) fn without_thread(engine: E, load: Load, damage: Damage) -> (Self, Turns<E>) {
        let (queue, waiting) = mpsc::channel(load.queue_max.max(1));
        let counters = Arc::new(Counters::default());
        let state = State {
            engine,
            counters: Arc::clone(&counters),
            batch_max: load.batch_max.max(1),
            damage,
            is_rested: true,
            looked: Instant::now(),
        };
        let writer = Self { queue: Some(queue), counters, thread: None };
        (writer, Turns { state, waiting })
    }

    /// Queues `work` of a client and replies when it is durable, or at once when too much is
    /// waiting. It may run several times, each time in a transaction that has not seen the earlier
    /// run.
    pub(super) fn submit<T, F>(&self, ticket: Option<Ticket>, work: F) -> Reply<T>
    where
        T: Send + 'static,
        F: FnMut(&mut E) -> Result<T, E::Error> + Send + 'static,
    {
        submit(self.queue.as_ref(), ticket, work)
    }

    /// As [`Writer::submit`], for a use case, of which all that its request names is looked up with
    /// what the rest of the batch names.
    pub(super) fn submit_case<R, T>(&self, ticket: Option<Ticket>, case: UseCase<R, T>) -> Reply<T>
    where
        R: Send + 'static,
        T: Send + 'static,
    {
        self.submit_case_and(ticket, case, |_| ())
    }

    /// As [`Writer::submit_case`]; the writer passes each durable result to `once_durable`, in the
    /// order of the commits.
    pub(super) fn submit_case_and<R, T, C>(
        &self,
        ticket: Option<Ticket>,
        case: UseCase<R, T>,
        once_durable: C,
    ) -> Reply<T>
    where
        R: Send + 'static,
        T: Send + 'static,
        C: FnOnce(&T) + Send + 'static,
    {
        submit_and(self.queue.as_ref(), ticket, case, once_durable)
    }

    /// A way to the writer for work that is found while something else is awaited. It does not
    /// keep the writer from ending.
    pub(super) fn later(&self) -> Later<E> {
        Later(self.queue.as_ref().map(mpsc::Sender::downgrade))
    }

    /// As [`Writer::submit`], for work of the gateway itself: it waits for room in the queue,
    /// however long that takes, because no client would send it again.
    pub(super) fn submit_patiently<T, F>(&self, work: F) -> Reply<T>
    where
        T: Send + 'static,
        F: FnMut(&mut E) -> Result<T, E::Error> + Send + 'static,
    {
        self.wait_for_room(plain(work))
    }

    /// As [`Writer::submit_patiently`], for a use case.
    pub(super) fn submit_case_patiently<R, T>(&self, case: UseCase<R, T>) -> Reply<T>
    where
        R: Send + 'static,
        T: Send + 'static,
    {
        self.wait_for_room(request(None, case, |_| ()))
    }

    fn wait_for_room<T: Send + 'static>(
        &self,
        (task, result): (Box<dyn Task<E>>, Answer<T>),
    ) -> Reply<T> {
        let queue = self.queue.clone();
        Box::pin(async move {
            let queue = queue.ok_or_else(closed)?;
            queue.send(Job::Batched(task)).await.map_err(|_| closed())?;
            drop(queue);
            result.await.map_err(|_| ended_early())?
        })
    }

    /// Queues `work` that has a transaction of its own, which is rolled back if the work is
    /// refused. It waits for room in the queue.
    pub(super) fn submit_alone<T, R, F>(&self, work: F) -> Reply<Result<T, R>>
    where
        T: Send + 'static,
        R: Send + 'static,
        F: FnOnce(&mut E) -> Result<Result<T, R>, E::Error> + Send + 'static,
    {
        let (job, result) = alone(work);
        let queue = self.queue.clone();
        Box::pin(async move {
            queue.ok_or_else(closed)?.send(job).await.map_err(|_| closed())?;
            result.await.map_err(|_| ended_early())?
        })
    }

    /// Queues `work` that replaces the ledger as a whole, so that it can be part of no transaction.
    /// After one whose outcome is unknown, nothing more is written.
    pub(super) fn submit_exclusive<T, F>(&self, work: F) -> Reply<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut E) -> Result<T, LedgerError> + Send + 'static,
    {
        let (job, result) = exclusive(work);
        let queue = self.queue.clone();
        Box::pin(async move {
            queue.ok_or_else(closed)?.send(job).await.map_err(|_| closed())?;
            result.await.map_err(|_| ended_early())?
        })
    }

    /// Counters, and how much is waiting now.
    pub(super) fn stats(&self) -> LedgerStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let waiting = |queue: &mpsc::Sender<_>| queue.max_capacity() - queue.capacity();
        let waiting = self.queue.as_ref().map_or(0, waiting);
        LedgerStats {
            queued: u64::try_from(waiting).unwrap_or(u64::MAX),
            commits: read(&self.counters.commits),
            committed_requests: read(&self.counters.committed_requests),
            failures: read(&self.counters.failures),
            commit_durations: self.counters.commit_durations.clone(),
            ..LedgerStats::default()
        }
    }
}

impl<E> Drop for Writer<E> {
    /// Does what is waiting, ends the thread, and so closes the connection.
    fn drop(&mut self) {
        drop(self.queue.take());
        let ended = self.thread.take().map(JoinHandle::join);
        if ended.is_some_and(|result| result.is_err()) {
            tracing::error!("the ledger's writer ended by a panic");
        }
    }
}

/// How often a batch is done again that was rolled back because of what passes by itself.
const REPEATS_MAX: u32 = 3;

/// Why a transaction did not come to its end, in words for operators.
enum Failure {
    /// Rolled back for certain.
    RolledBack(String),
    /// Committed or not: it cannot be found out.
    Unknown(String),
}

struct State<E> {
    engine: E,
    counters: Arc<Counters>,
    batch_max: usize,
    /// Once there is some, or the outcome of a commit was lost, nothing is written.
    damage: Damage,
    /// Nothing was done since the engine last put itself in order.
    is_rested: bool,
    /// When it was last tried to find out what became of a commit whose outcome is unknown.
    looked: Instant,
}

impl<E: Engine> State<E> {
    fn do_exclusively(&mut self, work: Box<dyn Exclusive<E>>) {
        let engine = match self.refused() {
            Some(error) => Err(error),
            None => Ok(&mut self.engine),
        };
        let lost = catch_unwind(AssertUnwindSafe(|| work(engine)));
        if let Some(why) = lost.unwrap_or_else(|_| Some("a request made it panic".to_owned())) {
            self.counters.failures.fetch_add(1, Ordering::Relaxed);
            self.note_lost(&why);
        }
    }

    /// Does a batch as one transaction. If any part of it fails, each request gets a transaction
    /// of its own, so that one bad request never takes others with it.
    ///
    /// Requests begin only once the transaction has: as long as another program holds the file,
    /// they can still be withdrawn.
    fn do_batch(&mut self, waiting: Batch<E>) {
        if let Err(error) = self.begin(&waiting) {
            return fail_all(waiting, &error);
        }
        let mut batch = begun(waiting);
        match self.finish_or_repeat(&mut batch) {
            Ok(()) => batch.into_iter().for_each(Task::succeed),
            Err(Failure::RolledBack(_)) if batch.len() > 1 => self.do_one_by_one(batch),
            Err(failure) => self.fail(batch, failure),
        }
    }

    fn do_one_by_one(&mut self, batch: Batch<E>) {
        let mut rest = batch.into_iter();
        while let Some(task) = rest.next() {
            let mut alone = vec![task];
            if let Err(error) = self.begin(&alone) {
                // A program that holds the file would keep each of the others waiting as well.
                alone.extend(rest);
                return fail_all(alone, &error);
            }
            match self.finish_or_repeat(&mut alone) {
                Ok(()) => alone.into_iter().for_each(Task::succeed),
                Err(failure) => self.fail(alone, failure),
            }
        }
    }

    fn begin(&mut self, batch: &Batch<E>) -> Result<(), LedgerError> {
        if let Some(error) = self.refused() {
            return Err(error);
        }
        self.engine.begin_for(|needs| name_all(batch, needs)).map_err(|error| {
            if E::is_damage(&error) {
                self.damage.note(&error.to_string());
            }
            tracing::error!(%error, "no transaction could be begun");
            self.counters.failures.fetch_add(1, Ordering::Relaxed);
            self.rolled_back(error.to_string())
        })
    }

    /// As [`State::finish`]. A batch that was rolled back because of what passes by itself is done
    /// again, all of it and from its decisions on, a few times.
    fn finish_or_repeat(&mut self, batch: &mut Batch<E>) -> Result<(), Failure> {
        let mut finished = self.finish(batch);
        for _ in 0..REPEATS_MAX {
            let is_repeatable = batch.iter().all(|task| task.is_repeatable());
            match &finished {
                Err(Failure::RolledBack(_)) if is_repeatable && self.engine.is_passing() => {}
                _ => break,
            }
            match self.begin(batch) {
                Ok(()) => finished = self.finish(batch),
                Err(error) => return Err(Failure::RolledBack(error.to_string())),
            }
        }
        finished
    }

    /// Does the work of a batch in the open transaction and commits it, or rolls it back.
    fn finish(&mut self, batch: &mut Batch<E>) -> Result<(), Failure> {
        let result = match run_all(&mut self.engine, batch, &self.damage) {
            Ok(()) if batch.iter().any(|task| task.is_refused()) => {
                return match self.roll_back("it was refused".to_owned()) {
                    Failure::RolledBack(_) => Ok(()),
                    unknown @ Failure::Unknown(_) => Err(unknown),
                };
            }
            Ok(()) => self.commit(batch.len()),
            Err(why) => Err(self.roll_back(why)),
        };
        if result.is_err() {
            self.counters.failures.fetch_add(1, Ordering::Relaxed);
        }
        result
    }

    fn fail(&mut self, batch: Batch<E>, failure: Failure) {
        match failure {
            Failure::RolledBack(why) => {
                tracing::error!(why, "a transaction was rolled back");
                fail_all(batch, &self.rolled_back(why));
            }
            Failure::Unknown(why) => {
                self.note_lost(&why);
                fail_all(batch, &LedgerError::Unknown(why));
            }
        }
    }

    fn commit(&mut self, requests: usize) -> Result<(), Failure> {
        if let Some(error) = self.refused() {
            return Err(self.roll_back(error.to_string()));
        }
        let started = Instant::now();
        match self.engine.commit() {
            Ok(()) => {}
            Err(CommitError::RolledBack(why)) => return Err(self.roll_back(why)),
            Err(CommitError::Unknown(why)) => return Err(Failure::Unknown(why)),
        }
        self.counters.commit_durations.observe(started.elapsed().as_secs_f64());
        self.counters.commits.fetch_add(1, Ordering::Relaxed);
        let requests = u64::try_from(requests).unwrap_or(u64::MAX);
        self.counters.committed_requests.fetch_add(requests, Ordering::Relaxed);
        Ok(())
    }

    fn roll_back(&mut self, why: String) -> Failure {
        match self.engine.roll_back() {
            Ok(()) => Failure::RolledBack(why),
            Err(error) => {
                tracing::error!(%error, "a rollback failed");
                Failure::Unknown(why)
            }
        }
    }
}
