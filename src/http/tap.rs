//! What a listener at the door is shown: each call with its answer, before anything is compressed.
//!
//! What must stay true: being shown something costs a call no more than handing it over, and
//! the call goes on even if that fails.

use super::head::{content_type, idempotency_key, is_vendors};
use hyper::StatusCode;
use hyper::body::Bytes;
use hyper::header::{HeaderName, HeaderValue};
use hyper::http::request::Parts;

/// A call and its answer. It holds sessions and passwords.
pub struct Exchange {
    /// The method.
    pub method: String,
    /// The path and query that it was sent to.
    pub path: String,
    /// The user who called, if that is known.
    pub user: Option<String>,
    /// The headers of the vendor's API: none of them says who calls.
    pub headers: Vec<(String, String)>,
    /// The Content-Type, if there was one.
    pub content_type: Option<String>,
    /// The Idempotency-Key, if there was one.
    pub idempotency_key: Option<String>,
    /// The body, inflated.
    pub request: Bytes,
    /// The status of the answer.
    pub status: u16,
    /// The body of the answer.
    pub response: Bytes,
}

impl Exchange {
    pub(super) fn of(
        head: &Parts,
        user: Option<String>,
        request: Bytes,
        (status, response): (StatusCode, Bytes),
    ) -> Self {
        let kept = head.headers.iter().filter(|(name, _)| is_vendors(name.as_str()));
        let text = |(name, value): (&HeaderName, &HeaderValue)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        };
        let headers = kept.filter_map(text).collect();
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let key = idempotency_key(&head.headers);
        Self {
            method: head.method.as_str().to_owned(),
            path,
            user,
            headers,
            content_type: content_type(&head.headers),
            idempotency_key: key.map(|key| String::from_utf8_lossy(&key).into_owned()),
            request,
            status: status.as_u16(),
            response,
        }
    }
}

/// A listener that is shown every call.
pub trait Tap: Send + Sync + 'static {
    /// A call was answered, and the answer is about to be sent. This must not wait for anything.
    fn took_place(&self, exchange: Exchange);
}
