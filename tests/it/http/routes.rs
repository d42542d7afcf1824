//! What is where, and how everything else is answered.

use super::{HttpSettings, Rig, login, post};
use flate2::read::GzDecoder;
use std::io::Read;

fn get(target: &str, headers: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: shop.example:8080\r\n{headers}\r\n")
}

#[tokio::test]
async fn a_call_is_answered_with_the_headers_that_were_captured() {
    let rig = Rig::new(HttpSettings::default()).await;
    let answer = rig.ask(post("X-Request-Id: r-1\r\n", login("nobody"))).await;
    assert_eq!(answer.status, 500);
    assert!(answer.text().contains("Invalid login. User name and password do not match."));
    assert_eq!(answer.header("content-type"), Some("text/xml;charset=UTF-8"));
    assert_eq!(answer.header("cache-control"), Some("max-age=0, no-cache, no-store"));
    assert_eq!(answer.header("pragma"), Some("no-cache"));
    assert_eq!(answer.header("server"), Some("refund-gateway"));
    assert!(answer.header("expires").unwrap().ends_with(" GMT"));
    assert!(answer.header("date").is_some());
    assert_eq!(answer.header("connection"), None);
    assert_eq!(answer.header("x-request-id"), Some("r-1"));
    let requests = "refund_gateway_requests_total{operation=\"login\",outcome=\"INVALID_VALUE\"}";
    assert_eq!(rig.metric(requests).await, 1);
    assert_eq!(rig.metric("refund_gateway_faults_total{code=\"INVALID_VALUE\"}").await, 1);
    assert_eq!(rig.metric("refund_gateway_requests_in_flight").await, 0);
}

#[tokio::test]
async fn the_wsdl_tells_the_callers_own_address() {
    let rig = Rig::new(HttpSettings::default()).await;
    let endpoint = "http://shop.example:8080/apps/services/a/38.0\"";
    for target in [
        "/apps/services/a/38.0?wsdl",
        "/apps/services/a/38.0/?WSDL&x=1",
        "/apps/servlet/GenerateWsdl?version=38.0",
    ] {
        let answer = rig.ask(get(target, "")).await;
        assert_eq!(answer.status, 200, "{target}");
        assert_eq!(answer.header("content-type"), Some("text/xml;charset=UTF-8"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("content-encoding"), None);
        assert!(answer.text().contains(endpoint), "{target}");
    }
    let absolute = get("http://other.example/apps/services/a/38.0?wsdl", "");
    assert!(
        rig.ask(absolute).await.text().contains("\"http://other.example/apps/services/a/38.0\"")
    );
    let mut wire = rig.connect().await;
    wire.send("HEAD /apps/services/a/38.0?wsdl HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert_eq!(wire.answer_to("HEAD").await.status, 200);
}

#[tokio::test]
async fn the_configured_address_is_told_to_everyone() {
    let public_url = Some("https://pay.example/".to_owned());
    let rig = Rig::new(HttpSettings { public_url, ..HttpSettings::default() }).await;
    let wsdl = rig.ask(get("/apps/services/a/91.0?wsdl", "")).await.text();
    assert!(wsdl.contains("\"https://pay.example/apps/services/a/91.0\""));
}

#[tokio::test]
async fn a_trusted_proxy_forwards_the_callers_address() {
    let forwarded = "X-Forwarded-Host: out.example\r\nX-Forwarded-Proto: https\r\n";
    let trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    let trusting = Rig::new(HttpSettings { trusted_proxies, ..HttpSettings::default() }).await;
    let wsdl = trusting.ask(get("/apps/services/a/91.0?wsdl", forwarded)).await.text();
    assert!(wsdl.contains("\"https://out.example/apps/services/a/91.0\""));
    let wary = Rig::new(HttpSettings::default()).await;
    let wsdl = wary.ask(get("/apps/services/a/91.0?wsdl", forwarded)).await.text();
    assert!(wsdl.contains("\"http://shop.example:8080/apps/services/a/91.0\""));
}

#[tokio::test]
async fn a_large_answer_is_compressed_for_those_who_want_it() {
    let rig = Rig::new(HttpSettings::default()).await;
    let target = "/apps/services/a/91.0?wsdl";
    let plain = rig.ask(get(target, "Accept-Encoding: gzip;q=0\r\n")).await;
    assert_eq!(plain.header("content-encoding"), None);
    let packed = rig.ask(get(target, "Accept-Encoding: deflate, gzip;q=0.5\r\n")).await;
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert_eq!(packed.header("vary"), Some("Accept-Encoding"));
    let mut unpacked = Vec::new();
    GzDecoder::new(&packed.body[..]).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, plain.body);
    let small = rig.ask(post("Accept-Encoding: gzip\r\n", login("nobody"))).await;
    assert_eq!(small.header("content-encoding"), None);
}

#[tokio::test]
async fn what_is_nowhere_is_told_in_a_sentence() {
    let rig = Rig::new(HttpSettings::default()).await;
    for target in [
        "/",
        "/apps/services/a/",
        "/apps/services/a/17.9?wsdl",
        "/apps/servlet/GenerateWsdl?version=x",
        "/healthz",
        "/readyz",
        "/metrics",
    ] {
        let answer = rig.ask(get(target, "")).await;
        assert_eq!(answer.status, 404, "{target}");
        assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
        assert!(answer.text().ends_with(".\n"), "{target}");
    }
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let rig = Rig::new(HttpSettings::default()).await;
    let answer = rig.ask(get("/apps/services/a/91.0", "")).await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));
    let put = "PUT /apps/services/a/91.0 HTTP/1.1\r\nHost: h\r\n\r\n";
    let answer = rig.ask(put).await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD, POST")));
}

#[tokio::test]
async fn an_unread_body_ends_the_connection_and_the_answer_says_so() {
    let rig = Rig::new(HttpSettings::default()).await;
    let mut wire = rig.connect().await;
    wire.send("POST /nowhere HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n").await;
    let answer = wire.answer().await;
    assert_eq!((answer.status, answer.closes()), (404, true));
    assert!(wire.is_closed_silently().await);
}

#[tokio::test]
async fn a_foreign_content_type_is_refused_with_a_fault() {
    let rig = Rig::new(HttpSettings::default()).await;
    for foreign in ["application/json", "multipart/form-data", "application/x-www-form-urlencoded"]
    {
        let answer = rig.ask(post(&format!("Content-Type: {foreign}\r\n"), "{}")).await;
        assert_eq!((answer.status, answer.closes()), (415, true), "{foreign}");
        assert!(answer.text().contains("soapenv:Client"), "{foreign}");
    }
    for xml in ["text/xml", "application/soap+xml", "text/plain", "application/octet-stream"] {
        let answer = rig.ask(post(&format!("Content-Type: {xml}\r\n"), login("nobody"))).await;
        assert_eq!(answer.status, 500, "{xml}");
    }
    let packed = rig.ask(post("Content-Encoding: br\r\n", "x")).await;
    assert_eq!(packed.status, 415);
}

#[tokio::test]
async fn a_host_that_is_none_is_refused() {
    let rig = Rig::new(HttpSettings::default()).await;
    for hosts in ["Host: a b\r\n", "Host: \r\n", "Host: u@h\r\n", "Host: a\r\nHost: b\r\n", ""] {
        let request = format!("GET /apps/services/a/91.0?wsdl HTTP/1.1\r\n{hosts}\r\n");
        let answer = rig.ask(request).await;
        assert_eq!(answer.status, 400, "{hosts}");
        assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    }
}
