//! TOML as people write it: every complaint names the line and the key.
//!
//! A seed and a configuration are written by hand, so a mistake in one is reported so that it can
//! be found: `line 12: account.currency: …`. Unknown keys and values come with the known ones, or
//! with the one that was probably meant.

mod expected;

use serde::de::DeserializeOwned;
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// How alike two names must be, from 0 to 100, for one to be taken for a slip of the other.
const ALIKE_MIN: u32 = 60;

/// What is wrong in a text, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {}{message}", prefix(.key))]
pub struct TomlError {
    /// The line, counted from 1.
    pub line: usize,
    /// The key with the tables around it, such as `account.currency`; empty when there is none.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// Whether the value is of another type than its key takes.
    pub is_of_other_type: bool,
}

fn prefix(key: &str) -> String {
    if key.is_empty() { String::new() } else { format!("{key}: ") }
}

/// Reads `text` into a type that denies unknown fields.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, TomlError> {
    toml::from_str(text).map_err(|error| {
        let at = error.span().unwrap_or_default();
        let mut words = clarify(error.message());
        // The reader takes what stands for a moment, without quotes, for a table.
        if text.as_bytes().get(at.start).is_some_and(u8::is_ascii_digit) {
            words = words.replacen("is a table;", "is a moment without quotes;", 1);
        }
        let mut complaint = complain(text, &at, words);
        complaint.is_of_other_type = error.message().starts_with("invalid type");
        if let Some(missing) = quoted_after(error.message(), "missing field ") {
            let parent = prefix_of_table(&complaint.key);
            complaint.key = format!("{parent}{missing}");
        }
        complaint
    })
}

/// A complaint about what stands at `at`, whose key is looked up.
pub fn complain(text: &str, at: &Range<usize>, message: impl Into<String>) -> TomlError {
    let key = key_at(text, at.start).unwrap_or_else(|| key_in_line(text, at.start));
    let line = line_at(text, at.start);
    TomlError { line, key, message: message.into(), is_of_other_type: false }
}

/// The line on which the key of this path is written, if it is.
pub fn line_of(text: &str, path: &[&str]) -> Option<usize> {
    let document = DeTable::parse(text).ok()?;
    let (last, tables) = path.split_last()?;
    let mut table = document.get_ref();
    for name in tables {
        let (_, value) = table.iter().find(|(key, _)| key.get_ref() == name)?;
        let DeValue::Table(inner) = value.get_ref() else { return None };
        table = inner;
    }
    let (key, _) = table.iter().find(|(key, _)| key.get_ref() == last)?;
    Some(line_at(text, key.span().start))
}

/// The end of a message that names what was probably meant, or nothing: ``; did you mean `x`?``.
pub fn meant<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    suggest(wrong, known).map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}

/// The one of `known` that `wrong` was probably meant to be.
pub fn suggest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wrong = wrong.to_lowercase();
    let alike = |name: &str| {
        let longest = wrong.chars().count().max(name.chars().count()).max(1);
        let same =
            longest.saturating_sub(strsim::damerau_levenshtein(&wrong, &name.to_lowercase()));
        u32::try_from(same * 100 / longest).unwrap_or_default()
    };
    let best = known.into_iter().map(|name| (alike(name), name)).max_by_key(|(score, _)| *score);
    best.filter(|(score, _)| *score >= ALIKE_MIN).map(|(_, name)| name)
}

/// How many letters a slip is wrong by at most.
const SLIP_EDITS_MAX: usize = 2;

/// The one of `known` that `wrong` differs from by a slip of the hand, and not only by its case:
/// for messages whose usual words programs know, so that they change only for typists.
pub fn slip<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = suggest(wrong, known)?;
    let edits = strsim::damerau_levenshtein(&wrong.to_lowercase(), &near.to_lowercase());
    (1..=SLIP_EDITS_MAX).contains(&edits).then_some(near)
}

fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

fn prefix_of_table(key: &str) -> String {
    if key.is_empty() { String::new() } else { format!("{key}.") }
}

/// The message of a parser of TOML or JSON in words for users: keys instead of fields, and the name
/// that was probably meant.
pub fn clarify(message: &str) -> String {
    for (start, what) in [("unknown field ", "unknown key"), ("unknown variant ", "unknown value")]
    {
        if let Some(wrong) = quoted_after(message, start) {
            let known: Vec<&str> = message.split('`').skip(3).step_by(2).collect();
            return match suggest(wrong, known.iter().copied()) {
                Some(meant) => format!("{what} `{wrong}`; did you mean `{meant}`?"),
                None if known.is_empty() => format!("{what} `{wrong}`"),
                None => format!("{what} `{wrong}`; known are {}", list(&known)),
            };
        }
    }
    if quoted_after(message, "missing field ").is_some() {
        return "the key is missing".to_owned();
    }
    expected::in_words(message).unwrap_or_else(|| message.to_owned())
}

fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn quoted_after<'a>(message: &'a str, start: &str) -> Option<&'a str> {
    message.strip_prefix(start)?.split('`').nth(1)
}

/// The path of the key at `offset`: of the innermost key or value that covers it.
fn key_at(text: &str, offset: usize) -> Option<String> {
    let document = DeTable::parse(text).ok()?;
    in_table(document.get_ref(), offset)
}

fn in_table(table: &DeTable<'_>, offset: usize) -> Option<String> {
    table.iter().find_map(|(key, value)| {
        let name = key.get_ref();
        if let Some(inner) = in_value(value.get_ref(), offset) {
            return Some(if inner.is_empty() {
                name.to_string()
            } else {
                format!("{name}.{inner}")
            });
        }
        let here = key.span().contains(&offset) || value.span().contains(&offset);
        here.then(|| name.to_string())
    })
}

/// What covers `offset` inside a value: the path from there, or an empty one for an array's item.
fn in_value(value: &DeValue<'_>, offset: usize) -> Option<String> {
    match value {
        DeValue::Table(table) => in_table(table, offset),
        DeValue::Array(items) => items.iter().find_map(|item| {
            let inner = in_value(item.get_ref(), offset);
            inner.or_else(|| item.span().contains(&offset).then(String::new))
        }),
        _ => None,
    }
}

/// The key that the line at `offset` begins with, for texts that are no TOML at all.
fn key_in_line(text: &str, offset: usize) -> String {
    let line = text.lines().nth(line_at(text, offset) - 1).unwrap_or_default();
    let key = line.split_once('=').map_or("", |(key, _)| key.trim());
    let is_key = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    if key.bytes().all(is_key) { key.to_owned() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "that it is read is all that is tested")]
    struct Root {
        #[serde(default)]
        account: Vec<Account>,
        limits: Option<Limits>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "that it is read is all that is tested")]
    struct Account {
        currency: String,
        #[serde(default)]
        rule: Vec<Limits>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "that it is read is all that is tested")]
    struct Limits {
        connections_max: u32,
    }

    fn reported(text: &str) -> String {
        read::<Root>(text).unwrap_err().to_string()
    }

    #[test]
    fn every_complaint_has_its_line_and_key() {
        let cases = [
            ("\n[[account]]\n", "line 2: account.currency: the key is missing"),
            (
                "[[account]]\ncurrency = 'USD'\n[[account]]\ncurrency = 3\n",
                "line 4: account.currency: is 3; it must be a text in quotes",
            ),
            (
                "[limits]\n\nconnection_max = 1\n",
                "line 3: limits.connection_max: unknown key `connection_max`; \
                 did you mean `connections_max`?",
            ),
            (
                "[[account]]\ncurrency = 'USD'\n[[account.rule]]\nx = 1\n",
                "line 4: account.rule.x: unknown key `x`; known are `connections_max`",
            ),
            ("limits = 5\n", "line 1: limits: is 5; it must be a table"),
            (
                "[[account]]\ncurrency = 2026-01-02\n",
                "line 2: account.currency: is a moment without quotes; it must be a text in quotes",
            ),
            (
                "# one\nlimits = \n",
                "line 2: limits: string values must be quoted, expected literal string",
            ),
            (
                "[limits]\nconnections_max = 1\nconnections_max = 1\n",
                "line 3: connections_max: duplicate key",
            ),
            ("zebra = 1\n", "line 1: zebra: unknown key `zebra`; known are `account`, `limits`"),
        ];
        for (text, expected) in cases {
            assert_eq!(reported(text), expected, "{text}");
        }
    }

    #[test]
    fn a_key_is_found_by_its_path() {
        let text = "a = 1\n[limits]\n\nconnections_max = 1\n";
        assert_eq!(line_of(text, &["limits", "connections_max"]), Some(4));
        assert_eq!(line_of(text, &["a"]), Some(1));
        assert_eq!(line_of(text, &["limits", "b"]), None);
        assert_eq!(line_of(text, &["a", "b"]), None);
    }

    #[test]
    fn only_a_likely_name_is_suggested() {
        assert_eq!(suggest("lsiten", ["listen", "ledger"]), Some("listen"));
        assert_eq!(suggest("zebra", ["listen", "ledger"]), None);
        assert_eq!(suggest("", [""; 0]), None);
        assert_eq!(meant("lsiten", ["listen"]), "; did you mean `listen`?");
        assert_eq!(meant("zebra", ["listen"]), "");
    }

    #[test]
    fn a_slip_is_a_letter_or_two_and_more_than_the_case() {
        let known = ["Amount", "MethodType", "AccountId"];
        assert_eq!(slip("ammount", known), Some("Amount"));
        assert_eq!(slip("amnt", known), Some("Amount"));
        for other in ["amount", "MethodKind", "PaymentId", "zebra"] {
            assert_eq!(slip(other, known), None, "{other}");
        }
    }
}
