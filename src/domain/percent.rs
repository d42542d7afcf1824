//! Percent-encoding of texts in paths, queries and forms (RFC 3986, section 2.1; the URL standard
//! for forms).
//!
//! What must stay true: what is encoded here is decoded to the same text, and a `%` without two hex
//! digits, or bytes that are no UTF-8, are refused and never passed on.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// All but the characters that are never encoded: letters, digits and four marks.
const RESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The same where slashes stay.
const RESERVED_IN_PATH: AsciiSet = RESERVED.remove(b'/');

/// A text as a segment of a path, the value of a query or that of a form.
pub fn encoded(text: &str) -> String {
    utf8_percent_encode(text, &RESERVED).to_string()
}

/// A text as a path, whose slashes stay.
pub fn encoded_path(text: &str) -> String {
    utf8_percent_encode(text, &RESERVED_IN_PATH).to_string()
}

/// A text without its escapes; none where an escape is broken or the bytes are no UTF-8.
pub fn decoded(text: &str) -> Option<String> {
    let is_whole = |part: &str| {
        part.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !text.split('%').skip(1).all(is_whole) {
        return None;
    }
    percent_decode_str(text).decode_utf8().ok().map(String::from)
}

/// The same for a form and its kind of query, where `+` is a blank.
pub fn decoded_of_form(text: &str) -> Option<String> {
    decoded(&text.replace('+', " "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_reserved_is_encoded() {
        assert_eq!(encoded("a@b+c \u{e9}~/"), "a%40b%2Bc%20%C3%A9~%2F");
        assert_eq!(encoded_path("/a?b=c&d=\u{e9}"), "/a%3Fb%3Dc%26d%3D%C3%A9");
    }

    #[test]
    fn broken_escapes_and_other_bytes_than_utf8_are_refused() {
        assert_eq!(decoded("a+%C3%A9").as_deref(), Some("a+é"));
        assert_eq!(decoded_of_form("a+%2B").as_deref(), Some("a +"));
        for wrong in ["%", "%4", "%zz", "%+1", "a%ff", "%%41", "%4é"] {
            assert_eq!(decoded(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded_again(text in ".{0,40}") {
            prop_assert_eq!(decoded(&encoded(&text)), Some(text.clone()));
            prop_assert_eq!(decoded_of_form(&encoded_path(&text)), Some(text));
        }
    }
}
