//! Answers on the public listener, from what is to be said to the bytes of a response.
//!
//! What must stay true: every answer has a length, SOAP answers carry the headers that the original
//! was seen to send, and an answer that was given before the request was read says that the
//! connection ends.

use super::answer_body::{self, AnswerBody, CutOff};
use super::called::Called;
use super::compression;
use crate::call::{self, Description, Header, OperationName, Outcome, Refused};
use crate::domain::number::saturated;
use crate::service::faults::OrderedHeader;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, DATE, EXPIRES, HeaderMap,
    HeaderName, HeaderValue, PRAGMA, RETRY_AFTER, SERVER, VARY,
};
use hyper::{Response, StatusCode};

const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
const PLAIN: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const NO_CACHE_AS_CAPTURED: HeaderValue = HeaderValue::from_static("max-age=0, no-cache, no-store");

/// Our own name.
pub(super) const SERVER_NAME: HeaderValue = HeaderValue::from_static("refund-gateway");

/// What is to be said, and what came of the request.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) operation: OperationName,
    pub(super) outcome: Outcome,
    body: Bytes,
    /// After how many bytes of the body the connection is closed.
    cut_after: Option<usize>,
    headers: HeaderMap,
    /// What the log says of the request.
    pub(super) called: Called,
}

impl Answer {
    /// A sentence for people.
    pub(super) fn sentence(status: StatusCode, refused: Refused, text: &str) -> Self {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, PLAIN)]);
        let body = Bytes::from(format!("{text}\n"));
        Self {
            status,
            operation: OperationName::None,
            outcome: Outcome::Refused(refused),
            body,
            cut_after: None,
            headers,
            called: Called::default(),
        }
    }

    /// The description of a front door.
    pub(super) fn description(description: Description) -> Self {
        let content_type = HeaderValue::from_static(description.content_type);
        let headers =
            HeaderMap::from_iter([(CONTENT_TYPE, content_type), (CACHE_CONTROL, NO_STORE)]);
        let (status, body) = (StatusCode::OK, Bytes::from(description.text));
        Self {
            status,
            operation: description.operation,
            outcome: Outcome::Ok,
            body,
            cut_after: None,
            headers,
            called: Called::default(),
        }
    }

    /// The answer to a call; `now` is an HTTP date.
    pub(super) fn of_call(answer: call::Answer, now: HeaderValue) -> Self {
        let mut headers = HeaderMap::with_capacity(12);
        if !answer.content_type.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
        }
        headers.insert(EXPIRES, now.clone());
        // By the same clock, so that one that stands still makes the same bytes.
        headers.insert(DATE, now);
        headers.insert(CACHE_CONTROL, NO_CACHE_AS_CAPTURED);
        headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
        if let Some(seconds) = answer.retry_after_s {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if answer.replayed {
            headers.insert(REPLAYED, HeaderValue::from_static("true"));
        }
        add(&mut headers, answer.headers);
        for OrderedHeader { name, value } in &answer.ordered {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), value.try_into()) {
                headers.insert(name, value);
            }
        }
        let status = StatusCode::from_u16(answer.status);
        Self {
            status: status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            operation: answer.operation,
            outcome: answer.outcome,
            body: answer.body.into(),
            cut_after: answer.cut_after,
            headers,
            called: Called { facts: *answer.facts, ..Called::default() },
        }
    }

    /// Notes which version was called, and how many bytes its body had.
    pub(super) fn called(mut self, version: &str, bytes_in: usize) -> Self {
        let facts = std::mem::take(&mut self.called.facts);
        let bytes_in = saturated::<u64>(bytes_in);
        self.called = Called { bytes_in, facts, ..Called::at(version) };
        self
    }

    /// Names the methods that the path takes.
    pub(super) fn allowing(mut self, methods: &'static str) -> Self {
        self.headers.insert(ALLOW, HeaderValue::from_static(methods));
        self
    }

    /// Ends the connection: the request has not been read to its end.
    pub(super) fn closing(mut self) -> Self {
        self.headers.insert(CONNECTION, HeaderValue::from_static("close"));
        self
    }

    /// Adds a header, unless one of its name was ordered for the answer.
    pub(super) fn with_default(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.entry(name).or_insert(value);
        self
    }

    /// The body before it is compressed.
    pub(super) fn body(&self) -> Bytes {
        self.body.clone()
    }

    /// The same with its body in another place.
    pub(super) fn held(self, place: impl FnOnce(Bytes) -> Bytes) -> Self {
        Self { body: place(self.body), ..self }
    }

    /// How long the body is.
    pub(super) fn body_bytes(&self) -> usize {
        self.body.len()
    }

    /// Compresses the body if it is worth it and the client wants it so.
    pub(super) async fn compressed(mut self, wanted: bool) -> Self {
        if self.body.len() <= compression::WORTH_BYTES {
            return self;
        }
        self.headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
        if wanted && let Some(packed) = compression::gzip(self.body.clone()).await {
            self.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            self.body = packed.into();
        }
        self
    }

    /// The response; hyper writes its length.
    pub(super) fn into_response(mut self) -> Response<AnswerBody> {
        self.headers.entry(SERVER).or_insert(SERVER_NAME);
        let body = match self.cut_after {
            None => answer_body::whole(Full::new(self.body)),
            Some(bytes) => answer_body::cut_off(CutOff::new(&self.body, bytes)),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

/// Adds the headers of a front door: the first of a name takes the place of what is there, and
/// further ones stand beside it.
fn add(headers: &mut HeaderMap, of_door: Vec<Header>) {
    let mut added: Vec<&'static str> = Vec::new();
    for Header { name, value } in of_door {
        let Ok(value) = HeaderValue::from_str(&value) else { continue };
        let Ok(header) = HeaderName::from_lowercase(name.as_bytes()) else { continue };
        if added.contains(&name) {
            headers.append(header, value);
        } else {
            headers.insert(header, value);
            added.push(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::SET_COOKIE;

    #[test]
    fn headers_of_a_door_replace_ours_and_stand_beside_each_other() {
        let mut headers = HeaderMap::from_iter([(CACHE_CONTROL, NO_STORE)]);
        let header = |name, value: &str| Header { name, value: value.to_owned() };
        add(
            &mut headers,
            vec![
                header("cache-control", "no-cache"),
                header("set-cookie", "a=1"),
                header("set-cookie", "b=2"),
                header("x-split", "a\r\nb: c"),
                header("Not-Lower", "x"),
            ],
        );
        assert_eq!(headers[CACHE_CONTROL], "no-cache");
        let cookies: Vec<_> = headers.get_all(SET_COOKIE).iter().collect();
        assert_eq!(cookies, ["a=1", "b=2"]);
        assert_eq!(headers.len(), 3);
    }
}
