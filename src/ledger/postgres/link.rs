//! One connection to PostgreSQL, driven by the writer's thread: exchanges that are on their way
//! together, each bounded in time, and prepared statements.
//!
//! What must stay true: statements reach the server in the order in which they were given; what was
//! left to be written is sent no later than with the next question.

use super::address::Address;
use super::fault::{Kind, PostgresError};
use super::pending::Pending;
use super::purpose::{Purpose, Use};
use super::schema::{self, Catalogue};
use super::settings::{
    self, ABOUT, BE_ALONE, CAUTIONS, EXCHANGE_MAX, JOIN, LONGEST, MOVING, READING, SESSION,
    SHARING, SHARING_MAX, WRITING,
};
use super::values::is_understood;
use super::waiter::Waiter;
use crate::ledger::books::BooksError;
use futures_core::Stream;
use std::collections::HashMap;
use std::future::poll_fn;
use std::ops::ControlFlow;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Statement};

/// COMMIT of a transaction that has failed is answered as if it were well, by a ROLLBACK that the
/// client does not show; a statement before it is not.
const COMMIT: &str = "select; commit";

/// How many statements of readers stay prepared.
const TEXTS_MAX: usize = 256;

/// A value of a statement.
pub(super) type Bindable<'v> = &'v (dyn ToSql + Sync);

type Wrong = tokio_postgres::Error;
type Exchange<'e> = Pin<Box<dyn Future<Output = Result<Reply, Wrong>> + 'e>>;

/// What an exchange brought.
enum Reply {
    Count,
    Rows(Vec<Row>),
}

/// A connection.
pub(super) struct Link {
    client: Client,
    /// Passes messages between the client and the socket.
    driver: AbortHandle,
    runtime: Arc<Waiter>,
    statements: HashMap<Purpose, Statement>,
    /// Those of readers, by their texts.
    texts: HashMap<String, Statement>,
    pending: Vec<Pending>,
    /// The types of all columns.
    pub(super) catalogue: Catalogue,
    /// What went wrong last while rows were found or taken.
    failure: Option<PostgresError>,
    /// How long one exchange may take.
    patience: Duration,
    /// Rows were written that hold for every request.
    pub(super) wrote_world: bool,
    /// How often the server was waited for.
    #[cfg(test)]
    pub(super) trips: u32,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Link {
    /// Connects to the first host that takes writes.
    pub(super) fn connect(
        runtime: &Arc<Waiter>,
        address: &Address,
        wanted: Use,
    ) -> Result<Self, PostgresError> {
        let made = async {
            let (client, connection) = address.config.connect(address.trust.clone()).await?;
            let ended = async {
                if let Err(error) = connection.await {
                    let error = PostgresError::from(error);
                    tracing::warn!(%error, "a connection to PostgreSQL ended");
                }
            };
            let driver = tokio::spawn(ended).abort_handle();
            client.batch_execute(SESSION).await?;
            settings::check(&client.query_one(ABOUT, &[]).await?)?;
            match wanted {
                Use::Reading { .. } => client.batch_execute(READING).await?,
                Use::Sharing => client.batch_execute(SHARING).await?,
                Use::Saving => {}
                Use::Moving { is_made } => {
                    client.batch_execute(MOVING).await.map_err(in_use)?;
                    if is_made {
                        schema::bring_up_to_date(&client, true).await?;
                    }
                }
                Use::Writing { is_alone } => {
                    let joined = client.batch_execute(if is_alone { BE_ALONE } else { JOIN }).await;
                    joined.map_err(not_alone)?;
                    client.batch_execute(WRITING).await?;
                }
                Use::Opening { is_made } => {
                    client.batch_execute(JOIN).await.map_err(not_alone)?;
                    schema::bring_up_to_date(&client, is_made).await?;
                    client.batch_execute(WRITING).await?;
                    for caution in settings::cautions(&client.query_one(CAUTIONS, &[]).await?)? {
                        tracing::warn!("{caution}");
                    }
                }
            }
            let catalogue = schema::read(&client).await?;
            Ok((client, driver, catalogue))
        };
        let made = runtime.block_on(async { timeout(EXCHANGE_MAX, made).await });
        let made: Result<_, PostgresError> = made.unwrap_or_else(|_| Err(late()));
        let (client, driver, catalogue) =
            made.map_err(|error| error.while_doing(&format!("cannot use {address}")))?;
        Ok(Self {
            client,
            driver,
            runtime: Arc::clone(runtime),
            statements: HashMap::new(),
            texts: HashMap::new(),
            pending: Vec::new(),
            catalogue,
            failure: None,
            patience: match wanted {
                Use::Reading { is_long: true } | Use::Moving { .. } | Use::Saving => LONGEST,
                Use::Sharing => SHARING_MAX,
                _ => EXCHANGE_MAX,
            },
            wrote_world: false,
            #[cfg(test)]
            trips: 0,
        })
    }

    /// Whether what it is for may take as long as it does, and so may bring any number of rows.
    pub(super) fn is_patient(&self) -> bool {
        self.patience == LONGEST
    }

    /// Whether the server has ended the connection, as far as this machine knows.
    pub(super) fn has_ended(&self) -> bool {
        // What has arrived meanwhile is looked at between two turns of the driver.
        self.runtime.block_on(async {
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
        });
        self.client.is_closed()
    }

    /// The statement for a purpose, prepared once in the life of the connection.
    pub(super) fn prepare(
        &mut self,
        purpose: Purpose,
        make: impl FnOnce(&Catalogue) -> Result<String, PostgresError>,
    ) -> Result<Statement, PostgresError> {
        if let Some(statement) = self.statements.get(&purpose) {
            return Ok(statement.clone());
        }
        let text = make(&self.catalogue)?;
        let prepared = async { timeout(EXCHANGE_MAX, self.client.prepare(&text)).await };
        let statement = self.runtime.block_on(prepared).map_err(|_| late())??;
        self.statements.insert(purpose, statement.clone());
        Ok(statement)
    }

    /// The statement of a text, which `translate` puts into the server's words; the ones that came
    /// last stay prepared.
    pub(super) fn prepare_text(
        &mut self,
        text: &str,
        translate: impl FnOnce(&str) -> String,
    ) -> Result<Statement, PostgresError> {
        if let Some(statement) = self.texts.get(text) {
            return Ok(statement.clone());
        }
        let translated = translate(text);
        let prepared = async { timeout(EXCHANGE_MAX, self.client.prepare(&translated)).await };
        let statement = self.runtime.block_on(prepared).map_err(|_| late())??;
        let not_understood = statement.columns().iter().find(|one| !is_understood(one.type_()));
        if let Some(column) = not_understood {
            let what = format!("a statement selects the type {}: {text}", column.type_());
            return Err(PostgresError::new(Kind::Refused, what));
        }
        if self.texts.len() >= TEXTS_MAX {
            self.texts.clear();
        }
        self.texts.insert(text.to_owned(), statement.clone());
        Ok(statement)
    }

    /// Leaves a statement to be sent with what follows, or sends all that was left if that is much.
    pub(super) fn leave(&mut self, pending: Pending) -> Result<(), PostgresError> {
        const ROWS_MAX: u64 = 4_096;
        self.pending.push(pending);
        let rows: u64 = self.pending.iter().map(|pending| pending.rows).sum();
        if rows > ROWS_MAX { self.send() } else { Ok(()) }
    }

    /// Sends what was left.
    pub(super) fn send(&mut self) -> Result<(), PostgresError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.exchange(|_| None).map(|_| ())
    }

    /// Forgets what was left: its transaction is rolled back.
    pub(super) fn forget(&mut self) {
        self.pending.clear();
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

    /// Runs statements without values, and then asks for rows, in one round trip.
    pub(super) fn run_and_ask(
        &mut self,
        run: &str,
        statement: &Statement,
    ) -> Result<Vec<Row>, PostgresError> {
        #[cfg(test)]
        {
            self.trips += 1;
        }
        let Self { client, runtime, patience, .. } = self;
        let client = &*client;
        let run: Exchange<'_> =
            Box::pin(async move { client.batch_execute(run).await.map(|()| Reply::Count) });
        let ask: Exchange<'_> =
            Box::pin(async move { client.query(statement, &[]).await.map(Reply::Rows) });
        let replies = together(runtime, *patience, vec![run, ask])?;
        let mut rows = Vec::new();
        for reply in replies {
            if let Reply::Rows(found) = reply? {
                rows = found;
            }
        }
        Ok(rows)
    }

    /// Keeps every other process out that would do the same, as long as the connection lasts.
    pub(super) fn be_alone(&mut self) -> Result<(), PostgresError> {
        let Self { client, runtime, .. } = self;
        let locked = async { timeout(EXCHANGE_MAX, client.batch_execute(BE_ALONE)).await };
        runtime.block_on(locked).map_err(|_| late())?.map_err(not_alone)
    }

    /// Sends what was left, and runs statements without values behind it.
    pub(super) fn run<'l>(&'l mut self, statements: &'l str) -> Result<(), PostgresError> {
        let ran = self.exchange(|client| {
            let run = client.batch_execute(statements);
            Some(Box::pin(async move { run.await.map(|()| Reply::Count) }))
        });
        ran.map(|_| ())
    }

    /// Sends what was left and COMMIT, in one round trip: of an error in the first, the second
    /// makes a rollback. Where the connection is lost, the server may have done it.
    pub(super) fn commit(&mut self) -> Result<(), PostgresError> {
        self.run(COMMIT)
    }

    /// Sends what was left, and what `last` makes after it.
    fn exchange<'e>(
        &'e mut self,
        last: impl FnOnce(&'e Client) -> Option<Exchange<'e>>,
    ) -> Result<Vec<Row>, PostgresError> {
        #[cfg(test)]
        {
            self.trips += 1;
        }
        let Self { client, runtime, pending, patience, .. } = self;
        let client = &*client;
        let pending = std::mem::take(pending);
        let written = pending.iter().map(|one| -> Exchange<'_> {
            Box::pin(async move {
                let values = one.values.iter().map(|value| -> Bindable<'_> { &**value });
                client.execute_raw(&one.statement, values).await.map(|_| Reply::Count)
            })
        });
        let exchanges: Vec<Exchange<'_>> = written.chain(last(client)).collect();
        let mut replies = together(runtime, *patience, exchanges)?.into_iter();
        for one in &pending {
            if let Some(Err(error)) = replies.next() {
                return Err(one.fault(error));
            }
        }
        match replies.next().transpose()? {
            Some(Reply::Rows(rows)) => Ok(rows),
            Some(Reply::Count) | None => Ok(Vec::new()),
        }
    }

    /// Takes note of what went wrong while rows were found or taken.
    pub(super) fn note(&mut self, failure: PostgresError) -> BooksError {
        let what = failure.to_string();
        let is_damage = failure.kind == Kind::Damage;
        self.failure = Some(failure);
        if is_damage { BooksError::Damaged(what) } else { BooksError::Engine(what) }
    }

    /// Why work on rows failed.
    pub(super) fn failure(&mut self, error: BooksError) -> PostgresError {
        let noted = self.failure.take().filter(|failure| failure.to_string() == error.to_string());
        noted.unwrap_or_else(|| error.into())
    }
}

/// What it means that the ledger is locked by another process.
fn kept_out(error: tokio_postgres::Error, means: &str) -> PostgresError {
    let error = PostgresError::from(error);
    if error.kind == Kind::Lost { error } else { error.while_doing(means) }
}

fn not_alone(error: tokio_postgres::Error) -> PostgresError {
    let means = "another node serves this test ledger, which a single one does, or it is copied";
    kept_out(error, means)
}

fn in_use(error: tokio_postgres::Error) -> PostgresError {
    kept_out(error, "the ledger is in use; end every node that serves it")
}

fn late() -> PostgresError {
    PostgresError::new(Kind::Lost, "the server gave no answer in time")
}

/// Has all exchanges on their way before the first answer is awaited. Each is begun in the order
/// given, and so are its messages.
fn together(
    runtime: &Waiter,
    patience: Duration,
    exchanges: Vec<Exchange<'_>>,
) -> Result<Vec<Result<Reply, Wrong>>, PostgresError> {
    let mut running: Vec<_> = exchanges.into_iter().map(|exchange| (exchange, None)).collect();
    let all = poll_fn(|context| {
        let mut is_done = true;
        for (exchange, reply) in &mut running {
            if reply.is_some() {
                continue;
            }
            match exchange.as_mut().poll(context) {
                Poll::Ready(ready) => *reply = Some(ready),
                Poll::Pending => is_done = false,
            }
        }
        if is_done { Poll::Ready(()) } else { Poll::Pending }
    });
    runtime.block_on(async { timeout(patience, all).await }).map_err(|_| late())?;
    Ok(running.into_iter().filter_map(|(_, reply)| reply).collect())
}
