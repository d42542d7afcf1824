//! What is refused before there is a body to read: the listener finds it, and the words for it
//! stand here.

use super::fault::{Fault, shown};
use crate::call::Refusal;
use crate::domain::version::ApiVersion;
use crate::xml::content_type::media_type;

/// With `multipart/*` and `*+json`, what is certainly no XML.
const FOREIGN_TYPES: [&str; 2] = ["application/json", "application/x-www-form-urlencoded"];

/// Whether a body of this content type may be XML: the reader finds out about all but what is
/// certainly none.
pub(super) fn may_be_xml(content_type: &str) -> bool {
    let essence = media_type(content_type);
    let (family, kind) = essence.split_once('/').unwrap_or((essence, ""));
    let suffix = kind.rsplit_once('+').map_or("", |(_, suffix)| suffix);
    let is_foreign = family.eq_ignore_ascii_case("multipart")
        || suffix.eq_ignore_ascii_case("json")
        || FOREIGN_TYPES.iter().any(|foreign| foreign.eq_ignore_ascii_case(essence));
    !is_foreign
}

/// The version to answer a refusal of a call to `version` in; the oldest where that plays no part:
/// of the refusals only being overloaded has a code that is newer than some versions.
pub(super) fn version_of(refusal: &Refusal, version: &str) -> ApiVersion {
    match refusal {
        Refusal::Overloaded => version.parse().unwrap_or(ApiVersion::FIRST),
        _ => ApiVersion::FIRST,
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::BodyTooLarge => Self::BodyTooLarge("body bytes".to_owned()),
            Refusal::InflatedTooLarge => Self::BodyTooLarge("inflated bytes".to_owned()),
            Refusal::BodyTooSlow => Self::BodyTooSlow,
            Refusal::ContentType(sent) => Self::ContentType(essence(&sent)),
            Refusal::ContentEncoding(sent) => Self::ContentEncoding(shown(sent.trim())),
            Refusal::BadGzip => Self::BadGzip,
            Refusal::Overloaded => Self::TooManyRequests,
        }
    }
}

/// A content type without its parameters.
fn essence(content_type: &str) -> String {
    shown(content_type.split(';').next().unwrap_or_default().trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_certainly_no_xml_is_refused() {
        for good in [
            "text/xml; charset=utf-8",
            "application/xml",
            "application/soap+xml",
            "text/plain",
            "text/xml; charset=utf-8, text/xml",
            "application/octet-stream",
            "",
        ] {
            assert!(may_be_xml(good), "{good}");
        }
        for bad in [
            "multipart/related; type=\"text/xml\"",
            "application/x-www-form-urlencoded",
            "Application/JSON",
            "application/problem+json; charset=utf-8",
        ] {
            assert!(!may_be_xml(bad), "{bad}");
        }
    }
}
