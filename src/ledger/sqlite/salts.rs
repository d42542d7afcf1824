//! What makes the ids of a ledger: a salt that is drawn once, or follows from the id seed.

use crate::ledger::work::drawing::drawn_salt;
pub(super) use crate::ledger::work::drawing::seeded_salt;
use rusqlite::{Connection, params};

/// The salt of a ledger: drawn once in its life, or that of the id seed it began with.
pub(super) fn ledger_salt(connection: &Connection, seeded: Option<u32>) -> rusqlite::Result<u32> {
    let first = seeded.map_or_else(drawn_salt, Ok)?;
    let insert = "insert into meta (key, value) values ('salt', ?1) on conflict do nothing";
    connection.execute(insert, params![first.to_string()])?;
    let stored = "select cast(value as integer) from meta where key = 'salt'";
    connection.query_row(stored, [], |row| row.get(0))
}
