//! What is refused before there is a body to read: the front door finds it, and the words for it
//! stand here.

use super::fault::{Fault, shown};
use crate::domain::version::ApiVersion;

/// Why a request is refused without being read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The body is over the limit of bytes on the wire.
    BodyTooLarge,
    /// The body is over the limit of bytes once inflated.
    InflatedTooLarge,
    /// The body was not there by its deadline.
    BodyTooSlow,
    /// The content type, as sent, is not that of XML.
    ContentType(String),
    /// The content encoding, as sent, is not served.
    ContentEncoding(String),
    /// The content encoding is gzip, and the body is not.
    BadGzip,
    /// Too many requests are under way.
    Overloaded {
        /// The last segment of the path, as sent: the code for it is newer than some versions.
        version: String,
    },
}

impl Refusal {
    /// The version to answer in; the oldest where the caller's plays no part.
    pub(super) fn api(&self) -> ApiVersion {
        match self {
            Self::Overloaded { version } => version.parse().unwrap_or(ApiVersion::FIRST),
            _ => ApiVersion::FIRST,
        }
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::BodyTooLarge => Self::BodyTooLarge("body bytes".to_owned()),
            Refusal::InflatedTooLarge => Self::BodyTooLarge("inflated bytes".to_owned()),
            Refusal::BodyTooSlow => Self::BodyTooSlow,
            Refusal::ContentType(sent) => Self::ContentType(media_type(&sent)),
            Refusal::ContentEncoding(sent) => Self::ContentEncoding(shown(sent.trim())),
            Refusal::BadGzip => Self::BadGzip,
            Refusal::Overloaded { .. } => Self::TooManyRequests,
        }
    }
}

/// A content type without its parameters.
fn media_type(content_type: &str) -> String {
    shown(content_type.split(';').next().unwrap_or_default().trim())
}
