//! What hyper answers by itself to a head that it cannot take, in words.
//!
//! hyper says no more than a status there, and 400 also to a transfer coding that it does not know,
//! which is 501 (RFC 9112, section 6.1). What must stay true: an answer of ours, which names its
//! server, is never touched; what stands in place of hyper's says that the connection ends, as
//! hyper's does.

use super::answer::SERVER_NAME;
use hyper::HeaderMap;
use hyper::header::TRANSFER_ENCODING;
use std::fmt::Write;

/// Of which header the coding is looked at, in lower case.
const CODING: &[u8] = b"transfer-encoding:";
/// What each answer of ours names.
const SERVER: &str = "\r\nserver: ";

/// How long an answer of hyper's own is at most, in bytes.
const ANSWER_MAX: usize = 512;

/// What is said where a coding is not implemented.
pub(super) const CHUNKED_ALONE: &str = "Of transfer encodings only chunked is implemented.";

/// Whether headers that hyper took name a transfer coding other than chunked, or one twice.
pub(super) fn has_foreign_coding(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let first = codings.next();
    codings.next().is_some() || first.is_some_and(|coding| !is_chunked(coding.as_bytes()))
}

/// Whether the bytes of a head name a transfer coding other than chunked.
pub(super) fn names_foreign_coding(head: &[u8]) -> bool {
    memchr::memchr_iter(b'\n', head).any(|end| {
        let line = head.get(end + 1..).unwrap_or_default();
        // Most lines are told by their first letter.
        if !matches!(line, [b't' | b'T', ..]) {
            return false;
        }
        let Some((name, rest)) = line.split_at_checked(CODING.len()) else {
            return false;
        };
        name.eq_ignore_ascii_case(CODING) && !is_chunked(rest)
    })
}

/// Whether the line says no coding but chunked.
fn is_chunked(rest: &[u8]) -> bool {
    let end = memchr::memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
    let coding = rest.get(..end).unwrap_or_default().trim_ascii();
    coding.eq_ignore_ascii_case(b"chunked")
}

/// What is sent in place of an answer of hyper's own; none where it is not one.
pub(super) fn in_words(answer: &[u8], has_foreign_coding: bool) -> Option<Vec<u8>> {
    if answer.len() > ANSWER_MAX || !answer.starts_with(b"HTTP/1.1 4") {
        return None;
    }
    let answer = std::str::from_utf8(answer).ok()?;
    let (status, headers) = answer.strip_prefix("HTTP/1.1 ")?.split_once("\r\n")?;
    if answer.contains(SERVER) || !headers.ends_with("\r\n\r\n") {
        return None;
    }
    let (status, text) = match status.get(..3)? {
        "400" if has_foreign_coding => ("501 Not Implemented", CHUNKED_ALONE),
        "400" => (status, "The head of the request is not one of HTTP/1.1 or HTTP/1.0."),
        "414" => (status, "The path of the request is too long."),
        "431" => (status, "The head of the request is too large."),
        _ => return None,
    };
    let mut spoken = format!("HTTP/1.1 {status}\r\n");
    let is_of_body = |line: &&str| line.to_ascii_lowercase().starts_with("content-length:");
    for line in headers.trim_end().split("\r\n").filter(|line| !is_of_body(line)) {
        let _infallible = write!(spoken, "{line}\r\n");
    }
    let (length, server) = (text.len() + 1, SERVER_NAME);
    let server = server.to_str().unwrap_or_default();
    let _infallible = write!(
        spoken,
        "content-type: text/plain; charset=utf-8\r\ncontent-length: {length}\r\n\
         server: {server}\r\n\r\n{text}\n"
    );
    Some(spoken.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codings_other_than_chunked_are_seen_however_they_are_written() {
        for (line, is_foreign) in [
            ("Transfer-Encoding: chunked", false),
            ("transfer-encoding:\tCHUNKED ", false),
            ("Transfer-Encoding: gzip", true),
            ("TRANSFER-ENCODING:identity", true),
            ("Transfer-Encoding: chunked, gzip", true),
            ("Transfer-Encoding:", true),
            ("X-Transfer-Encoding: gzip", false),
            ("Transfer-Encodin", false),
        ] {
            let head = format!("POST / HTTP/1.1\r\nHost: h\r\n{line}\r\n\r\nTransfer");
            assert_eq!(names_foreign_coding(head.as_bytes()), is_foreign, "{line}");
        }
    }

    #[test]
    fn answers_of_ours_are_never_touched() {
        let hypers = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        let spoken = String::from_utf8(in_words(hypers.as_bytes(), false).unwrap()).unwrap();
        assert!(spoken.starts_with("HTTP/1.1 400 Bad Request\r\nconnection: close\r\n"));
        assert!(!spoken.contains("content-length: 0") && spoken.ends_with(".\n"), "{spoken}");
        for ours in [
            "HTTP/1.1 400 Bad Request\r\nserver: refund-gateway\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 100 Continue\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 5\r\n\r\nabcde",
            "more of a body\r\n\r\n",
        ] {
            assert_eq!(in_words(ours.as_bytes(), true), None, "{ours}");
        }
    }
}
