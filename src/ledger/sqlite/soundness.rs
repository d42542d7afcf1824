//! Whether the pages, the schema and the rows of the file are sound: asked before a start where
//! nothing is served yet, or beside serving.

use super::audit::values;
use super::audit_schema;
use super::fault::is_damage;
use super::reading::checking_connection;
use crate::ledger::file::OpenError;
use crate::ledger::file::check::{Ends, Looked};
use rusqlite::Connection;
use std::path::Path;

/// How many pages, or steps of a statement, are looked at between two questions whether to go on.
const STEPS_BETWEEN_LOOKS: i32 = 1_000;

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
    Ok(values(connection)?.problems.into_iter().next())
}

/// What SQLite finds wrong with the file, if anything is.
pub(super) fn quick_check(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let verdict: String = connection.pragma_query_value(None, "quick_check", |row| row.get(0))?;
    Ok((verdict != "ok").then_some(verdict))
}

/// Checks the file of a ledger that is served.
pub(super) fn look(path: &Path, ends: Ends) -> Looked {
    let looked = checking_connection(path).and_then(|connection| {
        connection.progress_handler(STEPS_BETWEEN_LOOKS, Some(ends))?;
        first_damage(&connection)
    });
    match looked {
        Ok(None) => Looked::Sound,
        Ok(Some(detail)) => Looked::Damaged(detail),
        Err(error) if is_damage(&error) => Looked::Damaged(error.to_string()),
        Err(error) => Looked::Failed(error.to_string()),
    }
}
