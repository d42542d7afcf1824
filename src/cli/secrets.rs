//! Secrets and authorities of a configuration file, read the same for every table that has them.
//!
//! What must stay true: a secret is never printed, also where something is wrong with the table
//! that holds it.

use super::complaint::{Wrong, wrong};
use super::credentials;
use crate::client::{Endpoint, Trust};
use crate::processor::http::Secret;
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use toml::Spanned;

/// A text that is never shown, not even in a complaint about its type.
pub(super) struct Hidden(String);

impl<'de> Deserialize<'de> for Hidden {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match toml::Value::deserialize(deserializer)? {
            toml::Value::String(text) => Ok(Self(text)),
            _ => Err(serde::de::Error::custom("a secret is a text in quotes")),
        }
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("(hidden)")
    }
}

/// Where a table says that its secret is.
pub(super) struct SecretSources<'a> {
    /// `secret`
    pub(super) text: &'a Option<Spanned<Hidden>>,
    /// `secret_file`
    pub(super) file: &'a Option<Spanned<PathBuf>>,
    /// `secret_env`
    pub(super) env: &'a Option<Spanned<String>>,
}

/// The secret of `owner`, whose table is `at`, and where it came from in words that may be shown.
pub(super) fn find_secret(
    sources: &SecretSources<'_>,
    owner: &str,
    at: Range<usize>,
) -> Result<(Secret, String), Wrong> {
    let parse = |text: &str, at: Range<usize>, from: String| match Secret::parse(text) {
        Ok(secret) => Ok((secret, from)),
        Err(error) => Err(Wrong { at, message: error.to_string() }),
    };
    match (sources.text, sources.file, sources.env) {
        (Some(text), None, None) => {
            parse(&text.get_ref().0, text.span(), "set, not shown".to_owned())
        }
        (None, Some(path), None) => {
            let shown = path.get_ref().display();
            let file = credentials::file_of(path.get_ref());
            let file = file.map_err(|error| wrong(path, error.to_string()))?;
            let text = std::fs::read_to_string(file)
                .map_err(|error| wrong(path, format!("{shown} cannot be read: {error}")))?;
            parse(&text, path.span(), format!("of {shown}, not shown"))
        }
        (None, None, Some(name)) => {
            let shown = name.get_ref();
            let text = std::env::var(shown)
                .map_err(|_| wrong(name, format!("the variable {shown} is not set")))?;
            parse(&text, name.span(), format!("of ${shown}, not shown"))
        }
        _ => {
            let message = format!("{owner} needs one of secret, secret_file and secret_env");
            Err(Wrong { at, message })
        }
    }
}

/// Whose certificates are believed, and that in words.
pub(super) fn find_trust(
    ca_file: &Option<Spanned<PathBuf>>,
    endpoint: &Endpoint,
) -> Result<(Trust, String), Wrong> {
    let Some(path) = ca_file else {
        return Ok((Trust::public(), "none".to_owned()));
    };
    if !endpoint.is_https() {
        return Err(wrong(path, "without https there is no certificate to verify"));
    }
    let shown = path.get_ref().display().to_string();
    let file = credentials::file_of(path.get_ref());
    let file = file.map_err(|error| wrong(path, error.to_string()))?;
    let text = std::fs::read(file)
        .map_err(|error| wrong(path, format!("{shown} cannot be read: {error}")))?;
    let trust = Trust::only(&text).map_err(|error| wrong(path, format!("{shown} {error}")))?;
    Ok((trust, shown))
}
