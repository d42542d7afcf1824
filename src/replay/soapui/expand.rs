//! Property expansion: `${#TestCase#x}`, `${Step#Response#//a}` and their like in a text.
//!
//! What must stay true: nothing of the machine gets into a text (`${#Env#x}`, `${#System#x}`), no
//! script is run (`${=...}`), and no project can make an expansion that does not end or that takes
//! the memory. What an endpoint answered is never expanded in its turn.

use super::scope::{Absent, Owner, Scope};
use super::script;
use super::xpath::{XPathError, evaluate};

/// How deep values may name other values.
const DEPTH_MAX: usize = 16;
/// How many expansions one text may take in all.
const EXPANSIONS_MAX: usize = 10_000;
/// How large a text may become.
const TEXT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Stands for what of a text is not known. No text of a project has it, because no XML has.
pub(super) const MISSING: char = '\0';

/// Why a text cannot be expanded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ExpandError {
    /// It asks for what is never given.
    #[error("`${{{0}}}` is never expanded: {1}")]
    Never(String, &'static str),
    /// It names what is not there.
    #[error("`${{{0}}}`: {1}")]
    Unknown(String, String),
    /// What would have set it was not run.
    #[error("`${{{0}}}` is not known: {1}")]
    Unset(String, String),
    /// It would not end, or be too large.
    #[error("{0}")]
    TooMuch(String),
    /// Its path is none that is understood, or its value no XML.
    #[error("`${{{0}}}`: {1}")]
    Path(String, XPathError),
}

/// Expands the texts of one step.
pub(super) struct Expander<'s> {
    scope: &'s Scope,
    left: usize,
    /// What was not known of a text that is expanded in parts; none if it is to be known whole.
    missing: Option<Vec<ExpandError>>,
    /// What a reader of the report should know, although nothing failed.
    pub(super) notes: Vec<String>,
}

impl<'s> Expander<'s> {
    pub(super) fn new(scope: &'s Scope) -> Self {
        Self { scope, left: EXPANSIONS_MAX, missing: None, notes: Vec::new() }
    }

    /// The text with everything in it expanded.
    pub(super) fn expand(&mut self, text: &str) -> Result<String, ExpandError> {
        self.left = EXPANSIONS_MAX;
        self.expand_at(text, 0)
    }

    /// A property with everything in it expanded; empty if there is none.
    pub(super) fn property(&mut self, owner: Owner<'_>, name: &str) -> Result<String, ExpandError> {
        match self.scope.get(owner, name) {
            Ok(value) => self.expand(value),
            Err(Absent::Unknown) => Ok(String::new()),
            Err(Absent::Unset(why)) => {
                Err(ExpandError::Unset(format!("{}#{name}", owner.key()), why))
            }
        }
    }

    /// A property with everything in it expanded that is known; [`MISSING`] stands for each part
    /// that is not, and the errors say why.
    pub(super) fn property_in_parts(
        &mut self,
        owner: Owner<'_>,
        name: &str,
    ) -> Result<(String, Vec<ExpandError>), ExpandError> {
        self.missing = Some(Vec::new());
        let expanded = self.property(owner, name);
        let missing = self.missing.take().unwrap_or_default();
        Ok((expanded?, missing))
    }

    fn expand_at(&mut self, text: &str, depth: usize) -> Result<String, ExpandError> {
        if depth > DEPTH_MAX {
            let start: String = text.chars().take(60).collect();
            return Err(ExpandError::TooMuch(format!(
                "values name values deeper than {DEPTH_MAX}, at `{start}`"
            )));
        }
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            // `$${x}` stands for `${x}` itself.
            if let Some(before) = before.strip_suffix('$') {
                out.push_str(before);
                out.push_str("${");
                rest = after;
                continue;
            }
            let Some(end) = closing(after) else { break };
            let (inner, following) = after.split_at(end);
            out.push_str(before);
            let value = self.value(inner, depth);
            match (value, &mut self.missing) {
                (Ok(value), _) => out.push_str(&value),
                (Err(error), Some(missing)) if !matches!(error, ExpandError::TooMuch(_)) => {
                    missing.push(error);
                    out.push(MISSING);
                }
                (Err(error), _) => return Err(error),
            }
            if out.len() > TEXT_BYTES_MAX {
                return Err(ExpandError::TooMuch(format!(
                    "it becomes larger than {TEXT_BYTES_MAX} bytes"
                )));
            }
            rest = following.strip_prefix('}').unwrap_or(following);
        }
        out.push_str(rest);
        Ok(out)
    }

    fn value(&mut self, inner: &str, depth: usize) -> Result<String, ExpandError> {
        let Some(left) = self.left.checked_sub(1) else {
            return Err(ExpandError::TooMuch(format!(
                "it takes more than {EXPANSIONS_MAX} expansions"
            )));
        };
        self.left = left;
        if let Some(text) = inner.trim_start().strip_prefix('=') {
            let value = script::value(text, self.scope.now());
            return value
                .ok_or_else(|| ExpandError::Never(shown(inner), "scripts are not run here"));
        }
        let inner = match inner.contains("${") {
            true => self.expand_at(inner, depth.saturating_add(1))?,
            false => inner.to_owned(),
        };
        let Some((owner, name, path)) = parts(&inner) else {
            let known = self.scope.nearest(&inner);
            let (owner, value) = known.map_err(|absent| absent_as(&inner, absent))?;
            if matches!(owner, Owner::Step(_)) && is_received(&inner) {
                return Ok(value.to_owned());
            }
            let value = value.to_owned();
            return self.expand_at(&value, depth.saturating_add(1));
        };
        let value = match owner {
            owner @ (Owner::Env | Owner::System) => {
                let why = "nothing is read from the machine";
                let given = self.scope.get(owner, name).map(str::to_owned);
                given.map_err(|_| ExpandError::Never(shown(&inner), why))?
            }
            Owner::Global => match self.scope.get(owner, name) {
                Ok(given) => given.to_owned(),
                Err(absent @ Absent::Unset(_)) => return Err(absent_as(&inner, absent)),
                Err(Absent::Unknown) => {
                    let why = "is empty here: global properties are settings of a machine";
                    self.notes.push(format!("`${{{}}}` {why}", shown(&inner)));
                    String::new()
                }
            },
            owner => {
                let known = self.scope.get(owner, name).map(str::to_owned);
                known.map_err(|absent| absent_as(&inner, absent))?
            }
        };
        // What was received is taken as it is.
        let is_received = matches!(owner, Owner::Step(_)) && is_received(name);
        let value = match is_received {
            true => value,
            false => self.expand_at(&value, depth.saturating_add(1))?,
        };
        let Some(path) = path else { return Ok(value) };
        let found =
            evaluate(&value, path).map_err(|error| ExpandError::Path(shown(&inner), error))?;
        if matches!(&found, super::xpath::Found::Nodes(nodes) if nodes.is_empty()) {
            return Err(unknown(&inner, "the path selects nothing"));
        }
        Ok(found.text().to_owned())
    }
}

/// Whether a property of a request step is what came back, or what was sent to get it.
fn is_received(name: &str) -> bool {
    ["response", "rawresponse", "responseasxml", "rawrequest"]
        .contains(&name.to_lowercase().as_str())
}

fn absent_as(inner: &str, absent: Absent) -> ExpandError {
    match absent {
        Absent::Unknown => unknown(inner, "there is no such property"),
        Absent::Unset(why) => ExpandError::Unset(shown(inner), why),
    }
}

fn unknown(inner: &str, why: &str) -> ExpandError {
    ExpandError::Unknown(shown(inner), why.to_owned())
}

fn shown(inner: &str) -> String {
    inner.chars().take(100).collect()
}

/// Where the `}` is that ends what `${` began before `text`.
fn closing(text: &str) -> Option<usize> {
    let mut open = 0_usize;
    let mut before = ' ';
    for (at, character) in text.char_indices() {
        match character {
            '{' if before == '$' => open = open.saturating_add(1),
            '}' if open == 0 => return Some(at),
            '}' => open = open.saturating_sub(1),
            _ => {}
        }
        before = character;
    }
    None
}

/// Whose property, its name, and an XPath into it; none if the text says not whose.
fn parts(inner: &str) -> Option<(Owner<'_>, &str, Option<&str>)> {
    let from = usize::from(inner.starts_with('#'));
    let at = inner.get(from..)?.find('#')?.saturating_add(from);
    let (owner, rest) = inner.split_at(at);
    let rest = rest.strip_prefix('#').unwrap_or(rest);
    let (name, path) = match rest.split_once('#') {
        Some((name, path)) => (name, Some(path)),
        None => (rest, None),
    };
    Some((Owner::of(owner), name, path))
}

/// A value that came from elsewhere, so that nothing in it is expanded when it is read.
pub(super) fn inert(value: &str) -> String {
    value.replace("${", "$${")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::soapui::model::Properties;
    use proptest::prelude::*;

    fn scope(properties: &[(&str, &str)]) -> Scope {
        let mut all = Properties::default();
        for (name, value) in properties {
            all.set(name, (*value).to_owned());
        }
        let mut scope = Scope::of_project(&all, "");
        (scope.case, scope.suite) = (all.clone(), all);
        scope
    }

    fn expand(properties: &[(&str, &str)], text: &str) -> Result<String, ExpandError> {
        Expander::new(&scope(properties)).expand(text)
    }

    #[test]
    fn properties_are_expanded_wherever_they_are() {
        let known =
            [("a", "1"), ("b", "${#TestCase#a}2"), ("which", "a"), ("x", "<r><v>7</v></r>")];
        for (text, expanded) in [
            ("", ""),
            ("plain $ {a} ${", "plain $ {a} ${"),
            ("<${#TestCase#a}|${#TestSuite#A}|${#Project#a}>", "<1|1|1>"),
            ("${b}${a}", "121"),
            ("${#TestCase#${which}}", "1"),
            ("$${a} ${a}", "${a} 1"),
            ("${#TestCase#x#//v}", "7"),
            ("${#Global#x}.", "."),
        ] {
            assert_eq!(expand(&known, text).as_deref(), Ok(expanded), "{text}");
        }
    }

    #[test]
    fn what_is_never_expanded_is_named() {
        for text in ["${=f()}", "${ =x}", "${#Env#PATH}", "${#System#user.home}", "a${b${=f()}}"] {
            assert!(matches!(expand(&[], text), Err(ExpandError::Never(..))), "{text}");
        }
        let reported = expand(&[], "${#Env#PATH}").unwrap_err().to_string();
        assert_eq!(reported, "`${#Env#PATH}` is never expanded: nothing is read from the machine");
    }

    #[test]
    fn what_is_not_there_is_named() {
        for text in ["${a}", "${#TestCase#a}", "${Step#Response}", "${#Other#a}", "${}", "${#}"] {
            assert!(matches!(expand(&[], text), Err(ExpandError::Unknown(..))), "{text}");
        }
        let nothing = expand(&[("x", "<r/>")], "${#TestCase#x#//v}");
        assert!(matches!(nothing, Err(ExpandError::Unknown(..))), "{nothing:?}");
    }

    #[test]
    fn expansions_end() {
        let looped = expand(&[("a", "${a}")], "${#TestCase#a}");
        assert!(matches!(looped, Err(ExpandError::TooMuch(_))), "{looped:?}");
        let names: Vec<String> = (0..16).map(|at| format!("p{at}")).collect();
        let bomb: Vec<(&str, String)> = (0..15)
            .map(|at| (names[at].as_str(), format!("${{p{}}}", at + 1).repeat(10)))
            .chain([(names[15].as_str(), "x".to_owned())])
            .collect();
        let bomb: Vec<_> = bomb.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert!(matches!(expand(&bomb, "${p0}"), Err(ExpandError::TooMuch(_))));
        let large = "x".repeat(9_000_000);
        assert!(matches!(expand(&[("a", &large)], "${a}${a}"), Err(ExpandError::TooMuch(_))));
    }

    proptest! {
        #[test]
        fn any_text_is_expanded_or_refused(text in any::<String>(), near in "[$#{}a=' ]{0,20}") {
            let known = [("a", "${#TestCase#b}"), ("b", &*near)];
            let _ = expand(&known, &text);
            let _ = expand(&known, &near);
            let _ = expand(&known, "${a}");
        }
    }

    #[test]
    fn what_came_from_elsewhere_stays_as_it_is() {
        let secret = [("password", "s3cret")];
        let text = inert("${password} $${password}");
        let mut known = secret.to_vec();
        known.push(("got", &text));
        assert_eq!(expand(&known, "${got}").as_deref(), Ok("${password} $${password}"));
    }
}
