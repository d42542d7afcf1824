//! Exchanges of the journal as the admin API reports them.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Deserialize;

/// What a part of the journal holds.
#[derive(Debug, Deserialize)]
pub(super) struct Listed {
    /// The exchanges, newest first.
    pub(super) exchanges: Vec<Exchange>,
    /// How many there are that the filter takes.
    pub(super) matched: u64,
    /// How many are kept.
    pub(super) kept: u64,
    /// How many had to go.
    pub(super) dropped: u64,
}

/// An exchange. On a ledger of real books it has no bodies.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Exchange {
    pub(super) id: u64,
    pub(super) at: DateTime<Utc>,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) operation: String,
    pub(super) outcome: String,
    pub(super) status: Option<u16>,
    pub(super) row_errors: u32,
    pub(super) ignored_fields: u32,
    pub(super) replayed: bool,
    pub(super) user: Option<String>,
    pub(super) key: Option<String>,
    pub(super) accounts: Vec<String>,
    pub(super) request: Option<String>,
    pub(super) answer: Option<String>,
    pub(super) rejections: Vec<Rejected>,
    pub(super) near_misses: Vec<String>,
}

/// What was refused: the call, or one of its rows.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Rejected {
    pub(super) row: Option<usize>,
    pub(super) code: String,
    pub(super) message: String,
}

impl Exchange {
    /// Whether anything was refused.
    pub(super) fn has_failed(&self) -> bool {
        self.outcome != "ok" || self.row_errors > 0
    }

    /// When it ended.
    pub(super) fn moment(&self) -> String {
        self.at.to_rfc3339_opts(SecondsFormat::Secs, true)
    }

    /// The HTTP status, in words where there was no answer.
    pub(super) fn status_word(&self) -> String {
        self.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string())
    }

    /// What came of it, in a few words.
    pub(super) fn outcome_words(&self) -> String {
        match (self.outcome.as_str(), self.row_errors) {
            ("ok", 0) => "ok".to_owned(),
            ("ok", 1) => "1 row failed".to_owned(),
            ("ok", rows) => format!("{rows} rows failed"),
            (outcome, _) => outcome.to_owned(),
        }
    }

    /// The class of the badge that says what came of it.
    pub(super) fn badge(&self) -> &'static str {
        match (self.has_failed(), self.ignored_fields) {
            (true, _) => "bad",
            (false, 0) => "good",
            (false, _) => "warn",
        }
    }

    /// Whether the bodies are XML, as far as the path says.
    pub(super) fn is_soap(&self) -> bool {
        self.path.starts_with("/apps/services/")
    }
}
