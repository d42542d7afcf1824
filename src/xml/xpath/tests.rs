//! The language by the examples of its recommendation, its bounds, and unusual expressions.

use super::*;
use crate::xml::XmlLimits;
use proptest::prelude::*;

const DOCUMENT: &str = "<r xmlns:p='urn:p' xml:lang='en-US'><!--c--><a n='1' p:n='2'>one</a>\
    <p:a n='2'>t<b>w</b>o<![CDATA[!]]>&amp;</p:a><d xmlns='urn:d' xmlns:p='urn:q'><e>3</e>\
    <e>-0.5</e></d><a n='3'/> </r>";

fn result(document: &str, expression: &str) -> Result<String, XPathError> {
    let namespaces = [("p", "urn:p"), ("d", "urn:d")];
    let namespaces = namespaces.map(|(prefix, name)| (prefix.to_owned(), name.to_owned()));
    let limits = XmlLimits { text_bytes_max: 2_000_000, ..XmlLimits::default() };
    let nodes = Nodes::read(document, &limits).expect("a document");
    let value = XPath::parse(expression, &namespaces)?.evaluate(&nodes)?;
    Ok(value.string(&nodes))
}

fn all_are(cases: &[(&str, &str)]) {
    for (expression, expected) in cases {
        let found = result(DOCUMENT, expression);
        assert_eq!(found.as_deref(), Ok(*expected), "{expression}");
    }
}

#[test]
fn every_axis_leads_where_it_should() {
    all_are(&[
        ("count(//node())", "16"),
        ("count(/r/*)", "4"),
        ("name(/r/*[last()]/preceding-sibling::*[1])", "d"),
        ("name(//b/parent::*)", "p:a"),
        ("name(//b/ancestor::*[last()])", "r"),
        ("count(//b/ancestor-or-self::node())", "4"),
        ("name(//b/following::*[1])", "d"),
        ("count(//b/following::*)", "4"),
        ("name(//b/preceding::*[1])", "a"),
        ("count(//d:e[2]/preceding::node())", "10"),
        ("count(/r/descendant-or-self::*)", "8"),
        ("/r/child::a[2]/attribute::n", "3"),
        ("count(//d:e[1]/namespace::*)", "3"),
        ("string(//d:d/namespace::p)", "urn:q"),
        ("string(/r/namespace::p)", "urn:p"),
        ("count(/r/namespace::node()/..)", "1"),
        ("count(//@n/following::b)", "1"),
        ("count(//@*)", "5"),
        ("name(//a/@p:*)", "p:n"),
        ("count(//a[self::a])", "2"),
        ("name(/r/a[1]/following-sibling::node()[2])", "d"),
        ("count(//@n/following-sibling::node())", "0"),
    ]);
}

#[test]
fn tests_of_nodes_know_names_and_kinds() {
    all_are(&[
        ("count(//*:a)", "3"),
        ("count(//a)", "2"),
        ("count(//p:a)", "1"),
        ("count(//d:*)", "3"),
        ("//comment()", "c"),
        ("count(//processing-instruction('x') | //processing-instruction())", "0"),
        ("//p:a/text()[2]", "o!&"),
        ("string(//p:a)", "two!&"),
        ("count(//e)", "0"),
        ("//*:e", "3"),
        ("*:r/*:a[2]", "two!&"),
        ("string(/)", "onetwo!&3-0.5 "),
        ("(//a)[2]/@n", "3"),
        ("//*[@n='2']/b", "w"),
        ("local-name(//d:d)", "d"),
        ("namespace-uri(//d:d)", "urn:d"),
        ("name(//text())", ""),
    ]);
}

#[test]
fn operators_have_their_ranks() {
    all_are(&[
        ("1 + 2 * 3 - 4 div 2", "5"),
        ("5 mod 2 = 1 and 5 mod -2 = 1 and -5 mod 2 = -1", "true"),
        ("1 < 2 = true() or 1 div 0", "true"),
        ("3 > 2 > 1", "false"),
        ("--1", "1"),
        ("-(1 - 3)", "2"),
        ("2*3", "6"),
        ("* * 2", "NaN"),
        ("1 div 0", "Infinity"),
        ("-1 div 0", "-Infinity"),
        ("0 div 0", "NaN"),
        ("//*:e = 3", "true"),
        ("//*:e != 3", "true"),
        ("3 < //*:e", "false"),
        ("0 > //*:e", "true"),
        ("//*:e < //a/@n", "true"),
        ("//a = 'one'", "true"),
        ("//a = //p:a", "false"),
        ("//z = //z", "false"),
        ("//z = false()", "true"),
        ("'a' = 'a' and 'a' < 'b'", "false"),
        ("'1' < '2'", "true"),
        ("count(//a | //p:a | //a)", "3"),
        ("0.1", "0.1"),
        ("1.", "1"),
        (".5", "0.5"),
        ("-0", "0"),
        ("100000000000000000000000", "100000000000000000000000"),
        ("0.00000001", "0.00000001"),
    ]);
}

#[test]
fn the_functions_of_the_core_library_do_what_it_says() {
    all_are(&[
        ("//a[position() = last()]/@n", "3"),
        ("count(id('x'))", "0"),
        ("string(12) ", "12"),
        ("concat('a', 1, true())", "a1true"),
        ("starts-with('abc', 'ab') and contains('abc', 'bc')", "true"),
        ("substring-before('1999/04/01', '/')", "1999"),
        ("substring-after('1999/04/01', '/')", "04/01"),
        ("substring-after('1999/04/01', 'x')", ""),
        ("substring('12345', 2, 3)", "234"),
        ("substring('12345', 2)", "2345"),
        ("substring('12345', 1.5, 2.6)", "234"),
        ("substring('12345', 0, 3)", "12"),
        ("substring('12345', 0 div 0, 3)", ""),
        ("substring('12345', 1, 0 div 0)", ""),
        ("substring('12345', -42, 1 div 0)", "12345"),
        ("substring('12345', -1 div 0, 1 div 0)", ""),
        ("string-length('héé')", "3"),
        ("normalize-space('  a \n b\t')", "a b"),
        ("translate('bar', 'abc', 'AB')", "BAr"),
        ("translate('--aaa--', 'abc-', 'ABC')", "AAA"),
        ("boolean(0) or boolean('') or boolean(//z)", "false"),
        ("boolean('false') and not(0 div 0)", "true"),
        ("count(//*[lang('en')])", "8"),
        ("//a[1][lang('EN-us')]", "one"),
        ("boolean(//*[lang('e')])", "false"),
        ("number(' -1.5 ')", "-1.5"),
        ("number('1e3')", "NaN"),
        ("number('+1')", "NaN"),
        ("number(true())", "1"),
        ("sum(//*:e)", "2.5"),
        ("sum(//z)", "0"),
        ("floor(-1.5)", "-2"),
        ("ceiling(1.2)", "2"),
        ("round(-1.5)", "-1"),
        ("round(2.5)", "3"),
        ("round(-0.2)", "0"),
        ("exists(//a) and empty(//z) and not(empty(''))", "true"),
        ("matches('ABC', '^b', 'i') or matches('abc', 'B', 'i')", "true"),
        ("ends-with(lower-case('AB'), 'b') and upper-case('é') = 'É'", "true"),
        ("//*[local-name()='e'][2]", "-0.5"),
        ("//a[string-length() = 3]", "one"),
    ]);
}

#[test]
fn what_is_not_of_the_language_is_named() {
    for (expression, named) in [
        ("", "expected an expression, found the end"),
        ("//", "expected a name, found the end"),
        ("//a[", "expected an expression, found the end"),
        ("a b", "expected an operator at `b`"),
        ("1 2", "expected an operator, found a number"),
        ("'a", "expected the end of a text"),
        ("x::a", "there is no axis `x`"),
        ("//q:a", "the prefix `q` is not declared"),
        ("p:f()", "the function `p:f` is not known here"),
        ("distinct-values(//a)", "the function `distinct-values` is not known here"),
        ("//a/string()", "a call of `string` as a step"),
        ("$x", "the variable `$x` has no value"),
        ("count(1)", "what `count` counts is no set of nodes"),
        ("1[1]", "what a path or a predicate follows is no set of nodes"),
        ("1 | 2", "a part of a union is no set of nodes"),
        ("concat('a')", "`concat` does not take 1 arguments"),
        ("matches('a', '(')", "the pattern `(` is not understood"),
        ("matches('a', 'a', 'q')", "has no flag `q`"),
        ("for $x in //a return $x", "expected an operator at `in //a"),
    ] {
        let refused = result(DOCUMENT, expression).expect_err(expression).to_string();
        assert!(refused.contains(named), "{named} in {refused}");
    }
    let deep = format!("{}1{}", "(".repeat(65), ")".repeat(65));
    let refused = result(DOCUMENT, &deep).expect_err("deep").to_string();
    assert!(refused.contains("nest deeper than 64"), "{refused}");
    assert_eq!(result(DOCUMENT, &format!("{}1", "-".repeat(5_001))).as_deref(), Ok("-1"));
}

#[test]
fn an_evaluation_ends_by_its_steps() {
    let document = format!("<r>{}</r>", "<a><b/></a>".repeat(200));
    let bomb = format!("{}//*{}", "//*[count(".repeat(20), ")>0]".repeat(20));
    assert_eq!(result(&document, &bomb), Err(XPathError::Exhausted));
    let copies = format!("concat(.{})", ",.".repeat(500));
    let large = format!("<a>{}</a>", "x".repeat(1_000_000));
    assert_eq!(result(&large, &copies), Err(XPathError::Exhausted));
}

/// Pieces that together often come close to an XPath.
fn near_xpath() -> impl Strategy<Value = String> {
    let pieces = [
        "//",
        "/",
        "*",
        "*:a",
        "a",
        "p:a",
        ".",
        "..",
        "@n",
        "[",
        "]",
        "(",
        ")",
        "1",
        "-",
        "=",
        "|",
        ",",
        " ",
        "'a'",
        "'",
        "text()",
        "count(",
        "sum(",
        "not(",
        "last()",
        "position()",
        "::",
        "self::",
        "ancestor::",
        "preceding::",
        "following-sibling::",
        "namespace::",
        "lang(",
        "substring(",
        " div ",
        " mod ",
        " and ",
        " or ",
        "0.5",
        "<",
        "!=",
        "é",
        "$v",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..14)
        .prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_expression_is_evaluated_or_refused(near in near_xpath(), any in ".{0,30}") {
        let _ = result(DOCUMENT, &near);
        let _ = result(DOCUMENT, &any);
    }

    #[test]
    fn nodes_are_in_document_order_and_there_once(near in near_xpath()) {
        let nodes = Nodes::read(DOCUMENT, &XmlLimits::default()).expect("a document");
        let found = XPath::parse(&near, &[]).and_then(|path| path.evaluate(&nodes));
        if let Ok(XPathValue::Nodes(found)) = found {
            prop_assert!(found.windows(2).all(|pair| pair[0] < pair[1]), "{near}");
        }
    }
}
