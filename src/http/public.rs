//! The public listener: calls to front doors and the descriptions of those, nothing else.
//!
//! What must stay true: a request is answered once, or, where what became of it cannot be known,
//! its answer breaks off after the first bytes; never is it given a fault then.

use super::address::Addresses;
use super::answer::Answer;
use super::answer_body::{AnswerBody, whole};
use super::body::{BodyError, BodyLimits, BodyRoom, receive};
use super::budget::{Budget, FREE_BYTES};
use super::called::{Called, Unanswered};
use super::compression::wants_gzip;
use super::connection::Connection;
use super::date::DateCache;
use super::doors::Doors;
use super::head;
use super::journal::Sent;
use super::listener::{Handler, Withheld};
use super::metrics::{Limit, Metrics};
use super::path::normal;
use super::readiness::Readiness;
use super::record::Record;
use super::refused_head::{CHUNKED_ALONE, has_foreign_coding};
use super::settings::HttpSettings;
use super::tap::Exchange;
use super::watchers::Watchers;
use crate::call::{
    self, Call, CallNotes, Door, Head, Holding, Notes, OperationName, Outcome, Refusal, Refused,
    Reply, Route, Users,
};
use crate::domain::card_numbers;
use crate::domain::number::saturated;
use crate::service::Service;
use crate::service::deadline::Deadline;
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::ORIGIN;
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// How many long answers are made at once by those that no use case gives a turn, such as
/// descriptions.
const LONG_ANSWERS_MAX: usize = 4;

/// Answers what comes in on the public listener.
pub(super) struct Public {
    doors: Doors,
    addresses: Addresses,
    dates: DateCache,
    metrics: Arc<Metrics>,
    /// What bodies and answers that take much memory have in common.
    room: BodyRoom,
    /// The turns of long answers whose makers have none.
    answer_turns: Arc<Semaphore>,
    settings: HttpSettings,
    watchers: Watchers,
    service: Arc<Service>,
    readiness: Arc<Readiness>,
}

/// To which door a call goes, what it is without its body, and when it began.
struct Place<'d> {
    door: &'d dyn Door,
    head: Head,
    started: Instant,
    connection: &'d Connection,
    holding: &'d Holding,
}

impl Public {
    pub(super) fn new(
        service: Arc<Service>,
        doors: Doors,
        settings: HttpSettings,
        metrics: Arc<Metrics>,
        watchers: Watchers,
        readiness: Arc<Readiness>,
    ) -> Self {
        let public_url = settings.public_url.as_deref();
        Self {
            addresses: Addresses::new(public_url, &settings.trusted_proxies),
            dates: DateCache::new(Arc::clone(&service)),
            doors,
            room: BodyRoom {
                turns: turns(settings.heavy_requests_max),
                budget: Budget::new(settings.transit_bytes_max, metrics.transit.clone()),
            },
            answer_turns: turns(LONG_ANSWERS_MAX),
            metrics,
            settings,
            watchers,
            service,
            readiness,
        }
    }

    /// The answer, if there is to be one.
    async fn answer(
        &self,
        connection: &Connection,
        head: &Parts,
        (body, holding): (Incoming, &Holding),
        record: &Record<'_>,
    ) -> Result<Answer, Unanswered> {
        let masks = self.service.settings().mask_card_numbers;
        let masked = masks.then(|| head::without_card_numbers(head)).flatten();
        let head = masked.as_ref().unwrap_or(head);
        let has_body = !body.is_end_stream();
        let refused = |answer: Answer| if has_body { answer.closing() } else { answer };
        if head.headers.len() > self.settings.headers_max {
            self.metrics.reject(Limit::Headers);
            let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
            let text = "The request has too many headers.";
            return Ok(Answer::sentence(status, Refused::Headers, text).closing());
        }
        if let Some(answer) = self.refused_by_head(head) {
            return Ok(answer.closing());
        }
        let base_url = match self.addresses.base_url(head, connection) {
            Ok(base_url) => base_url,
            Err(error) => {
                let text = error.to_string();
                let answer = Answer::sentence(StatusCode::BAD_REQUEST, Refused::BadHost, &text);
                return Ok(refused(answer));
            }
        };
        let path = normal(head.uri.path());
        let (method, query) = (call::Method::from_name(head.method.as_str()), head.uri.query());
        let answer = match self.doors.route(method, &path, query) {
            Some((door, Route::Call { version })) => {
                let address = self.addresses.caller(&head.headers, connection.peer.ip());
                let origin = record.origin(door.kind(), address);
                let (at, users) = ((base_url, origin), connection.users.clone());
                let of_call = head::of_call(door, head, (version, &path), at, users);
                let started = record.started();
                let place = Place { door, head: of_call, started, connection, holding };
                return self.call(place, head, body).await;
            }
            Some((door, Route::Description { version })) => {
                holding.take_turn().await;
                let description = door.description(version, &base_url);
                let answer = description.map(Answer::description);
                let missing = |text: String| {
                    Answer::sentence(StatusCode::NOT_FOUND, Refused::NotFound, &text)
                };
                answer.unwrap_or_else(missing).called(version, 0)
            }
            Some((_, Route::WrongMethod { allow, sentence })) => {
                let status = StatusCode::METHOD_NOT_ALLOWED;
                Answer::sentence(status, Refused::WrongMethod, sentence).allowing(allow)
            }
            None => {
                let endpoints = self.doors.endpoints();
                let text = format!("There is nothing here. The endpoint is {endpoints}.");
                Answer::sentence(StatusCode::NOT_FOUND, Refused::NotFound, &text)
            }
        };
        Ok(refused(answer))
    }

    /// What is refused for its headers on any path. A page of another site can make a
    /// browser post to a test gateway on its user's machine, and no client of SOAP sends an Origin.
    fn refused_by_head(&self, head: &Parts) -> Option<Answer> {
        let is_test = self.service.ledger().test_bench().is_some();
        if is_test && head.method == Method::POST && head.headers.contains_key(ORIGIN) {
            let text = "Web pages may not call a test gateway.";
            return Some(Answer::sentence(StatusCode::FORBIDDEN, Refused::Origin, text));
        }
        has_foreign_coding(&head.headers).then(|| {
            let status = StatusCode::NOT_IMPLEMENTED;
            Answer::sentence(status, Refused::TransferEncoding, CHUNKED_ALONE)
        })
    }

    async fn call(
        &self,
        place: Place<'_>,
        parts: &Parts,
        body: Incoming,
    ) -> Result<Answer, Unanswered> {
        let Place { door, head, started, connection, holding } = place;
        let deadline = started + Duration::from_millis(self.settings.request_timeout_ms);
        let limits = BodyLimits::of(&self.settings, &self.room, deadline);
        let limits = (limits, connection);
        let deadline = Deadline::new(deadline, &connection.timer);
        let patience = deadline.later_by(Duration::from_millis(self.settings.outcome_wait_ms));
        let received = match receive((door, head.method), &parts.headers, body, limits).await {
            Ok(received) => received,
            Err(error) => return Ok(self.refuse(error, door, &head).called(&head.version, 0)),
        };
        self.metrics.request_body_bytes.inc_by(count(received.wire_bytes));
        let bytes_in = received.wire_bytes;
        let document = self.without_card_numbers(received.document);
        let watched = self.watchers.see_bodies().then(|| document.clone());
        let notes = self.watchers.noted_bodies().then(Arc::<Notes>::default);
        let version = head.version.clone();
        let sent = notes.as_ref().map(|_| (head.method.name(), head.path.clone()));
        let (body, turn) = (document, received.turn);
        let holding = holding.clone();
        let call = Call { head, body, turn, deadline, notes: notes.clone(), holding };
        let page = self.watchers.journal.as_ref().map(|journal| journal.page());
        let answer = match patience.bound(door.answer(call)).await {
            Some(Reply::Answer(answer)) => Ok(answer),
            Some(Reply::Abort(operation, facts)) => Err((operation, Withheld::Unknown, facts)),
            Some(Reply::Reset(operation, facts)) => Err((operation, Withheld::Ordered, facts)),
            None => Err((OperationName::Unknown, Withheld::Unknown, Box::default())),
        };
        if let Some(page) = page {
            let facts = answer.as_ref().map_or_else(|(.., facts)| &**facts, |answer| &answer.facts);
            let said = notes.map_or_else(|| CallNotes::of(facts), |notes| notes.taken());
            let at = self.service.clock().now();
            let request = watched.as_deref().unwrap_or_default();
            let reported = answer.as_ref().map_err(|(operation, ..)| operation);
            let (method, path) = sent.unwrap_or_default();
            let called = Sent { door: door.kind(), version: &version, method, path };
            page.note((at, started.elapsed()), called, (request, said), reported);
        }
        let answer = answer.map_err(|(operation, why, facts)| {
            let at = Called::at(&version);
            let called = Called { bytes_in: count(bytes_in), facts: *facts, ..at };
            Unanswered { operation, why, called }
        })?;
        if let Some(limit) = answer.limit {
            self.metrics.reject(Limit::from(limit));
        }
        self.count(&answer);
        let user = answer.facts.user.as_deref().map(str::to_owned);
        let answer = Answer::of_call(answer, self.dates.now()).called(&version, bytes_in);
        if let (Some(tap), Some(request)) = (&self.watchers.tap, watched) {
            tap.took_place(Exchange::of(parts, user, request, (answer.status, answer.body())));
        }
        Ok(answer)
    }

    /// The body as everything from here on sees it.
    fn without_card_numbers(&self, body: Bytes) -> Bytes {
        let masked = self.service.settings().mask_card_numbers.then(|| card_numbers::masked(&body));
        masked.flatten().map_or(body, Bytes::from)
    }

    /// Answers a call whose body is not there; what is left of it will not be read.
    fn refuse(&self, error: BodyError, door: &dyn Door, head: &Head) -> Answer {
        let answer = match error {
            BodyError::Broken => {
                let text = "The body of the request is broken.";
                Answer::sentence(StatusCode::BAD_REQUEST, Refused::BrokenBody, text)
            }
            BodyError::Overloaded(limit) => {
                self.metrics.reject(limit);
                self.refused(Refusal::Overloaded, door, head)
            }
            BodyError::Refused(refusal, limit) => {
                if let Some(limit) = limit {
                    self.metrics.reject(limit);
                }
                self.refused(refusal, door, head)
            }
        };
        answer.closing()
    }

    fn refused(&self, refusal: Refusal, door: &dyn Door, head: &Head) -> Answer {
        let answer = door.refuse(refusal, head);
        if let Some(journal) = &self.watchers.journal {
            let unread = (&b""[..], CallNotes::default());
            let (method, path) = (head.method.name(), head.path.clone());
            let sent = Sent { door: door.kind(), version: &head.version, method, path };
            let at = (self.service.clock().now(), Duration::ZERO);
            journal.page().note(at, sent, unread, Ok(&answer));
        }
        self.count(&answer);
        Answer::of_call(answer, self.dates.now())
    }

    /// The answer with its share of the budget, if it is a long one. One that was read from the
    /// ledger is refused if its share does not come in time; any other is sent all the same,
    /// because what it reports has been done.
    async fn placed(
        &self,
        answer: Answer,
        holding: &Holding,
        (connection, head, record): (&Connection, &Parts, &Record<'_>),
    ) -> Answer {
        let bytes = answer.body_bytes();
        if bytes <= FREE_BYTES {
            return answer;
        }
        let patience = self.settings.request_timeout_ms + self.settings.outcome_wait_ms;
        let until = record.started() + Duration::from_millis(patience);
        let placed = match self.room.budget.share(bytes, until).await {
            Some(share) => {
                answer.held(|body| self.room.budget.answer(body, share, &connection.pace))
            }
            None if holding.has_turn() => {
                self.metrics.reject(Limit::TransitBytes);
                self.has_no_room(connection, head, record)
            }
            None => answer,
        };
        holding.release();
        placed
    }

    /// Answers a request for whose answer there is no room.
    fn has_no_room(&self, connection: &Connection, head: &Parts, record: &Record<'_>) -> Answer {
        let path = normal(head.uri.path());
        let method = call::Method::from_name(head.method.as_str());
        if let Some((door, Route::Call { version })) =
            self.doors.route(method, &path, head.uri.query())
        {
            let origin = record.origin(door.kind(), connection.peer.ip());
            let at = (String::new(), origin);
            let of_call = head::of_call(door, head, (version, &path), at, Users::default());
            return self.refused(Refusal::Overloaded, door, &of_call);
        }
        let text = "Too many answers wait for their clients to read them. Try again later.";
        Answer::sentence(StatusCode::SERVICE_UNAVAILABLE, Refused::Overloaded, text)
    }

    fn count(&self, answer: &call::Answer) {
        let metrics = &self.metrics;
        if answer.outcome != Outcome::Ok {
            metrics.fault(answer.outcome);
        }
        metrics.ignored_fields.inc_by(answer.ignored_fields.into());
        for (code, rows) in answer.facts.failed() {
            metrics.row_errors(code, rows);
        }
        metrics.refunds.inc_by(answer.refunds.into());
    }
}

impl Handler for Public {
    async fn handle(
        &self,
        connection: &Connection,
        request: Request<Incoming>,
    ) -> Result<Response<AnswerBody>, Withheld> {
        if self.settings.public_readiness && request.uri().path() == "/readyz" {
            return Ok(self.readiness.status_alone(request.method()).await.map(whole));
        }
        let (head, body) = request.into_parts();
        let request_id = head::request_id(&head.headers).or_else(|| self.service.next_request_id());
        let trace = head::trace(&head.headers, || self.service.next_span_id());
        let record = Record::begin(&self.metrics, &connection.peer_text, request_id, trace);
        let holding = Holding::new(&self.answer_turns);
        let answer = match self.answer(connection, &head, (body, &holding), &record).await {
            Ok(answer) => answer,
            Err(Unanswered { operation, why, called }) => {
                record.withheld(operation, &called);
                return Err(why);
            }
        };
        let answer = answer.compressed(wants_gzip(&head.headers)).await;
        let answer = self.placed(answer, &holding, (connection, &head, &record)).await;
        Ok(record.answered(answer).into_response())
    }
}

fn turns(most: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)))
}

fn count(bytes: usize) -> u64 {
    saturated::<u64>(bytes)
}
