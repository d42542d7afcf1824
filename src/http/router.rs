//! Which request goes where on the public listener.
//!
//! Old clients have the paths compiled in, so paths are compared letter by letter; only a slash at
//! the end and the letter case of `?wsdl` are forgiven.

use crate::soap::ENDPOINT;
use hyper::Method;

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

/// Finds the way of a request.
pub(super) fn route<'a>(method: &Method, path: &'a str, query: Option<&'a str>) -> Route<'a> {
    let path = path.strip_suffix('/').unwrap_or(path);
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
        route(method, path, query)
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
