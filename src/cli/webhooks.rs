//! Webhooks: `[[webhook]]` tables of a configuration file, checked.
//!
//! What must stay true: events go only to who proves to be the host (https), or stay on this
//! machine.

use super::complaint::{Wrong, bounded, wrong};
use super::secrets::{Hidden, SecretSources, find_secret, find_trust};
use crate::client::Endpoint;
use crate::domain::event::EventKind;
use crate::domain::toml_text::meant;
use crate::service::webhooks::Webhook;
use chrono::TimeDelta;
use serde::Deserialize;
use std::fmt;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;
use toml::Spanned;

const NAME_CHARS_MAX: usize = 255;
const TIMEOUT_BOUNDS_MS: RangeInclusive<u64> = 1..=600_000;
const TIMEOUT_MS: u64 = 10_000;
/// A year, in hours.
const GIVE_UP_BOUNDS_H: RangeInclusive<u64> = 1..=8_760;
const GIVE_UP_AFTER_H: u64 = 72;

/// A table `[[webhook]]` as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    name: Spanned<String>,
    url: Spanned<String>,
    secret: Option<Spanned<Hidden>>,
    secret_file: Option<Spanned<PathBuf>>,
    secret_env: Option<Spanned<String>>,
    ca_file: Option<Spanned<PathBuf>>,
    kinds: Option<Spanned<Vec<String>>>,
    timeout_ms: Option<Spanned<u64>>,
    give_up_after_h: Option<Spanned<u64>>,
}

/// A webhook that can be used.
#[derive(Clone)]
pub(super) struct Configured {
    /// It.
    pub(super) webhook: Webhook,
    /// Its settings as they may be shown, by their keys.
    pub(super) shown: Vec<(&'static str, String)>,
    /// Where its table begins, in bytes.
    pub(super) at: usize,
}

impl fmt::Debug for Configured {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Configured").field("name", &self.webhook.name).finish_non_exhaustive()
    }
}

impl Written {
    /// The environment variable that holds its secret.
    pub(super) fn secret_env(&self) -> Option<&str> {
        self.secret_env.as_ref().map(|name| name.get_ref().as_str())
    }
}

/// Checks the tables of a file.
pub(super) fn check(written: &[Spanned<Written>]) -> Result<Vec<Configured>, Wrong> {
    let mut checked: Vec<Configured> = Vec::new();
    for table in written {
        let name = &table.get_ref().name;
        if checked.iter().any(|other| other.webhook.name == *name.get_ref()) {
            let message = format!("webhook `{}` stands here twice", name.get_ref());
            return Err(wrong(name, message));
        }
        checked.push(check_one(table)?);
    }
    Ok(checked)
}

fn check_one(table: &Spanned<Written>) -> Result<Configured, Wrong> {
    let written = table.get_ref();
    let name = written.name.get_ref();
    if name.trim().is_empty() || name.chars().count() > NAME_CHARS_MAX {
        let message = format!("a name has 1 to {NAME_CHARS_MAX} characters, not all blank");
        return Err(wrong(&written.name, message));
    }
    let endpoint = check_url(&written.url)?;
    let Written { secret: text, secret_file: file, secret_env: env, .. } = written;
    let sources = SecretSources { text, file, env };
    let (secret, secret_from) = find_secret(&sources, &format!("webhook `{name}`"), table.span())?;
    let (trust, trusted) = find_trust(&written.ca_file, &endpoint)?;
    let kinds = written.kinds.as_ref().map(check_kinds).transpose()?;
    let timeout_ms = bounded(&written.timeout_ms, TIMEOUT_BOUNDS_MS, TIMEOUT_MS)?;
    let give_up_h = bounded(&written.give_up_after_h, GIVE_UP_BOUNDS_H, GIVE_UP_AFTER_H)?;
    let kinds_shown = kinds.as_ref().map_or_else(
        || "all".to_owned(),
        |kinds| kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", "),
    );
    let shown = vec![
        ("url", endpoint.to_string()),
        ("secret", secret_from),
        ("ca_file", trusted),
        ("kinds", kinds_shown),
        ("timeout_ms", timeout_ms.to_string()),
        ("give_up_after_h", give_up_h.to_string()),
    ];
    let webhook = Webhook {
        name: name.clone(),
        endpoint,
        secret,
        trust,
        kinds,
        timeout: Duration::from_millis(timeout_ms),
        give_up_after: TimeDelta::hours(i64::try_from(give_up_h).unwrap_or(1)),
    };
    Ok(Configured { webhook, shown, at: table.span().start })
}

fn check_url(url: &Spanned<String>) -> Result<Endpoint, Wrong> {
    let endpoint = Endpoint::parse(url.get_ref()).map_err(|error| wrong(url, error.to_string()))?;
    if !endpoint.is_https() && !endpoint.is_loopback() {
        return Err(wrong(url, format!("{endpoint} is not loopback: events go by https alone")));
    }
    Ok(endpoint)
}

fn check_kinds(written: &Spanned<Vec<String>>) -> Result<Vec<EventKind>, Wrong> {
    if written.get_ref().is_empty() {
        return Err(wrong(written, "names no kind; leave it out for all kinds"));
    }
    let known = |name: &String| {
        EventKind::from_name(name).ok_or_else(|| {
            let known = EventKind::ALL.map(|kind| format!("`{}`", kind.name())).join(", ");
            let meant = meant(name, EventKind::ALL.map(EventKind::name));
            wrong(written, format!("unknown kind `{name}`; known are {known}{meant}"))
        })
    };
    written.get_ref().iter().map(known).collect()
}
