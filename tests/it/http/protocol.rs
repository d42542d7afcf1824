//! HTTP/1.0 and 1.1 as old clients speak them.

use super::{HttpSettings, Rig, login, post};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use tokio::io::AsyncWriteExt;

#[tokio::test]
async fn http_1_0_is_answered_once_with_a_length() {
    let rig = Rig::new(HttpSettings::default()).await;
    let mut wire = rig.connect().await;
    wire.send("GET /apps/services/a/91.0?wsdl HTTP/1.0\r\n\r\n").await;
    let answer = wire.answer().await;
    assert_eq!((answer.status, answer.version.as_str()), (200, "HTTP/1.0"));
    assert!(answer.closes());
    let own = format!("\"http://{}/apps/services/a/91.0\"", rig.gateway.public_addr());
    assert!(answer.text().contains(&own));
    assert!(wire.is_closed_silently().await);
}

#[tokio::test]
async fn http_1_0_keeps_the_connection_if_it_asks_to() {
    let rig = Rig::new(HttpSettings::default()).await;
    let mut wire = rig.connect().await;
    for _ in 0..2 {
        wire.send("GET /nowhere HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").await;
        let answer = wire.answer().await;
        assert_eq!(answer.header("connection"), Some("keep-alive"));
    }
}

#[tokio::test]
async fn connection_is_a_list_and_closing_is_said() {
    let rig = Rig::new(HttpSettings::default()).await;
    let mut wire = rig.connect().await;
    wire.send(post("TE: deflate,gzip;q=0.3\r\nConnection: TE, close\r\n", login("nobody"))).await;
    assert!(wire.answer().await.closes());
    assert!(wire.is_closed_silently().await);
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let rig = Rig::new(HttpSettings::default()).await;
    let mut wire = rig.connect().await;
    let missing = "GET /nowhere HTTP/1.1\r\nHost: h\r\n\r\n";
    wire.send([post("", login("nobody")), missing.into(), post("", login("busy"))].concat()).await;
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(wire.answer().await.status);
    }
    assert_eq!(statuses, [500, 404, 429]);
    assert_eq!(rig.rejected("ledger_queue").await, 1);
}

#[tokio::test]
async fn a_waiting_client_is_told_to_go_on() {
    let rig = Rig::new(HttpSettings::default()).await;
    let mut wire = rig.connect().await;
    let body = login("nobody");
    let request = post("Expect: 100-continue\r\n", &body);
    let (head, _) = request.split_at(request.len() - body.len());
    wire.send(head).await;
    assert_eq!(wire.head().await, "HTTP/1.1 100 Continue\r\n\r\n");
    wire.send(&body).await;
    assert_eq!(wire.answer().await.status, 500);
}

#[tokio::test]
async fn a_waiting_client_is_refused_before_it_sends() {
    let rig = Rig::new(HttpSettings { body_bytes_max: 10, ..HttpSettings::default() }).await;
    let mut wire = rig.connect().await;
    let request = post("Expect: 100-continue\r\n", "elevenbytes");
    wire.send(request.strip_suffix(b"elevenbytes").unwrap()).await;
    let answer = wire.answer().await;
    assert_eq!((answer.status, answer.closes()), (413, true));
    drop(wire.stream.shutdown().await);
    assert!(wire.is_closed_silently().await);
}

fn chunked(pieces: &[&str]) -> Vec<u8> {
    let head =
        "POST /apps/services/a/91.0 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunks = pieces.iter().map(|piece| format!("{:x}\r\n{piece}\r\n", piece.len()));
    format!("{head}{}0\r\n\r\n", chunks.collect::<String>()).into_bytes()
}

#[tokio::test]
async fn chunked_bodies_are_read() {
    let rig = Rig::new(HttpSettings::default()).await;
    let body = login("nobody");
    let (first, second) = body.split_at(7);
    let answer = rig.ask(chunked(&[first, second])).await;
    assert!(answer.text().contains("INVALID_VALUE"));
    let bytes = u64::try_from(body.len()).unwrap();
    assert_eq!(rig.metric("refund_gateway_request_body_bytes_total").await, bytes);
}

#[tokio::test]
async fn chunked_bodies_are_refused_at_the_limit() {
    let rig = Rig::new(HttpSettings { body_bytes_max: 10, ..HttpSettings::default() }).await;
    assert_eq!(rig.ask(chunked(&["12345", "678901"])).await.status, 413);
    assert_eq!(rig.rejected("body_bytes").await, 1);
}

#[tokio::test]
async fn broken_chunks_are_refused() {
    let rig = Rig::new(HttpSettings::default()).await;
    let head =
        "POST /apps/services/a/91.0 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    let answer = rig.ask(format!("{head}zz\r\nhello\r\n")).await;
    assert_eq!((answer.status, answer.closes()), (400, true));
}

pub(super) fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn gzip_bodies_are_inflated_within_their_limit() {
    let rig = Rig::new(HttpSettings::default()).await;
    for name in ["gzip", "x-gzip"] {
        let headers = format!("Content-Encoding: {name}\r\n");
        let answer = rig.ask(post(&headers, gzip(login("nobody").as_bytes()))).await;
        assert!(answer.text().contains("Invalid login."), "{name}");
    }
    let padded = login("nobody") + &"<!-- -->".repeat(30_000);
    let answer = rig.ask(post("Content-Encoding: gzip\r\n", gzip(padded.as_bytes()))).await;
    assert!(answer.text().contains("Invalid login."));
    let bomb = gzip(&vec![b' '; 64 * 1024 * 1024]);
    assert_eq!(rig.ask(post("Content-Encoding: gzip\r\n", bomb)).await.status, 413);
    assert_eq!(rig.rejected("inflated_bytes").await, 1);
    assert_eq!(rig.ask(post("Content-Encoding: gzip\r\n", "no gzip")).await.status, 400);
}

#[tokio::test]
async fn a_client_that_has_said_all_it_has_to_say_still_gets_its_answer() {
    let rig = Rig::new(HttpSettings::default()).await;
    let mut wire = rig.connect().await;
    wire.send(post("", login("nobody"))).await;
    wire.stream.shutdown().await.unwrap();
    assert_eq!(wire.answer().await.status, 500);
    assert!(wire.is_closed_silently().await);
}

#[tokio::test]
async fn what_is_not_http_is_turned_away_and_counted() {
    let rig = Rig::new(HttpSettings::default()).await;
    for garbage in ["\x16\x03\x01\x02\x00\x01\r\n\r\n", "hello\r\n\r\n", "GET / HTTP/3.0\r\n\r\n"] {
        let mut wire = rig.connect().await;
        wire.send(garbage).await;
        assert!(wire.rest().await.starts_with(b"HTTP/1.1 400 "), "{garbage}");
    }
    let mut wire = rig.connect().await;
    wire.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    assert!(wire.is_closed_silently().await);
    rig.until_metric("refund_gateway_malformed_heads_total", 4).await;
    assert_eq!(rig.ask(post("", login("nobody"))).await.status, 500);
}
