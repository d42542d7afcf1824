//! What the head of a call says, for those behind the front door.

use crate::call::{Door, Head, Headers, Method, Users};
use crate::domain::card_numbers;
use crate::domain::origin::{Origin, RequestId};
use crate::domain::trace::TraceContext;
use hyper::HeaderMap;
use hyper::header::{CONTENT_TYPE, COOKIE, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::http::uri::{PathAndQuery, Uri};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

pub(super) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// The trace that a call is part of, with the span of this gateway in it, whose id `span` makes;
/// none where the headers of it are not there once and in their form.
pub(super) fn trace(
    headers: &HeaderMap,
    span: impl FnOnce() -> Option<String>,
) -> Option<TraceContext> {
    let mut parents = headers.get_all(TRACEPARENT).iter();
    let parent = parents.next()?.to_str().ok().filter(|_| parents.next().is_none())?;
    let states: Vec<&str> =
        headers.get_all(TRACESTATE).iter().map_while(|state| state.to_str().ok()).collect();
    let state = (!states.is_empty()).then(|| states.join(","));
    TraceContext::continued(parent, state.as_deref(), &span()?)
}

/// The head of a call to `door` at a version and a path in normal form.
pub(super) fn of_call(
    door: &dyn Door,
    parts: &Parts,
    (version, path): (&str, &str),
    (base_url, origin): (String, Origin),
    users: Users,
) -> Head {
    Head {
        method: Method::from_name(parts.method.as_str()),
        query: parts.uri.query().map(str::to_owned),
        version: version.to_owned(),
        base_url,
        content_type: content_type(&parts.headers),
        idempotency_key: idempotency_key(&parts.headers),
        headers: of_door(door.headers(), &parts.headers),
        users,
        origin,
        path: path.to_owned(),
    }
}

/// The head with what looks like a number of a card masked in what is kept of it for people: the
/// query and the vendor's own headers. None where nothing does. A key and credentials are left as
/// they are, because they are compared.
pub(super) fn without_card_numbers(head: &Parts) -> Option<Parts> {
    let masked_query = || {
        let query = head.uri.query().and_then(|query| card_numbers::masked(query.as_bytes()))?;
        let query = String::from_utf8(query).ok()?;
        let mut parts = head.uri.clone().into_parts();
        let text = format!("{}?{query}", head.uri.path());
        parts.path_and_query = Some(PathAndQuery::try_from(text).ok()?);
        Uri::from_parts(parts).ok()
    };
    let mask = |(name, value): (&HeaderName, &HeaderValue)| {
        let value = is_vendors(name.as_str()).then(|| card_numbers::masked(value.as_bytes()))??;
        Some((name.clone(), HeaderValue::from_bytes(&value).ok()?))
    };
    let (uri, headers) = (masked_query(), head.headers.iter().filter_map(mask).collect::<Vec<_>>());
    if uri.is_none() && headers.is_empty() {
        return None;
    }
    let mut masked = head.clone();
    if let Some(uri) = uri {
        masked.uri = uri;
    }
    for (name, value) in headers {
        masked.headers.insert(name, value);
    }
    Some(masked)
}

/// Whether a header, by its name in lower case, is one of the vendor's own.
pub(super) fn is_vendors(name: &str) -> bool {
    name.starts_with("zuora-") || name.starts_with("x-zuora-")
}

/// The id that the caller gave its request, if it gave one and it has the form of one.
pub(super) fn request_id(headers: &HeaderMap) -> Option<RequestId> {
    headers.get(REQUEST_ID)?.to_str().ok().and_then(RequestId::parse)
}

/// The Content-Type, if there is one. Several are put together as in a list: the first is the type,
/// and the charset may stand in any.
pub(super) fn content_type(headers: &HeaderMap) -> Option<String> {
    let values: Vec<_> = headers.get_all(CONTENT_TYPE).iter().map(HeaderValue::as_bytes).collect();
    (!values.is_empty()).then(|| String::from_utf8_lossy(&values.join(&b", "[..])).into_owned())
}

/// Those of the headers that a front door reads, by their names in lower case.
pub(super) fn of_door(names: &[&'static str], headers: &HeaderMap) -> Headers {
    let value = |name: &&'static str| {
        let values: Vec<_> = headers.get_all(*name).iter().map(HeaderValue::as_bytes).collect();
        let between: &[u8] = if *name == COOKIE.as_str() { b"; " } else { b", " };
        let value = || String::from_utf8_lossy(&values.join(between)).into_owned();
        (!values.is_empty()).then(|| (*name, value()))
    };
    Headers::new(names.iter().filter_map(value).collect())
}

/// The key as sent. Several become one that cannot be a key, as they stand in a list.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Option<Vec<u8>> {
    let values: Vec<&[u8]> =
        headers.get_all(IDEMPOTENCY_KEY).iter().map(HeaderValue::as_bytes).collect();
    (!values.is_empty()).then(|| values.join(&b", "[..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::{ACCEPT, AUTHORIZATION};

    #[test]
    fn a_door_sees_the_headers_that_it_reads_joined_and_no_others() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            (COOKIE, "a=1"),
            (COOKIE, "b=2"),
            (ACCEPT, "x/y"),
            (ACCEPT, "*/*"),
            (AUTHORIZATION, "t"),
        ] {
            headers.append(name, HeaderValue::from_static(value));
        }
        let read = of_door(&["cookie", "accept", "zuora-track-id"], &headers);
        assert_eq!(read.get("cookie"), Some("a=1; b=2"));
        assert_eq!(read.get("accept"), Some("x/y, */*"));
        assert_eq!((read.get("authorization"), read.get("zuora-track-id")), (None, None));
    }
}
