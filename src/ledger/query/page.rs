//! Finding what a query asks for, page by page.
//!
//! A reader finds the page in one snapshot; if more follows, the writer keeps the locator and a
//! mark: after which row the next page begins ([`locating`](crate::ledger::work::locating)). So a
//! page costs what it holds and not what comes before it. Where a client invents an offset, rows
//! are counted off from the nearest mark before.

use super::behind;
use super::columns::{Column, Columns, Stored, Table};
use super::statement::{self, Span, Statement, Tenant};
use super::{Find, FindError, LOCATOR_IDLE_MAX, PAGE_ROWS_MAX, Page, QueryLocator, Start, Value};
use crate::domain::facts;
use crate::domain::id::{RefundId, RefundNumber};
use crate::domain::money::{Currency, MinorUnits};
use crate::domain::query::TypedQuery;
use crate::ledger::books::BooksError;
use crate::ledger::reader::{Reader, Row};
use crate::ledger::record::{DayText, Field, Value as Kept};
use crate::ledger::work::locating::{Keep, Mark};
use chrono::{DateTime, NaiveDate, Utc};

/// A page, and what the writer has to keep for the next one.
pub(in crate::ledger) struct Found {
    pub(in crate::ledger) page: Page,
    pub(in crate::ledger) keep: Option<Keep>,
}

/// Finds the page, in one snapshot.
pub(in crate::ledger) fn look(
    reader: &mut dyn Reader,
    tenant: &facts::Tenant,
    request: &Find,
) -> Result<Result<Found, FindError>, BooksError> {
    reader.begin_snapshot()?;
    let time_zone = tenant.time_zone;
    let tenant = Tenant { time_zone, custom_fields: &tenant.custom_fields };
    let mut set = match &request.start {
        Start::Query(query) => Set::new(query),
        Start::Locator(locator) => match Set::recall(reader, request, *locator)? {
            Some(set) => set,
            None => return Ok(Err(FindError::NoLocator)),
        },
    };
    let most = request.rows_max.clamp(1, PAGE_ROWS_MAX);
    let span = Span { after: set.begins.after, newest: set.newest };
    let skip = set.offset - set.begins.offset;
    let found = statement::rows(&set.query, span, (skip, most + 1), tenant, reader.dialect());
    let mut rows = read_rows(reader, &set.query, tenant, &found)?;
    behind::verify(reader, set.query.object, rows.iter().map(|(key, _)| *key))?;
    let has_more = rows.len() > usize::try_from(most).unwrap_or(usize::MAX);
    if has_more {
        rows.pop();
        set.end(reader)?;
    }
    let count = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    let size = match set.size {
        Some(size) => size,
        None if has_more => {
            let span = Span { newest: set.newest, ..span };
            let count = statement::count(&set.query, span, tenant, reader.dialect());
            reader.first(&count.sql, &count.values, |row| row.get(0))?.unwrap_or_default()
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
    fn end(&mut self, reader: &mut dyn Reader) -> Result<(), BooksError> {
        if self.id.is_none() {
            let newest = Table::of(self.query.object).newest;
            let newest: Option<Option<i64>> = reader.first(newest, &[], |row| row.get(0))?;
            self.newest = newest.flatten().unwrap_or(0);
        }
        Ok(())
    }

    /// The set of a locator; none when the locator is not good for the one who asks.
    fn recall(
        reader: &mut dyn Reader,
        request: &Find,
        locator: QueryLocator,
    ) -> Result<Option<Self>, BooksError> {
        let select = "select query, newest, size from query_locator as kept \
                      where kept.id = ?1 and kept.user = ?2 and kept.last_used_ms >= ?3";
        let used_since = (request.at - LOCATOR_IDLE_MAX).timestamp_millis();
        let values = [locator.id.stored(), request.user.stored(), used_since.into()];
        let found = reader.first(select, &values, |row| {
            Ok((row.json::<TypedQuery>(0)?, row.get(1)?, row.get(2)?))
        })?;
        let Some((query, newest, size)) = found else {
            return Ok(None);
        };
        let nearest = "select at_offset, after_key from query_mark \
                       where locator = ?1 and at_offset <= ?2 order by at_offset desc limit 1";
        let begins = reader
            .first(nearest, &[locator.id.stored(), locator.offset.stored()], |row| {
                Ok(Mark { offset: row.get(0)?, after: row.get(1)? })
            })?
            .unwrap_or(Mark { offset: 0, after: 0 });
        let id = Some(locator.id);
        Ok(Some(Self { id, query, newest, size: Some(size), offset: locator.offset, begins }))
    }

    fn keep(&self, request: &Find, size: u32, mark: Option<Mark>) -> Result<Keep, BooksError> {
        let query = serde_json::to_string(&self.query);
        let query = query.map_err(|error| BooksError::Engine(error.to_string()))?;
        let (user, at) = (request.user, request.at);
        Ok(Keep { user, at, locator: self.id, query, newest: self.newest, size, mark })
    }
}

/// Each row's key and values.
type KeyedRow = (i64, Vec<Option<Value>>);

fn read_rows(
    reader: &mut dyn Reader,
    query: &TypedQuery,
    tenant: Tenant<'_>,
    found: &Statement,
) -> Result<Vec<KeyedRow>, BooksError> {
    let known = Columns::of(query.object, tenant.custom_fields);
    let columns: Vec<_> = query.fields.iter().map(|field| known.find(field)).collect();
    let mut before = Before::default();
    reader.list(&found.sql, &found.values, |row| {
        let mut next = 1;
        let mut values = Vec::with_capacity(columns.len());
        for column in &columns {
            values.push(match column {
                Some(column) => value(row, column, &mut next, &mut before)?,
                None => None,
            });
        }
        Ok((row.get(0)?, values))
    })
}

/// What the row before had, which most rows have too: to find out what its text means takes longer
/// than to compare it.
#[derive(Default)]
struct Before {
    currency: Option<Currency>,
    day: Option<(String, NaiveDate)>,
}

impl Before {
    fn currency(&mut self, row: &Row<'_>, at: usize) -> Result<Currency, BooksError> {
        match (self.currency, row.columns().value(at)) {
            (Some(before), Kept::Text(code)) if before.code() == code => Ok(before),
            _ => Ok(*self.currency.insert(row.get(at)?)),
        }
    }

    fn day(&mut self, row: &Row<'_>, at: usize) -> Result<Option<NaiveDate>, BooksError> {
        match (&self.day, row.columns().value(at)) {
            (_, Kept::Null) => Ok(None),
            (Some((before, day)), Kept::Text(text)) if before.as_str() == text => Ok(Some(*day)),
            _ => {
                let (text, day) = (row.get(at)?, row.get::<DayText>(at)?.0);
                self.day = Some((text, day));
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
) -> Result<Option<Value>, BooksError> {
    let at = *next;
    *next += match column.stored {
        Stored::RefundNumber => 0,
        Stored::Amount | Stored::RefundId => 2,
        _ => 1,
    };
    Ok(match column.stored {
        Stored::RefundNumber => Some(Value::Text(row.get::<RefundNumber>(0)?.to_string())),
        Stored::RefundId => {
            let id = RefundId::new(row.get(at)?, row.get(at + 1)?, row.get(0)?);
            Some(Value::Text(id.to_string()))
        }
        Stored::Text | Stored::Decimal => row.get::<Option<String>>(at)?.map(Value::Text),
        Stored::Amount => match row.get::<Option<MinorUnits>>(at)? {
            None => None,
            Some(units) => Some(Value::Amount(units, before.currency(row, at + 1)?)),
        },
        Stored::Boolean => row.get::<Option<bool>>(at)?.map(Value::Boolean),
        Stored::Moment => row.get::<Option<DateTime<Utc>>>(at)?.map(Value::Moment),
        Stored::Day => before.day(row, at)?.map(Value::Day),
    })
}
