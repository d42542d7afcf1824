//! Whether requests can be served, check by check, for probes.
//!
//! What must stay true: the ledger is tried at most once a second, however often readiness is asked
//! for, and one who asks is never left waiting by a ledger that hangs.

use crate::ledger::Ledger;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{ALLOW, CACHE_CONTROL, HeaderValue};
use hyper::{Method, Response, StatusCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long a probe of the ledger counts.
const PROBE_EVERY: Duration = Duration::from_secs(1);
/// How long a probe may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// Whether requests can be served.
pub(super) struct Readiness {
    ledger: Arc<dyn Ledger>,
    is_stopping: AtomicBool,
    probed: Mutex<Option<Probe>>,
}

/// What a probe found, and when.
struct Probe {
    at: Instant,
    result: Result<(), String>,
}

/// A thing that was looked at: its name, and what is wrong with it, if something is.
pub type Check = (&'static str, Result<(), String>);

impl Readiness {
    pub(super) fn new(ledger: Arc<dyn Ledger>) -> Self {
        Self { ledger, is_stopping: AtomicBool::new(false), probed: Mutex::new(None) }
    }

    /// From here on nothing new is served.
    pub(super) fn stop(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
    }

    /// Whether nothing new is served any more.
    pub(super) fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Relaxed)
    }

    /// All that has to be right, in the order in which it is reported. A gateway that stops does
    /// not try its ledger any more.
    pub(super) async fn checks(&self) -> Vec<Check> {
        if self.is_stopping() {
            return vec![("shutdown", Err("the gateway is stopping".to_owned()))];
        }
        vec![("shutdown", Ok(())), ("ledger", self.probe().await)]
    }

    async fn probe(&self) -> Result<(), String> {
        let mut probed = self.probed.lock().await;
        if let Some(probe) = probed.as_ref().filter(|probe| probe.at.elapsed() < PROBE_EVERY) {
            return probe.result.clone();
        }
        let result = match tokio::time::timeout(PROBE_TIMEOUT, self.ledger.probe()).await {
            Ok(result) => result.map_err(|error| error.to_string()),
            Err(_) => Err("the ledger does not answer".to_owned()),
        };
        *probed = Some(Probe { at: Instant::now(), result: result.clone() });
        result
    }

    /// The answer to a probe that cannot reach the admin listener: a status and nothing else.
    pub(super) async fn status_alone(&self, method: &Method) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::default());
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        *response.status_mut() = if !matches!(*method, Method::GET | Method::HEAD) {
            headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            StatusCode::METHOD_NOT_ALLOWED
        } else if self.checks().await.iter().all(|(_, result)| result.is_ok()) {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        response
    }
}

/// The checks of `endpoint`, a line each, and what they come to, as Kubernetes writes it.
pub(super) fn verbose(endpoint: &str, checks: &[Check]) -> String {
    let line = |(name, result): &Check| match result {
        Ok(()) => format!("[+]{name} ok\n"),
        Err(why) => format!("[-]{name} failed: {why}\n"),
    };
    let lines: String = checks.iter().map(line).collect();
    let word = if checks.iter().all(|(_, result)| result.is_ok()) { "passed" } else { "failed" };
    format!("{lines}{endpoint} check {word}\n")
}
