//! Payment gateways of kind http: `[[gateway]]` tables of a configuration file, checked.
//!
//! What must stay true: money goes only to who proves to be the host (https), or stays on this
//! machine; and a secret is never printed, also where something is wrong with its table.

use super::complaint::{Wrong, bounded, wrong};
use super::secrets::{Hidden, SecretSources, find_secret, find_trust};
use crate::client::Endpoint;
use crate::domain::facts::{Gateway, SANDBOX_GATEWAY};
use crate::domain::presets::{self, PRESETS, Preset};
use crate::domain::toml_text::meant;
use crate::domain::vocabulary::MethodType;
use crate::processor::http::{BreakerSettings, HttpGateway, Secret};
use serde::Deserialize;
use std::fmt;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;
use toml::Spanned;

const NAME_CHARS_MAX: usize = 255;
const TIMES_MS: RangeInclusive<u64> = 1..=600_000;
const CONNECT_TIMEOUT_MS: u64 = 5_000;
const TIMEOUT_MS: u64 = 30_000;
const CONNECTIONS: RangeInclusive<u64> = 1..=256;
const CONNECTIONS_MAX: u64 = 16;
/// Ten years, in hours.
const RETENTION_H: RangeInclusive<u64> = 0..=87_600;
const KEY_RETENTION_H: u64 = 24;
const FAILURES: RangeInclusive<u64> = 1..=1_000;
const BREAKER_FAILURES: u64 = 5;
const BREAKER_OPEN_MS: u64 = 30_000;
const WINDOW_DAYS: RangeInclusive<u64> = 1..=36_500;

/// A table `[[gateway]]` as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    name: Spanned<String>,
    kind: Spanned<String>,
    url: Spanned<String>,
    secret: Option<Spanned<Hidden>>,
    secret_file: Option<Spanned<PathBuf>>,
    secret_env: Option<Spanned<String>>,
    ca_file: Option<Spanned<PathBuf>>,
    connect_timeout_ms: Option<Spanned<u64>>,
    timeout_ms: Option<Spanned<u64>>,
    connections_max: Option<Spanned<u64>>,
    key_retention_h: Option<Spanned<u64>>,
    breaker: Option<WrittenBreaker>,
    preset: Option<Spanned<String>>,
    active: Option<bool>,
    referenced_refunds: Option<bool>,
    non_referenced_refunds: Option<bool>,
    method_types: Option<Spanned<Vec<MethodType>>>,
    refund_window_days: Option<Spanned<u64>>,
}

/// The table `[gateway.breaker]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenBreaker {
    failures: Option<Spanned<u64>>,
    open_ms: Option<Spanned<u64>>,
}

/// A gateway that can be used.
#[derive(Clone)]
pub(super) struct Configured {
    /// What it can do.
    pub(super) ability: Gateway,
    /// How it is reached.
    pub(super) connector: HttpGateway,
    /// Its settings as they may be shown, by their keys.
    pub(super) shown: Vec<(String, String)>,
    /// Where its table begins, in bytes.
    pub(super) at: usize,
}

impl fmt::Debug for Configured {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Configured").field("ability", &self.ability).finish_non_exhaustive()
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
        let name = table.get_ref().name.get_ref();
        if checked.iter().any(|other| other.ability.name == *name) {
            return Err(wrong(
                &table.get_ref().name,
                format!("gateway `{name}` stands here twice"),
            ));
        }
        checked.push(check_one(table)?);
    }
    Ok(checked)
}

fn check_one(table: &Spanned<Written>) -> Result<Configured, Wrong> {
    let written = table.get_ref();
    check_name(written)?;
    let endpoint = check_url(&written.url)?;
    let (secret, secret_from) = secret(table)?;
    let (trust, trusted) = find_trust(&written.ca_file, &endpoint)?;
    let ability = ability(written)?;
    let number = |given: &Option<Spanned<u64>>, bounds, default| bounded(given, bounds, default);
    let connect_ms = number(&written.connect_timeout_ms, TIMES_MS, CONNECT_TIMEOUT_MS)?;
    let timeout_ms = number(&written.timeout_ms, TIMES_MS, TIMEOUT_MS)?;
    let connections = number(&written.connections_max, CONNECTIONS, CONNECTIONS_MAX)?;
    let retention_h = number(&written.key_retention_h, RETENTION_H, KEY_RETENTION_H)?;
    let breaker = written.breaker.as_ref();
    let failures = breaker.map(|one| number(&one.failures, FAILURES, BREAKER_FAILURES));
    let failures = failures.unwrap_or(Ok(BREAKER_FAILURES))?;
    let open_ms = breaker.map(|one| number(&one.open_ms, TIMES_MS, BREAKER_OPEN_MS));
    let open_ms = open_ms.unwrap_or(Ok(BREAKER_OPEN_MS))?;
    let refund_window_days = window(written)?;
    let mut shown = shown_abilities(&ability, refund_window_days);
    let numbers = [
        ("connect_timeout_ms", connect_ms),
        ("timeout_ms", timeout_ms),
        ("connections_max", connections),
        ("key_retention_h", retention_h),
        ("breaker.failures", failures),
        ("breaker.open_ms", open_ms),
    ];
    shown.extend(numbers.map(|(key, value)| (key.to_owned(), value.to_string())));
    shown.insert(0, ("url".to_owned(), endpoint.to_string()));
    shown.insert(1, ("secret".to_owned(), secret_from));
    shown.insert(2, ("ca_file".to_owned(), trusted));
    let connector = HttpGateway {
        name: ability.name.clone(),
        endpoint,
        secret,
        trust,
        connect_timeout: Duration::from_millis(connect_ms),
        timeout: Duration::from_millis(timeout_ms),
        connections_max: usize::try_from(connections).unwrap_or(1),
        key_retention: Duration::from_secs(retention_h * 3600),
        refund_window_days,
        breaker: BreakerSettings {
            failures: u32::try_from(failures).unwrap_or(1),
            open_for: Duration::from_millis(open_ms),
        },
    };
    Ok(Configured { ability, connector, shown, at: table.span().start })
}

fn check_name(written: &Written) -> Result<(), Wrong> {
    let name = written.name.get_ref();
    if name.trim().is_empty() || name.chars().count() > NAME_CHARS_MAX {
        let message = format!("a name has 1 to {NAME_CHARS_MAX} characters, not all blank");
        return Err(wrong(&written.name, message));
    }
    if name == SANDBOX_GATEWAY {
        let message = format!("`{SANDBOX_GATEWAY}` is the built-in gateway; take another name");
        return Err(wrong(&written.name, message));
    }
    match written.kind.get_ref().as_str() {
        "http" => Ok(()),
        "sandbox" => Err(wrong(&written.kind, "gateways of kind sandbox are seed")),
        other => {
            let meant = meant(other, ["http"]);
            Err(wrong(&written.kind, format!("unknown kind `{other}`; known is `http`{meant}")))
        }
    }
}

/// The base URL; https, or on this machine.
pub(super) fn processor_url(url: &str) -> Result<Endpoint, String> {
    let endpoint = Endpoint::parse(url).map_err(|error| error.to_string())?;
    if url.contains(['?', '#']) {
        return Err("a processor's URL has neither a query nor a fragment".to_owned());
    }
    if !endpoint.is_https() && !endpoint.is_loopback() {
        return Err(format!("{endpoint} is not loopback: money goes by https alone"));
    }
    Ok(endpoint)
}

fn check_url(url: &Spanned<String>) -> Result<Endpoint, Wrong> {
    processor_url(url.get_ref()).map_err(|message| wrong(url, message))
}

/// The secret, and where it came from in words that may be shown.
fn secret(table: &Spanned<Written>) -> Result<(Secret, String), Wrong> {
    let Written { name, secret: text, secret_file: file, secret_env: env, .. } = table.get_ref();
    let sources = SecretSources { text, file, env };
    find_secret(&sources, &format!("gateway `{}`", name.get_ref()), table.span())
}

/// What the gateway can do: what is written, else what its preset says.
fn ability(written: &Written) -> Result<Gateway, Wrong> {
    let preset = preset(written)?;
    let method_types = match &written.method_types {
        None => preset.and_then(|preset| preset.method_types).map(<[_]>::to_vec),
        Some(types) if types.get_ref().is_empty() => {
            return Err(wrong(types, "names no type; leave it out for all types"));
        }
        Some(types) => match types.get_ref().iter().find(|one| !one.is_electronic()) {
            Some(other) => {
                let message = format!("no gateway pays to {}", other.name());
                return Err(wrong(types, message));
            }
            None => Some(types.get_ref().clone()),
        },
    };
    Ok(Gateway {
        name: written.name.get_ref().clone(),
        active: written.active.unwrap_or(true),
        referenced_refunds: written
            .referenced_refunds
            .or(preset.map(|preset| preset.referenced_refunds))
            .unwrap_or(true),
        // Paying to any card is nothing that a processor can do unless the configuration says so.
        non_referenced_refunds: written
            .non_referenced_refunds
            .or(preset.map(|preset| preset.non_referenced_refunds))
            .unwrap_or(false),
        method_types,
    })
}

fn preset(written: &Written) -> Result<Option<&'static Preset>, Wrong> {
    let Some(name) = &written.preset else { return Ok(None) };
    let known = presets::preset(name.get_ref());
    known.map(Some).ok_or_else(|| {
        let known = PRESETS.map(|preset| format!("`{}`", preset.name)).join(", ");
        wrong(name, format!("unknown preset `{}`; known are {known}", name.get_ref()))
    })
}

/// For how many days it gives a payment back: what is written, else what its preset says.
fn window(written: &Written) -> Result<Option<u32>, Wrong> {
    match &written.refund_window_days {
        None => Ok(preset(written)?.and_then(|preset| preset.refund_window_days)),
        given => bounded(given, WINDOW_DAYS, 1).map(|days| u32::try_from(days).ok()),
    }
}

fn shown_abilities(ability: &Gateway, window_days: Option<u32>) -> Vec<(String, String)> {
    let types = ability.method_types.as_ref().map_or_else(
        || "all".to_owned(),
        |types| types.iter().map(|one| one.name()).collect::<Vec<_>>().join(", "),
    );
    let days = window_days.map_or_else(|| "none".to_owned(), |days| days.to_string());
    vec![
        ("active".to_owned(), ability.active.to_string()),
        ("referenced_refunds".to_owned(), ability.referenced_refunds.to_string()),
        ("non_referenced_refunds".to_owned(), ability.non_referenced_refunds.to_string()),
        ("method_types".to_owned(), types),
        ("refund_window_days".to_owned(), days),
    ]
}
