//! The admin listener: is it alive, is it ready, what has it counted; and for those who hold the
//! token, the admin API.
//!
//! What must stay true: the ledger is tried at most once a second, however often readiness is asked
//! for, and one who asks is never left waiting by a ledger that hangs.

mod api;
mod faults;
mod gateways;
mod guard;
mod journal;
mod operation;
mod ordered_headers;
mod query;
mod refunds;
mod talk;
mod trail;

pub use guard::AdminToken;
pub(super) use guard::{Access, Hosts};

use super::answer::SERVER_NAME;
use super::answer_body::{AnswerBody, whole};
use super::connection::Connection;
use super::doors::Doors;
use super::head::REQUEST_ID;
use super::journal::Journal;
use super::listener::{Handler, Withheld};
use super::metrics::{self, Metrics};
use crate::ledger::Ledger;
use crate::service::Service;
use api::Api;
use http_body_util::Full;
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderMap, HeaderValue, SERVER,
    WWW_AUTHENTICATE,
};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use talk::Wrong;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long a probe of the ledger counts.
const PROBE_EVERY: Duration = Duration::from_secs(1);
/// How long a probe may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

const PLAIN: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";

/// Answers what comes in on the admin listener.
pub(super) struct Admin {
    readiness: Arc<Readiness>,
    metrics: Arc<Metrics>,
    /// By which names metrics and the description may be read.
    hosts: Hosts,
    /// There for those who hold a token.
    api: Option<Api>,
}

/// Whether requests can be served.
pub(super) struct Readiness {
    ledger: Arc<dyn Ledger>,
    is_stopping: AtomicBool,
    probed: Mutex<Option<Probe>>,
}

/// What a probe found, and when.
struct Probe {
    at: Instant,
    result: Result<(), String>,
}

impl Readiness {
    pub(super) fn new(ledger: Arc<dyn Ledger>) -> Self {
        Self { ledger, is_stopping: AtomicBool::new(false), probed: Mutex::new(None) }
    }

    /// From here on nothing new is served.
    pub(super) fn stop(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
    }

    /// Why nothing can be served, if that is so.
    async fn check(&self) -> Result<(), String> {
        if self.is_stopping.load(Ordering::Relaxed) {
            return Err("the gateway is stopping".to_owned());
        }
        let mut probed = self.probed.lock().await;
        if let Some(probe) = probed.as_ref().filter(|probe| probe.at.elapsed() < PROBE_EVERY) {
            return probe.result.clone();
        }
        let result = match tokio::time::timeout(PROBE_TIMEOUT, self.ledger.probe()).await {
            Ok(result) => result.map_err(|error| error.to_string()),
            Err(_) => Err("the ledger does not answer".to_owned()),
        };
        *probed = Some(Probe { at: Instant::now(), result: result.clone() });
        result
    }
}

impl Admin {
    pub(super) fn new(readiness: Arc<Readiness>, metrics: Arc<Metrics>, hosts: Hosts) -> Self {
        Self { readiness, metrics, hosts, api: None }
    }

    /// With the admin API, for callers with the token.
    pub(super) fn with_api(
        self,
        access: Access,
        (service, doors): (&Arc<Service>, &Doors),
        journal: Option<Arc<Journal>>,
    ) -> Self {
        let journal_turn = Mutex::default();
        let (service, doors) = (Arc::clone(service), doors.clone());
        Self { api: Some(Api { service, doors, journal, access, journal_turn }), ..self }
    }

    async fn answer(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
    ) -> Response<Full<Bytes>> {
        if !matches!(path, "/healthz" | "/livez" | "/readyz" | "/metrics" | "/openapi.json") {
            if path.starts_with("/api") {
                return refuse(&talk::missing(api::NOTHING));
            }
            let text = "There is nothing here but /healthz, /livez, /readyz, /metrics, \
                        /openapi.json and what that describes.\n";
            return respond(StatusCode::NOT_FOUND, PLAIN, text);
        }
        if !matches!(*method, Method::GET | Method::HEAD) {
            let text = "This is read by GET.\n";
            let mut response = respond(StatusCode::METHOD_NOT_ALLOWED, PLAIN, text);
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        let is_health = matches!(path, "/healthz" | "/livez" | "/readyz");
        if !is_health && !self.hosts.allow_reading(headers) {
            let text = format!("{}\n", guard::WRONG_HOST);
            return respond(StatusCode::MISDIRECTED_REQUEST, PLAIN, text);
        }
        match path {
            "/metrics" => self.render_metrics(),
            "/openapi.json" => respond(StatusCode::OK, JSON, api::OPENAPI),
            "/readyz" => match self.readiness.check().await {
                Ok(()) => respond(StatusCode::OK, PLAIN, "ready\n"),
                Err(why) => {
                    respond(StatusCode::SERVICE_UNAVAILABLE, PLAIN, format!("not ready: {why}\n"))
                }
            },
            _ => respond(StatusCode::OK, PLAIN, "alive\n"),
        }
    }

    fn render_metrics(&self) -> Response<Full<Bytes>> {
        match self.metrics.render() {
            Ok(text) => respond(StatusCode::OK, metrics::CONTENT_TYPE, text),
            Err(error) => {
                tracing::error!(%error, "the metrics could not be rendered");
                let text = "The metrics could not be rendered.\n";
                respond(StatusCode::INTERNAL_SERVER_ERROR, PLAIN, text)
            }
        }
    }
}

/// What the admin API says to what was wrong.
fn refuse(wrong: &Wrong) -> Response<Full<Bytes>> {
    let told = json!({ "error": wrong.why });
    let mut response = respond(wrong.status, JSON, format!("{told}\n"));
    if let Some(allow) = wrong.allow {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    }
    if wrong.status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

fn respond(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(SERVER, SERVER_NAME);
    response
}

impl Handler for Admin {
    async fn handle(
        &self,
        connection: &Connection,
        request: Request<Incoming>,
    ) -> Result<Response<AnswerBody>, Withheld> {
        let has_body = !request.body().is_end_stream();
        let mut response = match &self.api {
            Some(api) if request.uri().path().starts_with(api::ROOT) => {
                let origin = api.origin(connection.peer.ip(), request.headers());
                let request_id = origin.request_id.clone();
                let mut response = match api.answer(request, origin, &connection.idleness).await {
                    Ok((status, told)) => respond(status, JSON, format!("{told}\n")),
                    Err(wrong) => refuse(&wrong),
                };
                let id = request_id.and_then(|id| HeaderValue::from_str(id.as_str()).ok());
                id.map(|id| response.headers_mut().insert(REQUEST_ID, id));
                response
            }
            _ => self.answer(request.method(), request.uri().path(), request.headers()).await,
        };
        if has_body {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(response.map(whole))
    }
}
