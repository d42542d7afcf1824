//! The headers of a call: which the door wants to see, and what they must be.
//!
//! Source: the header parameters of "Refund a credit memo" and "Refund a payment".

use crate::domain::text::Text;

/// The longest Zuora-Track-Id, in characters.
const TRACK_ID_CHARS_MAX: usize = 64;

pub(super) const REQUEST_ID: &str = "x-request-id";
pub(super) const TRACK_ID: &str = "zuora-track-id";
pub(super) const VERSION: &str = "zuora-version";
pub(super) const WSDL_VERSION: &str = "x-zuora-wsdl-version";
pub(super) const ENTITY_IDS: &str = "zuora-entity-ids";
pub(super) const ORG_IDS: &str = "zuora-org-ids";
pub(super) const AUTHORIZATION: &str = "authorization";
pub(super) const COOKIE: &str = "cookie";
pub(super) const ACCESS_KEY: &str = "apiaccesskeyid";
pub(super) const ACCESS_SECRET: &str = "apisecretaccesskey";

/// The headers that the door is handed.
pub(super) const WANTED: [&str; 10] = [
    REQUEST_ID,
    TRACK_ID,
    VERSION,
    WSDL_VERSION,
    ENTITY_IDS,
    ORG_IDS,
    AUTHORIZATION,
    COOKIE,
    ACCESS_KEY,
    ACCESS_SECRET,
];

/// A track id that answers may repeat: visible US-ASCII and blanks, at most 64 characters, without
/// colon, semicolon and quotes.
///
/// # Errors
/// A sentence that says what it may be.
pub(super) fn track_id(sent: &str) -> Result<&str, Text> {
    let is_good = |character: char| {
        (' '..='~').contains(&character) && !matches!(character, ':' | ';' | '"' | '\'')
    };
    if sent.chars().count() <= TRACK_ID_CHARS_MAX && sent.chars().all(is_good) {
        return Ok(sent);
    }
    let words = "Zuora-Track-Id must be at most 64 US-ASCII characters without colon, semicolon \
                 and quotes.";
    Err(Text::new(words, []))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_track_id_is_short_and_has_none_of_four_characters() {
        for good in ["", "a", "job 7/2", &"x".repeat(64)] {
            assert_eq!(track_id(good), Ok(good));
        }
        for bad in ["a:b", "a;b", "a\"b", "a'b", "é", "a\tb", &"x".repeat(65)] {
            assert!(track_id(bad).is_err(), "{bad}");
        }
    }
}
