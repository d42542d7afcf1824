//! Reads the nodes of a document out of a text that was checked: its names, texts and references
//! are known to be good, and its size to be within the limits.

use super::super::document::NamespaceId;
use super::super::namespaces::{NONE, Namespaces, XML};
use super::super::references::{attribute_value, resolve};
use super::super::tag::{self, RawAttributes};
use super::nodes::{Attribute, Entry, Name, NodeKind, Nodes, ROOT};
use crate::domain::number::saturated;
use quick_xml::Reader;
use quick_xml::events::Event;
use std::borrow::Cow;

/// Reads nodes out of a text that was checked.
pub(super) struct Builder<'a> {
    text: &'a str,
    reader: Reader<&'a [u8]>,
    resolved: Namespaces<'a>,
    entries: Vec<Entry<'a>>,
    attributes: Vec<Attribute<'a>>,
    declared: Vec<(&'a str, NamespaceId)>,
    open: Vec<u32>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let reader = Reader::from_str(text);
        // The text was checked, and its bounds with it.
        let mut resolved = Namespaces::new(usize::MAX);
        let xml = resolved.number(Cow::Borrowed(XML));
        let mut builder = Self {
            text,
            reader,
            resolved,
            entries: Vec::new(),
            attributes: Vec::new(),
            declared: vec![("xml", xml)],
            open: Vec::new(),
        };
        builder.push(NodeKind::Root, Cow::Borrowed(""));
        if let Some(root) = builder.entries.first_mut() {
            root.declared = 0..1;
        }
        builder.open.push(ROOT);
        builder
    }

    pub(super) fn position(&self) -> usize {
        saturated::<usize>(self.reader.buffer_position())
    }

    fn push(&mut self, kind: NodeKind, text: Cow<'a, str>) -> u32 {
        let number = saturated::<u32>(self.entries.len());
        let (attributes, declared) = (self.attributes.len(), self.declared.len());
        self.entries.push(Entry {
            kind,
            parent: self.open.last().copied().unwrap_or(ROOT),
            end: number.saturating_add(1),
            name: Name::default(),
            text,
            attributes: attributes..attributes,
            declared: declared..declared,
        });
        number
    }

    pub(super) fn read(&mut self) -> Result<(), String> {
        loop {
            let start = self.position();
            match self.reader.read_event().map_err(|error| error.to_string())? {
                Event::Start(_) => {
                    let number = self.element(start, ">")?;
                    self.open.push(number);
                }
                Event::Empty(_) => {
                    self.element(start, "/>")?;
                    self.resolved.leave(self.open.len());
                }
                Event::End(_) => {
                    self.close();
                    self.resolved.leave(self.open.len());
                }
                Event::Text(text) => self.add_text(text.xml10_content()),
                Event::CData(data) => self.add_text(data.xml10_content()),
                Event::GeneralRef(reference) => {
                    let character = resolve(&reference)?;
                    self.add_text(Cow::Owned(character.to_string()));
                }
                Event::Comment(comment) => {
                    self.push(NodeKind::Comment, comment.xml10_content());
                }
                Event::Eof => return Ok(()),
                _ => {}
            }
        }
    }

    fn close(&mut self) {
        let count = saturated::<u32>(self.entries.len());
        let number = self.open.pop().and_then(|it| usize::try_from(it).ok());
        if let Some(entry) = number.and_then(|number| self.entries.get_mut(number)) {
            entry.end = count;
        }
    }

    /// Text beside text is one node. Outside of the root element there is only white space, which
    /// is none.
    fn add_text(&mut self, text: Cow<'a, str>) {
        if self.open.len() < 2 || text.is_empty() {
            return;
        }
        let parent = self.open.last().copied();
        match self.entries.last_mut() {
            Some(last) if last.kind == NodeKind::Text && Some(last.parent) == parent => {
                last.text.to_mut().push_str(&text);
            }
            _ => {
                self.push(NodeKind::Text, text);
            }
        }
    }

    fn element(&mut self, start: usize, closing: &str) -> Result<u32, String> {
        let number = self.push(NodeKind::Element, Cow::Borrowed(""));
        let tag = self.text.get(start..self.position()).unwrap_or_default();
        let inside = tag.strip_prefix('<').and_then(|tag| tag.strip_suffix(closing));
        let (name, raw) = tag::split(inside.unwrap_or_default());
        self.declarations(raw)?;
        for raw in raw {
            let raw = raw.map_err(|(detail, _)| detail.to_owned())?;
            let value = attribute_value(raw.value).map_err(|(detail, _)| detail)?;
            if raw.declared_prefix().is_none() {
                let name = self.named(raw.name, false);
                self.attributes.push(Attribute { name, value });
            }
        }
        let name = self.named(name, true);
        let (attributes, declared) = (self.attributes.len(), self.declared.len());
        if let Some(entry) = self.entries.last_mut() {
            entry.name = name;
            entry.attributes.end = attributes;
            entry.declared.end = declared;
        }
        Ok(number)
    }

    /// Takes what a tag declares, which holds for its own names as well.
    fn declarations(&mut self, pairs: RawAttributes<'a>) -> Result<(), String> {
        let depth = self.open.len();
        for raw in pairs.map_while(Result::ok) {
            let Some(prefix) = raw.declared_prefix() else { continue };
            let namespace = attribute_value(raw.value).map_err(|(detail, _)| detail)?;
            let number = self.resolved.number(namespace);
            self.declared.push((prefix, number));
            // What is refused here was refused before.
            let _ = self.resolved.declare(prefix, raw.value, depth);
        }
        Ok(())
    }

    fn named(&mut self, qualified: &'a str, uses_default: bool) -> Name<'a> {
        let (prefix, local) = qualified.split_once(':').unwrap_or(("", qualified));
        let has_namespace = uses_default || !prefix.is_empty();
        let namespace = has_namespace.then(|| self.resolved.resolve(prefix)).flatten();
        Name { qualified, local, namespace: namespace.unwrap_or(NONE) }
    }

    pub(super) fn finish(mut self) -> Nodes<'a> {
        self.close();
        Nodes {
            entries: self.entries,
            attributes: self.attributes,
            declared: self.declared,
            namespaces: self.resolved.into_names(),
        }
    }
}
