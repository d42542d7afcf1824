//! The admin API: what a tester does to a test gateway, in JSON.
//!
//! What must stay true: every route is in `openapi.json`, which a test holds to this file; a body
//! is read only for those who may send one; an error says what was wrong with which words.

use super::faults::{OrderedFault, WrittenFault};
use super::gateways::{self, Settlements, WrittenRule};
use super::guard::{self, AdminToken};
use super::talk::{
    Told, Wrong, bad, done, from_json, not_a_test, of_bench, ok, read, told_wrong, wrong_method,
};
use crate::domain::id::ObjectId;
use crate::domain::version::ApiVersion;
use crate::http::journal::{Entry, Journal};
use crate::service::Service;
use crate::soap::explain;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::str::FromStr;
use std::sync::Arc;

/// Where the API begins.
pub(super) const ROOT: &str = "/api/v1/";
/// The description of the API.
pub(super) const OPENAPI: &str = include_str!("openapi.json");

/// How many exchanges the journal tells where nobody says how many.
const JOURNAL_LIMIT: usize = 20;

/// The admin API of a gateway.
pub(super) struct Api {
    pub(super) service: Arc<Service>,
    /// There on test ledgers alone.
    pub(super) journal: Option<Arc<Journal>>,
    pub(super) token: AdminToken,
}

impl Api {
    /// Answers a request below [`ROOT`].
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Told {
        let (head, body) = request.into_parts();
        if let Err((status, why)) = guard::check(&self.token, &head.method, &head.headers) {
            return told_wrong((status, why.to_owned()));
        }
        let path = head.uri.path().strip_prefix(ROOT).unwrap_or_default();
        let segments: Vec<&str> = path.split('/').collect();
        let query = head.uri.query().unwrap_or_default();
        let answer = match read(body).await {
            Ok(body) => self.route(&head.method, &segments, query, &body).await,
            Err(wrong) => Err(wrong),
        };
        answer.unwrap_or_else(told_wrong)
    }

    async fn route(
        &self,
        method: &Method,
        segments: &[&str],
        query: &str,
        body: &Bytes,
    ) -> Result<Told, Wrong> {
        match segments {
            ["reset"] => self.reset(only(method, &Method::POST, body)?).await,
            ["seed"] => self.seed(only(method, &Method::POST, body)?).await,
            ["clock"] | ["clock", "advance"] => self.clock(method, segments, body),
            ["snapshots", rest @ ..] => self.snapshots(method, rest).await,
            ["faults", rest @ ..] => self.faults(method, rest, body),
            ["refunds", id, "settle"] => self.settle(id, only(method, &Method::POST, body)?).await,
            ["reconciliation"] => self.reconcile(only(method, &Method::POST, body)?).await,
            ["gateways", name, "rules"] => self.rules(method, name, body),
            ["journal", rest @ ..] => self.journal(method, rest, query).await,
            _ => Err((StatusCode::NOT_FOUND, "There is no such thing; see /openapi.json.".into())),
        }
    }

    async fn reset(&self, body: &Bytes) -> Result<Told, Wrong> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Reset {
            account: Option<String>,
        }
        match from_json::<Reset>(body)?.account {
            None => {
                self.service.reset().await.map_err(|error| of_bench(&error))?;
                if let Some(journal) = &self.journal {
                    journal.clear();
                }
            }
            Some(id) => {
                let id = ObjectId::parse(&id).ok_or_else(|| bad(format!("`{id}` is no id")))?;
                self.service.reset_account(&id).await.map_err(|error| of_bench(&error))?;
            }
        }
        Ok(done())
    }

    async fn seed(&self, body: &Bytes) -> Result<Told, Wrong> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Seed {
            toml: String,
        }
        let seed = from_json::<Seed>(body)?;
        let report = self.service.load_seed(seed.toml).await.map_err(|error| of_bench(&error))?;
        Ok(ok(json!({ "added": report.added, "unchanged": report.unchanged })))
    }

    fn clock(&self, method: &Method, segments: &[&str], body: &Bytes) -> Result<Told, Wrong> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Set {
            now: Option<String>,
            running: Option<bool>,
        }
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Advance {
            seconds: i64,
        }
        let clock = self.service.clock();
        match (method, segments) {
            (&Method::GET, ["clock"]) => {}
            (&Method::PUT, ["clock"]) => {
                self.need_test_ledger()?;
                match from_json::<Set>(body)? {
                    Set { now: Some(now), running: None | Some(false) } => {
                        let why = || format!("now: `{now}` is none such as 2026-01-02T03:04:05Z");
                        clock.stand_at(now.parse().map_err(|_| bad(why()))?);
                    }
                    Set { now: None, running: Some(true) } => clock.run(),
                    _ => return Err(bad("say either now or running: true".to_owned())),
                }
            }
            (&Method::POST, ["clock", "advance"]) => {
                self.need_test_ledger()?;
                let seconds = from_json::<Advance>(body)?.seconds;
                let span = TimeDelta::try_seconds(seconds);
                if !span.is_some_and(|span| clock.advance(span)) {
                    return Err(bad(format!("{seconds} seconds lead out of the calendar")));
                }
            }
            (_, ["clock"]) => return Err(wrong_method("GET or PUT")),
            _ => return Err(wrong_method("POST")),
        }
        let now = clock.now().to_rfc3339_opts(SecondsFormat::Millis, true);
        Ok(ok(json!({ "now": now, "stands": clock.stands() })))
    }

    async fn snapshots(&self, method: &Method, rest: &[&str]) -> Result<Told, Wrong> {
        match (method, rest) {
            (&Method::GET, []) => {
                let snapshots = self.service.snapshots().map_err(|error| of_bench(&error))?;
                let told: Vec<_> = snapshots
                    .into_iter()
                    .map(|one| {
                        let saved = DateTime::<Utc>::from(one.saved);
                        let saved = saved.to_rfc3339_opts(SecondsFormat::Millis, true);
                        json!({ "name": one.name, "bytes": one.bytes, "saved": saved })
                    })
                    .collect();
                return Ok(ok(json!({ "snapshots": told })));
            }
            (&Method::PUT, [name]) => {
                self.service.save_snapshot(name).await.map_err(|error| of_bench(&error))?;
            }
            (&Method::DELETE, [name]) => {
                self.service.drop_snapshot(name).map_err(|error| of_bench(&error))?;
            }
            (&Method::POST, [name, "restore"]) => {
                self.service.put_back_snapshot(name).await.map_err(|error| of_bench(&error))?;
            }
            (_, []) => return Err(wrong_method("GET")),
            (_, [_, "restore"]) => return Err(wrong_method("POST")),
            _ => return Err(wrong_method("PUT or DELETE")),
        }
        Ok(done())
    }

    fn faults(&self, method: &Method, rest: &[&str], body: &Bytes) -> Result<Told, Wrong> {
        self.need_test_ledger()?;
        let faults = self.service.faults();
        match (method, rest) {
            (&Method::GET, []) => {
                let standing: Vec<_> = faults.all().into_iter().map(OrderedFault::from).collect();
                Ok(ok(json!({ "faults": standing })))
            }
            (&Method::POST, []) => {
                let rule = from_json::<WrittenFault>(body)?.checked().map_err(bad)?;
                let too_many = (StatusCode::CONFLICT, "There are too many faults.".to_owned());
                let id = faults.add(rule).ok_or(too_many)?;
                Ok((StatusCode::CREATED, json!({ "id": id })))
            }
            (&Method::DELETE, []) => {
                faults.clear();
                Ok(done())
            }
            (&Method::DELETE, [id]) => {
                if !id.parse().is_ok_and(|id| faults.remove(id)) {
                    return Err((StatusCode::NOT_FOUND, format!("There is no fault {id}.")));
                }
                Ok(done())
            }
            (_, []) => Err(wrong_method("GET, POST or DELETE")),
            _ => Err(wrong_method("DELETE")),
        }
    }

    async fn reconcile(&self, body: &Bytes) -> Result<Told, Wrong> {
        let settlements = from_json::<Settlements>(body)?;
        gateways::reconcile(&self.service, settlements).await.map(ok)
    }

    fn rules(&self, method: &Method, name: &str, body: &Bytes) -> Result<Told, Wrong> {
        self.need_test_ledger()?;
        let no_sandbox = || (StatusCode::NOT_FOUND, format!("There is no sandbox {name}."));
        let sandbox = self.service.sandbox(name).ok_or_else(no_sandbox)?;
        match *method {
            Method::GET => {
                let rules: Vec<_> = sandbox.rules().into_iter().map(gateways::shown).collect();
                Ok(ok(json!({ "rules": rules })))
            }
            Method::POST => {
                let rule = from_json::<WrittenRule>(body)?.checked().map_err(bad)?;
                if !sandbox.add_rule(rule) {
                    return Err((StatusCode::CONFLICT, "There are too many rules.".to_owned()));
                }
                Ok((StatusCode::CREATED, json!({ "done": true })))
            }
            Method::DELETE => {
                sandbox.clear_added_rules();
                Ok(done())
            }
            _ => Err(wrong_method("GET, POST or DELETE")),
        }
    }

    async fn journal(&self, method: &Method, rest: &[&str], query: &str) -> Result<Told, Wrong> {
        self.need_test_ledger()?;
        let journal = self.journal.as_ref().ok_or_else(not_a_test)?;
        match (method, rest) {
            (&Method::GET, []) => {
                let wanted = JournalQuery::parse(query).map_err(bad)?;
                let entries = journal.newest(wanted.limit, |entry| wanted.takes(entry));
                let known = self.service.known_ids().await.map_err(|error| of_bench(&error))?;
                let told: Vec<_> =
                    entries.into_iter().map(|entry| Explained::of(entry, &known)).collect();
                Ok(ok(json!({ "exchanges": told })))
            }
            (&Method::GET, [id]) => {
                let found = id.parse().ok().and_then(|id| journal.find(id));
                let missing = || (StatusCode::NOT_FOUND, format!("There is no exchange {id}."));
                let known = self.service.known_ids().await.map_err(|error| of_bench(&error))?;
                let told = Explained::of(found.ok_or_else(missing)?, &known);
                Ok(ok(serde_json::to_value(told).unwrap_or_default()))
            }
            (&Method::DELETE, []) => {
                journal.clear();
                Ok(done())
            }
            (_, []) => Err(wrong_method("GET or DELETE")),
            _ => Err(wrong_method("GET")),
        }
    }

    fn need_test_ledger(&self) -> Result<(), Wrong> {
        match self.service.ledger().test_bench() {
            Some(_) => Ok(()),
            None => Err(not_a_test()),
        }
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
    fn of(entry: Entry, known: &[crate::ledger::test_bench::KnownId]) -> Self {
        let version = ApiVersion::from_str(&entry.version).unwrap_or(ApiVersion::LAST);
        let is_clean = !entry.has_failed() && entry.ignored_fields == 0;
        let near_misses = match is_clean {
            true => Vec::new(),
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
        let mut wanted = Self { limit: JOURNAL_LIMIT, operation: None, failed: false };
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

/// The body of a request that takes one method alone.
fn only<'b>(method: &Method, wanted: &Method, body: &'b Bytes) -> Result<&'b Bytes, Wrong> {
    if method == wanted { Ok(body) } else { Err(wrong_method(wanted.as_str())) }
}
