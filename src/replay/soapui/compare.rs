//! Whether what an XPath selected is what was expected: as text, or as XML.

use super::xpath::Tree;
use crate::xml::ElementRef;
use regex::RegexBuilder;

/// How large a compiled pattern may be.
const PATTERN_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Whether a text is the expected one, white space around both aside. With wildcards `*` stands
/// for any text.
pub(super) fn is_similar(expected: &str, actual: &str, wildcards: bool) -> bool {
    let (expected, actual) = (expected.trim(), actual.trim());
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

/// Whether an element is the expected one: names, texts and elements in their order. Attributes,
/// comments and prefixes do not count.
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
        && is_similar(expected.text(), &actual.text, wildcards)
        && expected.children().all(|child| {
            children
                .next()
                .is_some_and(|actual| is_tree_similar(child, actual, wildcards, ignores_namespaces))
        })
        && children.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::soapui::xpath::{Found, evaluate};
    use crate::xml::{XmlLimits, parse};

    #[test]
    fn wildcards_stand_for_any_text_and_only_where_allowed() {
        assert!(is_similar(" a ", "a\n", false));
        assert!(is_similar("a*c", "abbc", true) && is_similar("*", "", true));
        assert!(!is_similar("a*c", "abbd", true) && !is_similar("a*c", "abbc", false));
        assert!(is_similar("a.*", "a.b", true) && !is_similar("a.*", "abb", true));
    }

    #[test]
    fn elements_are_compared_whatever_their_prefixes() {
        let document = "<a xmlns='urn:a'><b>1</b><c> <d/> </c></a>";
        let Ok(Found::Nodes(nodes)) = evaluate(document, "/*") else { panic!("no nodes") };
        let is_similar = |expected: &str, ignores: bool| {
            let expected = parse(expected, &XmlLimits::default()).expect(expected);
            is_tree_similar(expected.root(), nodes[0].tree.as_ref().unwrap(), true, ignores)
        };
        assert!(is_similar("<p:a xmlns:p='urn:a'><p:b>*</p:b><p:c><p:d/></p:c></p:a>", false));
        assert!(is_similar("<a><b>1</b><c><d/></c></a>", true));
        for other in [
            "<a><b>2</b><c><d/></c></a>",
            "<a><b>1</b></a>",
            "<a><b>1</b><c><d/></c><e/></a>",
            "<a><c><d/></c><b>1</b></a>",
        ] {
            assert!(!is_similar(other, true), "{other}");
        }
        assert!(!is_similar("<a><b>1</b><c><d/></c></a>", false), "another namespace");
    }
}
