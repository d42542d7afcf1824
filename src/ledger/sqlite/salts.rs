//! What makes the ids of a ledger: a salt that is drawn once, or follows from the id seed.

use super::knowledge;
use crate::ledger::work::drawing::{digest, fill_randomly};
use rusqlite::Connection;

/// The salt of a ledger: drawn once in its life, or that of the id seed it began with.
pub(super) fn ledger_salt(connection: &Connection, seeded: Option<u32>) -> rusqlite::Result<u32> {
    let mut drawn = [0_u8; 32];
    fill_randomly(&mut drawn)?;
    let first = seeded.unwrap_or_else(|| salt_of(&drawn));
    if knowledge::said(connection, "salt")?.is_none() {
        knowledge::say(connection, "salt", &first.to_string())?;
    }
    let stored = "select cast(value as integer) from meta where key = 'salt'";
    connection.query_row(stored, [], |row| row.get(0))
}

/// The salt that follows from an id seed.
pub(super) fn seeded_salt(id_seed: u64) -> u32 {
    salt_of(&digest(id_seed, "salt", 0))
}

/// The first 24 bits.
fn salt_of(bytes: &[u8; 32]) -> u32 {
    let [first, second, third, ..] = *bytes;
    u32::from_be_bytes([0, first, second, third])
}
