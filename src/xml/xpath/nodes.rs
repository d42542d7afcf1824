//! A document as XPath sees it: elements, attributes, texts, comments and namespaces, each a node.
//!
//! Nodes lie in document order, each directly before all that is in it, so that an axis is a walk
//! along a range and the order of two nodes is the order of their numbers.

use super::super::document::NamespaceId;
use super::super::error::XmlError;
use super::super::limits::XmlLimits;
use super::super::namespaces::NONE;
use super::reader::Builder;
use crate::domain::number::saturated;
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
    pub(super) entries: Vec<Entry<'a>>,
    pub(super) attributes: Vec<Attribute<'a>>,
    /// Prefixes and namespaces as the elements declare them.
    pub(super) declared: Vec<(&'a str, NamespaceId)>,
    pub(super) namespaces: Vec<Cow<'a, str>>,
}

#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) kind: NodeKind,
    pub(super) parent: u32,
    /// The first node that is no longer in this one.
    pub(super) end: u32,
    pub(super) name: Name<'a>,
    pub(super) text: Cow<'a, str>,
    pub(super) attributes: Range<usize>,
    pub(super) declared: Range<usize>,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Name<'a> {
    /// As it is written, with its prefix.
    pub(super) qualified: &'a str,
    pub(super) local: &'a str,
    pub(super) namespace: NamespaceId,
}

#[derive(Debug)]
pub(super) struct Attribute<'a> {
    pub(super) name: Name<'a>,
    pub(super) value: Cow<'a, str>,
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
        saturated::<u32>(self.entries.len())
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
        usize::try_from(id).ok().and_then(|id| self.namespaces.get(id)).map_or("", AsRef::as_ref)
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
        let inside = saturated::<usize>(number).saturating_add(1)
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
