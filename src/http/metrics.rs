//! What the gateway counts, in the words of Prometheus.
//!
//! What must stay true: every label has a small, closed set of values; nothing that a client sends
//! becomes a label. A request is counted without looking its labels up.

use crate::call::{OperationName, Outcome};
use crate::domain::number::saturated;
use crate::ledger::Ledger;
use crate::service::Service;
use crate::service::webhooks::WebhookStats;
use crate::xml::LimitKind;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabelSet, EncodeLabelValue, EncodeMetric, LabelValueEncoder, text,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// The type of what [`Metrics::render`] gives.
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds in seconds: from an answer out of memory to one that waited for a gateway.
const DURATION_BUCKETS: [f64; 15] = [
    0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
    60.0,
];

/// A limit that refused something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Limit {
    Connections,
    ConnectionsPerAddress,
    /// hyper refused a head: too long, or with more lines than it will count.
    HeadBytes,
    HeadTimeout,
    /// A client of TLS did not shake hands, or not in time.
    Handshake,
    Headers,
    BodyBytes,
    InflatedBytes,
    HeavyRequests,
    BodyTimeout,
    /// A large body or answer had no share of the budget in time.
    TransitBytes,
    /// A client that stalled gave its share up.
    Stalled,
    RequestTimeout,
    WriteTimeout,
    LedgerQueue,
    LoginGuard,
    Xml(LimitKind),
}

impl Limit {
    const OF_TRANSPORT: [Self; 16] = [
        Self::Connections,
        Self::ConnectionsPerAddress,
        Self::HeadBytes,
        Self::HeadTimeout,
        Self::Handshake,
        Self::Headers,
        Self::BodyBytes,
        Self::InflatedBytes,
        Self::HeavyRequests,
        Self::BodyTimeout,
        Self::TransitBytes,
        Self::Stalled,
        Self::RequestTimeout,
        Self::WriteTimeout,
        Self::LedgerQueue,
        Self::LoginGuard,
    ];

    fn all() -> impl Iterator<Item = Self> {
        Self::OF_TRANSPORT.into_iter().chain(LimitKind::ALL.map(Self::Xml))
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::ConnectionsPerAddress => "connections per address",
            Self::HeadBytes => "head bytes",
            Self::HeadTimeout => "head timeout",
            Self::Handshake => "tls handshake",
            Self::Headers => "headers",
            Self::BodyBytes => "body bytes",
            Self::InflatedBytes => "inflated bytes",
            Self::HeavyRequests => "heavy requests",
            Self::BodyTimeout => "body timeout",
            Self::TransitBytes => "transit bytes",
            Self::Stalled => "stalled",
            Self::RequestTimeout => "request timeout",
            Self::WriteTimeout => "write timeout",
            Self::LedgerQueue => "ledger queue",
            Self::LoginGuard => "login guard",
            Self::Xml(kind) => kind.name(),
        }
    }
}

impl EncodeLabelValue for Limit {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        EncodeLabelValue::encode(&self.name().replace(' ', "_"), encoder)
    }
}

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
    pub(super) row_errors: Counter,
    pub(super) refunds: Counter,
    pub(super) ignored_fields: Counter,
    pub(super) request_body_bytes: Counter,
    pub(super) answer_body_bytes: Counter,
    pub(super) malformed_heads: Counter,
    pub(super) accept_errors: Counter,
    pub(super) panics: Counter,
}

impl Metrics {
    /// All counters at zero; those of the service and its ledger, if there are any, are read when
    /// they are asked for.
    pub(super) fn new(service: Option<&Arc<Service>>) -> Self {
        let mut registry = Registry::with_prefix("refund_gateway");
        registry.register(
            "build",
            "The build",
            Info::new([("version", env!("CARGO_PKG_VERSION"))]),
        );
        let series = OperationName::ALL.len() * Outcome::COUNT;
        let mut new = Self {
            registry,
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(DURATION_BUCKETS)),
            series: (0..series).map(|_| OnceLock::new()).collect(),
            connections: Family::default(),
            rejected: Family::default(),
            faults: Family::default(),
            in_flight: Gauge::default(),
            transit: Gauge::default(),
            row_errors: Counter::default(),
            refunds: Counter::default(),
            ignored_fields: Counter::default(),
            request_body_bytes: Counter::default(),
            answer_body_bytes: Counter::default(),
            malformed_heads: Counter::default(),
            accept_errors: Counter::default(),
            panics: Counter::default(),
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
        count("row_errors", "Rows of create calls that failed", &self.row_errors);
        count("refunds_created", "Refunds created", &self.refunds);
        count("ignored_fields", "Fields with a value that were passed over", &self.ignored_fields);
        let requests = self.requests.clone();
        registry.register("requests", "Requests, by operation and what came of them", requests);
        let durations = self.durations.clone();
        let help = "How long requests took, from the end of the head to the answer";
        registry.register_with_unit("request_duration", help, Unit::Seconds, durations);
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
    }

    /// The number of connections that `listener` has open.
    pub(super) fn connections(&self, listener: &'static str) -> Gauge {
        self.connections.get_or_create_owned(&ListenerLabels { listener })
    }

    /// Everything, as text.
    pub(super) fn render(&self) -> Result<String, fmt::Error> {
        let mut out = String::with_capacity(16 * 1024);
        text::encode(&mut out, &self.registry)?;
        Ok(out)
    }
}

struct LedgerCollector(Arc<dyn Ledger>);

impl fmt::Debug for LedgerCollector {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("LedgerCollector")
    }
}

impl Collector for LedgerCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let stats = self.0.stats();
        let queued = ConstGauge::new(saturated::<i64>(stats.queued));
        let help = "Requests that wait for the ledger's writer";
        let kind = queued.metric_type();
        queued.encode(encoder.encode_descriptor("ledger_queue_depth", help, None, kind)?)?;
        let counters = [
            ("ledger_commits", "Transactions committed", stats.commits),
            ("ledger_committed_requests", "Requests in those", stats.committed_requests),
            ("ledger_failures", "Transactions rolled back or lost", stats.failures),
        ];
        for (name, help, value) in counters {
            let counter = ConstCounter::new(value);
            let kind = counter.metric_type();
            counter.encode(encoder.encode_descriptor(name, help, None, kind)?)?;
        }
        let spent = ConstCounter::new(Duration::from_micros(stats.commit_us).as_secs_f64());
        let (kind, unit) = (spent.metric_type(), Unit::Seconds);
        let help = "Time spent in commits";
        spent.encode(encoder.encode_descriptor("ledger_commit", help, Some(&unit), kind)?)
    }
}

/// A number of a webhook.
type WebhookValue = fn(&WebhookStats) -> u64;

/// What webhooks have got. Their names are the operator's own, and few.
struct WebhookCollector(Arc<Service>);

impl fmt::Debug for WebhookCollector {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("WebhookCollector")
    }
}

impl Collector for WebhookCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let all = self.0.webhook_stats();
        let metrics: [(&str, &str, MetricType, WebhookValue); 4] = [
            ("webhook_delivered", "Events delivered", MetricType::Counter, |one| one.delivered),
            ("webhook_failed", "Attempts that failed", MetricType::Counter, |one| one.failed),
            ("webhook_waiting", "Events that wait", MetricType::Gauge, |one| one.stats.waiting),
            ("webhook_given_up", "Events given up and kept", MetricType::Gauge, |one| {
                one.stats.given_up
            }),
        ];
        for (name, help, kind, value) in metrics {
            let is_counter = matches!(kind, MetricType::Counter);
            let mut encoder = encoder.encode_descriptor(name, help, None, kind)?;
            for one in &all {
                let labels = label(one);
                let encoder = encoder.encode_family(&labels)?;
                match is_counter {
                    true => ConstCounter::new(value(one)).encode(encoder)?,
                    false => {
                        let value = saturated::<i64>(value(one));
                        ConstGauge::new(value).encode(encoder)?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn label(stats: &WebhookStats) -> [(&'static str, String); 1] {
    [("webhook", stats.name.clone())]
}

/// What is with payment gateways. It holds the service no longer than the metrics themselves.
struct GatewayCollector(Arc<Service>);

impl fmt::Debug for GatewayCollector {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("GatewayCollector")
    }
}

impl Collector for GatewayCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let stats = self.0.gateway_stats();
        let gauges = [
            ("refunds_in_processing", "Refunds in Processing", stats.open),
            (
                "refunds_left_to_operators",
                "Those that only an operator ends",
                stats.left_to_operators,
            ),
        ];
        for (name, help, value) in gauges {
            let gauge = ConstGauge::new(saturated::<i64>(value));
            let kind = gauge.metric_type();
            gauge.encode(encoder.encode_descriptor(name, help, None, kind)?)?;
        }
        let oldest = ConstGauge::new(stats.oldest.num_seconds());
        let (kind, unit) = (oldest.metric_type(), Unit::Seconds);
        let help = "Age of the oldest refund in Processing";
        let name = "refunds_in_processing_oldest";
        oldest.encode(encoder.encode_descriptor(name, help, Some(&unit), kind)?)?;
        let counters = [
            ("gateway_inquiries", "Inquiries about refunds in Processing", stats.inquiries),
            ("gateway_unknowns", "Exchanges with gateways without a verdict", stats.unknowns),
        ];
        for (name, help, value) in counters {
            let counter = ConstCounter::new(value);
            let kind = counter.metric_type();
            counter.encode(encoder.encode_descriptor(name, help, None, kind)?)?;
        }
        Ok(())
    }
}
