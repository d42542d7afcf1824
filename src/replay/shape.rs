//! Values that differ from run to run, recognised by the name of their element and by their form.
//!
//! Two values of one shape are equal. The shape needs both: an id in a message, or a word where an
//! id belongs, is compared as it stands.

use crate::domain::secret::SESSION_CHARS;
use chrono::{DateTime, NaiveDate, NaiveDateTime};

/// What is the same in all values of a shape: what stands for the part that may differ, and the
/// rest, which may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape<'t> {
    pub(super) stands_for: &'static str,
    pub(super) rest: &'t str,
}

/// The shape of the text of an element, if it has one.
pub(super) fn shape<'t>(local: &str, text: &'t str) -> Option<Shape<'t>> {
    let whole = |stands_for| Some(Shape { stands_for, rest: "" });
    if (local.ends_with("Id") || local.ends_with("ID")) && is_id(text) {
        whole("an id")
    } else if local.eq_ignore_ascii_case("session") && is_session(text) {
        whole("a session")
    } else if local == "ServerUrl" {
        Some(Shape { stands_for: "scheme and host", rest: path_of(text)? })
    } else if local == "RefundNumber" && is_number(text) {
        whole("a number")
    } else if local == "queryLocator" && is_locator(text) {
        whole("a locator")
    } else if ["Date", "Time", "On"].iter().any(|end| local.ends_with(end)) {
        if is_date(text) {
            whole("a date")
        } else {
            is_date_time(text).then_some(Shape { stands_for: "a time", rest: "" })
        }
    } else {
        None
    }
}

/// The shape of a text of a JSON document by the name of its member, if it has one.
pub(super) fn json_shape<'t>(name: &str, text: &'t str) -> Option<Shape<'t>> {
    let whole = |stands_for| Some(Shape { stands_for, rest: "" });
    match name {
        "id" if is_id(text) => whole("an id"),
        "number" if is_number(text) => whole("a number"),
        "processId" if text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            whole("a process id")
        }
        "requestId" if is_uuid(text) => whole("a request id"),
        "jti" if is_uuid(text) => whole("an id of a token"),
        "nextPage" => Some(Shape { stands_for: "scheme and host", rest: path_of(text)? }),
        name if name.ends_with("Date") || name.ends_with("On") || name.ends_with("Time") => {
            let is_moment = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").is_ok();
            if is_moment { whole("a time") } else { shape(name, text) }
        }
        name => shape(name, text),
    }
}

fn is_uuid(text: &str) -> bool {
    let lengths = [8, 4, 4, 4, 12];
    let is_part = |(part, length): (&str, usize)| {
        part.len() == length && part.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    text.split('-').count() == lengths.len() && text.split('-').zip(lengths).all(is_part)
}

fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix("R-").unwrap_or_default();
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_locator(text: &str) -> bool {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('-').is_some_and(|(id, offset)| is_id(id) && is_digits(offset))
}

/// Whether this is a session as this gateway gives them.
pub(super) fn is_session(text: &str) -> bool {
    let is_url_safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    text.len() == SESSION_CHARS && text.bytes().all(is_url_safe)
}

fn path_of(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"))?;
    let host_ends = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    (host_ends > 0).then(|| rest.split_at(host_ends).1)
}

/// A date with or without its zone.
fn is_date(text: &str) -> bool {
    let Some((date, zone)) = text.split_at_checked(10) else { return false };
    NaiveDate::parse_from_str(date, "%Y-%m-%d").is_ok()
        && (zone.is_empty()
            || DateTime::parse_from_rfc3339(&format!("{date}T00:00:00{zone}")).is_ok())
}

fn is_date_time(text: &str) -> bool {
    DateTime::parse_from_rfc3339(text).is_ok()
        || DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z").is_ok()
        || NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(local: &str, one: &str, other: &str) -> bool {
        let one = shape(local, one);
        one.is_some() && one == shape(local, other)
    }

    #[test]
    fn ids_are_alike_only_where_ids_belong() {
        let (one, other) = ("402892c72b9e3319012b9e34b88e0001", "8A80812F3EC0D1A5013EC0D1A5AA0002");
        assert!(same("Id", one, other) && same("PaymentMethodID", one, other));
        assert!(!same("Message", one, other) && !same("ids", one, other));
        assert!(!same("Id", one, "402892c72b9e3319012b9e34b88e000") && !same("Id", one, ""));
        assert!(!same("Id", one, "402892c72b9e3319012b9e34b88e000g"));
    }

    #[test]
    fn sessions_are_255_url_safe_characters() {
        let session = |character: &str, count| character.repeat(count);
        assert!(same("Session", &session("a", 255), &session("_", 255)));
        assert!(!same("Session", &session("a", 255), &session("a", 256)));
        assert!(!same("Session", &session("a", 255), &session("+", 255)));
        assert!(!same("Key", &session("a", 255), &session("b", 255)));
    }

    #[test]
    fn a_server_url_keeps_its_path() {
        let here = "http://127.0.0.1:8080/apps/services/a/91.0";
        assert!(same("ServerUrl", here, "https://www.example.com/apps/services/a/91.0"));
        assert!(!same("ServerUrl", here, "http://127.0.0.1:8080/apps/services/a/90.0"));
        assert!(!same("ServerUrl", here, "/apps/services/a/91.0"));
        assert!(!same("ServerUrl", here, "http:///apps/services/a/91.0"));
        assert!(!same("Url", here, "http://x/apps/services/a/91.0"));
    }

    #[test]
    fn numbers_and_locators_are_given_anew_too() {
        let (one, other) = ("402892c72b9e3319012b9e34b88e0001", "8A80812F3EC0D1A5013EC0D1A5AA0002");
        assert!(same("RefundNumber", "R-00000417", "R-00000001"));
        assert!(!same("RefundNumber", "R-1", "P-1") && !same("Number", "R-1", "R-2"));
        assert!(same("queryLocator", &format!("{one}-2000"), &format!("{other}-4")));
        assert!(!same("queryLocator", &format!("{one}-2000"), other));
    }

    #[test]
    fn dates_are_no_times() {
        assert!(same("RefundDate", "2026-01-31", "2025-02-28"));
        assert!(same("CreatedDate", "2026-01-31T10:00:00.000-08:00", "2026-02-01T10:00:00Z"));
        assert!(same("UpdatedOn", "2026-01-31T10:00:00", "2026-02-01T10:00:00.5+0100"));
        assert!(same("EffectiveDate", "2026-01-31Z", "2026-01-31-08:00"));
        assert!(!same("RefundDate", "2026-01-31", "2026-01-31T00:00:00Z"));
        assert!(!same("RefundDate", "2026-01-31", "2026-02-30"));
        assert!(!same("RefundDate", "2026-01-31", "2026-1-31"));
        assert!(!same("Comment", "2026-01-31", "2026-02-01"));
    }
}
