//! What waits for the writer thread, and how its results find their way back.
//!
//! What must stay true: whoever waits is told exactly once, or the channel closes because the
//! thread ended; work of a client never waits for room in the queue.

use super::store::Store;
use crate::ledger::ticket::Ticket;
use crate::ledger::{LedgerError, Reply};
use tokio::sync::{mpsc, oneshot};

/// What is queued.
pub(super) enum Job {
    /// It shares a transaction with whatever else is waiting.
    Batched(Box<dyn Task>),
    /// It needs the connection for itself, outside any transaction. Given an error, it only tells
    /// that it was not done.
    Alone(Box<dyn Lone>),
}

/// Work that is told whether it may be done. What it gives back is why nobody knows any more what
/// the file holds, if that is so.
pub(super) trait Lone:
    FnOnce(Result<&mut Store, LedgerError>) -> Option<String> + Send
{
}

impl<F: FnOnce(Result<&mut Store, LedgerError>) -> Option<String> + Send> Lone for F {}

/// One request to the writer, which may be done more than once until it is committed.
pub(super) trait Task: Send {
    /// Whether it still wants to be done; from here on it cannot be withdrawn.
    fn begin(&self) -> bool;
    /// Does the work inside the open transaction.
    fn run(&mut self, store: &mut Store) -> rusqlite::Result<()>;
    /// Tells the result of the last run, which is durable.
    fn succeed(self: Box<Self>);
    /// Tells that there is none.
    fn fail(self: Box<Self>, error: LedgerError);
}

struct Request<T, F, C> {
    ticket: Option<Ticket>,
    work: F,
    result: Option<T>,
    /// What the writer does first with a result that is durable; it must not wait.
    once_durable: C,
    reply: oneshot::Sender<Result<T, LedgerError>>,
}

impl<T, F, C> Task for Request<T, F, C>
where
    T: Send,
    F: FnMut(&mut Store) -> rusqlite::Result<T> + Send,
    C: FnOnce(&T) + Send,
{
    fn begin(&self) -> bool {
        self.ticket.as_ref().is_none_or(Ticket::begin)
    }

    fn run(&mut self, store: &mut Store) -> rusqlite::Result<()> {
        self.result = Some((self.work)(store)?);
        Ok(())
    }

    fn succeed(self: Box<Self>) {
        if let Some(result) = self.result {
            (self.once_durable)(&result);
            // Nobody may be waiting any more; the work is done all the same.
            let _ = self.reply.send(Ok(result));
        }
    }

    fn fail(self: Box<Self>, error: LedgerError) {
        let _ = self.reply.send(Err(error));
    }
}

/// A way to the writer that does not keep it from ending.
pub(super) struct Later(pub(super) Option<mpsc::WeakSender<Job>>);

impl Later {
    /// Queues work, if there is room and the writer has not ended.
    pub(super) fn submit<T, F>(&self, work: F) -> Reply<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Store) -> rusqlite::Result<T> + Send + 'static,
    {
        let queue = self.0.as_ref().and_then(mpsc::WeakSender::upgrade);
        submit(queue.as_ref(), None, work)
    }
}

/// Queues work, if there is room.
pub(super) fn submit<T, F>(
    queue: Option<&mpsc::Sender<Job>>,
    ticket: Option<Ticket>,
    work: F,
) -> Reply<T>
where
    T: Send + 'static,
    F: FnMut(&mut Store) -> rusqlite::Result<T> + Send + 'static,
{
    submit_and(queue, ticket, work, |_| ())
}

/// As [`submit`]; the writer passes the result to `once_durable` before anything that it commits
/// later, and so in the order of the commits.
pub(super) fn submit_and<T, F, C>(
    queue: Option<&mpsc::Sender<Job>>,
    ticket: Option<Ticket>,
    work: F,
    once_durable: C,
) -> Reply<T>
where
    T: Send + 'static,
    F: FnMut(&mut Store) -> rusqlite::Result<T> + Send + 'static,
    C: FnOnce(&T) + Send + 'static,
{
    let (task, result) = request(ticket, work, once_durable);
    let queued = queue.ok_or_else(closed).and_then(|queue| {
        queue.try_send(Job::Batched(task)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => LedgerError::Busy,
            mpsc::error::TrySendError::Closed(_) => closed(),
        })
    });
    Box::pin(async move {
        queued?;
        result.await.map_err(|_| ended_early())?
    })
}

/// A job that needs the connection for itself, and where its result will be told.
pub(super) fn alone<T, F>(work: F) -> (Job, oneshot::Receiver<Result<T, LedgerError>>)
where
    T: Send + 'static,
    F: FnOnce(&mut Store) -> Result<T, LedgerError> + Send + 'static,
{
    let (reply, result) = oneshot::channel();
    let job = Job::Alone(Box::new(move |store: Result<&mut Store, LedgerError>| {
        let done = store.and_then(work);
        let lost = match &done {
            Err(LedgerError::Unknown(why)) => Some(why.clone()),
            _ => None,
        };
        // Nobody may be waiting any more; the work is done all the same.
        let _ = reply.send(done);
        lost
    }));
    (job, result)
}

/// A request, and where its result will be told.
pub(super) fn request<T, F, C>(
    ticket: Option<Ticket>,
    work: F,
    once_durable: C,
) -> (Box<dyn Task>, oneshot::Receiver<Result<T, LedgerError>>)
where
    T: Send + 'static,
    F: FnMut(&mut Store) -> rusqlite::Result<T> + Send + 'static,
    C: FnOnce(&T) + Send + 'static,
{
    let (reply, result) = oneshot::channel();
    (Box::new(Request { ticket, work, result: None, once_durable, reply }), result)
}

pub(super) fn closed() -> LedgerError {
    LedgerError::Unavailable("the ledger is closed".to_owned())
}

pub(super) fn ended_early() -> LedgerError {
    LedgerError::Unknown("the writer ended early".to_owned())
}
