//! What is wrong in a file that belongs to the configuration, and where it stands.
//!
//! What must stay true: a complaint names the file and the line, so that it is found without
//! searching.

use super::exit::{Failure, FailureCode};
use crate::domain::toml_text::{self, TomlError};
use std::fs;
use std::ops::{Range, RangeInclusive};
use std::path::Path;
use toml::Spanned;

/// Something wrong, and where it stands in the text.
pub(super) struct Wrong {
    pub(super) at: Range<usize>,
    pub(super) message: String,
}

pub(super) fn wrong<T>(place: &Spanned<T>, message: impl Into<String>) -> Wrong {
    Wrong { at: place.span(), message: message.into() }
}

/// A number within its bounds, or its default.
pub(super) fn bounded(
    given: &Option<Spanned<u64>>,
    bounds: RangeInclusive<u64>,
    default: u64,
) -> Result<u64, Wrong> {
    let Some(value) = given else { return Ok(default) };
    let number = *value.get_ref();
    if bounds.contains(&number) {
        return Ok(number);
    }
    let (least, most) = bounds.into_inner();
    Err(wrong(value, format!("is {number}; it must be from {least} to {most}")))
}

/// The text of a file that belongs to the configuration; `what` is how it is called to the user.
pub(super) fn read_text(path: &Path, what: &str) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| {
        let message = format!("{what} {} cannot be read: {error}", path.display());
        Failure::new(FailureCode::Configuration, message)
    })
}

/// A mistake in such a file, as `gateway.toml:12: http.headers_max: …`.
pub(super) fn wrong_text(path: &Path, error: &TomlError) -> Failure {
    let TomlError { line, key, message, .. } = error;
    let key = if key.is_empty() { String::new() } else { format!("{key}: ") };
    let message = format!("{}:{line}: {key}{message}", path.display());
    Failure::new(FailureCode::Configuration, message)
}

/// The failure that something wrong in the text of `path` is.
pub(super) fn wrong_place(path: &Path, text: &str, wrong: &Wrong) -> Failure {
    wrong_text(path, &toml_text::complain(text, &wrong.at, wrong.message.clone()))
}
