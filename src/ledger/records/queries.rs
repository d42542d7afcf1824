//! Where the pages of queries begin.

use crate::ledger::UserKey;
use crate::ledger::record::{Lookup, Record, record};
use chrono::{DateTime, Utc};

record! {
    /// A query of which more pages follow.
    Locator in "query_locator" [
        /// Its id.
        id: [u8; 16],
    ] {
        /// Whose it is.
        user: UserKey,
        /// The query, as JSON.
        query: String,
        /// The key of the last row of its set.
        newest: i64,
        /// How many rows matched when its first page was read.
        size: u32,
        /// When it was last used.
        last_used_ms: DateTime<Utc>,
    }
}

/// Locators by when they were last used.
pub static LOCATOR_BY_LAST_USE: Lookup = Lookup::new(Locator::TABLE, &["last_used_ms"]);
/// The locators of a user.
pub static LOCATOR_BY_USER: Lookup = Lookup::new(Locator::TABLE, &["user"]);

record! {
    /// After which row the page of a query at an offset begins.
    QueryMark in "query_mark" [
        /// The query's locator.
        locator: [u8; 16],
        /// How many rows come before.
        at_offset: u32,
    ] {
        /// The key of the last of them.
        after_key: i64,
    }
}

/// The marks of a locator.
pub static MARK_BY_LOCATOR: Lookup = Lookup::new(QueryMark::TABLE, &["locator"]);
