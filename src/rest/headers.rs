//! The headers of a call: which the door wants to see, and what they must be.
//!
//! Source: the header parameters of "Refund a credit memo" and "Refund a payment".

use crate::domain::text::Text;

/// The longest Zuora-Track-Id, in characters.
const TRACK_ID_CHARS_MAX: usize = 64;

/// How much of an id is repeated, in characters.
const ID_SHOWN_CHARS_MAX: usize = 64;

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

/// That the entity that a call names is one of the tenant's; without Multi-entity it means nothing.
///
/// # Errors
/// A sentence that names the id.
pub(super) fn check_entity(sent: Option<&str>, entities: &[String]) -> Result<(), Text> {
    let Some(id) = sent.map(str::trim).filter(|id| !id.is_empty()) else { return Ok(()) };
    if entities.is_empty() || entities.iter().any(|known| known == id) {
        return Ok(());
    }
    Err(foreign("Zuora-Entity-Ids", id))
}

/// That the orgs that a call names are all the caller's; without Multi-Org they mean nothing.
///
/// # Errors
/// A sentence that names the first id that is not.
pub(super) fn check_orgs(sent: Option<&str>, orgs: Option<&[String]>) -> Result<(), Text> {
    let (Some(sent), Some(orgs)) = (sent, orgs) else { return Ok(()) };
    let mut ids = sent.split(',').map(str::trim).filter(|id| !id.is_empty());
    match ids.find(|id| !orgs.iter().any(|known| known == id)) {
        None => Ok(()),
        Some(id) => Err(foreign("Zuora-Org-Ids", id)),
    }
}

/// A header names what the caller may not work in.
fn foreign(header: &str, id: &str) -> Text {
    let id: String = id.chars().take(ID_SHOWN_CHARS_MAX).collect();
    Text::new(
        "<header> names <id>, which the user has no access to.",
        [("header", header), ("id", &id)],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entity_is_one_of_the_tenants_and_orgs_are_the_users() {
        let known = ["a".to_owned(), "b".to_owned()];
        for (sent, entities, is_good) in [
            (Some("x"), &[][..], true),
            (None, &known, true),
            (Some(" "), &known, true),
            (Some(" b "), &known, true),
            (Some("x"), &known, false),
            // An entity is one, not a list.
            (Some("a,b"), &known, false),
        ] {
            assert_eq!(check_entity(sent, entities).is_ok(), is_good, "{sent:?}");
        }
        for (sent, orgs, is_good) in [
            (Some("x"), None, true),
            (None, Some(&known[..]), true),
            (Some("b, a"), Some(&known), true),
            (Some(""), Some(&[]), true),
            (Some("a,x"), Some(&known), false),
            (Some("a"), Some(&[]), false),
        ] {
            assert_eq!(check_orgs(sent, orgs).is_ok(), is_good, "{sent:?}");
        }
    }

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
