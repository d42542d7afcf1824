//! The admin API: what a tester does to a test gateway, in JSON.
//!
//! What must stay true: every route is in `openapi.json`, which a test holds to this file; a body
//! is read only for those who may send one; an error says what was wrong with which words.

use super::faults::{OrderedFault, WrittenFault};
use super::gateways::{self, Settlements, WrittenRule};
use super::guard::{self, Access};
use super::talk::{
    Answered, BODY_BYTES_MAX, Wrong, bad, conflict, done, from_json, missing, not_a_test, of_bench,
    ok, read, wrong, wrong_method,
};
use crate::call;
use crate::domain::id::ObjectId;
use crate::domain::moment::moment;
use crate::domain::origin::{FrontDoor, Origin};
use crate::http::doors::Doors;
use crate::http::head;
use crate::http::idle::Idleness;
use crate::http::journal::Journal;
use crate::http::reports::Reports;
use crate::ledger::trail::{Act, Actor};
use crate::service::Service;
use crate::service::test_clock::reported;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use hyper::body::{Bytes, Incoming};
use hyper::{HeaderMap, Method, Request, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use std::net::IpAddr;
use std::sync::Arc;

/// Where the API begins.
pub(super) const ROOT: &str = "/api/v1/";
/// The description of the API.
pub(super) const OPENAPI: &str = include_str!("openapi.json");

/// Who acts through this API, as far as it knows: the holder of the token.
const OPERATOR: &str = "admin API";

/// What is said where nothing is.
pub(super) const NOTHING: &str = "There is no such thing; see /openapi.json.";

/// The admin API of a gateway.
pub(in crate::http) struct Api {
    pub(super) service: Arc<Service>,
    /// What can explain what was refused.
    pub(super) doors: Doors,
    /// With bodies on test ledgers, without on others.
    pub(super) journal: Option<Arc<Journal>>,
    pub(in crate::http) access: Access,
    /// The turn of those who read the journal, whose answers take memory.
    pub(super) journal_turn: tokio::sync::Mutex<()>,
    /// The reports of replays that were handed over.
    pub(super) reports: Reports,
}

impl Api {
    /// Where a request comes from.
    pub(super) fn origin(&self, peer: IpAddr, headers: &HeaderMap) -> Origin {
        let request_id = head::request_id(headers).or_else(|| self.service.next_request_id());
        let address = Some(peer.to_canonical());
        Origin { address, request_id, ..Origin::of(FrontDoor::Admin) }.at_version("v1")
    }

    /// Answers a request below [`ROOT`].
    pub(super) async fn answer(
        &self,
        request: Request<Incoming>,
        origin: Origin,
        idleness: &Idleness,
    ) -> Result<Answered, Wrong> {
        let (head, body) = request.into_parts();
        guard::check(&self.access, &head.method, &head.headers)
            .map_err(|(status, why)| wrong(status, why))?;
        // What is read is read by HEAD as well, and its body is left away further on.
        let method = if head.method == Method::HEAD { &Method::GET } else { &head.method };
        let path = head.uri.path().strip_prefix(ROOT).unwrap_or_default();
        let segments: Vec<&str> = path.split('/').collect();
        let query = head.uri.query().unwrap_or_default();
        // A client that dawdles over its body can be asked for its place.
        idleness.await_more();
        let body = read(body, BODY_BYTES_MAX).await?;
        idleness.work();
        let actor = Actor::Operator(OPERATOR.to_owned());
        let act = Act { actor, origin, at: self.service.clock().now() };
        self.route(method, &segments, query, &body, act).await
    }

    /// Answers a request of the console, which has found out who makes it.
    pub(in crate::http) async fn answer_console(
        &self,
        method: call::Method,
        path: &str,
        query: &str,
        body: &Value,
        act: Act,
    ) -> (u16, Value) {
        let segments: Vec<&str> = path.split('/').collect();
        let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let method = Method::from_bytes(method.name().as_bytes()).unwrap_or_default();
        match self.route(&method, &segments, query, &body, act).await {
            Ok((status, value)) => (status.as_u16(), value),
            Err(wrong) => (wrong.status.as_u16(), json!({ "error": wrong.why })),
        }
    }

    async fn route(
        &self,
        method: &Method,
        segments: &[&str],
        query: &str,
        body: &Bytes,
        act: Act,
    ) -> Result<Answered, Wrong> {
        match segments {
            ["reset"] => self.reset(posted(method, body)?).await,
            ["seed"] => self.seed(posted(method, body)?, act).await,
            ["clock"] | ["clock", "advance"] => self.clock(method, segments, body).await,
            ["snapshots", rest @ ..] => self.snapshots(method, rest).await,
            ["faults", rest @ ..] => self.faults(method, rest, body),
            ["reports", rest @ ..] => self.reports(method, rest, body),
            ["accounts"] | ["accounts", _] => {
                self.accounts(method, segments.get(1..).unwrap_or_default(), query).await
            }
            ["entries"] => self.entries(method, query).await,
            ["refunds"] | ["refunds", _] => {
                self.refunds(method, segments.get(1..).unwrap_or_default(), query).await
            }
            ["sessions"] | ["sessions", _] => {
                self.sessions(method, segments.get(1..).unwrap_or_default(), query, act).await
            }
            ["refunds", name, "story"] => self.story(method, name).await,
            ["refunds", id, "settle"] => self.settle(id, posted(method, body)?, act).await,
            ["reconciliation"] => self.reconcile(posted(method, body)?, act).await,
            ["users", rest @ ..] => self.users(method, (rest, query), body, act).await,
            ["tenant"] => self.tenant(method, body, act).await,
            ["gateways"] => self.gateways(method, body, act).await,
            ["gateways", name, "rules"] => self.rules(method, name, body),
            ["webhooks", rest @ ..] => self.webhooks(method, rest, query, (body, act)).await,
            ["audit"] => self.audit(method, query).await,
            ["journal", rest @ ..] => self.journal(method, rest, query, body).await,
            _ => Err(missing(NOTHING)),
        }
    }

    async fn reset(&self, body: &Bytes) -> Result<Answered, Wrong> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Reset {
            account: Option<String>,
            #[serde(default)]
            keep_sessions: bool,
        }
        let Reset { account, keep_sessions } = from_json(body)?;
        match account {
            None => {
                let journal = self.journal.clone();
                let forget = move || journal.iter().for_each(|journal| journal.begin_anew());
                self.service
                    .reset(keep_sessions, forget)
                    .await
                    .map_err(|error| of_bench(&error))?;
            }
            Some(id) => {
                let id = ObjectId::parse(&id).ok_or_else(|| bad(format!("`{id}` is no id")))?;
                self.service.reset_account(id).await.map_err(|error| of_bench(&error))?;
            }
        }
        Ok(done())
    }

    async fn seed(&self, body: &Bytes, act: Act) -> Result<Answered, Wrong> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Seed {
            toml: String,
        }
        let seed = from_json::<Seed>(body)?;
        let report = self.service.load_seed(seed.toml, act).await;
        let report = report.map_err(|error| of_bench(&error))?;
        Ok(ok(json!({ "added": report.added, "unchanged": report.unchanged })))
    }

    async fn clock(
        &self,
        method: &Method,
        segments: &[&str],
        body: &Bytes,
    ) -> Result<Answered, Wrong> {
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
                        let why = "is no moment from 1970 to 9998, such as 2026-01-02T03:04:05Z";
                        let why = || bad(format!("now: `{now}` {why}"));
                        let moment = moment(&now).ok_or_else(why)?;
                        let set = self.service.stand_clock_at(moment).await;
                        set.map_err(|error| of_bench(&error))?;
                    }
                    Set { now: None, running: Some(true) } => {
                        let run = self.service.run_clock().await;
                        run.map_err(|error| of_bench(&error))?;
                    }
                    _ => return Err(bad("say either now or running: true")),
                }
            }
            (&Method::POST, ["clock", "advance"]) => {
                self.need_test_ledger()?;
                let seconds = from_json::<Advance>(body)?.seconds;
                let span = TimeDelta::try_seconds(seconds);
                let advanced = match span {
                    Some(span) => self.service.advance_clock(span).await,
                    None => Ok(false),
                };
                if !advanced.map_err(|error| of_bench(&error))? {
                    return Err(bad(format!("seconds: {seconds} lead out of 1970 to 9998")));
                }
            }
            (_, ["clock"]) => return Err(wrong_method("GET, HEAD, PUT")),
            _ => return Err(wrong_method("POST")),
        }
        let now = reported(clock.now());
        Ok(ok(json!({ "now": now, "stands": clock.stands() })))
    }

    async fn snapshots(&self, method: &Method, rest: &[&str]) -> Result<Answered, Wrong> {
        match (method, rest) {
            (&Method::GET, []) => {
                let snapshots = self.service.snapshots().await.map_err(|error| of_bench(&error))?;
                let reported: Vec<_> = snapshots
                    .into_iter()
                    .map(|one| {
                        let saved = DateTime::<Utc>::from(one.saved);
                        let saved = saved.to_rfc3339_opts(SecondsFormat::Millis, true);
                        json!({ "name": one.name, "bytes": one.bytes, "saved": saved })
                    })
                    .collect();
                return Ok(ok(json!({ "snapshots": reported })));
            }
            (&Method::PUT, [name]) => {
                self.service.save_snapshot(name).await.map_err(|error| of_bench(&error))?;
            }
            (&Method::DELETE, [name]) => {
                self.service.drop_snapshot(name).await.map_err(|error| of_bench(&error))?;
            }
            (&Method::POST, [name, "restore"]) => {
                self.service.put_back_snapshot(name).await.map_err(|error| of_bench(&error))?;
            }
            (_, []) => return Err(wrong_method("GET, HEAD")),
            (_, [_, "restore"]) => return Err(wrong_method("POST")),
            (_, [_]) => return Err(wrong_method("PUT, DELETE")),
            _ => return Err(missing(NOTHING)),
        }
        Ok(done())
    }

    fn faults(&self, method: &Method, rest: &[&str], body: &Bytes) -> Result<Answered, Wrong> {
        self.need_test_ledger()?;
        let faults = self.service.faults();
        match (method, rest) {
            (&Method::GET, []) => {
                let standing: Vec<_> = faults.all().into_iter().map(OrderedFault::from).collect();
                Ok(ok(json!({ "faults": standing })))
            }
            (&Method::POST, []) => {
                let rule = from_json::<WrittenFault>(body)?.checked().map_err(bad)?;
                let too_many = || conflict("There are too many faults.");
                let id = faults.add(rule).ok_or_else(too_many)?;
                Ok((StatusCode::CREATED, json!({ "id": id })))
            }
            (&Method::DELETE, []) => {
                faults.clear();
                Ok(done())
            }
            (&Method::DELETE, [id]) => {
                if !id.parse().is_ok_and(|id| faults.remove(id)) {
                    return Err(missing(format!("There is no fault {id}.")));
                }
                Ok(done())
            }
            (_, []) => Err(wrong_method("GET, HEAD, POST, DELETE")),
            (_, [_]) => Err(wrong_method("DELETE")),
            _ => Err(missing(NOTHING)),
        }
    }

    async fn reconcile(&self, body: &Bytes, act: Act) -> Result<Answered, Wrong> {
        let settlements = from_json::<Settlements>(body)?;
        gateways::reconcile(&self.service, settlements, act).await.map(ok)
    }

    fn rules(&self, method: &Method, name: &str, body: &Bytes) -> Result<Answered, Wrong> {
        self.need_test_ledger()?;
        let no_sandbox = || missing(format!("There is no sandbox {name}."));
        let sandbox = self.service.sandbox(name).ok_or_else(no_sandbox)?;
        match *method {
            Method::GET => {
                let rules: Vec<_> = sandbox.rules().into_iter().map(gateways::shown).collect();
                Ok(ok(json!({ "rules": rules })))
            }
            Method::POST => {
                let rule = from_json::<WrittenRule>(body)?.checked().map_err(bad)?;
                if !sandbox.add_rule(rule) {
                    return Err(conflict("There are too many rules."));
                }
                Ok((StatusCode::CREATED, json!({ "done": true })))
            }
            Method::DELETE => {
                sandbox.clear_added_rules();
                Ok(done())
            }
            _ => Err(wrong_method("GET, HEAD, POST, DELETE")),
        }
    }

    pub(super) fn need_test_ledger(&self) -> Result<(), Wrong> {
        match self.service.ledger().test_bench() {
            Some(_) => Ok(()),
            None => Err(not_a_test()),
        }
    }
}

/// The body of a request that takes POST alone.
pub(super) fn posted<'b>(method: &Method, body: &'b Bytes) -> Result<&'b Bytes, Wrong> {
    if method == Method::POST { Ok(body) } else { Err(wrong_method("POST")) }
}
