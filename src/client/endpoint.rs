//! The base address of an endpoint, checked.

use hyper::Uri;
use std::fmt;
use std::net::IpAddr;

/// Where requests are sent: a host, a port, and perhaps a path of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    is_https: bool,
    authority: String,
    host: String,
    port: u16,
    path: Option<String>,
}

/// Why a text is no endpoint that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// It is no URL with a host.
    #[error("`{0}` is no URL such as http://127.0.0.1:8080")]
    NotAUrl(String),
    /// The URL carries a name or a password.
    #[error("a URL with user information is not accepted")]
    UserInformation,
}

impl Endpoint {
    /// Reads a URL: `http://HOST[:PORT][/PATH]`, or the same with https.
    pub fn parse(url: &str) -> Result<Self, EndpointError> {
        let not_a_url = || EndpointError::NotAUrl(url.to_owned());
        if url.contains('@') {
            return Err(EndpointError::UserInformation);
        }
        let uri: Uri = url.parse().map_err(|_| not_a_url())?;
        let is_https = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(not_a_url()),
        };
        let authority = uri.authority().ok_or_else(not_a_url)?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let has_port = authority.as_str().strip_prefix(authority.host()) != Some("");
        if host.is_empty() || (has_port && authority.port_u16().is_none()) {
            return Err(not_a_url());
        }
        let path = uri.path_and_query().map(ToString::to_string).filter(|path| path != "/");
        Ok(Self {
            is_https,
            authority: authority.to_string(),
            host: host.to_owned(),
            port: authority.port_u16().unwrap_or(if is_https { 443 } else { 80 }),
            path,
        })
    }

    /// Whether it is reached by TLS.
    pub fn is_https(&self) -> bool {
        self.is_https
    }

    /// The host and port as the URL has them, for the Host header.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The host and port to connect to.
    pub fn address(&self) -> (&str, u16) {
        (&self.host, self.port)
    }

    /// The path and query of the URL, if it has more than the root.
    pub fn path(&self) -> Option<&str> {
        self.path.as_deref()
    }

    /// Whether it is certainly on this machine. A name other than `localhost` is not: who knows
    /// where it leads.
    pub fn is_loopback(&self) -> bool {
        self.host.eq_ignore_ascii_case("localhost")
            || self.host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_https { "https" } else { "http" };
        write!(out, "{scheme}://{}{}", self.authority, self.path.as_deref().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(url: &str) -> Endpoint {
        Endpoint::parse(url).expect(url)
    }

    #[test]
    fn a_base_has_no_path_of_its_own() {
        assert_eq!(endpoint("http://127.0.0.1:8080").path(), None);
        assert_eq!(endpoint("http://127.0.0.1:8080/").path(), None);
        assert_eq!(endpoint("http://h/apps/x?y=1").path(), Some("/apps/x?y=1"));
    }

    #[test]
    fn the_port_is_that_of_the_scheme_unless_given() {
        assert_eq!(endpoint("http://h").address(), ("h", 80));
        assert_eq!(endpoint("https://h").address(), ("h", 443));
        assert_eq!(endpoint("https://h:8443/x").to_string(), "https://h:8443/x");
        assert_eq!(endpoint("http://[::1]:8080").address(), ("::1", 8080));
        assert_eq!(endpoint("http://[::1]:8080").authority(), "[::1]:8080");
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for url in ["http://localhost", "http://127.9.9.9", "http://[::1]", "http://LocalHost:1"] {
            assert!(endpoint(url).is_loopback(), "{url}");
        }
        for url in ["http://10.0.0.1", "http://localhost.example", "http://0.0.0.0", "http://x"] {
            assert!(!endpoint(url).is_loopback(), "{url}");
        }
    }

    #[test]
    fn what_is_no_http_url_is_refused() {
        for url in ["", "127.0.0.1:8080", "ftp://h", "http://", "http://h:99999", "/x", "h"] {
            assert!(matches!(Endpoint::parse(url), Err(EndpointError::NotAUrl(_))), "{url}");
        }
        let secret = Endpoint::parse("http://me:secret@h").expect_err("user information");
        assert!(!secret.to_string().contains("secret"));
    }
}
