//! What makes ids and tokens: drawn at random, or following from a seed and a count.

use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};

/// The salt of a ledger: drawn once in its life, or that of the id seed it began with.
pub(super) fn ledger_salt(connection: &Connection, seeded: Option<u32>) -> rusqlite::Result<u32> {
    let mut drawn = [0_u8; 32];
    fill_randomly(&mut drawn)?;
    let first = seeded.unwrap_or_else(|| salt_of(&drawn));
    let insert = "insert into meta (key, value) values ('salt', ?1) on conflict do nothing";
    connection.execute(insert, params![first.to_string()])?;
    let stored = "select cast(value as integer) from meta where key = 'salt'";
    connection.query_row(stored, [], |row| row.get(0))
}

/// The first 24 bits.
pub(super) fn salt_of(bytes: &[u8; 32]) -> u32 {
    let [first, second, third, ..] = *bytes;
    u32::from_be_bytes([0, first, second, third])
}

pub(super) fn digest(seed: u64, purpose: &str, count: u64) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(seed.to_be_bytes());
    hash.update(purpose.as_bytes());
    hash.update(count.to_be_bytes());
    hash.finalize().into()
}

pub(super) fn fill_randomly(bytes: &mut [u8]) -> rusqlite::Result<()> {
    getrandom::fill(bytes)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.to_string().into()))
}
