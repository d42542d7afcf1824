//! The patterns of `like`: `%` once, at the start or the end, for any characters or none; `_`
//! anywhere, for exactly one.

use serde::{Deserialize, Serialize};

/// A pattern.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pattern {
    open: Open,
    /// The rest of the pattern, in which `_` is any character.
    fixed: String,
}

/// Where a pattern takes any characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Open {
    Nowhere,
    Start,
    End,
}

impl Pattern {
    /// Reads a pattern; none where `%` stands elsewhere than once at the start or the end.
    pub fn parse(text: &str) -> Option<Self> {
        let (open, fixed) = if let Some(rest) = text.strip_prefix('%') {
            (Open::Start, rest)
        } else if let Some(rest) = text.strip_suffix('%') {
            (Open::End, rest)
        } else {
            (Open::Nowhere, text)
        };
        (!fixed.contains('%')).then(|| Self { open, fixed: fixed.to_owned() })
    }

    /// The pattern as it is written.
    pub fn text(&self) -> String {
        match self.open {
            Open::Nowhere => self.fixed.clone(),
            Open::Start => format!("%{}", self.fixed),
            Open::End => format!("{}%", self.fixed),
        }
    }

    /// Whether `value` is of the pattern, letter by letter or in any case.
    pub fn matches(&self, value: &str, case_sensitive: bool) -> bool {
        let (value, fixed) = (fold(value, case_sensitive), fold(&self.fixed, case_sensitive));
        let wanted = fixed.chars().count();
        let surplus = value.chars().count().checked_sub(wanted);
        let skipped = match (self.open, surplus) {
            (_, None) | (Open::Nowhere, Some(1..)) => return false,
            (Open::Nowhere | Open::End, _) => 0,
            (Open::Start, Some(surplus)) => surplus,
        };
        value
            .chars()
            .skip(skipped)
            .zip(fixed.chars())
            .all(|(one, fixed)| fixed == '_' || one == fixed)
    }
}

/// The text that stands for `text` when it is compared.
pub fn fold(text: &str, case_sensitive: bool) -> String {
    if case_sensitive { text.to_owned() } else { text.to_lowercase() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, value: &str) -> bool {
        Pattern::parse(pattern).unwrap().matches(value, true)
    }

    #[test]
    fn percent_is_any_text_and_underscore_one_character() {
        for (pattern, good, bad) in [
            ("abc", "abc", "abcd"),
            ("ab%", "ab", "xab"),
            ("%bc", "aabc", "bcd"),
            ("a_c", "aéc", "ac"),
            ("_%", "x", ""),
            ("%", "", "\u{0}none"),
        ] {
            assert!(matches(pattern, good), "{pattern} {good}");
            assert!(pattern == "%" || !matches(pattern, bad), "{pattern} {bad}");
        }
        assert!(Pattern::parse("%a%").is_none() && Pattern::parse("a%b").is_none());
        assert_eq!(Pattern::parse("%").map(|pattern| pattern.text()).as_deref(), Some("%"));
    }

    #[test]
    fn case_counts_only_when_it_should() {
        let pattern = Pattern::parse("ÄB%").unwrap();
        assert!(pattern.matches("äbc", false) && !pattern.matches("äbc", true));
    }
}
