//! The normal form of a path.
//!
//! Old clients have paths compiled in, and join them from parts. A path is brought to its normal
//! form as servlet containers do (RFC 3986, 6.2.2), and front doors then compare it letter by
//! letter.

use std::borrow::Cow;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_as_servlet_containers_read_it() {
        for path in [
            "//apps/services/a/91.0",
            "/apps//services/a/91.0//",
            "/apps/./services/a/91.0/.",
            "/apps/servlet/../services/a/91.0",
            "/%61pps/services/%61/91%2E0",
            "/apps/services/a/91%2e0/",
            "/apps/services/a/91.0/",
            "/apps/services/a/91.0;jsessionid=12AB",
            "/apps;x/services/a/91.0",
        ] {
            assert_eq!(normal(path), "/apps/services/a/91.0", "{path}");
        }
        for (path, read) in [
            ("/../apps/services/a/91.0", "/../apps/services/a/91.0"),
            ("/apps/x/../../../apps", "/apps/x/../../../apps"),
            ("/apps%2Fservices/a", "/apps%2Fservices/a"),
            ("/apps/services/a/%2e%2e/91.0/x", "/apps/services/91.0/x"),
            ("/apps/services/a/..", "/apps/services"),
            ("/Apps/services/a/91.0", "/Apps/services/a/91.0"),
            ("/%2561pps", "/%2561pps"),
            ("//", ""),
            ("/", ""),
        ] {
            assert_eq!(normal(path), read, "{path}");
        }
        for text in ["/%", "/%4", "/%zz/%é", "/a%2"] {
            assert_eq!(normal(text), text);
        }
    }
}
