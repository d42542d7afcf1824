//! Rows of the file as values of the domain.
//!
//! A value that the domain does not know (another program wrote it) is an error, never a guess.

use super::books;
use crate::domain::facts::Gateway;
use crate::domain::script::Script;
use crate::ledger::world;
use rusqlite::types::Type;
use rusqlite::{Connection, Row};

/// Turns a stored text into a value, or says which column holds a value that is none of its type.
pub(super) fn known<T>(
    row: &Row<'_>,
    column: usize,
    read: impl FnOnce(&str) -> Option<T>,
) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    read(text).ok_or_else(|| unknown_value(column, text))
}

fn unknown_value(column: usize, text: &str) -> rusqlite::Error {
    let why = format!("the ledger holds `{text}`, which this program does not know");
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, why.into())
}

/// The gateways and their scripts, the built-in sandbox always among them.
pub(super) fn gateways(connection: &Connection) -> rusqlite::Result<Vec<(Gateway, Script)>> {
    Ok(world::gateways_of(books::all(connection)?)?)
}
