//! Headers that a tester orders for an answer: legal, few, and none that say where the message ends
//! or what becomes of its connection, which a tester orders otherwise (`reset`, `cut_off`).

use crate::service::faults::OrderedHeader;
use hyper::header::{HeaderName, HeaderValue};
use std::collections::BTreeMap;

/// How many headers one fault can order.
const HEADERS_MAX: usize = 20;
/// The longest value, in bytes.
const VALUE_BYTES_MAX: usize = 1_000;

/// What belongs to the connection or says how the body is framed and packed (RFC 9110, 7.6.1).
const NOT_TO_ORDER: [&str; 11] = [
    "connection",
    "content-encoding",
    "content-length",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The headers, or what is wrong with them.
pub(super) fn checked(written: BTreeMap<String, String>) -> Result<Vec<OrderedHeader>, String> {
    if written.len() > HEADERS_MAX {
        return Err(format!("headers: at most {HEADERS_MAX}"));
    }
    let mut headers: Vec<OrderedHeader> = Vec::with_capacity(written.len());
    for (written, value) in written {
        let name = HeaderName::try_from(&written)
            .map_err(|_| format!("headers: `{written}` is no name of a header"))?;
        let name = name.as_str().to_owned();
        if NOT_TO_ORDER.contains(&name.as_str()) {
            return Err(format!(
                "headers: {written} is the connection's or the body's own and cannot be ordered"
            ));
        }
        if value.len() > VALUE_BYTES_MAX {
            return Err(format!("headers: {written} has more than {VALUE_BYTES_MAX} bytes"));
        }
        // Blanks at the ends are no part of a value on the wire, and beyond ASCII each reader
        // understands another thing.
        let is_text = value.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
        if !is_text || value.trim() != value || HeaderValue::try_from(&value).is_err() {
            return Err(format!(
                "headers: the value of {written} must be visible ASCII without blanks at its ends"
            ));
        }
        if headers.iter().any(|header| header.name == name) {
            return Err(format!("headers: {written} is there twice"));
        }
        headers.push(OrderedHeader { name, value });
    }
    Ok(headers)
}

/// The headers as they are written.
pub(super) fn shown(headers: Vec<OrderedHeader>) -> BTreeMap<String, String> {
    headers.into_iter().map(|header| (header.name, header.value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pairs: &[(&str, &str)]) -> Result<BTreeMap<String, String>, String> {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        checked(pairs.collect()).map(shown)
    }

    #[test]
    fn what_is_legal_can_be_ordered() {
        let good =
            check(&[("Retry-After", "5"), ("X-Empty", ""), ("content-type", "a/b")]).unwrap();
        assert_eq!(good.keys().collect::<Vec<_>>(), ["content-type", "retry-after", "x-empty"]);
    }

    #[test]
    fn what_is_not_legal_is_refused_by_name() {
        for (name, value) in [
            ("Retry After", "5"),
            ("", "5"),
            ("X-A", "one\r\nX-B: two"),
            ("X-A", " 5"),
            ("X-A", "\u{e9}"),
            ("X-A", "\0"),
            ("Transfer-Encoding", "chunked"),
            ("CONTENT-LENGTH", "0"),
            ("Connection", "close"),
            ("Content-Encoding", "gzip"),
        ] {
            let why = check(&[(name, value)]).unwrap_err();
            assert!(why.contains(name), "{name}: {value:?}: {why}");
        }
        assert!(check(&[("X-A", "1"), ("x-a", "2")]).unwrap_err().contains("twice"));
        assert!(check(&[("X-A", &"x".repeat(VALUE_BYTES_MAX + 1))]).is_err());
        let many: Vec<String> = (0..=HEADERS_MAX).map(|n| format!("x-{n}")).collect();
        let many: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "1")).collect();
        assert!(check(&many).unwrap_err().contains("at most"));
    }
}
