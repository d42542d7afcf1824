//! Who calls: the proof that a request carries, in any of the ways that the REST API takes.
//!
//! Source: "Authentication" of the vendor's REST reference: an OAuth bearer token, a session as
//! `ZSession` in the Authorization header or in the cookie, Basic, and the API access keys, which
//! are a user's name and password.

use super::headers::{ACCESS_KEY, ACCESS_SECRET, AUTHORIZATION, COOKIE};
use crate::call::Head;
use base64ct::{Base64, Encoding};

/// The name of the cookie and of the scheme that carry a session.
pub(super) const SESSION: &str = "ZSession";

/// The WWW-Authenticate of a request that proves nothing.
pub(super) const CHALLENGE: &str =
    "Basic realm=\"Zuora API\", ZSession realm=\"Zuora API\", Bearer realm=\"Zuora API\"";

/// What a request proves itself with. Never printed but by tests.
#[cfg_attr(test, derive(Debug, PartialEq, Eq))]
pub(super) enum Proof {
    /// An OAuth token.
    Bearer(String),
    /// A session.
    Session(String),
    /// A user's name and password.
    Password(String, String),
    /// Nothing, or nothing that could be understood.
    Nothing,
}

/// The proof of a request. The Authorization header goes before the access keys, and these before
/// the cookie.
pub(super) fn proof(head: &Head) -> Proof {
    if let Some(authorization) = head.header(AUTHORIZATION) {
        return of_authorization(authorization);
    }
    if let (Some(key), Some(secret)) = (head.header(ACCESS_KEY), head.header(ACCESS_SECRET)) {
        return Proof::Password(key.to_owned(), secret.to_owned());
    }
    let session = head.header(COOKIE).and_then(session_of_cookie);
    session.map_or(Proof::Nothing, |session| Proof::Session(session.to_owned()))
}

fn of_authorization(value: &str) -> Proof {
    let (scheme, rest) = value.trim().split_once(' ').unwrap_or((value, ""));
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("Bearer") && !rest.is_empty() {
        return Proof::Bearer(rest.to_owned());
    }
    if scheme.eq_ignore_ascii_case(SESSION) && !rest.is_empty() {
        let session = rest.strip_prefix("session-id=").unwrap_or(rest);
        return Proof::Session(session.to_owned());
    }
    if scheme.eq_ignore_ascii_case("Basic") {
        return basic(rest).unwrap_or(Proof::Nothing);
    }
    Proof::Nothing
}

fn basic(encoded: &str) -> Option<Proof> {
    let decoded = String::from_utf8(Base64::decode_vec(encoded).ok()?).ok()?;
    let (name, password) = decoded.split_once(':')?;
    Some(Proof::Password(name.to_owned(), password.to_owned()))
}

/// The session in a Cookie header, if it has one.
fn session_of_cookie(cookies: &str) -> Option<&str> {
    let mut pairs = cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
    let (_, session) = pairs.find(|(name, _)| *name == SESSION)?;
    let session = session.trim_matches('"');
    (!session.is_empty()).then_some(session)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scheme_is_understood_in_any_case() {
        let bearer = Proof::Bearer("t".to_owned());
        assert_eq!(of_authorization("Bearer t"), bearer);
        assert_eq!(of_authorization("bearer  t "), bearer);
        assert_eq!(of_authorization("ZSession s"), Proof::Session("s".to_owned()));
        let password = Proof::Password("a".to_owned(), "b:c".to_owned());
        assert_eq!(of_authorization("Basic YTpiOmM="), password);
        for nothing in ["", "Bearer", "Bearer ", "Basic YTpiOmM", "Basic !", "Digest x"] {
            assert_eq!(of_authorization(nothing), Proof::Nothing, "{nothing}");
        }
    }

    #[test]
    fn the_session_is_found_among_cookies() {
        assert_eq!(session_of_cookie("a=b; ZSession=s; c=d"), Some("s"));
        assert_eq!(session_of_cookie("ZSession=\"s\""), Some("s"));
        assert_eq!(session_of_cookie("zsession=s; ZSession="), None);
    }
}
