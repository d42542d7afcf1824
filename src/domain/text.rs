//! What is reported to a caller when something fails: a text with places for values, such as
//! `The payment <number> is <Status>.`
//!
//! What must stay true: the text and the values stay apart until the answer is written, so that
//! other words can be put around the same values; what a caller sent is never taken for a place.

use super::toml_text::meant;
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// A text and the values for its places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    template: Cow<'static, str>,
    values: Vec<(&'static str, String)>,
}

impl Text {
    /// A text in which each `<place>` stands for the value beside its name.
    pub fn new<const N: usize>(template: &'static str, values: [(&'static str, &str); N]) -> Self {
        let values = values.map(|(place, value)| (place, value.to_owned())).into();
        Self { template: Cow::Borrowed(template), values }
    }

    /// A text that is reported as it stands.
    pub fn verbatim(text: String) -> Self {
        Self { template: Cow::Owned(text), values: Vec::new() }
    }

    /// The text with its places.
    pub fn template(&self) -> &str {
        &self.template
    }

    /// The value of a place.
    pub fn value(&self, place: &str) -> Option<&str> {
        self.values.iter().find(|(name, _)| *name == place).map(|(_, value)| value.as_str())
    }

    /// The values, put into these words instead of the text's own.
    pub fn in_words(&self, template: &str) -> String {
        let mut reported = String::with_capacity(template.len() + 32);
        for piece in pieces(template) {
            match piece {
                Piece::Words(words) => reported.push_str(words),
                Piece::Place(name) => match self.values.iter().find(|(place, _)| *place == name) {
                    Some((_, value)) => reported.push_str(value),
                    None => reported.extend(["<", name, ">"]),
                },
            }
        }
        reported
    }
}

impl fmt::Display for Text {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.values.is_empty() {
            return out.write_str(&self.template);
        }
        out.write_str(&self.in_words(&self.template))
    }
}

impl Serialize for Text {
    /// Its values by the names of their places: words may change, what was sent does not.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.values.iter().map(|(place, value)| (place, value)))
    }
}

/// Other words for texts, by the texts' templates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wording(Arc<HashMap<String, String>>);

/// Words that cannot stand for a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WordingError {
    /// No answer has this text; what was probably meant, as [`meant`] writes it.
    #[error("no answer has the text `{0}`{1}; docs/FAULTS.md lists those that answers have")]
    UnknownText(String, String),
    /// There is nothing to say.
    #[error("other words for `{0}` must not be empty")]
    Empty(String),
    /// The text has no value for a place of the other words.
    #[error("`{text}` has no `<{place}>`")]
    UnknownPlace {
        /// The text.
        text: String,
        /// The place.
        place: String,
    },
}

impl Wording {
    /// Takes `words` for the text of the template `text`, which must be one of the `known`.
    pub fn with(&self, known: &[String], text: &str, words: &str) -> Result<Self, WordingError> {
        if !known.iter().any(|one| one == text) {
            let meant = meant(text, known.iter().map(String::as_str));
            return Err(WordingError::UnknownText(text.to_owned(), meant));
        }
        if words.trim().is_empty() {
            return Err(WordingError::Empty(text.to_owned()));
        }
        if let Some(place) = places(words).find(|place| !places(text).any(|one| one == *place)) {
            let (text, place) = (text.to_owned(), place.to_owned());
            return Err(WordingError::UnknownPlace { text, place });
        }
        let mut all = HashMap::clone(&self.0);
        all.insert(text.to_owned(), words.to_owned());
        Ok(Self(Arc::new(all)))
    }

    /// The text in these words, or in its own.
    pub fn report(&self, text: &Text) -> String {
        match self.0.get(text.template()) {
            Some(words) => text.in_words(words),
            None => text.to_string(),
        }
    }
}

/// The names of the places in a template, in their order.
pub fn places(template: &str) -> impl Iterator<Item = &str> {
    pieces(template).filter_map(|piece| match piece {
        Piece::Words(_) => None,
        Piece::Place(name) => Some(name),
    })
}

enum Piece<'t> {
    Words(&'t str),
    /// A name that stood between `<` and `>`.
    Place(&'t str),
}

fn pieces(template: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = template;
    std::iter::from_fn(move || {
        let open = rest.strip_prefix('<').and_then(|open| open.split_once('>'));
        if let Some((name, behind)) = open.filter(|(name, _)| is_name(name)) {
            rest = behind;
            return Some(Piece::Place(name));
        }
        // A `<` before anything but a name is a word like any other.
        let from = usize::from(rest.starts_with('<'));
        let end = rest.get(from..)?.find('<').map_or(rest.len(), |at| at + from);
        let (words, behind) = rest.split_at(end);
        rest = behind;
        (!words.is_empty()).then_some(Piece::Words(words))
    })
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const IS: &str = "The payment <number> is <Status>.";

    #[test]
    fn values_stand_in_their_places_and_other_words_may_stand_around_them() {
        let text = Text::new(IS, [("number", "P-1"), ("Status", "Voided")]);
        assert_eq!(text.to_string(), "The payment P-1 is Voided.");
        assert_eq!(text.in_words("<Status>: <number>, <number>"), "Voided: P-1, P-1");
        assert_eq!(text.in_words("nothing"), "nothing");
        assert_eq!(text.in_words("1 < <number> <> <a b>"), "1 < P-1 <> <a b>");
        assert_eq!(text.template(), IS);
        assert_eq!(places(IS).collect::<Vec<_>>(), ["number", "Status"]);
    }

    #[test]
    fn what_a_caller_sent_is_no_place() {
        let text = Text::new(IS, [("number", "<Status>"), ("Status", "<number>")]);
        assert_eq!(text.to_string(), "The payment <Status> is <number>.");
        assert_eq!(Text::verbatim("a <b> <".to_owned()).to_string(), "a <b> <");
    }

    #[test]
    fn other_words_are_for_a_known_text_and_have_its_places() {
        let known = [IS.to_owned()];
        let wording = Wording::default().with(&known, IS, "<Status>!").unwrap();
        let text = Text::new(IS, [("number", "P-1"), ("Status", "Voided")]);
        assert_eq!(wording.report(&text), "Voided!");
        assert_eq!(wording.report(&Text::new("Else.", [])), "Else.");
        assert_eq!(
            wording.with(&known, "Else.", "x"),
            Err(WordingError::UnknownText("Else.".to_owned(), String::new()))
        );
        assert_eq!(wording.with(&known, IS, " "), Err(WordingError::Empty(IS.to_owned())));
        let unknown =
            WordingError::UnknownPlace { text: IS.to_owned(), place: "amount".to_owned() };
        assert_eq!(wording.with(&known, IS, "<amount>"), Err(unknown));
    }

    proptest! {
        #[test]
        fn words_without_a_place_are_told_as_they_are(words in "[^>]{0,20}", more in "[^<]{0,20}") {
            let text = Text::new(IS, [("number", ""), ("Status", "")]);
            prop_assert_eq!(text.in_words(&words), words);
            prop_assert_eq!(text.in_words(&more), more);
        }
    }
}
