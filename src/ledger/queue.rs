//! What waits for the writer thread, and how its results find their way back.
//!
//! What must stay true: every waiting request gets one result, or its channel closes because the
//! thread ended; work of a client never waits for room in the queue.

use super::books::BooksError;
use super::engine::Engine;
use super::ticket::Ticket;
use super::unit::Unit;
use super::work::naming::Needs;
use super::{LedgerError, Reply};
use tokio::sync::{mpsc, oneshot};

/// What is queued.
pub(super) enum Job<E> {
    /// It shares a transaction with whatever else is waiting.
    Batched(Box<dyn Task<E>>),
    /// It has a transaction of its own.
    Alone(Box<dyn Task<E>>),
    /// It needs the engine for itself, outside any transaction. Given an error, it only reports
    /// that it was not done.
    Exclusive(Box<dyn Exclusive<E>>),
}

/// Work outside any transaction, given the engine or why it may not be done. What it returns is why
/// it is unknown what the ledger holds now, if that is so.
pub(super) trait Exclusive<E>:
    FnOnce(Result<&mut E, LedgerError>) -> Option<String> + Send
{
}

impl<E, F: FnOnce(Result<&mut E, LedgerError>) -> Option<String> + Send> Exclusive<E> for F {}

/// One request to the writer, which may be done more than once until it is committed.
pub(super) trait Task<E: Engine>: Send {
    /// Whether it still wants to be done; from here on it cannot be withdrawn.
    fn begin(&self) -> bool;
    /// What it names, to be looked up for all requests of a batch before any of them is run.
    fn name<'r>(&'r self, _needs: &mut Needs<'r>) {}
    /// Does the work inside the open transaction.
    fn run(&mut self, engine: &mut E) -> Result<(), E::Error>;
    /// Whether it can be done again after its transaction was rolled back.
    fn is_repeatable(&self) -> bool {
        true
    }
    /// Whether the last run came to a refusal, for which the transaction has to be rolled back.
    fn is_refused(&self) -> bool {
        false
    }
    /// Reports the result of the last run, which is durable, or a refusal.
    fn succeed(self: Box<Self>);
    /// Reports that there is none.
    fn fail(self: Box<Self>, error: LedgerError);
}

/// Where the result of a job will arrive.
pub(super) type Answer<T> = oneshot::Receiver<Result<T, LedgerError>>;

/// What the writer does for a request.
pub(super) trait Work<E: Engine>: Send {
    /// What it comes to.
    type Done: Send;
    /// What the request names.
    fn name<'r>(&'r self, _needs: &mut Needs<'r>) {}
    /// Does it inside the open transaction.
    fn run(&mut self, engine: &mut E) -> Result<Self::Done, E::Error>;
}

/// Work that names nothing.
struct Plain<F>(F);

impl<E, T, F> Work<E> for Plain<F>
where
    E: Engine,
    T: Send,
    F: FnMut(&mut E) -> Result<T, E::Error> + Send,
{
    type Done = T;

    fn run(&mut self, engine: &mut E) -> Result<T, E::Error> {
        (self.0)(engine)
    }
}

/// A use case and its request, whatever the engine.
pub(super) struct UseCase<R, T> {
    request: R,
    name: for<'r> fn(&'r R, &mut Needs<'r>),
    decide: fn(&mut Unit<'_>, &R) -> Result<T, BooksError>,
}

impl<R, T> UseCase<R, T> {
    /// What is to be done with `request`, and what it names.
    pub(super) const fn new(
        request: R,
        name: for<'r> fn(&'r R, &mut Needs<'r>),
        decide: fn(&mut Unit<'_>, &R) -> Result<T, BooksError>,
    ) -> Self {
        Self { request, name, decide }
    }
}

impl<E: Engine, R: Send, T: Send> Work<E> for UseCase<R, T> {
    type Done = T;

    fn name<'r>(&'r self, needs: &mut Needs<'r>) {
        (self.name)(&self.request, needs);
    }

    fn run(&mut self, engine: &mut E) -> Result<T, E::Error> {
        engine.work(|unit| (self.decide)(unit, &self.request))
    }
}

struct Request<T, W, C> {
    ticket: Option<Ticket>,
    work: W,
    result: Option<T>,
    /// What the writer does first with a result that is durable; it must not wait.
    once_durable: C,
    reply: oneshot::Sender<Result<T, LedgerError>>,
}

impl<E, T, W, C> Task<E> for Request<T, W, C>
where
    E: Engine,
    T: Send,
    W: Work<E, Done = T>,
    C: FnOnce(&T) + Send,
{
    fn begin(&self) -> bool {
        self.ticket.as_ref().is_none_or(Ticket::begin)
    }

    fn name<'r>(&'r self, needs: &mut Needs<'r>) {
        self.work.name(needs);
    }

    fn run(&mut self, engine: &mut E) -> Result<(), E::Error> {
        self.result = Some(self.work.run(engine)?);
        Ok(())
    }

    fn succeed(self: Box<Self>) {
        if let Some(result) = self.result {
            (self.once_durable)(&result);
            // The caller may have stopped waiting; the work is done all the same.
            let _ = self.reply.send(Ok(result));
        }
    }

    fn fail(self: Box<Self>, error: LedgerError) {
        let _ = self.reply.send(Err(error));
    }
}

/// Work with a transaction of its own, which is rolled back if the work is refused. It is done once
/// at most.
struct Alone<T, R, F> {
    work: Option<F>,
    result: Option<Result<T, R>>,
    reply: oneshot::Sender<Result<Result<T, R>, LedgerError>>,
}

impl<E, T, R, F> Task<E> for Alone<T, R, F>
where
    E: Engine,
    T: Send,
    R: Send,
    F: FnOnce(&mut E) -> Result<Result<T, R>, E::Error> + Send,
{
    fn begin(&self) -> bool {
        true
    }

    fn is_repeatable(&self) -> bool {
        false
    }

    fn run(&mut self, engine: &mut E) -> Result<(), E::Error> {
        if let Some(work) = self.work.take() {
            self.result = Some(work(engine)?);
        }
        Ok(())
    }

    fn is_refused(&self) -> bool {
        matches!(self.result, Some(Err(_)))
    }

    fn succeed(self: Box<Self>) {
        if let Some(result) = self.result {
            let _ = self.reply.send(Ok(result));
        }
    }

    fn fail(self: Box<Self>, error: LedgerError) {
        let _ = self.reply.send(Err(error));
    }
}

/// A job with a transaction of its own, and where its result will arrive.
pub(super) fn alone<E, T, R, F>(work: F) -> (Job<E>, Answer<Result<T, R>>)
where
    E: Engine,
    T: Send + 'static,
    R: Send + 'static,
    F: FnOnce(&mut E) -> Result<Result<T, R>, E::Error> + Send + 'static,
{
    let (reply, result) = oneshot::channel();
    (Job::Alone(Box::new(Alone { work: Some(work), result: None, reply })), result)
}

/// A way to the writer that does not keep it from ending.
pub(super) struct Later<E>(pub(super) Option<mpsc::WeakSender<Job<E>>>);

impl<E: Engine> Later<E> {
    /// Queues work, if there is room and the writer has not ended.
    pub(super) fn submit<T, F>(&self, work: F) -> Reply<T>
    where
        T: Send + 'static,
        F: FnMut(&mut E) -> Result<T, E::Error> + Send + 'static,
    {
        let queue = self.0.as_ref().and_then(mpsc::WeakSender::upgrade);
        submit(queue.as_ref(), None, work)
    }
}

/// Queues work, if there is room.
pub(super) fn submit<E, T, F>(
    queue: Option<&mpsc::Sender<Job<E>>>,
    ticket: Option<Ticket>,
    work: F,
) -> Reply<T>
where
    E: Engine,
    T: Send + 'static,
    F: FnMut(&mut E) -> Result<T, E::Error> + Send + 'static,
{
    submit_and(queue, ticket, Plain(work), |_| ())
}

/// As [`submit`]; the writer passes the result to `once_durable` before anything that it commits
/// later, and so in the order of the commits.
pub(super) fn submit_and<E, W, C>(
    queue: Option<&mpsc::Sender<Job<E>>>,
    ticket: Option<Ticket>,
    work: W,
    once_durable: C,
) -> Reply<W::Done>
where
    E: Engine,
    W: Work<E, Done: 'static> + 'static,
    C: FnOnce(&W::Done) + Send + 'static,
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

/// A job that needs the engine for itself, and where its result will arrive.
pub(super) fn exclusive<E, T, F>(work: F) -> (Job<E>, Answer<T>)
where
    E: Engine,
    T: Send + 'static,
    F: FnOnce(&mut E) -> Result<T, LedgerError> + Send + 'static,
{
    let (reply, result) = oneshot::channel();
    let job = Job::Exclusive(Box::new(move |engine: Result<&mut E, LedgerError>| {
        let done = engine.and_then(work);
        let lost = match &done {
            Err(LedgerError::Unknown(why)) => Some(why.clone()),
            _ => None,
        };
        // The caller may have stopped waiting; the work is done all the same.
        let _ = reply.send(done);
        lost
    }));
    (job, result)
}

/// Work of the gateway itself, and where its result will arrive.
pub(super) fn plain<E, T, F>(work: F) -> (Box<dyn Task<E>>, Answer<T>)
where
    E: Engine,
    T: Send + 'static,
    F: FnMut(&mut E) -> Result<T, E::Error> + Send + 'static,
{
    request(None, Plain(work), |_| ())
}

/// A request, and where its result will arrive.
pub(super) fn request<E, W, C>(
    ticket: Option<Ticket>,
    work: W,
    once_durable: C,
) -> (Box<dyn Task<E>>, Answer<W::Done>)
where
    E: Engine,
    W: Work<E, Done: 'static> + 'static,
    C: FnOnce(&W::Done) + Send + 'static,
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
