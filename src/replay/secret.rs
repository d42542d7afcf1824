//! Secrets that are known by their value, wherever they turn up in a report, and what is written
//! down in the place of secrets.
//!
//! Those that their element tells are taken out of reports by `soap::secret`.

use super::raw::{View, pattern};
use super::shape::is_session;
use crate::soap::secret::{ELEMENTS, HIDDEN};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::{LazyLock, PoisonError, RwLock};

/// Stands in a file for a secret that is not written down; as an answer it means any.
pub(super) const UNTOLD: &str = "{{secret}}";

/// Shorter values turn up by chance.
const TELLING_BYTES: usize = 6;

/// What is written in the place of a live session, repeated to the length of one.
const EXAMPLE_SESSION: &str = "example-session-";

/// The texts of elements with secrets, in bytes.
static TEXTS: LazyLock<Option<regex::bytes::Regex>> = LazyLock::new(|| pattern(&ELEMENTS));

/// An answer as it may be written down: with an example in the place of a session, and nothing of
/// any other secret.
pub(super) fn untold_answer(body: &[u8]) -> Vec<u8> {
    let view = View::of(body);
    let mut edits = Vec::new();
    for text in view.texts(TEXTS.as_ref()) {
        if view.text(&text.at).trim().is_empty() {
            continue;
        }
        let written = match text.element.as_str() {
            "session" => EXAMPLE_SESSION.repeat(16),
            _ => UNTOLD.to_owned(),
        };
        edits.push((text.at, written));
    }
    view.with(&edits)
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

/// The secrets that a message holds, long enough to be told from other texts wherever they are.
pub(super) fn secrets_in(body: &[u8]) -> Vec<String> {
    let view = View::of(body);
    let texts = view.texts(TEXTS.as_ref()).into_iter();
    let values = texts.map(|text| view.text(&text.at).trim().to_owned());
    values.filter(|value| value.len() >= TELLING_BYTES && !value.starts_with("{{")).collect()
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
        if !value.is_empty() {
            let mut values = self.values.write().unwrap_or_else(PoisonError::into_inner);
            values.push_back(value.to_owned());
            if values.len() > KNOWN_MAX {
                values.pop_front();
            }
        }
    }

    /// Takes every known secret out of a text.
    pub(super) fn hide(&self, text: &mut String) {
        for value in self.values.read().unwrap_or_else(PoisonError::into_inner).iter() {
            if text.contains(value) {
                *text = text.replace(value, HIDDEN);
            }
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
            "s".repeat(256),
            "x".repeat(255)
        );
        let expected = format!(
            "<a b='>'><S:Session>{}</S:Session><c>{}</c><IBAN/><IBAN>{UNTOLD}</IBAN></a>",
            EXAMPLE_SESSION.repeat(16),
            "x".repeat(255)
        );
        assert_eq!(untold_answer(body.as_bytes()), expected.into_bytes());
        assert_eq!(untold_answer(b"\xff>"), b"\xff>");
    }

    #[test]
    fn secrets_of_a_message_are_known_by_their_elements() {
        let body = b"<CreditCardNumber>4111111111111111</CreditCardNumber><password>ab</password>\
            <session>{{session}}</session>";
        assert_eq!(secrets_in(body), ["4111111111111111"]);
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
