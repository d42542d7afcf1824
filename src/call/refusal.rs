//! Why a call is refused before there is a body to read: the listener finds it, and each front door
//! has its own words for it.

/// Why a request is refused without being read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The body is over the limit of bytes on the wire.
    BodyTooLarge,
    /// The body is over the limit of bytes once inflated.
    InflatedTooLarge,
    /// The body was not there by its deadline.
    BodyTooSlow,
    /// The content type, as sent, is not one of the front door's.
    ContentType(String),
    /// The content encoding, as sent, is not served.
    ContentEncoding(String),
    /// The content encoding is gzip, and the body is not.
    BadGzip,
    /// Too many requests are under way.
    Overloaded,
}
