//! Which captures are replayed: `--only` and `--skip`.
//!
//! A pattern is `op:` and a glob for the operation, in any case of letters, or a glob for the name
//! in reports: for all of it, for its end after a slash, or for a folder that it is in. In a glob
//! `*` is any characters but a slash, `**` any at all, and `?` one character but a slash. A capture
//! is replayed if some `--only` matches it, or there is none, and no `--skip` does.

use super::error::ReplayError;
use super::exchange::Piece;
use crate::domain::toml_text::suggest;
use regex::Regex;
use std::collections::BTreeSet;
use std::fmt;

/// How a pattern for operations begins.
const OPERATION: &str = "op:";

/// A pattern of `--only` or `--skip`.
#[derive(Debug, Clone)]
pub struct Glob {
    text: String,
    of_operation: bool,
    regex: Regex,
}

impl Glob {
    /// Reads a pattern; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let operation = text.strip_prefix(OPERATION);
        let glob = operation.unwrap_or(text).trim_matches('/');
        if glob.is_empty() {
            return Err(format!("`{text}` names nothing: give a name with * and ?, or op:NAME"));
        }
        let inner = as_regex(glob);
        let whole = match operation {
            Some(_) => format!("(?si)^{inner}$"),
            None => format!("(?s)^(?:.*/)?{inner}(?:/.*)?$"),
        };
        let regex = Regex::new(&whole).map_err(|error| format!("`{text}`: {error}"))?;
        Ok(Self { text: text.to_owned(), of_operation: operation.is_some(), regex })
    }

    /// Whether it matches; nothing if that depends on the operation, and it is not known yet.
    fn matches(&self, candidate: &Candidate<'_>) -> Option<bool> {
        if self.of_operation {
            let operations = candidate.operations?;
            return Some(operations.iter().any(|name| self.regex.is_match(name)));
        }
        let name = candidate.name;
        // The name of an exchange ends with its operation, which need not be given.
        let place = name.rsplit_once(' ').map_or(name, |(place, _)| place);
        Some(self.regex.is_match(name) || self.regex.is_match(place))
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

fn as_regex(glob: &str) -> String {
    let mut regex = String::new();
    let mut rest = glob;
    while let Some(character) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("**") {
            regex.push_str(".*");
            rest = after;
            continue;
        }
        match character {
            '*' => regex.push_str("[^/]*"),
            '?' => regex.push_str("[^/]"),
            other => regex.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
        }
        rest = rest.get(character.len_utf8()..).unwrap_or_default();
    }
    regex
}

/// Something that may be replayed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate<'c> {
    /// The name in reports.
    pub(super) name: &'c str,
    /// Its operations; none if they were not read yet.
    pub(super) operations: Option<&'c [String]>,
}

/// What `--only` and `--skip` say.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// If there is one, only what one of them matches is replayed.
    pub only: Vec<Glob>,
    /// What one of them matches is not replayed.
    pub skip: Vec<Glob>,
}

impl Selection {
    /// Whether this is replayed; nothing if its operation has to be known first.
    pub(super) fn takes(&self, candidate: &Candidate<'_>) -> Option<bool> {
        let any = |globs: &[Glob]| {
            let mut is_open = false;
            for glob in globs {
                match glob.matches(candidate) {
                    Some(true) => return Some(true),
                    Some(false) => {}
                    None => is_open = true,
                }
            }
            (!is_open).then_some(false)
        };
        let skipped = any(&self.skip);
        let wanted = if self.only.is_empty() { Some(true) } else { any(&self.only) };
        match (skipped, wanted) {
            (Some(true), _) | (_, Some(false)) => Some(false),
            (Some(false), Some(true)) => Some(true),
            _ => None,
        }
    }

    /// Whether this is replayed, which is called `name` and does what `operations` returns.
    pub(super) fn takes_all_of(
        &self,
        name: &str,
        operations: impl FnOnce() -> Vec<String>,
    ) -> bool {
        let by_name = self.takes(&Candidate { name, operations: None });
        by_name.unwrap_or_else(|| {
            let operations = operations();
            let candidate = Candidate { name, operations: Some(&operations) };
            self.takes(&candidate).unwrap_or(true)
        })
    }

    /// Whether what a capture holds at one place is replayed.
    pub(super) fn takes_piece(&self, piece: &Piece) -> bool {
        self.takes_all_of(name_of(piece), || operations_of(piece))
    }

    /// Whether a pattern is for operations.
    pub(super) fn knows_operations(&self) -> bool {
        self.only.iter().chain(&self.skip).any(|glob| glob.of_operation)
    }
}

fn name_of(piece: &Piece) -> &str {
    match piece {
        Piece::Exchange(exchange) => &exchange.name,
        Piece::Skipped { name, .. } => name,
    }
}

fn operations_of(piece: &Piece) -> Vec<String> {
    match piece {
        Piece::Exchange(exchange) => exchange.subject().operation.into_iter().collect(),
        Piece::Skipped { .. } => Vec::new(),
    }
}

/// Which patterns have matched something, and what there was to match.
#[derive(Debug, Default)]
pub(super) struct Matched {
    only: BTreeSet<usize>,
    skip: BTreeSet<usize>,
    operations: BTreeSet<String>,
    names: BTreeSet<String>,
}

/// So many operations are named to who asked for one that is not there.
const OPERATIONS_SHOWN: usize = 12;
/// So many names are kept to suggest one.
const NAMES_MAX: usize = 10_000;

impl Matched {
    /// Notes what matches a piece of a capture.
    pub(super) fn note_piece(&mut self, selection: &Selection, piece: &Piece) {
        let operations =
            if selection.knows_operations() { operations_of(piece) } else { Vec::new() };
        self.note(selection, name_of(piece), &operations);
    }

    /// Notes what matches something that is called `name` and does what `operations` returns.
    pub(super) fn note(&mut self, selection: &Selection, name: &str, operations: &[String]) {
        let candidate = Candidate { name, operations: Some(operations) };
        for (globs, matched) in
            [(&selection.only, &mut self.only), (&selection.skip, &mut self.skip)]
        {
            let matches = |glob: &Glob| glob.matches(&candidate) == Some(true);
            matched.extend((0..).zip(globs).filter(|(_, glob)| matches(glob)).map(|(at, _)| at));
        }
        self.operations.extend(operations.iter().cloned());
        if self.names.len() < NAMES_MAX {
            self.names.extend(name.split('/').map(str::to_owned));
        }
    }

    /// Refuses an `--only` that matched nothing.
    pub(super) fn check(&self, selection: &Selection) -> Result<(), ReplayError> {
        let unmatched = (0..)
            .zip(&selection.only)
            .find(|(at, _)| !self.only.contains(at))
            .map(|(_, glob)| glob);
        let Some(glob) = unmatched else { return Ok(()) };
        let hint = if glob.of_operation {
            self.operations_like(&glob.text)
        } else {
            let names = self.names.iter().map(String::as_str);
            let near = suggest(&glob.text, names);
            near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
        };
        Err(ReplayError::Usage(format!("--only {glob} matches nothing{hint}")))
    }

    /// The operation that was probably meant, else those that there are: of REST's, whose names are
    /// methods and paths, only the first.
    fn operations_like(&self, wanted: &str) -> String {
        let operations = || self.operations.iter().map(String::as_str);
        if let Some(near) = suggest(wanted, operations()) {
            return format!("; did you mean `{OPERATION}{near}`?");
        }
        let shown: Vec<&str> = operations().take(OPERATIONS_SHOWN).collect();
        let more = operations().count().saturating_sub(shown.len());
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        format!("; the operations here are {}{more}", shown.join(", "))
    }

    /// The patterns of `--skip` that matched nothing.
    pub(super) fn idle<'s>(&self, selection: &'s Selection) -> Vec<&'s Glob> {
        let idle = (0..).zip(&selection.skip).filter(|(at, _)| !self.skip.contains(at));
        idle.map(|(_, glob)| glob).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn globs(texts: &[&str]) -> Vec<Glob> {
        texts.iter().map(|text| Glob::parse(text).unwrap()).collect()
    }

    fn takes(only: &[&str], skip: &[&str], name: &str, operation: &str) -> bool {
        let selection = Selection { only: globs(only), skip: globs(skip) };
        selection.takes_all_of(name, || vec![operation.to_owned()])
    }

    #[test]
    fn a_glob_matches_a_name_its_end_or_a_folder_of_it() {
        let name = "fixtures/external/whole-balance";
        for glob in [
            name,
            "external",
            "external/*",
            "whole-*",
            "fixtures/**",
            "*/whole-balance",
            "e?ternal/",
        ] {
            assert!(takes(&[glob], &[], name, "create"), "{glob}");
        }
        for glob in ["extern", "fixtures/*-balance", "balance", "External", "whole.balance"] {
            assert!(!takes(&[glob], &[], name, "create"), "{glob}");
        }
        assert!(takes(&["a.har/3"], &[], "x/a.har/3 create", "create"));
        assert!(takes(&["[a] (b)"], &[], "x/[a] (b)", ""));
    }

    #[test]
    fn operations_are_matched_whole_and_in_any_case() {
        assert!(
            takes(&["op:query*"], &[], "x", "queryMore") && takes(&["op:LOGIN"], &[], "x", "login")
        );
        assert!(!takes(&["op:query"], &[], "x", "queryMore"));
        assert!(!takes(&["op:create"], &["b"], "a/b", "create"));
        assert!(
            !takes(&[], &["op:create"], "a/b", "create") && takes(&[], &["op:x"], "a", "create")
        );
    }

    #[test]
    fn a_name_alone_decides_where_it_can() {
        let selection = Selection { only: globs(&["a", "op:query"]), skip: globs(&["b"]) };
        let takes = |name| selection.takes(&Candidate { name, operations: None });
        assert_eq!((takes("x/a"), takes("a/b"), takes("c")), (Some(true), Some(false), None));
        assert!(Glob::parse("op:").is_err() && Glob::parse("/").is_err());
    }

    #[test]
    fn a_pattern_that_matches_nothing_is_told_with_what_there_is() {
        let selection = Selection { only: globs(&["externl", "op:x"]), skip: globs(&["a", "z"]) };
        let mut matched = Matched::default();
        matched.note(&selection, "external/a", &["create".to_owned()]);
        let reported = matched.check(&selection).unwrap_err().to_string();
        assert_eq!(reported, "--only externl matches nothing; did you mean `external`?");
        let idle: Vec<_> = matched.idle(&selection).iter().map(ToString::to_string).collect();
        assert_eq!(idle, ["z"]);
        let selection = Selection { only: globs(&["op:x"]), skip: Vec::new() };
        let reported = matched.check(&selection).unwrap_err().to_string();
        assert_eq!(reported, "--only op:x matches nothing; the operations here are create");
    }
}
