//! The query string of a request to the admin API, or a form of the console: pairs of a closed set
//! of keys.
//!
//! What must stay true: a key that is unknown or comes twice is refused and never passed over,
//! because a filter that does nothing shows what was not asked for.

use crate::domain::percent;
use crate::domain::toml_text::meant;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// The longest value, in bytes.
const VALUE_BYTES_MAX: usize = 512;

/// The pairs of a query string.
#[derive(Debug)]
pub struct Pairs(Vec<(&'static str, String)>);

impl Pairs {
    /// Reads the pairs, whose keys are `known`; an empty value is no value.
    ///
    /// # Errors
    /// A sentence that names the key that is unknown or comes twice, or whose value is no text or
    /// too long.
    pub fn parse(query: &str, known: &[&'static str]) -> Result<Self, String> {
        Self::parse_long(query, known, VALUE_BYTES_MAX)
    }

    /// The same where a value may have more bytes.
    ///
    /// # Errors
    /// As above.
    pub fn parse_long(
        query: &str,
        known: &[&'static str],
        value_bytes_max: usize,
    ) -> Result<Self, String> {
        let mut pairs = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let is_key = |known: &&&'static str| **known == key;
            let Some(key) = known.iter().find(is_key) else {
                let meant = meant(key, known.iter().copied());
                return Err(format!("`{key}` is none of {}{meant}", known.join(", ")));
            };
            if pairs.iter().any(|(earlier, _)| earlier == key) {
                return Err(format!("{key} comes twice"));
            }
            let value = percent::decoded_of_form(value)
                .ok_or_else(|| format!("{key}: the value is no text"))?;
            if value.len() > value_bytes_max {
                return Err(format!("{key} has more than {value_bytes_max} bytes"));
            }
            pairs.push((*key, value));
        }
        Ok(Self(pairs))
    }

    /// The value of a key.
    pub fn text(&self, key: &str) -> Option<&str> {
        let found = self.0.iter().find(|(name, _)| *name == key);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The number that is the value of a key.
    ///
    /// # Errors
    /// A sentence, where it is none within these bounds.
    pub fn number<N>(&self, key: &str, bounds: RangeInclusive<N>) -> Result<Option<N>, String>
    where
        N: FromStr + PartialOrd + Display,
    {
        let Some(text) = self.text(key) else {
            return Ok(None);
        };
        let number = text.parse().ok().filter(|number| bounds.contains(number));
        let (least, most) = (bounds.start(), bounds.end());
        let wrong = || format!("{key}: `{text}` is no number from {least} to {most}");
        number.ok_or_else(wrong).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Regression: `?acount=` was refused without the key that was meant.
    #[test]
    fn a_misspelt_key_is_answered_with_the_one_that_was_meant() {
        let wrong = Pairs::parse("acount=1", &["limit", "account"]).unwrap_err();
        assert_eq!(wrong, "`acount` is none of limit, account; did you mean `account`?");
    }

    #[test]
    fn pairs_are_read_and_nothing_is_passed_over() {
        let pairs = Pairs::parse("a=x%20y+z&b=7&c=", &["a", "b", "c"]).unwrap();
        assert_eq!((pairs.text("a"), pairs.text("c")), (Some("x y z"), None));
        assert_eq!(pairs.number("b", 1..=10), Ok(Some(7)));
        assert_eq!(pairs.number("c", 1..=10), Ok(None));
        assert!(pairs.number("b", 8..=10).unwrap_err().contains("8 to 10"));
        assert!(pairs.number("a", 1..=10).unwrap_err().contains("x y z"));
        for (bad, named) in [
            ("d=1", "`d` is none of a, b, c"),
            ("a=1&a=2", "a comes twice"),
            ("a=%", "no text"),
            ("a=%zz", "no text"),
            ("a=%ff", "no text"),
            (&format!("a={}", "x".repeat(600)), "more than 512"),
        ] {
            assert!(Pairs::parse(bad, &["a", "b", "c"]).unwrap_err().contains(named), "{bad}");
        }
    }
}
