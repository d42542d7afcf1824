//! The sums of rows, made a second time: from what the documentation says of them, and not with the
//! program's own code. Tests that write rows behind the gateway's back give them sums with it.

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;

/// The step of the schema that gave every row a sum, and so says what each is over.
const STEP: &str = include_str!("../../src/ledger/sqlite/migrations/015_sums.sql");
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// The 32 upper bits of what is mixed of all values, as a signed number.
fn sum(values: &[ValueRef<'_>]) -> i64 {
    let mut mixed = FACTOR;
    let mut mix = |word: u64| {
        let product = (mixed ^ word).wrapping_mul(FACTOR);
        mixed = product ^ (product >> 32);
    };
    for (place, value) in (0_u64..).zip(values) {
        let (kind, bytes) = match value {
            ValueRef::Null => continue,
            ValueRef::Integer(value) => {
                mix(place * 4 + 1);
                mix(value.cast_unsigned());
                continue;
            }
            ValueRef::Text(text) => (2, *text),
            ValueRef::Blob(bytes) => (3, *bytes),
            ValueRef::Real(_) => panic!("no row has a floating point"),
        };
        mix(place * 4 + kind);
        mix(u64::try_from(bytes.len()).unwrap());
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            mix(u64::from_le_bytes(word));
        }
    }
    let upper = u32::try_from(mixed.wrapping_mul(FACTOR) >> 32).unwrap();
    i64::from(upper.cast_signed())
}

/// What gives all rows of each table their sums.
fn updates() -> impl Iterator<Item = &'static str> {
    STEP.split(';').map(str::trim).filter(|statement| statement.starts_with("update "))
}

fn add_function(ledger: &Connection) {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    let row_sum = |context: &rusqlite::functions::Context<'_>| {
        let values: Vec<_> = (0..context.len()).map(|place| context.get_raw(place)).collect();
        Ok(sum(&values))
    };
    ledger.create_scalar_function("row_sum", -1, flags, row_sum).unwrap();
}

/// Gives every row the sum of what it holds now.
pub fn renew(ledger: &Connection) {
    add_function(ledger);
    let select = "select name, sql from sqlite_schema where type = 'trigger'";
    let mut triggers = ledger.prepare(select).unwrap();
    let triggers = triggers.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let triggers: Vec<(String, String)> = triggers.map(Result::unwrap).collect();
    for (name, _) in &triggers {
        ledger.execute_batch(&format!("drop trigger {name}")).unwrap();
    }
    for update in updates() {
        ledger.execute_batch(update).unwrap();
    }
    for (_, sql) in &triggers {
        ledger.execute_batch(sql).unwrap();
    }
}

/// How many rows have the sum that they should have, and how many another.
pub fn count(ledger: &Connection) -> (i64, i64) {
    add_function(ledger);
    let mut counts = (0, 0);
    for update in updates() {
        let (table, sum) = update.split_once(" set sum = ").unwrap();
        let table = table.trim_start_matches("update ");
        let select = format!(
            "select coalesce(sum(sum is {sum}), 0), coalesce(sum(sum is not {sum}), 0) from {table}"
        );
        let of_table: (i64, i64) =
            ledger.query_row(&select, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        counts = (counts.0 + of_table.0, counts.1 + of_table.1);
    }
    counts
}
