//! `replay.toml`: how a case is sent, and what may differ in its answer.
//!
//! One in a folder holds for everything below it; the nearer one wins, key by key, and the tables
//! entry by entry.

use super::error::ReplayError;
use super::place::Place;
use super::rest;
use crate::client::header::{
    CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING,
};
use crate::client::{Method, Uri};
use crate::domain::moment::moment;
use crate::domain::toml_text;
use chrono::{DateTime, Utc};
use regex::Regex;
use serde::Deserialize;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::path::Path;

/// The file's name.
pub(super) const FILE_NAME: &str = "replay.toml";

pub(super) const PATH_DEFAULT: &str = "/apps/services/a/91.0";
pub(super) const CONTENT_TYPE_DEFAULT: &str = "text/xml; charset=utf-8";
/// That of a call of the REST API with a body.
pub(super) const JSON_TYPE: &str = "application/json";

/// The rules that hold for a case.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rules {
    path: Option<RequestPath>,
    method: Option<HttpMethod>,
    /// The user in whose name a call of the REST API is sent; an empty one is none.
    user: Option<String>,
    /// Whether the order of the names of a JSON answer counts.
    key_order: Option<bool>,
    content_type: Option<Value>,
    /// The status that is expected, in the place of the captured one.
    pub(super) status: Option<Status>,
    clock: Option<Standing>,
    #[serde(default)]
    headers: BTreeMap<Name, Value>,
    #[serde(default)]
    response_headers: BTreeMap<Name, Value>,
    ignore: Option<Vec<Place>>,
    #[serde(default, rename = "match")]
    matches: BTreeMap<Place, Pattern>,
}

impl Rules {
    /// The rules in `folder` over those of the folders above it.
    pub(super) fn read(folder: &Path, above: &Self) -> Result<Option<Self>, ReplayError> {
        let file = folder.join(FILE_NAME);
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(ReplayError::capture(&file, None, error)),
        };
        let nearer: Self = toml_text::read(&text).map_err(|error| {
            let key = if error.key.is_empty() { String::new() } else { format!("{}: ", error.key) };
            ReplayError::capture(&file, Some(error.line), format!("{key}{}", error.message))
        })?;
        Ok(Some(nearer.over(above)))
    }

    /// These rules over those of `above`: key by key, and the tables entry by entry.
    pub(super) fn over(self, above: &Self) -> Self {
        fn over<K: Ord + Clone, V: Clone>(
            nearer: BTreeMap<K, V>,
            above: &BTreeMap<K, V>,
        ) -> BTreeMap<K, V> {
            let mut all = above.clone();
            all.extend(nearer);
            all
        }
        Self {
            path: self.path.or_else(|| above.path.clone()),
            method: self.method.or_else(|| above.method.clone()),
            user: self.user.or_else(|| above.user.clone()),
            key_order: self.key_order.or(above.key_order),
            content_type: self.content_type.or_else(|| above.content_type.clone()),
            status: self.status.or(above.status),
            clock: self.clock.or(above.clock),
            headers: over(self.headers, &above.headers),
            response_headers: over(self.response_headers, &above.response_headers),
            ignore: self.ignore.or_else(|| above.ignore.clone()),
            matches: over(self.matches, &above.matches),
        }
    }

    /// What a recorder of traffic wrote down of one exchange.
    pub(super) fn captured<'h>(
        (method, path): (&str, &str),
        content_type: &str,
        headers: impl Iterator<Item = &'h (String, String)>,
        status: u16,
    ) -> Result<Self, String> {
        let header = |(name, value): &(String, String)| {
            Ok::<_, String>((Name::try_from(name.clone())?, Value::try_from(value.clone())?))
        };
        Ok(Self {
            path: Some(RequestPath::try_from(path.to_owned())?),
            method: Some(HttpMethod::try_from(method.to_ascii_uppercase())?),
            content_type: Some(Value::try_from(content_type.to_owned())?),
            status: Some(Status::try_from(status)?),
            headers: headers.map(header).collect::<Result<_, _>>()?,
            ..Self::default()
        })
    }

    /// These rules and what was given on the command line.
    pub(super) fn and_given(mut self, ignore: &[Place], matches: &[(Place, Pattern)]) -> Self {
        self.ignore.get_or_insert_default().extend_from_slice(ignore);
        self.matches.extend(matches.iter().cloned());
        self
    }

    /// The moment at which the clock of a gateway that is started for the captures stands still.
    pub(super) fn clock(&self) -> Option<DateTime<Utc>> {
        self.clock.map(|Standing(moment)| moment)
    }

    /// Where the request is sent.
    pub(super) fn path(&self) -> &str {
        self.path.as_ref().map_or(PATH_DEFAULT, |path| &path.0)
    }

    /// How the request is sent.
    pub(super) fn method(&self) -> Method {
        self.method.as_ref().map_or(Method::POST, |method| method.0.clone())
    }

    /// Whether the request is a call of the REST API.
    pub(super) fn is_rest(&self) -> bool {
        rest::is_rest(self.path())
    }

    /// In whose name it is sent.
    pub(super) fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// Whether the order of the names of a JSON answer counts.
    pub(super) fn has_key_order(&self) -> bool {
        self.key_order.unwrap_or_default()
    }

    /// The headers of the request; an empty content type is none.
    pub(super) fn request_headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let content_type = match &self.content_type {
            Some(value) => value.0.clone(),
            None if self.is_rest() && self.method() == Method::GET => HeaderValue::from_static(""),
            None if self.is_rest() => HeaderValue::from_static(JSON_TYPE),
            None => HeaderValue::from_static(CONTENT_TYPE_DEFAULT),
        };
        if !content_type.is_empty() {
            headers.insert(CONTENT_TYPE, content_type);
        }
        headers.extend(
            self.headers.iter().map(|(name, value)| (name.header.clone(), value.0.clone())),
        );
        headers
    }

    /// The headers that the answer must have, exactly.
    pub(super) fn response_headers(&self) -> impl Iterator<Item = (&str, &HeaderValue)> {
        self.response_headers.iter().map(|(name, value)| (name.shown.as_str(), &value.0))
    }

    /// The places that are not compared.
    pub(super) fn ignore(&self) -> &[Place] {
        self.ignore.as_deref().unwrap_or_default()
    }

    /// The places whose text only has to match.
    pub(super) fn matches(&self) -> impl Iterator<Item = (&Place, &Pattern)> {
        self.matches.iter()
    }
}

/// The path, and perhaps query, that a request is posted to.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
struct RequestPath(String);

impl TryFrom<String> for RequestPath {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_path = text.starts_with('/') && text.parse::<Uri>().is_ok();
        if is_path { Ok(Self(text)) } else { Err(format!("`{text}` is no path of a URL")) }
    }
}

/// A method of HTTP.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
struct HttpMethod(Method);

impl TryFrom<String> for HttpMethod {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let known = ["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&text.as_str());
        let method = text.parse::<Method>().ok().filter(|_| known);
        method.map(Self).ok_or_else(|| format!("`{text}` is none of GET, POST, PUT, PATCH, DELETE"))
    }
}

/// A moment, as a text of RFC 3339 or as TOML writes one.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "toml::Value")]
struct Standing(DateTime<Utc>);

impl TryFrom<toml::Value> for Standing {
    type Error = String;

    fn try_from(written: toml::Value) -> Result<Self, String> {
        let text = match &written {
            toml::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        moment(&text).map(Self).ok_or_else(|| {
            format!(
                "`{text}` is no moment of RFC 3339 from 1970 to 9998, such as 2026-01-02T03:04:05Z"
            )
        })
    }
}

/// An HTTP status.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "u16")]
pub(super) struct Status(pub(super) u16);

impl TryFrom<u16> for Status {
    type Error = String;

    fn try_from(status: u16) -> Result<Self, String> {
        let is_final = (200..600).contains(&status);
        if is_final { Ok(Self(status)) } else { Err(format!("{status} is no HTTP status")) }
    }
}

/// A header's name; what differs only in its letters' case is one name.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
struct Name {
    shown: String,
    header: HeaderName,
}

impl TryFrom<String> for Name {
    type Error = String;

    fn try_from(shown: String) -> Result<Self, String> {
        match HeaderName::try_from(&shown) {
            Ok(name) if name == CONTENT_LENGTH || name == TRANSFER_ENCODING => {
                Err(format!("the header {shown} follows from the body and cannot be set"))
            }
            Ok(header) => Ok(Self { shown, header }),
            Err(_) => Err(format!("`{shown}` is no name of a header")),
        }
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        self.header.as_str().cmp(other.header.as_str())
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.header == other.header
    }
}

impl Eq for Name {}

/// A header's value.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
struct Value(HeaderValue);

impl TryFrom<String> for Value {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let value = HeaderValue::from_str(&text);
        value.map(Self).map_err(|_| format!("{text:?} cannot be the value of a header"))
    }
}

/// A regular expression for the text of an element.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Pattern(Regex);

impl Pattern {
    /// Reads a regular expression.
    pub fn parse(text: &str) -> Result<Self, String> {
        let pattern = Regex::new(text).map(Self);
        pattern.map_err(|error| format!("`{text}` is no regular expression: {error}"))
    }

    pub(super) fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    pub(super) fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, above: &Rules) -> Result<Rules, ReplayError> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE_NAME), text).unwrap();
        Rules::read(folder.path(), above).map(Option::unwrap)
    }

    #[test]
    fn without_rules_a_request_is_plain() {
        let rules = Rules::default();
        assert_eq!(rules.path(), "/apps/services/a/91.0");
        assert_eq!(rules.request_headers()["content-type"], "text/xml; charset=utf-8");
        assert_eq!(rules.response_headers().count(), 0);
        let folder = tempfile::tempdir().unwrap();
        assert!(Rules::read(folder.path(), &rules).unwrap().is_none());
    }

    #[test]
    fn the_nearer_rule_wins_key_by_key() {
        let above = "path = '/a'\nstatus = 400\nignore = ['//a']\n[headers]\nx = '1'\nY = '2'";
        let above = read(above, &Rules::default()).unwrap();
        let rules = read("path = '/b'\nignore = []\nheaders = { X = '3' }", &above).unwrap();
        assert_eq!((rules.path(), rules.status.unwrap().0), ("/b", 400));
        assert_eq!(rules.ignore(), []);
        let headers = rules.request_headers();
        assert_eq!((&headers["x"], &headers["y"]), (&"3".parse().unwrap(), &"2".parse().unwrap()));
    }

    #[test]
    fn a_clock_is_written_as_text_or_as_toml_does() {
        for clock in ["'2015-03-04T05:06:07Z'", "2015-03-04T05:06:07Z", "2015-03-04 05:06:07Z"] {
            let rules = read(&format!("clock = {clock}"), &Rules::default()).unwrap();
            let nearer = read("status = 500", &rules).unwrap();
            let expected = moment("2015-03-04T05:06:07Z");
            assert_eq!((rules.clock(), nearer.clock()), (expected, expected), "{clock}");
        }
    }

    #[test]
    fn an_empty_content_type_is_none() {
        let rules = read("content_type = ''", &Rules::default()).unwrap();
        assert!(rules.request_headers().is_empty());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let cases = [
            ("path = 'x'", "no path"),
            ("status = 99", "99 is no HTTP status"),
            ("method = 'get'", "none of GET, POST"),
            ("statu = 200", "unknown key `statu`"),
            ("ignore = ['a']", "`a` is no place"),
            ("match = { '//a' = '(' }", "no regular expression"),
            ("match = { '/a/@b' = '.' }", "`/a/@b` is no place"),
            ("headers = { 'a b' = '' }", "no name of a header"),
            ("headers = { 'Content-Length' = '1' }", "follows from the body"),
            ("headers = { a = '\\n' }", "cannot be the value"),
            ("clock = 'noon'", "`noon` is no moment"),
            ("clock = 2015-03-04", "`2015-03-04` is no moment"),
            ("clock = 12", "`12` is no moment"),
            ("ignore = [", ""),
        ];
        for (text, expected) in cases {
            let text = format!("# a comment\n{}", text.replace("'\\n'", "\"\\n\""));
            let reported = read(&text, &Rules::default()).expect_err(&text).to_string();
            assert!(reported.contains(expected), "{reported}");
            assert!(reported.contains("replay.toml:2: "), "{reported}");
        }
    }
}
