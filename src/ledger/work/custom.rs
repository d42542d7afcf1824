//! Values of the tenant's own fields, as JSON beside the object that has them.
//!
//! What must stay true: a column never holds a null inside, so that a field without a value and one
//! whose value was taken away are the same.

use crate::domain::custom_value::CustomValues;
use crate::ledger::books::BooksError;
use serde_json::{Map, Value};

/// The column after the values were given, of which one without a value is taken away. All others
/// stay.
pub fn merged(column: Option<&str>, values: &CustomValues) -> Result<Option<String>, BooksError> {
    if values.is_empty() {
        return Ok(column.map(str::to_owned));
    }
    let wrong = |error: serde_json::Error| BooksError::Engine(error.to_string());
    let mut all: Map<String, Value> =
        column.map_or(Ok(Map::new()), serde_json::from_str).map_err(wrong)?;
    for (name, value) in values {
        match value {
            Some(value) => {
                all.insert(name.clone(), serde_json::to_value(value).map_err(wrong)?);
            }
            None => {
                all.remove(name);
            }
        }
    }
    serde_json::to_string(&all).map(Some).map_err(wrong)
}
