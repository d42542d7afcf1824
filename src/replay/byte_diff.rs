//! Two answers compared byte for byte, but for ids, sessions, times and what else has a shape:
//! where the first other byte is, and what stands around it.

use super::blanks;
use super::canonical::printable;
use super::difference::Difference;
use super::raw::{View, pattern};
use super::secret::UNTOLD;
use super::shape::shape;
use crate::domain::secret::{ELEMENTS, HIDDEN, is_secret};
use regex::bytes::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// How many bytes are shown before the first other one, and from it on.
const SHOWN_BEFORE: usize = 48;
const SHOWN_AFTER: usize = 48;

/// A start tag without an end of its own, and the text that follows it.
static TEXT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?-u)<(?:[^<>\s/:!?]+:)?([^<>\s/:!?]+)(?:\s(?:[^<>]*[^<>/])?)?>([^<]*)").ok()
});
static SECRETS: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(&ELEMENTS));

/// How the bytes differ, if they do. The offsets count the bytes of each body from 0.
pub(super) fn compare(expected: &[u8], actual: &[u8]) -> Option<Difference> {
    if expected == actual {
        return None;
    }
    let (one, other) = (View::of(expected), View::of(actual));
    let (ours, theirs) = (texts(&one), texts(&other));
    let mut sides = [Side::of(&one), Side::of(&other)];
    for (number, text) in ours.iter().enumerate() {
        let reported = one.text(&text.at);
        let is_any = reported.trim() == UNTOLD && is_secret(&text.name)
            || blanks::loose(&reported).is_some();
        let answered = theirs.get(number).filter(|answered| answered.name == text.name);
        match answered {
            Some(answered) if is_any => {
                let matches = blanks::loose(&reported)
                    .is_none_or(|(pattern, _)| pattern.is_match(&other.text(&answered.at)));
                if matches {
                    sides[0].replace(text.at.clone(), "any");
                    sides[1].replace(answered.at.clone(), "any");
                }
            }
            _ => {}
        }
    }
    for (side, (view, texts)) in sides.iter_mut().zip([(&one, &ours), (&other, &theirs)]) {
        for text in texts {
            let reported = view.text(&text.at);
            if let Some(shape) = shape(&text.name, &reported) {
                let kept = text.at.end.saturating_sub(shape.rest.len());
                side.replace(text.at.start..kept, shape.stands_for);
            }
        }
    }
    let [expected, actual] = sides;
    let (expected, actual) = (expected.plain(), actual.plain());
    let same = expected.bytes.iter().zip(&actual.bytes).take_while(|(one, other)| one == other);
    let same = same.count();
    if same == expected.bytes.len() && same == actual.bytes.len() {
        return None;
    }
    let (at, answered_at) = (expected.origin(same), actual.origin(same));
    let (line, place) = excerpt(&one, at);
    let (answered, answered_place) = excerpt(&other, answered_at);
    let mut diff = vec![format!("-{line}"), format!("+{answered}")];
    if place == answered_place {
        diff.push(format!(" {}^", " ".repeat(place)));
    }
    let (offset, actual_offset) = (at * one.unit(), answered_at * other.unit());
    Some(Difference::Bytes { offset, actual_offset, diff })
}

/// The text of an element.
struct Text {
    name: String,
    at: Range<usize>,
}

fn texts(view: &View<'_>) -> Vec<Text> {
    let found = TEXT.as_ref().into_iter().flat_map(|text| text.captures_iter(view.bytes()));
    let text = |captures: regex::bytes::Captures<'_>| {
        let name = String::from_utf8_lossy(captures.get(1)?.as_bytes()).into_owned();
        Some(Text { name, at: captures.get(2)?.range() })
    };
    found.filter_map(text).collect()
}

/// A body, and what in it stands for something else.
struct Side<'v> {
    bytes: &'v [u8],
    replaced: Vec<(Range<usize>, &'static str)>,
}

/// A body with what stands for something else in it, and where each part comes from.
struct Plain {
    bytes: Vec<u8>,
    /// Where a part begins here and there, and whether it is a replacement.
    parts: Vec<(usize, usize, bool)>,
    end: usize,
}

impl<'v> Side<'v> {
    fn of(view: &'v View<'_>) -> Self {
        Self { bytes: view.bytes(), replaced: Vec::new() }
    }

    fn replace(&mut self, at: Range<usize>, stands_for: &'static str) {
        let overlaps =
            |(known, _): &(Range<usize>, &str)| known.start < at.end && at.start < known.end;
        if !self.replaced.iter().any(overlaps) {
            self.replaced.push((at, stands_for));
        }
    }

    fn plain(mut self) -> Plain {
        self.replaced.sort_by_key(|(at, _)| at.start);
        let mut plain = Plain { bytes: Vec::new(), parts: Vec::new(), end: self.bytes.len() };
        let mut copied = 0;
        for (at, stands_for) in &self.replaced {
            plain.literal(copied, self.bytes.get(copied..at.start).unwrap_or_default());
            plain.parts.push((plain.bytes.len(), at.start, true));
            // No body has a zero in an element's text that XML would take.
            plain.bytes.push(0);
            plain.bytes.extend(stands_for.bytes());
            copied = at.end;
        }
        plain.literal(copied, self.bytes.get(copied..).unwrap_or_default());
        plain
    }
}

impl Plain {
    fn literal(&mut self, from: usize, bytes: &[u8]) {
        self.parts.push((self.bytes.len(), from, false));
        self.bytes.extend(bytes);
    }

    /// Where the byte at `at` comes from.
    fn origin(&self, at: usize) -> usize {
        let part = self.parts.iter().rev().find(|(start, ..)| *start <= at);
        let origin = part.map_or(0, |(start, from, is_replacement)| {
            from.saturating_add(if *is_replacement { 0 } else { at.saturating_sub(*start) })
        });
        origin.min(self.end)
    }
}

/// What stands around a place, without secrets, and how many characters of it come before.
fn excerpt(view: &View<'_>, at: usize) -> (String, usize) {
    let bytes = view.bytes();
    let hidden: Vec<_> = view.texts(SECRETS.as_ref()).into_iter().map(|text| text.at).collect();
    let start = at.saturating_sub(SHOWN_BEFORE);
    let end = at.saturating_add(SHOWN_AFTER).min(bytes.len());
    let mut before = shown(bytes, start..at, &hidden);
    if start > 0 {
        before.insert_str(0, "...");
    }
    let place = before.chars().count();
    // A secret that the place is in is hidden once.
    let within = hidden.iter().find(|secret| secret.contains(&at) && secret.start < at);
    let from = within.map_or(at, |secret| secret.end.min(end));
    let mut line = before + &shown(bytes, from..end, &hidden);
    if end < bytes.len() {
        line.push_str("...");
    }
    (line, place)
}

/// A part of a body for people; where a secret begins or reaches in, only that it is hidden.
fn shown(bytes: &[u8], part: Range<usize>, hidden: &[Range<usize>]) -> String {
    let mut reported = String::new();
    let mut at = part.start;
    while at < part.end {
        let secret = hidden.iter().find(|secret| secret.contains(&at));
        if let Some(secret) = secret {
            reported.push_str(HIDDEN);
            at = secret.end;
            continue;
        }
        let next = hidden.iter().map(|secret| secret.start).filter(|start| *start > at).min();
        let end = next.map_or(part.end, |next| next.min(part.end));
        let text = bytes.get(at..end).unwrap_or_default();
        reported.push_str(&printable(&String::from_utf8_lossy(text)));
        at = end;
    }
    reported
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "402892c72b9e3319012b9e34b88e0001";
    const OTHER: &str = "8a80812f3ec0d1a5013ec0d1a5aa0002";

    fn found(expected: &str, actual: &str) -> Option<(usize, usize, Vec<String>)> {
        match compare(expected.as_bytes(), actual.as_bytes()) {
            Some(Difference::Bytes { offset, actual_offset, diff }) => {
                Some((offset, actual_offset, diff))
            }
            None => None,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn ids_sessions_times_and_hosts_are_no_difference() {
        let answer = |id: &str, time: &str, host: &str| {
            format!(
                "<r><a:Id>{id}</a:Id><CreatedDate>{time}</CreatedDate>\
                 <ServerUrl>http://{host}/a/91.0</ServerUrl><Success>true</Success></r>"
            )
        };
        let one = answer(ID, "2026-01-02T03:04:05.000-08:00", "127.0.0.1:1");
        let other = answer(OTHER, "2026-11-12T13:14:15Z", "www.example.com");
        assert_eq!(found(&one, &other), None);
        let at = found(&one, &other.replace("/a/91.0", "/b/91.0")).unwrap();
        assert_eq!((at.0, at.1), (one.find("a/91.0").unwrap(), other.find("a/91.0").unwrap()));
    }

    #[test]
    fn the_first_other_byte_is_named_and_shown() {
        let one = format!("<r><Id>{ID}</Id><Amount>12.50</Amount></r>");
        let other = format!("<r><Id>{OTHER}</Id><Amount>12.60</Amount></r>");
        let (offset, actual, diff) = found(&one, &other).unwrap();
        assert_eq!((offset, actual), (one.find("50<").unwrap(), one.find("50<").unwrap()));
        assert!(diff[0].ends_with("<Amount>12.50</Amount></r>"), "{diff:?}");
        assert!(diff[1].ends_with("<Amount>12.60</Amount></r>"), "{diff:?}");
        assert_eq!(diff[2].find('^'), diff[0].find("50<"), "{diff:?}");
    }

    #[test]
    fn white_space_order_and_length_are_differences() {
        assert_eq!(found("<a> <b/></a>", "<a><b/></a>").unwrap().0, 3);
        assert_eq!(
            found("<a/>", "<a/>\n").unwrap(),
            (4, 4, vec!["-<a/>".to_owned(), "+<a/>\\n".to_owned(), "     ^".to_owned(),])
        );
        assert_eq!(found("", "x").unwrap().0, 0);
        let word = format!("<Message>{ID}</Message>");
        assert!(found(&word, &word.replace(ID, OTHER)).is_some());
    }

    #[test]
    fn nothing_of_a_secret_is_shown() {
        let one = "<a><Session>s3cret-one</Session><b/></a>";
        let (offset, _, diff) = found(one, &one.replace("one", "two")).unwrap();
        assert_eq!(offset, one.find("one").unwrap());
        let reported = diff.concat();
        assert!(
            !reported.contains("s3cret") && !reported.contains("one") && reported.contains(HIDDEN),
            "{reported}"
        );
        assert_eq!(found("<IBAN>{{secret}}</IBAN>", "<IBAN>DE1</IBAN>"), None);
        assert_eq!(found("<m>for {{any ID}}.</m>", "<m>for 17.</m>"), None);
    }
}
