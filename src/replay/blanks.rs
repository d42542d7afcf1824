//! Blanks: what recorders and people leave in a capture in the place of a value.
//!
//! These are blanks, and nothing else is: `<%= name %>` as Ruby writes it, `{{name}}`, `${name}`,
//! and a word in angle brackets that no end tag follows, in capitals or with an underscore, such as
//! `<PASSWORD>` or `<account_id>`. The placeholders that a replay fills by itself (`{{session}}`,
//! `{{session:NAME}}`, `{{password}}`, `{{secret}}`) are none of them.
//!
//! What must stay true: a request with a blank in it is never sent.

use super::raw::{View, pattern};
use super::secret::escaped;
use regex::bytes::{Captures, Regex};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::LazyLock;

/// A blank in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Blank {
    /// Where it is in the view of the message.
    pub(super) at: Range<usize>,
    /// Its name, in characters that `--set` can name.
    pub(super) name: String,
}

static BLANK: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let name = r"[A-Za-z_$#][A-Za-z0-9_.:#$@-]*";
    let word = r"[A-Z][A-Z0-9_]*(?:[ -][A-Z0-9_]+)*|[a-z][a-z0-9]*(?:_[a-z0-9]+)+";
    let ruby = r"<%[=-]?\s*([^%\s][^%]{0,200}?)\s*-?%>";
    Regex::new(&format!(r"(?-u){ruby}|\{{\{{\s*({name})\s*\}}\}}|\$\{{({name})\}}|<({word})>")).ok()
});

/// The placeholders that a replay fills by itself, or sends as they are.
const RESERVED: [&str; 3] = ["session", "password", "secret"];

/// The blanks of a message, in their order.
pub(super) fn find(view: &View<'_>) -> Vec<Blank> {
    let message = view.bytes();
    let found = BLANK.as_ref().into_iter().flat_map(|blank| blank.captures_iter(message));
    found.filter_map(|captures| blank(message, &captures)).collect()
}

fn blank(message: &[u8], captures: &Captures<'_>) -> Option<Blank> {
    let at = captures.get(0)?.range();
    let group = |number: usize| {
        captures.get(number).map(|found| String::from_utf8_lossy(found.as_bytes()).into_owned())
    };
    if let Some(expression) = group(1) {
        return Some(Blank { at, name: named(&expression) });
    }
    if let Some(name) = group(2) {
        let first = name.split(':').next().unwrap_or_default();
        return (!RESERVED.contains(&first)).then_some(Blank { at, name });
    }
    if let Some(name) = group(3) {
        return Some(Blank { at, name });
    }
    let name = group(4)?;
    let end = format!("</{name}");
    let is_element = message.windows(end.len()).any(|found| found == end.as_bytes());
    (!is_element).then(|| Blank { at, name: named(&name) })
}

/// The name in an expression of Ruby, such as `ENV['NAME']`: what is quoted, or all of it.
fn named(expression: &str) -> String {
    let parts: Vec<&str> = expression.split(['\'', '"']).collect();
    let name = if parts.len() >= 3 { parts.get(1).copied() } else { None };
    let name = name.unwrap_or(expression);
    let plain = |letter: char| if is_of_name(letter) { letter } else { '_' };
    name.trim().trim_start_matches(['@', ':']).chars().map(plain).collect()
}

fn is_of_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "_.:#$@-".contains(letter)
}

/// The message with another text in the place of each blank that has one; nothing if none has.
fn replaced(message: &[u8], text: impl Fn(&str) -> Option<String>) -> Option<Vec<u8>> {
    let view = View::of(message);
    let edits: Vec<_> =
        find(&view).into_iter().filter_map(|blank| Some((blank.at, text(&blank.name)?))).collect();
    (!edits.is_empty()).then(|| view.with(&edits))
}

/// A URL with a digit in the place of each blank, which may stand for a host or a port as well, and
/// the blanks; nothing if it has none.
pub(super) fn in_url(url: &str) -> Option<(String, Vec<Blank>)> {
    let plain = replaced(url.as_bytes(), |_| Some("1".to_owned()))?;
    Some((String::from_utf8(plain).ok()?, find(&View::of(url.as_bytes()))))
}

/// The message as XML would read it: with a word in the place of each blank.
pub(super) fn neutral(message: &[u8]) -> Cow<'_, [u8]> {
    replaced(message, |_| Some("blank".to_owned())).map_or(Cow::Borrowed(message), Cow::Owned)
}

/// The request with the values of the blanks that have one.
pub(super) fn filled(request: &[u8], value: impl Fn(&str) -> Option<String>) -> Option<Vec<u8>> {
    replaced(request, |name| value(name).map(|value| quoted(&value)))
}

/// The names of the blanks of a request that stand outside the elements whose texts a replay swaps.
pub(super) fn names_outside_secrets(request: &[u8]) -> Vec<String> {
    let view = View::of(request);
    let swapped: Vec<_> = view.texts(SWAPPED.as_ref()).into_iter().map(|text| text.at).collect();
    let is_outside = |blank: &Blank| !swapped.iter().any(|at| at.contains(&blank.at.start));
    once(find(&view).into_iter().filter(is_outside))
}

/// The texts that a replay swaps: those of logins, and sessions.
static SWAPPED: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(&["username", "password", "session"]));

/// The names of blanks, each once.
pub(super) fn once(blanks: impl Iterator<Item = Blank>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for blank in blanks {
        if !names.contains(&blank.name) {
            names.push(blank.name);
        }
    }
    names
}

/// What to say of a request whose blanks have no value.
pub(super) fn missing(names: &[String]) -> String {
    let given: Vec<_> = names.iter().map(|name| format!("--set {name}=VALUE")).collect();
    format!("it needs {}: give {}", names.join(" and "), given.join(" "))
}

/// A captured answer with the values of the blanks that have one, and of others a mark that means
/// any text.
pub(super) fn answer(answer: &[u8], values: &Values) -> Option<Vec<u8>> {
    replaced(answer, |name| Some(values.get(name).map_or_else(|| any(name), quoted)))
}

/// The mark that means any text, in an answer.
pub(super) fn any(name: &str) -> String {
    format!("{ANY}{name}}}}}")
}

const ANY: &str = "{{any ";

/// The name in a text that is such a mark and nothing else.
pub(super) fn any_of(text: &str) -> Option<&str> {
    let name = text.trim().strip_prefix(ANY)?.strip_suffix("}}")?;
    name.chars().all(is_of_name).then_some(name)
}

/// What a text with such marks in it matches, and how it is shown; nothing if it has none.
pub(super) fn loose(text: &str) -> Option<(regex::Regex, String)> {
    if !text.contains(ANY) {
        return None;
    }
    let (mut pattern, mut shown) = ("(?s)^".to_owned(), String::new());
    let mut parts = text.split(ANY);
    let first = parts.next().unwrap_or_default();
    pattern.push_str(&regex::escape(first));
    shown.push_str(first);
    for part in parts {
        let (name, rest) = part.split_once("}}").unwrap_or(("", part));
        pattern.push_str(".*");
        pattern.push_str(&regex::escape(rest));
        shown.push_str(&format!("<!-- any {name} -->{rest}"));
    }
    pattern.push('$');
    regex::Regex::new(&pattern).ok().map(|pattern| (pattern, shown))
}

fn quoted(value: &str) -> String {
    escaped(value).replace('"', "&quot;")
}

/// Values of blanks, by their names.
#[derive(Clone, Default)]
pub struct Values(BTreeMap<String, String>);

/// Names like these are of secrets.
const SECRET: [&str; 7] = ["pass", "session", "token", "secret", "card", "pwd", "apikey"];

impl Values {
    /// Reads a list of `NAME=VALUE`; of several for a name the last one counts.
    pub fn of(pairs: Vec<(String, String)>) -> Self {
        Self(pairs.into_iter().collect())
    }

    /// The value of a blank; its name is looked for as it is, then in any case of letters.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let alike = || self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        self.0.get(name).or_else(|| alike().map(|(_, value)| value)).map(String::as_str)
    }

    /// Names and values.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether some blank has this value.
    pub(super) fn has_value(&self, value: &str) -> bool {
        self.0.values().any(|known| known == value)
    }

    /// The values whose names say that they are secrets.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &str> {
        let is_secret = |name: &str| {
            let name = name.to_ascii_lowercase().replace(['_', '-'], "");
            SECRET.iter().any(|part| name.contains(part))
        };
        self.0.iter().filter(move |(name, _)| is_secret(name)).map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for Values {
    /// Without the values, which may be secrets.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(pairs: &[(&str, &str)]) -> Values {
        Values::of(pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect())
    }

    fn names(request: &[u8]) -> Vec<String> {
        once(find(&View::of(request)).into_iter())
    }

    #[test]
    fn what_is_swapped_anyway_is_not_missing() {
        let request = b"<password><PASSWORD></password><a><%= x %></a><a><%= x %></a><b>${y}</b>";
        let missing = names_outside_secrets(request);
        assert_eq!(missing, ["x", "y"]);
        assert_eq!(super::missing(&missing), "it needs x and y: give --set x=VALUE --set y=VALUE");
    }

    #[test]
    fn every_kind_of_blank_is_found_by_its_name() {
        for (text, name) in [
            ("<a><PASSWORD></a>", "PASSWORD"),
            ("<a><ACCOUNT ID></a>", "ACCOUNT_ID"),
            ("<a><account_id></a>", "account_id"),
            ("<a><%= session %></a>", "session"),
            ("<a><%= ENV['ZUORA_USER'] %></a>", "ZUORA_USER"),
            ("<a><%= ENV.fetch(\"KEY\", 'x') -%></a>", "KEY"),
            ("<a><%= @account.id %></a>", "account.id"),
            ("<a>{{ accountId }}</a>", "accountId"),
            ("<a>{{$guid}}</a>", "$guid"),
            ("<a>${#Project#x}</a>", "#Project#x"),
        ] {
            assert_eq!(names(text.as_bytes()), [name], "{text}");
            let wide: Vec<u8> =
                format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
            assert_eq!(names(&wide), [name], "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_one_is_none() {
        for text in [
            "<IBAN>x</IBAN><my_field>1</my_field>",
            "<ID/>",
            "{{session}}{{session:a@b.c}}{{password}}{{secret}}",
            "<Amount>10</Amount> $5 {} ${} {{}} <% %>",
            "<a>&lt;PASSWORD&gt;</a>",
            "<login><Username></login>",
        ] {
            assert_eq!(names(text.as_bytes()), [""; 0], "{text}");
            assert!(matches!(neutral(text.as_bytes()), Cow::Borrowed(_)), "{text}");
        }
    }

    #[test]
    fn blanks_are_filled_by_name_in_any_case() {
        let set = values(&[("account_id", "402"), ("X", "a&b")]);
        let request = b"<a><ACCOUNT_ID></a><b>{{x}}</b><c>${y}</c>";
        let filled = filled(request, |name| set.get(name).map(str::to_owned)).unwrap();
        assert_eq!(filled, b"<a>402</a><b>a&amp;b</b><c>${y}</c>");
        assert_eq!(names(&filled), ["y"]);
        assert_eq!(format!("{set:?}"), r#"{"X", "account_id"}"#);
        let secrets = values(&[("ZUORA_PASSWORD", "p"), ("API-KEY", "k"), ("ACCOUNT", "a")]);
        assert_eq!(secrets.secrets().collect::<Vec<_>>(), ["k", "p"]);
    }

    #[test]
    fn in_an_answer_an_unknown_blank_means_any_text() {
        let set = values(&[("B", "2")]);
        let answer = answer(b"<a><ID></a><b><B></b>", &set).unwrap();
        assert_eq!(answer, b"<a>{{any ID}}</a><b>2</b>");
        assert_eq!((any_of(" {{any ID}} "), any_of("x{{any ID}}")), (Some("ID"), None));
        let (pattern, shown) = loose("for (a) {{any ID}}.").unwrap();
        assert!(pattern.is_match("for (a) 402.") && !pattern.is_match("for a 402."));
        assert_eq!(shown, "for (a) <!-- any ID -->.");
        assert!(loose("nothing").is_none());
    }
}
