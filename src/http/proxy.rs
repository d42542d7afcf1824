//! A proxy in front of one upstream, for recording what a client and a real endpoint say.
//!
//! What must stay true: nothing is sent but to the upstream, and no redirect is followed; a
//! request is sent once, and when its outcome is unknown, the connection is closed without
//! an answer; and clients stay here, because every address that the upstream names is replaced
//! by the one by which they came.

use super::address::Addresses;
use super::answer_body::{AnswerBody, whole};
use super::body::{BodyError, BodyLimits, BodyRoom, inflate_now, read};
use super::budget::Budget;
use super::connection::Connection;
use super::listener::{Handler, Listener, Withheld};
use super::metrics::Metrics;
use super::settings::HttpSettings;
use super::tap::{Exchange, Tap};
use super::{StartError, listen, public_configuration};
use crate::client::{ClientError, ClientLimits, Endpoint, Pool, Request as Outbound, Trust};
use crate::domain::rest_path::is_rest;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    ACCEPT_ENCODING, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HOST,
    HeaderMap, HeaderName, HeaderValue, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use regex::bytes::{Captures, Regex};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// An answer may be so large, and inflate to so much.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Headers that are about one connection and not about the message.
const HOP_BY_HOP: [HeaderName; 8] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// The addresses in an answer to a login and in a WSDL: what stands before one, its scheme and
/// authority.
static ADDRESS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let login = r"<(?:[^<>\s/:]+:)?ServerUrl(?:\s[^<>]*)?>\s*";
    let wsdl = r#"<(?:[^<>\s/:]+:)?address\s(?:[^<>]*\s)?location\s*=\s*["']"#;
    Regex::new(&format!(r#"(?-u)({login}|{wsdl})https?://[^/"'<>\s]+"#)).ok()
});

/// Where everything is sent.
pub struct Upstream {
    /// The endpoint. A path of its own takes the place of every path that is asked for.
    pub endpoint: Endpoint,
    /// Whose certificates are believed.
    pub trust: Trust,
    /// How long is waited for it.
    pub patience: Duration,
}

/// A proxy that serves until it is stopped.
pub struct Proxy {
    listener: Listener,
    drain_timeout: Duration,
}

impl Proxy {
    /// Listens and forwards; a port 0 is any free one.
    pub async fn start(
        upstream: Upstream,
        settings: HttpSettings,
        address: SocketAddr,
        tap: Arc<dyn Tap>,
    ) -> Result<Self, StartError> {
        settings.check()?;
        let metrics = Arc::new(Metrics::new(None));
        let drain_timeout = settings.drain_timeout();
        let limits = ClientLimits {
            exchange: upstream.patience,
            body_bytes_max: ANSWER_BYTES_MAX,
            ..ClientLimits::default()
        };
        let configuration = public_configuration(&settings, &metrics, None);
        let Upstream { endpoint, trust, .. } = upstream;
        let forward = Forward {
            upstream: Pool::new(endpoint, limits, trust, settings.connections_max),
            addresses: Addresses::new(settings.public_url.as_deref(), &settings.trusted_proxies),
            room: BodyRoom {
                turns: Arc::new(Semaphore::new(1)),
                budget: Budget::new(settings.transit_bytes_max, metrics.transit.clone()),
            },
            settings,
            tap,
        };
        let listener = listen(address, Listener::open(address, configuration, forward)).await?;
        Ok(Self { listener, drain_timeout })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// Accepts nothing more and waits, within the configured time, for what has begun; as
    /// [`Gateway::stop`](super::Gateway::stop).
    pub async fn stop(self, hurry: impl Future<Output = ()>) {
        self.listener.stop(self.drain_timeout, hurry).await;
    }
}

/// Sends on what comes in.
struct Forward {
    upstream: Pool,
    addresses: Addresses,
    room: BodyRoom,
    settings: HttpSettings,
    tap: Arc<dyn Tap>,
}

impl Forward {
    async fn body(
        &self,
        body: Incoming,
        connection: &Connection,
    ) -> Result<Bytes, Response<Full<Bytes>>> {
        let share_until = Instant::now() + Duration::from_millis(self.settings.body_timeout_ms);
        let limits = BodyLimits::of(&self.settings, &self.room, share_until);
        read(body, limits, connection).await.map_err(|error| match error {
            BodyError::Broken => sentence(StatusCode::BAD_REQUEST, "The body is broken."),
            BodyError::Refused(..) | BodyError::Overloaded(_) => {
                let most = self.settings.body_bytes_max;
                let text = format!("The body is larger than {most} bytes, or came too slowly.");
                sentence(StatusCode::PAYLOAD_TOO_LARGE, &text)
            }
        })
    }

    /// The request as it is sent on.
    fn outbound(&self, head: &Parts, body: Bytes) -> Outbound {
        let asked = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let mut headers = end_to_end(&head.headers);
        for name in [HOST, CONTENT_LENGTH, ACCEPT_ENCODING, EXPECT] {
            headers.remove(name);
        }
        let path = self.upstream.endpoint().path().unwrap_or(asked).to_owned();
        Outbound { method: head.method.clone(), path, headers, body }
    }

    async fn pass(
        &self,
        connection: &Connection,
        head: Parts,
        body: Incoming,
    ) -> Result<Response<Full<Bytes>>, Withheld> {
        let is_rest = is_rest(head.uri.path());
        let changes = [Method::PUT, Method::PATCH, Method::DELETE].contains(&head.method);
        let is_usual = [Method::GET, Method::HEAD, Method::POST].contains(&head.method);
        if !(is_usual || is_rest && changes) {
            let text = "Only GET, HEAD and POST are passed on.";
            return Ok(sentence(StatusCode::METHOD_NOT_ALLOWED, text));
        }
        let base_url = match self.addresses.base_url(&head, connection) {
            Ok(base_url) => base_url,
            Err(error) => return Ok(sentence(StatusCode::BAD_REQUEST, &error.to_string())),
        };
        let request = match self.body(body, connection).await {
            Ok(request) => request,
            Err(refused) => return Ok(refused),
        };
        let answer = match self.upstream.send(&self.outbound(&head, request.clone())).await {
            Ok(answer) if !answer.cut => answer,
            Ok(_) => {
                tracing::warn!("an answer of the upstream is too large to be passed on");
                return Err(Withheld::Unknown);
            }
            Err(error) if error.nothing_was_sent() => {
                tracing::warn!(%error, "the upstream cannot be reached");
                return Ok(unreachable(&error));
            }
            Err(error) => {
                tracing::warn!(%error, "nobody knows what the upstream did");
                return Err(Withheld::Unknown);
            }
        };
        let mut headers = end_to_end(&answer.headers);
        headers.remove(CONTENT_LENGTH);
        let response = match inflated(&headers, answer.body) {
            Some(plain) => {
                headers.remove(CONTENT_ENCODING);
                readdressed(plain, &base_url)
            }
            None => {
                tracing::warn!(
                    "an answer of the upstream is in an encoding that was not asked for"
                );
                return Err(Withheld::Unknown);
            }
        };
        let document = plain_request(&head.headers, request, self.settings.inflated_bytes_max);
        if let Some(document) = document.filter(|_| is_rest || head.method == Method::POST) {
            let answered = (answer.status, response.clone());
            self.tap.took_place(Exchange::of(&head, None, document, answered));
        }
        let mut passed = Response::new(Full::new(response));
        *passed.status_mut() = answer.status;
        *passed.headers_mut() = headers;
        Ok(passed)
    }
}

impl Handler for Forward {
    async fn handle(
        &self,
        connection: &Connection,
        request: Request<Incoming>,
    ) -> Result<Response<AnswerBody>, Withheld> {
        let (head, body) = request.into_parts();
        let passed = self.pass(connection, head, body).await?;
        Ok(passed.map(whole))
    }
}

/// Without what is about one connection, by its own name or because `Connection` names it.
fn end_to_end(headers: &HeaderMap) -> HeaderMap {
    let values = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let named: Vec<&str> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
    let is_kept = |name: &HeaderName| {
        let is_named = named.iter().any(|named| named.eq_ignore_ascii_case(name.as_str()));
        !HOP_BY_HOP.contains(name) && !is_named
    };
    let kept = headers.iter().filter(|(name, _)| is_kept(name));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The body of an answer without gzip; none if it is in anything else.
fn inflated(headers: &HeaderMap, body: Bytes) -> Option<Bytes> {
    match headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes) {
        None | Some(b"" | b"identity") => Some(body),
        Some(b"gzip" | b"x-gzip") => inflate_now(&body, ANSWER_BYTES_MAX).ok().map(Bytes::from),
        Some(_) => None,
    }
}

/// The request inflated, if it can be.
fn plain_request(headers: &HeaderMap, body: Bytes, bytes_max: usize) -> Option<Bytes> {
    match headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes) {
        None | Some(b"" | b"identity") => Some(body),
        Some(b"gzip" | b"x-gzip") => inflate_now(&body, bytes_max).ok().map(Bytes::from),
        Some(_) => None,
    }
}

/// The body with our address in the place of every one that clients would follow.
fn readdressed(body: Bytes, base_url: &str) -> Bytes {
    let Some(address) = ADDRESS.as_ref().filter(|address| address.is_match(&body)) else {
        return body;
    };
    let ours = |found: &Captures<'_>| {
        let before = found.get(1).map_or(&b""[..], |before| before.as_bytes());
        [before, base_url.as_bytes()].concat()
    };
    address.replace_all(&body, ours).into_owned().into()
}

fn unreachable(error: &ClientError) -> Response<Full<Bytes>> {
    let mut answer = sentence(StatusCode::BAD_GATEWAY, &error.to_string());
    answer.headers_mut().remove(CONNECTION);
    answer
}

/// A sentence for people, after which the connection ends, because the request may not be read.
fn sentence(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::from(format!("{text}\n"))));
    *answer.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    answer.headers_mut().insert(CONTENT_TYPE, plain);
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_becomes_ours_and_its_path_stays() {
        for (reported, expected) in [
            (
                "<r:ServerUrl>https://na.example.com/apps/services/a/91.0</r:ServerUrl>",
                "<r:ServerUrl>http://h:1/apps/services/a/91.0</r:ServerUrl>",
            ),
            (
                "<soap:address x='1' location=\"https://www.example.com:443/apps\"/>",
                "<soap:address x='1' location=\"http://h:1/apps\"/>",
            ),
            (
                "<Address1>https://example.com/</Address1>",
                "<Address1>https://example.com/</Address1>",
            ),
            ("<Comment>https://example.com/</Comment>", "<Comment>https://example.com/</Comment>"),
        ] {
            assert_eq!(readdressed(Bytes::from(reported), "http://h:1"), expected.as_bytes());
        }
    }

    #[test]
    fn what_is_about_one_connection_is_not_passed_on() {
        let headers = HeaderMap::from_iter(
            [
                (CONNECTION, "close, X-Mine"),
                (HeaderName::from_static("x-mine"), "1"),
                (HeaderName::from_static("keep-alive"), "1"),
                (TE, "deflate"),
                (HeaderName::from_static("soapaction"), "\"\""),
            ]
            .map(|(name, value)| (name, HeaderValue::from_static(value))),
        );
        let kept: Vec<_> = end_to_end(&headers).into_iter().flat_map(|(name, _)| name).collect();
        assert_eq!(kept, ["soapaction"]);
    }
}
