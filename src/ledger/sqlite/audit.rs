//! Recomputing every balance from what is behind it, and letting SQLite check the whole file.
//!
//! The parts of an audit do not depend on each other, so several run at once, each on a connection
//! of its own and in one snapshot of the file. What they find is reported in one order, whichever
//! of them ended first.

use super::audit_sums::{Accounts, add_up};
use super::books::Texts;
use super::meter::Meter;
use super::open_error::OpenError;
use super::readers::SqliteReader;
use super::reading::{knows_conditions, open_for_reading};
use super::rows::known;
use super::{audit_indexes, audit_schema, audit_values, sending, soundness};
use crate::domain::money::{Currency, MinorUnits};
use crate::ledger::audit::{Audit, AuditedAccount, Findings, Progress};
use crate::ledger::checks;
use parking_lot::Mutex;
use rusqlite::Connection;
use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::thread;

/// How many parts run at once; more would wait for the same disk.
const THREADS: usize = 2;
/// How much of the file each connection keeps in memory.
const CACHE_KIB: i64 = 32 << 10;
/// About how many steps SQLite takes for a row while it checks pages or references. It moves the
/// progress and decides nothing.
const STEPS_A_ROW: u64 = 100;
/// After how many steps of a statement progress is noted.
const STEPS_BETWEEN_NOTES: i32 = 200_000;

/// A part of an audit.
#[derive(Debug, Clone, Copy)]
enum Part {
    References,
    Pages,
    Money,
    Values,
    Rows,
    Indexes,
}

/// What the parts found, as far as they are done.
#[derive(Default)]
struct Found {
    pages_are_sound: bool,
    indexes_are_whole: bool,
    references: Option<rusqlite::Result<Findings>>,
    values: Option<rusqlite::Result<Findings>>,
    rows: Option<rusqlite::Result<Findings>>,
    money: Option<rusqlite::Result<Audit>>,
}

/// Audits the ledger at `path`, which may be in use by another process.
pub(super) fn audit(path: &Path, progress: Progress) -> Result<Audit, OpenError> {
    let first = open(path)?;
    let meter = meter(&first, progress).map_err(|error| OpenError::sql(path, &error))?;
    let meter = Arc::new(meter);
    // The longest first.
    let parts =
        [Part::References, Part::Pages, Part::Money, Part::Values, Part::Rows, Part::Indexes];
    let waiting = Mutex::new(VecDeque::from(parts));
    let found = Mutex::new(Found::default());
    let work = |connection: &Connection| {
        let next = || waiting.lock().pop_front();
        while let Some(part) = next() {
            do_part(part, connection, &meter, &found);
        }
    };
    thread::scope(|scope| {
        for _ in 1..THREADS {
            // Where another cannot be opened, the first connection does everything.
            scope.spawn(|| open(path).map(|connection| work(&connection)));
        }
        work(&first);
    });
    let found = found.into_inner();
    put_together(&first, found).map_err(|error| OpenError::sql(path, &error))
}

fn open(path: &Path) -> Result<Connection, OpenError> {
    let connection = open_for_reading(path)?;
    let cache = connection.pragma_update(None, "cache_size", -CACHE_KIB);
    cache.map_err(|error| OpenError::sql(path, &error))?;
    Ok(connection)
}

/// A meter of all that the parts will look at: refunds and entries, once each.
fn meter(connection: &Connection, progress: Progress) -> rusqlite::Result<Meter> {
    let newest = "select coalesce((select max(number) from refund_row), 0) \
                  + coalesce((select max(key) from entry_row), 0)";
    let rows: i64 = connection.query_row(newest, [], |row| row.get(0))?;
    let all = rows.unsigned_abs().saturating_mul(4);
    Ok(Meter::new(all, progress))
}

fn do_part(part: Part, connection: &Connection, meter: &Arc<Meter>, found: &Mutex<Found>) {
    match part {
        Part::References => {
            let checked = noting_steps(connection, meter, dangling_references);
            found.lock().references = Some(checked);
        }
        Part::Pages => {
            let checked = noting_steps(connection, meter, soundness::quick_check);
            found.lock().pages_are_sound = matches!(checked, Ok(None));
        }
        Part::Money => {
            let audited = audit_money(connection, meter);
            found.lock().money = Some(audited);
        }
        Part::Values => {
            let checked = noting_steps(connection, meter, schema_and_values);
            found.lock().values = Some(checked);
        }
        Part::Rows => {
            let checked = noting_steps(connection, meter, rows);
            found.lock().rows = Some(checked);
        }
        Part::Indexes => {
            let compared = audit_indexes::are_whole(connection, meter);
            found.lock().indexes_are_whole = matches!(compared, Ok(true));
        }
    }
}

/// Does work of SQLite's own, in which only its steps can be counted.
fn noting_steps<T>(
    connection: &Connection,
    meter: &Arc<Meter>,
    work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let counted = Arc::clone(meter);
    let rows = u64::from(STEPS_BETWEEN_NOTES.unsigned_abs()) / STEPS_A_ROW;
    let goes_on = move || {
        counted.add(rows);
        false
    };
    connection.progress_handler(STEPS_BETWEEN_NOTES, Some(goes_on))?;
    let done = work(connection);
    connection.progress_handler(0, None::<fn() -> bool>)?;
    done
}

fn put_together(connection: &Connection, found: Found) -> rusqlite::Result<Audit> {
    let lacks_conditions = !knows_conditions(connection)?;
    let mut audit = Audit { lacks_conditions, ..Audit::default() };
    if !(found.pages_are_sound && found.indexes_are_whole) {
        audit.take_over(damage(connection)?);
    }
    // A part is missing only where its thread panicked, and then so does the scope.
    if let Some(references) = found.references {
        audit.take_over(references?);
    }
    if let Some(rows) = found.rows {
        audit.take_over(rows?);
    }
    if let Some(money) = found.money {
        let money = money?;
        audit.take_over(money.findings);
        let Audit { accounts, refunds, entries, .. } = money;
        audit = Audit { accounts, refunds, entries, ..audit };
    }
    // Last, because most of what it finds is only less plain than what the others say of it.
    if let Some(values) = found.values {
        audit.take_over(values?);
    }
    Ok(audit)
}

/// What SQLite finds wrong with the file.
fn damage(connection: &Connection) -> rusqlite::Result<Findings> {
    let mut findings = Findings::default();
    let mut statement = connection.prepare("pragma integrity_check")?;
    let verdicts = statement.query_map([], |row| row.get::<_, String>(0))?;
    for verdict in verdicts {
        let verdict = verdict?;
        if verdict != "ok" {
            findings.complain(format!("the file: {verdict}"));
        }
    }
    Ok(findings)
}

fn dangling_references(connection: &Connection) -> rusqlite::Result<Findings> {
    let mut findings = Findings::default();
    let mut statement = connection.prepare("pragma foreign_key_check")?;
    let dangling = statement.query_map([], |row| row.get::<_, String>(0))?;
    for table in dangling {
        findings.complain(format!("the file: a row of {} refers to nothing", table?));
    }
    Ok(findings)
}

/// A ledger that an older version left has no sums yet.
fn schema_and_values(connection: &Connection) -> rusqlite::Result<Findings> {
    let snapshot = connection.unchecked_transaction()?;
    let findings = audit_schema::check(&snapshot)?;
    // Statements about a schema that is another would find nothing but that.
    if !findings.problems.is_empty() || !audit_schema::is_current(&snapshot)? {
        return Ok(findings);
    }
    audit_values::check(&snapshot)
}

/// Looks whether rows that belong together are there, in one snapshot.
pub(super) fn rows(connection: &Connection) -> rusqlite::Result<Findings> {
    let snapshot = connection.unchecked_transaction()?;
    let mut texts = Texts::default();
    Ok(checks::rows(&mut SqliteReader::new(&snapshot, &mut texts))?)
}

/// Adds up everything in one snapshot.
pub(super) fn audit_money(connection: &Connection, meter: &Meter) -> rusqlite::Result<Audit> {
    let snapshot = connection.unchecked_transaction()?;
    let sums = add_up(&snapshot, meter)?;
    let mut audit = Audit { refunds: sums.refunds, entries: sums.entries, ..Audit::default() };
    for findings in [sums.rows, sums.chain, sums.taken, sums.orders, sums.causes] {
        audit.take_over(findings);
    }
    sending::add_function(&snapshot)?;
    let mut texts = Texts::default();
    checks::money(&mut SqliteReader::new(&snapshot, &mut texts), &mut audit.findings)?;
    list_accounts(&snapshot, sums.accounts, &mut audit)?;
    Ok(audit)
}

fn list_accounts(
    connection: &Connection,
    mut sums: Accounts,
    audit: &mut Audit,
) -> rusqlite::Result<()> {
    let select = "select key, id, number, currency, opening, coalesce(balance, 0) from account \
                  order by number";
    let mut statement = connection.prepare(select)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (key, number): (i64, String) = (row.get(0)?, row.get(2)?);
        let (opening, balance): (i64, i64) = (row.get(4)?, row.get(5)?);
        let (moved, refunds) = sums.of(key);
        if opening.checked_add(moved) != Some(balance) {
            let text = format!("account {number}: {opening} moved by {moved} is not {balance}");
            audit.findings.complain(text);
        }
        audit.accounts.push(AuditedAccount {
            id: row.get(1)?,
            number,
            currency: known(row, 3, Currency::from_code)?,
            opening: MinorUnits::new(opening),
            balance: MinorUnits::new(balance),
            refunds,
        });
    }
    Ok(())
}
