//! Secrets that are known by their value, wherever they turn up in a report, and what is written
//! down in the place of secrets.
//!
//! Those known by their element are taken out of reports by `domain::secret`.

use super::raw::{View, pattern};
use super::shape::is_session;
use crate::domain::secret::{
    ELEMENTS, HIDDEN, SESSION_CHARS, member_secrets, misplaced_secrets, without_secrets,
};
use crate::xml::decode;
use parking_lot::RwLock;
use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::LazyLock;

/// Stands in a file for a secret that is not written down; as an answer it means any.
pub(super) const UNTOLD: &str = "{{secret}}";

/// Shorter values turn up by chance.
const TELLING_BYTES: usize = 6;

/// What is written in the place of a live session, repeated to the length of one.
const EXAMPLE: &str = "example-session-";

/// The texts of elements with secrets, in bytes.
static TEXTS: LazyLock<Option<regex::bytes::Regex>> = LazyLock::new(|| pattern(&ELEMENTS));

/// Published numbers that belong to no person: of a card, of a bank account, and an IBAN.
pub(super) const TEST_NUMBERS: [&str; 3] =
    ["4111111111111111", "555001112223", "GB82WEST12345698765432"];

/// An answer as it may be written down: with an example in the place of a session, and nothing of
/// any other secret, wherever one of `secrets` stands.
pub(super) fn untold_answer(body: &[u8], secrets: &[String]) -> Vec<u8> {
    let view = View::of(body);
    let mut edits = Vec::new();
    for text in view.texts(TEXTS.as_ref()) {
        if view.text(&text.at).trim().is_empty() {
            continue;
        }
        let written = match text.element.as_str() {
            "session" => example_session(),
            _ => UNTOLD.to_owned(),
        };
        edits.push((text.at, written));
    }
    without_values(&view.with(&edits), secrets)
}

/// The body without these values, wherever they stand. Test numbers are no secrets.
pub(super) fn without_values(body: &[u8], secrets: &[String]) -> Vec<u8> {
    let mut body = body.to_vec();
    for secret in secrets.iter().filter(|secret| !TEST_NUMBERS.contains(&secret.as_str())) {
        let view = View::of(&body);
        let mut edits = Vec::new();
        let mut start = 0;
        while let Some(found) = view.bytes().get(start..).and_then(|rest| find(rest, secret)) {
            let at = start + found..start + found + secret.len();
            start = at.end;
            edits.push((at, UNTOLD.to_owned()));
        }
        if !edits.is_empty() {
            body = view.with(&edits);
        }
    }
    body
}

/// A made-up session in the form of those that this gateway gives.
fn example_session() -> String {
    EXAMPLE.chars().cycle().take(SESSION_CHARS).collect()
}

fn find(bytes: &[u8], text: &str) -> Option<usize> {
    bytes.windows(text.len()).position(|found| found == text.as_bytes())
}

/// A captured answer, in which a session that looks otherwise than ours stands for any: other
/// endpoints have others, and recorders write words in their place.
pub(super) fn with_any_session(body: &[u8]) -> Cow<'_, [u8]> {
    let view = View::of(body);
    let mut edits = Vec::new();
    for text in view.texts(TEXTS.as_ref()).into_iter().filter(|text| text.element == "session") {
        let session = view.text(&text.at);
        if !session.trim().is_empty() && !is_session(&session) {
            edits.push((text.at, UNTOLD.to_owned()));
        }
    }
    if edits.is_empty() { Cow::Borrowed(body) } else { Cow::Owned(view.with(&edits)) }
}

/// The secrets that a message holds, long enough not to be confused with other texts wherever they
/// are, the longest first: as they are written in it, and as others would write them.
pub(super) fn secrets_in(body: &[u8]) -> Vec<String> {
    let view = View::of(body);
    let texts = view.texts(TEXTS.as_ref()).into_iter();
    let whole = String::from_utf8_lossy(view.bytes());
    let misplaced: Vec<String> = misplaced_secrets(&whole).into_iter().map(str::to_owned).collect();
    let mut values: Vec<String> = texts
        .flat_map(|text| {
            let said = view.said(&text.at);
            [view.text(&text.at).trim().to_owned(), escaped(&said), said]
        })
        .chain(misplaced)
        .chain(member_secrets(&whole).into_iter().map(str::to_owned))
        .filter(|value| value.len() >= TELLING_BYTES && !value.starts_with("{{"))
        .collect();
    values.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
    values.dedup();
    values
}

/// A body as text, without the secrets known by their elements. Where it cannot be decoded, they
/// are found all the same, between the zeros of UTF-16 too.
pub(super) fn text_without_secrets(body: &[u8]) -> String {
    let text = match decode(body, None) {
        Ok(text) => text.into_owned(),
        Err(_) => String::from_utf8_lossy(body).replace('\0', ""),
    };
    without_secrets(&text).into_owned()
}

/// A text as the content of an element.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Secrets that are known by their value, wherever they turn up.
#[derive(Debug, Default)]
pub(super) struct KnownSecrets {
    values: RwLock<VecDeque<String>>,
}

/// So many are remembered; a capture may log in before every call.
const KNOWN_MAX: usize = 1_000;

impl KnownSecrets {
    pub(super) fn add(&self, value: &str) {
        let mut values = self.values.write();
        for value in [value.to_owned(), escaped(value)] {
            if !value.is_empty() && !values.contains(&value) {
                values.push_back(value);
            }
        }
        while values.len() > KNOWN_MAX {
            values.pop_front();
        }
    }

    /// Adds a value, if it is long enough not to be confused with other texts.
    pub(super) fn add_telling(&self, value: &str) {
        if value.len() >= TELLING_BYTES {
            self.add(value);
        }
    }

    /// Takes every known secret out of a text, the longest first, because one may be the beginning
    /// of another.
    pub(super) fn hide(&self, text: &mut String) {
        let values = self.values.read();
        let mut found: Vec<_> = values.iter().filter(|value| text.contains(*value)).collect();
        found.sort_by_key(|value| std::cmp::Reverse(value.len()));
        for value in found {
            *text = text.replace(value, HIDDEN);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_written_down_without_its_secrets() {
        let body = format!(
            "<a b='>'><S:Session>{}</S:Session><c>{}</c><IBAN/><IBAN>DE02</IBAN></a>",
            "s".repeat(255),
            "x".repeat(255)
        );
        let expected = format!(
            "<a b='>'><S:Session>{}</S:Session><c>{}</c><IBAN/><IBAN>{UNTOLD}</IBAN></a>",
            example_session(),
            "x".repeat(255)
        );
        assert_eq!(untold_answer(body.as_bytes(), &[]), expected.into_bytes());
        assert_eq!(untold_answer(b"\xff>", &[]), b"\xff>");
    }

    #[test]
    fn secrets_of_a_message_are_known_by_their_elements() {
        let body = b"<CreditCardNumber>4111111111111111</CreditCardNumber><password>ab</password>\
            <session>{{session}}</session>";
        assert_eq!(secrets_in(body), ["4111111111111111"]);
        let misplaced = b"<IBAN><v>DE89370400440532013000</v></IBAN><iban a='4012888888881881'/>";
        assert_eq!(secrets_in(misplaced), ["DE89370400440532013000", "4012888888881881"]);
        assert_eq!(
            without_values(misplaced, &secrets_in(misplaced)),
            b"<IBAN><v>{{secret}}</v>\
            </IBAN><iban a='{{secret}}'/>"
        );
    }

    #[test]
    fn a_secret_is_known_however_it_is_written() {
        let body = b"<password><![CDATA[p&ssw0rd]]></password><password>p&#38;ssw0rd2</password>";
        let secrets = secrets_in(body);
        for written in ["p&ssw0rd", "p&amp;ssw0rd", "p&ssw0rd2", "p&amp;ssw0rd2"] {
            assert!(secrets.iter().any(|secret| secret == written), "{written} in {secrets:?}");
        }
        let echoed = untold_answer(b"<m>p&amp;ssw0rd2, p&ssw0rd</m>", &secrets);
        assert_eq!(echoed, b"<m>{{secret}}, {{secret}}</m>");
    }

    #[test]
    fn of_two_secrets_that_begin_alike_nothing_is_left() {
        let secrets = KnownSecrets::default();
        for secret in ["s3cret", "s3cret-and-more", "a<b"] {
            secrets.add(secret);
        }
        let mut text = "s3cret-and-more a&lt;b".to_owned();
        secrets.hide(&mut text);
        assert_eq!(text, "<!-- hidden --> <!-- hidden -->");
    }

    #[test]
    fn known_secrets_are_hidden_wherever_they_are() {
        let secrets = KnownSecrets::default();
        secrets.add("");
        secrets.add("s3cret");
        let mut text = "a s3cret, s3cret".to_owned();
        secrets.hide(&mut text);
        assert_eq!(text, "a <!-- hidden -->, <!-- hidden -->");
    }
}
