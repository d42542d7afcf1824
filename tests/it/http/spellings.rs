//! The same call, as real clients and what stands between spell its path and its Content-Type.

use crate::gateway::{ENDPOINT, TestGateway, login_envelope};
use crate::wire::Answer;

fn login(gateway: &TestGateway, path: &str, types: &[&str], body: &[u8]) -> Answer {
    let types: Vec<_> = types.iter().map(|value| ("Content-Type", *value)).collect();
    gateway.connect().send("POST", path, &types, body)
}

/// Regression: single quotes, a value sent twice and ISO-8859-15 were faults.
#[test]
fn a_charset_is_read_however_it_is_written() {
    let gateway = TestGateway::demo();
    let envelope = login_envelope("demo@example.com", "demo");
    for types in [
        &["text/xml; charset='utf-8'"][..],
        &["text/xml; charset=utf-8, text/xml"],
        &["text/xml", "text/xml; charset=UTF-8"],
        &["text/xml; CHARSET=ISO-8859-15"],
        &["text/xml;charset=windows-1252"],
        &["text/xml; charset=us-ascii"],
        &["text/xml; charset=Shift_JIS"],
        &["application/soap+xml;charset=\"utf-8\";action=\"\""],
        &[],
    ] {
        let answer = login(&gateway, ENDPOINT, types, envelope.as_bytes());
        assert_eq!(answer.status, 200, "{types:?}: {}", answer.text());
    }
    let utf16: Vec<u8> = envelope.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for types in [&["text/xml; charset='utf-16'"][..], &["text/xml"]] {
        assert_eq!(login(&gateway, ENDPOINT, types, &utf16).status, 200, "{types:?}");
    }
    let answer = login(&gateway, ENDPOINT, &["text/xml; charset='utf-7'"], envelope.as_bytes());
    let reported = answer.text();
    assert!(
        answer.status == 500 && reported.contains("charset encoding utf-7 is not"),
        "{reported}"
    );
}

/// Regression: a slash too many was 404, although servlet containers take it.
#[test]
fn a_path_is_read_as_servers_read_it() {
    let gateway = TestGateway::demo();
    let envelope = login_envelope("demo@example.com", "demo");
    let status = |path: &str| login(&gateway, path, &["text/xml"], envelope.as_bytes()).status;
    for path in [
        "//apps/services/a/91.0",
        "/apps//services/a/91.0/",
        "/apps/services/./a/91.0",
        "/apps/x/../services/a/91.0",
        "/%61pps/services/a/91%2E0",
        "/apps/services/a/91",
        "/apps/services/a/91.0;jsessionid=1",
    ] {
        assert_eq!(status(path), 200, "{path}");
    }
    for path in ["/../apps/services/a/91.0", "/apps%2Fservices/a/91.0", "/apps/services/A/91.0"] {
        assert_eq!(status(path), 404, "{path}");
    }
    let wsdl = gateway.connect().send("GET", "//apps/services/a/38.0?WSDL", &[], b"");
    assert_eq!(wsdl.status, 200);
    assert!(wsdl.text().contains("/apps/services/a/38.0\""), "the address in its normal form");
}
