//! The paths of the SOAP front door, which old clients have compiled in.

use crate::call::{Method, Route};

/// The path of the endpoint, up to the version.
pub(super) const ENDPOINT: &str = "/apps/services/a/";
/// The path under which the original's user interface hands out the WSDL.
const GENERATE_WSDL: &str = "/apps/servlet/GenerateWsdl";

/// Where a request goes, whose path is in normal form.
pub(super) fn route<'p>(
    method: Method,
    path: &'p str,
    query: Option<&'p str>,
) -> Option<Route<'p>> {
    let reads = method.reads();
    if path == GENERATE_WSDL {
        return generate_wsdl(reads, query);
    }
    let version = path.strip_prefix(ENDPOINT)?;
    if version.is_empty() || version.contains('/') {
        return None;
    }
    Some(match method {
        Method::Post => Route::Call { version },
        _ if reads && asks_for_wsdl(query) => Route::Description { version },
        _ if reads => Route::WrongMethod {
            allow: "POST",
            sentence: "The endpoint takes SOAP calls by POST; its WSDL is at ?wsdl.",
        },
        _ => Route::WrongMethod {
            allow: "GET, HEAD, POST",
            sentence: "The endpoint takes SOAP calls by POST, and GET for its WSDL.",
        },
    })
}

fn generate_wsdl(reads: bool, query: Option<&str>) -> Option<Route<'_>> {
    if !reads {
        let sentence = "The WSDL is read by GET.";
        return Some(Route::WrongMethod { allow: "GET, HEAD", sentence });
    }
    let (_, version) = pairs(query).find(|(name, _)| *name == "version")?;
    Some(Route::Description { version })
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

    fn by<'p>(method: &str, target: &'p str) -> Option<Route<'p>> {
        match target.split_once('?') {
            Some((path, query)) => route(Method::from_name(method), path, Some(query)),
            None => route(Method::from_name(method), target, None),
        }
    }

    #[test]
    fn calls_are_posted_to_a_version() {
        for target in ["/apps/services/a/91.0", "/apps/services/a/91.0?x"] {
            assert_eq!(by("POST", target), Some(Route::Call { version: "91.0" }));
        }
        assert_eq!(by("POST", "/apps/services/a/91"), Some(Route::Call { version: "91" }));
        for target in [
            "/",
            "",
            "/apps/services/a",
            "/apps/services/a/",
            "/apps/services/a/91.0/x",
            "/Apps/services/a/91.0",
            "/apps/services/b/91.0",
        ] {
            assert_eq!(by("POST", target), None, "{target}");
        }
    }

    #[test]
    fn the_wsdl_is_asked_for_in_any_case() {
        let wsdl = Some(Route::Description { version: "38.0" });
        for query in ["wsdl", "WSDL", "Wsdl&x", "a=b&wsdl", "wsdl=1"] {
            let target = format!("/apps/services/a/38.0?{query}");
            assert_eq!(by("GET", &target), wsdl);
            assert_eq!(by("HEAD", &target), wsdl);
        }
        assert_eq!(by("GET", "/apps/servlet/GenerateWsdl?version=38.0"), wsdl);
        assert_eq!(by("GET", "/apps/servlet/GenerateWsdl"), None);
    }

    #[test]
    fn a_wrong_method_is_answered_with_the_right_ones() {
        let allow = |method, target| match by(method, target) {
            Some(Route::WrongMethod { allow, .. }) => allow,
            other => panic!("{method} {target}: {other:?}"),
        };
        assert_eq!(allow("GET", "/apps/services/a/91.0"), "POST");
        assert_eq!(allow("GET", "/apps/services/a/91.0?singleWsdl"), "POST");
        assert_eq!(allow("PUT", "/apps/services/a/91.0?wsdl"), "GET, HEAD, POST");
        assert_eq!(allow("POST", "/apps/servlet/GenerateWsdl?version=38.0"), "GET, HEAD");
    }
}
