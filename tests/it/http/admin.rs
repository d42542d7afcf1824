//! Health, readiness and metrics.

use super::wire::Wire;
use super::{HttpSettings, Rig};
use refund_gateway::http::StartError;
use std::sync::atomic::Ordering;

#[tokio::test]
async fn a_gateway_that_serves_is_alive_and_ready() {
    let rig = Rig::new(HttpSettings::default()).await;
    assert_eq!(rig.ask_admin("GET", "/healthz").await.status, 200);
    let ready = rig.ask_admin("GET", "/readyz").await;
    assert_eq!((ready.status, ready.text().as_str()), (200, "ready\n"));
    assert_eq!(rig.ask_admin("HEAD", "/readyz").await.status, 200);
}

#[tokio::test]
async fn a_ledger_that_cannot_be_written_makes_it_unready_but_not_dead() {
    let rig = Rig::new(HttpSettings::default()).await;
    rig.ledger.is_broken.store(true, Ordering::SeqCst);
    let unready = rig.ask_admin("GET", "/readyz").await;
    assert_eq!(unready.status, 503);
    assert!(unready.text().contains("this is a stand-in"));
    assert_eq!(rig.ask_admin("GET", "/healthz").await.status, 200);
}

#[tokio::test]
async fn the_ledger_is_not_tried_each_time_readiness_is_asked_for() {
    let rig = Rig::new(HttpSettings::default()).await;
    let asked = 100;
    for _ in 0..asked {
        assert_eq!(rig.ask_admin("GET", "/readyz").await.status, 200);
    }
    // As many only if every single question took a second.
    assert!(rig.ledger.probes.load(Ordering::SeqCst) < asked);
}

#[tokio::test]
async fn metrics_are_what_was_counted() {
    let rig = Rig::new(HttpSettings::default()).await;
    let answer = rig.ask_admin("GET", "/metrics").await;
    let content_type = "text/plain; version=0.0.4; charset=utf-8";
    assert_eq!(answer.header("content-type"), Some(content_type));
    let text = answer.text();
    for line in [
        "refund_gateway_ledger_queue_depth 3",
        "refund_gateway_ledger_commits_total 5",
        "refund_gateway_ledger_committed_requests_total 7",
        "refund_gateway_ledger_failures_total 11",
        "refund_gateway_ledger_commit_duration_seconds_sum 1.5",
        "refund_gateway_ledger_commit_duration_seconds_bucket{le=\"5.0\"} 1",
        "refund_gateway_ledger_log_bytes 4096",
        "refund_gateway_rejected_total{limit=\"xml_text_length\"} 0",
        concat!("refund_gateway_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in {text}");
    }
}

#[tokio::test]
async fn anything_else_is_not_there() {
    let rig = Rig::new(HttpSettings::default()).await;
    for path in ["/", "/metrics/", "/apps/services/a/91.0"] {
        assert_eq!(rig.ask_admin("GET", path).await.status, 404, "{path}");
    }
    let answer = rig.ask_admin("DELETE", "/metrics").await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD")));
}

#[tokio::test]
async fn an_address_in_use_and_a_useless_setting_are_named() {
    let rig = Rig::new(HttpSettings::default()).await;
    let taken = rig.gateway.public_addr();
    let ledger = std::sync::Arc::new(super::FakeLedger::default());
    let service =
        super::Service::start(ledger, super::Clock::system(), super::ServiceSettings::default());
    let service = service.await.unwrap();
    let start = |settings| {
        let doors = super::soap_door(&service);
        super::Gateway::start(service.clone(), doors, settings, taken, None)
    };
    let error = start(HttpSettings::default()).await.err().unwrap();
    assert!(matches!(error, StartError::Listen { address, .. } if address == taken));
    let useless = HttpSettings { headers_max: 0, ..HttpSettings::default() };
    let error = start(useless).await.err().unwrap();
    assert_eq!(error.to_string(), "http.headers_max must be above 0");
}

/// Regression: a client that had all places of the admin listener kept health from being served.
#[tokio::test]
async fn health_is_told_while_forty_connections_dawdle() {
    let settings = HttpSettings { head_timeout_ms: 600_000, ..HttpSettings::default() };
    let rig = Rig::new(settings).await;
    let mut dawdling = Vec::new();
    for number in 0..40 {
        let mut wire = Wire::connect(rig.gateway.admin_addr().unwrap()).await;
        let beginnings = ["", "GET /liv", "GET /metrics HTTP/1.1\r\nHost: localhost\r\n"];
        wire.send(beginnings[number % 3]).await;
        dawdling.push(wire);
    }
    for path in ["/livez", "/readyz", "/livez"] {
        assert_eq!(rig.ask_admin("GET", path).await.status, 200, "{path}");
    }
}

/// Regression: a page whose name was made to lead here could read the metrics.
#[tokio::test]
async fn metrics_are_read_by_a_name_of_ours_and_health_by_any() {
    let rig = Rig::new(HttpSettings::default()).await;
    let status = async |path: &str, host: &str| {
        let mut wire = Wire::connect(rig.gateway.admin_addr().unwrap()).await;
        wire.send(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
        wire.answer_to("GET").await.status
    };
    for path in ["/metrics", "/openapi.json"] {
        assert_eq!(status(path, "evil.example:8081").await, 421, "{path}");
        assert_eq!(status(path, "localhost:8081").await, 200, "{path}");
        assert_eq!(status(path, "127.0.0.1").await, 200, "{path}");
    }
    assert_eq!(status("/readyz", "gateway.svc.cluster.local").await, 200);
}
