//! The head of a call: what a front door may know of it before there is a body.
//!
//! What must stay true: of the headers a call carries only those that its front door says to read,
//! so that a call of a door that reads none copies none.

use crate::domain::origin::Origin;
use std::fmt;
use std::sync::Arc;

/// A method of HTTP (RFC 9110, 9; PATCH: RFC 5789).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
    /// `OPTIONS`
    Options,
    /// Any other, which no front door serves.
    Other,
}

impl Method {
    /// The method of this name; names are in upper case.
    pub fn from_name(name: &str) -> Self {
        match name {
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "PATCH" => Self::Patch,
            "DELETE" => Self::Delete,
            "OPTIONS" => Self::Options,
            _ => Self::Other,
        }
    }

    /// Its name; that of a method that no front door serves is empty.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
            Self::Other => "",
        }
    }

    /// Whether it reads: an answer to HEAD is that to GET without its body.
    pub const fn reads(self) -> bool {
        matches!(self, Self::Get | Self::Head)
    }
}

/// Those headers of a request that its front door reads.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(&'static str, String)>);

impl Headers {
    /// The headers of these names, in lower case, and their values, each name once. What is no
    /// UTF-8 in a value is replaced by U+FFFD.
    pub fn new(headers: Vec<(&'static str, String)>) -> Self {
        Self(headers)
    }

    /// The value of the header of this name, in lower case. Where it was sent several times, the
    /// values are joined by `, `, as in a list (RFC 9110, 5.3); cookies by `; `.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut named = self.0.iter().filter(|(known, _)| *known == name);
        named.next().map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for Headers {
    /// The names alone: values may hold secrets.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// The users whose calls a connection may carry: all of them, unless its client showed a
/// certificate; then those that the certificate names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Users(Option<Arc<[String]>>);

impl Users {
    /// Those that a client's certificate names, if it showed one.
    pub fn named(names: Option<Arc<[String]>>) -> Self {
        Self(names)
    }

    /// Whether the connection may carry calls of this user; names of users are compared as at a
    /// login, without regard to the case of ASCII letters.
    pub fn allow(&self, username: &str) -> bool {
        self.0
            .as_ref()
            .is_none_or(|names| names.iter().any(|name| name.eq_ignore_ascii_case(username)))
    }
}

/// The head of a call.
#[derive(Debug, Clone)]
pub struct Head {
    /// Its method.
    pub method: Method,
    /// Its path in normal form: no empty segments, no dots, no parameters, no slash at the end;
    /// what must be percent-encoded still is.
    pub path: String,
    /// What follows the question mark, as sent.
    pub query: Option<String>,
    /// The version that its front door found in the path, as sent.
    pub version: String,
    /// Where the caller reaches the gateway: scheme and authority, without a slash at the end.
    pub base_url: String,
    /// The content type, as sent.
    pub content_type: Option<String>,
    /// The Idempotency-Key header, as sent.
    pub idempotency_key: Option<Vec<u8>>,
    /// The other headers that the front door reads.
    pub headers: Headers,
    /// Whose calls the connection may carry.
    pub users: Users,
    /// Where the call comes from.
    pub origin: Origin,
}

impl Head {
    /// The value of a header that the front door reads, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_looked_up_by_name_and_print_no_value() {
        let headers = Headers::new(vec![("authorization", "Bearer s3cret".to_owned())]);
        assert_eq!(headers.get("authorization"), Some("Bearer s3cret"));
        assert_eq!(headers.get("accept"), None);
        assert_eq!(format!("{headers:?}"), r#"["authorization"]"#);
    }

    #[test]
    fn a_certificate_narrows_down_whose_calls_a_connection_carries() {
        let users = Users::named(Some(Arc::from(["jane@example.com".to_owned()])));
        assert!(users.allow("Jane@example.com") && !users.allow("joe@example.com"));
        assert!(!Users::named(Some(Arc::from([]))).allow("jane@example.com"));
        assert!(Users::default().allow("joe@example.com"));
    }

    #[test]
    fn methods_are_known_by_their_names_in_upper_case() {
        assert_eq!(Method::from_name("DELETE"), Method::Delete);
        assert_eq!(Method::from_name("get"), Method::Other);
        assert!(Method::from_name("HEAD").reads() && !Method::from_name("POST").reads());
    }
}
