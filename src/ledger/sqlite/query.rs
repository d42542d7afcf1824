//! Finding what a query asks for, page by page.
//!
//! A reader finds the page in one snapshot; if more follows, the writer keeps the locator and a
//! mark: after which row the next page begins. So a page costs what it holds and not what comes
//! before it, and no change to earlier rows moves it. Only where a client invents an offset are
//! rows counted off, from the nearest mark before it.

use super::query_columns::{Column, Columns, Stored, Table};
use super::query_statement::{self as statement, Span, Statement, Tenant};
use super::rows::{known, tenant};
use super::store::Store;
use crate::domain::money::{Currency, MinorUnits};
use crate::domain::query::TypedQuery;
use crate::ledger::LedgerError;
use crate::ledger::engine::Engine;
use crate::ledger::query::{
    Find, FindError, LOCATOR_IDLE_MAX, PAGE_ROWS_MAX, Page, QueryLocator, Start, Value,
};
use crate::ledger::queue::Later;
use crate::ledger::work::drawing;
use chrono::{DateTime, NaiveDate};
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, params, params_from_iter};
use std::time::Instant;

/// How many steps of SQLite's machine pass between two looks at the clock.
const STEPS_BETWEEN_LOOKS: i32 = 1_000;
/// How many locators a user can have; the one that was not used for the longest time goes first.
const LOCATORS_PER_USER_MAX: i64 = 1_000;
/// How many marks a locator has, so that pages of one row leave no mountain behind; those at the
/// greatest offsets stay.
const MARKS_PER_LOCATOR_MAX: i64 = 100;

/// A page, and what the writer has to keep for the next one.
pub(super) struct Found {
    page: Page,
    keep: Option<Keep>,
}

/// What the writer keeps.
#[derive(Clone)]
struct Keep {
    user: i64,
    at_ms: i64,
    locator: Option<[u8; 16]>,
    query: String,
    newest: i64,
    size: u32,
    mark: Option<Mark>,
}

/// After which row the page at an offset begins.
#[derive(Clone, Copy)]
struct Mark {
    offset: u32,
    after: i64,
}

type Outcome = Result<Found, FindError>;

/// Finds the page, in one snapshot and before the deadline.
pub(super) fn look(connection: &Connection, request: &Find) -> rusqlite::Result<Outcome> {
    let deadline = request.deadline;
    connection.progress_handler(STEPS_BETWEEN_LOOKS, Some(move || Instant::now() > deadline))?;
    let found = look_in_snapshot(connection, request);
    connection.progress_handler(0, None::<fn() -> bool>)?;
    match found {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => {
            Ok(Err(FindError::TooSlow))
        }
        found => found,
    }
}

/// Keeps what the next page needs, and gives this one.
pub(super) async fn keep(
    writer: Later<Store>,
    found: Found,
) -> Result<Result<Page, FindError>, LedgerError> {
    let Found { mut page, keep } = found;
    if let Some(keep) = keep {
        match writer.submit(move |store| keep_locator(store, &keep)).await? {
            Ok(next) => page.next = next,
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok(page))
}

fn look_in_snapshot(connection: &Connection, request: &Find) -> rusqlite::Result<Outcome> {
    let snapshot = connection.unchecked_transaction()?;
    let tenant = tenant(&snapshot)?;
    let time_zone = tenant.time_zone;
    let tenant = Tenant { time_zone, custom_fields: &tenant.custom_fields };
    let set = match &request.start {
        Start::Query(query) => Set::new(&snapshot, query)?,
        Start::Locator(locator) => match Set::recall(&snapshot, request, *locator)? {
            Some(set) => set,
            None => return Ok(Err(FindError::NoLocator)),
        },
    };
    let most = request.rows_max.clamp(1, PAGE_ROWS_MAX);
    let span = Span { after: set.begins.after, newest: set.newest };
    let skip = set.offset - set.begins.offset;
    let found = statement::rows(&set.query, span, skip, most + 1, tenant);
    let mut rows = read_rows(&snapshot, &set.query, tenant, &found)?;
    let has_more = rows.len() > usize::try_from(most).unwrap_or(usize::MAX);
    if has_more {
        rows.pop();
    }
    let count = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    let size = match set.size {
        Some(size) => size,
        None if has_more => {
            let count = statement::count(&set.query, span, tenant);
            let mut statement = snapshot.prepare_cached(&count.sql)?;
            statement.query_row(params_from_iter(count.values), |row| row.get(0))?
        }
        None => count,
    };
    let offset = set.offset.saturating_add(count);
    let mark = rows.last().filter(|_| has_more).map(|(key, _)| Mark { offset, after: *key });
    let keep = (has_more || set.id.is_some()).then(|| set.keep(request, size, mark)).transpose()?;
    let rows = rows.into_iter().map(|(_, values)| values).collect();
    Ok(Ok(Found { page: Page { query: set.query, rows, size, next: None, time_zone }, keep }))
}

/// The set that a page belongs to, and where in it the page begins.
struct Set {
    id: Option<[u8; 16]>,
    query: TypedQuery,
    newest: i64,
    /// Known from the first page on.
    size: Option<u32>,
    offset: u32,
    /// The nearest known place at or before the offset.
    begins: Mark,
}

impl Set {
    /// Everything that matches and exists now.
    fn new(connection: &Connection, query: &TypedQuery) -> rusqlite::Result<Self> {
        let newest = Table::of(query.object).newest;
        let newest: Option<i64> =
            connection.prepare_cached(newest)?.query_row([], |row| row.get(0))?;
        Ok(Self {
            id: None,
            query: query.clone(),
            newest: newest.unwrap_or(0),
            size: None,
            offset: 0,
            begins: Mark { offset: 0, after: 0 },
        })
    }

    /// The set of a locator; none when the locator is not good for the one who asks.
    fn recall(
        connection: &Connection,
        request: &Find,
        locator: QueryLocator,
    ) -> rusqlite::Result<Option<Self>> {
        let select = "select query, newest, size from query_locator \
                      where id = ?1 and user = ?2 and last_used_ms >= ?3";
        let used_since = (request.at - LOCATOR_IDLE_MAX).timestamp_millis();
        let found = connection
            .prepare_cached(select)?
            .query_row(params![locator.id, request.user.0, used_since], |row| {
                let query = known(row, 0, |json| serde_json::from_str::<TypedQuery>(json).ok())?;
                Ok((query, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        let Some((query, newest, size)) = found else {
            return Ok(None);
        };
        let nearest = "select at_offset, after_key from query_mark \
                       where locator = ?1 and at_offset <= ?2 order by at_offset desc limit 1";
        let begins = connection
            .prepare_cached(nearest)?
            .query_row(params![locator.id, locator.offset], |row| {
                Ok(Mark { offset: row.get(0)?, after: row.get(1)? })
            })
            .optional()?
            .unwrap_or(Mark { offset: 0, after: 0 });
        let id = Some(locator.id);
        Ok(Some(Self { id, query, newest, size: Some(size), offset: locator.offset, begins }))
    }

    fn keep(&self, request: &Find, size: u32, mark: Option<Mark>) -> rusqlite::Result<Keep> {
        let query = serde_json::to_string(&self.query)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        let (user, at_ms) = (request.user.0, request.at.timestamp_millis());
        Ok(Keep { user, at_ms, locator: self.id, query, newest: self.newest, size, mark })
    }
}

/// Each row's key and values.
type KeyedRow = (i64, Vec<Option<Value>>);

fn read_rows(
    connection: &Connection,
    query: &TypedQuery,
    tenant: Tenant<'_>,
    found: &Statement,
) -> rusqlite::Result<Vec<KeyedRow>> {
    let known = Columns::of(query.object, tenant.custom_fields);
    let columns: Vec<_> = query.fields.iter().map(|field| known.find(field)).collect();
    let mut statement = connection.prepare_cached(&found.sql)?;
    let mut rows = statement.query(params_from_iter(&found.values))?;
    let mut read = Vec::new();
    while let Some(row) = rows.next()? {
        let mut next = 1;
        let values = columns.iter().map(|column| match column {
            Some(column) => value(row, column, &mut next),
            None => Ok(None),
        });
        read.push((row.get(0)?, values.collect::<rusqlite::Result<Vec<_>>>()?));
    }
    Ok(read)
}

/// The value of a column, of which the first is `next`; an amount takes two.
fn value(row: &Row<'_>, column: &Column, next: &mut usize) -> rusqlite::Result<Option<Value>> {
    let at = *next;
    *next += if column.stored == Stored::Amount { 2 } else { 1 };
    Ok(match column.stored {
        Stored::Text | Stored::Decimal => row.get::<_, Option<String>>(at)?.map(Value::Text),
        Stored::Amount => match row.get::<_, Option<i64>>(at)? {
            None => None,
            Some(units) => {
                let currency = known(row, at + 1, Currency::from_code)?;
                Some(Value::Amount(MinorUnits::new(units), currency))
            }
        },
        Stored::Boolean => row.get::<_, Option<bool>>(at)?.map(Value::Boolean),
        Stored::Moment => match row.get::<_, Option<i64>>(at)? {
            None => None,
            Some(millis) => {
                let out_of_range = rusqlite::Error::IntegralValueOutOfRange(at, millis);
                let moment = DateTime::from_timestamp_millis(millis).ok_or(out_of_range)?;
                Some(Value::Moment(moment))
            }
        },
        Stored::Day => match row.get_ref(at)?.as_str_or_null() {
            Ok(None) => None,
            _ => Some(Value::Day(known(row, at, |day| day.parse::<NaiveDate>().ok())?)),
        },
    })
}

/// Keeps a locator and its mark, and gives where the next page begins.
fn keep_locator(
    store: &mut Store,
    keep: &Keep,
) -> rusqlite::Result<Result<Option<QueryLocator>, FindError>> {
    let id = match keep.locator {
        Some(id) => {
            let update = "update query_locator set last_used_ms = max(last_used_ms, ?2) \
                          where id = ?1";
            let updated =
                store.connection().prepare_cached(update)?.execute(params![id, keep.at_ms])?;
            // Gone since it was read. To say that nothing follows would be a lie.
            if updated == 0 {
                return Ok(Err(FindError::NoLocator));
            }
            id
        }
        None => new_locator(store, keep)?,
    };
    let Some(mark) = keep.mark else {
        return Ok(Ok(None));
    };
    let insert = "insert into query_mark (locator, at_offset, after_key) values (?1, ?2, ?3) \
                  on conflict do update set after_key = excluded.after_key";
    store.connection().prepare_cached(insert)?.execute(params![id, mark.offset, mark.after])?;
    let surplus = "delete from query_mark where locator = ?1 and at_offset in ( \
                   select at_offset from query_mark where locator = ?1 \
                   order by at_offset desc limit -1 offset ?2)";
    store.connection().prepare_cached(surplus)?.execute(params![id, MARKS_PER_LOCATOR_MAX])?;
    Ok(Ok(Some(QueryLocator { id, offset: mark.offset })))
}

fn new_locator(store: &mut Store, keep: &Keep) -> rusqlite::Result<[u8; 16]> {
    let id = store.work(drawing::locator_id)?;
    let connection = store.connection();
    let expired = keep.at_ms - LOCATOR_IDLE_MAX.num_milliseconds();
    // A few at a time, because everybody waits for the writer.
    let forget = "delete from query_locator where id in (select id from query_locator \
                  where last_used_ms < ?1 limit 10)";
    connection.prepare_cached(forget)?.execute(params![expired])?;
    let surplus = "delete from query_locator where id in (select id from query_locator \
                   where user = ?1 order by last_used_ms desc limit -1 offset ?2)";
    connection.prepare_cached(surplus)?.execute(params![keep.user, LOCATORS_PER_USER_MAX - 1])?;
    let insert = "insert into query_locator (id, user, query, newest, size, last_used_ms) \
                  values (?1, ?2, ?3, ?4, ?5, ?6)";
    let Keep { user, query, newest, size, at_ms, .. } = keep;
    connection.prepare_cached(insert)?.execute(params![id, user, query, newest, size, at_ms])?;
    Ok(id)
}
