//! XPath as SoapUI writes it, on documents: the `declare namespace` preamble, then an expression of
//! [`crate::xml::xpath`], which bounds its evaluation.

use crate::domain::secret::is_secret;
use crate::xml::XmlLimits;
use crate::xml::xpath::{Node, NodeKind, Nodes, XPath, XPathError as Refused, XPathValue};
use regex::Regex;
use std::sync::LazyLock;

/// How long an expression may be, its preamble included.
const EXPRESSION_BYTES_MAX: usize = 8 * 1024;
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
    /// The expression is none of those that are understood, so that its value is unknown.
    #[error("`{0}` is not evaluated: {1}")]
    NotUnderstood(String, String),
    /// It names a prefix that its preamble does not declare.
    #[error("the prefix `{0}` is not declared: declare namespace {0}='...';")]
    Undeclared(String),
    /// The document is no XML, or too large.
    #[error("{0}")]
    Document(String),
    /// It takes too long.
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

/// Evaluates an expression on a document.
pub(super) fn evaluate(document: &str, expression: &str) -> Result<Found, XPathError> {
    let (namespaces, expression) = split(expression)?;
    let refused = |refused: Refused| match refused {
        Refused::Undeclared(prefix) => XPathError::Undeclared(prefix),
        Refused::Exhausted => XPathError::GaveUp(refused.to_string()),
        other => XPathError::NotUnderstood(shown(expression), other.to_string()),
    };
    let path = XPath::parse(expression, &namespaces).map_err(refused)?;
    let nodes = Nodes::read(document, &LIMITS)
        .map_err(|error| XPathError::Document(format!("it is no XML: {error}")))?;
    Ok(match path.evaluate(&nodes).map_err(refused)? {
        XPathValue::Nodes(found) => {
            Found::Nodes(found.into_iter().map(|node| selected(&nodes, node)).collect())
        }
        other => Found::Value(other.string(&nodes)),
    })
}

/// The start of an expression, for a message.
fn shown(expression: &str) -> String {
    expression.chars().take(100).collect()
}

/// Prefixes with their namespaces.
type Declared = Vec<(String, String)>;

static DECLARATION: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"^\s*declare\s+namespace\s+([^\s=]+)\s*=\s*(?:'([^']*)'|"([^"]*)")\s*;?"#).ok()
});

/// The prefixes that the preamble of an expression declares, with their namespaces, and the rest.
fn split(text: &str) -> Result<(Declared, &str), XPathError> {
    let not_understood = |why: String| Err(XPathError::NotUnderstood(shown(text.trim()), why));
    if text.len() > EXPRESSION_BYTES_MAX {
        return not_understood(format!("it is longer than {EXPRESSION_BYTES_MAX} bytes"));
    }
    let mut namespaces = Vec::new();
    let mut rest = text;
    while let Some(found) = DECLARATION.as_ref().and_then(|it| it.captures(rest)) {
        let group = |at| found.get(at).map_or("", |part| part.as_str());
        namespaces.push((group(1).to_owned(), format!("{}{}", group(2), group(3))));
        rest = rest.get(group(0).len()..).unwrap_or_default();
    }
    let expression = rest.trim();
    if expression.is_empty() {
        return not_understood("it is empty".to_owned());
    }
    Ok((namespaces, expression))
}

fn selected(nodes: &Nodes<'_>, node: Node) -> Selected {
    let kind = nodes.kind(node);
    let owner = match kind {
        NodeKind::Element => Some(node),
        NodeKind::Text | NodeKind::Attribute => nodes.parent(node),
        NodeKind::Root | NodeKind::Comment | NodeKind::Namespace => None,
    };
    let tree = match kind {
        NodeKind::Element => Some(tree(nodes, node)),
        NodeKind::Root => {
            let mut elements = nodes.children(node);
            let root = elements.find(|child| nodes.kind(*child) == NodeKind::Element);
            root.map(|root| tree(nodes, root))
        }
        _ => None,
    };
    let is_secret = owner.is_some_and(|owner| is_secret(nodes.local(owner)))
        || tree.as_ref().is_some_and(holds_secret);
    Selected {
        text: nodes.text(node).into_owned(),
        tree,
        place: match kind {
            NodeKind::Root => Some(Vec::new()),
            _ => owner.map(|owner| nodes.place(owner)),
        },
        attribute: (kind == NodeKind::Attribute).then(|| name_of(nodes, node)),
        is_secret,
    }
}

/// The namespace, empty if there is none, and the local name.
fn name_of(nodes: &Nodes<'_>, node: Node) -> (String, String) {
    (nodes.namespace(node).to_owned(), nodes.local(node).to_owned())
}

fn holds_secret(tree: &Tree) -> bool {
    is_secret(&tree.local) || tree.children.iter().any(holds_secret)
}

fn tree(nodes: &Nodes<'_>, element: Node) -> Tree {
    let mut text = String::new();
    let mut children = Vec::new();
    for child in nodes.children(element) {
        match nodes.kind(child) {
            NodeKind::Element => children.push(tree(nodes, child)),
            NodeKind::Text => text.push_str(&nodes.text(child)),
            _ => {}
        }
    }
    let (namespace, local) = name_of(nodes, element);
    let attribute = |attribute| {
        let (namespace, local) = name_of(nodes, attribute);
        (namespace, local, nodes.text(attribute).into_owned())
    };
    let mut attributes: Vec<_> = nodes.attributes(element).map(attribute).collect();
    attributes.sort();
    Tree { namespace, local, text: text.trim().to_owned(), attributes, children }
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
        let long = "a".repeat(9_000);
        for expression in [&deep, &long, "", "//a[", "1 +", "let $x := 1 return $x", "]]>"] {
            let refused = evaluate(DOCUMENT, expression);
            assert!(
                matches!(refused, Err(XPathError::NotUnderstood(..))),
                "{expression}: {refused:?}"
            );
        }
        // Long chains are no deep nests.
        assert_eq!(value(&format!("{}1", "-".repeat(5_000))), "1");
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
        assert!(matches!(evaluate(&large, &copies), Err(XPathError::GaveUp(_))));
        assert!(evaluate(&large, "string-length(/a)").is_ok());
    }
}
