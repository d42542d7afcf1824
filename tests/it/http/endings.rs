//! How requests, connections and the gateway itself end.

use super::{HttpSettings, Rig, Wire, login, post};
use std::future::pending;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::net::TcpStream;

const WITHHELD: &str = "refund_gateway_requests_total{operation=\"none\",outcome=\"withheld\"}";

async fn slow_request(rig: &Rig) -> Wire {
    let mut wire = rig.connect().await;
    wire.send(post("", login("slow"))).await;
    while rig.ledger.slow.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    wire
}

#[tokio::test]
async fn an_unknown_outcome_breaks_off() {
    let rig = Rig::new(HttpSettings::default()).await;
    let mut wire = rig.connect().await;
    wire.send([post("", login("nobody")), post("", login("unknown"))].concat()).await;
    assert_eq!(wire.answer().await.status, 500);
    assert!(wire.is_broken_off().await);
    assert_eq!(rig.metric(WITHHELD).await, 1);
}

#[tokio::test]
async fn a_panic_costs_its_own_connection_only() {
    let rig = Rig::new(HttpSettings::default()).await;
    let mut bystander = rig.connect().await;
    let mut wire = rig.connect().await;
    wire.send(post("", login("panics"))).await;
    assert!(wire.is_broken_off().await);
    rig.until_metric("refund_gateway_panics_total", 1).await;
    assert_eq!(rig.metric("refund_gateway_requests_in_flight").await, 0);
    rig.until_metric("refund_gateway_connections{listener=\"public\"}", 1).await;
    bystander.send(post("", login("nobody"))).await;
    assert_eq!(bystander.answer().await.status, 500);
}

#[tokio::test]
async fn a_stop_waits_for_what_has_begun() {
    let rig = Rig::new(HttpSettings::default()).await;
    let mut idle = rig.connect().await;
    idle.send(post("", login("nobody"))).await;
    assert_eq!(idle.answer().await.status, 500);
    let mut busy = slow_request(&rig).await;
    let (address, admin) = (rig.gateway.public_addr(), rig.gateway.admin_addr().unwrap());
    let stopping = tokio::spawn(rig.gateway.stop(pending()));
    assert!(idle.is_closed_silently().await);
    assert!(TcpStream::connect(address).await.is_err());
    let mut readiness = Wire::connect(admin).await;
    readiness.send("GET /readyz HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert_eq!(readiness.answer().await.status, 503);
    assert!(!stopping.is_finished());
    rig.ledger.gate.add_permits(1);
    let answer = busy.answer().await;
    assert_eq!((answer.status, answer.closes()), (500, true));
    stopping.await.unwrap();
    assert!(TcpStream::connect(admin).await.is_err());
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever() {
    let rig = Rig::new(HttpSettings { drain_timeout_ms: 50, ..HttpSettings::default() }).await;
    let mut busy = slow_request(&rig).await;
    rig.gateway.stop(pending()).await;
    assert!(busy.is_broken_off().await);
}

#[tokio::test]
async fn a_gateway_that_is_dropped_drops_its_connections() {
    let rig = Rig::new(HttpSettings::default()).await;
    let mut busy = slow_request(&rig).await;
    drop(rig.gateway);
    assert!(busy.is_broken_off().await);
}

/// Sends a request as the JDK's HttpURLConnection does: once more where the connection closes
/// before the first byte. Returns how often it was sent.
async fn sent_as_by_the_jdk(rig: &Rig, request: &[u8]) -> usize {
    for sent in 1..=2 {
        let mut wire = rig.connect().await;
        wire.send(request).await;
        if !wire.rest().await.is_empty() {
            return sent;
        }
    }
    2
}

/// Regression: a stack that resends what got no byte made two refunds of one whose commit was slow.
#[tokio::test]
async fn no_stack_resends_what_may_have_been_done() {
    let impatient =
        HttpSettings { request_timeout_ms: 20, outcome_wait_ms: 20, ..HttpSettings::default() };
    let rig = Rig::new(impatient).await;
    for name in ["slow", "unknown", "panics"] {
        let request = post("Connection: close\r\n", login(name));
        assert_eq!(sent_as_by_the_jdk(&rig, &request).await, 1, "{name}");
    }
    assert_eq!(rig.ledger.slow.load(Ordering::SeqCst), 1);
}
