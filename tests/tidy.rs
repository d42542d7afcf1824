//! The house's rules, checked on the text of the tree: who may import whom, how long a file, a
//! function and a line may be, and what may not be left lying about.
//!
//! Each rule is a pure function from a text to what it finds there, and is itself tested on a text
//! that breaks it. What a compiler or a linter can check is left to them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms from the ground up; a room imports only rooms before it.
const ROOMS: [&str; 15] = [
    "catalogue",
    "domain",
    "ledger",
    "client",
    "processor",
    "service",
    "xml",
    "json",
    "call",
    "soap",
    "rest",
    "http",
    "console",
    "replay",
    "cli",
];

/// Rooms that import fewer rooms than those below them. What is named with a module is that module
/// alone. `replay` is handed an endpoint and knows no server; of SOAP it knows how to check an
/// answer against the WSDL. Front doors do not know each other. `http` is handed them and knows
/// none.
const NARROW: [(&str, &[&str]); 4] = [
    ("replay", &["catalogue", "domain", "client", "json", "xml", "soap::wsdl"]),
    ("rest", &["catalogue", "domain", "ledger", "service", "json", "call"]),
    ("http", &["catalogue", "domain", "ledger", "client", "service", "xml", "call"]),
    ("console", &["catalogue", "domain", "ledger", "service", "xml", "call", "http"]),
];

/// Crates that only some rooms may mention, so that one can be exchanged in one place.
const RESERVED: [(&str, &[&str]); 16] = [
    ("rusqlite", &["ledger"]),
    ("rusqlite_migration", &["ledger"]),
    ("hyper", &["client", "http"]),
    ("hyper_util", &["client", "http"]),
    ("http_body_util", &["client", "http"]),
    ("tokio_postgres", &["ledger"]),
    ("tokio_rustls", &["client", "http", "ledger"]),
    ("webpki_roots", &["client", "ledger"]),
    ("hmac", &["processor", "service"]),
    ("quick_xml", &["xml"]),
    ("quick_junit", &["replay"]),
    ("encoding_rs", &["xml"]),
    ("askama", &["console"]),
    ("clap", &["cli"]),
    ("anyhow", &["cli"]),
    ("indicatif", &["replay", "cli"]),
];

/// The engines of the ledger and the crates by which they reach their databases.
const ENGINES: [&str; 5] =
    ["rusqlite", "rusqlite_migration", "tokio_postgres", "sqlite", "postgres"];
/// What a part of `ledger` may not mention, tests apart. Each engine keeps its crates to itself,
/// and engines do not know each other; what a ledger is as a file is known without any database,
/// and so are the use cases and the checks.
const APART: [(&str, &[&str]); 11] = [
    ("src/ledger/sqlite", &["tokio_postgres", "postgres"]),
    ("src/ledger/postgres", &["rusqlite", "rusqlite_migration", "sqlite"]),
    ("src/ledger/file", &ENGINES),
    ("src/ledger/checks", &ENGINES),
    ("src/ledger/query", &ENGINES),
    ("src/ledger/record", &ENGINES),
    ("src/ledger/seed", &ENGINES),
    ("src/ledger/served", &ENGINES),
    ("src/ledger/work", &ENGINES),
    ("src/ledger/writer", &ENGINES),
    ("src/ledger/unit", &ENGINES),
];

const FILE_LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 70;
const COLUMNS_MAX: usize = 100;
/// How many folders and files a module may be away from `src`.
const MODULE_LEVELS_MAX: usize = 3;

/// What a rule found.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    line: usize,
    message: String,
}

fn finding(line: usize, message: impl Into<String>) -> Finding {
    Finding { line, message: message.into() }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.line, self.message)
    }
}

/// A file of the tree, by its path from the root, with slashes.
struct Source {
    path: String,
    text: String,
}

/// Every file below the root with one of these endings, but no build products and no folders that
/// tools keep for themselves.
fn sources(endings: &[&str]) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.to_owned()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in entries(&folder) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                let is_kept = name != "target" && !name.starts_with('.');
                folders.extend(is_kept.then_some(path));
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                let text = fs::read_to_string(&path).unwrap();
                let path = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
                found.push(Source { path, text });
            }
        }
    }
    assert!(!found.is_empty(), "no file ends with any of {endings:?}");
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// Fails with everything that `rule` finds in `sources`.
fn check(sources: &[Source], rule: impl Fn(&Source) -> Vec<Finding>) {
    let reported: Vec<String> = sources
        .iter()
        .flat_map(|source| rule(source).into_iter().map(|found| format!("{}:{found}", source.path)))
        .collect();
    assert!(reported.is_empty(), "\n{}\n", reported.join("\n"));
}

fn rust() -> Vec<Source> {
    sources(&[".rs"])
}

/// The interop matrix, in the languages of its clients; its programs have names without an ending.
fn interop() -> Vec<Source> {
    let mut found = sources(&[".py", ".java", ".cs", ".cpp", "client", "build", "classpath"]);
    found.extend(sources(&["install", "run", "typemap.dat", "bindings.xml", "requirements.txt"]));
    found.retain(|source| source.path.starts_with("tests/interop/"));
    assert!(found.len() > 20, "only {} files of the interop matrix", found.len());
    found
}

#[test]
fn rooms_import_only_rooms_below_them() {
    check(&rust(), |source| room_of(&source.path).map_or(Vec::new(), |r| imports(r, source)));
}

#[test]
fn narrow_rooms_import_only_what_they_may() {
    check(&rust(), |source| {
        let is_test = is_test_file(&source.path);
        let room = room_of(&source.path).filter(|_| !is_test);
        room.map_or(Vec::new(), |room| broad_imports(room, &source.text))
    });
}

#[test]
fn crates_are_mentioned_only_where_they_belong() {
    check(&rust(), |source| {
        let room = room_of(&source.path).filter(|_| !is_test_file(&source.path));
        room.map_or(Vec::new(), |room| reserved_crates(room, &source.text))
    });
}

#[test]
fn what_is_no_engine_knows_none() {
    check(&rust(), |source| {
        let is_test = is_test_file(&source.path) || source.path.ends_with("_tests.rs");
        if is_test { Vec::new() } else { mentions_of_engines(source) }
    });
}

#[test]
fn files_say_what_they_are_for() {
    check(&rust(), |source| module_comment(&source.text));
}

#[test]
fn files_and_functions_are_short() {
    check(&rust(), |source| {
        let mut found = long_functions(&source.text);
        if source.path.starts_with("src/") && !is_test_file(&source.path) {
            found.extend(long_file(&source.text));
        }
        found
    });
}

#[test]
fn modules_are_declared_and_not_deep() {
    let all = rust();
    check(&all, |source| undeclared(&source.path, &all));
}

#[test]
fn lines_are_short_and_end_where_they_end() {
    check(&rust(), |source| long_lines(&source.text));
    check(&interop(), |source| long_lines(&source.text));
    let texts = [".rs", ".md", ".toml", ".sql", ".yml"];
    check(&sources(&texts), |source| blanks(&source.text));
    check(&interop(), |source| blanks(&source.text));
}

#[test]
fn nothing_is_left_lying_about() {
    check(&rust(), |source| markers(&source.text));
    check(&interop(), |source| markers(&source.text));
}

#[test]
fn every_page_has_one_title() {
    check(&sources(&[".md"]), |source| {
        let is_case = source.path.ends_with("/about.md");
        if is_case { Vec::new() } else { titles(&source.text) }
    });
}

#[test]
fn every_fixture_is_complete_and_listed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let catalogue = fs::read_to_string(root.join("README.md")).unwrap();
    let mut wrong = Vec::new();
    let mut cases = 0;
    for category in entries(&root).into_iter().filter(|path| path.is_dir()) {
        for case in entries(&category).into_iter().filter(|path| path.is_dir()) {
            let name = case.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
            let files = entries(&case);
            let files = files.iter().map(|path| path.file_name().unwrap().to_string_lossy());
            let about = fs::read_to_string(case.join("about.md")).unwrap_or_default();
            let found = incomplete_case(&name, &files.collect::<Vec<_>>(), &about, &catalogue);
            wrong.extend(found.into_iter().map(|what| format!("fixtures/{name}: {what}")));
            cases += 1;
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    assert!(cases >= 40, "only {cases} cases");
}

/// The room that a file of `src` belongs to; none for the roots of the crates and for tests.
fn room_of(path: &str) -> Option<&str> {
    let name = path.strip_prefix("src/")?.split('/').next()?.trim_end_matches(".rs");
    (name != "lib" && name != "main").then_some(name)
}

fn is_test_file(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/")
}

/// The lines of a text without their comments. Strings stay, and a `//` in a string hides what
/// follows it, which no rule here minds.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(at, line)| (at + 1, line.split("//").next().unwrap_or(line)))
}

/// Imports of rooms that are not below `room`, by `crate::` or by so many `super::` that they
/// leave it.
fn imports(room: &str, source: &Source) -> Vec<Finding> {
    let Some(rank) = ROOMS.iter().position(|known| *known == room) else {
        return vec![finding(1, format!("`{room}` is no room; tests/tidy.rs has the list"))];
    };
    let mut found = Vec::new();
    for (line, name) in crate_paths(&source.text) {
        let other = ROOMS.iter().position(|known| *known == name);
        if other.is_some_and(|other| other > rank) {
            found.push(finding(line, format!("`{room}` imports `{name}`, which is above it")));
        }
    }
    let inner = source.path.matches('/').count();
    let tests_at = source.text.lines().position(|line| line == "#[cfg(test)]");
    for (line, code) in code_lines(&source.text) {
        let in_tests = tests_at.is_some_and(|at| line > at);
        let supers = code.split("super::").skip(1).scan(true, |adjacent, rest| {
            let counts = *adjacent;
            *adjacent = rest.is_empty();
            Some(counts)
        });
        let longest = supers.filter(|adjacent| *adjacent).count();
        if longest >= inner + usize::from(in_tests) {
            found.push(finding(line, "leaves its room by `super`; say `crate::`"));
        }
    }
    found
}

/// Imports of rooms that a narrow room may not know, although they are below it.
fn broad_imports(room: &str, text: &str) -> Vec<Finding> {
    let Some((_, allowed)) = NARROW.iter().find(|(narrow, _)| *narrow == room) else {
        return Vec::new();
    };
    let is_allowed = |name: &str, path: &str| {
        let of_module = |known: &&&str| known.split("::").next() == Some(name);
        allowed.iter().filter(of_module).any(|known| path.starts_with(*known))
    };
    let mut found = Vec::new();
    for (line, name) in crate_paths(text).into_iter().filter(|(_, name)| ROOMS.contains(&&**name)) {
        let code = text.lines().nth(line - 1).unwrap_or_default();
        let path = code.split_once("crate::").map_or(name.as_str(), |(_, path)| path);
        if name != room && !is_allowed(&name, path) {
            let allowed = allowed.join(", ");
            found.push(finding(line, format!("`{room}` may only import {allowed}")));
        }
    }
    found
}

/// Every name that follows `crate::`, alone or first in a group, and the line it stands on.
fn crate_paths(text: &str) -> Vec<(usize, String)> {
    let code: Vec<(usize, &str)> = code_lines(text).collect();
    let mut found = Vec::new();
    for (at, (line, code_line)) in code.iter().enumerate() {
        for (start, _) in code_line.match_indices("crate::") {
            let rest = &code_line[start + "crate::".len()..];
            if !rest.starts_with('{') {
                found.push((*line, identifier(rest)));
                continue;
            }
            let mut depth = 0_usize;
            let mut expects_name = false;
            let lines = std::iter::once((*line, rest)).chain(code[at + 1..].iter().copied());
            'group: for (line, text) in lines {
                for (offset, character) in text.char_indices() {
                    match character {
                        '{' => {
                            depth += 1;
                            expects_name = depth == 1;
                        }
                        '}' => {
                            depth -= 1;
                            if depth == 0 {
                                break 'group;
                            }
                        }
                        ',' => expects_name = depth == 1,
                        _ if expects_name && !character.is_whitespace() => {
                            found.push((line, identifier(&text[offset..])));
                            expects_name = false;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    found
}

fn identifier(text: &str) -> String {
    text.chars().take_while(|character| character.is_alphanumeric() || *character == '_').collect()
}

/// Mentions of crates that are reserved for other rooms. Unit tests may judge by any means.
fn reserved_crates(room: &str, text: &str) -> Vec<Finding> {
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    let mut found = Vec::new();
    let tests_at = text.lines().position(|line| line == "#[cfg(test)]").unwrap_or(usize::MAX);
    for (line, code) in code_lines(text).take_while(|(line, _)| *line <= tests_at) {
        for (name, rooms) in RESERVED.iter().filter(|(_, rooms)| !rooms.contains(&room)) {
            let path = format!("{name}::");
            let is_mentioned = code.match_indices(&path).any(|(at, _)| {
                let before = code[..at].chars().next_back();
                !before.is_some_and(|before| is_part(before) || before == ':')
            });
            if is_mentioned {
                let rooms = rooms.join(" and ");
                found.push(finding(line, format!("`{name}` is for {rooms} alone")));
            }
        }
    }
    found
}

/// Crates and modules that a part of the ledger mentions and may not know.
fn mentions_of_engines(source: &Source) -> Vec<Finding> {
    let Some((part, kept_away)) = APART.iter().find(|(part, _)| source.path.starts_with(part))
    else {
        return Vec::new();
    };
    let tests_at = source.text.lines().position(|line| line.trim() == "#[cfg(test)]");
    let tests_at = tests_at.unwrap_or(usize::MAX);
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    let mut found = Vec::new();
    for (line, code) in code_lines(&source.text).take_while(|(line, _)| *line <= tests_at) {
        for name in *kept_away {
            let is_mentioned = code
                .match_indices(&format!("{name}::"))
                .any(|(at, _)| !code[..at].chars().next_back().is_some_and(is_part));
            if is_mentioned {
                found.push(finding(line, format!("`{part}` must not know `{name}`")));
            }
        }
    }
    found
}

fn module_comment(text: &str) -> Vec<Finding> {
    let good = text.lines().next().is_some_and(|line| line.starts_with("//! "));
    if good { Vec::new() } else { vec![finding(1, "opens without a `//!` comment")] }
}

/// More lines before the unit tests than a file may have.
fn long_file(text: &str) -> Vec<Finding> {
    let lines = text.lines().take_while(|line| *line != "#[cfg(test)]").count();
    if lines <= FILE_LINES_MAX {
        return Vec::new();
    }
    let message = format!("{lines} lines outside its tests; at most {FILE_LINES_MAX}");
    vec![finding(FILE_LINES_MAX + 1, message)]
}

/// Functions with too many lines, found by the indentation that rustfmt gives them.
fn long_functions(text: &str) -> Vec<Finding> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| begins_function(line)) {
        let indent = &line[..line.len() - line.trim_start().len()];
        let ends = |line: &&str| {
            line.strip_prefix(indent)
                .is_some_and(|rest| rest.starts_with(['}', ')']) && rest.ends_with(['}', ';']))
        };
        if line.ends_with([';', '}']) {
            continue;
        }
        let Some(length) = lines[at..].iter().position(ends) else { continue };
        let length = length + 1;
        if length > FUNCTION_LINES_MAX {
            let message = format!("a function of {length} lines; at most {FUNCTION_LINES_MAX}");
            found.push(finding(at + 1, message));
        }
    }
    found
}

fn begins_function(line: &str) -> bool {
    let mut words = line.trim_start().split(' ').peekable();
    while let Some(word) = words.next() {
        match word {
            "fn" => return words.peek().is_some_and(|name| name.contains(['(', '<'])),
            "async" | "const" | "unsafe" | "extern" => {}
            word if word.starts_with("pub") || word.starts_with('"') => {}
            _ => return false,
        }
    }
    false
}

/// A module that no file declares, so that it is never compiled; or one that lies too deep.
fn undeclared(path: &str, all: &[Source]) -> Vec<Finding> {
    let Some(inside) = path.strip_prefix("src/").or_else(|| path.strip_prefix("tests/it/")) else {
        return Vec::new();
    };
    if path.ends_with("/mod.rs") {
        return vec![finding(1, "a module's file stands beside its folder, not in it as mod.rs")];
    }
    if ["lib.rs", "main.rs"].contains(&inside) {
        return Vec::new();
    }
    if inside.matches('/').count() >= MODULE_LEVELS_MAX {
        return vec![finding(1, format!("lies deeper than {MODULE_LEVELS_MAX} levels"))];
    }
    let (folder, name) = path.rsplit_once('/').unwrap();
    let root = &path[..path.len() - inside.len()];
    let parents = match folder.strip_prefix(root) {
        Some(_) => vec![format!("{folder}.rs")],
        None => vec![format!("{root}lib.rs"), format!("{root}main.rs")],
    };
    let declaration = format!("mod {};", name.trim_end_matches(".rs"));
    let mut parents = all.iter().filter(|source| parents.contains(&source.path));
    let declares =
        |source: &Source| code_lines(&source.text).any(|(_, l)| l.ends_with(&declaration));
    if parents.any(declares) { Vec::new() } else { vec![finding(1, "no module declares it")] }
}

/// Lines beyond the last column. An address cannot be broken and may stand out.
fn long_lines(text: &str) -> Vec<Finding> {
    let columns = text.lines().enumerate().map(|(at, line)| (at + 1, line, line.chars().count()));
    columns
        .filter(|(_, line, columns)| *columns > COLUMNS_MAX && !line.contains("://"))
        .map(|(at, _, columns)| finding(at, format!("{columns} columns; at most {COLUMNS_MAX}")))
        .collect()
}

/// Blanks at ends of lines, tabs, carriage returns, and an end without an end of line.
fn blanks(text: &str) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for (at, line) in text.split('\n').enumerate() {
        if line.ends_with([' ', '\t', '\r']) {
            found.push(finding(at + 1, "ends with blanks"));
        }
    }
    if !text.is_empty() && !text.ends_with('\n') {
        found.push(finding(text.lines().count(), "does not end with an end of line"));
    }
    found
}

/// What is meant to be gone before others see it. A note for later names who will do it.
fn markers(text: &str) -> Vec<Finding> {
    // Put together here, so that this file does not find itself.
    let macros = ["to", "do!("].concat();
    let forbidden = [macros, ["db", "g!("].concat(), ["unimpl", "emented!("].concat()];
    let later = [["TO", "DO"].concat(), ["FIX", "ME"].concat()];
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        for marker in forbidden.iter().filter(|marker| line.contains(*marker)) {
            found.push(finding(at + 1, format!("`{marker}` is left over")));
        }
        for marker in &later {
            let owned = format!("{marker}(");
            if line.replace(&owned, "").contains(marker) {
                found.push(finding(at + 1, format!("`{marker}` without an owner in brackets")));
            }
        }
    }
    found
}

fn titles(text: &str) -> Vec<Finding> {
    let mut in_code = false;
    let mut titles = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        } else if !in_code && line.starts_with("# ") {
            titles.push(at + 1);
        }
    }
    match titles.as_slice() {
        [1] => Vec::new(),
        [] => vec![finding(1, "has no title")],
        [only] => vec![finding(*only, "the title is not the first line")],
        [_, second, ..] => vec![finding(*second, "a second title")],
    }
}

/// What a case of the catalogue lacks.
fn incomplete_case(
    name: &str,
    files: &[impl AsRef<str>],
    about: &str,
    catalogue: &str,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let is_json = files.iter().any(|file| file.as_ref() == "request.json");
    let [request, response] =
        if is_json { ["request.json", "response.json"] } else { ["request.xml", "response.xml"] };
    for needed in [request, response, "about.md"] {
        if !files.iter().any(|file| file.as_ref() == needed) {
            wrong.push(format!("lacks {needed}"));
        }
    }
    for file in files.iter().map(AsRef::as_ref) {
        if ![request, response, "about.md", "replay.toml"].contains(&file) {
            wrong.push(format!("has {file}, which is no part of a case"));
        }
    }
    if about.lines().count() != 1 || about.trim().is_empty() || !about.ends_with('\n') {
        wrong.push("about.md is not one line".to_owned());
    }
    if !catalogue.contains(&format!("({name})")) {
        wrong.push("is not listed in fixtures/README.md".to_owned());
    }
    wrong
}

mod planted {
    //! Every rule finds what was planted for it, and lets the same thing pass where it is right.

    use super::*;

    fn lines(found: &[Finding]) -> Vec<usize> {
        found.iter().map(|found| found.line).collect()
    }

    fn source(path: &str, text: &str) -> Source {
        Source { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn an_import_from_above() {
        let text = "//! x\nuse crate::domain::id;\nuse crate::soap::fault;\n\
                    fn f() { crate::http::go() }\nuse crate::{\n\
                    domain::{self, soap},\n    cli,\n};\n// crate::cli\n";
        let found = imports("service", &source("src/service/x.rs", text));
        assert_eq!(lines(&found), [3, 4, 7], "{found:?}");
        assert_eq!(found[0].message, "`service` imports `soap`, which is above it");
        assert!(imports("cli", &source("src/cli/x.rs", text)).is_empty());
        assert_eq!(imports("attic", &source("src/attic.rs", "")).len(), 1);
    }

    #[test]
    fn an_import_by_a_narrow_room() {
        let text = "//! x\nuse crate::xml::parse;\nuse crate::service::Service;\n\
                    use crate::soap::wsdl::Schema;\nuse crate::soap::fault;\n\
                    use crate::replay::Options;\nfn f() { crate::http::go() }\n";
        assert_eq!(lines(&broad_imports("replay", text)), [3, 5, 7]);
        assert!(broad_imports("cli", text).is_empty());
    }

    #[test]
    fn an_import_around_the_corner() {
        let text = "use super::id;\nuse super::super::soap;\n#[cfg(test)]\nuse super::super::id;\n";
        assert_eq!(lines(&imports("domain", &source("src/domain/x.rs", text))), [2]);
        assert_eq!(lines(&imports("domain", &source("src/domain.rs", "use super::soap;\n"))), [1]);
    }

    #[test]
    fn a_crate_that_is_reserved() {
        let text =
            "use rusqlite::Connection;\nlet x: hyper::Body;\nmod hyper_text;\nuse a::clap::b;\n";
        assert_eq!(lines(&reserved_crates("soap", text)), [1, 2]);
        assert_eq!(lines(&reserved_crates("ledger", text)), [2]);
        assert_eq!(lines(&reserved_crates("http", "use rusqlite::x; // hyper::y\n")), [1]);
        assert!(reserved_crates("soap", "#[cfg(test)]\nuse quick_xml::Reader;\n").is_empty());
    }

    #[test]
    fn an_engine_where_none_is_known() {
        let text = "use rusqlite::Row;\nuse super::sqlite::open;\nuse my_sqlite::x; // sqlite::y\n";
        let found = |path: &str| lines(&mentions_of_engines(&source(path, text)));
        assert_eq!(found("src/ledger/file/copies.rs"), [1, 2]);
        assert_eq!(found("src/ledger/checks.rs"), [1, 2]);
        assert_eq!(found("src/ledger/postgres/store.rs"), [1, 2]);
        assert!(found("src/ledger/sqlite/store.rs").is_empty());
        let in_tests = source("src/ledger/work.rs", "#[cfg(test)]\nuse rusqlite::Row;\n");
        assert!(mentions_of_engines(&in_tests).is_empty());
    }

    #[test]
    fn a_file_without_a_comment() {
        assert_eq!(module_comment("use std::fmt;\n").len(), 1);
        assert_eq!(module_comment("").len(), 1);
        assert!(module_comment("//! What it is for.\n").is_empty());
    }

    #[test]
    fn a_long_file_and_a_long_function() {
        let long = "x\n".repeat(FILE_LINES_MAX + 1);
        assert_eq!(lines(&long_file(&long)), [FILE_LINES_MAX + 1]);
        assert!(long_file(&format!("#[cfg(test)]\n{long}")).is_empty());
        let function = |head: &str, lines: usize| {
            let body = "        x();\n".repeat(lines - 2);
            format!("impl X {{\n    {head} {{\n{body}    }}\n}}\n")
        };
        let head = "pub(super) async fn f<T>(x: T) -> T";
        assert_eq!(lines(&long_functions(&function(head, FUNCTION_LINES_MAX + 1))), [2]);
        assert!(long_functions(&function(head, FUNCTION_LINES_MAX)).is_empty());
        assert!(long_functions(&function("mod f", FUNCTION_LINES_MAX + 1)).is_empty());
    }

    #[test]
    fn a_module_that_nobody_compiles() {
        let all = [source("src/lib.rs", "pub mod a;\n"), source("src/a.rs", "mod b;\n// mod c;\n")];
        for declared in ["src/lib.rs", "src/a.rs", "src/a/b.rs", "benches/x.rs"] {
            assert!(undeclared(declared, &all).is_empty(), "{declared}");
        }
        for lost in ["src/z.rs", "src/a/c.rs", "src/a/mod.rs", "src/a/b/c/d.rs", "tests/it/x.rs"] {
            assert_eq!(undeclared(lost, &all).len(), 1, "{lost}");
        }
    }

    #[test]
    fn a_long_line_and_blanks() {
        let long = "é".repeat(COLUMNS_MAX + 1);
        assert_eq!(lines(&long_lines(&format!("x\n{long}\n"))), [2]);
        assert!(long_lines(&format!("{}\n", "é".repeat(COLUMNS_MAX))).is_empty());
        assert!(long_lines(&format!("//! https://{long}\n")).is_empty());
        assert_eq!(lines(&blanks("a \nb\t\nc\r\nd")), [1, 2, 3, 4]);
        assert!(blanks("a\n\nb\n").is_empty());
    }

    #[test]
    fn a_marker() {
        let later = ["TO", "DO"].concat();
        let text = format!("a\n{}!()\n// {later}: x\n// {later}(ada): x\n", "dbg");
        assert_eq!(lines(&markers(&text)), [2, 3]);
    }

    #[test]
    fn a_page_without_a_title_or_with_two() {
        assert!(titles("# A\n\n```sh\n# a comment\n```\n## B\n").is_empty());
        assert_eq!(lines(&titles("A\n")), [1]);
        assert_eq!(lines(&titles("\n# A\n")), [2]);
        assert_eq!(lines(&titles("# A\n# B\n")), [2]);
    }

    #[test]
    fn a_fixture_that_is_not_whole() {
        let all = ["request.xml", "response.xml", "about.md", "replay.toml"];
        let listed = "| [b](a/b) | It. |\n";
        assert!(incomplete_case("a/b", &all, "It.\n", listed).is_empty());
        assert_eq!(incomplete_case("a/b", &all[1..], "It.\n", listed), ["lacks request.xml"]);
        assert_eq!(
            incomplete_case("a/b", &all, "It.\nNo.\n", listed),
            ["about.md is not one line"]
        );
        assert_eq!(incomplete_case("a/c", &all, "It.\n", listed).len(), 1);
        let json = ["request.json", "response.json", "about.md", "replay.toml"];
        assert!(incomplete_case("a/b", &json, "It.\n", listed).is_empty());
        let mixed = ["request.json", "response.xml", "about.md"];
        assert_eq!(incomplete_case("a/b", &mixed, "It.\n", listed).len(), 2);
        let extra = [&all[..], &["notes.txt"]].concat();
        assert_eq!(incomplete_case("a/b", &extra, "It.\n", listed).len(), 1);
    }
}
