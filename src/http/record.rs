//! The record of one request: what is counted, and the one line that is logged.
//!
//! What must stay true: a request is counted once, however it ends; bodies, sessions and passwords
//! never get here.

use super::answer::Answer;
use super::called::Called;
use super::head::{REQUEST_ID, TRACEPARENT};
use super::metrics::Metrics;
use crate::call::{OperationName, Outcome};
use crate::domain::number::saturated;
use crate::domain::origin::{FrontDoor, Origin, RequestId};
use crate::domain::trace::TraceContext;
use hyper::header::HeaderValue;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::time::Instant;

/// The status of a request that is given no answer.
const NO_STATUS: u16 = 0;

/// Follows a request from its head to its answer.
pub(super) struct Record<'a> {
    metrics: &'a Metrics,
    peer: &'a str,
    request_id: Option<RequestId>,
    trace: Option<TraceContext>,
    started: Instant,
    is_over: bool,
}

impl<'a> Record<'a> {
    /// Begins with a request whose head has been read, from the client at the address `peer`.
    pub(super) fn begin(
        metrics: &'a Metrics,
        peer: &'a str,
        request_id: Option<RequestId>,
        trace: Option<TraceContext>,
    ) -> Self {
        metrics.in_flight.inc();
        Self { metrics, peer, request_id, trace, started: Instant::now(), is_over: false }
    }

    /// When the request began.
    pub(super) fn started(&self) -> Instant {
        self.started
    }

    /// Where the request comes from, by the way of `door`.
    pub(super) fn origin(&self, door: FrontDoor, address: IpAddr) -> Origin {
        let (address, request_id) = (Some(address), self.request_id.clone());
        Origin { address, request_id, trace: self.trace.clone(), ..Origin::of(door) }
    }

    /// Ends with an answer, which carries the id of the request.
    pub(super) fn answered(mut self, answer: Answer) -> Answer {
        let bytes = saturated::<u64>(answer.body_bytes());
        self.metrics.answer_body_bytes.inc_by(bytes);
        let status = answer.status.as_u16();
        self.end(answer.operation, answer.outcome, status, (&answer.called, bytes));
        let trace =
            self.trace.take().and_then(|trace| HeaderValue::try_from(trace.to_string()).ok());
        let answer = match trace {
            Some(trace) => answer.with_default(TRACEPARENT, trace),
            None => answer,
        };
        let id = self.request_id.take();
        match id.and_then(|id| HeaderValue::from_str(id.as_str()).ok()) {
            Some(id) => answer.with_default(REQUEST_ID, id),
            None => answer,
        }
    }

    /// Ends without an answer.
    pub(super) fn withheld(mut self, operation: OperationName, called: &Called) {
        self.end(operation, Outcome::Withheld, NO_STATUS, (called, 0));
    }

    fn end(
        &mut self,
        operation: OperationName,
        outcome: Outcome,
        status: u16,
        (called, bytes_out): (&Called, u64),
    ) {
        self.is_over = true;
        let took = self.started.elapsed();
        self.metrics.in_flight.dec();
        let counted_as = if status == NO_STATUS { OperationName::None } else { operation };
        self.metrics.request(counted_as, outcome, took);
        // A thousand times as long, so that its seconds are milliseconds, to the microsecond.
        let took_us = saturated::<u64>(took.as_micros());
        let duration_ms = Duration::from_micros(took_us.saturating_mul(1_000)).as_secs_f64();
        let facts = &called.facts;
        tracing::info!(
            request_id = self.request_id.as_ref().map_or("-", RequestId::as_str),
            trace_id = self.trace.as_ref().map(TraceContext::trace_id),
            span_id = self.trace.as_ref().map(TraceContext::span_id),
            user = facts.user.as_deref().unwrap_or("-"),
            version = called.version.as_deref().unwrap_or("-"),
            operation = operation.name(),
            rows_ok = facts.rows_ok,
            rows_failed = facts.rows_failed,
            codes = %facts.codes(outcome),
            accounts = %facts.accounts,
            refunds = %facts.refunds,
            duration_ms,
            bytes_in = called.bytes_in,
            bytes_out,
            status,
            peer = self.peer,
            "request"
        );
    }
}

/// Logs what came in on the public listener and was no request, which hyper answers by itself.
pub(super) fn malformed(peer: SocketAddr, is_too_large: bool) {
    let (codes, status) = if is_too_large { ("head_too_large", 431) } else { ("malformed", 400) };
    tracing::info!(
        request_id = "-",
        user = "-",
        version = "-",
        operation = "none",
        rows_ok = 0,
        rows_failed = 0,
        codes,
        accounts = "",
        refunds = "",
        duration_ms = 0.0,
        bytes_in = 0,
        bytes_out = 0,
        status,
        %peer,
        "request"
    );
}

impl Drop for Record<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.end(OperationName::None, Outcome::Dropped, NO_STATUS, (&Called::default(), 0));
        }
    }
}
