//! What the file says of itself, by name: rows of `meta` that are written beside the working set.

use crate::ledger::record::{Sum, Value};
use rusqlite::{Connection, OptionalExtension, params};
use std::borrow::Cow;

/// The value behind a name, if there is one.
pub(super) fn said(connection: &Connection, key: &str) -> rusqlite::Result<Option<String>> {
    let select = "select value from meta where key = ?1";
    connection.prepare_cached(select)?.query_row([key], |row| row.get(0)).optional()
}

/// Removes the value behind a name.
pub(super) fn unsay(connection: &Connection, key: &str) -> rusqlite::Result<()> {
    connection.prepare_cached("delete from meta where key = ?1")?.execute([key]).map(|_| ())
}

/// Writes the value behind a name, with the sum of the row.
pub(super) fn say(connection: &Connection, key: &str, value: &str) -> rusqlite::Result<()> {
    let mut sum = Sum::default();
    for text in [key, value] {
        sum.add(&Value::Text(Cow::Borrowed(text)));
    }
    let write = "insert into meta (key, value, sum) values (?1, ?2, ?3) \
                 on conflict (key) do update set value = excluded.value, sum = excluded.sum";
    connection.prepare_cached(write)?.execute(params![key, value, sum.kept()]).map(|_| ())
}
