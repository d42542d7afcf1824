//! Clients that send too much, too slowly, too often, or do not read.

use super::protocol::gzip;
use super::{HttpSettings, Rig, login, post};
use std::time::Duration;
use tokio::io::AsyncWriteExt;

#[tokio::test]
async fn a_head_that_does_not_end_is_cut_off_and_counted() {
    let rig = Rig::new(HttpSettings { head_timeout_ms: 100, ..HttpSettings::default() }).await;
    let mut wire = rig.connect().await;
    wire.send("POST /apps/services/a/91.0 HT").await;
    assert!(wire.is_closed_silently().await);
    rig.until_rejected("head_timeout", 1).await;
}

#[tokio::test]
async fn idle_connections_end_and_are_no_offence() {
    let settings =
        HttpSettings { head_timeout_ms: 1000, idle_timeout_ms: 1000, ..HttpSettings::default() };
    let rig = Rig::new(settings).await;
    let mut never_used = rig.connect().await;
    assert!(never_used.is_closed_silently().await);
    let mut used = rig.connect().await;
    used.send(post("", login("nobody"))).await;
    assert_eq!(used.answer().await.status, 500);
    assert!(used.is_closed_silently().await);
    assert_eq!(rig.rejected("head_timeout").await, 0);
}

/// Regression: a connection that was kept alive ended with the time for a head.
#[tokio::test]
async fn between_two_requests_a_connection_has_a_time_of_its_own() {
    let settings =
        HttpSettings { head_timeout_ms: 100, idle_timeout_ms: 60_000, ..HttpSettings::default() };
    let rig = Rig::new(settings).await;
    let mut wire = rig.connect().await;
    for _ in 0..2 {
        wire.send(post("", login("nobody"))).await;
        assert_eq!(wire.answer().await.status, 500);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    // The head of the next has that of a head again.
    wire.send("POST /apps").await;
    assert!(wire.is_closed_silently().await);
    rig.until_rejected("head_timeout", 1).await;
}

/// Regression: heads that never ended kept every newcomer waiting for their whole time.
#[tokio::test]
async fn a_crowd_that_never_ends_its_heads_shuts_nobody_out() {
    let settings =
        HttpSettings { connections_max: 4, head_timeout_ms: 600_000, ..HttpSettings::default() };
    let rig = Rig::new(settings).await;
    let mut crowd = Vec::new();
    for number in 0..12 {
        let mut wire = rig.connect().await;
        wire.send(if number % 2 == 0 { "POST /" } else { "POST / HTTP/1.1\r\nHost: h\r\n" }).await;
        crowd.push(wire);
    }
    assert_eq!(rig.ask(post("", login("nobody"))).await.status, 500);
}

#[tokio::test]
async fn a_large_body_that_finds_no_room_is_refused_as_in_an_overload() {
    let settings = HttpSettings {
        transit_bytes_max: 1024 * 1024,
        request_timeout_ms: 300,
        ..HttpSettings::default()
    };
    let rig = Rig::new(settings).await;
    let request = post("", vec![b' '; 1024 * 1024]);
    let mut first = rig.connect().await;
    first.send(&request[..500_000]).await;
    rig.until_metric("refund_gateway_transit_bytes", 1024 * 1024).await;
    let answer = rig.ask(&request).await;
    assert_eq!((answer.status, answer.closes()), (429, true));
    assert_eq!(answer.header("retry-after"), Some("120"));
    assert!(answer.text().contains("fns:REQUEST_EXCEEDED_LIMIT"), "{}", answer.text());
    assert_eq!(rig.rejected("transit_bytes").await, 1);
    // What is small needs no room.
    assert_eq!(rig.ask(post("", login("nobody"))).await.status, 500);
    first.send(&request[500_000..]).await;
    assert_eq!(first.answer().await.status, 500);
    rig.until_metric("refund_gateway_transit_bytes", 0).await;
}

#[tokio::test]
async fn who_stalls_gives_its_room_to_who_waits() {
    let settings = HttpSettings { transit_bytes_max: 1024 * 1024, ..HttpSettings::default() };
    let rig = Rig::new(settings).await;
    let request = post("", vec![b' '; 1024 * 1024]);
    let mut first = rig.connect().await;
    first.send(&request[..500_000]).await;
    rig.until_metric("refund_gateway_transit_bytes", 1024 * 1024).await;
    assert_eq!(rig.ask(&request).await.status, 500);
    assert_eq!(first.answer().await.status, 408);
    assert_eq!(rig.rejected("stalled").await, 1);
}

#[tokio::test]
async fn a_body_that_does_not_end_is_refused() {
    let rig = Rig::new(HttpSettings { body_timeout_ms: 100, ..HttpSettings::default() }).await;
    let mut wire = rig.connect().await;
    let request = post("", "abc");
    wire.send(request.strip_suffix(b"c").unwrap()).await;
    let answer = wire.answer().await;
    assert_eq!((answer.status, answer.closes()), (408, true));
    assert!(wire.is_closed_silently().await);
    assert_eq!(rig.rejected("body_timeout").await, 1);
}

#[tokio::test]
async fn heads_are_limited_in_bytes() {
    let rig = Rig::new(HttpSettings { head_bytes_max: 2000, ..HttpSettings::default() }).await;
    let fitting = format!("X-Long: {}\r\n", "x".repeat(1500));
    assert_eq!(rig.ask(post(&fitting, login("nobody"))).await.status, 500);
    let whole = post(&format!("X-Long: {}\r\n", "x".repeat(2000)), "");
    let endless = vec![b'x'; 100_000];
    for request in [whole, endless] {
        let mut wire = rig.connect().await;
        drop(wire.stream.write_all(&request).await);
        let said = wire.rest().await;
        assert!(said.starts_with(b"HTTP/1.1 431 "), "{}", String::from_utf8_lossy(&said));
    }
    rig.until_rejected("head_bytes", 2).await;
}

#[tokio::test]
async fn heads_are_limited_in_lines() {
    let rig = Rig::new(HttpSettings { headers_max: 20, ..HttpSettings::default() }).await;
    // Host and Content-Length are two of them.
    assert_eq!(rig.ask(post(&"X: 1\r\n".repeat(18), login("nobody"))).await.status, 500);
    let answer = rig.ask(post(&"X: 1\r\n".repeat(19), "")).await;
    assert_eq!((answer.status, answer.closes()), (431, true));
    assert_eq!(rig.rejected("headers").await, 1);
    let many = rig.ask(post(&"X: 1\r\n".repeat(200), "")).await;
    assert_eq!(many.status, 431);
}

#[tokio::test]
async fn more_lines_than_hyper_counts_by_itself_can_be_allowed() {
    let rig = Rig::new(HttpSettings { headers_max: 300, ..HttpSettings::default() }).await;
    assert_eq!(rig.ask(post(&"X: 1\r\n".repeat(298), login("nobody"))).await.status, 500);
    assert_eq!(rig.ask(post(&"X: 1\r\n".repeat(301), "")).await.status, 431);
}

#[tokio::test]
async fn a_body_at_the_limit_is_read_and_one_byte_more_is_not() {
    let body = login("nobody");
    let body_bytes_max = body.len();
    let rig = Rig::new(HttpSettings { body_bytes_max, ..HttpSettings::default() }).await;
    assert_eq!(rig.ask(post("", &body)).await.status, 500);
    let answer = rig.ask(post("", body + " ")).await;
    assert_eq!((answer.status, answer.closes()), (413, true));
    assert!(answer.text().contains("soapenv:Client"));
    assert_eq!(rig.rejected("body_bytes").await, 1);
}

#[tokio::test]
async fn a_client_that_is_still_sending_is_not_reset_before_it_can_read_the_refusal() {
    // Longer than any machine takes to send it all.
    let rig = Rig::new(HttpSettings { linger_ms: 60_000, ..HttpSettings::default() }).await;
    let mut wire = rig.connect().await;
    let request = post("", vec![b' '; 4 * 1024 * 1024]);
    for piece in request.chunks(1024 * 1024) {
        wire.send(piece).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let answer = wire.answer().await;
    assert_eq!((answer.status, answer.closes()), (413, true));
}

#[tokio::test]
async fn limits_of_the_document_are_counted_by_name() {
    let rig = Rig::new(HttpSettings::default()).await;
    let deep = "<a>".repeat(40) + &"</a>".repeat(40);
    assert_eq!(rig.ask(post("", deep)).await.status, 500);
    assert_eq!(rig.rejected("xml_depth").await, 1);
}

#[tokio::test]
async fn bodies_that_are_heavy_to_read_have_their_turns_and_do_not_wait_for_long() {
    let settings =
        HttpSettings { heavy_requests_max: 1, request_timeout_ms: 1, ..HttpSettings::default() };
    let rig = Rig::new(settings).await;
    let heavy = login("nobody") + &"<!-- -->".repeat(400_000);
    let request = post("Content-Encoding: gzip\r\n", gzip(heavy.as_bytes()));
    let mut wires = Vec::new();
    for _ in 0..10 {
        let mut wire = rig.connect().await;
        wire.send(&request).await;
        wires.push(wire);
    }
    let mut refused = 0;
    for mut wire in wires {
        let answer = wire.answer().await;
        if answer.status == 429 {
            refused += 1;
            assert_eq!(answer.header("retry-after"), Some("120"));
            assert!(answer.text().contains("fns:REQUEST_EXCEEDED_LIMIT"), "{}", answer.text());
        } else {
            assert!(answer.text().contains("Invalid login."), "{}", answer.text());
        }
    }
    assert!((1..10).contains(&refused), "{refused} of 10 refused");
    assert_eq!(rig.rejected("heavy_requests").await, refused);
    assert_eq!(rig.rejected("ledger_queue").await, 0);
    // What is neither large nor compressed needs no turn, and one is free again.
    assert_eq!(rig.ask(post("", login("nobody"))).await.status, 500);
    assert_eq!(rig.ask(&request).await.status, 500);
}

#[tokio::test]
async fn connections_over_the_limit_wait_and_the_others_end_soon() {
    let rig = Rig::new(HttpSettings { connections_max: 1, ..HttpSettings::default() }).await;
    let mut first = rig.connect().await;
    first.send(post("", login("nobody"))).await;
    assert!(!first.answer().await.closes());
    let request = post("", login("nobody"));
    let (begun, rest) = request.split_at(10);
    first.send(begun).await;
    // Until the gateway has read what has begun, the connection is as idle as it was.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let mut second = rig.connect().await;
    second.send(post("", login("nobody"))).await;
    rig.until_rejected("connections", 1).await;
    first.send(rest).await;
    assert!(first.answer().await.closes());
    assert_eq!(second.answer().await.status, 500);
}

#[tokio::test]
async fn a_newcomer_gets_the_place_of_a_connection_that_nobody_uses() {
    let rig = Rig::new(HttpSettings { connections_max: 2, ..HttpSettings::default() }).await;
    let mut used = rig.connect().await;
    used.send(post("", login("nobody"))).await;
    assert!(!used.answer().await.closes());
    let mut never_used = rig.connect().await;
    // The longest idle first, the one that was never used next.
    assert_eq!(rig.ask(post("", login("nobody"))).await.status, 500);
    assert!(used.is_closed_silently().await);
    let mut third = rig.connect().await;
    third.send(post("", login("nobody"))).await;
    third.answer().await;
    let mut fourth = rig.connect().await;
    fourth.send(post("", login("nobody"))).await;
    assert_eq!(fourth.answer().await.status, 500);
    assert!(never_used.is_closed_silently().await);
}

#[tokio::test]
async fn a_crowd_that_says_nothing_shuts_nobody_out() {
    let rig = Rig::new(HttpSettings { connections_max: 4, ..HttpSettings::default() }).await;
    let mut crowd = Vec::new();
    for _ in 0..300 {
        crowd.push(rig.connect().await);
    }
    // Long before the crowd's time is over, or the tests' patience would be.
    assert_eq!(rig.ask(post("", login("nobody"))).await.status, 500);
}

#[tokio::test]
async fn an_address_has_only_so_many_connections_if_that_is_configured() {
    let settings = HttpSettings { connections_per_address_max: 1, ..HttpSettings::default() };
    let rig = Rig::new(settings).await;
    let mut first = rig.connect().await;
    first.send(post("", login("nobody"))).await;
    assert_eq!(first.answer().await.status, 500);
    let mut second = rig.connect().await;
    assert!(second.rest().await.starts_with(b"HTTP/1.1 503 "));
    assert_eq!(rig.rejected("connections_per_address").await, 1);
    first.send(post("", login("nobody"))).await;
    assert_eq!(first.answer().await.status, 500);
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_dropped() {
    let rig = Rig::new(HttpSettings { write_timeout_ms: 100, ..HttpSettings::default() }).await;
    let mut wire = rig.connect().await;
    let requests = "GET /apps/services/a/91.0?wsdl HTTP/1.1\r\nHost: h\r\n\r\n".repeat(1000);
    let sending = wire.stream.write_all(requests.as_bytes());
    tokio::select! {
        _ = sending => rig.until_rejected("write_timeout", 1).await,
        () = rig.until_rejected("write_timeout", 1) => {}
    }
}

#[tokio::test]
async fn work_whose_outcome_does_not_come_breaks_off() {
    let settings =
        HttpSettings { request_timeout_ms: 50, outcome_wait_ms: 50, ..HttpSettings::default() };
    let rig = Rig::new(settings).await;
    let mut wire = rig.connect().await;
    wire.send(post("", login("slow"))).await;
    assert!(wire.is_broken_off().await);
}
