//! The public listener: SOAP calls and WSDLs, nothing else.
//!
//! What must stay true: a request is answered once, or, where what became of it cannot be known,
//! its answer breaks off after the first bytes; never is it given a fault then.

use super::address::Addresses;
use super::answer::Answer;
use super::answer_body::AnswerBody;
use super::body::{BodyError, BodyLimits, receive};
use super::compression::wants_gzip;
use super::connection::Connection;
use super::date::DateCache;
use super::head;
use super::journal::{Journal, UNKNOWN};
use super::listener::{Handler, Withheld};
use super::metrics::{Limit, Metrics};
use super::record::Record;
use super::router::{Route, normal, route};
use super::settings::HttpSettings;
use super::tap::{Exchange, Tap};
use crate::domain::error_code::ErrorCode;
use crate::domain::version::ApiVersion;
use crate::service::Service;
use crate::soap::{ENDPOINT, Refusal, Soap, SoapAnswer, SoapCall, SoapReply};
use hyper::body::{Body, Incoming};
use hyper::http::request::Parts;
use hyper::{Request, Response, StatusCode};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// Answers what comes in on the public listener.
pub(super) struct Public {
    soap: Soap,
    addresses: Addresses,
    dates: DateCache,
    metrics: Arc<Metrics>,
    /// The turns of bodies that take much memory to read.
    turns: Arc<Semaphore>,
    settings: HttpSettings,
    watchers: Watchers,
    service: Arc<Service>,
}

/// Those who are shown every call.
pub(super) struct Watchers {
    /// There on test ledgers alone.
    pub(super) journal: Option<Arc<Journal>>,
    /// Whoever records.
    pub(super) tap: Option<Arc<dyn Tap>>,
}

impl Watchers {
    fn any(&self) -> bool {
        self.journal.is_some() || self.tap.is_some()
    }
}

impl Public {
    pub(super) fn new(
        service: Arc<Service>,
        settings: HttpSettings,
        metrics: Arc<Metrics>,
        watchers: Watchers,
    ) -> Self {
        let public_url = settings.public_url.as_deref();
        Self {
            addresses: Addresses::new(public_url, &settings.trusted_proxies),
            dates: DateCache::new(Arc::clone(&service)),
            soap: Soap::new(Arc::clone(&service), settings.xml.clone()),
            metrics,
            turns: Arc::new(Semaphore::new(
                settings.heavy_requests_max.min(Semaphore::MAX_PERMITS),
            )),
            settings,
            watchers,
            service,
        }
    }

    /// The answer, if there is to be one.
    async fn answer(
        &self,
        connection: &Connection,
        head: &Parts,
        body: Incoming,
        started: Instant,
    ) -> Result<Answer, Withheld> {
        let has_body = !body.is_end_stream();
        let refused = |answer: Answer| if has_body { answer.closing() } else { answer };
        if head.headers.len() > self.settings.headers_max {
            self.metrics.reject(Limit::Headers);
            let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
            let text = "The request has too many headers.";
            return Ok(Answer::sentence(status, "headers", text).closing());
        }
        let base_url = match self.addresses.base_url(head, connection.peer, connection.local) {
            Ok(base_url) => base_url,
            Err(error) => {
                let text = error.to_string();
                let answer = Answer::sentence(StatusCode::BAD_REQUEST, "bad_host", &text);
                return Ok(refused(answer));
            }
        };
        let path = normal(head.uri.path());
        let answer = match route(&head.method, &path, head.uri.query()) {
            Route::Soap { version } => {
                return self.soap(connection, (version, base_url), head, body, started).await;
            }
            Route::Wsdl { version } => self.wsdl(version, &base_url),
            Route::WrongMethod { allow, sentence } => {
                let status = StatusCode::METHOD_NOT_ALLOWED;
                Answer::sentence(status, "wrong_method", sentence).allowing(allow)
            }
            Route::Nothing => {
                let text = "There is nothing here. The endpoint is /apps/services/a/{version}.";
                Answer::sentence(StatusCode::NOT_FOUND, "not_found", text)
            }
        };
        Ok(refused(answer))
    }

    fn wsdl(&self, version: &str, base_url: &str) -> Answer {
        match version.parse::<ApiVersion>() {
            Ok(parsed) => {
                let address = format!("{base_url}{ENDPOINT}{version}");
                Answer::wsdl(self.soap.wsdl(parsed, &address))
            }
            Err(_) => {
                let (first, last) = (ApiVersion::FIRST, ApiVersion::LAST);
                let text = format!("There is no such API version; {first} to {last} are served.");
                Answer::sentence(StatusCode::NOT_FOUND, "not_found", &text)
            }
        }
    }

    async fn soap(
        &self,
        connection: &Connection,
        (version, base_url): (&str, String),
        head: &Parts,
        body: Incoming,
        started: Instant,
    ) -> Result<Answer, Withheld> {
        let headers = &head.headers;
        let deadline = started + Duration::from_millis(self.settings.request_timeout_ms);
        let limits = BodyLimits::of(&self.settings, started, &self.turns, deadline);
        let content_type = head::content_type(headers);
        let received = match receive(headers, body, limits).await {
            Ok(received) => received,
            Err(error) => return Ok(self.refuse(error, version, content_type.as_deref())),
        };
        self.metrics.request_body_bytes.inc_by(count(received.wire_bytes));
        let watched = self.watchers.any().then(|| received.document.clone());
        let call = SoapCall {
            version: version.to_owned(),
            base_url,
            content_type,
            idempotency_key: head::idempotency_key(headers),
            address: self.addresses.caller(headers, connection.peer.ip()),
            body: received.document,
            turn: received.turn,
            deadline,
        };
        let patience = deadline + Duration::from_millis(self.settings.outcome_wait_ms);
        let page = self.watchers.journal.as_ref().map(|journal| journal.page());
        let answer = match tokio::time::timeout_at(patience, self.soap.answer(call)).await {
            Ok(SoapReply::Answer(answer)) => Ok(answer),
            Ok(SoapReply::Abort(operation)) => Err((operation, Withheld::Unknown)),
            Ok(SoapReply::Reset(operation)) => Err((operation, Withheld::Ordered)),
            Err(_) => Err((UNKNOWN, Withheld::Unknown)),
        };
        if let (Some(page), Some(request)) = (page, &watched) {
            let told = answer.as_ref().map_err(|(operation, _)| operation);
            page.note(self.service.clock().now(), version, request, told);
        }
        let answer = answer.map_err(|(_, withheld)| withheld)?;
        self.count_limits(&answer);
        self.count(&answer);
        let answer = Answer::soap(answer, self.dates.now());
        if let (Some(tap), Some(request)) = (&self.watchers.tap, watched) {
            tap.took_place(Exchange::of(head, request, answer.status, answer.body()));
        }
        Ok(answer)
    }

    /// Answers a call whose body is not there; what is left of it will not be read.
    fn refuse(&self, error: BodyError, version: &str, content_type: Option<&str>) -> Answer {
        let answer = match error {
            BodyError::Broken => {
                let text = "The body of the request is broken.";
                Answer::sentence(StatusCode::BAD_REQUEST, "broken_body", text)
            }
            BodyError::Overloaded => {
                self.metrics.reject(Limit::HeavyRequests);
                let refusal = Refusal::Overloaded { version: version.to_owned() };
                self.refused(refusal, version, content_type)
            }
            BodyError::Refused(refusal, limit) => {
                if let Some(limit) = limit {
                    self.metrics.reject(limit);
                }
                self.refused(refusal, version, content_type)
            }
        };
        answer.closing()
    }

    fn refused(&self, refusal: Refusal, version: &str, content_type: Option<&str>) -> Answer {
        let answer = self.soap.refuse(refusal, content_type);
        if let Some(journal) = &self.watchers.journal {
            journal.page().note(self.service.clock().now(), version, b"", Ok(&answer));
        }
        self.count(&answer);
        Answer::soap(answer, self.dates.now())
    }

    /// Counts the limits that refuse a call behind this door.
    fn count_limits(&self, answer: &SoapAnswer) {
        let metrics = &self.metrics;
        if let Some(kind) = answer.limit {
            metrics.reject(Limit::Xml(kind));
        }
        if answer.outcome == ErrorCode::RequestExceededLimit.name() {
            metrics.reject(Limit::LedgerQueue);
        }
        if answer.outcome == ErrorCode::RequestExceededRate.name() {
            metrics.reject(Limit::LoginGuard);
        }
        if answer.outcome == ErrorCode::TransactionTimeout.name() {
            metrics.reject(Limit::RequestTimeout);
        }
    }

    fn count(&self, answer: &SoapAnswer) {
        let metrics = &self.metrics;
        if answer.outcome != "ok" {
            metrics.fault(answer.outcome);
        }
        metrics.ignored_fields.inc_by(answer.ignored_fields.into());
        metrics.row_errors.inc_by(answer.row_errors.into());
        metrics.refunds.inc_by(answer.refunds.into());
    }
}

impl Handler for Public {
    async fn handle(
        &self,
        connection: &Connection,
        request: Request<Incoming>,
    ) -> Result<Response<AnswerBody>, Withheld> {
        let (head, body) = request.into_parts();
        let record = Record::begin(&self.metrics, connection.peer, &head.headers);
        let answered = self.answer(connection, &head, body, record.started()).await;
        let answer = match answered {
            Ok(answer) => answer,
            Err(withheld) => {
                record.withheld();
                return Err(withheld);
            }
        };
        let answer = answer.compressed(wants_gzip(&head.headers)).await;
        Ok(record.answered(answer).into_response())
    }
}

fn count(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
