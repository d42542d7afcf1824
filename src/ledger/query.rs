//! What the ledger is asked to find, and the pages that it gives.
//!
//! What must stay true: a page set gives each matching row at most once and, as long as nothing
//! that the conditions look at changes, exactly once, whatever is created meanwhile. The order is
//! that of creation, which never changes, and rows newer than the first page are never part of the
//! set. A row that changes between two pages is judged when its page is read; `size` is the number
//! of matches when the first page was.

pub(in crate::ledger) mod behind;
pub(in crate::ledger) mod billing;
pub(in crate::ledger) mod columns;
pub mod dialect;
pub(in crate::ledger) mod invoicing;
pub(in crate::ledger) mod page;
pub(in crate::ledger) mod statement;
pub(in crate::ledger) mod tables;

use super::{Reply, UserKey};
use crate::domain::hex::number_of;
use crate::domain::money::{Currency, MinorUnits};
use crate::domain::query::TypedQuery;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use std::fmt;
use std::time::Instant;

/// How long a locator lives without being used (documented).
pub const LOCATOR_IDLE_MAX: TimeDelta = TimeDelta::minutes(15);

/// The most rows of a page (documented).
pub const PAGE_ROWS_MAX: u32 = 2000;

/// A request for a page.
#[derive(Debug, Clone)]
pub struct Find {
    /// Who asks. A locator is good only for the user who got it.
    pub user: UserKey,
    /// Where the page begins.
    pub start: Start,
    /// How many rows the page has at most, 1 to [`PAGE_ROWS_MAX`].
    pub rows_max: u32,
    /// When.
    pub at: DateTime<Utc>,
    /// Until when it must be found.
    pub deadline: Instant,
}

/// Where a page begins.
#[derive(Debug, Clone)]
pub enum Start {
    /// At the first match of a query.
    Query(TypedQuery),
    /// Where a locator says.
    Locator(QueryLocator),
}

/// A place in the results of a query: `<32 hex>-<offset>`. Clients cut it at the `-` and make the
/// next one themselves, so any offset is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueryLocator {
    /// Which query.
    pub id: [u8; 16],
    /// How many rows come before.
    pub offset: u32,
}

impl QueryLocator {
    /// Reads a locator; none when the text is none.
    pub fn parse(text: &str) -> Option<Self> {
        let (id, offset) = text.split_once('-')?;
        let is_number = !offset.is_empty() && offset.bytes().all(|byte| byte.is_ascii_digit());
        let offset = offset.parse().ok().filter(|_| is_number)?;
        Some(Self { id: number_of(id)?.to_be_bytes(), offset })
    }
}

impl fmt::Display for QueryLocator {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:032x}-{}", u128::from_be_bytes(self.id), self.offset)
    }
}

/// A page of results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The query behind it.
    pub query: TypedQuery,
    /// The rows: a value, or none, for each field of the query, in their order.
    pub rows: Vec<Vec<Option<Value>>>,
    /// How many rows matched when the first page was read.
    pub size: u32,
    /// Where the next page begins; none after the last.
    pub next: Option<QueryLocator>,
    /// The zone in which the tenant's days begin.
    pub time_zone: Tz,
}

/// A value of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text or an id.
    Text(String),
    /// An amount in the account's currency.
    Amount(MinorUnits, Currency),
    /// A truth value.
    Boolean(bool),
    /// A moment.
    Moment(DateTime<Utc>),
    /// A day.
    Day(NaiveDate),
}

/// Why there is no page. Nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FindError {
    /// The locator is unknown, another user's, or was not used for too long.
    #[error("the query locator is unknown or has expired")]
    NoLocator,
    /// The deadline came first.
    #[error("the query did not end in time")]
    TooSlow,
}

/// Finding objects.
pub trait Queries: Send + Sync {
    /// Finds a page of what a query asks for, and keeps a locator where more follows.
    fn find(&self, request: Find) -> Reply<Result<Page, FindError>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locator_reads_back_and_nothing_else_is_one() {
        let text = "00e6a0000000000000000000000000ff-2000";
        assert_eq!(QueryLocator::parse(text).map(|it| it.to_string()).as_deref(), Some(text));
        for bad in [
            "",
            "-",
            "00e6a0000000000000000000000000ff",
            "00e6a0000000000000000000000000ff-",
            "00e6a0000000000000000000000000ff--1",
            "00e6a0000000000000000000000000ff-4294967296",
            "00E6A0000000000000000000000000FF-0",
            "00e6a0000000000000000000000000f-0",
            "+0e6a0000000000000000000000000ff-0",
        ] {
            assert_eq!(QueryLocator::parse(bad), None, "{bad}");
        }
    }
}
