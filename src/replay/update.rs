//! Accepting an answer as the new capture.

use super::catalogue::{Entry, RESPONSE, rewrite_status};
use super::compare::{Difference, Level, compare, usual_status};
use super::error::ReplayError;
use super::shape::is_session;
use crate::client::Answer;

/// What is written in the place of a live session.
const EXAMPLE_SESSION: &str = "example-session-";

/// Makes `answer` the capture of a case. What still differs then, such as a header or a text that
/// a rule wants to match, is given back.
pub(super) fn accept(
    entry: &Entry,
    answer: &Answer,
    level: Level,
) -> Result<Vec<Difference>, ReplayError> {
    let body = without_session(&answer.body);
    let mut rules = (*entry.rules).clone();
    let actual = answer.status.as_u16();
    if rules.status.map_or_else(|| usual_status(&body), |status| status.0) != actual {
        let status = (usual_status(&body) != actual).then_some(actual);
        rewrite_status(&entry.folder, status)?;
        rules.status = Some(super::rules::Status(actual));
    }
    let file = entry.folder.join(RESPONSE);
    std::fs::write(&file, &body).map_err(|error| ReplayError::capture(&file, None, error))?;
    let answer = Answer { body: body.clone().into(), ..answer.clone() };
    Ok(compare(&body, &answer, &rules, level))
}

/// The body with an example in the place of every session that is all the text of an element.
fn without_session(body: &[u8]) -> Vec<u8> {
    let mut written = Vec::with_capacity(body.len());
    for (number, piece) in body.split(|byte| *byte == b'>').enumerate() {
        if number > 0 {
            written.push(b'>');
        }
        let end = piece.iter().position(|byte| *byte == b'<').unwrap_or(piece.len());
        let (text, rest) = piece.split_at(end);
        match std::str::from_utf8(text) {
            Ok(session) if is_session(session) => {
                let repeated = EXAMPLE_SESSION.repeat(text.len().div_ceil(EXAMPLE_SESSION.len()));
                written.extend(repeated.bytes().take(text.len()));
            }
            _ => written.extend(text),
        }
        written.extend(rest);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_live_session_is_not_kept() {
        let body =
            |session: &str| format!("<a b='>'><S>{session}</S><c>{}</c></a>", "x".repeat(255));
        let written = without_session(body(&"s".repeat(256)).as_bytes());
        assert_eq!(written, body(&EXAMPLE_SESSION.repeat(16)).into_bytes());
        assert_eq!(without_session(b"\xff>"), b"\xff>");
    }
}
