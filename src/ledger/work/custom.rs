//! Values of the tenant's own fields, and those that are only kept, as JSON beside the object that
//! has them.
//!
//! What must stay true: a column never holds a null inside, so that a field without a value and one
//! whose value was taken away are the same.

use crate::domain::custom_value::CustomValues;
use crate::domain::draft::common::KeptValues;
use crate::ledger::books::BooksError;
use serde::Serialize;
use serde_json::{Map, Value};

/// The column of the tenant's own fields after the values were given, of which one without a value
/// is taken away. All others stay.
pub fn merged(column: Option<&str>, values: &CustomValues) -> Result<Option<String>, BooksError> {
    if values.is_empty() {
        return Ok(column.map(str::to_owned));
    }
    let values = values.iter().map(|(name, value)| (name.as_str(), value.as_ref()));
    patched(column, values).map(Some)
}

/// The same for the column of what is only kept, which is an object even where nothing is.
pub(super) fn kept(column: Option<&str>, values: &KeptValues<'_>) -> Result<String, BooksError> {
    patched(column, values.iter().map(|(name, value)| (*name, *value)))
}

fn patched<'v, V: Serialize + 'v>(
    column: Option<&str>,
    values: impl Iterator<Item = (&'v str, Option<&'v V>)>,
) -> Result<String, BooksError> {
    let wrong = |error: serde_json::Error| BooksError::Engine(error.to_string());
    let mut all: Map<String, Value> =
        column.map_or(Ok(Map::new()), serde_json::from_str).map_err(wrong)?;
    for (name, value) in values {
        match value {
            Some(value) => {
                all.insert(name.to_owned(), serde_json::to_value(value).map_err(wrong)?);
            }
            None => {
                all.remove(name);
            }
        }
    }
    serde_json::to_string(&all).map_err(wrong)
}
