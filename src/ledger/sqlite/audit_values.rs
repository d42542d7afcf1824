//! Every row of every table, value by value: whether it is what was written there, by its sum; and
//! whether each value is one of its column's type, and the row one that may be.
//!
//! What must stay true: each table of the schema has its whole record in the list that is gone
//! through, and each column of the table but the sum is one of that record.

use super::books::RowColumns;
use super::sums;
use crate::ledger::audit::Findings;
use crate::ledger::books::BooksError;
use crate::ledger::records::{WHOLE, WholeRecord};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

/// Columns that hold JSON where they hold anything.
const JSON: [(&str, &str); 22] = [
    ("gateway", "method_types"),
    ("gateway", "rules"),
    ("user", "orgs"),
    ("account_row", "kept"),
    ("account_row", "custom"),
    ("payment_method", "kept"),
    ("payment_method", "custom"),
    ("payment_method_snapshot", "kept"),
    ("payment", "kept"),
    ("payment", "custom"),
    ("invoice", "custom"),
    ("invoice_payment", "custom"),
    ("invoice_adjustment", "custom"),
    ("adjustment", "custom"),
    ("refund_row", "gateway_options"),
    ("refund_row", "custom"),
    ("refund_detail", "notes"),
    ("refund_detail", "rates"),
    ("audit_row", "refunds"),
    ("audit_object", "facts"),
    ("event", "payload"),
    ("query_locator", "query"),
];

/// Complains about each row that is not what it should be.
pub(super) fn check(connection: &Connection) -> rusqlite::Result<Findings> {
    let mut findings = Findings::default();
    for record in WHOLE {
        check_table(connection, record, &mut findings)?;
    }
    for (table, column) in JSON {
        let select = format!(
            "select count(*) from {table} where {column} is not null and not json_valid({column})"
        );
        let wrong: i64 = connection.query_row(&select, [], |row| row.get(0))?;
        if wrong > 0 {
            findings.complain(format!("the file: {wrong} rows of {table}: {column} is no JSON"));
        }
    }
    Ok(findings)
}

/// What is wrong with the first row that is not what it should be.
pub(super) fn first_problem(connection: &Connection) -> rusqlite::Result<Option<String>> {
    Ok(check(connection)?.problems.into_iter().next())
}

fn check_table(
    connection: &Connection,
    record: &WholeRecord,
    findings: &mut Findings,
) -> rusqlite::Result<()> {
    let table = record.table;
    let select = format!("select {} from {} not indexed", sums::columns(table), table.name);
    let mut statement = connection.prepare(&select)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if let Err(error) = sums::verify(row, 0, table) {
            findings.complain(format!("the file: {error}"));
            continue;
        }
        match (record.look)(&RowColumns { row, table }) {
            Ok(None) => {}
            Ok(Some(fault)) => {
                findings.complain(format!("the file: {}: {fault}", named(row, record)?));
            }
            Err(place) => {
                let column = table.columns.get(place).copied().unwrap_or("?");
                let error = BooksError::Unknown { table: table.name, column };
                findings.complain(format!("the file: {}: {error}", named(row, record)?));
            }
        }
    }
    Ok(())
}

/// Which row it is.
fn named(row: &Row<'_>, record: &WholeRecord) -> rusqlite::Result<String> {
    let name = record.table.name;
    Ok(match row.get_ref(0)? {
        ValueRef::Integer(key) => format!("the row {key} of {name}"),
        _ => format!("a row of {name}"),
    })
}

#[cfg(test)]
mod tests {
    use super::super::schema::empty_test_ledger;
    use super::super::sums::{SUM, renew_all};
    use super::*;
    use std::collections::BTreeSet;

    fn columns_of(connection: &Connection, table: &str) -> BTreeSet<String> {
        let select = "select name from pragma_table_info(?1)";
        let mut statement = connection.prepare(select).unwrap();
        let names = statement.query_map([table], |row| row.get(0)).unwrap();
        names.collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn every_column_of_every_table_is_summed() {
        let ledger = empty_test_ledger().unwrap();
        let select = "select name from sqlite_schema where type = 'table'";
        let mut statement = ledger.prepare(select).unwrap();
        let tables = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        let tables: BTreeSet<String> = tables.collect::<Result<_, _>>().unwrap();
        let known: BTreeSet<String> = WHOLE.iter().map(|one| one.table.name.to_owned()).collect();
        assert_eq!(tables, known);
        for record in WHOLE {
            let summed = record.table.columns.iter().chain([&SUM]).map(|name| (*name).to_owned());
            assert_eq!(
                summed.collect::<BTreeSet<_>>(),
                columns_of(&ledger, record.table.name),
                "{}",
                record.table.name
            );
        }
        for (table, column) in JSON {
            assert!(columns_of(&ledger, table).contains(column), "{table}.{column}");
        }
    }

    #[test]
    fn a_row_is_found_that_was_changed_behind_its_sum_or_is_none_of_its_type() {
        let ledger = empty_test_ledger().unwrap();
        let rows = "pragma foreign_keys = off;
            insert into account_row (key, id, number, name, currency, opening, opened)
                values (1, printf('%032d', 1), 'A1', 'x', 'USD', 9, '2026-01-02');
            insert into balance (account, units) values (1, 9);
            insert into oauth_token values (zeroblob(32), 'c', 5, null)";
        ledger.execute_batch(rows).unwrap();
        renew_all(&ledger);
        assert_eq!(check(&ledger).unwrap().problems, Vec::<String>::new());
        for (change, problem) in [
            ("update balance set units = 8", "the row 1 of balance is not what was written"),
            ("update balance set sum = null", "the row 1 of balance is not what was written"),
            ("update oauth_token set ends_ms = 6", "a row of oauth_token is not what was written"),
            (
                "update account_row set opened = '2026-13-02', sum = null",
                "account_row.opened holds a value that this program does not know",
            ),
            (
                "update account_row set currency = 'usd', sum = null",
                "account_row.currency holds a value that this program does not know",
            ),
            (
                "update account_row set name = cast(x'ff' as text), sum = null",
                "account_row.name holds a value that this program does not know",
            ),
            ("update account_row set kept = '{', sum = null", "kept is no JSON"),
        ] {
            ledger.execute_batch("begin").unwrap();
            ledger.execute(change, []).unwrap();
            if change.ends_with("sum = null") && !change.contains("balance") {
                renew_all(&ledger);
            }
            let problems = check(&ledger).unwrap().problems;
            ledger.execute_batch("rollback").unwrap();
            assert!(problems.iter().any(|one| one.contains(problem)), "{change}: {problems:?}");
        }
    }
}
