//! The names that a request and its answer have beside each other: `a-request.xml` and
//! `a-response.xml`, `req_1.xml` and `resp_1.xml`, `Request.xml` and `Response.xml`, or the same
//! name in the folders `requests` and `responses`.

use super::super::error::ReplayError;
use std::path::{Path, PathBuf};

/// Words for a request, each with those for its answer.
const WORDS: [(&str, &[&str]); 4] = [
    ("requests", &["responses"]),
    ("request", &["response"]),
    ("req", &["resp", "res"]),
    ("rq", &["rs"]),
];

/// The answer that lies beside a request, by their names; none if there is none, or the name is no
/// request's. Two that both may be meant are an error.
pub(super) fn answer_of(file: &Path) -> Result<Option<PathBuf>, ReplayError> {
    let mut found = existing(file, &WORDS);
    let first = found.pop();
    match (first, found.pop()) {
        (Some(one), Some(other)) => {
            let [one, other] = [one, other].map(|path| path.display().to_string());
            let message = format!("both {other} and {one} may be its answer: remove or rename one");
            Err(ReplayError::capture(file, None, message))
        }
        (first, _) => Ok(first),
    }
}

/// The request that lies beside an answer.
pub(super) fn request_of(file: &Path) -> Option<PathBuf> {
    let turned: [(&str, &[&str]); 5] = [
        ("responses", &["requests"]),
        ("response", &["request"]),
        ("resp", &["req"]),
        ("res", &["req"]),
        ("rs", &["rq"]),
    ];
    existing(file, &turned).into_iter().next()
}

fn existing(file: &Path, words: &[(&str, &[&str])]) -> Vec<PathBuf> {
    let is_xml = file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("xml"));
    let Some(stem) = file.file_stem().and_then(|stem| stem.to_str()).filter(|_| is_xml) else {
        return Vec::new();
    };
    let ending = file.extension().unwrap_or_default().to_string_lossy();
    let folder = file.parent().unwrap_or(Path::new(""));
    let stems = turned(stem, words);
    let mut candidates: Vec<PathBuf> =
        stems.iter().map(|stem| folder.join(format!("{stem}.{ending}"))).collect();
    // The folder may say it as well as the name.
    let above = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    for (word, answers) in words {
        if let Some(answer) = answers.first().filter(|_| above.eq_ignore_ascii_case(word)) {
            let beside = folder.with_file_name(in_case_of(above, answer));
            let stems = stems.iter().map(String::as_str).chain([stem]);
            candidates.extend(stems.map(|stem| beside.join(format!("{stem}.{ending}"))));
        }
    }
    candidates.retain(|path| path.is_file());
    candidates.dedup();
    candidates
}

/// The name with the word for a request at its start or its end exchanged.
fn turned(stem: &str, words: &[(&str, &[&str])]) -> Vec<String> {
    let lower = stem.to_ascii_lowercase();
    for (word, answers) in words {
        let at = match (lower.strip_suffix(word), lower.starts_with(word)) {
            (Some(before), _) if is_edge(stem, before.len()) => before.len(),
            (_, true) if is_edge(stem, word.len()) => 0,
            _ => continue,
        };
        let Some((before, rest)) = stem.split_at_checked(at) else { continue };
        let Some((written, after)) = rest.split_at_checked(word.len()) else { continue };
        let turned = |answer: &&str| format!("{before}{}{after}", in_case_of(written, answer));
        return answers.iter().map(turned).collect();
    }
    Vec::new()
}

/// Whether a word begins or ends there: no letter stands on one side of it, or a capital follows.
fn is_edge(stem: &str, at: usize) -> bool {
    let before = stem.get(..at).and_then(|before| before.chars().last());
    let after = stem.get(at..).and_then(|after| after.chars().next());
    let is_letter = |it: Option<char>| it.is_some_and(char::is_alphabetic);
    !is_letter(before)
        || !is_letter(after)
        || (before.is_some_and(char::is_lowercase) && after.is_some_and(char::is_uppercase))
}

/// A word in capitals, with one, or without, as another is written.
fn in_case_of(written: &str, word: &str) -> String {
    let mut letters = written.chars();
    let is_first_upper = letters.next().is_some_and(char::is_uppercase);
    if is_first_upper && letters.clone().all(char::is_uppercase) {
        return word.to_uppercase();
    }
    match word.split_at_checked(1) {
        Some((first, rest)) if is_first_upper => format!("{}{rest}", first.to_uppercase()),
        _ => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_for_a_request_is_found_at_either_end() {
        for (stem, answer) in [
            ("a-request", "a-response"),
            ("a_req", "a_resp"),
            ("request1", "response1"),
            ("Request", "Response"),
            ("createRequest", "createResponse"),
            ("REQ_1", "RESP_1"),
            ("01.rq", "01.rs"),
            ("request-create", "response-create"),
        ] {
            let turned = turned(stem, &WORDS);
            assert_eq!(turned.first().map(String::as_str), Some(answer), "{stem}");
        }
        for stem in ["create", "prereq", "requested", "a-requests-b", "required", ""] {
            assert_eq!(turned(stem, &WORDS), [""; 0], "{stem}");
        }
    }
}
