//! What the admin API reads and what it answers: bodies, values, and what was wrong.
//!
//! What must stay true: a body is bounded in size and time, and an error says which words were
//! wrong.

use crate::domain::percent;
use crate::domain::toml_text::clarify;
use crate::ledger::LedgerError;
use crate::service::seed::SeedError;
use crate::service::test_bench::BenchError;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::StatusCode;
use hyper::body::{Bytes, Incoming};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::time::Duration;

/// The longest body of a call to the admin API, in bytes.
pub(super) const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Those who send it are on the same machine or near it.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// The keys of bodies whose values may be lists.
const LISTS: [&str; 3] = ["events", "permissions", "value"];

/// What is answered: a status and a JSON value.
pub(super) type Answered = (StatusCode, Value);

/// What went wrong.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) status: StatusCode,
    /// A sentence.
    pub(super) why: String,
    /// The methods that are right, where the method was wrong.
    pub(super) allow: Option<&'static str>,
}

/// Reads a body of so many bytes at most.
pub(super) async fn read(body: Incoming, bytes_max: usize) -> Result<Bytes, Wrong> {
    let read = Limited::new(body, bytes_max).collect();
    match tokio::time::timeout(BODY_TIMEOUT, read).await {
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let why = format!("The body has more than {bytes_max} bytes.");
            Err(wrong(StatusCode::PAYLOAD_TOO_LARGE, why))
        }
        Ok(Err(_)) => Err(bad("The body of the request is broken.")),
        Err(_) => Err(wrong(StatusCode::REQUEST_TIMEOUT, "The body did not arrive in time.")),
    }
}

/// What a JSON object says; an empty body is an empty object. A list in the place of an object is
/// refused, although its values could be taken for those of the keys in some order.
pub(super) fn from_json<T: DeserializeOwned>(body: &Bytes) -> Result<T, Wrong> {
    from_json_with(body, &LISTS)
}

/// The same where the values at the keys `lists` may be lists; below a list its key ends with `[]`.
pub(super) fn from_json_with<T: DeserializeOwned>(
    body: &Bytes,
    lists: &[&str],
) -> Result<T, Wrong> {
    let text: &[u8] = if body.is_empty() { b"{}" } else { body };
    let unreadable = |error: serde_json::Error| {
        let text = error.to_string();
        let missing = text.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
        bad(match missing {
            Some(key) => format!("the body: the key `{key}` is missing"),
            None if error.is_data() => format!("the body: {}", of_json(&clarify(&text))),
            None => format!("the body is no JSON: {text}"),
        })
    };
    let value: Value = serde_json::from_slice(text).map_err(unreadable)?;
    if let Some(place) = misplaced_list("", &value, lists) {
        return Err(bad(format!("the body: {place} is a list; it must be an object with keys")));
    }
    serde_json::from_slice(text).map_err(unreadable)
}

/// What is said of TOML, in the words of JSON.
fn of_json(words: &str) -> String {
    words.replace("must be a table", "must be an object").replace(": in [ ], or under [[ ]]", "")
}

/// Where a list stands, in words, unless it may be there.
fn misplaced_list(place: &str, value: &Value, lists: &[&str]) -> Option<String> {
    match value {
        Value::Array(items) if lists.contains(&without_numbers(place).as_str()) => {
            let place = |item| format!("{place}[{item}]");
            let mut items = items.iter().enumerate();
            items.find_map(|(item, value)| misplaced_list(&place(item), value, lists))
        }
        Value::Array(_) if place.is_empty() => Some("all of it".to_owned()),
        Value::Array(_) => Some(place.to_owned()),
        Value::Object(keys) => keys.iter().find_map(|(key, value)| {
            let dot = if place.is_empty() { "" } else { "." };
            misplaced_list(&format!("{place}{dot}{key}"), value, lists)
        }),
        _ => None,
    }
}

/// A place without the numbers of the items that it leads through.
fn without_numbers(place: &str) -> String {
    let mut parts = place.split('[');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |shown, part| {
        let rest = part.trim_start_matches(|character: char| character.is_ascii_digit());
        shown + "[" + rest
    })
}

/// The pairs of a query, with what is percent-encoded in them decoded. A `+` is itself.
pub(super) fn query_pairs(query: &str) -> Result<Vec<(String, String)>, String> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decoded(key)?, decoded(value)?))
        })
        .collect()
}

/// A part of a path or a query without its percent-encoding.
pub(super) fn decoded(text: &str) -> Result<String, String> {
    percent::decoded(text).ok_or_else(|| format!("`{text}` is not percent-encoded UTF-8"))
}

pub(super) fn of_bench(error: &BenchError) -> Wrong {
    let status = match error {
        BenchError::NotATestLedger => StatusCode::FORBIDDEN,
        BenchError::NoAccount(_) | BenchError::NoSnapshot(_) => StatusCode::NOT_FOUND,
        BenchError::BadName(_) | BenchError::SeedText(_) => StatusCode::BAD_REQUEST,
        BenchError::Seed(SeedError::Ledger(error)) | BenchError::Ledger(error) => {
            return of_ledger(error);
        }
        BenchError::Seed(SeedError::Conflict(_))
        | BenchError::StillUnderWay(_)
        | BenchError::ClockBack { .. }
        | BenchError::UnfitSnapshot(_) => StatusCode::CONFLICT,
        BenchError::Seed(SeedError::Password(_) | SeedError::HashingLost)
        | BenchError::Halfway(_) => StatusCode::INTERNAL_SERVER_ERROR,
        BenchError::Files(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    wrong(status, error.to_string())
}

/// 503 says that nothing happened and that it may be tried again; of an outcome that is unknown
/// neither can be said.
pub(super) fn of_ledger(error: &LedgerError) -> Wrong {
    let status = match error {
        LedgerError::Unknown(_) => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    wrong(status, error.to_string())
}

pub(super) fn not_a_test() -> Wrong {
    of_bench(&BenchError::NotATestLedger)
}

pub(super) fn bad(why: impl Into<String>) -> Wrong {
    wrong(StatusCode::BAD_REQUEST, why)
}

pub(super) fn missing(why: impl Into<String>) -> Wrong {
    wrong(StatusCode::NOT_FOUND, why)
}

pub(super) fn conflict(why: impl Into<String>) -> Wrong {
    wrong(StatusCode::CONFLICT, why)
}

pub(super) fn wrong_method(allow: &'static str) -> Wrong {
    let why = format!("This takes {allow}.");
    Wrong { allow: Some(allow), ..wrong(StatusCode::METHOD_NOT_ALLOWED, why) }
}

pub(super) fn wrong(status: StatusCode, why: impl Into<String>) -> Wrong {
    Wrong { status, why: why.into(), allow: None }
}

pub(super) fn ok(value: Value) -> Answered {
    (StatusCode::OK, value)
}

pub(super) fn done() -> Answered {
    ok(json!({ "done": true }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::Empty;
    use hyper::server::conn::http1;
    use hyper::service::service_fn;
    use hyper::{Request, Response};
    use hyper_util::rt::TokioIo;
    use serde::Deserialize;
    use std::convert::Infallible;
    use tokio::io::AsyncWriteExt;
    use tokio::sync::mpsc;
    use tokio::time::{Instant, sleep};

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only whether it can be read counts")]
    struct Asked {
        account: Option<String>,
        row: Option<Box<Asked>>,
        events: Option<Vec<Asked>>,
    }

    fn refusal(text: &'static str) -> Option<String> {
        from_json::<Asked>(&Bytes::from_static(text.as_bytes())).err().map(|wrong| wrong.why)
    }

    /// Virtual time: a client that sends a byte now and then is not waited for longer than one that
    /// sends none.
    #[tokio::test(start_paused = true)]
    async fn a_body_that_dribbles_in_has_one_deadline() {
        let (mut client, server) = tokio::io::duplex(1024);
        let (done, mut outcomes) = mpsc::unbounded_channel();
        let service = service_fn(move |request: Request<Incoming>| {
            let done = done.clone();
            async move {
                done.send(read(request.into_body(), BODY_BYTES_MAX).await).unwrap();
                Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
            }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(server), service));
        let begun = Instant::now();
        let head = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\n{";
        client.write_all(head).await.unwrap();
        let dribbling = async {
            loop {
                sleep(BODY_TIMEOUT / 3).await;
                client.write_all(b" ").await.unwrap();
            }
        };
        let outcome = tokio::select! {
            outcome = outcomes.recv() => outcome.unwrap(),
            () = dribbling => unreachable!("it has no end"),
        };
        let late = wrong(StatusCode::REQUEST_TIMEOUT, "The body did not arrive in time.");
        assert_eq!(outcome, Err(late));
        assert_eq!(begun.elapsed(), BODY_TIMEOUT);
    }

    #[test]
    fn a_query_is_decoded() {
        let pairs = query_pairs("user=a%40b+c&key=%C3%A9&x").unwrap();
        let pairs: Vec<(&str, &str)> =
            pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(pairs, [("user", "a@b+c"), ("key", "\u{e9}"), ("x", "")]);
        for wrong in ["a=%4", "a=%zz", "a=%ff", "a=%+1"] {
            assert!(query_pairs(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_list_in_a_list_may_stand_where_its_key_says() {
        let refused = |text: &'static str| {
            let lists = ["a", "a[].b"];
            from_json_with::<Value>(&Bytes::from_static(text.as_bytes()), &lists).err()
        };
        assert_eq!(refused(r#"{"a":[{"b":["x"]},{"c":1}]}"#), None);
        let why = refused(r#"{"a":[{},{"c":["x"]}]}"#).unwrap().why;
        assert!(why.contains("a[1].c is a list"), "{why}");
    }

    #[test]
    fn a_list_is_no_object_whose_keys_have_an_order() {
        for good in ["", "{}", r#"{"events":[{"account":"x"},{}],"row":{"account":"y"}}"#] {
            assert_eq!(refusal(good), None, "{good}");
        }
        for (bad, named) in [
            ("[]", "all of it is a list"),
            (r#"["x"]"#, "all of it is a list"),
            (r#"{"row":["x"]}"#, "row is a list"),
            (r#"{"row":{"row":[]}}"#, "row.row is a list"),
            (r#"{"events":[{},["x"]]}"#, "events[1] is a list"),
            ("null", "is null; it must be an object"),
            ("{} {}", "trailing"),
            (r#"{"account":1}"#, "is 1; it must be a text in quotes"),
            (r#"{"acount":"x"}"#, "acount"),
        ] {
            let why = refusal(bad).unwrap();
            assert!(why.contains(named), "{bad}: {why}");
        }
    }
}
