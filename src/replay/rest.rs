//! What of captures is a call of the REST API, by its path, and what such a call may change.
//!
//! What must stay true: nothing that goes to another API is taken for a call of this one, and a
//! call changes something unless the opposite is certain.

use crate::client::Method;
pub(super) use crate::domain::rest_path::{TOKEN, bare, is_rest};

/// Where the vendor's API is reached.
const VENDOR: &str = "zuora.com";
/// Headers of this API, in lower case; no other has them.
const HEADERS: [&str; 3] = ["zuora-", "x-zuora-", "apiaccesskeyid"];
/// The operation that opens a session.
pub(super) const CONNECTIONS: &str = "/v1/connections";
/// Operations that are posted and change nothing.
const READING: [&str; 4] = [TOKEN, CONNECTIONS, "/v1/action/query", "/v1/action/queryMore"];

/// Whether a captured URL is one of the API: by its path, and because its host is the vendor's or
/// of this machine, it names no host, or a header says so.
pub(super) fn is_captured(url: &str, headers: &[(String, String)]) -> bool {
    let (host, path) = match url.split_once("://") {
        None => (None, url),
        Some((_, rest)) => {
            let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            (Some(host.rsplit('@').next().unwrap_or_default()), path)
        }
    };
    is_rest(path) && (host.is_none_or(is_host) || headers.iter().any(|(name, _)| is_header(name)))
}

fn is_host(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let name = name.to_ascii_lowercase();
    let is_vendor =
        name.strip_suffix(VENDOR).is_some_and(|left| left.is_empty() || left.ends_with('.'));
    is_vendor || name == "localhost" || name == "::1" || name.starts_with("127.")
}

fn is_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    HEADERS.iter().any(|start| name.starts_with(start))
}

/// Whether a call may change something.
pub(super) fn may_write(method: &Method, path: &str) -> bool {
    let path = bare(path);
    !(*method == Method::GET || (*method == Method::POST && READING.contains(&path)))
}

/// What a call is named by.
pub(super) fn operation(method: &Method, path: &str) -> String {
    format!("{method} {}", bare(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_certainly_of_this_api_is_sent() {
        let zuora = [("Zuora-Version".to_owned(), "2024-05-20".to_owned())];
        for url in [
            "https://rest.zuora.com/v1/refunds",
            "https://rest.apisandbox.zuora.com/rest/v1/refunds?page=2",
            "https://zuora.com/oauth/token",
            "http://127.0.0.1:8080/v1/refunds",
            "http://[::1]:8080/v1/refunds",
            "http://u@localhost/v1/refunds",
            "/v1/refunds",
        ] {
            assert!(is_captured(url, &[]), "{url}");
        }
        for url in [
            "https://api.example.com/v1/refunds",
            "https://zuora.com.example.com/v1/refunds",
            "https://notzuora.com/v1/refunds",
            "https://rest.zuora.com@example.com/v1/refunds",
            "http://127.example.com",
        ] {
            assert!(!is_captured(url, &[]), "{url}");
        }
        assert!(is_captured("https://proxy.example.com/v1/refunds", &zuora));
        for url in ["https://rest.zuora.com/v2/refunds", "https://rest.zuora.com/apps/v1/x"] {
            assert!(!is_captured(url, &zuora), "{url}");
        }
    }

    #[test]
    fn a_call_writes_unless_it_certainly_reads() {
        for path in ["/v1/action/query", "/rest/v1/action/queryMore?x=1", "/oauth/token"] {
            assert!(!may_write(&Method::POST, path), "{path}");
            assert!(may_write(&Method::PUT, path), "{path}");
        }
        assert!(!may_write(&Method::GET, "/v1/refunds/R-1"));
        assert!(may_write(&Method::POST, "/v1/action/create"));
        assert!(may_write(&Method::DELETE, "/v1/refunds/R-1"));
    }
}
