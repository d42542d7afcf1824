//! Which refunds were asked for as part of a trace, so that what their gateways and webhooks are
//! sent says so.
//!
//! What must stay true: it is a help for those who watch, and nothing depends on it: the oldest are
//! forgotten, and all at the end of the process.

use super::Service;
use crate::domain::id::RefundId;
use crate::domain::trace::TraceContext;
use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};

/// How many refunds are remembered.
const KEPT_MAX: usize = 4_096;

/// The traces of the last refunds that had one.
#[derive(Debug, Default)]
pub(super) struct Traces(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    of: HashMap<RefundId, TraceContext>,
    order: VecDeque<RefundId>,
}

impl Traces {
    /// Remembers that refunds are part of a trace.
    pub(super) fn note(&self, trace: &TraceContext, refunds: impl IntoIterator<Item = RefundId>) {
        let mut kept = self.0.lock();
        for refund in refunds {
            if kept.of.insert(refund, trace.clone()).is_some() {
                continue;
            }
            kept.order.push_back(refund);
            if kept.order.len() > KEPT_MAX
                && let Some(oldest) = kept.order.pop_front()
            {
                kept.of.remove(&oldest);
            }
        }
    }

    /// The trace of a refund.
    pub(super) fn of(&self, refund: RefundId) -> Option<TraceContext> {
        self.0.lock().of.get(&refund).cloned()
    }

    /// The trace of the refund that an event's JSON is about.
    pub(super) fn of_event(&self, payload: &str) -> Option<TraceContext> {
        if self.0.lock().of.is_empty() {
            return None;
        }
        let event: serde_json::Value = serde_json::from_str(payload).ok()?;
        self.of(RefundId::parse(event.get("refund")?.get("id")?.as_str()?)?)
    }
}

impl Service {
    /// The id of a span: the last 16 digits of a request's id, which no other has.
    pub fn next_span_id(&self) -> Option<String> {
        let id = self.next_request_id()?;
        id.as_str().get(16..).map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::RefundNumber;

    fn refund(number: i64) -> RefundId {
        RefundId::new(1_700_000_000_000, 7, RefundNumber::new(number).unwrap())
    }

    #[test]
    fn the_last_refunds_are_remembered_and_found_by_their_events() {
        let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let trace = TraceContext::continued(parent, None, "53995c3f42cd8ad8").unwrap();
        let traces = Traces::default();
        assert_eq!(traces.of_event("{}"), None);
        let all = i64::try_from(KEPT_MAX).unwrap();
        traces.note(&trace, (1..=all + 1).map(refund));
        traces.note(&trace, [refund(2)]);
        assert_eq!((traces.of(refund(1)), traces.of(refund(2))), (None, Some(trace.clone())));
        let event = format!("{{\"refund\":{{\"id\":\"{}\"}}}}", refund(all));
        assert_eq!(traces.of_event(&event), Some(trace));
        assert_eq!(traces.of_event("{\"refund\":{}}"), None);
    }
}
