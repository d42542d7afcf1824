//! The record of one request: what is counted, and the one line that is logged.
//!
//! What must stay true: a request is counted once, however it ends; bodies, sessions and passwords
//! never get here.

use super::answer::Answer;
use super::head::REQUEST_ID;
use super::metrics::Metrics;
use crate::domain::origin::{FrontDoor, Origin, RequestId};
use hyper::header::HeaderValue;
use std::net::{IpAddr, SocketAddr};
use tokio::time::Instant;

/// Follows a request from its head to its answer.
pub(super) struct Record<'a> {
    metrics: &'a Metrics,
    peer: SocketAddr,
    request_id: Option<RequestId>,
    started: Instant,
    is_over: bool,
}

impl<'a> Record<'a> {
    /// Begins with a request whose head has been read.
    pub(super) fn begin(
        metrics: &'a Metrics,
        peer: SocketAddr,
        request_id: Option<RequestId>,
    ) -> Self {
        metrics.in_flight.inc();
        Self { metrics, peer, request_id, started: Instant::now(), is_over: false }
    }

    /// When the request began.
    pub(super) fn started(&self) -> Instant {
        self.started
    }

    /// Where the request comes from, by the way of `door`.
    pub(super) fn origin(&self, door: FrontDoor, address: IpAddr) -> Origin {
        let (address, request_id) = (Some(address), self.request_id.clone());
        Origin { address, request_id, ..Origin::of(door) }
    }

    /// Ends with an answer, which carries the id of the request.
    pub(super) fn answered(mut self, answer: Answer) -> Answer {
        let bytes = u64::try_from(answer.body_bytes()).unwrap_or(u64::MAX);
        self.metrics.answer_body_bytes.inc_by(bytes);
        self.end(answer.operation, answer.outcome, Some(answer.status.as_u16()));
        let id = self.request_id.take();
        match id.and_then(|id| HeaderValue::from_str(id.as_str()).ok()) {
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
        let request_id = self.request_id.as_ref().map(RequestId::as_str);
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        if outcome == "ok" {
            tracing::debug!(
                %peer, operation, outcome, status, took_us, request_id, "request ended"
            );
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
