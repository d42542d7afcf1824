//! What makes two documents equal, rule by rule.

use super::*;
use crate::replay::place::Place;
use crate::replay::rules::Pattern;
use crate::xml::{XmlLimits, parse};
use proptest::prelude::*;

fn lines(text: &str, rules: &Rules) -> Vec<String> {
    let document = parse(text, &XmlLimits::default()).expect(text);
    let lines = Canonical::new(rules).lines(&document, Side::Expected);
    lines.into_iter().map(|line| line.shown).collect()
}

fn equal_under(expected: &str, actual: &str, rules: &Rules) -> bool {
    let read = |text| parse(text, &XmlLimits::default()).expect(text);
    let mut canonical = Canonical::new(rules);
    let expected = canonical.lines(&read(expected), Side::Expected);
    expected == canonical.lines(&read(actual), Side::Actual)
}

fn equal(expected: &str, actual: &str) -> bool {
    equal_under(expected, actual, &Rules::default())
}

fn rules(toml: &str) -> Rules {
    toml::from_str(toml).expect(toml)
}

#[test]
fn prefixes_do_not_matter_but_namespaces_do() {
    assert!(equal(
        "<a:x xmlns:a='urn:1'><a:y/></a:x>",
        "<x xmlns='urn:1'><b:y xmlns:b='urn:1'/></x>"
    ));
    assert!(!equal("<a:x xmlns:a='urn:1'/>", "<a:x xmlns:a='urn:2'/>"));
    assert!(!equal("<x xmlns='urn:1'/>", "<x/>"));
    assert!(!equal("<x xmlns:a='urn:1' a:b=''/>", "<x b=''/>"));
}

#[test]
fn the_order_of_attributes_does_not_matter_but_that_of_elements_does() {
    assert!(equal("<x a='1' b='2'/>", "<x b='2' a='1'/>"));
    assert!(!equal("<x a='1'/>", "<x a='2'/>"));
    assert!(!equal("<x a='1'/>", "<x/>"));
    assert!(!equal("<x><a/><b/></x>", "<x><b/><a/></x>"));
}

#[test]
fn white_space_matters_only_in_values() {
    assert!(equal("<x><y>1</y></x>", "<x>\n  <y>1</y>\n</x>"));
    assert!(equal("<x></x>", "<x/>"));
    assert!(!equal("<x>1</x>", "<x> 1</x>"));
    assert!(!equal("<x> </x>", "<x/>"));
    assert!(!equal("<x>a&#10;b</x>", "<x>a b</x>"));
}

#[test]
fn comments_and_ways_of_writing_text_do_not_matter() {
    assert!(equal("<x>a<!-- b -->c</x>", "<x>ac</x>"));
    assert!(equal("<x>&amp;&#60;é</x>", "<x><![CDATA[&<]]>&#xE9;</x>"));
    assert!(!equal("<x>1.0</x>", "<x>1.00</x>"));
}

#[test]
fn a_faultcode_is_compared_letter_by_letter() {
    let fault = |prefix: &str, text: &str| {
        format!("<f xmlns:{prefix}='http://fault.api.zuora.com/'><faultcode>{text}</faultcode></f>")
    };
    assert!(equal(&fault("fns", "fns:INVALID_VALUE"), &fault("a", "fns:INVALID_VALUE")));
    assert!(!equal(&fault("fns", "fns:INVALID_VALUE"), &fault("a", "a:INVALID_VALUE")));
}

#[test]
fn a_type_is_compared_by_its_namespace() {
    let typed = |prefix: &str, namespace: &str| {
        format!("<x xmlns:i='{XSI}' xmlns:{prefix}='{namespace}' i:type='{prefix}:Refund'/>")
    };
    assert!(equal(&typed("a", "urn:1"), &typed("b", "urn:1")));
    assert!(!equal(&typed("a", "urn:1"), &typed("a", "urn:2")));
}

#[test]
fn ignored_places_may_differ_or_be_missing() {
    let rules = rules("ignore = ['//a/b', '/x/c[2]']");
    assert!(equal_under("<x><a><b>1</b></a></x>", "<x><a><b><d/></b></a></x>", &rules));
    assert!(!equal_under("<x><b>1</b></x>", "<x><b>2</b></x>", &rules));
    assert!(equal_under("<x><c>1</c><c>2</c></x>", "<x><c>1</c><c>3</c></x>", &rules));
    assert!(!equal_under("<x><c>1</c><c>2</c></x>", "<x><c>0</c><c>2</c></x>", &rules));
}

#[test]
fn matched_places_need_only_match() {
    let rules = rules("match = { '//a' = '^[0-9]+$' }");
    assert!(equal_under("<x><a>whatever</a></x>", "<x><a>12</a></x>", &rules));
    assert!(!equal_under("<x><a>12</a></x>", "<x><a>1 2</a></x>", &rules));
    assert!(!equal_under("<x><a>12</a></x>", "<x><a>x</a></x>", &rules));
    assert!(!equal_under("<x><a>12</a></x>", "<x/>", &rules));
}

#[test]
fn shapes_are_equal_without_being_told() {
    let id = |character: &str| format!("<Id>{}</Id>", character.repeat(32));
    assert!(equal(&id("a"), &id("b")));
    assert!(!equal(&id("a"), "<Id/>"));
    assert_eq!(lines(&id("a"), &Rules::default()), ["<Id><!-- an id --></Id>"]);
}

#[test]
fn a_value_cannot_pass_for_a_shape() {
    let id = format!("<Id>{}</Id>", "a".repeat(32));
    assert!(!equal(&id, "<Id>&lt;!-- an id --></Id>"));
    assert!(!equal(&id, "<Id><!-- an id --></Id>"));
}

#[test]
fn secrets_are_compared_but_not_shown() {
    assert!(equal("<password>a</password>", "<password>a</password>"));
    assert!(!equal("<password>a</password>", "<password>b</password>"));
    let shown = lines("<x><Session>short</Session></x>", &Rules::default());
    assert_eq!(shown[1], "  <Session><!-- hidden --></Session>");
}

#[test]
fn lines_show_structure_and_know_their_path() {
    let rules = Rules::default();
    let text = "<x xmlns='urn:1'><r><a>1</a></r><r b='\"&#9;'><a>&lt;&#x9b;\n</a>t</r></x>";
    let document = parse(text, &XmlLimits::default()).unwrap();
    let mut canonical = Canonical::new(&rules);
    let lines = canonical.lines(&document, Side::Actual);
    let shown: Vec<_> =
        lines.iter().map(|line| (line.shown.as_str(), line.path.as_str())).collect();
    let expected = [
        ("<other1:x>", "/x"),
        ("  <other1:r>", "/x/r[1]"),
        ("    <other1:a>1</other1:a>", "/x/r[1]/a"),
        ("  </other1:r>", "/x/r[1]"),
        ("  <other1:r b=\"&quot;&#9;\">", "/x/r[2]"),
        ("    t", "/x/r[2]"),
        ("    <other1:a>&lt;&#155;&#10;</other1:a>", "/x/r[2]/a"),
        ("  </other1:r>", "/x/r[2]"),
        ("</other1:x>", "/x"),
    ];
    assert_eq!(shown, expected);
    assert_eq!(canonical.legend(), ["other1 is urn:1"]);
}

#[test]
fn a_pattern_is_shown_in_one_line() {
    let rules = Rules::default().and_given(
        &[],
        &[(Place::parse("//a").unwrap(), Pattern::parse("^1\u{1b}\n-->$").unwrap())],
    );
    assert_eq!(lines("<a>1</a>", &rules), ["<a><!-- matches ^1\\u{1b}\\n-->$ --></a>"]);
}

/// A document with `prefixes` for its two namespaces.
fn document(tree: &Tree, prefixes: [&str; 2]) -> String {
    let declared = prefixes.iter().zip(["urn:1", "urn:2"]);
    let declarations: String =
        declared.map(|(prefix, namespace)| format!(" xmlns:{prefix}='{namespace}'")).collect();
    tree.written(prefixes, &declarations)
}

#[derive(Debug, Clone)]
struct Tree {
    name: &'static str,
    namespace: usize,
    attribute: Option<usize>,
    text: String,
    children: Vec<Tree>,
}

impl Tree {
    fn written(&self, prefixes: [&str; 2], declarations: &str) -> String {
        let prefix = prefixes[self.namespace];
        let attribute = self.attribute.map_or_else(String::new, |namespace| {
            format!(" xmlns:i='{XSI}' i:type='{0}:T' {0}:b='1'", prefixes[namespace])
        });
        let children: String =
            self.children.iter().map(|child| child.written(prefixes, "")).collect();
        let (name, text) = (self.name, &self.text);
        format!("<{prefix}:{name}{declarations}{attribute}>{text}{children}</{prefix}:{name}>")
    }
}

fn any_tree() -> impl Strategy<Value = Tree> {
    let parts = || {
        let names = prop::sample::select(vec!["a", "Id", "Session", "RefundDate"]);
        (names, 0..2_usize, prop::option::of(0..2_usize), "[a-z0-9 -]{0,3}")
    };
    let tree = |((name, namespace, attribute, text), children)| Tree {
        name,
        namespace,
        attribute,
        text,
        children,
    };
    let leaf = (parts(), Just(Vec::new())).prop_map(tree);
    leaf.prop_recursive(4, 30, 4, move |inner| {
        (parts(), prop::collection::vec(inner, 0..4)).prop_map(tree)
    })
}

proptest! {
    #[test]
    fn a_document_equals_itself_under_other_prefixes(tree in any_tree()) {
        prop_assert!(equal(&document(&tree, ["p", "q"]), &document(&tree, ["q", "r-2"])));
    }

    #[test]
    fn a_document_with_one_more_element_is_another(tree in any_tree()) {
        let mut more = tree.clone();
        more.children.push(Tree { name: "z", children: Vec::new(), ..tree.clone() });
        prop_assert!(!equal(&document(&tree, ["p", "q"]), &document(&more, ["p", "q"])));
    }
}
