//! XPath 1.0 by a library, at one seam: bounded, on a thread of its own, and with what SoapUI adds.
//!
//! What must stay true: no expression and no document can hang the replay, exhaust the stack or
//! take the memory, and a panic of the library is an error here. An expression that does not end
//! in time is left behind; after [`ABANDONED_MAX`] of them none is evaluated any more.
//!
//! SoapUI's additions: the `declare namespace` preamble, and of XPath 2.0 what its users write
//! most: `*:name`, `exists`, `empty`, `matches`, `ends-with`, `lower-case`, `upper-case`.

use super::xpath_functions;
use crate::domain::secret::is_secret;
use crate::xml::{XmlLimits, parse};
use regex::Regex;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use sxd_document::QName;
use sxd_document::dom::{ChildOfElement, ChildOfRoot, Element, ParentOfChild};
use sxd_document::parser;
use sxd_xpath::nodeset::Node;
use sxd_xpath::{Context, Factory, Value};

/// How long an expression may be, its preamble included.
const EXPRESSION_BYTES_MAX: usize = 8 * 1024;
/// How deep brackets may nest.
const NESTING_MAX: usize = 64;
/// The length of an expression times that of its document: what all copies of the text that an
/// expression can name take together.
const WORK_MAX: usize = 256 * 1024 * 1024;
/// How long an evaluation may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many evaluations may be left behind.
const ABANDONED_MAX: usize = 2;
const STACK_BYTES: usize = 64 * 1024 * 1024;
/// Limits of a document that an expression is evaluated on.
const LIMITS: XmlLimits = XmlLimits {
    depth_max: 128,
    elements_max: 200_000,
    attributes_per_tag_max: 64,
    attributes_max: 400_000,
    namespaces_per_tag_max: 64,
    name_bytes_max: 256,
    text_bytes_max: 4 * 1024 * 1024,
};

const XML: &str = "http://www.w3.org/XML/1998/namespace";

static ABANDONED: AtomicUsize = AtomicUsize::new(0);

/// What an expression gives.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Found {
    /// Nodes in document order.
    Nodes(Vec<Selected>),
    /// A text, a number or a truth value, as text.
    Value(String),
}

/// A node that was selected.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Selected {
    /// Its string value.
    pub(super) text: String,
    /// What is compared as XML, if it is an element.
    pub(super) tree: Option<Tree>,
    /// The way from the root to it, or to the element that it is the text or an attribute of.
    pub(super) place: Option<Vec<usize>>,
    /// Its namespace and its name, if it is an attribute.
    pub(super) attribute: Option<(String, String)>,
    /// Whether it is or stands in an element that holds a secret.
    pub(super) is_secret: bool,
}

/// An element as it is compared.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tree {
    pub(super) namespace: String,
    pub(super) local: String,
    pub(super) text: String,
    /// Namespaces, names and values, in this order.
    pub(super) attributes: Vec<(String, String, String)>,
    pub(super) children: Vec<Tree>,
}

/// Why there is no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum XPathError {
    /// The expression is none of those that are understood: nobody can say what it would give.
    #[error("`{0}` is not evaluated: {1}")]
    NotUnderstood(String, String),
    /// It names a prefix that its preamble does not declare.
    #[error("the prefix `{0}` is not declared: declare namespace {0}='...';")]
    Undeclared(String),
    /// The document is no XML, or too large for the expression.
    #[error("{0}")]
    Document(String),
    /// It took too long, or the library gave up.
    #[error("{0}")]
    GaveUp(String),
}

impl Found {
    /// The text that stands for all of it: that of the first node, or the value.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Nodes(nodes) => nodes.first().map_or("", |node| &node.text),
            Self::Value(value) => value,
        }
    }
}

/// Evaluates an expression on a document. Blocks, at most for [`PATIENCE`].
pub(super) fn evaluate(document: &str, expression: &str) -> Result<Found, XPathError> {
    let prepared = Prepared::read(expression)?;
    let work = prepared.expression.len().saturating_mul(document.len());
    if work > WORK_MAX {
        return Err(XPathError::Document(format!(
            "a document of {} bytes is too large for an expression of {}",
            document.len(),
            prepared.expression.len()
        )));
    }
    parse(document, &LIMITS)
        .map_err(|error| XPathError::Document(format!("it is no XML: {error}")))?;
    if ABANDONED.load(Ordering::Relaxed) >= ABANDONED_MAX {
        return Err(XPathError::GaveUp(format!(
            "{ABANDONED_MAX} expressions before it did not end, so it was not begun"
        )));
    }
    let (send, receive) = mpsc::channel();
    let document = document.to_owned();
    let worker = thread::Builder::new()
        .name("xpath".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(move || {
            // Nobody listens any more once it has been left behind.
            let _ = send.send(run(&document, &prepared));
        })
        .map_err(|error| XPathError::GaveUp(format!("no thread: {error}")))?;
    match receive.recv_timeout(PATIENCE) {
        Ok(found) => found,
        Err(mpsc::RecvTimeoutError::Timeout) => {
            ABANDONED.fetch_add(1, Ordering::Relaxed);
            let seconds = PATIENCE.as_secs();
            Err(XPathError::GaveUp(format!("the expression did not end in {seconds} s")))
        }
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            // It panicked; joining takes the panic, which ends here.
            let _ = worker.join();
            Err(XPathError::GaveUp("the XPath library gave up on it".to_owned()))
        }
    }
}

/// An expression that is fit for the library.
#[derive(Debug, PartialEq, Eq)]
struct Prepared {
    namespaces: Vec<(String, String)>,
    expression: String,
}

static DECLARATION: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"^\s*declare\s+namespace\s+([^\s=]+)\s*=\s*(?:'([^']*)'|"([^"]*)")\s*;?"#).ok()
});

impl Prepared {
    fn read(text: &str) -> Result<Self, XPathError> {
        let not_understood = |why: &str| {
            let shown: String = text.trim().chars().take(100).collect();
            Err(XPathError::NotUnderstood(shown, why.to_owned()))
        };
        if text.len() > EXPRESSION_BYTES_MAX {
            return not_understood(&format!("it is longer than {EXPRESSION_BYTES_MAX} bytes"));
        }
        let mut namespaces = vec![("xml".to_owned(), XML.to_owned())];
        let mut rest = text;
        while let Some(found) = DECLARATION.as_ref().and_then(|it| it.captures(rest)) {
            let group = |at| found.get(at).map_or("", |part| part.as_str());
            namespaces.push((group(1).to_owned(), format!("{}{}", group(2), group(3))));
            rest = rest.get(group(0).len()..).unwrap_or_default();
        }
        let expression = without_wildcard_prefixes(rest.trim());
        if nesting(&expression) > NESTING_MAX {
            return not_understood(&format!("its brackets nest deeper than {NESTING_MAX}"));
        }
        if expression.is_empty() {
            return not_understood("it is empty");
        }
        // The library would panic.
        let is_known = |prefix: &str| namespaces.iter().any(|(known, _)| known == prefix);
        match prefixes(&expression).into_iter().find(|prefix| !is_known(prefix)) {
            Some(prefix) => Err(XPathError::Undeclared(prefix)),
            None => Ok(Self { namespaces, expression }),
        }
    }
}

/// The expression with `*:name` written as XPath 1.0 has it. Literals stay.
fn without_wildcard_prefixes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut quote = None;
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        match quote {
            Some(open) if character == open => quote = None,
            Some(_) => {}
            None if matches!(character, '\'' | '"') => quote = Some(character),
            None => {
                if let Some(after) = rest.strip_prefix("*:") {
                    let is_name = |it: char| it.is_alphanumeric() || "_-.".contains(it);
                    let end = after.find(|it| !is_name(it)).unwrap_or(after.len());
                    let (name, after) = after.split_at(end);
                    out.push_str(&format!("*[local-name()='{name}']"));
                    rest = after;
                    continue;
                }
            }
        }
        out.push(character);
        rest = rest.get(character.len_utf8()..).unwrap_or_default();
    }
    out
}

/// The prefixes of names in an expression, literals aside.
fn prefixes(text: &str) -> Vec<String> {
    let is_name = |it: char| it.is_alphanumeric() || "_-.".contains(it);
    let mut prefixes = Vec::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let after = rest.get(character.len_utf8()..).unwrap_or_default();
        rest = if matches!(character, '\'' | '"') {
            after.split_once(character).map_or("", |(_, after)| after)
        } else if character.is_alphabetic() || character == '_' {
            let end = rest.find(|it| !is_name(it)).unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            let is_axis = after.starts_with("::");
            if after.starts_with(':') && !is_axis {
                prefixes.push(name.to_owned());
            }
            // What follows the colons is a name of its own and no prefix.
            after.trim_start_matches(':')
        } else {
            after
        };
    }
    prefixes
}

/// How deep brackets nest, and signs, which nest too. Brackets in literals count as well.
fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest, mut signs) = (0_usize, 0_usize, 0_usize);
    for character in text.chars() {
        match character {
            '(' | '[' => depth = depth.saturating_add(1),
            ')' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        match character {
            '-' => signs = signs.saturating_add(1),
            character if character.is_whitespace() => {}
            _ => signs = 0,
        }
        deepest = deepest.max(depth.saturating_add(signs));
    }
    deepest
}

fn run(document: &str, prepared: &Prepared) -> Result<Found, XPathError> {
    let package = parser::parse(document)
        .map_err(|error| XPathError::Document(format!("it is no XML: {error}")))?;
    let document = package.as_document();
    let mut context = Context::new();
    xpath_functions::add_to(&mut context);
    for (prefix, namespace) in &prepared.namespaces {
        context.set_namespace(prefix, namespace);
    }
    let not_understood = |why: String| XPathError::NotUnderstood(prepared.expression.clone(), why);
    let compiled = Factory::new()
        .build(&prepared.expression)
        .map_err(|error| not_understood(format!("it is no XPath 1.0: {error}")))?
        .ok_or_else(|| not_understood("it is empty".to_owned()))?;
    let value = compiled
        .evaluate(&context, document.root())
        .map_err(|error| not_understood(error.to_string()))?;
    Ok(match value {
        Value::Nodeset(nodes) => {
            Found::Nodes(nodes.document_order().into_iter().map(selected).collect())
        }
        other => Found::Value(other.string()),
    })
}

fn selected(node: Node<'_>) -> Selected {
    let owner = match node {
        Node::Element(element) => Some(element),
        Node::Text(text) => text.parent(),
        Node::Attribute(attribute) => attribute.parent(),
        _ => None,
    };
    let attribute = match node {
        Node::Attribute(attribute) => Some(name_of(attribute.name())),
        _ => None,
    };
    let tree = match node {
        Node::Element(element) => Some(tree(element)),
        Node::Root(root) => {
            let elements = root.children().into_iter();
            elements.filter_map(ChildOfRoot::element).map(tree).next()
        }
        _ => None,
    };
    let is_secret = owner.is_some_and(|owner| is_secret(owner.name().local_part()))
        || tree.as_ref().is_some_and(holds_secret);
    let place = match node {
        Node::Root(_) => Some(Vec::new()),
        _ => owner.map(place),
    };
    Selected { text: node.string_value(), tree, place, attribute, is_secret }
}

/// The namespace, empty if there is none, and the local name.
fn name_of(name: QName<'_>) -> (String, String) {
    (name.namespace_uri().unwrap_or_default().to_owned(), name.local_part().to_owned())
}

fn holds_secret(tree: &Tree) -> bool {
    is_secret(&tree.local) || tree.children.iter().any(holds_secret)
}

fn tree(element: Element<'_>) -> Tree {
    let mut text = String::new();
    let mut children = Vec::new();
    for child in element.children() {
        match child {
            ChildOfElement::Element(child) => children.push(tree(child)),
            ChildOfElement::Text(part) => text.push_str(part.text()),
            _ => {}
        }
    }
    let (namespace, local) = name_of(element.name());
    let attribute = |attribute: sxd_document::dom::Attribute<'_>| {
        let (namespace, local) = name_of(attribute.name());
        (namespace, local, attribute.value().to_owned())
    };
    let mut attributes: Vec<_> = element.attributes().into_iter().map(attribute).collect();
    attributes.sort();
    Tree { namespace, local, text: text.trim().to_owned(), attributes, children }
}

/// The way from the root to an element, by the number of the child element at each step.
fn place(element: Element<'_>) -> Vec<usize> {
    let mut way = Vec::new();
    let mut at = element;
    while let Some(parent) = at.parent().and_then(ParentOfChild::element) {
        let before = at.preceding_siblings().into_iter();
        way.push(before.filter(|sibling| sibling.element().is_some()).count());
        at = parent;
    }
    way.reverse();
    way
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DOCUMENT: &str = "<?xml version='1.0'?><e:Envelope xmlns:e='urn:e'><e:Body>\
        <a:r xmlns:a='urn:a'><a:x n='7'>1</a:x><a:x>2</a:x><a:y><b>3</b></a:y>\
        <a:Session>s3cret</a:Session></a:r></e:Body></e:Envelope>";

    fn found(expression: &str) -> Found {
        evaluate(DOCUMENT, expression).unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    fn value(expression: &str) -> String {
        found(expression).text().to_owned()
    }

    #[test]
    fn prefixes_are_those_of_the_preamble() {
        assert_eq!(value("declare namespace p='urn:a';\n//p:x"), "1");
        let two =
            "declare namespace q=\"urn:e\"; declare namespace p = 'urn:a' ; /q:Envelope//p:x[2]";
        assert_eq!(value(two), "2");
        assert_eq!(value("//x"), "", "no prefix is no namespace");
        let undeclared = |prefix: &str| Err(XPathError::Undeclared(prefix.to_owned()));
        assert_eq!(evaluate(DOCUMENT, "//p:x"), undeclared("p"));
        assert_eq!(evaluate(DOCUMENT, "child::q:x[. = 'z:y']"), undeclared("q"));
        assert_eq!(evaluate(DOCUMENT, "fn:count(/)"), undeclared("fn"));
        assert_eq!(value("count(//@xml:lang | /descendant::node()[self::z])"), "0");
    }

    #[test]
    fn what_users_write_of_xpath_2_is_understood() {
        assert_eq!(value("//*:x[2]"), "2");
        assert_eq!(value("count(//*:x)"), "2");
        assert_eq!(value("exists(//*:x)"), "true");
        assert_eq!(value("exists(//*:z)"), "false");
        assert_eq!(value("empty(//*:z)"), "true");
        assert_eq!(value("matches(//*:x[1], '^[0-9]$')"), "true");
        assert_eq!(value("ends-with('abc', 'bc')"), "true");
        assert_eq!(value("concat(lower-case('A'), upper-case('b'), '*:x')"), "aB*:x");
        assert_eq!(value("//*:x[1]/@n"), "7");
    }

    #[test]
    fn places_lead_to_elements_and_secrets_are_known() {
        let Found::Nodes(nodes) = found("//*:x/text() | //*:Session | //@n | //*:y") else {
            panic!("no nodes");
        };
        let places: Vec<_> = nodes.iter().map(|node| node.place.clone()).collect();
        let place = |last: usize| Some(vec![0, 0, last]);
        assert_eq!(places, [place(0), place(0), place(1), place(2), place(3)]);
        assert_eq!(nodes[0].attribute, Some((String::new(), "n".to_owned())));
        let secret: Vec<_> = nodes.iter().map(|node| node.is_secret).collect();
        assert_eq!(secret, [false, false, false, false, true]);
        let tree = nodes[3].tree.as_ref().expect("a tree");
        assert_eq!((tree.local.as_str(), tree.children[0].text.as_str()), ("y", "3"));
    }

    #[test]
    fn hostile_expressions_are_refused_by_their_size() {
        let deep = format!("{}1{}", "(".repeat(3_000), ")".repeat(3_000));
        let signs = format!("{}1", "-".repeat(5_000));
        let long = "a".repeat(9_000);
        for expression in [&deep, &signs, &long, "", "//a[", "1 +", "let $x := 1 return $x", "]]>"]
        {
            let refused = evaluate(DOCUMENT, expression);
            assert!(
                matches!(refused, Err(XPathError::NotUnderstood(..))),
                "{expression}: {refused:?}"
            );
        }
        // A long chain nests in the library, on a stack that has room for it.
        let chain = format!("1{}", "+1".repeat(4_000));
        assert_eq!(value(&chain), "4001");
        let steps = format!("/{}", "./".repeat(4_000)) + ".";
        assert!(evaluate(DOCUMENT, &steps).is_ok());
    }

    /// Pieces that together often come close to an XPath.
    fn near_xpath() -> impl Strategy<Value = String> {
        let pieces = [
            "//",
            "/",
            "*",
            "*:x",
            "x",
            ".",
            "..",
            "@n",
            "@*",
            "[",
            "]",
            "(",
            ")",
            "1",
            "-",
            "+",
            "=",
            "|",
            ",",
            " ",
            "'a'",
            "\"",
            "'",
            "$v",
            "text()",
            "count(",
            "not(",
            "last()",
            "::",
            "self::",
            "ancestor::",
            "namespace::",
            "xml:lang",
            "id(",
            "lang(",
            "translate(",
            "substring(",
            "processing-instruction(",
            " div ",
            " mod ",
            " and ",
            ":",
            "é",
            "0.5.",
            "!=",
        ];
        prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..12)
            .prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn any_expression_is_evaluated_or_refused(text in near_xpath()) {
            let refused = evaluate(DOCUMENT, &text);
            prop_assert!(!matches!(refused, Err(XPathError::Document(_))), "{text}");
        }
    }

    #[test]
    fn a_document_must_be_xml_and_not_too_large() {
        for document in ["", "no xml", "<a>", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"] {
            let refused = evaluate(document, "/");
            assert!(matches!(refused, Err(XPathError::Document(_))), "{document}: {refused:?}");
        }
        let large = format!("<a>{}</a>", "x".repeat(3_000_000));
        let copies = format!("concat(.{})", ",.".repeat(500));
        assert!(matches!(evaluate(&large, &copies), Err(XPathError::Document(_))));
        assert!(evaluate(&large, "string-length(/a)").is_ok());
    }
}
