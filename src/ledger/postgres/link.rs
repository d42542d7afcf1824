//! One connection to PostgreSQL, driven by the writer's thread: exchanges that are on their way
//! together, each bounded in time, and prepared statements.
//!
//! What must stay true: statements reach the server in the order in which they were given; what was
//! left to be written is sent no later than with the next question.

use super::address::Address;
use super::fault::{Kind, PostgresError};
use super::schema::{self, Catalogue};
use super::settings::{self, ABOUT, BE_ALONE, EXCHANGE_MAX, READING, SESSION, WRITING};
use super::values::is_understood;
use crate::ledger::books::BooksError;
use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use tokio::runtime::{Builder, Runtime};
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Statement};

/// What a statement is for, and the address of the table or the lookup that it is made from.
pub(super) type Purpose = (Verb, usize);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Verb {
    Find,
    FindSome,
    FindMany,
    FindSomeOfMany,
    FindAfter,
    Newest,
    Insert,
    Update,
    Remove,
    RemoveOlder,
    TakeTurn,
    CountUp,
    NoteBatch,
    LookUpBatch,
}

/// A statement that writes, and is still to be sent.
pub(super) struct Pending {
    pub(super) statement: Statement,
    pub(super) values: Vec<Box<dyn ToSql + Sync + Send>>,
    pub(super) table: &'static str,
    /// How many rows it has to write, where fewer mean that one was not there.
    pub(super) rows: Option<u64>,
}

impl Pending {
    /// What follows from fewer rows.
    fn missing(&self) -> PostgresError {
        match self.table {
            TURN => PostgresError::new(Kind::Passing, "another node committed in between"),
            table => BooksError::Missing(table).into(),
        }
    }
}

/// How many statements of readers stay prepared.
const TEXTS_MAX: usize = 256;

/// The table of the turn.
pub(super) const TURN: &str = "turn";

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// The writer's first one.
    Opening {
        /// Whether a ledger is made where there is none.
        is_made: bool,
        /// Whether this is the only node.
        is_alone: bool,
    },
    /// The writer's, once the ledger is open.
    Writing {
        /// As of the first one.
        is_alone: bool,
    },
    /// A reader's.
    Reading,
}

/// A value of a statement.
pub(super) type Bindable<'v> = &'v (dyn ToSql + Sync);

type Wrong = tokio_postgres::Error;
type Exchange<'e> = Pin<Box<dyn Future<Output = Result<Reply, Wrong>> + 'e>>;

/// What an exchange brought.
enum Reply {
    Count(u64),
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
    /// Rows were written that hold for every request.
    pub(super) wrote_world: bool,
}

/// What drives connections while a thread waits for them. It may end on any thread.
pub(super) struct Waiter(Option<Runtime>);

impl Waiter {
    pub(super) fn new() -> Result<Arc<Self>, PostgresError> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| PostgresError::new(Kind::Refused, error.to_string()));
        Ok(Arc::new(Self(Some(runtime?))))
    }

    pub(super) fn block_on<F: Future>(&self, awaited: F) -> F::Output {
        match &self.0 {
            Some(runtime) => runtime.block_on(awaited),
            None => unreachable!("it ends when it is dropped, and not before"),
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
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
                Use::Opening { is_alone: true, .. } | Use::Writing { is_alone: true } => {
                    client.batch_execute(BE_ALONE).await.map_err(not_alone)?;
                }
                Use::Opening { .. } | Use::Writing { .. } | Use::Reading => {}
            }
            match wanted {
                Use::Reading => client.batch_execute(READING).await?,
                Use::Writing { .. } => client.batch_execute(WRITING).await?,
                Use::Opening { is_made, .. } => {
                    schema::bring_up_to_date(&client, is_made).await?;
                    client.batch_execute(WRITING).await?;
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
            wrote_world: false,
        })
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
        let rows: u64 = self.pending.iter().map(|pending| pending.rows.unwrap_or(1)).sum();
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

    /// Runs statements without values, and then asks for rows, in one round trip.
    pub(super) fn run_and_ask(
        &mut self,
        run: &str,
        statement: &Statement,
    ) -> Result<Vec<Row>, PostgresError> {
        let Self { client, runtime, .. } = self;
        let client = &*client;
        let run: Exchange<'_> =
            Box::pin(async move { client.batch_execute(run).await.map(|()| Reply::Count(0)) });
        let ask: Exchange<'_> =
            Box::pin(async move { client.query(statement, &[]).await.map(Reply::Rows) });
        let replies = together(runtime, vec![run, ask])?;
        let mut rows = Vec::new();
        for reply in replies {
            if let Reply::Rows(found) = reply? {
                rows = found;
            }
        }
        Ok(rows)
    }

    /// Runs statements without values.
    pub(super) fn run(&mut self, statements: &str) -> Result<(), PostgresError> {
        let Self { client, runtime, .. } = self;
        let run = async { timeout(EXCHANGE_MAX, client.batch_execute(statements)).await };
        Ok(runtime.block_on(run).map_err(|_| late())??)
    }

    /// Sends what was left, and what `last` makes after it.
    fn exchange<'e>(
        &'e mut self,
        last: impl FnOnce(&'e Client) -> Option<Exchange<'e>>,
    ) -> Result<Vec<Row>, PostgresError> {
        let Self { client, runtime, pending, .. } = self;
        let client = &*client;
        let pending = std::mem::take(pending);
        let written = pending.iter().map(|one| -> Exchange<'_> {
            Box::pin(async move {
                let values = one.values.iter().map(|value| -> Bindable<'_> { &**value });
                client.execute_raw(&one.statement, values).await.map(Reply::Count)
            })
        });
        let exchanges: Vec<Exchange<'_>> = written.chain(last(client)).collect();
        let mut replies = together(runtime, exchanges)?.into_iter();
        for one in &pending {
            match replies.next() {
                Some(Ok(Reply::Count(count))) if one.rows.is_some_and(|rows| rows != count) => {
                    return Err(one.missing());
                }
                Some(Err(error)) => return Err(error.into()),
                Some(Ok(_)) | None => {}
            }
        }
        match replies.next().transpose()? {
            Some(Reply::Rows(rows)) => Ok(rows),
            Some(Reply::Count(_)) | None => Ok(Vec::new()),
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

/// Another node serves the ledger, where it is said that only one does.
fn not_alone(error: tokio_postgres::Error) -> PostgresError {
    let error = PostgresError::from(error);
    match error.kind {
        Kind::Lost => error,
        _ => error.while_doing("another node serves this ledger; one at a time does for now"),
    }
}

fn late() -> PostgresError {
    let seconds = EXCHANGE_MAX.as_secs();
    PostgresError::new(Kind::Lost, format!("the server gave no answer within {seconds} s"))
}

/// Has all exchanges on their way before the first answer is awaited. Each is begun in the order
/// given, and so are its messages.
fn together(
    runtime: &Waiter,
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
    runtime.block_on(async { timeout(EXCHANGE_MAX, all).await }).map_err(|_| late())?;
    Ok(running.into_iter().filter_map(|(_, reply)| reply).collect())
}
