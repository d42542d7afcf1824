//! A JSON document as lines that are equal exactly when the documents mean the same to a client.
//!
//! Numbers are compared by value, and members in the order of their names, unless the rules say
//! that the order counts. What may differ is replaced by a comment, which no value can be mistaken
//! for. Each line knows the place of its value, as a JSON pointer.

use super::blanks;
use super::canonical::{Line, Side, printable};
use super::rules::Rules;
use super::secret::UNTOLD;
use super::shape::json_shape;
use crate::domain::secret::{HIDDEN, is_secret};
use crate::json::{Json, JsonLimits, Member};
use regex::Regex;
use std::collections::HashMap;

/// What is large but still an answer; requests have far tighter limits.
pub(super) const LIMITS: JsonLimits = JsonLimits { depth_max: 256, values_max: 1_000_000 };

/// Writes the documents of one comparison.
pub(super) struct JsonLines<'r> {
    rules: &'r Rules,
    side: Side,
    /// Where the captured answer has something hidden: what a text has to match, and how it is
    /// shown.
    loose: HashMap<String, (Regex, String)>,
    lines: Vec<Line>,
}

/// Where a value is.
#[derive(Default)]
struct At<'d> {
    /// The members on the way, each with the number of the item that is meant, from 1, or 0 where
    /// it is no item.
    way: Vec<(&'d str, usize)>,
    pointer: String,
}

impl<'r> JsonLines<'r> {
    pub(super) fn new(rules: &'r Rules) -> Self {
        Self { rules, side: Side::Expected, loose: HashMap::new(), lines: Vec::new() }
    }

    /// The lines of a document.
    pub(super) fn lines(&mut self, json: &Json, side: Side) -> Vec<Line> {
        self.side = side;
        self.value(None, json, &mut At::default());
        std::mem::take(&mut self.lines)
    }

    /// A value, after the name that it is written with.
    fn value<'d>(&mut self, name: Option<&str>, json: &'d Json, at: &mut At<'d>) {
        if self.rules.ignore().iter().any(|ignored| ignored.is_at(&at.way)) {
            return;
        }
        let indent = "  ".repeat(at.pointer.matches('/').count());
        let label = name.map_or_else(String::new, |name| format!("{}: ", quoted(name)));
        match json {
            Json::Object(members) => {
                self.line(format!("{indent}{label}{{"), None, at);
                for member in self.in_order(members) {
                    let length = at.pointer.len();
                    at.pointer.push('/');
                    at.pointer.push_str(&member.name);
                    at.way.push((&member.name, 0));
                    self.value(Some(&member.name), &member.value, at);
                    at.way.pop();
                    at.pointer.truncate(length);
                }
                self.line(format!("{indent}}}"), None, at);
            }
            Json::List(items) => {
                self.line(format!("{indent}{label}["), None, at);
                self.items(items, at);
                self.line(format!("{indent}]"), None, at);
            }
            scalar => {
                let (shown, hidden) = self.scalar(scalar, at);
                self.line(format!("{indent}{label}{shown}"), hidden, at);
            }
        }
    }

    fn items<'d>(&mut self, items: &'d [Json], at: &mut At<'d>) {
        for (number, item) in items.iter().enumerate() {
            let length = at.pointer.len();
            at.pointer.push_str(&format!("/{number}"));
            let above = at.way.last().copied();
            // The items of a member go by its name; those of a list in a list have none.
            match at.way.last_mut() {
                Some((_, place)) if *place == 0 => *place = number + 1,
                _ => at.way.push(("", number + 1)),
            }
            self.value(None, item, at);
            match above {
                Some((name, 0)) => {
                    at.way.pop();
                    at.way.push((name, 0));
                }
                _ => {
                    at.way.pop();
                }
            }
            at.pointer.truncate(length);
        }
    }

    fn in_order<'d>(&self, members: &'d [Member]) -> Vec<&'d Member> {
        let mut members: Vec<&Member> = members.iter().collect();
        if !self.rules.has_key_order() {
            members.sort_by(|one, other| one.name.cmp(&other.name));
        }
        members
    }

    fn line(&mut self, shown: String, hidden: Option<String>, at: &At<'_>) {
        self.lines.push(Line::of(shown, hidden, at.pointer.clone()));
    }

    /// A value as it is compared and shown, and the secret that it stands for.
    fn scalar(&mut self, json: &Json, at: &At<'_>) -> (String, Option<String>) {
        let name = at.way.last().map_or("", |(name, _)| *name);
        let text = match json {
            Json::Null => "null",
            Json::Bool(true) => "true",
            Json::Bool(false) => "false",
            Json::Number(text) | Json::Text(text) => text,
            Json::List(_) | Json::Object(_) => "",
        };
        let rule = self.rules.matches().find(|(matched, _)| matched.is_at(&at.way));
        if let Some((_, pattern)) = rule
            && (self.side == Side::Expected || pattern.is_match(text))
        {
            return (format!("<!-- matches {} -->", printable(pattern.as_str())), None);
        }
        let Json::Text(text) = json else {
            return match json {
                Json::Number(digits) => (by_value(digits), None),
                _ => (text.to_owned(), None),
            };
        };
        if let Some(shown) = self.loose(name, at, text) {
            return (shown, None);
        }
        if let Some(shape) = json_shape(name, text) {
            return (format!("<!-- {} -->{}", shape.stands_for, printable(shape.rest)), None);
        }
        if is_secret(name) && !text.is_empty() {
            return (HIDDEN.to_owned(), Some(text.to_string()));
        }
        (quoted(text), None)
    }

    /// How a text is shown that the capture hides, or a part of it.
    fn loose(&mut self, name: &str, at: &At<'_>, text: &str) -> Option<String> {
        if self.side == Side::Actual {
            let (_, shown) = self.loose.get(&at.pointer).filter(|(it, _)| it.is_match(text))?;
            return Some(shown.clone());
        }
        let is_untold = is_secret(name) && text.trim() == UNTOLD;
        let any = || Some((Regex::new("").ok()?, HIDDEN.to_owned()));
        let loose = if is_untold { any()? } else { blanks::loose(text)? };
        let shown = loose.1.clone();
        self.loose.insert(at.pointer.clone(), loose);
        Some(shown)
    }
}

/// A string as JSON writes it, with nothing that a terminal would obey.
fn quoted(text: &str) -> String {
    format!("\"{}\"", printable(&text.replace('\\', "\\\\").replace('"', "\\\"")))
}

/// A number, written so that equal values are written the same: its digits without zeros at either
/// end, and the power of ten that they are multiplied by.
fn by_value(written: &str) -> String {
    let (sign, digits) = written.strip_prefix('-').map_or(("", written), |rest| ("-", rest));
    let (digits, power) = digits.split_once(['e', 'E']).unwrap_or((digits, "0"));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{part}");
    let significant = all.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        return "0".to_owned();
    }
    let zeros = all.len() - all.trim_end_matches('0').len();
    let of_part =
        i64::try_from(zeros).unwrap_or(i64::MAX) - i64::try_from(part.len()).unwrap_or(i64::MAX);
    let Some(power) = power.parse::<i64>().ok().and_then(|power| power.checked_add(of_part)) else {
        return written.to_owned();
    };
    let length = i64::try_from(significant.len()).unwrap_or(i64::MAX);
    match usize::try_from(power) {
        Ok(power) if power <= 20 => format!("{sign}{significant}{}", "0".repeat(power)),
        Err(_) if power > -20 => {
            let whole = usize::try_from(length.saturating_add(power)).unwrap_or(0);
            let missing = usize::try_from(-length.saturating_add(power)).unwrap_or(0);
            let (before, after) = significant.split_at_checked(whole).unwrap_or((significant, ""));
            let before = if before.is_empty() { "0" } else { before };
            format!("{sign}{before}.{}{after}", "0".repeat(missing))
        }
        _ => format!("{sign}{significant}e{power}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::read;
    use crate::replay::diff;

    fn differs(toml: &str, expected: &str, actual: &str) -> Option<(String, String)> {
        let rules = toml::from_str(toml).expect(toml);
        let mut lines = JsonLines::new(&rules);
        let json = |text: &str| read(text.as_bytes(), &LIMITS).expect("JSON");
        let expected = lines.lines(&json(expected), Side::Expected);
        let found = diff::lines(&expected, &lines.lines(&json(actual), Side::Actual));
        Some((found.first?, found.lines.join("\n")))
    }

    #[test]
    fn numbers_are_compared_by_value() {
        for (one, other) in [
            ("10", "10.00"),
            ("1e1", "10"),
            ("0.10", "1E-1"),
            ("-0", "0.000"),
            ("-12.50", "-12.5"),
            ("100000000000000000000000000", "1e26"),
            ("0.001", "1e-3"),
        ] {
            assert_eq!(by_value(one), by_value(other), "{one} {other}");
        }
        for (one, other) in [("10", "1"), ("10", "100"), ("0.1", "0.01"), ("1", "-1")] {
            assert_ne!(by_value(one), by_value(other), "{one} {other}");
        }
        assert_eq!((by_value("12.50"), by_value("0.050")), ("12.5".into(), "0.05".into()));
        assert!(differs("", "[10]", "[\"10\"]").is_some());
    }

    #[test]
    fn the_order_of_names_counts_only_where_that_is_asked_for() {
        let (one, other) =
            ("{\"a\":1,\"b\":{\"c\":2,\"d\":3}}", "{\"b\":{\"d\":3,\"c\":2},\"a\":1}");
        assert_eq!(differs("", one, other), None);
        assert!(differs("key_order = true", one, other).is_some());
        assert!(differs("", "[1,2]", "[2,1]").is_some());
    }

    #[test]
    fn what_is_given_anew_is_compared_by_its_form() {
        let refund = |id: &str, number: &str, day: &str, moment: &str| {
            format!(
                "{{\"id\":\"{id}\",\"number\":\"{number}\",\"refundDate\":\"{day}\",\
                 \"createdDate\":\"{moment}\"}}"
            )
        };
        let (a, b) = ("a".repeat(32), "b".repeat(32));
        let one = refund(&a, "R-00000001", "2026-01-02", "2026-01-02 03:04:05");
        let other = refund(&b, "R-00000417", "2025-01-02", "2025-01-02 13:04:05");
        assert_eq!(differs("", &one, &other), None);
        let ids = "{\"processId\":\"0123456789ABCDEF\",\"requestId\":\
                   \"00000000-0000-4000-8000-000000000001\"}";
        let others = ids.replace("0123", "FFFF").replace("0001\"", "0002\"");
        assert_eq!(differs("", ids, &others), None);
        assert!(
            differs("", &one, &refund(&b, "P-1", "2025-01-02", "2026-01-02 03:04:05")).is_some()
        );
    }

    #[test]
    fn a_difference_is_named_by_a_place_that_rules_understand() {
        let (one, other) = (
            "{\"reasons\":[{\"code\":1,\"message\":\"a\"},{\"code\":2,\"message\":\"b\"}]}",
            "{\"reasons\":[{\"code\":1,\"message\":\"a\"},{\"code\":2,\"message\":\"c\"}]}",
        );
        let (path, lines) = differs("", one, other).expect("a difference");
        assert_eq!(path, "/reasons/1/message");
        assert!(lines.contains("-      \"message\": \"b\"\n+      \"message\": \"c\""), "{lines}");
        for rule in ["/reasons/1/message", "$.reasons[1].message", "//message", "/reasons"] {
            assert_eq!(differs(&format!("ignore = ['{rule}']"), one, other), None, "{rule}");
        }
        assert!(differs("ignore = ['/reasons/0/message']", one, other).is_some());
        assert!(differs("ignore = ['/reasons/0']", one, other).is_some());
        assert_eq!(differs("match = { '$.reasons[1].message' = '^[bc]$' }", one, other), None);
        assert!(differs("match = { '//message' = '^[ab]$' }", one, other).is_some());
        assert_eq!(differs("ignore = ['$[0].Id']", "[{\"Id\":1}]", "[{\"Id\":2}]"), None);
    }

    #[test]
    fn a_secret_is_compared_and_not_shown() {
        let (one, other) = ("{\"access_token\":\"s3cret-1\"}", "{\"access_token\":\"s3cret-2\"}");
        let (_, lines) = differs("", one, other).expect("a difference");
        assert!(lines.contains("hidden") && !lines.contains("s3cret"), "{lines}");
        assert_eq!(differs("", "{\"access_token\":\"{{secret}}\"}", other), None);
    }
}
