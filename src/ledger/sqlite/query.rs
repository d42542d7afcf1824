//! Finding what a query asks for, page by page.
//!
//! A reader finds the page in one snapshot; if more follows, the writer keeps the locator and a
//! mark: after which row the next page begins. So a page costs what it holds and not what comes
//! before it. Where a client invents an offset, rows are counted off from the nearest mark before.

use super::query_columns::{Column, Columns, Stored, Table};
use super::query_keeping::{Keep, Mark, keep_locator};
use super::query_statement::{self as statement, Span, Statement, Tenant};
use super::query_sums;
use super::reading::in_snapshot;
use super::rows::known;
use super::store::Store;
use crate::domain::facts;
use crate::domain::id::{RefundId, RefundNumber};
use crate::domain::money::{Currency, MinorUnits};
use crate::domain::query::TypedQuery;
use crate::ledger::LedgerError;
use crate::ledger::query::{
    Find, FindError, LOCATOR_IDLE_MAX, PAGE_ROWS_MAX, Page, QueryLocator, Start, Value,
};
use crate::ledger::queue::Later;
use chrono::{DateTime, NaiveDate};
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, params, params_from_iter};
use std::time::{Duration, Instant};

/// How many steps of SQLite's machine pass between two looks at the clock.
const STEPS_BETWEEN_LOOKS: i32 = 1_000;
/// The same for what is read at once: a few rows take hundreds.
const STEPS_BETWEEN_LOOKS_AT_ONCE: i32 = 250;
/// How many looks a query may come to that is read at once.
const LOOKS_AT_ONCE_MAX: u32 = 8;
/// How long a query may read at once.
pub(super) const READING_AT_ONCE_MAX: Duration = Duration::from_millis(1);

/// A page, and what the writer has to keep for the next one.
pub(super) struct Found {
    page: Page,
    keep: Option<Keep>,
}

type Outcome = Result<Found, FindError>;

/// Finds the page, in one snapshot and before the deadline.
pub(super) fn look(
    connection: &Connection,
    tenant: &facts::Tenant,
    request: &Find,
) -> rusqlite::Result<Outcome> {
    let deadline = request.deadline;
    let is_late = move || Instant::now() > deadline;
    look_until(connection, tenant, request, (STEPS_BETWEEN_LOOKS, is_late))
}

/// As [`look`], for a query that is done in no time: one that takes more steps, or longer than
/// `at_most`, ends as one that is too slow.
pub(super) fn look_at_once(
    connection: &Connection,
    tenant: &facts::Tenant,
    request: &Find,
    at_most: Duration,
) -> rusqlite::Result<Outcome> {
    let deadline = request.deadline.min(Instant::now() + at_most);
    let mut looks = 0;
    let is_long = move || {
        looks += 1;
        looks >= LOOKS_AT_ONCE_MAX || Instant::now() > deadline
    };
    look_until(connection, tenant, request, (STEPS_BETWEEN_LOOKS_AT_ONCE, is_long))
}

/// Finds the page, unless `is_over` says after so many steps that it has taken too long.
fn look_until(
    connection: &Connection,
    tenant: &facts::Tenant,
    request: &Find,
    (steps, is_over): (i32, impl FnMut() -> bool + Send + 'static),
) -> rusqlite::Result<Outcome> {
    connection.progress_handler(steps, Some(is_over))?;
    let found = in_snapshot(connection, || look_in_snapshot(connection, tenant, request));
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

fn look_in_snapshot(
    connection: &Connection,
    tenant: &facts::Tenant,
    request: &Find,
) -> rusqlite::Result<Outcome> {
    let time_zone = tenant.time_zone;
    let tenant = Tenant { time_zone, custom_fields: &tenant.custom_fields };
    let mut set = match &request.start {
        Start::Query(query) => Set::new(query),
        Start::Locator(locator) => match Set::recall(connection, request, *locator)? {
            Some(set) => set,
            None => return Ok(Err(FindError::NoLocator)),
        },
    };
    let most = request.rows_max.clamp(1, PAGE_ROWS_MAX);
    let span = Span { after: set.begins.after, newest: set.newest };
    let skip = set.offset - set.begins.offset;
    let found = statement::rows(&set.query, span, skip, most + 1, tenant);
    let mut rows = read_rows(connection, &set.query, tenant, &found)?;
    query_sums::verify(connection, set.query.object, rows.iter().map(|(key, _)| *key))?;
    let has_more = rows.len() > usize::try_from(most).unwrap_or(usize::MAX);
    if has_more {
        rows.pop();
        set.end(connection)?;
    }
    let count = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    let size = match set.size {
        Some(size) => size,
        None if has_more => {
            let span = Span { newest: set.newest, ..span };
            let count = statement::count(&set.query, span, tenant);
            let mut statement = connection.prepare_cached(&count.sql)?;
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
    /// The key of its last row, or one above as long as its end does not matter.
    newest: i64,
    /// Known from the first page on.
    size: Option<u32>,
    offset: u32,
    /// The nearest known place at or before the offset.
    begins: Mark,
}

impl Set {
    /// Everything that matches and exists now.
    fn new(query: &TypedQuery) -> Self {
        Self {
            id: None,
            query: query.clone(),
            newest: i64::MAX,
            size: None,
            offset: 0,
            begins: Mark { offset: 0, after: 0 },
        }
    }

    /// Fixes where the set ends, in the snapshot of its first page.
    fn end(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        if self.id.is_none() {
            let newest = Table::of(self.query.object).newest;
            let newest: Option<i64> =
                connection.prepare_cached(newest)?.query_row([], |row| row.get(0))?;
            self.newest = newest.unwrap_or(0);
        }
        Ok(())
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
    let mut before = Before::default();
    while let Some(row) = rows.next()? {
        let mut next = 1;
        let mut values = Vec::with_capacity(columns.len());
        for column in &columns {
            values.push(match column {
                Some(column) => value(row, column, &mut next, &mut before)?,
                None => None,
            });
        }
        read.push((row.get(0)?, values));
    }
    Ok(read)
}

/// What the row before had, which most rows have too: to find out what its text means takes longer
/// than to compare it.
#[derive(Default)]
struct Before {
    currency: Option<Currency>,
    day: Option<(String, NaiveDate)>,
}

impl Before {
    fn currency(&mut self, row: &Row<'_>, at: usize) -> rusqlite::Result<Currency> {
        let code = row.get_ref(at)?.as_str()?;
        match self.currency.filter(|currency| currency.code() == code) {
            Some(currency) => Ok(currency),
            None => Ok(*self.currency.insert(known(row, at, Currency::from_code)?)),
        }
    }

    fn day(&mut self, row: &Row<'_>, at: usize) -> rusqlite::Result<Option<NaiveDate>> {
        let Some(text) = row.get_ref(at)?.as_str_or_null()? else {
            return Ok(None);
        };
        match &self.day {
            Some((before, day)) if before == text => Ok(Some(*day)),
            _ => {
                let day = known(row, at, |day| day.parse().ok())?;
                self.day = Some((text.to_owned(), day));
                Ok(Some(day))
            }
        }
    }
}

/// The value of a column, the first of whose parts is `next`.
fn value(
    row: &Row<'_>,
    column: &Column,
    next: &mut usize,
    before: &mut Before,
) -> rusqlite::Result<Option<Value>> {
    let at = *next;
    *next += match column.stored {
        Stored::RefundNumber => 0,
        Stored::Amount | Stored::RefundId => 2,
        _ => 1,
    };
    let number = || {
        let key = row.get(0)?;
        RefundNumber::new(key).ok_or(rusqlite::Error::IntegralValueOutOfRange(0, key))
    };
    Ok(match column.stored {
        Stored::RefundNumber => Some(Value::Text(number()?.to_string())),
        Stored::RefundId => {
            let id = RefundId::new(row.get(at)?, row.get(at + 1)?, number()?);
            Some(Value::Text(id.to_string()))
        }
        Stored::Text | Stored::Decimal => row.get::<_, Option<String>>(at)?.map(Value::Text),
        Stored::Amount => match row.get::<_, Option<i64>>(at)? {
            None => None,
            Some(units) => {
                Some(Value::Amount(MinorUnits::new(units), before.currency(row, at + 1)?))
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
        Stored::Day => before.day(row, at)?.map(Value::Day),
    })
}
