//! Whether what an XPath selected is what was expected: as text, or as XML.

use super::xpath::Tree;
use crate::xml::ElementRef;
use regex::RegexBuilder;

/// How large a compiled pattern may be.
const PATTERN_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Whether a text is exactly the expected one. With wildcards `*` stands for any text.
pub(super) fn is_similar(expected: &str, actual: &str, wildcards: bool) -> bool {
    if !wildcards || !expected.contains('*') {
        return expected == actual;
    }
    let parts: Vec<_> = expected.split('*').map(regex::escape).collect();
    let pattern = RegexBuilder::new(&format!(r"\A{}\z", parts.join(".*")))
        .dot_matches_new_line(true)
        .size_limit(PATTERN_BYTES_MAX)
        .build();
    pattern.is_ok_and(|pattern| pattern.is_match(actual))
}

/// Whether an element is the expected one: names, attributes, texts and elements in their order.
/// Comments, prefixes, and white space around texts do not count.
pub(super) fn is_tree_similar(
    expected: ElementRef<'_>,
    actual: &Tree,
    wildcards: bool,
    ignores_namespaces: bool,
) -> bool {
    let is_named = expected.local() == actual.local
        && (ignores_namespaces || expected.namespace() == actual.namespace);
    let mut children = actual.children.iter();
    is_named
        && has_attributes(expected, actual, wildcards, ignores_namespaces)
        && is_similar(expected.text().trim(), &actual.text, wildcards)
        && expected.children().all(|child| {
            children
                .next()
                .is_some_and(|actual| is_tree_similar(child, actual, wildcards, ignores_namespaces))
        })
        && children.next().is_none()
}

/// Whether an element has the expected attributes and no others, in any order.
fn has_attributes(
    expected: ElementRef<'_>,
    actual: &Tree,
    wildcards: bool,
    ignores_namespaces: bool,
) -> bool {
    let is_expected = |(namespace, local, value): &(String, String, String)| {
        expected.attributes().any(|expected| {
            expected.local == local
                && (ignores_namespaces || expected.namespace == namespace)
                && is_similar(expected.value, value, wildcards)
        })
    };
    expected.attributes().count() == actual.attributes.len()
        && actual.attributes.iter().all(is_expected)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::soapui::xpath::{Found, evaluate};
    use crate::xml::{XmlLimits, parse};

    #[test]
    fn wildcards_stand_for_any_text_and_only_where_allowed() {
        assert!(is_similar("a", "a", false) && !is_similar(" a", "a", false));
        assert!(is_similar("a*c", "abbc", true) && is_similar("*", "", true));
        assert!(!is_similar("a*c", "abbd", true) && !is_similar("a*c", "abbc", false));
        assert!(is_similar("a.*", "a.b", true) && !is_similar("a.*", "abb", true));
    }

    #[test]
    fn elements_are_compared_whatever_their_prefixes() {
        let document =
            "<a xmlns='urn:a' x='1' p:y='2' xmlns:p='urn:p'> <b>\n1 </b><c> <d/> </c></a>";
        let Ok(Found::Nodes(nodes)) = evaluate(document, "/*") else { panic!("no nodes") };
        let is_similar = |expected: &str, ignores: bool| {
            let expected = parse(expected, &XmlLimits::default()).expect(expected);
            is_tree_similar(expected.root(), nodes[0].tree.as_ref().unwrap(), true, ignores)
        };
        let with_prefixes = "<p:a x='*' q:y='2' xmlns:p='urn:a' xmlns:q='urn:p'><p:b>*</p:b><p:c>\
                             <p:d/></p:c></p:a>";
        assert!(is_similar(with_prefixes, false));
        let plain = "<a y='2' x='1'><b>1</b><c><d/></c></a>";
        assert!(is_similar(plain, true));
        for (from, to) in [
            ("<b>1</b>", "<b>2</b>"),
            ("<c><d/></c>", ""),
            ("</a>", "<e/></a>"),
            ("<b>1</b><c><d/></c>", "<c><d/></c><b>1</b>"),
            ("x='1'", "x='2'"),
            ("x='1'", ""),
            ("x='1'", "x='1' z=''"),
        ] {
            assert!(!is_similar(&plain.replace(from, to), true), "{to} for {from}");
        }
        assert!(!is_similar(plain, false), "another namespace");
    }
}
