//! What a front door can say of an exchange afterwards, for people who wonder why it was refused.

use crate::catalogue::Object;
use crate::domain::toml_text::suggest;
use crate::ledger::test_bench::KnownId;
use serde::Serialize;

/// Why a call, or one of its rows, was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rejection {
    /// The row, from 1; none for the call as a whole.
    pub row: Option<usize>,
    /// The code.
    pub code: String,
    /// The text.
    pub message: String,
}

/// Reads exchanges that are over. It only reads, and says nothing about what it cannot read.
pub trait Explain {
    /// What was refused in an answer.
    fn rejections(&self, answer: &str) -> Vec<Rejection>;

    /// What in a request to `version` (as sent) is close to something that would have been
    /// understood; `known` are the ids of the objects that there are.
    fn near_misses(&self, request: &str, version: &str, known: &[KnownId]) -> Vec<String>;
}

/// What may have been meant by a value outside the closed set of its field, if the field of
/// `object` has one: the text of the error has no room for it.
pub fn missed_value(object: Object, field: &str, value: &str) -> Option<String> {
    let known = object.field(field)?.values;
    if value.is_empty() || known.is_empty() || known.contains(&value) {
        return None;
    }
    let meant = match suggest(value, known.iter().copied()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("there are {}", known.join(", ")),
    };
    Some(format!("{field} has no value {value}; {meant}"))
}
