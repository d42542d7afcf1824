//! How values are put in words on pages: moments in the tenant's zone, states in colours.
//!
//! What must stay true: a colour stands beside the word that it repeats.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::Value;

/// A moment in the tenant's zone, which pages name.
pub(super) fn local(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%Y-%m-%d %H:%M:%S").to_string()
}

/// The same of a moment as the admin API writes it; any other text as it is.
pub(super) fn local_text(text: &str, zone: Tz) -> String {
    match DateTime::parse_from_rfc3339(text) {
        Ok(at) if text.contains('T') => local(at.to_utc(), zone),
        _ => text.to_owned(),
    }
}

/// A value without the quotes of JSON.
pub(super) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The colour of a refund's status.
pub(super) fn colour(status: &str) -> &'static str {
    match status {
        "Processed" => "good",
        "Error" => "bad",
        "Processing" => "warn",
        _ => "",
    }
}

/// So many seconds, as people say it.
pub(super) fn span(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{seconds} seconds"),
        120..7_200 => format!("{} minutes", seconds / 60),
        7_200..172_800 => format!("{} hours", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}
