//! The query of a request: names and values, decoded as those of a form.

use crate::domain::percent;
use crate::domain::text::Text;
use crate::domain::toml_text::suggest;

/// The most characters of a name that an answer repeats.
const SHOWN_CHARS_MAX: usize = 100;

/// The parameters of a request, each name once.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads what follows the question mark, or the body of a form.
    ///
    /// # Errors
    /// A sentence, where a name is there twice or the text cannot be decoded.
    pub(super) fn read(text: &str) -> Result<Self, Text> {
        let mut all: Vec<(String, String)> = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (Some(name), Some(value)) = (value_of(name), value_of(value)) else {
                return Err(Text::new("The parameters of the query cannot be decoded.", []));
            };
            if all.iter().any(|(known, _)| *known == name) {
                let shown: String = name.chars().take(SHOWN_CHARS_MAX).collect();
                let words = "The parameter <name> is there twice.";
                return Err(Text::new(words, [("name", &shown)]));
            }
            all.push((name, value));
        }
        Ok(Self(all))
    }

    /// The value of a parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All of them, as sent.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// That no parameter is there beside these.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Text> {
        match self.0.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some((name, _)) => Err(unknown(name, known)),
        }
    }
}

/// That there is no parameter of this name, and which one was probably meant.
pub(super) fn unknown(name: &str, known: &[&str]) -> Text {
    let shown: String = name.chars().take(SHOWN_CHARS_MAX).collect();
    match suggest(&shown, known.iter().copied()) {
        Some(near) => Text::new(
            "There is no parameter <name>. Did you mean <near>?",
            [("name", &shown), ("near", near)],
        ),
        None => Text::new("There is no parameter <name>.", [("name", &shown)]),
    }
}

/// A name or a value as it is meant; none where it is no text, or one that no field can hold.
fn value_of(text: &str) -> Option<String> {
    percent::decoded_of_form(text).filter(|text| !text.contains('\0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_and_each_is_there_once() {
        let read = Parameters::read("a=1+2&b=%C3%A9&&c").unwrap();
        assert_eq!((read.get("a"), read.get("b")), (Some("1 2"), Some("é")));
        assert_eq!((read.get("c"), read.get("d")), (Some(""), None));
        assert!(read.only(&["a", "b", "c"]).is_ok() && read.only(&["a"]).is_err());
        let reported = unknown("accountid", &["page", "accountId"]).to_string();
        assert_eq!(reported, "There is no parameter accountid. Did you mean accountId?");
        assert_eq!(unknown("zebra", &["page"]).to_string(), "There is no parameter zebra.");
        for wrong in ["a=1&a=2", "a=%zz", "a=%4", "a=%ff", "a=%00", "a=%+1"] {
            assert!(Parameters::read(wrong).is_err(), "{wrong}");
        }
    }
}
