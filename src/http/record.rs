//! The record of one request: what is counted, and the one line that is logged.
//!
//! What must stay true: a request is counted once, however it ends; bodies, sessions and passwords
//! never get here.

use super::answer::Answer;
use super::metrics::Metrics;
use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};
use std::net::SocketAddr;
use tokio::time::Instant;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longer ids are not taken over.
const REQUEST_ID_BYTES_MAX: usize = 128;

/// Follows a request from its head to its answer.
pub(super) struct Record<'a> {
    metrics: &'a Metrics,
    peer: SocketAddr,
    request_id: Option<HeaderValue>,
    started: Instant,
    is_over: bool,
}

impl<'a> Record<'a> {
    /// Begins with a request whose head has been read.
    pub(super) fn begin(metrics: &'a Metrics, peer: SocketAddr, headers: &HeaderMap) -> Self {
        metrics.in_flight.inc();
        let request_id = headers.get(REQUEST_ID).filter(|id| is_sane(id)).cloned();
        Self { metrics, peer, request_id, started: Instant::now(), is_over: false }
    }

    /// When the request began.
    pub(super) fn started(&self) -> Instant {
        self.started
    }

    /// Ends with an answer, which is marked with the caller's id for the request.
    pub(super) fn answered(mut self, answer: Answer) -> Answer {
        let bytes = u64::try_from(answer.body_bytes()).unwrap_or(u64::MAX);
        self.metrics.answer_body_bytes.inc_by(bytes);
        self.end(answer.operation, answer.outcome, Some(answer.status.as_u16()));
        match self.request_id.take() {
            Some(id) => answer.with(REQUEST_ID, id),
            None => answer,
        }
    }

    /// Ends without an answer.
    pub(super) fn withheld(mut self) {
        self.end("none", "withheld", None);
    }

    fn end(&mut self, operation: &'static str, outcome: &'static str, status: Option<u16>) {
        self.is_over = true;
        let took = self.started.elapsed();
        self.metrics.in_flight.dec();
        self.metrics.request(operation, outcome, took);
        let peer = self.peer;
        let request_id = self.request_id.as_ref().and_then(|id| id.to_str().ok());
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        if outcome == "ok" {
            tracing::debug!(%peer, operation, outcome, status, took_us, request_id, "request ended");
        } else {
            tracing::info!(%peer, operation, outcome, status, took_us, request_id, "request ended");
        }
    }
}

impl Drop for Record<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.end("none", "dropped", None);
        }
    }
}

fn is_sane(id: &HeaderValue) -> bool {
    let bytes = id.as_bytes();
    (1..=REQUEST_ID_BYTES_MAX).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic)
}
