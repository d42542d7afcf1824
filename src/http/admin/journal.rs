//! The journal as the admin API tells it: each exchange with the reason for each rejection, and
//! what its caller may have meant.
//!
//! What must stay true: whatever is looked for in bodies is looked for off the async threads.

use super::api::{Api, NOTHING};
use super::talk::{Told, Wrong, bad, done, missing, not_a_test, of_bench, ok, wrong, wrong_method};
use crate::domain::version::ApiVersion;
use crate::http::journal::Entry;
use crate::ledger::test_bench::KnownId;
use crate::soap::explain;
use hyper::{Method, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};
use std::str::FromStr;

/// How many exchanges are told where nobody says how many.
const LIMIT: usize = 20;

/// Why nothing is looked for in a request.
const TOO_LONG: &str = "the request is longer than what is kept of it, so nothing is looked for";

impl Api {
    pub(super) async fn journal(
        &self,
        method: &Method,
        rest: &[&str],
        query: &str,
    ) -> Result<Told, Wrong> {
        self.need_test_ledger()?;
        let journal = self.journal.as_ref().ok_or_else(not_a_test)?;
        match (method, rest) {
            (&Method::GET, []) => {
                let wanted = JournalQuery::parse(query).map_err(bad)?;
                let entries = journal.newest(wanted.limit, |entry| wanted.takes(entry));
                Ok(ok(json!({ "exchanges": self.explained(entries).await? })))
            }
            (&Method::GET, [id]) => {
                let found = id.parse().ok().and_then(|id| journal.find(id));
                let found = found.ok_or_else(|| missing(format!("There is no exchange {id}.")))?;
                let mut told = self.explained(vec![found]).await?;
                Ok(ok(told.pop().unwrap_or_default()))
            }
            (&Method::DELETE, []) => {
                journal.clear();
                Ok(done())
            }
            (_, []) => Err(wrong_method("GET, HEAD, DELETE")),
            (_, [_]) => Err(wrong_method("GET, HEAD")),
            _ => Err(missing(NOTHING)),
        }
    }

    async fn explained(&self, entries: Vec<Entry>) -> Result<Vec<Value>, Wrong> {
        let known = self.service.known_ids().await.map_err(|error| of_bench(&error))?;
        let explain = move || {
            let explained = entries.into_iter().map(|entry| Explained::of(entry, &known));
            explained.map(|one| serde_json::to_value(one).unwrap_or_default()).collect()
        };
        let lost = |_| wrong(StatusCode::INTERNAL_SERVER_ERROR, "The journal could not be read.");
        tokio::task::spawn_blocking(explain).await.map_err(lost)
    }
}

/// An exchange with the reason for each rejection, and what the caller may have meant.
#[derive(Serialize)]
struct Explained {
    #[serde(flatten)]
    entry: Entry,
    rejections: Vec<explain::Rejection>,
    near_misses: Vec<String>,
}

impl Explained {
    fn of(entry: Entry, known: &[KnownId]) -> Self {
        let version = ApiVersion::from_str(&entry.version).unwrap_or(ApiVersion::LAST);
        // What was refused by its head was not read.
        let is_clean = entry.request.is_empty() || !entry.has_failed() && entry.ignored_fields == 0;
        let near_misses = match is_clean {
            true => Vec::new(),
            false if entry.is_cut => vec![TOO_LONG.to_owned()],
            false => explain::near_misses(&entry.request, version, known),
        };
        Self { rejections: explain::rejections(&entry.answer), near_misses, entry }
    }
}

/// Which exchanges are asked for.
struct JournalQuery {
    limit: usize,
    operation: Option<String>,
    failed: bool,
}

impl JournalQuery {
    fn parse(query: &str) -> Result<Self, String> {
        let mut wanted = Self { limit: LIMIT, operation: None, failed: false };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            match key {
                "limit" => {
                    wanted.limit =
                        value.parse().map_err(|_| format!("limit is no number: `{value}`"))?;
                }
                "operation" => wanted.operation = Some(value.to_owned()),
                "failed" => {
                    wanted.failed = value
                        .parse()
                        .map_err(|_| format!("failed is neither true nor false: `{value}`"))?;
                }
                other => {
                    return Err(format!("`{other}` is none of limit, operation and failed"));
                }
            }
        }
        Ok(wanted)
    }

    fn takes(&self, entry: &Entry) -> bool {
        self.operation.as_ref().is_none_or(|wanted| *wanted == entry.operation)
            && (!self.failed || entry.has_failed())
    }
}
