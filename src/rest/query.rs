//! The query of a request: names and values, decoded as those of a form.

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
            let (Some(name), Some(value)) = (decoded(name), decoded(value)) else {
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

/// A text without its escapes: `+` is a blank, `%41` is `A`; none where it is no UTF-8.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                let digits = std::str::from_utf8(&digits).ok()?;
                let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
                u8::from_str_radix(digits, 16).ok().filter(|_| is_hex)?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}

/// A text with escapes for what a query cannot hold as it is.
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded_again(text in "[^\0]{0,40}") {
            let read = Parameters::read(&format!("x={}", encoded(&text))).unwrap();
            prop_assert_eq!(read.get("x"), Some(text.as_str()));
        }
    }
}
