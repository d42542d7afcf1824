//! The cassettes of VCR: Ruby's, and those of Python's vcrpy, of go-vcr and of php-vcr, which are
//! laid out differently.
//!
//! Ruby's has `http_interactions`, whose bodies are mappings with an encoding; vcrpy's has
//! `interactions`, whose request has a plain body and whose answer has one in a mapping; go-vcr's
//! has them too, with plain bodies, a `url`, and a `code` beside the status; php-vcr's is a list.
//! Bytes are written as `!binary`. Each interaction is read, handed on, and forgotten.

use super::budget::Budget;
use super::traffic::{Body, Traffic};
use super::yaml::{Events, Node, Scalar, YamlError};
use super::{CaptureFile, INTERACTIONS, Sink, Stopped};
use saphyr_parser::Event;
use serde_json::Value;
use std::fs::File;
use std::rc::Rc;

const EXPECTED: &str = "expected a VCR cassette, a mapping with `http_interactions` (Ruby) or \
    `interactions` (vcrpy, go-vcr), or a list of them (php-vcr)";

/// Reads a file of YAML.
pub(super) fn read(
    file: &CaptureFile,
    reader: Budget<File>,
    sink: Sink<'_>,
) -> Result<(), Stopped> {
    let mut events = Events::of(reader);
    let wrong = |error: YamlError| file.unreadable(error.line, error.message);
    let mut has_interactions = false;
    let mut is_inside = false;
    while let Some((event, line)) = events.next().map_err(wrong)? {
        match event {
            Event::StreamStart | Event::DocumentStart(_) | Event::Nothing => {}
            Event::DocumentEnd | Event::StreamEnd | Event::MappingEnd if has_interactions => {}
            Event::MappingStart(..) if !is_inside => is_inside = true,
            Event::SequenceStart(..) if !is_inside && !has_interactions => {
                has_interactions = true;
                interactions(file, &mut events, sink)?;
            }
            Event::Scalar(key, ..) if is_inside => {
                let unreadable = || file.unreadable(Some(line), EXPECTED);
                let value = events.next().map_err(wrong)?.ok_or_else(unreadable)?;
                if !INTERACTIONS.contains(&key.as_ref()) {
                    events.tree(value).map_err(wrong)?;
                } else if let Event::SequenceStart(..) = value.0 {
                    has_interactions = true;
                    interactions(file, &mut events, sink)?;
                } else {
                    let message = format!("expected a sequence in `{key}`");
                    return Err(file.unreadable(Some(value.1), message));
                }
            }
            _ => return Err(file.unreadable(Some(line), EXPECTED)),
        }
    }
    Ok(())
}

fn interactions(file: &CaptureFile, events: &mut Events, sink: Sink<'_>) -> Result<(), Stopped> {
    let wrong = |error: YamlError| file.unreadable(error.line, error.message);
    let mut number = 0_usize;
    while let Some(found) = events.next().map_err(wrong)? {
        if found.0 == Event::SequenceEnd {
            return Ok(());
        }
        let line = found.1;
        number = number.saturating_add(1);
        let interaction = Interaction(events.tree(found).map_err(wrong)?);
        let piece = interaction.traffic().and_then(|traffic| traffic.into_piece(file, number));
        let piece = piece.map_err(|why| {
            file.unreadable(Some(line), format_args!("interaction {number}: {why}"))
        })?;
        sink(piece)?;
    }
    Err(file.unreadable(None, "it ends inside its interactions"))
}

/// One exchange of a cassette.
pub(super) struct Interaction(Rc<Node>);

impl Interaction {
    /// What both layouts say.
    pub(super) fn traffic(&self) -> Result<Traffic, String> {
        let request = self.0.get("request").ok_or("it has no `request`")?;
        let text = |key: &str| {
            let found = request.get(key).and_then(Node::text).map(str::to_owned);
            found.ok_or_else(|| format!("its request has no `{key}`"))
        };
        let url_key = if request.get("url").is_some() { "url" } else { "uri" };
        let mut traffic = Traffic {
            method: text("method")?,
            url: text(url_key)?,
            headers: headers(request.get("headers")),
            request: Some(body(request.get("body"))?),
            ..Traffic::default()
        };
        let Some(response) = self.0.get("response") else { return Ok(traffic) };
        // go-vcr writes `200 OK` as the status.
        let status = response.get("code").or_else(|| response.get("status"));
        let status = status.ok_or("its response has no `status`")?;
        let code = status.get("code").unwrap_or(status).text().unwrap_or_default();
        let code = code.parse().map_err(|_| format!("its status `{code}` is no number"))?;
        traffic.status = Some(code);
        traffic.response_headers = headers(response.get("headers"));
        traffic.response = Some(body(response.get("body"))?);
        Ok(traffic)
    }
}

/// Headers: each name with a value, or with a list of them, of which the first counts.
fn headers(node: Option<&Node>) -> Vec<(String, String)> {
    let Some(Node::Mapping(pairs)) = node else { return Vec::new() };
    let pair = |(name, value): &(Rc<Node>, Rc<Node>)| {
        let value = match value.as_ref() {
            Node::Sequence(values) => values.first()?.text()?,
            other => other.text()?,
        };
        Some((name.text()?.to_owned(), value.to_owned()))
    };
    pairs.iter().filter_map(pair).collect()
}

/// A body: a scalar, or a mapping with a `string` or a `base64_string`. None is an empty one.
fn body(node: Option<&Node>) -> Result<Body, String> {
    let Some(node) = node else { return Ok(Body::Text(String::new())) };
    match node {
        Node::Scalar { kind: Scalar::Null, .. } => Ok(Body::Text(String::new())),
        Node::Scalar { text, kind: Scalar::Binary } => Ok(Body::Base64(text.clone())),
        Node::Scalar { text, kind: Scalar::Text } => Ok(Body::Text(text.clone())),
        Node::Mapping(_) => {
            if let Some(text) = node.get("base64_string").and_then(Node::text) {
                return Ok(Body::Base64(text.to_owned()));
            }
            let string = node.get("string").ok_or("a body has neither string nor base64_string")?;
            if matches!(string, Node::Mapping(_)) {
                return Err("a body's string is a mapping".to_owned());
            }
            body(Some(string))
        }
        Node::Sequence(_) => Err("a body is a sequence".to_owned()),
    }
}

impl From<Value> for Interaction {
    fn from(value: Value) -> Self {
        Self(Rc::new(node(value)))
    }
}

fn node(value: Value) -> Node {
    let scalar = |text: String, kind| Node::Scalar { text, kind };
    match value {
        Value::Null => scalar(String::new(), Scalar::Null),
        Value::Bool(value) => scalar(value.to_string(), Scalar::Text),
        Value::Number(value) => scalar(value.to_string(), Scalar::Text),
        Value::String(text) => scalar(text, Scalar::Text),
        Value::Array(items) => {
            Node::Sequence(items.into_iter().map(|item| Rc::new(node(item))).collect())
        }
        Value::Object(pairs) => Node::Mapping(
            pairs
                .into_iter()
                .map(|(key, value)| (Rc::new(scalar(key, Scalar::Text)), Rc::new(node(value))))
                .collect(),
        ),
    }
}
