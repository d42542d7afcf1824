//! The writer thread: takes what is waiting, does it in one transaction, commits, then replies.
//!
//! What must stay true: no reply of `Ok` before its commit returned; a reply that says "nothing
//! happened" only after a rollback that is certain; after a commit that failed in any other way
//! nobody is told anything, and nothing more is written until a restart has recovered the file.

use super::open::LedgerSettings;
use super::queue::{
    Job, Later, Lone, Task, alone, closed, ended_early, request, submit, submit_and,
};
use super::store::Store;
use crate::ledger::ticket::Ticket;
use crate::ledger::{LedgerError, LedgerStats, Reply};
use rusqlite::ErrorCode;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;

/// How long nothing must come before the log is written back.
const IDLE: Duration = Duration::from_secs(1);

/// The handle to the writer thread.
pub(super) struct Writer {
    /// Taken at the end, so that the thread sees that nothing more will come.
    queue: Option<mpsc::Sender<Job>>,
    counters: Arc<Counters>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Counters {
    commits: AtomicU64,
    committed_requests: AtomicU64,
    failures: AtomicU64,
    commit_us: AtomicU64,
}

impl Writer {
    /// Starts the thread on `store`.
    pub(super) fn start(store: Store, settings: &LedgerSettings) -> io::Result<Self> {
        let (queue, waiting) = mpsc::channel(settings.queue_max.max(1));
        let counters = Arc::new(Counters::default());
        let state = State {
            store,
            counters: Arc::clone(&counters),
            batch_max: settings.batch_max.max(1),
            lost: None,
            is_written_back: true,
        };
        let timer = Builder::new_current_thread().enable_time().build()?;
        let thread = thread::Builder::new()
            .name("ledger-writer".to_owned())
            .spawn(move || state.serve(waiting, &timer))?;
        Ok(Self { queue: Some(queue), counters, thread: Some(thread) })
    }

    /// Queues `work` of a client and replies when it is durable, or at once when too much is
    /// waiting. It may run several times, each time in a transaction that has not seen the earlier
    /// run.
    pub(super) fn submit<T, F>(&self, ticket: Option<Ticket>, work: F) -> Reply<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Store) -> rusqlite::Result<T> + Send + 'static,
    {
        submit(self.queue.as_ref(), ticket, work)
    }

    /// As [`Writer::submit`]; the writer passes each durable result to `once_durable`, in the order
    /// of the commits.
    pub(super) fn submit_and<T, F, C>(
        &self,
        ticket: Option<Ticket>,
        work: F,
        once_durable: C,
    ) -> Reply<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Store) -> rusqlite::Result<T> + Send + 'static,
        C: FnOnce(&T) + Send + 'static,
    {
        submit_and(self.queue.as_ref(), ticket, work, once_durable)
    }

    /// A way to the writer for work that is found while something else is awaited. It does not
    /// keep the writer from ending.
    pub(super) fn later(&self) -> Later {
        Later(self.queue.as_ref().map(mpsc::Sender::downgrade))
    }

    /// As [`Writer::submit`], for work of the gateway itself: it waits for room in the queue,
    /// however long that takes, because nobody would send it again.
    pub(super) fn submit_patiently<T, F>(&self, work: F) -> Reply<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Store) -> rusqlite::Result<T> + Send + 'static,
    {
        let (task, result) = request(None, work, |_| ());
        let queue = self.queue.clone();
        Box::pin(async move {
            let queue = queue.ok_or_else(closed)?;
            queue.send(Job::Batched(task)).await.map_err(|_| closed())?;
            drop(queue);
            result.await.map_err(|_| ended_early())?
        })
    }

    /// Queues `work` that replaces the file as a whole, so that it can be part of no transaction.
    /// After one of which nobody knows what it did, nothing more is written.
    pub(super) fn submit_alone<T, F>(&self, work: F) -> Reply<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Store) -> Result<T, LedgerError> + Send + 'static,
    {
        let (job, result) = alone(work);
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
            commit_us: read(&self.counters.commit_us),
        }
    }
}

impl Drop for Writer {
    /// Does what is waiting, ends the thread, and so closes the connection.
    fn drop(&mut self) {
        drop(self.queue.take());
        let ended = self.thread.take().map(JoinHandle::join);
        if ended.is_some_and(|result| result.is_err()) {
            tracing::error!("the ledger's writer ended by a panic");
        }
    }
}

type Batch = Vec<Box<dyn Task>>;

/// Why a transaction did not come to its end, in words for operators.
enum Failure {
    /// Rolled back for certain.
    RolledBack(String),
    /// Committed or not, nobody knows.
    Unknown(String),
}

struct State {
    store: Store,
    counters: Arc<Counters>,
    batch_max: usize,
    /// Set once a commit's outcome was lost: from then on nothing is written.
    lost: Option<String>,
    /// Nothing was done since the log was last written back while nothing waited.
    is_written_back: bool,
}

impl State {
    fn serve(mut self, mut waiting: mpsc::Receiver<Job>, timer: &Runtime) {
        while let Some(first) = self.next(&mut waiting, timer) {
            self.is_written_back = false;
            let mut batch: Batch = Vec::with_capacity(self.batch_max.min(waiting.len() + 1));
            let mut next = Some(first);
            while let Some(Job::Batched(task)) = next {
                batch.push(task);
                next = if batch.len() < self.batch_max { waiting.try_recv().ok() } else { None };
            }
            if !batch.is_empty() {
                self.do_batch(batch);
            }
            if let Some(Job::Alone(work)) = next {
                self.do_alone(work);
            }
        }
        self.store.close(self.lost.is_some());
    }

    /// The next job. While none comes, the log is written back, so that little is ever in the log
    /// alone.
    fn next(&mut self, waiting: &mut mpsc::Receiver<Job>, timer: &Runtime) -> Option<Job> {
        if self.is_written_back || self.lost.is_some() {
            return waiting.blocking_recv();
        }
        if let Ok(job) = waiting.try_recv() {
            return Some(job);
        }
        let next = timer.block_on(async { tokio::time::timeout(IDLE, waiting.recv()).await });
        next.unwrap_or_else(|_| {
            self.store.write_back();
            self.is_written_back = true;
            waiting.blocking_recv()
        })
    }

    fn do_alone(&mut self, work: Box<dyn Lone>) {
        let store = match &self.lost {
            Some(why) => Err(LedgerError::Unavailable(why.clone())),
            None => Ok(&mut self.store),
        };
        let lost = catch_unwind(AssertUnwindSafe(|| work(store)));
        if let Some(why) = lost.unwrap_or_else(|_| Some("a request made it panic".to_owned())) {
            self.counters.failures.fetch_add(1, Ordering::Relaxed);
            self.write_nothing_more(&why);
        }
    }

    fn write_nothing_more(&mut self, why: &str) {
        tracing::error!(why, "the outcome of a commit is unknown; restart to recover");
        self.lost = Some(format!("a commit failed ({why}); a restart recovers"));
    }

    /// Does a batch as one transaction. If any part of it fails, each request gets a transaction
    /// of its own, so that one bad request never takes others with it.
    ///
    /// Requests begin only once the transaction has: as long as another program holds the file,
    /// they can still be withdrawn.
    fn do_batch(&mut self, waiting: Batch) {
        if let Err(error) = self.begin() {
            return fail_all(waiting, &error);
        }
        let mut batch = begun(waiting);
        match self.finish(&mut batch) {
            Ok(()) => batch.into_iter().for_each(Task::succeed),
            Err(Failure::RolledBack(_)) if batch.len() > 1 => self.do_one_by_one(batch),
            Err(failure) => self.fail(batch, failure),
        }
    }

    fn do_one_by_one(&mut self, batch: Batch) {
        let mut rest = batch.into_iter();
        while let Some(task) = rest.next() {
            let mut alone = vec![task];
            if let Err(error) = self.begin() {
                // Whoever holds the file would keep each of the others waiting as well.
                alone.extend(rest);
                return fail_all(alone, &error);
            }
            match self.finish(&mut alone) {
                Ok(()) => alone.into_iter().for_each(Task::succeed),
                Err(failure) => self.fail(alone, failure),
            }
        }
    }

    fn begin(&mut self) -> Result<(), LedgerError> {
        if let Some(why) = &self.lost {
            return Err(LedgerError::Unavailable(why.clone()));
        }
        self.store.begin().map_err(|error| {
            tracing::error!(%error, "no transaction could be begun");
            self.counters.failures.fetch_add(1, Ordering::Relaxed);
            LedgerError::Unavailable(error.to_string())
        })
    }

    /// Does the work of a batch in the open transaction and commits it, or rolls it back.
    fn finish(&mut self, batch: &mut Batch) -> Result<(), Failure> {
        let result = match run_all(&mut self.store, batch) {
            Ok(()) => self.commit(batch.len()),
            Err(why) => Err(self.roll_back(why)),
        };
        if result.is_err() {
            self.counters.failures.fetch_add(1, Ordering::Relaxed);
        }
        result
    }

    fn fail(&mut self, batch: Batch, failure: Failure) {
        match failure {
            Failure::RolledBack(why) => {
                tracing::error!(why, "a transaction was rolled back");
                fail_all(batch, &LedgerError::Unavailable(why));
            }
            Failure::Unknown(why) => {
                self.write_nothing_more(&why);
                fail_all(batch, &LedgerError::Unknown(why));
            }
        }
    }

    fn commit(&mut self, requests: usize) -> Result<(), Failure> {
        let started = Instant::now();
        if let Err(error) = self.store.commit() {
            // A full disk or a busy file stops a commit before its last frame is in the log, so a
            // rollback is certain. After any other error the frame may or may not be there.
            let why = error.to_string();
            return Err(match error.sqlite_error_code() {
                Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy) => self.roll_back(why),
                _ => Failure::Unknown(why),
            });
        }
        let spent = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.counters.commit_us.fetch_add(spent, Ordering::Relaxed);
        self.counters.commits.fetch_add(1, Ordering::Relaxed);
        let requests = u64::try_from(requests).unwrap_or(u64::MAX);
        self.counters.committed_requests.fetch_add(requests, Ordering::Relaxed);
        Ok(())
    }

    fn roll_back(&mut self, why: String) -> Failure {
        match self.store.roll_back() {
            Ok(()) => Failure::RolledBack(why),
            Err(error) => {
                tracing::error!(%error, "a rollback failed");
                Failure::Unknown(why)
            }
        }
    }
}

/// Runs every task, up to the first that fails, and writes what they changed. One that panics has
/// failed like any other: what it left half done is rolled back.
fn run_all(store: &mut Store, batch: &mut Batch) -> Result<(), String> {
    let run = || {
        batch.iter_mut().try_for_each(|task| task.run(store))?;
        store.flush()
    };
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(done) => done.map_err(|error| error.to_string()),
        Err(_) => Err("a request made the program panic".to_owned()),
    }
}

/// Those of the batch that still want to be done; the others learn that they were withdrawn.
fn begun(batch: Batch) -> Batch {
    let (begun, withdrawn): (Batch, Batch) = batch.into_iter().partition(|task| task.begin());
    fail_all(withdrawn, &LedgerError::Withdrawn);
    begun
}

fn fail_all(batch: Batch, error: &LedgerError) {
    for task in batch {
        task.fail(error.clone());
    }
}
