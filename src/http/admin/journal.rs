//! The journal as the admin API returns it: each exchange with the reason for each rejection, and
//! what its caller may have meant; and whether calls were what a test expects.
//!
//! What must stay true: bodies are searched off the async threads, for
//! one who asks at a time, and no answer holds more bodies than a bound.

use super::api::{Api, NOTHING};
use super::talk::{
    Answered, Wrong, bad, done, from_json, missing, not_a_test, of_bench, ok, query_pairs, wrong,
    wrong_method,
};
use crate::call::Rejection;
use crate::domain::number::saturated;
use crate::domain::toml_text::meant;
use crate::http::doors::Doors;
use crate::http::journal::{Contents, Entry, Expectation, FILTER_KEYS, Filter, Journal};
use crate::ledger::test_bench::KnownId;
use hyper::body::Bytes;
use hyper::{Method, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// How many exchanges are returned where the query does not say.
const LIMIT: usize = 20;
/// How many are returned at most.
const LIMIT_MAX: usize = 1_000;
/// The keys of a query beside its filters, where it asks for pages.
const PAGING_KEYS: [&str; 5] = ["limit", "before", "cursor", "after", "bodies"];
/// How much of bodies one answer holds; the exchange that goes beyond it is the last.
const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;
/// For how many exchanges of an answer it is looked for what was meant.
const MEANT_MAX: usize = 50;

/// Why nothing is looked for in a request.
const TOO_LONG: &str = "the request is longer than what is kept of it, so nothing is looked for";
/// Why nothing is looked for among many.
const TOO_MANY: &str = "too many exchanges to look for what was meant; ask for this one alone";

impl Api {
    pub(super) async fn journal(
        &self,
        method: &Method,
        rest: &[&str],
        query: &str,
        body: &Bytes,
    ) -> Result<Answered, Wrong> {
        let journal = self.journal.as_ref().ok_or_else(not_a_test)?;
        if !journal.keeps_bodies() && (method, rest) != (&Method::GET, &[][..]) {
            return Err(not_a_test());
        }
        match (method, rest) {
            (&Method::GET, []) => {
                let mut wanted = JournalQuery::parse(query, true).map_err(bad)?;
                if !journal.keeps_bodies() {
                    wanted.filter.check_without_bodies().map_err(bad)?;
                    wanted.with_bodies = false;
                }
                self.read(journal, wanted).await.map(ok)
            }
            (&Method::DELETE, []) => {
                let wanted = JournalQuery::parse(query, false).map_err(bad)?;
                forget(Arc::clone(journal), wanted.filter).await
            }
            (&Method::POST, ["verify"]) => {
                let written: Map<String, Value> = from_json(body)?;
                let expected = Expectation::parse(written).map_err(bad)?;
                let contents = journal.contents();
                let verified = blocking(move || expected.verify(&contents)).await?;
                Ok(ok(serde_json::to_value(verified).unwrap_or_default()))
            }
            (&Method::GET, [id]) if *id != "verify" => {
                let number = id.parse::<u64>().ok();
                let mut entries = journal.contents().entries.into_iter();
                let found = number.and_then(|id| entries.find(|entry| entry.id == id));
                let found = found.ok_or_else(|| missing(format!("There is no exchange {id}.")))?;
                let known = self.known().await?;
                let doors = self.doors.clone();
                let explained = move || Explained::of(&found, &doors, Some(&known), true);
                let reported = blocking(explained).await?;
                Ok(ok(reported))
            }
            (_, []) => Err(wrong_method("GET, HEAD, DELETE")),
            (_, ["verify"]) => Err(wrong_method("POST")),
            (_, [_]) => Err(wrong_method("GET, HEAD")),
            _ => Err(missing(NOTHING)),
        }
    }

    async fn known(&self) -> Result<Vec<KnownId>, Wrong> {
        self.service.known_ids().await.map_err(|error| of_bench(&error))
    }

    async fn read(&self, journal: &Arc<Journal>, wanted: JournalQuery) -> Result<Value, Wrong> {
        // One at a time, so that the memory of all who ask is that of one.
        let _turn = self.journal_turn.lock().await;
        let known = if journal.keeps_bodies() { self.known().await? } else { Vec::new() };
        let contents = journal.contents();
        let doors = self.doors.clone();
        blocking(move || wanted.reported(&contents, &doors, &known)).await
    }
}

async fn forget(journal: Arc<Journal>, filter: Filter) -> Result<Answered, Wrong> {
    if filter == Filter::default() {
        journal.clear();
        return Ok(done());
    }
    blocking(move || {
        let entries = journal.contents().entries.into_iter();
        let mut ids: Vec<u64> =
            entries.filter(|entry| filter.takes(entry)).map(|entry| entry.id).collect();
        ids.reverse();
        journal.forget(&ids);
    })
    .await?;
    Ok(done())
}

/// Work that takes long, off the async threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Wrong> {
    let lost = |_| wrong(StatusCode::INTERNAL_SERVER_ERROR, "The journal could not be read.");
    tokio::task::spawn_blocking(work).await.map_err(lost)
}

/// An exchange with the reason for each rejection, and what the caller may have meant.
#[derive(Serialize)]
struct Explained<'e> {
    #[serde(flatten)]
    entry: &'e Entry,
    rejections: Vec<Rejection>,
    near_misses: Vec<String>,
}

impl Explained<'_> {
    /// What is returned of an exchange; `known` is there if it is to be looked for what was meant.
    fn of(entry: &Entry, doors: &Doors, known: Option<&[KnownId]>, with_bodies: bool) -> Value {
        let door = doors.of_kind(entry.door);
        let near_misses = match known {
            _ if is_clean(entry) => Vec::new(),
            _ if entry.is_cut => vec![TOO_LONG.to_owned()],
            Some(known) => door.map_or_else(Vec::new, |door| {
                door.near_misses(&entry.request, &entry.version, known)
            }),
            None => vec![TOO_MANY.to_owned()],
        };
        // What was answered as wanted holds none; its answer may be long.
        let failed = door.filter(|_| entry.has_failed());
        let rejections = failed.map_or_else(Vec::new, |door| door.rejections(&entry.answer));
        let reported = serde_json::to_value(Explained { entry, rejections, near_misses });
        let mut reported = reported.unwrap_or_default();
        if let Some(keys) = reported.as_object_mut().filter(|_| !with_bodies) {
            keys.retain(|key, _| !matches!(key.as_str(), "request" | "answer"));
        }
        reported
    }
}

/// Whether there is nothing to wonder about. What was refused by its head was not read.
fn is_clean(entry: &Entry) -> bool {
    entry.request.is_empty() || !entry.has_failed() && entry.ignored_fields == 0
}

/// Which exchanges are asked for.
struct JournalQuery {
    limit: usize,
    /// Only exchanges with lower numbers.
    before: u64,
    /// Only exchanges with higher numbers.
    after: u64,
    with_bodies: bool,
    filter: Filter,
}

impl JournalQuery {
    /// Reads a query; `is_paged` says whether it may ask for a part of what the filter takes.
    fn parse(query: &str, is_paged: bool) -> Result<Self, String> {
        let mut wanted = Self {
            limit: LIMIT,
            before: u64::MAX,
            after: 0,
            with_bodies: true,
            filter: Filter::default(),
        };
        let number = |key: &str, value: &str| {
            value.parse::<u64>().map_err(|_| format!("{key} is no number: `{value}`"))
        };
        for (key, value) in query_pairs(query)? {
            match key.as_str() {
                "limit" if is_paged => {
                    let limit = saturated::<usize>(number(&key, &value)?);
                    if limit > LIMIT_MAX {
                        return Err(format!("limit is {limit}; it is at most {LIMIT_MAX}"));
                    }
                    wanted.limit = limit;
                }
                "before" | "cursor" if is_paged => wanted.before = number(&key, &value)?,
                "after" if is_paged => wanted.after = number(&key, &value)?,
                "bodies" if is_paged => {
                    let wrong = |_| format!("bodies is neither true nor false: `{value}`");
                    wanted.with_bodies = value.parse().map_err(wrong)?;
                }
                _ if wanted.filter.set(&key, &value)? => {}
                _ => {
                    let paging: &[&str] = if is_paged { &PAGING_KEYS } else { &[] };
                    let keys: Vec<&str> = paging.iter().chain(&FILTER_KEYS).copied().collect();
                    let meant = meant(&key, keys.iter().copied());
                    return Err(format!("`{key}` is none of {}{meant}", keys.join(", ")));
                }
            }
        }
        Ok(wanted)
    }

    fn reported(&self, contents: &Contents, doors: &Doors, known: &[KnownId]) -> Value {
        let (mut exchanges, mut matched) = (Vec::new(), 0_usize);
        let (mut last, mut next) = (None, None);
        let (mut body_bytes, mut looked_for) = (0, 0);
        for entry in &contents.entries {
            let is_meant =
                (entry.id < self.before && entry.id > self.after) && self.filter.takes(entry);
            matched += usize::from(is_meant);
            if is_meant && (exchanges.len() >= self.limit || body_bytes > BODY_BYTES_MAX) {
                next = last;
                continue;
            }
            if !is_meant {
                continue;
            }
            last = Some(entry.id);
            looked_for += usize::from(!is_clean(entry));
            body_bytes += if self.with_bodies { entry.body_bytes() } else { 0 };
            let known = Some(known).filter(|_| looked_for <= MEANT_MAX);
            exchanges.push(Explained::of(entry, doors, known, self.with_bodies));
        }
        json!({
            "exchanges": exchanges,
            "next": next.map(|id: u64| id.to_string()),
            "matched": matched,
            "kept": contents.entries.len(),
            "dropped": contents.dropped,
        })
    }
}
