//! What the admin API is told and what it tells: bodies, values, and what was wrong.
//!
//! What must stay true: a body is bounded in size and time, and an error says which words were
//! wrong.

use crate::ledger::LedgerError;
use crate::service::test_bench::BenchError;
use http_body_util::{BodyExt, Limited};
use hyper::StatusCode;
use hyper::body::{Bytes, Incoming};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::time::Duration;

const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// What is answered: a status and a JSON value.
pub(super) type Told = (StatusCode, Value);

/// What went wrong: a status and a sentence.
pub(super) type Wrong = (StatusCode, String);

pub(super) async fn read(body: Incoming) -> Result<Bytes, Wrong> {
    let read = Limited::new(body, BODY_BYTES_MAX).collect();
    match tokio::time::timeout(BODY_TIMEOUT, read).await {
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(_)) => Err((
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("The body is broken, or over {BODY_BYTES_MAX} bytes."),
        )),
        Err(_) => Err((StatusCode::REQUEST_TIMEOUT, "The body did not arrive in time.".to_owned())),
    }
}

/// An empty body is an empty object.
pub(super) fn from_json<T: DeserializeOwned>(body: &Bytes) -> Result<T, Wrong> {
    let text: &[u8] = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(text).map_err(|error| bad(format!("the body: {error}")))
}

pub(super) fn of_bench(error: &BenchError) -> Wrong {
    let status = match error {
        BenchError::NotATestLedger => StatusCode::FORBIDDEN,
        BenchError::NoAccount(_) | BenchError::NoSnapshot(_) => StatusCode::NOT_FOUND,
        BenchError::BadName(_) | BenchError::SeedText(_) => StatusCode::BAD_REQUEST,
        BenchError::Seed(_) => StatusCode::CONFLICT,
        BenchError::Ledger(error) => return of_ledger(error),
        BenchError::Files(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, error.to_string())
}

/// 503 says that nothing happened and that it may be tried again; of an outcome that nobody knows
/// neither can be said.
pub(super) fn of_ledger(error: &LedgerError) -> Wrong {
    let status = match error {
        LedgerError::Unknown(_) => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, error.to_string())
}

pub(super) fn not_a_test() -> Wrong {
    of_bench(&BenchError::NotATestLedger)
}

pub(super) fn bad(why: String) -> Wrong {
    (StatusCode::BAD_REQUEST, why)
}

pub(super) fn wrong_method(right: &str) -> Wrong {
    (StatusCode::METHOD_NOT_ALLOWED, format!("This takes {right}."))
}

pub(super) fn ok(value: Value) -> Told {
    (StatusCode::OK, value)
}

pub(super) fn done() -> Told {
    ok(json!({ "done": true }))
}

pub(super) fn told_wrong((status, why): Wrong) -> Told {
    (status, json!({ "error": why }))
}
