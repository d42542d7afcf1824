//! Whether the tables, indexes, triggers and views of the file are those that the migrations make.
//!
//! A bit in the text of one is a bit in what every later statement means: a column of another name,
//! a condition that holds always, a trigger that never fires.

use super::schema::{SCHEMA_VERSION, empty_ledger_of};
use crate::ledger::audit::Findings;
use rusqlite::Connection;
use std::collections::BTreeMap;

/// What the migrations make in all, a line each: kind, name, and text as [`made`] gives it, with
/// tabs between. To make it from the migrations takes as long as thousands of refunds.
const CURRENT: &str = include_str!("migrations/made.txt");

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
    let (mut found, version) = (made(connection)?, version(connection)?);
    let wanted = match version {
        SCHEMA_VERSION => current(),
        _ => made(&empty_ledger_of(version)?)?,
    };
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

/// Quotes around whole names are left out: versions of SQLite differ in whether they write them
/// when a table is renamed. Everything else counts, also what is between words, and that each text
/// is one: one bit makes bytes of it, which SQLite reads as if they were text. The end of a line is
/// written as two letters. What SQLite notes for its own plans is no part of the schema.
fn made(connection: &Connection) -> rusqlite::Result<Made> {
    let select = "select cast(type as text), cast(name as text), \
                  iif(typeof(type) || typeof(name) || typeof(tbl_name) = 'texttexttext' \
                      and typeof(sql) in ('text', 'null'), \
                      tbl_name || ':' || coalesce(sql, ''), 'of another type') \
                  from sqlite_schema where name not glob 'sqlite_stat*'";
    let mut statement = connection.prepare(select)?;
    let made = statement.query_map([], |row| {
        let sql: String = row.get(2)?;
        Ok(((row.get(0)?, row.get(1)?), without_quotes(&sql).replace('\n', "\\n")))
    })?;
    made.collect()
}

/// A text without the quotes around whole names.
fn without_quotes(sql: &str) -> String {
    let is_name = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
    };
    let mut parts = sql.split('"');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    let mut is_inside = true;
    for part in parts {
        // The quote before this part opens a name, or closes the one that was just added.
        if is_inside && is_name(part) {
            plain.push_str(part);
            is_inside = false;
        } else if is_inside {
            plain.push('"');
            plain.push_str(part);
        } else {
            plain.push_str(part);
            is_inside = true;
        }
    }
    plain
}

/// What the migrations make in all.
fn current() -> Made {
    let parts = |line: &str| {
        let (kind, rest) = line.split_once('\t')?;
        let (name, text) = rest.split_once('\t')?;
        Some(((kind.to_owned(), name.to_owned()), text.to_owned()))
    };
    CURRENT.lines().filter_map(parts).collect()
}

#[cfg(test)]
mod tests {
    use super::super::schema::empty_test_ledger;
    use super::*;

    /// After a new step of the schema: the file is what this prints.
    #[test]
    fn what_is_written_down_is_what_the_migrations_make() {
        let made = made(&empty_test_ledger().unwrap()).unwrap();
        let lines = made.iter().map(|((kind, name), text)| format!("{kind}\t{name}\t{text}\n"));
        let lines: String = lines.collect();
        assert!(lines == CURRENT, "{lines}");
    }

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
            (
                "pragma writable_schema = on; update sqlite_schema set sql = \
                 replace(sql, 'of the sandbox', 'of the\"sandbox') where name = 'gateway'",
                "the table gateway is not as it was made",
            ),
            // Regression: of 5,000 flipped bits, two made bytes of a text of the schema.
            (
                "pragma writable_schema = on; update sqlite_schema set sql = cast(sql as blob) \
                 where name = 'gateway'",
                "the table gateway is not as it was made",
            ),
            (
                "pragma writable_schema = on; update sqlite_schema set \
                 tbl_name = cast(tbl_name as blob) where name = 'refund_by_payment'",
                "the index refund_by_payment is not as it was made",
            ),
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
