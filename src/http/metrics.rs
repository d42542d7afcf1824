//! What the gateway counts, in the words of Prometheus.
//!
//! What must stay true: every label has a small, closed set of values; nothing that a client sends
//! becomes a label. A request is counted without looking its labels up.

mod collectors;
mod limit;
mod process;
mod pulse;
mod text;

pub(super) use limit::Limit;
pub use pulse::Pulse;
pub(super) use text::Format;

use crate::call::{OperationName, Outcome};
use crate::domain::error_code::ErrorCode;
use crate::service::Service;
use collectors::{GatewayCollector, LedgerCollector, WebhookCollector};
use process::ProcessCollector;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use pulse::PulseCounters;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Upper bounds in seconds: from an answer out of memory to one that waited for a gateway.
const DURATION_BUCKETS: [f64; 15] = [
    0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
    60.0,
];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LimitLabels {
    limit: Limit,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    operation: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CodeLabels {
    code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ListenerLabels {
    listener: &'static str,
}

/// The counters of a gateway.
pub(super) struct Metrics {
    registry: Registry,
    /// What every process has, by the names that all programs give it.
    process: Registry,
    requests: Family<RequestLabels, Counter>,
    durations: Family<RequestLabels, Histogram, fn() -> Histogram>,
    /// Those of each operation with each outcome, by their numbers, once they have been counted.
    series: Box<[OnceLock<(Counter, Histogram)>]>,
    connections: Family<ListenerLabels, Gauge>,
    rejected: Family<LimitLabels, Counter>,
    faults: Family<CodeLabels, Counter>,
    pub(super) in_flight: Gauge,
    /// How much of the budget for large bodies and answers is in use, in bytes.
    pub(super) transit: Gauge,
    row_errors: Family<CodeLabels, Counter>,
    pub(super) refunds: Counter,
    pub(super) ignored_fields: Counter,
    pub(super) request_body_bytes: Counter,
    pub(super) answer_body_bytes: Counter,
    pub(super) malformed_heads: Counter,
    pub(super) accept_errors: Counter,
    pub(super) panics: Counter,
    pulse: PulseCounters,
}

impl Metrics {
    /// All counters at zero; those of the service and its ledger, if there are any, are read when
    /// they are asked for.
    pub(super) fn new(service: Option<&Arc<Service>>) -> Self {
        let mut process = Registry::default();
        process.register_collector(Box::new(ProcessCollector::new()));
        let mut registry = Registry::with_prefix("refund_gateway");
        registry.register(
            "build",
            "The build",
            Info::new([("version", env!("CARGO_PKG_VERSION"))]),
        );
        let series = OperationName::ALL.len() * Outcome::COUNT;
        let mut new = Self {
            registry,
            process,
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(DURATION_BUCKETS)),
            series: (0..series).map(|_| OnceLock::new()).collect(),
            connections: Family::default(),
            rejected: Family::default(),
            faults: Family::default(),
            in_flight: Gauge::default(),
            transit: Gauge::default(),
            row_errors: Family::default(),
            refunds: Counter::default(),
            ignored_fields: Counter::default(),
            request_body_bytes: Counter::default(),
            answer_body_bytes: Counter::default(),
            malformed_heads: Counter::default(),
            accept_errors: Counter::default(),
            panics: Counter::default(),
            pulse: PulseCounters::default(),
        };
        for limit in Limit::all() {
            let _zero = new.rejected.get_or_create(&LimitLabels { limit });
        }
        new.register_requests();
        new.register_transport();
        if let Some(service) = service {
            let ledger = Arc::clone(service.ledger());
            new.registry.register_collector(Box::new(LedgerCollector(ledger)));
            new.registry.register_collector(Box::new(GatewayCollector(Arc::clone(service))));
            new.registry.register_collector(Box::new(WebhookCollector(Arc::clone(service))));
        }
        new
    }

    fn register_requests(&mut self) {
        let registry = &mut self.registry;
        let mut count = |name: &str, help: &str, counter: &Counter| {
            registry.register(name, help, counter.clone());
        };
        count("refunds_created", "Refunds created", &self.refunds);
        count("ignored_fields", "Fields with a value that were passed over", &self.ignored_fields);
        let requests = self.requests.clone();
        registry.register("requests", "Requests, by operation and what came of them", requests);
        let durations = self.durations.clone();
        let help = "How long requests took, from the end of the head to the answer";
        registry.register_with_unit("request_duration", help, Unit::Seconds, durations);
        let row_errors = self.row_errors.clone();
        registry.register("row_errors", "Rows of calls that failed, by code", row_errors);
        registry.register("faults", "SOAP faults, by code", self.faults.clone());
        let in_flight = self.in_flight.clone();
        registry.register("requests_in_flight", "Requests being worked on", in_flight);
    }

    fn register_transport(&mut self) {
        let registry = &mut self.registry;
        let rejected = self.rejected.clone();
        registry.register("rejected", "What a limit refused or held up, by limit", rejected);
        registry.register("connections", "Open connections", self.connections.clone());
        let help = "Large bodies and answers that are held for clients";
        registry.register_with_unit("transit", help, Unit::Bytes, self.transit.clone());
        let bytes = [
            ("request_body", "Bytes of bodies received", &self.request_body_bytes),
            ("answer_body", "Bytes of bodies answered", &self.answer_body_bytes),
        ];
        for (name, help, counter) in bytes {
            registry.register_with_unit(name, help, Unit::Bytes, counter.clone());
        }
        let mut count = |name: &str, help: &str, counter: &Counter| {
            registry.register(name, help, counter.clone());
        };
        count("malformed_heads", "What came in and was no HTTP request", &self.malformed_heads);
        count("accept_errors", "Connections that could not be accepted", &self.accept_errors);
        count("panics", "Connections lost to a panic", &self.panics);
    }

    /// Counts what a limit refused.
    pub(super) fn reject(&self, limit: Limit) {
        self.rejected.get_or_create(&LimitLabels { limit }).inc();
    }

    /// Counts a SOAP fault.
    pub(super) fn fault(&self, outcome: Outcome) {
        self.faults.get_or_create(&CodeLabels { code: outcome.name() }).inc();
    }

    /// Counts rows that failed with this code.
    pub(super) fn row_errors(&self, code: ErrorCode, rows: u32) {
        self.row_errors.get_or_create(&CodeLabels { code: code.name() }).inc_by(rows.into());
    }

    /// Counts a request that has ended.
    pub(super) fn request(&self, operation: OperationName, outcome: Outcome, took: Duration) {
        let number = operation as usize * Outcome::COUNT + outcome.number();
        let Some(series) = self.series.get(number) else { return };
        let (requests, durations) = series.get_or_init(|| {
            let labels = RequestLabels { operation: operation.name(), outcome: outcome.name() };
            let requests = self.requests.get_or_create_owned(&labels);
            (requests, self.durations.get_or_create_owned(&labels))
        });
        requests.inc();
        durations.observe(took.as_secs_f64());
        self.pulse.count(outcome, took);
    }

    /// What has been counted of requests, for a page.
    pub(super) fn pulse(&self) -> Pulse {
        self.pulse.read(u64::try_from(self.in_flight.get()).unwrap_or_default())
    }

    /// The number of connections that `listener` has open.
    pub(super) fn connections(&self, listener: &'static str) -> Gauge {
        self.connections.get_or_create_owned(&ListenerLabels { listener })
    }

    /// Everything, as text of this format.
    pub(super) fn render(&self, format: Format) -> Result<String, fmt::Error> {
        format.render(&[&self.registry, &self.process])
    }
}
