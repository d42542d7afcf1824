//! Recomputing every balance from what is behind it, and letting SQLite check the whole file.
//!
//! The parts of an audit do not depend on each other, so several run at once, each on a connection
//! of its own and in one snapshot of the file. What they find is reported in one order, whichever
//! of them ended first.

use super::books::Texts;
use super::readers::SqliteReader;
use super::reading::{knows_conditions, open_for_reading};
use super::{audit_indexes, audit_schema, sending, soundness};
use crate::ledger::audit::{Audit, Findings, Meter, Progress};
use crate::ledger::checks;
use crate::ledger::file::OpenError;
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
/// How many of the parts look at each refund and each entry.
const LOOKS: u64 = 4;
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
pub(super) fn audit(path: &Path, progress: &Progress) -> Result<Audit, OpenError> {
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
    let prepared = cache.and_then(|()| sending::add_function(&connection));
    prepared.map_err(|error| OpenError::sql(path, &error))?;
    Ok(connection)
}

/// A meter of all that the parts will look at.
fn meter(connection: &Connection, progress: &Progress) -> rusqlite::Result<Meter> {
    let mut texts = Texts::default();
    Ok(checks::meter(&mut SqliteReader::new(connection, &mut texts), LOOKS, progress)?)
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
            let audited = money(connection, meter);
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

/// A part that could not be done failed of what the others found, where they found something.
fn put_together(connection: &Connection, found: Found) -> rusqlite::Result<Audit> {
    let mut audit = Audit::default();
    let mut failed = Ok(());
    match knows_conditions(connection) {
        Ok(known) => audit.lacks_conditions = !known,
        Err(error) => failed = Err(error),
    }
    // A part is missing only where its thread panicked, and then so does the scope.
    let money = found.money.map(|money| {
        money.map(|Audit { findings, accounts, refunds, entries, .. }| {
            audit = Audit { accounts, refunds, entries, ..std::mem::take(&mut audit) };
            findings
        })
    });
    let is_sound = found.pages_are_sound && found.indexes_are_whole;
    let pages = (!is_sound).then(|| damage(connection));
    // Values are last, because most of what is found of them is only less plain than what the
    // others say of it.
    for part in [pages, found.references, found.rows, money, found.values].into_iter().flatten() {
        match part {
            Ok(findings) => audit.take_over(findings),
            Err(error) => failed = Err(error),
        }
    }
    match failed {
        Err(error) if audit.findings.problems.is_empty() => Err(error),
        _ => Ok(audit),
    }
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

/// Rows are compared with the schema of this program: an older ledger has no sums yet, and in one
/// whose schema is another nothing would be found but that.
fn schema_and_values(connection: &Connection) -> rusqlite::Result<Findings> {
    let snapshot = connection.unchecked_transaction()?;
    let findings = audit_schema::check(&snapshot)?;
    if !findings.problems.is_empty() || !audit_schema::is_current(&snapshot)? {
        return Ok(findings);
    }
    values(&snapshot)
}

/// Looks at every value of every row, as the connection sees them.
pub(super) fn values(connection: &Connection) -> rusqlite::Result<Findings> {
    let mut texts = Texts::default();
    Ok(checks::values(&mut SqliteReader::new(connection, &mut texts), &Meter::unseen())?)
}

/// Looks whether rows that belong together are there, in one snapshot.
pub(super) fn rows(connection: &Connection) -> rusqlite::Result<Findings> {
    let snapshot = connection.unchecked_transaction()?;
    let mut texts = Texts::default();
    Ok(checks::rows(&mut SqliteReader::new(&snapshot, &mut texts))?)
}

/// Adds up everything in one snapshot, on a connection that knows the functions of `sending`.
pub(super) fn money(connection: &Connection, meter: &Meter) -> rusqlite::Result<Audit> {
    let snapshot = connection.unchecked_transaction()?;
    let mut texts = Texts::default();
    Ok(checks::money(&mut SqliteReader::new(&snapshot, &mut texts), meter)?)
}
