//! The schema of a ledger, step by step, and the marks that say whose it is and what it is for.
//!
//! What must stay true: a step that was released is never edited; a ledger gets its mark once.

use super::{knowledge, pages, sending, sums};
use crate::ledger::test_bench::{self, KIND, TEST_KIND};
use rusqlite::{Connection, OptionalExtension};
use rusqlite_migration::{M, Migrations};

/// Marks the file as a ledger of this program ("RFGW").
pub(super) const APPLICATION_ID: i32 = 0x5246_4757;

/// Names each step once, by its file.
macro_rules! steps {
    ($($file:literal),+ $(,)?) => {
        /// What makes the schema, step by step.
        pub(super) const SCHEMA: &[&str] = &[$(include_str!(concat!("migrations/", $file))),+];
        const STEPS: &[M<'static>] =
            &[$(M::up(include_str!(concat!("migrations/", $file)))),+];
    };
}

steps!(
    "001_ledger.sql",
    "002_query.sql",
    "003_movements.sql",
    "004_gateways.sql",
    "005_permissions.sql",
    "006_audit.sql",
    "007_invoice_adjustments.sql",
    "008_objects.sql",
    "009_collected.sql",
    "010_operators.sql",
    "011_narrow_rows.sql",
    "012_settlement.sql",
    "013_oauth.sql",
    "014_orgs.sql",
    "015_sums.sql",
);

const MIGRATIONS: Migrations<'static> = Migrations::from_slice(STEPS);
/// The schema that this program writes.
pub(super) const SCHEMA_VERSION: i64 = SCHEMA.len() as i64;

/// Takes every step that the ledger has not taken yet.
pub(super) fn bring_up_to_date(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    add_functions(connection)?;
    MIGRATIONS.to_latest(connection).map_err(unwrapped)
}

/// The functions that steps use.
fn add_functions(connection: &Connection) -> rusqlite::Result<()> {
    sending::add_function(connection)?;
    sums::add_function(connection)
}

fn unwrapped(error: rusqlite_migration::Error) -> rusqlite::Error {
    match error {
        rusqlite_migration::Error::RusqliteError { err, .. } => err,
        other => rusqlite::Error::ToSqlConversionFailure(Box::new(other)),
    }
}

/// An empty ledger in memory, of the schema that a version had.
pub(super) fn empty_ledger_of(version: i64) -> rusqlite::Result<Connection> {
    let mut connection = Connection::open_in_memory()?;
    add_functions(&connection)?;
    let steps = usize::try_from(version).unwrap_or(0);
    MIGRATIONS.to_version(&mut connection, steps).map_err(unwrapped)?;
    Ok(connection)
}

/// A test ledger in memory that holds nothing, with pages of so many bytes.
pub(super) fn empty_test_ledger_of(page_bytes: u32) -> rusqlite::Result<Connection> {
    let mut connection = Connection::open_in_memory()?;
    pages::choose(&connection, page_bytes)?;
    bring_up_to_date(&mut connection)?;
    mark(&connection, true)?;
    Ok(connection)
}

/// Says what a new ledger is for.
pub(super) fn mark(connection: &Connection, test: bool) -> rusqlite::Result<()> {
    knowledge::say(connection, KIND, test_bench::kind(test))
}

/// What the ledger is for, if that was said.
pub(super) fn kind(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let kind = "select value from meta where key = 'kind'";
    connection.query_row(kind, [], |row| row.get(0)).optional()
}

/// Whether the ledger is marked as test.
pub(super) fn is_test(connection: &Connection) -> rusqlite::Result<bool> {
    Ok(kind(connection)?.is_some_and(|kind| kind == TEST_KIND))
}

/// A test ledger in memory that holds nothing.
#[cfg(test)]
pub(super) fn empty_test_ledger() -> rusqlite::Result<Connection> {
    empty_test_ledger_of(pages::PAGE_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SQLite would build one for each `in (…)` of more than two texts, and that for every row.
    #[test]
    fn writing_a_row_of_a_refund_builds_no_table() {
        let ledger = empty_test_ledger().unwrap();
        for row in [
            "refund_row (number) values (1)",
            "entry_row (key) values (1)",
            "balance (account) values (1)",
            "inquiry (refund) values (1)",
            "exchange (key) values (1)",
            "event (key) values (1)",
            "audit_row (key) values (1)",
            "audit_source (key) values (1)",
            "audit_object (key) values (1)",
            "sending (key) values (1)",
            "collected (reference) values ('1')",
            "refund_detail (refund) values (1)",
            "refund_credit_memo_line (key) values (1)",
            "credit_memo (key) values (1)",
        ] {
            let explain = format!("explain insert into {row}");
            let mut steps = ledger.prepare(&explain).unwrap();
            let steps = steps.query_map([], |step| step.get::<_, String>("opcode")).unwrap();
            let steps: Vec<String> = steps.collect::<Result<_, _>>().unwrap();
            assert!(steps.iter().any(|step| step == "MakeRecord"), "{row}: {steps:?}");
            assert!(!steps.iter().any(|step| step == "OpenEphemeral"), "{row}: {steps:?}");
        }
    }
}
