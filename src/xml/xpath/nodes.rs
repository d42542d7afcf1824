//! A document as XPath sees it: elements, attributes, texts, comments and namespaces, each a node.
//!
//! Nodes lie in document order, each directly before all that is in it, so that an axis is a walk
//! along a range and the order of two nodes is the order of their numbers.

use super::super::document::NamespaceId;
use super::super::error::XmlError;
use super::super::limits::XmlLimits;
use super::super::namespaces::{NONE, Namespaces, XML};
use super::super::references::{attribute_value, resolve};
use super::super::tag;
use quick_xml::NsReader;
use quick_xml::events::Event;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

/// Attributes have the numbers from here on within their element, namespaces those below.
const ATTRIBUTES_FROM: u32 = 1 << 31;
/// The number of what is no part of an element, but the node itself.
const WHOLE: u32 = 0;
pub(super) const ROOT: u32 = 0;

/// A node of a document; ordered as the document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// Its number, or that of the element that it is an attribute or a namespace of.
    pub(super) entry: u32,
    part: u32,
}

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeKind {
    /// What the one outermost element is in.
    Root,
    /// An element.
    Element,
    /// An attribute that is no namespace declaration.
    Attribute,
    /// Text and CDATA between two other nodes.
    Text,
    /// A comment.
    Comment,
    /// A prefix with its namespace, in scope at an element.
    Namespace,
}

/// The nodes of a document.
#[derive(Debug)]
pub struct Nodes<'a> {
    entries: Vec<Entry<'a>>,
    attributes: Vec<Attribute<'a>>,
    /// Prefixes and namespaces as the elements declare them.
    declared: Vec<(&'a str, NamespaceId)>,
    namespaces: Vec<String>,
}

#[derive(Debug)]
struct Entry<'a> {
    kind: NodeKind,
    parent: u32,
    /// The first node that is no longer in this one.
    end: u32,
    name: Name<'a>,
    text: Cow<'a, str>,
    attributes: Range<usize>,
    declared: Range<usize>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Name<'a> {
    /// As it is written, with its prefix.
    qualified: &'a str,
    local: &'a str,
    namespace: NamespaceId,
}

#[derive(Debug)]
struct Attribute<'a> {
    name: Name<'a>,
    value: Cow<'a, str>,
}

impl Node {
    pub(super) fn whole(entry: u32) -> Self {
        Self { entry, part: WHOLE }
    }

    pub(super) fn is_whole(self) -> bool {
        self.part == WHOLE
    }
}

impl<'a> Nodes<'a> {
    /// Reads a document, which has to be well-formed and within the limits.
    pub fn read(text: &'a str, limits: &XmlLimits) -> Result<Self, XmlError> {
        super::super::parse(text, limits)?;
        let mut builder = Builder::new(text);
        builder.read().map_err(|detail| XmlError::not_well_formed(detail, builder.position()))?;
        Ok(builder.finish())
    }

    /// How many nodes there are, attributes and namespaces aside.
    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.entries.len()).unwrap_or(u32::MAX)
    }

    fn entry(&self, number: u32) -> Option<&Entry<'a>> {
        self.entries.get(usize::try_from(number).ok()?)
    }

    /// The first node that is no longer in this one.
    pub(super) fn end(&self, number: u32) -> u32 {
        self.entry(number).map_or(u32::MAX, |entry| entry.end)
    }

    /// What a node is.
    pub fn kind(&self, node: Node) -> NodeKind {
        match node.part {
            WHOLE => self.entry(node.entry).map_or(NodeKind::Root, |entry| entry.kind),
            part if part >= ATTRIBUTES_FROM => NodeKind::Attribute,
            _ => NodeKind::Namespace,
        }
    }

    /// What a node is in: an element, or the root.
    pub fn parent(&self, node: Node) -> Option<Node> {
        if !node.is_whole() {
            return Some(Node::whole(node.entry));
        }
        let parent = self.entry(node.entry)?.parent;
        (node.entry != ROOT).then(|| Node::whole(parent))
    }

    /// The nodes directly in a node, in their order.
    pub fn children(&self, node: Node) -> impl Iterator<Item = Node> {
        let (mut next, end) = match node.part {
            WHOLE => (node.entry.saturating_add(1), self.end(node.entry)),
            _ => (0, 0),
        };
        std::iter::from_fn(move || {
            let child = (next < end).then(|| Node::whole(next))?;
            next = self.end(next);
            Some(child)
        })
    }

    /// The attributes of an element, in their order.
    pub fn attributes(&self, node: Node) -> impl Iterator<Item = Node> + use<> {
        let entry = self.entry(node.entry).filter(|_| node.is_whole());
        let count = entry.map_or(0, |entry| entry.attributes.len());
        let count = u32::try_from(count).unwrap_or(0);
        (0..count).map(move |at| Node { entry: node.entry, part: ATTRIBUTES_FROM + at })
    }

    /// The namespaces that are in scope at an element, by their prefixes.
    pub(super) fn namespaces(&self, node: Node) -> Vec<Node> {
        if self.kind(node) != NodeKind::Element {
            return Vec::new();
        }
        let count = u32::try_from(self.in_scope(node.entry).len()).unwrap_or(0);
        (1..=count).map(|part| Node { entry: node.entry, part }).collect()
    }

    /// Prefixes and namespaces at an element, in the order of the prefixes.
    fn in_scope(&self, element: u32) -> Vec<(&'a str, NamespaceId)> {
        let mut scope = BTreeMap::new();
        let mut at = Some(Node::whole(element));
        while let Some(node) = at {
            let declared = self.entry(node.entry).map(|entry| entry.declared.clone());
            let declared = declared.and_then(|range| self.declared.get(range));
            for (prefix, namespace) in declared.unwrap_or_default() {
                scope.entry(*prefix).or_insert(*namespace);
            }
            at = self.parent(node);
        }
        scope.into_iter().filter(|(_, namespace)| *namespace != NONE).collect()
    }

    fn namespace_of(&self, node: Node) -> Option<(&'a str, NamespaceId)> {
        let at = usize::try_from(node.part).ok()?.checked_sub(1)?;
        self.in_scope(node.entry).get(at).copied()
    }

    fn attribute(&self, node: Node) -> Option<&Attribute<'a>> {
        let at = usize::try_from(node.part.checked_sub(ATTRIBUTES_FROM)?).ok()?;
        let range = self.entry(node.entry)?.attributes.clone();
        self.attributes.get(range)?.get(at)
    }

    fn name(&self, node: Node) -> Name<'a> {
        match self.kind(node) {
            NodeKind::Attribute => self.attribute(node).map(|it| it.name).unwrap_or_default(),
            NodeKind::Namespace => {
                let (prefix, _) = self.namespace_of(node).unwrap_or_default();
                Name { qualified: prefix, local: prefix, namespace: NONE }
            }
            _ => self.entry(node.entry).map(|entry| entry.name).unwrap_or_default(),
        }
    }

    /// The name without its prefix; the prefix of a namespace; empty for what has no name.
    pub fn local(&self, node: Node) -> &'a str {
        self.name(node).local
    }

    /// The name as it is written.
    pub(super) fn qualified(&self, node: Node) -> &'a str {
        self.name(node).qualified
    }

    /// The namespace of the name, or "".
    pub fn namespace(&self, node: Node) -> &str {
        self.namespace_named(self.name(node).namespace)
    }

    fn namespace_named(&self, id: NamespaceId) -> &str {
        usize::try_from(id).ok().and_then(|id| self.namespaces.get(id)).map_or("", String::as_str)
    }

    /// The text of a node: all text in an element, the value of an attribute.
    pub fn text(&self, node: Node) -> Cow<'_, str> {
        match self.kind(node) {
            NodeKind::Attribute => {
                Cow::Borrowed(self.attribute(node).map_or("", |it| it.value.as_ref()))
            }
            NodeKind::Namespace => {
                let namespace = self.namespace_of(node).map_or(NONE, |(_, namespace)| namespace);
                Cow::Borrowed(self.namespace_named(namespace))
            }
            NodeKind::Text | NodeKind::Comment => {
                Cow::Borrowed(self.entry(node.entry).map_or("", |entry| entry.text.as_ref()))
            }
            NodeKind::Root | NodeKind::Element => self.text_in(node.entry),
        }
    }

    fn text_in(&self, number: u32) -> Cow<'_, str> {
        let inside = usize::try_from(number).unwrap_or(usize::MAX).saturating_add(1)
            ..usize::try_from(self.end(number)).unwrap_or(0);
        let inside = self.entries.get(inside).unwrap_or_default();
        let mut texts = inside.iter().filter(|it| it.kind == NodeKind::Text).map(|it| &it.text);
        let Some(first) = texts.next() else { return Cow::Borrowed("") };
        let Some(second) = texts.next() else { return Cow::Borrowed(first) };
        let mut all = format!("{first}{second}");
        texts.for_each(|text| all.push_str(text));
        Cow::Owned(all)
    }

    /// The way from the root to an element, by the number of the child element at each step.
    pub fn place(&self, element: Node) -> Vec<usize> {
        let mut way = Vec::new();
        let mut at = element;
        while let Some(parent) = self.parent(at).filter(|it| it.entry != ROOT) {
            let elements = self.children(parent).take_while(|child| *child != at);
            way.push(elements.filter(|it| self.kind(*it) == NodeKind::Element).count());
            at = parent;
        }
        way.reverse();
        way
    }
}

/// Reads nodes out of a text that was checked.
struct Builder<'a> {
    text: &'a str,
    reader: NsReader<&'a [u8]>,
    resolved: Namespaces,
    entries: Vec<Entry<'a>>,
    attributes: Vec<Attribute<'a>>,
    declared: Vec<(&'a str, NamespaceId)>,
    open: Vec<u32>,
}

impl<'a> Builder<'a> {
    fn new(text: &'a str) -> Self {
        let mut reader = NsReader::from_str(text);
        // The text was checked, and its bounds with it.
        reader.resolver_mut().set_max_namespace_bindings(usize::MAX);
        let mut resolved = Namespaces::new();
        let xml = resolved.number(XML);
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

    fn position(&self) -> usize {
        usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX)
    }

    fn push(&mut self, kind: NodeKind, text: Cow<'a, str>) -> u32 {
        let number = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
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

    fn read(&mut self) -> Result<(), String> {
        loop {
            let start = self.position();
            match self.reader.read_event().map_err(|error| error.to_string())? {
                Event::Start(_) => {
                    let number = self.element(start, ">")?;
                    self.open.push(number);
                }
                Event::Empty(_) => {
                    self.element(start, "/>")?;
                }
                Event::End(_) => self.close(),
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
        let count = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
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
        for raw in raw {
            let raw = raw.map_err(|(detail, _)| detail.to_owned())?;
            let value = attribute_value(raw.value).map_err(|(detail, _)| detail)?;
            match raw.name.strip_prefix("xmlns") {
                Some("") => self.declare("", &value),
                Some(rest) if rest.starts_with(':') => {
                    self.declare(rest.get(1..).unwrap_or_default(), &value);
                }
                _ => {
                    let name = self.named(raw.name, false);
                    self.attributes.push(Attribute { name, value });
                }
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

    fn declare(&mut self, prefix: &'a str, namespace: &str) {
        let number = self.resolved.number(namespace);
        self.declared.push((prefix, number));
    }

    fn named(&mut self, qualified: &'a str, uses_default: bool) -> Name<'a> {
        let resolver = self.reader.resolver();
        let namespace = self.resolved.resolve(qualified, resolver, uses_default);
        let local = qualified.split_once(':').map_or(qualified, |(_, local)| local);
        Name { qualified, local, namespace: namespace.unwrap_or(NONE) }
    }

    fn finish(mut self) -> Nodes<'a> {
        self.close();
        Nodes {
            entries: self.entries,
            attributes: self.attributes,
            declared: self.declared,
            namespaces: self.resolved.into_names(),
        }
    }
}
