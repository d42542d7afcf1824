//! What goes to the server over a connection and comes back: exchanges that are on their way
//! together, each bounded in time.
//!
//! What must stay true: statements reach the server in the order in which they were given; what was
//! left to be written is sent no later than with the next question.

use super::fault::PostgresError;
use super::link::{Bindable, Link, late};
use super::pending::Pending;
use super::waiter::Waiter;
use futures_core::Stream;
use std::future::poll_fn;
use std::ops::ControlFlow;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;
use tokio::time::timeout;
use tokio_postgres::{Client, Row, Statement};

/// COMMIT of a transaction that has failed is answered as if it were well, by a ROLLBACK that the
/// client does not show; a statement before it is not.
const COMMIT: &str = "select; commit";

type Wrong = tokio_postgres::Error;
type Exchange<'e> = Pin<Box<dyn Future<Output = Result<Reply, Wrong>> + 'e>>;

/// What an exchange brought.
enum Reply {
    Count,
    Rows(Vec<Row>),
}

impl Link {
    /// Leaves a statement to be sent with what follows, or sends all that was left if that is much.
    pub(super) fn leave(&mut self, pending: Pending) -> Result<(), PostgresError> {
        const ROWS_MAX: u64 = 4_096;
        self.foreseen.clear();
        self.pending.push(pending);
        let rows: u64 = self.pending.iter().map(|pending| pending.rows).sum();
        if rows > ROWS_MAX { self.send() } else { Ok(()) }
    }

    /// Sends what was left and asks for what is foreseen, if there is any of either.
    pub(super) fn send(&mut self) -> Result<(), PostgresError> {
        if self.pending.is_empty() && self.foreseen.is_silent() {
            return Ok(());
        }
        self.exchange(|_| None).map(|_| ())
    }

    /// Forgets what was left: its transaction is rolled back.
    pub(super) fn forget(&mut self) {
        self.pending.clear();
        self.end_turn();
        (self.failure, self.wrote_world) = (None, false);
    }

    /// Sends what was left and asks for rows, in one round trip.
    pub(super) fn ask(
        &mut self,
        statement: &Statement,
        values: &[Bindable<'_>],
    ) -> Result<Vec<Row>, PostgresError> {
        self.exchange(|client| {
            Some(Box::pin(async move { client.query(statement, values).await.map(Reply::Rows) }))
        })
    }

    /// Asks for rows, each of which is taken as it comes, until that says that it is enough. What
    /// was left to be written is sent before.
    pub(super) fn each(
        &mut self,
        statement: &Statement,
        values: &[Bindable<'_>],
        take: &mut dyn FnMut(&Row) -> ControlFlow<()>,
    ) -> Result<(), PostgresError> {
        self.send()?;
        let Self { client, runtime, patience, .. } = self;
        let asked = client.query_raw(statement, values.iter().copied());
        let asked = runtime.block_on(async { timeout(*patience, asked).await });
        let mut rows = pin!(asked.map_err(|_| late())??);
        loop {
            let next = poll_fn(|context| rows.as_mut().poll_next(context));
            let next = runtime.block_on(async { timeout(*patience, next).await });
            match next.map_err(|_| late())?.transpose()? {
                Some(row) if take(&row).is_continue() => {}
                _ => return Ok(()),
            }
        }
    }

    /// Sends what was left, and runs statements without values behind it.
    pub(super) fn run<'l>(&'l mut self, statements: &'l str) -> Result<(), PostgresError> {
        self.end_turn();
        let ran = self.exchange(|client| {
            let run = client.batch_execute(statements);
            Some(Box::pin(async move { run.await.map(|()| Reply::Count) }))
        });
        ran.map(|_| ())
    }

    /// Sends what was left and COMMIT, in one round trip: after an error in the first the second
    /// fails as well. Where the connection is lost, the server may have done it.
    pub(super) fn commit(&mut self) -> Result<(), PostgresError> {
        self.run(COMMIT)
    }

    /// What was found may change from now on.
    fn end_turn(&mut self) {
        self.foreseen.is_in_turn = false;
        self.foreseen.clear();
    }

    /// Sends what was left, does what `last` makes after it, and asks for what is foreseen.
    fn exchange<'e>(
        &'e mut self,
        last: impl FnOnce(&'e Client) -> Option<Exchange<'e>>,
    ) -> Result<Vec<Row>, PostgresError> {
        #[cfg(test)]
        {
            self.trips += 1;
        }
        let Self { client, runtime, pending, foreseen, patience, .. } = self;
        let client = &*client;
        let pending = std::mem::take(pending);
        let questions = foreseen.take_questions();
        let written = pending.iter().map(|one| -> Exchange<'_> {
            Box::pin(async move {
                let values = one.values.iter().map(|value| -> Bindable<'_> { &**value });
                client.execute_raw(&one.statement, values).await.map(|_| Reply::Count)
            })
        });
        let asked = questions.iter().map(|one| -> Exchange<'_> {
            Box::pin(
                async move { client.query(&one.statement, &one.bound()).await.map(Reply::Rows) },
            )
        });
        let last = last(client);
        let is_last = last.is_some();
        let exchanges = written.chain(last).chain(asked).collect();
        let mut replies = together(runtime, *patience, exchanges)?.into_iter();
        for one in &pending {
            if let Some(Err(error)) = replies.next() {
                return Err(one.fault(error));
            }
        }
        let last = if is_last { replies.next().transpose()? } else { None };
        for question in questions {
            if let Some(Reply::Rows(rows)) = replies.next().transpose()? {
                foreseen.answer(question, rows)?;
            }
        }
        match last {
            Some(Reply::Rows(rows)) => Ok(rows),
            Some(Reply::Count) | None => Ok(Vec::new()),
        }
    }
}

/// Has all exchanges on their way before the first answer is awaited. Each is begun in the order
/// given, and so are its messages; behind one that could not be sent, none is.
fn together(
    runtime: &Waiter,
    patience: Duration,
    exchanges: Vec<Exchange<'_>>,
) -> Result<Vec<Result<Reply, Wrong>>, PostgresError> {
    let mut running: Vec<_> = exchanges.into_iter().map(|exchange| (exchange, None)).collect();
    let mut is_first_round = true;
    let all = poll_fn(|context| {
        let (mut is_done, mut sent) = (true, running.len());
        for (place, (exchange, reply)) in running.iter_mut().enumerate() {
            if reply.is_some() {
                continue;
            }
            match exchange.as_mut().poll(context) {
                Poll::Ready(ready) => {
                    let is_unsent = is_first_round && ready.is_err();
                    *reply = Some(ready);
                    if is_unsent {
                        sent = place + 1;
                        break;
                    }
                }
                Poll::Pending => is_done = false,
            }
        }
        is_first_round = false;
        running.truncate(sent);
        if is_done { Poll::Ready(()) } else { Poll::Pending }
    });
    runtime.block_on(async { timeout(patience, all).await }).map_err(|_| late())?;
    Ok(running.into_iter().filter_map(|(_, reply)| reply).collect())
}
