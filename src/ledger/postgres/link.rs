//! One connection to PostgreSQL, driven by the thread that uses it, and its prepared statements.

use super::address::Address;
use super::fault::{Kind, PostgresError};
use super::foreseen::Foreseen;
use super::forms::Form;
use super::hosts;
use super::pending::Pending;
use super::purpose::{Purpose, Use};
use super::rights;
use super::schema::{self, Catalogue};
use super::settings::{
    self, ABOUT, BE_ALONE, CAUTIONS, EXCHANGE_MAX, JOIN, LONGEST, MOVING, READING, SESSION,
    SHARING, SHARING_MAX, WRITING,
};
use super::values::is_understood;
use super::waiter::Waiter;
use crate::ledger::books::BooksError;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Statement};

/// How many statements of readers stay prepared.
const TEXTS_MAX: usize = 256;

/// A value of a statement.
pub(super) type Bindable<'v> = &'v (dyn ToSql + Sync);

/// A connection.
pub(super) struct Link {
    pub(super) client: Client,
    /// Passes messages between the client and the socket.
    driver: AbortHandle,
    pub(super) runtime: Arc<Waiter>,
    statements: HashMap<Purpose, Statement>,
    /// Those that write rows of a table.
    pub(super) forms: HashMap<Purpose, Vec<Form>>,
    /// Those of readers, by their texts.
    texts: HashMap<String, Statement>,
    pub(super) pending: Vec<Pending>,
    /// What is asked with the next question, and what was answered already.
    pub(super) foreseen: Foreseen,
    /// The types of all columns.
    pub(super) catalogue: Catalogue,
    /// What went wrong last while rows were found or taken.
    pub(super) failure: Option<PostgresError>,
    /// How long one exchange may take.
    pub(super) patience: Duration,
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
            let (client, driver) = hosts::reach(address).await?;
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
                    warn(&client).await?;
                }
                Use::Opening { is_made } => {
                    client.batch_execute(JOIN).await.map_err(not_alone)?;
                    schema::bring_up_to_date(&client, is_made).await?;
                    client.batch_execute(WRITING).await?;
                    warn(&client).await?;
                }
            }
            let catalogue = schema::read(&client).await?;
            if matches!(wanted, Use::Opening { .. } | Use::Writing { .. }) {
                rights::check(&client).await?;
            }
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
            forms: HashMap::new(),
            texts: HashMap::new(),
            pending: Vec::new(),
            foreseen: Foreseen::default(),
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
        let statement = self.prepare_now(&text)?;
        self.statements.insert(purpose, statement.clone());
        Ok(statement)
    }

    /// Prepares a statement, for a caller that keeps it.
    pub(super) fn prepare_now(&mut self, text: &str) -> Result<Statement, PostgresError> {
        let prepared = async { timeout(EXCHANGE_MAX, self.client.prepare(text)).await };
        Ok(self.runtime.block_on(prepared).map_err(|_| late())??)
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
        let statement = self.prepare_now(&translate(text))?;
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

    /// Keeps every other process out that would do the same, as long as the connection lasts.
    pub(super) fn be_alone(&mut self) -> Result<(), PostgresError> {
        let Self { client, runtime, .. } = self;
        let locked = async { timeout(EXCHANGE_MAX, client.batch_execute(BE_ALONE)).await };
        runtime.block_on(locked).map_err(|_| late())?.map_err(not_alone)
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

/// Says what an operator should know of a server that writes: a standby that takes over may be one
/// without a standby of its own.
async fn warn(client: &Client) -> Result<(), PostgresError> {
    for caution in settings::cautions(&client.query_one(CAUTIONS, &[]).await?)? {
        tracing::warn!("{caution}");
    }
    Ok(())
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

pub(super) fn late() -> PostgresError {
    PostgresError::new(Kind::Lost, "the server gave no answer in time")
}
