//! The admin listener: is it alive, is it ready, what has it counted; and for those who hold the
//! token, the admin API.
//!
//! What must stay true: what changes nothing is read by GET; health, which says nothing of anyone,
//! is answered under any name, and all else only under names that are ours.

mod api;
mod faults;
mod gateways;
mod guard;
mod journal;
mod operation;
mod ordered_headers;
mod pages;
mod query;
mod readings;
mod refunds;
mod reports;
mod talk;
mod trail;
mod webhooks;

pub(super) use api::Api;
pub use guard::AdminToken;
pub(super) use guard::{Access, Hosts};
pub use query::Pairs;
pub use readings::REFUND_FILTERS;

use super::answer::SERVER_NAME;
use super::answer_body::{AnswerBody, whole};
use super::connection::Connection;
use super::doors::Doors;
use super::head::REQUEST_ID;
use super::journal::Journal;
use super::listener::{Handler, Withheld};
use super::loopback::Loopback;
use super::metrics::{Format, Metrics};
use super::pages::{Furnish, Inside};
use super::readiness::{Readiness, verbose};
use super::refused_head::{CHUNKED_ALONE, has_foreign_coding};
use super::reports::Reports;
use crate::service::Service;
use http_body_util::Full;
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{
    ACCEPT, ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderMap, HeaderValue, SERVER, VARY,
    WWW_AUTHENTICATE,
};
use hyper::{Method, Request, Response, StatusCode, Uri};
use pages::Front;
use serde_json::json;
use std::sync::Arc;
use talk::Wrong;
use tokio::sync::Mutex;

const PLAIN: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";

/// Answers what comes in on the admin listener.
pub(super) struct Admin {
    readiness: Arc<Readiness>,
    metrics: Arc<Metrics>,
    /// By which names metrics and the description may be read.
    hosts: Hosts,
    /// There for those who hold a token.
    api: Option<Arc<Api>>,
    /// Pages for people, beside the API.
    front: Option<Front>,
}

impl Admin {
    pub(super) fn new(readiness: Arc<Readiness>, metrics: Arc<Metrics>, hosts: Hosts) -> Self {
        Self { readiness, metrics, hosts, api: None, front: None }
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
        let reports = Reports::default();
        let api = Api { service, doors, journal, access, journal_turn, reports };
        Self { api: Some(Arc::new(api)), ..self }
    }

    /// With a console beside the API, if there is one.
    pub(super) fn with_console(
        mut self,
        furnish: Option<Furnish>,
        loopback: &Arc<Loopback>,
    ) -> Self {
        if let (Some(furnish), Some(api)) = (furnish, &self.api) {
            let (readiness, metrics) = (Arc::clone(&self.readiness), Arc::clone(&self.metrics));
            let pages = furnish(Inside {
                readiness,
                metrics,
                api: Arc::clone(api),
                loopback: Arc::clone(loopback),
            });
            self.front = Some(Front { pages, hosts: self.hosts.clone() });
        }
        self
    }

    async fn answer(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Response<Full<Bytes>> {
        let path = uri.path();
        if !is_for_machines(path) {
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
            "/metrics" => {
                let accepted = headers.get_all(ACCEPT).iter();
                let accepted = accepted.filter_map(|value| value.to_str().ok());
                self.render_metrics(Format::accepted(accepted))
            }
            "/openapi.json" => respond(StatusCode::OK, JSON, api::OPENAPI),
            _ => self.health(path, is_verbose(uri)).await,
        }
    }

    /// Whether the gateway is alive or ready, in a word, or with each check in a line of its own.
    async fn health(&self, path: &str, is_verbose: bool) -> Response<Full<Bytes>> {
        let is_readiness = path == "/readyz";
        let checks = match is_readiness {
            true => self.readiness.checks().await,
            false => vec![("ping", Ok(()))],
        };
        let wrong = checks.iter().find_map(|(_, result)| result.as_ref().err());
        let status = wrong.map_or(StatusCode::OK, |_| StatusCode::SERVICE_UNAVAILABLE);
        let text = match wrong {
            _ if is_verbose => verbose(path.trim_start_matches('/'), &checks),
            Some(why) => format!("not ready: {why}\n"),
            None if is_readiness => "ready\n".to_owned(),
            None => "alive\n".to_owned(),
        };
        respond(status, PLAIN, text)
    }

    fn render_metrics(&self, format: Format) -> Response<Full<Bytes>> {
        match self.metrics.render(format) {
            Ok(text) => {
                let mut response = respond(StatusCode::OK, format.content_type(), text);
                response.headers_mut().insert(VARY, HeaderValue::from_static("Accept"));
                response
            }
            Err(error) => {
                tracing::error!(%error, "the metrics could not be rendered");
                let text = "The metrics could not be rendered.\n";
                respond(StatusCode::INTERNAL_SERVER_ERROR, PLAIN, text)
            }
        }
    }
}

/// Whether a path is one of those that machines read.
fn is_for_machines(path: &str) -> bool {
    matches!(path, "/healthz" | "/livez" | "/readyz" | "/metrics" | "/openapi.json")
}

/// Whether the query asks for each check, by `verbose` with or without a value.
fn is_verbose(uri: &Uri) -> bool {
    let mut parts = uri.query().unwrap_or_default().split('&');
    parts.any(|part| part == "verbose" || part.starts_with("verbose="))
}

/// What the admin API says to what was wrong.
fn refuse(wrong: &Wrong) -> Response<Full<Bytes>> {
    let reported = json!({ "error": wrong.why });
    let mut response = respond(wrong.status, JSON, format!("{reported}\n"));
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

/// An answer after which the connection ends, if the request had a body.
fn closed_if(has_body: bool, mut response: Response<AnswerBody>) -> Response<AnswerBody> {
    if has_body {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

impl Handler for Admin {
    async fn handle(
        &self,
        connection: &Connection,
        request: Request<Incoming>,
    ) -> Result<Response<AnswerBody>, Withheld> {
        let has_body = !request.body().is_end_stream();
        if has_foreign_coding(request.headers()) {
            let text = format!("{CHUNKED_ALONE}\n");
            let refused = respond(StatusCode::NOT_IMPLEMENTED, PLAIN, text);
            return Ok(closed_if(has_body, refused.map(whole)));
        }
        let path = request.uri().path();
        let is_page = !is_for_machines(path) && !path.starts_with("/api");
        if let (Some(front), Some(api), true) = (&self.front, &self.api, is_page) {
            return Ok(closed_if(has_body, front.answer(connection, api, request).await));
        }
        let response = match &self.api {
            Some(api) if request.uri().path().starts_with(api::ROOT) => {
                let origin = api.origin(connection.peer.ip(), request.headers());
                let request_id = origin.request_id.clone();
                let mut response = match api.answer(request, origin, &connection.idleness).await {
                    Ok((status, reported)) => respond(status, JSON, format!("{reported}\n")),
                    Err(wrong) => refuse(&wrong),
                };
                let id = request_id.and_then(|id| HeaderValue::from_str(id.as_str()).ok());
                id.map(|id| response.headers_mut().insert(REQUEST_ID, id));
                response
            }
            _ => self.answer(request.method(), request.uri(), request.headers()).await,
        };
        Ok(closed_if(has_body, response.map(whole)))
    }
}
