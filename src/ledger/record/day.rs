//! Days that stand in their columns as texts, so that operators can read them.

use super::{Field, Value};
use chrono::NaiveDate;
use std::borrow::Cow;

/// A day whose column holds a text like 2026-01-02.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayText(pub NaiveDate);

impl Field for DayText {
    fn stored(&self) -> Value<'_> {
        Value::Text(Cow::Owned(self.0.to_string()))
    }

    fn from_stored(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Text(day) => day.parse().ok().map(Self),
            _ => None,
        }
    }
}
