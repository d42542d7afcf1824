//! Requests that no client of SOAP sends.

use crate::gateway::{ENDPOINT, TestGateway, login_envelope};
use crate::wire::Connection;

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
    for (version, codings) in [
        ("1.1", "Transfer-Encoding: gzip, chunked"),
        ("1.1", "Transfer-Encoding: gzip"),
        ("1.1", "transfer-encoding: identity"),
        ("1.1", "Transfer-Encoding: chunked, gzip"),
        ("1.1", "Transfer-Encoding: xchunked"),
        ("1.1", "Transfer-Encoding: chunked, chunked"),
        ("1.1", "Transfer-Encoding:"),
        ("1.1", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
        ("1.1", "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked"),
        ("1.1", "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip"),
        ("1.1", "Content-Length: 5\r\nTransfer-Encoding: gzip"),
        ("1.0", "Transfer-Encoding: gzip"),
    ] {
        for address in [gateway.public(), gateway.admin()] {
            let mut wire = Connection::open(address);
            let head = format!("Host: localhost\r\n{codings}\r\n");
            let request = format!("POST {ENDPOINT} HTTP/{version}\r\n{head}\r\n0\r\n\r\n");
            wire.write(request.as_bytes());
            let answer = wire.read_answer().unwrap();
            let connection = answer.header("connection");
            assert_eq!((answer.status, connection), (501, Some("close")), "{codings}: {answer}");
            let text = answer.text();
            assert!(text.contains("only chunked is implemented"), "{codings}: {answer}");
        }
        // Behind another request, on a connection that is kept.
        let mut wire = gateway.connect();
        wire.write(format!("GET {ENDPOINT}?wsdl HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes());
        assert_eq!(wire.read_answer().unwrap().status, 200);
        let head = format!("Host: localhost\r\n{codings}\r\n");
        let request = format!("POST {ENDPOINT} HTTP/{version}\r\n{head}\r\n0\r\n\r\n");
        wire.write(request.as_bytes());
        assert_eq!(wire.read_answer().unwrap().status, 501, "{codings}");
    }
    for head in ["POST / HTTP/1.1\r\nHost h\r\n", "POST / HTTP/9.9\r\n"] {
        let mut wire = gateway.connect();
        wire.write(format!("{head}\r\n").as_bytes());
        let answer = wire.read_answer().unwrap();
        assert_eq!((answer.status, answer.header("connection")), (400, Some("close")), "{answer}");
        assert!(answer.text().contains("is not one of HTTP/1.1"), "{answer}");
    }
}
