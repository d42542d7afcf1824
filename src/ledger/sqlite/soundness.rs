//! Whether the pages, the schema and the rows of the file are sound: asked before a start where
//! nothing is served yet, or beside serving, on a thread of its own.
//!
//! What must stay true: the check beside serving gives up rather than let the log grow without end,
//! because its snapshot keeps the log from being emptied.

use super::log::log_of;
use super::open_error::OpenError;
use super::reading::checking_connection;
use super::{audit_schema, audit_values};
use crate::ledger::damage::Damage;
use rusqlite::{Connection, ErrorCode};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

/// The niceness of the thread: whatever else wants the processor has it first.
const NICENESS: i32 = 19;
/// How many pages, or steps of a statement, are looked at between two questions whether to go on.
const STEPS_BETWEEN_LOOKS: i32 = 1_000;
/// By how much the log may grow beside one check, in bytes.
const LOG_GROWTH_MAX: u64 = 512 << 20;
/// How long after a check that did not come to its end the next one begins.
const AGAIN_AFTER: Duration = Duration::from_mins(1);
/// How long after a check that came to its end the next one begins.
const NEXT_AFTER: Duration = Duration::from_hours(1);
/// A check that took longer than this is worth a line in the log.
const WORTH_A_LINE: Duration = Duration::from_secs(1);

/// Checks the whole file, and returns its first damage.
pub(super) fn check_soundness(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    match first_damage(connection).map_err(|error| OpenError::sql(path, &error))? {
        None => Ok(()),
        Some(detail) => Err(OpenError::Damaged { path: path.to_owned(), detail }),
    }
}

/// What is wrong with pages, schema or rows, if anything is.
fn first_damage(connection: &Connection) -> rusqlite::Result<Option<String>> {
    if let Some(found) = quick_check(connection)? {
        return Ok(Some(found));
    }
    let found = audit_schema::check(connection)?.problems.into_iter().next();
    if found.is_some() || !audit_schema::is_current(connection)? {
        return Ok(found);
    }
    audit_values::first_problem(connection)
}

/// What SQLite finds wrong with the file, if anything is.
pub(super) fn quick_check(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let verdict: String = connection.pragma_query_value(None, "quick_check", |row| row.get(0))?;
    Ok((verdict != "ok").then_some(verdict))
}

/// Whether an error means that the file is damaged: in SQLite's eyes, or because a column holds
/// what nothing writes there.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
        || matches!(
            error,
            rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
                | rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::Utf8Error(..)
        )
}

/// The check beside serving, which ends when this is dropped.
pub(super) struct Watch {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Checks the file at `path` from now on, again and again.
    pub(super) fn start(path: &Path, damage: Damage) -> io::Result<Self> {
        let is_over = Arc::new(AtomicBool::new(false));
        let check = Check { path: path.to_owned(), damage, is_over: Arc::clone(&is_over) };
        let thread = thread::Builder::new()
            .name("ledger-check".to_owned())
            .spawn(move || check.run_to_its_end())?;
        Ok(Self { is_over, thread: Some(thread) })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
        self.thread.as_ref().map(JoinHandle::thread).map(Thread::unpark);
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the check of the ledger ended by a panic");
        }
    }
}

struct Check {
    path: PathBuf,
    damage: Damage,
    is_over: Arc<AtomicBool>,
}

impl Check {
    fn run_to_its_end(&self) {
        // Of this thread alone, as Linux understands it.
        if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
            tracing::debug!(%error, "the check of the ledger runs at the priority of all threads");
        }
        while !self.is_over() && self.damage.found().is_none() {
            let begun = Instant::now();
            let wait = match self.run_once() {
                Ok(()) => {
                    self.tell(begun);
                    NEXT_AFTER
                }
                Err(_) if self.is_over() => return,
                Err(error) => {
                    tell_why(&error);
                    AGAIN_AFTER
                }
            };
            self.wait(wait);
        }
    }

    /// Says that a check came to its end, if it was a long one.
    fn tell(&self, begun: Instant) {
        let seconds = begun.elapsed().as_secs();
        if self.damage.found().is_none() && begun.elapsed() > WORTH_A_LINE {
            tracing::info!(seconds, "the ledger was checked beside serving, and its file is sound");
        }
    }

    /// Checks the file in one snapshot; an error of SQLite that is no damage is why it could not.
    fn run_once(&self) -> rusqlite::Result<()> {
        let checked = self.look();
        match &checked {
            Ok(Some(detail)) => self.damage.note(detail),
            Err(error) if is_damage(error) => self.damage.note(&error.to_string()),
            Ok(None) | Err(_) => {}
        }
        // Damage is an answer, in whatever form it comes.
        if self.damage.found().is_some() { Ok(()) } else { checked.map(|_| ()) }
    }

    fn look(&self) -> rusqlite::Result<Option<String>> {
        let connection = checking_connection(&self.path)?;
        let (is_over, log) = (Arc::clone(&self.is_over), log_of(&self.path));
        let bytes = move || fs::metadata(&log).map_or(0, |log| log.len());
        let most = bytes().saturating_add(LOG_GROWTH_MAX);
        let ends = move || is_over.load(Ordering::Acquire) || bytes() > most;
        connection.progress_handler(STEPS_BETWEEN_LOOKS, Some(ends))?;
        first_damage(&connection)
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    /// Waits until it is time to check again, or there is nothing left to check for.
    fn wait(&self, span: Duration) {
        let until = Instant::now() + span;
        while !self.is_over() && Instant::now() < until {
            thread::park_timeout(until.saturating_duration_since(Instant::now()));
        }
    }
}

/// Says why a check did not come to its end.
fn tell_why(error: &rusqlite::Error) {
    let minutes = AGAIN_AFTER.as_secs() / 60;
    if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) {
        tracing::warn!(
            minutes,
            "the check of the ledger gave up, because much was written meanwhile and the log may \
             not grow without end; it begins again in a while"
        );
    } else {
        tracing::error!(%error, minutes, "the ledger could not be checked, and will be");
    }
}
