//! The answer that came against the answer that was captured.

use super::byte_diff;
use super::canonical::{Canonical, Line, Side, printable};
use super::diff;
use super::json_lines::{self, JsonLines};
use super::rules::Rules;
use super::secret::text_without_secrets;
use crate::client::Answer;
use crate::client::header::{CONTENT_TYPE, HeaderValue};
use crate::json;
use crate::xml::content_type;
use crate::xml::{ElementRef, XmlLimits, decode, parse};

pub use super::difference::Difference;

/// How closely answers are compared; the status always is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Level {
    /// Byte for byte, but for ids, sessions, times and what else has a shape.
    Bytes,
    /// As XML, or as JSON where it is that, with shapes and rules.
    #[default]
    Xml,
    /// Only the status.
    Status,
}

/// What is large but still an answer; requests have far tighter limits.
pub(super) const LIMITS: XmlLimits = XmlLimits {
    depth_max: 256,
    elements_max: 1_000_000,
    attributes_per_tag_max: 256,
    attributes_max: 1_000_000,
    namespaces_per_tag_max: 64,
    name_bytes_max: 1_024,
    text_bytes_max: 16 * 1024 * 1024,
};

/// The first element in the body of an envelope.
pub(super) fn operation(root: ElementRef<'_>) -> Option<ElementRef<'_>> {
    let mut bodies = root.children().filter(|child| child.local() == "Body");
    bodies.next().and_then(|body| body.children().next())
}

/// The status that goes with a captured answer, by its body: 500 for a fault.
pub(super) fn usual_status(body: &[u8]) -> u16 {
    let is_fault = decode(body, None).is_ok_and(|text| {
        parse(&text, &LIMITS).is_ok_and(|document| {
            operation(document.root()).is_some_and(|first| first.local() == "Fault")
        })
    });
    if is_fault { 500 } else { 200 }
}

/// Why an answer is a refusal, for requests with which no answer was captured.
pub(super) fn refusal(answer: &Answer) -> Option<Difference> {
    let refused = |why: String| Some(Difference::Refused { why: printable(&why) });
    let reported = decode(&answer.body, charset(answer)).ok().and_then(|text| {
        let document = parse(&text, &LIMITS).ok()?;
        let operation = operation(document.root())?;
        let first = |names: &[&str]| names.iter().find_map(|name| find(operation, name));
        if operation.local() == "Fault" {
            return Some(first(&["faultstring", "Text"]).unwrap_or("a fault").to_owned());
        }
        let has_failed = find(operation, "Success") == Some("false");
        has_failed.then(|| first(&["Message"]).unwrap_or("Success is false").to_owned())
    });
    match reported {
        Some(why) => refused(why),
        None if answer.status.is_success() => None,
        None => refused(format!("HTTP {}", answer.status.as_u16())),
    }
}

/// The text of the first element of this local name that has one.
fn find<'d>(element: ElementRef<'d>, local: &str) -> Option<&'d str> {
    if element.local() == local && element.has_text() {
        return Some(element.text().trim());
    }
    element.children().find_map(|child| find(child, local))
}

/// Every way in which `answer` differs from what was captured.
pub(super) fn compare(
    expected: &[u8],
    answer: &Answer,
    rules: &Rules,
    level: Level,
) -> Vec<Difference> {
    let mut differences = Vec::new();
    let usual = || if rules.is_rest() { 200 } else { usual_status(expected) };
    let status = rules.status.map_or_else(usual, |status| status.0);
    let actual = answer.status.as_u16();
    if status != actual {
        differences.push(Difference::Status { expected: status, actual });
    }
    if level != Level::Status {
        differences.extend(headers(answer, rules));
        let body = match level {
            Level::Bytes => bytes,
            _ if rules.is_rest() => json,
            _ => xml,
        };
        differences.extend(body(expected, answer, rules));
        if answer.cut {
            differences.push(Difference::Cut { bytes: answer.body.len() });
        }
    }
    differences
}

fn headers(answer: &Answer, rules: &Rules) -> Vec<Difference> {
    let differs = |(name, expected): (&str, &HeaderValue)| {
        let actual = answer.headers.get(name);
        let shown = |value: &HeaderValue| printable(&String::from_utf8_lossy(value.as_bytes()));
        (actual != Some(expected)).then(|| Difference::Header {
            name: name.to_owned(),
            expected: shown(expected),
            actual: actual.map(shown),
        })
    };
    rules.response_headers().filter_map(differs).collect()
}

/// The bodies byte for byte, but for what has a shape.
fn bytes(expected: &[u8], answer: &Answer, _: &Rules) -> Option<Difference> {
    byte_diff::compare(expected, &answer.body)
}

/// The bodies as lines of text, for a capture that is no XML.
fn plain(expected: &[u8], answer: &Answer) -> Option<Difference> {
    if expected == answer.body {
        return None;
    }
    let (expected, actual) = (plain_lines(expected), plain_lines(&answer.body));
    let same = expected == actual;
    let note = same.then(|| "they differ in what is not shown".to_owned());
    Some(Difference::Body { path: None, note, diff: diff::lines(&expected, &actual).lines })
}

/// The bodies as JSON, where the captured one is.
fn json(expected: &[u8], answer: &Answer, rules: &Rules) -> Option<Difference> {
    let Ok(expected) = json::read(expected, &json_lines::LIMITS) else {
        return plain(expected, answer);
    };
    let mut lines = JsonLines::new(rules);
    let expected = lines.lines(&expected, Side::Expected);
    let (actual, note) = match json::read(&answer.body, &json_lines::LIMITS) {
        Ok(actual) => (lines.lines(&actual, Side::Actual), None),
        Err(_) => (plain_lines(&answer.body), Some("the answer is no JSON".to_owned())),
    };
    let found = diff::lines(&expected, &actual);
    Some(Difference::Body { path: Some(found.first?), note, diff: found.lines })
}

fn xml(expected: &[u8], answer: &Answer, rules: &Rules) -> Option<Difference> {
    if expected == answer.body && rules.matches().next().is_none() {
        return None;
    }
    let expected_text = decode(expected, None);
    let Some(expected_document) =
        expected_text.as_ref().ok().and_then(|text| parse(text, &LIMITS).ok())
    else {
        // Such as the plain sentence of a 405: compared as it stands.
        return plain(expected, answer);
    };
    let actual_text = decode(&answer.body, charset(answer));
    let mut canonical = Canonical::new(rules);
    let expected = canonical.lines(&expected_document, Side::Expected);
    let actual = match &actual_text {
        Ok(text) => parse(text, &LIMITS),
        Err(error) => Err(error.clone()),
    };
    let (actual, why) = match &actual {
        Ok(document) => (canonical.lines(document, Side::Actual), None),
        Err(error) => (plain_lines(&answer.body), Some(format!("the answer is no XML: {error}"))),
    };
    let found = diff::lines(&expected, &actual);
    let path = found.first?;
    let legend = canonical.legend().join(", ");
    let note = why.or_else(|| (!legend.is_empty()).then_some(legend));
    Some(Difference::Body { path: Some(path), note, diff: found.lines })
}

/// The charset parameter of the answer's content type.
fn charset(answer: &Answer) -> Option<&str> {
    let content_type = answer.headers.get(CONTENT_TYPE)?.to_str().ok()?;
    content_type::charset(content_type)
}

/// The lines of any text, without its secrets.
fn plain_lines(bytes: &[u8]) -> Vec<Line> {
    text_without_secrets(bytes).lines().map(|line| Line::plain(printable(line))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::StatusCode;
    use crate::client::header::HeaderMap;

    fn answer(status: u16, body: &[u8]) -> Answer {
        let headers = HeaderMap::from_iter([(
            CONTENT_TYPE,
            HeaderValue::from_static("text/xml; charset=\"UTF-8\""),
        )]);
        let status = StatusCode::from_u16(status).unwrap();
        Answer { status, headers, body: body.to_vec().into(), cut: false }
    }

    fn differences(expected: &[u8], answer: &Answer, toml: &str, level: Level) -> Vec<Difference> {
        compare(expected, answer, &toml::from_str(toml).expect(toml), level)
    }

    const FAULT: &[u8] = b"<e><Header/><Body><f:Fault xmlns:f='urn:x'/></Body></e>";

    #[test]
    fn a_fault_comes_with_500_and_everything_else_with_200() {
        assert_eq!(usual_status(FAULT), 500);
        assert_eq!(usual_status(b"<e><Body><createResponse/></Body></e>"), 200);
        assert_eq!(usual_status(b"<e><Body/></e>"), 200);
        assert_eq!(usual_status(b"not XML"), 200);
    }

    #[test]
    fn the_status_is_compared_at_every_level() {
        for level in [Level::Bytes, Level::Xml, Level::Status] {
            let expected = [Difference::Status { expected: 500, actual: 200 }];
            assert_eq!(differences(FAULT, &answer(200, FAULT), "", level), expected);
            assert_eq!(differences(FAULT, &answer(200, FAULT), "status = 200", level), []);
        }
    }

    #[test]
    fn headers_are_compared_exactly_where_a_rule_names_them() {
        let rules = "response_headers = { Content-Type = 'text/xml', X = '1' }";
        let expected = [
            Difference::Header {
                name: "Content-Type".to_owned(),
                expected: "text/xml".to_owned(),
                actual: Some("text/xml; charset=\"UTF-8\"".to_owned()),
            },
            Difference::Header { name: "X".to_owned(), expected: "1".to_owned(), actual: None },
        ];
        assert_eq!(differences(b"<a/>", &answer(200, b"<a/>"), rules, Level::Xml), expected);
    }

    #[test]
    fn levels_are_bytes_xml_or_status() {
        let (pretty, plain) = (b"<a> <b/></a>", answer(200, b"<a><b></b></a>"));
        assert_eq!(differences(pretty, &plain, "", Level::Xml), []);
        assert_eq!(differences(pretty, &plain, "", Level::Bytes).len(), 1);
        assert_eq!(differences(b"<c/>", &plain, "", Level::Xml).len(), 1);
        assert_eq!(differences(b"<c/>", &plain, "", Level::Status), []);
    }

    #[test]
    fn the_first_difference_is_named_by_its_path() {
        let expected = b"<e><r><c>1</c></r><r><c>2</c><d>3</d></r></e>";
        let actual = answer(200, b"<e><r><c>1</c></r><r><c>x</c></r></e>");
        let found = differences(expected, &actual, "", Level::Xml);
        let [Difference::Body { path, note: None, diff }] = &found[..] else { panic!("{found:?}") };
        assert_eq!(path.as_deref(), Some("/e/r[2]/c"));
        let diff = diff.join("\n");
        assert!(diff.contains("-    <c>2</c>\n-    <d>3</d>\n+    <c>x</c>\n"), "{diff}");
    }

    #[test]
    fn an_answer_that_is_no_xml_says_why() {
        for body in [&b""[..], b"<html>", b"<!DOCTYPE a><a/>", b"\xff<a/>"] {
            let found = differences(b"<a/>", &answer(200, body), "", Level::Xml);
            let [Difference::Body { note: Some(note), .. }] = &found[..] else {
                panic!("{found:?}")
            };
            assert!(note.starts_with("the answer is no XML: "), "{note}");
        }
    }

    #[test]
    fn a_capture_that_is_no_xml_is_compared_as_it_stands() {
        assert_eq!(differences(b"Gone.\n", &answer(200, b"Gone.\n"), "", Level::Xml), []);
        assert_eq!(differences(b"Gone.\n", &answer(200, b"Gone."), "", Level::Xml).len(), 1);
        assert_eq!(differences(b"Gone.\n", &answer(200, b"<a/>"), "", Level::Xml).len(), 1);
    }

    #[test]
    fn equal_bytes_must_still_match() {
        let rules = "match = { '//a' = '^[0-9]+$' }";
        assert_eq!(differences(b"<a>x</a>", &answer(200, b"<a>x</a>"), rules, Level::Xml).len(), 1);
        assert_eq!(differences(b"<a>x</a>", &answer(200, b"<a>1</a>"), rules, Level::Xml), []);
    }

    #[test]
    fn a_cut_answer_differs_even_from_itself() {
        let cut = Answer { cut: true, ..answer(200, b"<a/>") };
        assert_eq!(differences(b"<a/>", &cut, "", Level::Xml), [Difference::Cut { bytes: 4 }]);
    }

    #[test]
    fn secrets_are_not_shown_at_any_level() {
        let (expected, actual) =
            (b"<a><Session>s3cret-1</Session></a>", b"<a><Session>s3cret-2</Session></a>");
        for level in [Level::Bytes, Level::Xml] {
            let found = differences(expected, &answer(200, actual), "", level);
            assert_eq!(found.len(), 1);
            let shown = format!("{found:?}");
            assert!(!shown.contains("s3cret"), "{shown}");
        }
    }

    #[test]
    fn secrets_are_not_shown_in_any_encoding() {
        let text = "<a><Session>s3cret-1</Session></a>";
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        // Half a surrogate pair, which no decoder takes.
        let broken = [&wide[..], &[0x00, 0xd8]].concat();
        for expected in [&wide, &broken] {
            let found = differences(expected, &answer(200, b"<a/>"), "", Level::Bytes);
            let shown = format!("{found:?}").replace("\\0", "").replace("\\u{0}", "");
            assert!(!shown.contains("s3cret") && shown.contains("hidden"), "{shown}");
        }
    }

    #[test]
    fn encodings_do_not_matter() {
        let latin = b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe9</a>";
        assert_eq!(differences(latin, &answer(200, "<a>é</a>".as_bytes()), "", Level::Xml), []);
    }
}
