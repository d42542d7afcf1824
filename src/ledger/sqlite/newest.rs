//! The newest moment that a ledger knows: a test clock that stands must not stand before it.
//!
//! Only moments at which something was done count. What is planned (`next_ms`), what a document
//! dates (`settled_ms`, the days of seeded invoices and payments), and when a seed was loaded may
//! lie ahead of the clock.
//!
//! What must stay true: how long this takes does not grow with the ledger. Where moments have an
//! index, it is asked; of the other tables the newest rows are read. That a row was changed later
//! shows in the audit, which has a record of every call that changed something.

use crate::ledger::work::sessions::AGE;
use chrono::{DateTime, Utc};
use rusqlite::Connection;

/// The moments that have an index.
const INDEXED: [&str; 3] = [
    "select max(last_used_ms) from session",
    "select max(last_used_ms) from query_locator",
    "select max(at_ms) from idempotency",
];

/// When a record of the audit was made, unless it is of a seed.
const AUDITED: &str =
    "iif((select operation from audit_source as by where by.key = source) = 'seed', null, at_ms)";

/// The tables that only grow, their keys, and the moments of a row. Rows come in the order of
/// commits, which is that of their moments but for calls that were under way at the same time.
const GROWING: [(&str, &str, &str); 6] = [
    ("audit_row", "key", AUDITED),
    ("entry_row", "key", "at_ms"),
    ("exchange", "key", "at_ms"),
    ("refund_row", "number", "max(created_ms, coalesce(updated_ms, 0))"),
    ("adjustment", "key", "max(created_ms, updated_ms)"),
    ("invoice_adjustment", "key", "max(created_ms, updated_ms)"),
];

/// How many of the newest rows of a table are read: more than calls under way can write.
const ROWS_READ: u32 = 20_000;

/// The newest moment at which something was done to the ledger; none if nothing was.
pub(super) fn newest_moment(connection: &Connection) -> rusqlite::Result<Option<DateTime<Utc>>> {
    let growing = GROWING.iter().map(|(table, key, moment)| {
        format!(
            "select max(moment) from \
             (select {moment} as moment from {table} order by {key} desc limit {ROWS_READ})"
        )
    });
    let mut newest: Option<i64> = None;
    for select in INDEXED.into_iter().map(str::to_owned).chain(growing) {
        newest = newest.max(connection.query_row(&select, [], |row| row.get(0))?);
    }
    Ok(newest.and_then(DateTime::from_timestamp_millis))
}

/// The newest moment by which something in the ledger got old.
pub(super) fn age(connection: &Connection) -> rusqlite::Result<Option<DateTime<Utc>>> {
    let kept = format!("select max(cast(value as integer)) from meta where key = '{AGE}'");
    let mut newest: Option<i64> = connection.query_row(&kept, [], |row| row.get(0))?;
    for select in INDEXED {
        newest = newest.max(connection.query_row(select, [], |row| row.get(0))?);
    }
    Ok(newest.and_then(DateTime::from_timestamp_millis))
}

#[cfg(test)]
mod tests {
    use super::super::schema::empty_test_ledger;
    use super::*;
    use rusqlite::StatementStatus;

    /// Each statement seeks: over a table of a hundred thousand rows no more of them are stepped
    /// over than are read at most.
    #[test]
    fn a_table_of_any_size_is_read_to_a_bound() {
        let ledger = empty_test_ledger().unwrap();
        let fill = "
            insert into audit_source (key, user, actor, door, version, address, operation, object)
                values (1, 0, 'x', 'x', '', '', 'update', ''), (2, 0, 'x', 'x', '', '', 'seed', '');
            with recursive n (i) as (select 1 union all select i + 1 from n where i < 100000)
                insert into audit_row (key, at_ms, source)
                select i, 1000 + i, iif(i = 100000, 2, 1) from n";
        ledger.execute_batch(fill).unwrap();
        let (table, key, moment) = GROWING[0];
        let select = format!(
            "select max(moment) from \
             (select {moment} as moment from {table} order by {key} desc limit {ROWS_READ})"
        );
        let mut statement = ledger.prepare(&select).unwrap();
        let newest: i64 = statement.query_row([], |row| row.get(0)).unwrap();
        assert_eq!(newest, 1000 + 99_999, "what a seed did does not count");
        let steps = statement.get_status(StatementStatus::FullscanStep);
        assert!(steps <= i32::try_from(ROWS_READ).unwrap(), "{steps}");
        for select in INDEXED {
            let explain = format!("explain query plan {select}");
            let plan: String = ledger.query_row(&explain, [], |row| row.get("detail")).unwrap();
            assert!(plan.contains("USING COVERING INDEX"), "{select}: {plan}");
        }
        let found = newest_moment(&ledger).unwrap().map(|moment| moment.timestamp_millis());
        assert_eq!(found, Some(newest));
    }
}
