//! What a form says: pairs of a closed set of keys, and the CSRF token of the session.

use super::trouble::Trouble;
use crate::domain::percent::encoded;
use crate::http::{Pairs, Visit};

/// The longest value of a form, in bytes: it can be an envelope.
const VALUE_BYTES_MAX: usize = 512 * 1024;
/// The media type of forms.
const FORM: &str = "application/x-www-form-urlencoded";
/// The key of the CSRF token.
const CSRF: &str = "csrf";

/// Reads the form of a request, whose keys are `known`, and the CSRF token, which the gate reads.
pub(super) fn form(visit: &Visit, known: &[&'static str]) -> Result<Pairs, Trouble> {
    let keys: Vec<&'static str> = known.iter().copied().chain([CSRF]).collect();
    Pairs::parse_long(text(visit)?, &keys, VALUE_BYTES_MAX).map_err(Trouble::bad)
}

/// The query of a request, whose keys are `known`.
pub(super) fn query(visit: &Visit, known: &[&'static str]) -> Result<Pairs, Trouble> {
    Pairs::parse(&visit.query, known).map_err(Trouble::bad)
}

/// The CSRF token in a form, which is made of characters that are never encoded.
pub(super) fn csrf(visit: &Visit) -> Result<Option<&str>, Trouble> {
    let mut pairs = text(visit)?.split('&').filter_map(|pair| pair.split_once('='));
    Ok(pairs.find(|(key, _)| *key == CSRF).map(|(_, value)| value))
}

fn text(visit: &Visit) -> Result<&str, Trouble> {
    let content_type = visit.headers.get("content-type").unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case(FORM) {
        return Err(Trouble::new(415, format!("A form has the Content-Type {FORM}.")));
    }
    let wrong = |_| Trouble::bad("The form is no text.");
    std::str::from_utf8(&visit.body).map_err(wrong)
}

/// Pairs as a query writes them; keys are encoded by themselves.
pub(super) fn encoded_pairs(pairs: &[(&'static str, String)]) -> String {
    let pair = |(key, value): &(&'static str, String)| format!("{key}={}", encoded(value));
    pairs.iter().map(pair).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_no_part_of_a_query() {
        assert_eq!(encoded_pairs(&[("a", "1+1".to_owned()), ("b", String::new())]), "a=1%2B1&b=");
    }
}
