//! Requests that no client of SOAP sends.

use crate::gateway::{ENDPOINT, TestGateway, login_envelope};

fn status(gateway: &TestGateway, method: &str, path: &str, header: (&str, &str)) -> u16 {
    let body =
        if method == "POST" { login_envelope("demo@example.com", "demo") } else { "".into() };
    gateway.connect().send(method, path, &[header], body.as_bytes()).status
}

/// Regression: any page that a tester's browser showed could post to a gateway on localhost.
#[test]
fn a_web_page_may_not_call_a_test_gateway() {
    let gateway = TestGateway::demo();
    for origin in ["http://evil.example", "null", "http://localhost"] {
        assert_eq!(status(&gateway, "POST", ENDPOINT, ("Origin", origin)), 403, "{origin}");
    }
    let wsdl = format!("{ENDPOINT}?wsdl");
    assert_eq!(status(&gateway, "GET", &wsdl, ("Origin", "http://evil.example")), 200);
    assert_eq!(status(&gateway, "POST", ENDPOINT, ("Referer", "http://evil.example/")), 200);
}

#[test]
fn of_transfer_encodings_only_chunked_is_implemented() {
    let gateway = TestGateway::demo();
    let mut wire = gateway.connect();
    let head = "Host: h\r\nTransfer-Encoding: gzip, chunked\r\n";
    wire.write(format!("POST {ENDPOINT} HTTP/1.1\r\n{head}\r\n0\r\n\r\n").as_bytes());
    let answer = wire.read_answer().unwrap();
    assert_eq!((answer.status, answer.header("connection")), (501, Some("close")), "{answer}");
}
