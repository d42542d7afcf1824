//! What a query of several pages leaves behind. Engines write these rows themselves; they are
//! records so that their sums are made and checked like those of all others.

use crate::ledger::UserKey;
use crate::ledger::record::record;
use chrono::{DateTime, Utc};

record! {
    /// The set that the pages of a query belong to.
    LocatorRow in "query_locator" [
        /// The locator, 16 bytes.
        id: Vec<u8>,
    ] {
        /// Whose it is.
        user: UserKey,
        /// The query, JSON.
        query: String,
        /// The key of the last row of the set.
        newest: i64,
        /// How many rows the set has.
        size: u32,
        /// When it was used last.
        last_used_ms: DateTime<Utc>,
    }
}

record! {
    /// After which row the page at an offset begins.
    MarkRow in "query_mark" [
        /// The locator.
        locator: Vec<u8>,
        /// The offset.
        at_offset: u32,
    ] {
        /// The key of that row.
        after_key: i64,
    }
}
