//! What the ledger, payment gateways and webhooks have counted, read when metrics are asked for.
//!
//! What must stay true: nothing here waits; the names of gateways and webhooks are the operator's
//! own, and few.

use crate::domain::number::saturated;
use crate::ledger::Ledger;
use crate::service::Service;
use crate::service::webhooks::WebhookStats;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;
use std::fmt;
use std::sync::Arc;

pub(super) struct LedgerCollector(pub(super) Arc<dyn Ledger>);

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
        let help = "How long commits took";
        let (name, kind) = ("ledger_commit_duration", MetricType::Histogram);
        let commits = encoder.encode_descriptor(name, help, Some(&Unit::Seconds), kind)?;
        stats.commit_durations.encode(commits)?;
        let sizes = [
            ("ledger_file", "The ledger's file", stats.file_bytes),
            ("ledger_log", "The log of the ledger's file, the WAL", stats.log_bytes),
        ];
        for (name, help, bytes) in sizes {
            let Some(bytes) = bytes else { continue };
            let gauge = ConstGauge::new(saturated::<i64>(bytes));
            let kind = gauge.metric_type();
            gauge.encode(encoder.encode_descriptor(name, help, Some(&Unit::Bytes), kind)?)?;
        }
        Ok(())
    }
}

/// A number of a webhook.
type WebhookValue = fn(&WebhookStats) -> u64;

/// What webhooks have got. Their names are the operator's own, and few.
pub(super) struct WebhookCollector(pub(super) Arc<Service>);

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
        let help = "How long attempts to deliver an event took";
        let (name, kind) = ("webhook_delivery_duration", MetricType::Histogram);
        let mut encoder = encoder.encode_descriptor(name, help, Some(&Unit::Seconds), kind)?;
        for one in &all {
            let labels = label(one);
            one.durations.encode(encoder.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

fn label(stats: &WebhookStats) -> [(&'static str, String); 1] {
    [("webhook", stats.name.clone())]
}

/// What is with payment gateways. It holds the service no longer than the metrics themselves.
pub(super) struct GatewayCollector(pub(super) Arc<Service>);

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
        let help = "How long calls to gateways took";
        let (name, kind) = ("gateway_call_duration", MetricType::Histogram);
        let mut encoder = encoder.encode_descriptor(name, help, Some(&Unit::Seconds), kind)?;
        for (gateway, calls) in self.0.gateway_calls() {
            for (call, durations) in [("refund", calls.refunds), ("inquiry", calls.inquiries)] {
                let labels = [("gateway", gateway.as_str()), ("call", call)];
                durations.encode(encoder.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}
