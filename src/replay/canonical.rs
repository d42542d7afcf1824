//! A document as lines that are equal exactly when the documents mean the same to a client.
//!
//! Prefixes, the order of attributes and white space between elements are gone. What may differ is
//! replaced by a comment, which no value can be mistaken for, because comments of the document are
//! gone too: the shapes of ids, sessions and times, and what a rule ignores or matches. Texts are
//! compared as they are, the literal `fns:` of a faultcode included, because clients do the same;
//! only `xsi:type` is resolved. Each line knows the path of its element.

use super::blanks;
use super::rules::Rules;
use super::secret::UNTOLD;
use super::shape::shape;
use crate::domain::secret::{HIDDEN, is_secret};
use crate::xml::{Document, ElementRef, XSI};
use regex::Regex;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

/// The prefixes by which well-known namespaces are shown.
const WELL_KNOWN: [(&str, &str); 8] = [
    ("http://schemas.xmlsoap.org/soap/envelope/", "soapenv"),
    ("http://www.w3.org/2003/05/soap-envelope", "soap12"),
    ("http://api.zuora.com/", "ns1"),
    ("http://object.api.zuora.com/", "ns2"),
    ("http://fault.api.zuora.com/", "fns"),
    (XSI, "xsi"),
    ("http://www.w3.org/2001/XMLSchema", "xsd"),
    ("http://www.w3.org/XML/1998/namespace", "xml"),
];

/// What a hidden secret matches.
static ANYTHING: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new("").ok());

/// A line of a canonical document. Lines are equal by what they show and hide, wherever they are.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// The line as it is shown.
    pub(super) shown: String,
    /// The secret that it stands for.
    hidden: Option<String>,
    /// The path of its element.
    pub(super) path: String,
}

impl Line {
    /// A line at a path, and the secret that it stands for.
    pub(super) fn of(shown: String, hidden: Option<String>, path: String) -> Self {
        Self { shown, hidden, path }
    }

    /// A line of a text that is no document.
    pub(super) fn plain(shown: String) -> Self {
        Self { shown, hidden: None, path: String::new() }
    }

    fn key(&self) -> (&str, Option<&str>) {
        (&self.shown, self.hidden.as_deref())
    }
}

impl PartialEq for Line {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Line {}

impl std::hash::Hash for Line {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl PartialOrd for Line {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Line {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

/// Whose document it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// The one that was captured. What a rule matches is not looked at here.
    Expected,
    /// The one that came.
    Actual,
}

/// Writes the documents of one comparison, so that a namespace has the same prefix in both.
pub(super) struct Canonical<'r> {
    rules: &'r Rules,
    side: Side,
    /// Where the captured answer has something hidden, so that much is right: what the
    /// text has to match, and how it is shown.
    loose: HashMap<Vec<(String, usize)>, (Regex, String)>,
    strange_namespaces: HashMap<String, String>,
}

impl<'r> Canonical<'r> {
    pub(super) fn new(rules: &'r Rules) -> Self {
        Self {
            rules,
            side: Side::Expected,
            loose: HashMap::new(),
            strange_namespaces: HashMap::new(),
        }
    }

    /// The lines of a document.
    pub(super) fn lines(&mut self, document: &Document<'_>, side: Side) -> Vec<Line> {
        self.side = side;
        let mut lines = Vec::new();
        let root = document.root();
        self.element(root, &mut vec![(root.local(), 1, false)], &mut lines);
        lines
    }

    /// The prefixes that stand for namespaces that are not well known, in their order.
    pub(super) fn legend(&self) -> Vec<String> {
        let reported = |(namespace, prefix): (&String, &String)| format!("{prefix} is {namespace}");
        let mut legend: Vec<_> = self.strange_namespaces.iter().map(reported).collect();
        legend.sort();
        legend
    }

    /// `way` leads from the root to `element`: names, numbers among the siblings of a name, and
    /// whether there is more than one of it.
    fn element<'d>(
        &mut self,
        element: ElementRef<'d>,
        way: &mut Vec<(&'d str, usize, bool)>,
        lines: &mut Vec<Line>,
    ) {
        let place: Vec<_> = way.iter().map(|(name, number, _)| (*name, *number)).collect();
        if self.rules.ignore().iter().any(|ignored| ignored.is_at(&place)) {
            return;
        }
        let indent = "  ".repeat(way.len().saturating_sub(1));
        let name = self.name(element.namespace(), element.local());
        let attributes = self.attributes(element);
        let path = path(way);
        let (text, hidden) = self.text(element, &place);
        let mut line = |shown, hidden| lines.push(Line { shown, hidden, path: path.clone() });
        let has_children = element.children().next().is_some();
        if !has_children {
            let shown = match text.as_str() {
                "" => format!("{indent}<{name}{attributes}/>"),
                text => format!("{indent}<{name}{attributes}>{text}</{name}>"),
            };
            line(shown, hidden);
            return;
        }
        line(format!("{indent}<{name}{attributes}>"), None);
        if !text.is_empty() {
            line(format!("{indent}  {text}"), hidden);
        }
        let mut counts: HashMap<&str, (usize, usize)> = HashMap::new();
        for child in element.children() {
            counts.entry(child.local()).or_default().1 += 1;
        }
        for child in element.children() {
            let count = counts.entry(child.local()).or_default();
            count.0 += 1;
            way.push((child.local(), count.0, count.1 > 1));
            self.element(child, way, lines);
            way.pop();
        }
        lines.push(Line { shown: format!("{indent}</{name}>"), hidden: None, path });
    }

    /// The text of an element as it is compared and shown, and the secret that it stands for.
    fn text(
        &mut self,
        element: ElementRef<'_>,
        place: &[(&str, usize)],
    ) -> (String, Option<String>) {
        let has_children = element.children().next().is_some();
        let text = if has_children { element.text().trim() } else { element.text() };
        let rule = self.rules.matches().find(|(matched, _)| matched.is_at(place));
        if let Some((_, pattern)) = rule
            && (self.side == Side::Expected || pattern.is_match(text))
        {
            return (format!("<!-- matches {} -->", printable(pattern.as_str())), None);
        }
        if let Some(shown) = self.loose(element.local(), place, text) {
            return (shown, None);
        }
        if let Some(shape) = shape(element.local(), text) {
            return (format!("<!-- {} -->{}", shape.stands_for, escaped(shape.rest)), None);
        }
        if is_secret(element.local()) && !text.is_empty() {
            return (HIDDEN.to_owned(), Some(text.to_owned()));
        }
        (escaped(text), None)
    }

    /// How a text is shown that the capture hides, or a part of it.
    fn loose(&mut self, local: &str, place: &[(&str, usize)], text: &str) -> Option<String> {
        let key = || place.iter().map(|(name, number)| ((*name).to_owned(), *number)).collect();
        match self.side {
            Side::Expected => {
                let is_untold = is_secret(local) && text.trim() == UNTOLD;
                let any = || ANYTHING.clone().map(|any| (any, HIDDEN.to_owned()));
                let loose = if is_untold { any()? } else { blanks::loose(text)? };
                let shown = loose.1.clone();
                self.loose.insert(key(), loose);
                Some(shown)
            }
            Side::Actual if self.loose.is_empty() || text.is_empty() => None,
            Side::Actual => {
                let key: Vec<(String, usize)> = key();
                let (_, shown) = self.loose.get(&key).filter(|(loose, _)| loose.is_match(text))?;
                Some(shown.clone())
            }
        }
    }

    /// The attributes in the order of their names, each after a blank.
    fn attributes(&mut self, element: ElementRef<'_>) -> String {
        let mut attributes: Vec<_> = element.attributes().collect();
        attributes.sort_unstable_by_key(|attribute| (attribute.namespace, attribute.local));
        let mut shown = String::new();
        for attribute in attributes {
            let name = self.name(attribute.namespace, attribute.local);
            let value = match element.xsi_type() {
                Some(type_name) if attribute.namespace == XSI && attribute.local == "type" => {
                    self.name(type_name.namespace, type_name.local)
                }
                _ => attribute.value.to_owned(),
            };
            let value = escaped(&value).replace('"', "&quot;");
            // Writing into a String cannot fail.
            let _ = write!(shown, " {name}=\"{value}\"");
        }
        shown
    }

    fn name(&mut self, namespace: &str, local: &str) -> String {
        if namespace.is_empty() {
            return local.to_owned();
        }
        if let Some((_, prefix)) = WELL_KNOWN.iter().find(|(known, _)| *known == namespace) {
            return format!("{prefix}:{local}");
        }
        let next = self.strange_namespaces.len().saturating_add(1);
        let prefix = self
            .strange_namespaces
            .entry(namespace.to_owned())
            .or_insert_with(|| format!("other{next}"));
        format!("{prefix}:{local}")
    }
}

fn path(way: &[(&str, usize, bool)]) -> String {
    let mut path = String::new();
    for (name, number, is_one_of_many) in way {
        path.push('/');
        path.push_str(name);
        if *is_one_of_many {
            let _ = write!(path, "[{number}]");
        }
    }
    path
}

/// A text as XML writes it in one line, with nothing that a terminal would obey.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            control if control.is_control() => {
                let _ = write!(out, "&#{};", u32::from(control));
            }
            plain => out.push(plain),
        }
    }
    out
}

/// A text in one line, with nothing that a terminal would obey.
pub(super) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    out
}

#[cfg(test)]
mod tests;
