//! When a request is sent again: only where nothing can be done twice by it.
//!
//! What must stay true: a request that may have been worked on and may change something is never
//! sent again, unless it carries an idempotency key.

use crate::client::header::{HeaderMap, RETRY_AFTER};
use crate::client::{Answer, ClientError};
use std::time::Duration;

/// The header that makes a request that is sent twice do its work once.
const KEY: &str = "idempotency-key";
/// The first wait; each one after it is twice as long.
const FIRST: Duration = Duration::from_millis(250);
/// No wait is longer, even if an answer asks for it.
const LONGEST: Duration = Duration::from_secs(30);

/// How long to wait before the request is sent again after so many tries, if it may be.
///
/// An answer 429 says that nothing was done; 503 may come from a proxy that knows no better.
pub(super) fn wait(
    sent: &Result<Answer, ClientError>,
    may_write: bool,
    headers: &HeaderMap,
    expected_status: Option<u16>,
    tries: u32,
) -> Option<Duration> {
    let is_harmless = || headers.contains_key(KEY) || !may_write;
    let doubled =
        FIRST.saturating_mul(1_u32.checked_shl(tries.saturating_sub(1)).unwrap_or(u32::MAX));
    let may_be_sent = match sent {
        Err(error) => error.nothing_was_sent() || is_harmless(),
        Ok(answer) if Some(answer.status.as_u16()) == expected_status => false,
        Ok(answer) => match answer.status.as_u16() {
            429 => true,
            503 => is_harmless(),
            _ => false,
        },
    };
    let asked = sent.as_ref().ok().and_then(|answer| {
        let seconds = answer.headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
        Some(Duration::from_secs(seconds))
    });
    may_be_sent.then(|| asked.unwrap_or(doubled).min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::StatusCode;

    const READING: bool = false;
    const WRITING: bool = true;

    fn answered(status: u16, retry_after: Option<&'static str>) -> Result<Answer, ClientError> {
        let mut headers = HeaderMap::new();
        if let Some(seconds) = retry_after {
            headers.insert(RETRY_AFTER, seconds.parse().unwrap());
        }
        let status = StatusCode::from_u16(status).unwrap();
        Ok(Answer { status, headers, body: Vec::new().into(), cut: false })
    }

    #[test]
    fn only_what_cannot_be_done_twice_is_sent_again() {
        let none = HeaderMap::new();
        let keyed = HeaderMap::from_iter([(KEY.parse().unwrap(), "k".parse().unwrap())]);
        let lost = || Err(ClientError::Broken("gone".to_owned()));
        let unreachable =
            || Err(ClientError::Unreachable { endpoint: "x".into(), why: "y".into() });
        let again = |sent, request, headers| wait(&sent, request, headers, Some(200), 1).is_some();
        assert!(again(lost(), READING, &none) && !again(lost(), WRITING, &none));
        assert!(again(lost(), WRITING, &keyed) && again(unreachable(), WRITING, &none));
        assert!(again(answered(429, None), WRITING, &none));
        assert!(again(answered(503, None), READING, &none));
        assert!(!again(answered(503, None), WRITING, &none));
        assert!(!again(answered(500, None), READING, &none));
        assert_eq!(wait(&answered(429, None), READING, &none, Some(429), 1), None);
    }

    #[test]
    fn waits_grow_and_an_answer_may_say_how_long() {
        let none = HeaderMap::new();
        let after = |tries| wait(&answered(429, None), READING, &none, None, tries).unwrap();
        assert_eq!((after(1), after(2), after(60)), (FIRST, FIRST * 2, LONGEST));
        let asked =
            |reported| wait(&answered(429, Some(reported)), READING, &none, None, 1).unwrap();
        assert_eq!((asked("2"), asked("9999")), (Duration::from_secs(2), LONGEST));
    }
}
