//! One exchange of HTTP as a recorder wrote it down, and what of it can be sent again: calls of
//! SOAP, and of the REST API.

use super::CaptureFile;
use crate::client::Uri;
use crate::domain::number::saturated;
use crate::replay::blanks;
use crate::replay::caller::Caller;
use crate::replay::canonical::printable;
use crate::replay::exchange::{Exchange, Piece};
use crate::replay::rest;
use crate::replay::rules::Rules;
use crate::replay::subject::Subject;
use crate::xml::decode;
use base64ct::{Base64, Encoding};
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use std::borrow::Cow;
use std::io::Read;
use std::sync::Arc;

/// The request headers that are sent again.
const SENT: [&str; 2] = ["soapaction", "idempotency-key"];
/// Those of a call of the REST API. None of them says who calls.
const SENT_TO_REST: [&str; 6] = [
    "idempotency-key",
    "zuora-version",
    "zuora-track-id",
    "zuora-entity-ids",
    "zuora-org-ids",
    "x-zuora-wsdl-version",
];
/// Methods of the REST API.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];
/// What the path of a service of SOAP has in it.
const SERVICE: &str = "/services/";
/// A body may inflate to so much.
const INFLATED_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// An exchange of HTTP.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    pub(super) method: String,
    pub(super) url: String,
    pub(super) headers: Vec<(String, String)>,
    /// The body, if the recorder kept it.
    pub(super) request: Option<Body>,
    /// The status; none or one below 200 if there was no answer.
    pub(super) status: Option<i64>,
    pub(super) response_headers: Vec<(String, String)>,
    /// The body of the answer, if the recorder kept it.
    pub(super) response: Option<Body>,
    /// Why it cannot be sent, if that is known already.
    pub(super) unsent: Option<String>,
}

/// A body as recorders write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Body {
    /// Characters, which were decoded.
    Text(String),
    /// Bytes in base64, with any white space, as they came.
    Base64(String),
}

/// Why an exchange of HTTP is nothing to send.
enum Unsent {
    /// It is something else, or the recorder left out what would be needed.
    Skipped(String),
    /// The capture is damaged.
    Damaged(String),
}

fn skipped<T>(why: impl Into<String>) -> Result<T, Unsent> {
    Err(Unsent::Skipped(why.into()))
}

fn damaged(why: impl Into<String>) -> Unsent {
    Unsent::Damaged(why.into())
}

impl Body {
    /// The bytes that `whose` body was before it was encoded for the way.
    fn into_bytes(self, headers: &[(String, String)], whose: &str) -> Result<Vec<u8>, Unsent> {
        let text = match self {
            Self::Text(text) => return Ok(marked(text)),
            Self::Base64(text) => text,
        };
        let text: String = text.chars().filter(|character| !character.is_whitespace()).collect();
        let bytes = Base64::decode_vec(&text)
            .map_err(|_| damaged(format!("the body of its {whose} is no base64")))?;
        decoded(bytes, headers, whose)
    }
}

/// A text as bytes of UTF-8; with a byte order mark where it says that it is something else.
fn marked(text: String) -> Vec<u8> {
    let declaration = text.split_once("?>").map_or("", |(declaration, _)| declaration);
    let says_otherwise =
        declaration.contains("encoding") && !declaration.to_ascii_lowercase().contains("utf-8");
    if text.is_ascii() || !says_otherwise || text.starts_with('\u{feff}') {
        return text.into_bytes();
    }
    format!("\u{feff}{text}").into_bytes()
}

/// What is in a body that a header says is encoded. Some recorders decode it and keep the header.
fn decoded(bytes: Vec<u8>, headers: &[(String, String)], whose: &str) -> Result<Vec<u8>, Unsent> {
    let encoding = header(headers, "content-encoding").unwrap_or_default().trim();
    let encoding = encoding.to_ascii_lowercase();
    let is_decoded = decode(&bytes, None).is_ok_and(|text| begins_as_xml(&text));
    let inflated = match encoding.as_str() {
        _ if is_decoded || bytes.is_empty() => return Ok(bytes),
        "" | "identity" => return Ok(bytes),
        "gzip" | "x-gzip" => inflated(MultiGzDecoder::new(bytes.as_slice())),
        // With the envelope that it should have, or without, as half of the world writes it.
        "deflate" if bytes.first().is_some_and(|first| first & 0x0f == 8) => {
            inflated(ZlibDecoder::new(bytes.as_slice()))
        }
        "deflate" => inflated(DeflateDecoder::new(bytes.as_slice())),
        _ => return skipped(format!("its {whose} is in {encoding}, which is not read")),
    };
    inflated.map_err(|why| damaged(format!("the {encoding} of its {whose}: {why}")))
}

fn inflated(decoder: impl Read) -> Result<Vec<u8>, String> {
    let mut plain = Vec::new();
    let read = decoder.take(INFLATED_BYTES_MAX + 1).read_to_end(&mut plain);
    let read = read.map_err(|error| error.to_string())?;
    if saturated::<u64>(read) > INFLATED_BYTES_MAX {
        return Err(format!("it inflates to more than {INFLATED_BYTES_MAX} bytes"));
    }
    Ok(plain)
}

fn begins_as_xml(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').trim_start().starts_with('<')
}

fn header<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    let mut found = headers.iter().filter(|(found, _)| found.eq_ignore_ascii_case(name));
    found.next().map(|(_, value)| value.as_str())
}

impl Traffic {
    /// The piece that it is, the `number`th of its file.
    pub(super) fn into_piece(self, file: &CaptureFile, number: usize) -> Result<Piece, String> {
        let place = format!("{}/{number}", file.name());
        let method = printable(&self.method);
        match self.into_exchange(file, &place) {
            Ok(exchange) => Ok(Piece::Exchange(Box::new(exchange))),
            Err(Unsent::Skipped(why)) => {
                Ok(Piece::Skipped { name: format!("{place} {method}"), why: printable(&why) })
            }
            Err(Unsent::Damaged(why)) => Err(why),
        }
    }

    fn into_exchange(mut self, file: &CaptureFile, place: &str) -> Result<Exchange, Unsent> {
        if let Some(why) = self.unsent.take() {
            return skipped(why);
        }
        let request = self.request.take();
        let request = request.map(|body| body.into_bytes(&self.headers, "request")).transpose()?;
        let is_rest = self.is_rest();
        if !is_rest && !self.is_soap(request.as_deref().unwrap_or_default()) {
            return skipped(format!("{} {} is no SOAP call", self.method, path_only(&self.url)));
        }
        let reads = ["get", "delete"].iter().any(|it| self.method.eq_ignore_ascii_case(it));
        let none = || (is_rest && reads).then(Vec::new);
        let Some(request) = request.or_else(none) else {
            return skipped("the body of its request was not captured");
        };
        // What comes before an answer, such as 100 Continue, is none.
        let Some(status) = self.status.filter(|status| *status >= 200) else {
            return skipped("no answer was captured");
        };
        let Some(response) = self.response.take() else {
            return skipped("the body of its answer was not captured");
        };
        let expected = response.into_bytes(&self.response_headers, "answer")?;
        let path = self.path()?;
        let rules = self.rules(status, is_rest, &path).map_err(Unsent::Damaged)?;
        let rules = Arc::new(Rules::clone(&file.rules).over(&rules));
        let (name, expected) = (String::new(), Some(expected));
        let caller = Caller::of(&self.headers).filter(|_| is_rest);
        let mut exchange = Exchange { name, request, expected, rules, caller, files: None };
        let operation = exchange.subject().operation;
        let operation = operation.unwrap_or_else(|| self.method.clone());
        exchange.name = format!("{place} {}", printable(&operation));
        Ok(exchange)
    }

    /// The path and the query that it was sent to. The host is nothing to a replay, and may be a
    /// blank; what has one behind the host is skipped by its name.
    fn path(&self) -> Result<String, Unsent> {
        let (url, blanks) = match blanks::in_url(&self.url) {
            Some((url, blanks)) => (Cow::Owned(url), blanks),
            None => (Cow::Borrowed(self.url.as_str()), Vec::new()),
        };
        let host = self.url.split_once("://").map_or(0, |(scheme, rest)| {
            let mut ends = rest.match_indices(['/', '?', '#']).map(|(at, _)| at + scheme.len() + 3);
            let is_in_blank = |at: usize| blanks.iter().any(|blank| blank.at.contains(&at));
            ends.find(|at| !is_in_blank(*at)).unwrap_or(self.url.len())
        });
        let behind = blanks.into_iter().filter(|blank| blank.at.start >= host);
        let names = blanks::once(behind);
        if !names.is_empty() {
            return skipped(format!("its URL needs {}", names.join(" and ")));
        }
        // What is wrong with it may hold a secret.
        let uri: Uri = url.parse().map_err(|_| Unsent::Damaged("its URL is none".to_owned()))?;
        Ok(uri.path_and_query().map_or("/", |path| path.as_str()).to_owned())
    }

    /// How it was sent, and which status came back.
    fn rules(&self, status: i64, is_rest: bool, path: &str) -> Result<Rules, String> {
        let all: &[&str] = if is_rest { &SENT_TO_REST } else { &SENT };
        let is_sent = |name: &str| all.iter().any(|sent| name.eq_ignore_ascii_case(sent));
        let sent = self.headers.iter().filter(|(name, _)| is_sent(name));
        let content_type = header(&self.headers, "content-type").unwrap_or_default();
        let status = u16::try_from(status).map_err(|_| format!("{status} is no HTTP status"))?;
        let method = if is_rest { self.method.as_str() } else { "POST" };
        Rules::captured((method, path), content_type, sent, status)
    }

    /// Whether it is a call of the REST API, which is answered in JSON.
    fn is_rest(&self) -> bool {
        let is_method = METHODS.iter().any(|it| self.method.eq_ignore_ascii_case(it));
        let headers: Vec<_> = self.headers.iter().chain(&self.response_headers).cloned().collect();
        is_method && rest::is_captured(&self.url, &headers)
    }

    /// Whether it is a call of SOAP, also one that is damaged: an envelope or an operation, or XML
    /// with a SOAPAction or to the path of the service. JSON is none, even with such headers.
    fn is_soap(&self, request: &[u8]) -> bool {
        if !self.method.eq_ignore_ascii_case("post") {
            return false;
        }
        let text = decode(request, None);
        let start = text.as_deref().unwrap_or_default().trim_start_matches('\u{feff}').trim_start();
        if start.starts_with(['{', '[']) {
            return false;
        }
        let content_type = header(&self.headers, "content-type").unwrap_or_default();
        let content_type = content_type.to_ascii_lowercase();
        let is_sent_as_such = header(&self.headers, "soapaction").is_some()
            || content_type.contains("soap+xml")
            || self.url.contains(SERVICE);
        if is_sent_as_such {
            return start.starts_with('<') || content_type.contains("xml");
        }
        start.starts_with('<') && Subject::of(request).operation.is_some()
    }
}

/// The path of a URL, without its query, which may hold secrets. What has no path is named by its
/// scheme, such as `data`, which browsers record as well.
fn path_only(url: &str) -> &str {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let url = url.get(..end).unwrap_or_default();
    match url.split_once("://") {
        Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"),
        None if url.starts_with('/') => url,
        None => url.split_once(':').map_or("/", |(scheme, _)| scheme),
    }
}
