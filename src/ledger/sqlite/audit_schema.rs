//! Whether the tables, indexes, triggers and views of the file are those that the migrations make.
//!
//! A bit in the text of one is a bit in what every later statement means: a column of another name,
//! a condition that holds always, a trigger that never fires.

use super::schema::{SCHEMA_VERSION, empty_ledger_of};
use crate::ledger::audit::Findings;
use rusqlite::Connection;
use std::collections::BTreeMap;

/// The statement that made each table, index, trigger and view, by its kind and name.
type Made = BTreeMap<(String, String), String>;

/// Whether the file says that it has the schema of this program, and not that of an older one.
pub(super) fn is_current(connection: &Connection) -> rusqlite::Result<bool> {
    Ok(version(connection)? == SCHEMA_VERSION)
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Complains about whatever is missing, different, or too much of the schema that the file says it
/// has.
pub(super) fn check(connection: &Connection) -> rusqlite::Result<Findings> {
    let (mut found, wanted) = (made(connection)?, made(&empty_ledger_of(version(connection)?)?)?);
    let mut findings = Findings::default();
    for (named, sql) in wanted {
        let (kind, name) = &named;
        match found.remove(&named) {
            None => findings.complain(format!("the file: the {kind} {name} is missing")),
            Some(other) if other != sql => {
                findings.complain(format!("the file: the {kind} {name} is not as it was made"));
            }
            Some(_) => {}
        }
    }
    for (kind, name) in found.into_keys() {
        findings.complain(format!("the file: the {kind} {name} is not of a ledger"));
    }
    Ok(findings)
}

/// Quotes and white space are left out: versions of SQLite differ in how they rewrite a text when a
/// table is renamed or gets a column. What SQLite notes for its own plans is no part of the schema.
fn made(connection: &Connection) -> rusqlite::Result<Made> {
    let select = "select type, name, tbl_name || ':' || coalesce(sql, '') from sqlite_schema \
                  where name not glob 'sqlite_stat*'";
    let mut statement = connection.prepare(select)?;
    let made = statement.query_map([], |row| {
        let sql: String = row.get(2)?;
        let is_left_out = |letter: char| letter.is_whitespace() || letter == '"';
        Ok(((row.get(0)?, row.get(1)?), sql.replace(is_left_out, "")))
    })?;
    made.collect()
}

#[cfg(test)]
mod tests {
    use super::super::schema::empty_test_ledger;
    use super::*;

    #[test]
    fn each_difference_of_the_schema_is_found() {
        let ledger = empty_test_ledger().unwrap();
        assert_eq!(check(&ledger).unwrap().problems, Vec::<String>::new());
        for (change, problem) in [
            (
                "drop trigger entry_is_never_updated",
                "the trigger entry_is_never_updated is missing",
            ),
            ("drop index refund_by_payment", "the index refund_by_payment is missing"),
            ("pragma user_version = 14", "the table balance is not as it was made"),
            ("create table mine (x)", "the table mine is not of a ledger"),
            ("alter table tenant rename column value to walue", "the table tenant is not as"),
        ] {
            ledger.execute_batch("begin").unwrap();
            ledger.execute_batch(change).unwrap();
            let problems = check(&ledger).unwrap().problems;
            ledger.execute_batch("rollback").unwrap();
            assert!(problems.iter().any(|one| one.contains(problem)), "{change}: {problems:?}");
        }
    }
}
