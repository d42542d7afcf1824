//! Which request goes where on the public listener.
//!
//! Old clients have the paths compiled in, and join them from parts. A path is brought to its
//! normal form as servlet containers do (RFC 3986, 6.2.2), and is then compared letter by letter.

use crate::soap::ENDPOINT;
use hyper::Method;
use std::borrow::Cow;

/// The path under which the original's user interface hands out the WSDL.
const GENERATE_WSDL: &str = "/apps/servlet/GenerateWsdl";

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route<'a> {
    /// A SOAP call, to the version in the path.
    Soap { version: &'a str },
    /// The WSDL of a version.
    Wsdl { version: &'a str },
    /// The path is right, the method is not.
    WrongMethod { allow: &'static str, sentence: &'static str },
    /// There is nothing there.
    Nothing,
}

/// A path in its normal form: unreserved characters not encoded, no empty segments, none of dots,
/// none with parameters (`;jsessionid=…`), and no slash at the end. A path that leads above its
/// root stays as it is, and so leads nowhere.
pub(super) fn normal(path: &str) -> Cow<'_, str> {
    let is_odd = path.contains("//") || path.contains("/.") || path.contains(['%', ';']);
    if !is_odd {
        return Cow::Borrowed(path.strip_suffix('/').unwrap_or(path));
    }
    let decoded = unreserved_decoded(path);
    let mut kept = Vec::new();
    for segment in decoded.split('/') {
        match segment.split_once(';').map_or(segment, |(name, _)| name) {
            ".." if kept.pop().is_none() => return Cow::Borrowed(path),
            "" | "." | ".." => {}
            segment => kept.push(segment),
        }
    }
    Cow::Owned(kept.into_iter().fold(String::new(), |path, segment| path + "/" + segment))
}

/// The path with what need not be encoded as itself: letters, digits and `-._~`.
fn unreserved_decoded(path: &str) -> String {
    let mut decoded = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        decoded.push_str(before);
        let digits = after.get(..2).filter(|two| two.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let byte = digits.and_then(|two| u8::from_str_radix(two, 16).ok());
        match byte.filter(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(byte)) {
            Some(byte) => {
                decoded.push(char::from(byte));
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                decoded.push('%');
                rest = after;
            }
        }
    }
    decoded + rest
}

/// Finds the way of a request, whose path is [`normal`].
pub(super) fn route<'a>(method: &Method, path: &'a str, query: Option<&'a str>) -> Route<'a> {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    if path == GENERATE_WSDL {
        return generate_wsdl(reads, query);
    }
    let version = path.strip_prefix(ENDPOINT).filter(|rest| !rest.is_empty());
    match version {
        Some(version) if !version.contains('/') => match *method {
            Method::POST => Route::Soap { version },
            _ if reads && asks_for_wsdl(query) => Route::Wsdl { version },
            _ if reads => Route::WrongMethod {
                allow: "POST",
                sentence: "The endpoint takes SOAP calls by POST; its WSDL is at ?wsdl.",
            },
            _ => Route::WrongMethod {
                allow: "GET, HEAD, POST",
                sentence: "The endpoint takes SOAP calls by POST, and GET for its WSDL.",
            },
        },
        _ => Route::Nothing,
    }
}

fn generate_wsdl(reads: bool, query: Option<&str>) -> Route<'_> {
    if !reads {
        let sentence = "The WSDL is read by GET.";
        return Route::WrongMethod { allow: "GET, HEAD", sentence };
    }
    let version = pairs(query).find(|(name, _)| *name == "version");
    version.map_or(Route::Nothing, |(_, version)| Route::Wsdl { version })
}

fn asks_for_wsdl(query: Option<&str>) -> bool {
    pairs(query).any(|(name, _)| name.eq_ignore_ascii_case("wsdl"))
}

fn pairs(query: Option<&str>) -> impl Iterator<Item = (&str, &str)> {
    let pairs = query.into_iter().flat_map(|query| query.split('&'));
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(method: &Method, target: &'static str) -> Route<'static> {
        let (path, query) =
            target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        match normal(path) {
            Cow::Borrowed(path) => route(method, path, query),
            // A test may leave it behind.
            Cow::Owned(path) => route(method, path.leak(), query),
        }
    }

    #[test]
    fn a_path_is_read_as_servlet_containers_read_it() {
        for path in [
            "//apps/services/a/91.0",
            "/apps//services/a/91.0//",
            "/apps/./services/a/91.0/.",
            "/apps/servlet/../services/a/91.0",
            "/%61pps/services/%61/91%2E0",
            "/apps/services/a/91%2e0/",
            "/apps/services/a/91.0;jsessionid=12AB",
            "/apps;x/services/a/91.0",
        ] {
            assert_eq!(by(&Method::POST, path), Route::Soap { version: "91.0" }, "{path}");
        }
        assert_eq!(by(&Method::POST, "/apps/services/a/91"), Route::Soap { version: "91" });
        for path in [
            "/../apps/services/a/91.0",
            "/apps/services/../../../apps/services/a/91.0",
            "/apps%2Fservices/a/91.0",
            "/apps/services/a%2f91.0",
            "/apps/services/a/%2e%2e/91.0/x",
            "/apps/services/a/..",
            "/Apps/services/a/91.0",
            "/%2561pps/services/a/91.0",
            "/apps/services/b/91.0",
            "//",
        ] {
            assert_eq!(by(&Method::POST, path), Route::Nothing, "{path}");
        }
        for text in ["/%", "/%4", "/%zz/%é", "/a%2"] {
            assert_eq!(normal(text), text);
        }
    }

    #[test]
    fn calls_are_posted_to_a_version() {
        for target in ["/apps/services/a/91.0", "/apps/services/a/91.0/", "/apps/services/a/91.0?x"]
        {
            assert_eq!(by(&Method::POST, target), Route::Soap { version: "91.0" });
        }
        for target in ["/", "/apps/services/a", "/apps/services/a/", "/apps/services/a/91.0/x"] {
            assert_eq!(by(&Method::POST, target), Route::Nothing, "{target}");
        }
    }

    #[test]
    fn the_wsdl_is_asked_for_in_any_case() {
        for query in ["wsdl", "WSDL", "Wsdl&x", "a=b&wsdl", "wsdl=1"] {
            let target = format!("/apps/services/a/38.0?{query}");
            let (path, query) = target.split_once('?').unwrap();
            assert_eq!(route(&Method::GET, path, Some(query)), Route::Wsdl { version: "38.0" });
            assert_eq!(route(&Method::HEAD, path, Some(query)), Route::Wsdl { version: "38.0" });
        }
        let servlet = "/apps/servlet/GenerateWsdl?version=38.0";
        assert_eq!(by(&Method::GET, servlet), Route::Wsdl { version: "38.0" });
        assert_eq!(by(&Method::GET, "/apps/servlet/GenerateWsdl"), Route::Nothing);
    }

    #[test]
    fn a_wrong_method_is_told_the_right_ones() {
        let allow = |method: Method, target| match by(&method, target) {
            Route::WrongMethod { allow, .. } => allow,
            other => panic!("{method} {target}: {other:?}"),
        };
        assert_eq!(allow(Method::GET, "/apps/services/a/91.0"), "POST");
        assert_eq!(allow(Method::GET, "/apps/services/a/91.0?singleWsdl"), "POST");
        assert_eq!(allow(Method::PUT, "/apps/services/a/91.0?wsdl"), "GET, HEAD, POST");
        assert_eq!(allow(Method::POST, "/apps/servlet/GenerateWsdl?version=38.0"), "GET, HEAD");
    }
}
