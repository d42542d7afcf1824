//! Captures in JSON: HAR 1.2, as mitmproxy, Charles, Fiddler and browsers write it, cassettes, and
//! what WireMock and Hoverfly record, read with a visitor that hands on one entry after the other.

use super::budget::{Budget, Renewal};
use super::cassette::Interaction;
use super::stub;
use super::traffic::{Body, Traffic};
use super::{CaptureFile, INTERACTIONS, Sink, Stopped};
use regex::Regex;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::error::Category;
use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::marker::PhantomData;
use std::sync::LazyLock;

const EXPECTED: &str = "a HAR, an object with a `log` that has `entries`, or a VCR cassette, an \
    object with `interactions`, or what WireMock or Hoverfly record";

#[derive(Deserialize)]
struct Entry {
    request: Request,
    response: Option<Response>,
}

#[derive(Deserialize)]
struct Request {
    method: String,
    url: String,
    headers: Option<Vec<Header>>,
    #[serde(rename = "postData")]
    post_data: Option<Content>,
    #[serde(rename = "bodySize")]
    body_size: Option<i64>,
}

#[derive(Deserialize)]
struct Response {
    status: Option<i64>,
    headers: Option<Vec<Header>>,
    content: Option<Content>,
    #[serde(rename = "bodySize")]
    body_size: Option<i64>,
}

#[derive(Deserialize)]
struct Header {
    name: String,
    value: Option<String>,
}

#[derive(Deserialize, Default)]
struct Content {
    size: Option<i64>,
    text: Option<String>,
    encoding: Option<String>,
}

impl Content {
    /// The body; none if the recorder left it out. Browsers forget bodies and call their size 0
    /// then, so it is empty only if `body_size`, what went over the wire, says so as well.
    fn body(self, body_size: Option<i64>) -> Option<Body> {
        let is_base64 = self.encoding.is_some_and(|name| name.eq_ignore_ascii_case("base64"));
        match self.text {
            Some(text) if is_base64 => Some(Body::Base64(text)),
            Some(text) => Some(Body::Text(text)),
            None if body_size == Some(0) && self.size.is_none_or(|size| size == 0) => {
                Some(Body::Text(String::new()))
            }
            None => None,
        }
    }
}

impl Entry {
    fn traffic(self) -> Traffic {
        fn pairs(headers: Option<Vec<Header>>) -> Vec<(String, String)> {
            let pair = |header: Header| (header.name, header.value.unwrap_or_default());
            headers.into_iter().flatten().map(pair).collect()
        }
        let Request { method, url, headers, post_data, body_size } = self.request;
        let mut traffic = Traffic {
            method,
            url,
            headers: pairs(headers),
            request: post_data.unwrap_or_default().body(body_size),
            ..Traffic::default()
        };
        if let Some(Response { status, headers, content, body_size }) = self.response {
            traffic.status = status;
            traffic.response_headers = pairs(headers);
            traffic.response = content.unwrap_or_default().body(body_size);
        }
        traffic
    }
}

/// Something that an array of a capture holds.
trait Item: for<'de> Deserialize<'de> {
    fn traffic(self, file: &CaptureFile) -> Result<Traffic, String>;
}

impl Item for Entry {
    fn traffic(self, _file: &CaptureFile) -> Result<Traffic, String> {
        Ok(Self::traffic(self))
    }
}

/// An interaction of a cassette in JSON.
#[derive(Deserialize)]
#[serde(transparent)]
struct InJson(Value);

impl Item for InJson {
    fn traffic(self, _file: &CaptureFile) -> Result<Traffic, String> {
        Interaction::from(self.0).traffic()
    }
}

/// A stub of WireMock or a pair of Hoverfly.
#[derive(Deserialize)]
#[serde(transparent)]
struct Stub(Value);

impl Item for Stub {
    fn traffic(self, file: &CaptureFile) -> Result<Traffic, String> {
        stub::traffic(&self.0, &file.path)
    }
}

/// Where the reading is.
struct Reading<'r, 's> {
    file: &'r CaptureFile,
    renewal: Renewal,
    sink: Sink<'s>,
    number: usize,
    has_entries: bool,
    /// Why the sink wants no more.
    stopped: Option<Stopped>,
}

impl Reading<'_, '_> {
    /// Hands on what an item is.
    fn hand_on<E: serde::de::Error>(&mut self, item: impl Item) -> Result<(), E> {
        self.number = self.number.saturating_add(1);
        let number = self.number;
        let traffic = item.traffic(self.file);
        let piece = traffic.and_then(|traffic| traffic.into_piece(self.file, number));
        let piece = piece.map_err(|why| E::custom(format!("entry {number}: {why}")))?;
        if let Err(stopped) = (self.sink)(piece) {
            self.stopped = Some(stopped);
            return Err(E::custom("stopped"));
        }
        Ok(())
    }
}

/// Reads a file of JSON.
pub(super) fn read(
    file: &CaptureFile,
    reader: Budget<File>,
    sink: Sink<'_>,
) -> Result<(), Stopped> {
    let renewal = reader.renewal();
    let mut reader = BufReader::with_capacity(256 * 1024, reader);
    // Fiddler begins with a byte order mark.
    if reader.fill_buf().is_ok_and(|start| start.starts_with(b"\xef\xbb\xbf")) {
        reader.consume(3);
    }
    let is_list = !super::ends(&file.path, "har")
        && reader.fill_buf().is_ok_and(|start| start.trim_ascii_start().starts_with(b"["));
    let mut reading = Reading { file, renewal, sink, number: 0, has_entries: false, stopped: None };
    let mut json = serde_json::Deserializer::from_reader(reader);
    let outcome = match is_list {
        true => Items::<InJson>(&mut reading, PhantomData).deserialize(&mut json),
        false => Top(&mut reading).deserialize(&mut json),
    };
    let outcome = outcome.and_then(|()| json.end());
    if let Some(stopped) = reading.stopped {
        return Err(stopped);
    }
    match outcome {
        Ok(()) if reading.has_entries => Ok(()),
        Ok(()) => Err(file.unreadable(Some(1), format_args!("expected {EXPECTED}"))),
        Err(error) => {
            let text = error.to_string();
            let place = format!(" at line {} column {}", error.line(), error.column());
            let text = text.strip_suffix(&place).unwrap_or(&text);
            let line = (error.line() > 0).then_some(error.line());
            let text = without_quotation(text);
            match error.classify() {
                Category::Syntax | Category::Eof => {
                    let message = format!("it is no JSON: {text}; expected {EXPECTED}");
                    Err(file.unreadable(line, message))
                }
                Category::Data | Category::Io => Err(file.unreadable(line, text)),
            }
        }
    }
}

/// What is wrong, without the text that is wrong, which may be a secret.
fn without_quotation(text: &str) -> Cow<'_, str> {
    match QUOTATION.as_ref() {
        Some(quotation) => quotation.replace(text, "string"),
        None => Cow::Borrowed("it is not as expected"),
    }
}

/// The library quotes a text that stands where something else belongs.
static QUOTATION: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?s)string "(?:[^"\\]|\\.)*""#).ok());

/// The whole document.
struct Top<'r, 'a, 's>(&'r mut Reading<'a, 's>);

impl<'de> DeserializeSeed<'de> for Top<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Top<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(EXPECTED)
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        // A file of WireMock may be one stub.
        let mut stub = serde_json::Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if key == "log" || key == "data" {
                map.next_value_seed(Log(&mut *self.0))?;
            } else if ["mappings", "requests"].contains(&key.as_str()) {
                map.next_value_seed(Items::<Stub>(&mut *self.0, PhantomData))?;
            } else if ["request", "response"].contains(&key.as_str()) {
                stub.insert(key, map.next_value()?);
            } else if INTERACTIONS.contains(&key.as_str()) {
                map.next_value_seed(Items::<InJson>(&mut *self.0, PhantomData))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        if stub.len() > 1 {
            self.0.has_entries = true;
            self.0.hand_on(Stub(Value::Object(stub)))?;
        }
        Ok(())
    }
}

/// The `log` of a HAR, or the `data` of a simulation.
struct Log<'r, 'a, 's>(&'r mut Reading<'a, 's>);

impl<'de> DeserializeSeed<'de> for Log<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Log<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the log of a HAR, an object with `entries`")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if key == "entries" {
                map.next_value_seed(Items::<Entry>(&mut *self.0, PhantomData))?;
            } else if key == "pairs" {
                map.next_value_seed(Items::<Stub>(&mut *self.0, PhantomData))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// The array with the exchanges.
struct Items<'r, 'a, 's, T>(&'r mut Reading<'a, 's>, PhantomData<T>);

impl<'de, T: Item> DeserializeSeed<'de> for Items<'_, '_, '_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T: Item> Visitor<'de> for Items<'_, '_, '_, T> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an array of exchanges")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut items: S) -> Result<(), S::Error> {
        let reading = self.0;
        reading.has_entries = true;
        loop {
            reading.renewal.renew();
            let Some(item) = items.next_element::<T>()? else { return Ok(()) };
            reading.hand_on(item)?;
        }
    }
}
