//! Connections that only read, handed out one reader each.
//!
//! A reading is done by a thread that may block, on a connection of its own. What must stay true: a
//! connection whose reading failed of more than its statement is not used again, and none is handed
//! out unseen that may have ended meanwhile.

use super::address::Address;
use super::books::quoted;
use super::fault::{Kind, PostgresError};
use super::link::{Bindable, Link};
use super::moving;
use super::purpose::Use;
use super::settings::LONGEST;
use super::sums::{self, Whole};
use super::values::{Bound, RowColumns};
use super::waiter::Waiter;
use super::words::{PostgresDialect, translated};
use crate::ledger::books::{Books, BooksError, TakeRow};
use crate::ledger::damage::Damage;
use crate::ledger::query::dialect::Dialect;
use crate::ledger::reader::Reader;
use crate::ledger::record::{Columns, Table, Value};
use crate::ledger::{LedgerError, Reply};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// How many connections read at the same time.
const READERS_MAX: usize = 8;
/// How long a connection may have been idle before it is asked whether it still is one.
const IDLE_UNSEEN_MAX: Duration = Duration::from_secs(1);
/// How long a reading may take that has no deadline.
const READING_MAX: Duration = Duration::from_secs(30);

/// The readers of one ledger.
#[derive(Clone)]
pub(super) struct Readers(Arc<Pool>);

struct Pool {
    address: Address,
    turns: Arc<Semaphore>,
    idle: Mutex<Vec<(Link, Instant)>>,
    damage: Damage,
}

/// What a reading came to.
type Read<T> = Result<Option<T>, LedgerError>;

impl Readers {
    /// Readers of the ledger at an address, who take note of damage that they come across.
    pub(super) fn new(address: Address, damage: Damage) -> Self {
        let turns = Arc::new(Semaphore::new(READERS_MAX));
        Self(Arc::new(Pool { address, turns, idle: Mutex::default(), damage }))
    }

    /// Where the ledger is.
    pub(super) fn address(&self) -> &Address {
        &self.0.address
    }

    /// Does `work` on a connection of its own; none if it was not done at `deadline`.
    pub(super) fn read<T, F>(&self, deadline: Option<Instant>, work: F) -> Reply<Option<T>>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Reader) -> Result<T, BooksError> + Send + 'static,
    {
        let pool = Arc::clone(&self.0);
        Box::pin(async move {
            let turn = Arc::clone(&pool.turns).acquire_owned().await;
            let turn = turn.map_err(|error| LedgerError::Unavailable(error.to_string()))?;
            let read = tokio::task::spawn_blocking(move || {
                let read = pool.read(deadline, work);
                drop(turn);
                read
            });
            read.await.map_err(|error| LedgerError::Unavailable(error.to_string()))?
        })
    }
}

impl Pool {
    fn read<T>(
        &self,
        deadline: Option<Instant>,
        work: impl FnOnce(&mut dyn Reader) -> Result<T, BooksError>,
    ) -> Read<T> {
        let unavailable = |error: PostgresError| LedgerError::Unavailable(error.to_string());
        let link = self.take().map_err(unavailable)?;
        let until = deadline.unwrap_or_else(|| Instant::now() + READING_MAX);
        let mut reader = PostgresReader { link, until, is_in_snapshot: false };
        let result = work(&mut reader);
        let PostgresReader { mut link, is_in_snapshot, .. } = reader;
        let result = result.map_err(|error| link.failure(error));
        let is_lost = matches!(&result, Err(error) if error.kind == Kind::Lost);
        if !is_lost && (!is_in_snapshot || link.run("rollback").is_ok()) {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.push((link, Instant::now()));
        }
        match result {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.kind == Kind::Late && deadline.is_some() => Ok(None),
            Err(error) if error.kind == Kind::Damage => {
                self.damage.note(&error.to_string());
                Err(LedgerError::Damaged(error.to_string()))
            }
            Err(error) => Err(unavailable(error)),
        }
    }

    /// A connection that is one: an idle one that was used just now or that answers, or a new one.
    fn take(&self) -> Result<Link, PostgresError> {
        loop {
            let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some((mut link, used)) = idle else { break };
            let is_known = used.elapsed() < IDLE_UNSEEN_MAX && !link.has_ended();
            if is_known || link.run("").is_ok() {
                return Ok(link);
            }
        }
        Link::connect(&Waiter::new()?, &self.address, Use::Reading { is_long: false })
    }
}

/// Does `work`, however long it takes, on a connection that is for nothing else.
pub(super) fn read_once<T>(
    address: &Address,
    work: impl FnOnce(&mut dyn Reader) -> Result<T, BooksError>,
) -> Result<T, PostgresError> {
    let mut reader = long_reader(address)?;
    let done = work(&mut reader);
    done.map_err(|error| reader.link.failure(error))
}

/// A reader of a connection of its own, which may read for a day.
pub(super) fn long_reader(address: &Address) -> Result<PostgresReader, PostgresError> {
    let link = Link::connect(&Waiter::new()?, address, Use::Reading { is_long: true })?;
    let until = Instant::now() + LONGEST;
    let mut reader = PostgresReader { link, until, is_in_snapshot: false };
    moving::refuse_unfinished(&mut reader).map_err(|error| reader.link.failure(error))?;
    Ok(reader)
}

/// One reading on a connection, whose snapshot ends with it.
pub(super) struct PostgresReader {
    pub(super) link: Link,
    /// When it has to be done.
    pub(super) until: Instant,
    pub(super) is_in_snapshot: bool,
}

impl Reader for PostgresReader {
    fn begin_snapshot(&mut self) -> Result<(), BooksError> {
        if self.is_in_snapshot {
            return Ok(());
        }
        let left = self.until.saturating_duration_since(Instant::now()).as_millis().max(1);
        let begin = format!(
            "begin isolation level repeatable read read only; set local statement_timeout = {left}"
        );
        self.is_in_snapshot = true;
        self.link.run(&begin).map_err(|error| self.link.note(error))
    }

    fn select(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        most: usize,
        take: TakeRow<'_>,
    ) -> Result<(), BooksError> {
        if Instant::now() > self.until {
            let late = PostgresError::new(Kind::Late, "the reading took too long");
            return Err(self.link.note(late));
        }
        let prepared = self.link.prepare_text(sql, translated);
        let statement = prepared.map_err(|error| self.link.note(error))?;
        let values: Vec<Value<'_>> = values.iter().map(comparable).collect();
        let bound: Vec<Bound<'_>> = values.iter().map(Bound).collect();
        let bound: Vec<Bindable<'_>> = bound.iter().map(|one| -> Bindable<'_> { one }).collect();
        if !self.link.is_patient() {
            let rows = self.link.ask(&statement, &bound).map_err(|error| self.link.note(error))?;
            return rows.iter().take(most).try_for_each(|row| take(&RowColumns(row)));
        }
        let (mut left, mut taken) = (most, Ok(()));
        let asked = self.link.each(&statement, &bound, &mut |row| {
            if left > 0 {
                left -= 1;
                taken = take(&RowColumns(row));
            }
            if left > 0 && taken.is_ok() {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        });
        asked.map_err(|error| self.link.note(error))?;
        taken
    }

    fn scan(
        &mut self,
        table: &'static Table,
        visit: &mut dyn FnMut(Result<&dyn Columns, BooksError>),
    ) -> Result<(), BooksError> {
        let (columns, name) = (sums::columns(table, "t"), quoted(table.name));
        let select = format!("select {columns} from {name} as t");
        let prepared = self.link.prepare_text(&select, str::to_owned);
        let statement = prepared.map_err(|error| self.link.note(error))?;
        let scanned = self.link.each(&statement, &[], &mut |row| {
            let whole = Whole { row, table, first: 0 };
            match sums::verify(&whole) {
                Ok(()) => visit(Ok(&whole)),
                Err(differs) => visit(Err(differs)),
            }
            ControlFlow::Continue(())
        });
        scanned.map_err(|error| self.link.note(error))
    }

    fn books(&mut self) -> &mut dyn Books {
        &mut self.link
    }

    fn dialect(&self) -> &'static dyn Dialect {
        &PostgresDialect
    }
}

/// A value that rows are compared with. PostgreSQL takes no text with U+0000 and no row has one; in
/// its place stands the character that is next to it in their order.
fn comparable<'v>(value: &'v Value<'v>) -> Value<'v> {
    match value {
        Value::Text(text) if text.contains('\0') => Value::Text(text.replace('\0', "\u{1}").into()),
        Value::Null => Value::Null,
        Value::Integer(value) => Value::Integer(*value),
        Value::Text(text) => Value::Text(text.as_ref().into()),
        Value::Bytes(bytes) => Value::Bytes(bytes.as_ref().into()),
    }
}
