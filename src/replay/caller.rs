//! Who a captured call of the REST API says it is, so that it is sent in the name of the same user.
//!
//! What must stay true: none of it is sent, shown or written; it is only looked up among what other
//! exchanges of the capture and the seed say.

use base64ct::{Base64, Encoding};

/// The caller of a captured call.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(super) enum Caller {
    /// By an OAuth token.
    Token(String),
    /// By a session.
    Session(String),
    /// By its name and its password.
    User(String),
}

impl Caller {
    /// The caller by the headers of a call, if they name one.
    pub(super) fn of(headers: &[(String, String)]) -> Option<Self> {
        let header = |name: &str| {
            let mut found = headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
            found.next().map(|(_, value)| value.trim())
        };
        if let Some((scheme, rest)) = header("authorization").and_then(|one| one.split_once(' ')) {
            let rest = rest.trim();
            return match scheme.to_ascii_lowercase().as_str() {
                "bearer" => Some(Self::Token(rest.to_owned())),
                "zsession" => {
                    let session = rest.strip_prefix("session-id=").unwrap_or(rest);
                    Some(Self::Session(session.to_owned()))
                }
                "basic" => user_of_basic(rest).map(Self::User),
                _ => None,
            };
        }
        header("apiaccesskeyid").map(|name| Self::User(name.to_owned()))
    }
}

fn user_of_basic(encoded: &str) -> Option<String> {
    let decoded = String::from_utf8(Base64::decode_vec(encoded).ok()?).ok()?;
    decoded.split_once(':').map(|(name, _)| name.to_owned())
}

/// The id of the client in the form of a call for a token.
pub(super) fn client_in(form: &[u8]) -> Option<String> {
    let form = std::str::from_utf8(form).ok()?;
    let mut pairs = form.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(name, _)| *name == "client_id").map(|(_, id)| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_to_say_who_calls_is_understood() {
        let of = |name: &str, value: &str| Caller::of(&[(name.to_owned(), value.to_owned())]);
        let user = |name: &str| Some(Caller::User(name.to_owned()));
        assert_eq!(of("authorization", "Bearer t"), Some(Caller::Token("t".to_owned())));
        assert_eq!(of("Authorization", "ZSession s"), Some(Caller::Session("s".to_owned())));
        assert_eq!(of("Authorization", "Basic YTpiOmM="), user("a"));
        assert_eq!(of("apiAccessKeyId", "a"), user("a"));
        for nothing in ["", "Bearer", "Digest x", "Basic !"] {
            assert!(of("Authorization", nothing).is_none(), "{nothing}");
        }
        let form = b"grant_type=client_credentials&client_id=me&client_secret=s";
        assert_eq!(client_in(form).as_deref(), Some("me"));
        assert_eq!(client_in(b"{}"), None);
    }
}
