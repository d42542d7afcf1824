//! YAML as a stream of small trees: an event parser, and what is built from it within bounds.
//!
//! Aliases share what they stand for and never copy it, so a chain of them costs nothing; what
//! anchors keep alive is bounded, and so are the depth and the number of nodes of one tree.

use super::budget::{Budget, Renewal};
use saphyr_parser::{BufferedInput, Event, Marker, Parser, ScalarStyle, Tag};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Bytes, Read};
use std::rc::Rc;

/// How deep a tree may be.
const DEPTH_MAX: usize = 32;
/// How many nodes one tree may have.
const NODES_MAX: usize = 100_000;
/// How many bytes anchors may keep for later.
const ANCHORED_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A tree.
#[derive(Debug)]
pub(super) enum Node {
    /// A text.
    Scalar {
        /// What it says.
        text: String,
        /// What it is.
        kind: Scalar,
    },
    /// A list.
    Sequence(Vec<Rc<Node>>),
    /// A list of keys and values.
    Mapping(Vec<(Rc<Node>, Rc<Node>)>),
}

/// What a scalar is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scalar {
    /// `null`, `~` or nothing, without quotes.
    Null,
    /// Bytes in base64.
    Binary,
    /// Everything else.
    Text,
}

impl Node {
    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        let Self::Mapping(pairs) = self else { return None };
        pairs.iter().find(|(found, _)| found.text() == Some(key)).map(|(_, value)| value.as_ref())
    }

    /// The text of a scalar.
    pub(super) fn text(&self) -> Option<&str> {
        if let Self::Scalar { text, .. } = self { Some(text) } else { None }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Scalar { text, .. } => text.len(),
            // What is inside was counted when it was built.
            Self::Sequence(items) => items.len() * 16,
            Self::Mapping(pairs) => pairs.len() * 32,
        }
    }
}

/// What is wrong, and on which line.
#[derive(Debug)]
pub(super) struct YamlError {
    pub(super) line: Option<usize>,
    pub(super) message: String,
}

/// An event and the line on which it begins.
pub(super) type Found = (Event<'static>, usize);

/// The characters of a file, until its end or something that is wrong with it.
struct Characters {
    bytes: Bytes<BufReader<Budget<File>>>,
    line: usize,
    failed: Rc<RefCell<Option<YamlError>>>,
}

impl Characters {
    fn read(&mut self) -> Result<Option<char>, String> {
        let Some(first) = self.bytes.next() else { return Ok(None) };
        let first = first.map_err(|error| error.to_string())?;
        if first.is_ascii() {
            self.line = self.line.saturating_add(usize::from(first == b'\n'));
            return Ok(Some(char::from(first)));
        }
        let mut sequence = vec![first];
        let follow = match first {
            0xc2..=0xdf => 1,
            0xe0..=0xef => 2,
            0xf0..=0xf4 => 3,
            _ => 0,
        };
        for byte in self.bytes.by_ref().take(follow) {
            sequence.push(byte.map_err(|error| error.to_string())?);
        }
        let text = std::str::from_utf8(&sequence).map_err(|_| "expected UTF-8".to_owned())?;
        Ok(text.chars().next())
    }
}

impl Iterator for Characters {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        if self.failed.borrow().is_some() {
            return None;
        }
        match self.read() {
            Ok(character) => character,
            Err(message) => {
                let line = Some(self.line);
                *self.failed.borrow_mut() = Some(YamlError { line, message });
                None
            }
        }
    }
}

/// The events of a file.
pub(super) struct Events {
    parser: Parser<'static, BufferedInput<Characters>>,
    renewal: Renewal,
    failed: Rc<RefCell<Option<YamlError>>>,
    anchors: HashMap<usize, Rc<Node>>,
    anchored_bytes: usize,
}

impl Events {
    pub(super) fn of(reader: Budget<File>) -> Self {
        let failed = Rc::new(RefCell::new(None));
        let renewal = reader.renewal();
        let bytes = BufReader::with_capacity(256 * 1024, reader).bytes();
        let characters = Characters { bytes, line: 1, failed: Rc::clone(&failed) };
        let parser = Parser::new(BufferedInput::new(characters));
        Self { parser, renewal, failed, anchors: HashMap::new(), anchored_bytes: 0 }
    }

    /// The next event; none at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<Found>, YamlError> {
        let event = self.parser.next_event();
        if let Some(error) = self.failed.borrow_mut().take() {
            return Err(error);
        }
        match event {
            None => Ok(None),
            Some(Ok((event, span))) => Ok(Some((event, line(&span.start)))),
            Some(Err(error)) => Err(YamlError {
                line: Some(line(error.marker())),
                message: format!("it is no YAML: {}", error.info()),
            }),
        }
    }

    /// The tree that begins with an event, within a new budget.
    pub(super) fn tree(&mut self, first: Found) -> Result<Rc<Node>, YamlError> {
        self.renewal.renew();
        let mut nodes = 0;
        self.node(first, 0, &mut nodes)
    }

    fn node(
        &mut self,
        (event, line): Found,
        depth: usize,
        nodes: &mut usize,
    ) -> Result<Rc<Node>, YamlError> {
        let wrong = |message: &str| YamlError { line: Some(line), message: message.to_owned() };
        *nodes += 1;
        if depth > DEPTH_MAX || *nodes > NODES_MAX {
            return Err(wrong("it is nested too deeply, or has too many nodes"));
        }
        let (node, anchor) = match event {
            Event::Alias(anchor) => {
                let known = self.anchors.get(&anchor);
                return known
                    .cloned()
                    .ok_or_else(|| wrong("an alias stands inside its own anchor"));
            }
            Event::Scalar(text, style, anchor, tag) => (scalar(text, style, tag), anchor),
            Event::SequenceStart(anchor, _) => {
                let mut items = Vec::new();
                loop {
                    let found = self.inside(line)?;
                    if found.0 == Event::SequenceEnd {
                        break;
                    }
                    items.push(self.node(found, depth + 1, nodes)?);
                }
                (Node::Sequence(items), anchor)
            }
            Event::MappingStart(anchor, _) => {
                let mut pairs = Vec::new();
                loop {
                    let found = self.inside(line)?;
                    if found.0 == Event::MappingEnd {
                        break;
                    }
                    let key = self.node(found, depth + 1, nodes)?;
                    let value = self.inside(line)?;
                    pairs.push((key, self.node(value, depth + 1, nodes)?));
                }
                (Node::Mapping(pairs), anchor)
            }
            _ => return Err(wrong("a value is missing")),
        };
        let node = Rc::new(node);
        if anchor > 0 {
            self.anchored_bytes = self.anchored_bytes.saturating_add(node.bytes());
            if self.anchored_bytes > ANCHORED_BYTES_MAX {
                return Err(wrong("its anchors hold more than 16 MiB"));
            }
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        Ok(node)
    }

    fn inside(&mut self, line: usize) -> Result<Found, YamlError> {
        let ended = || YamlError { line: Some(line), message: "it ends too early".to_owned() };
        self.next()?.ok_or_else(ended)
    }
}

fn line(marker: &Marker) -> usize {
    marker.line()
}

fn scalar(text: Cow<'static, str>, style: ScalarStyle, tag: Option<Cow<'static, Tag>>) -> Node {
    let is_binary = tag.is_some_and(|tag| tag.suffix.ends_with("binary"));
    let is_null = style == ScalarStyle::Plain && ["", "~", "null"].contains(&text.as_ref());
    let kind = match (is_binary, is_null) {
        (true, _) => Scalar::Binary,
        (false, true) => Scalar::Null,
        (false, false) => Scalar::Text,
    };
    Node::Scalar { text: text.into_owned(), kind }
}
