//! HARs as their writers differ: browsers, Charles, Fiddler. What one of them leaves out or adds
//! must not cost the exchanges beside it, and nothing that they wrote down beside SOAP is shown.

use crate::gateway::{
    EXTERNAL_ACCOUNT, create_envelope, envelope, external_refund, finish, program,
};
use base64ct::{Base64, Encoding};
use flate2::Compression;
use flate2::write::{DeflateEncoder, ZlibEncoder};
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use tempfile::TempDir;

const URL: &str = "https://rest.example.com/apps/services/a/91.0";
const ID: &str = "4028925a2b9e3319012b9e34b88e4711";

fn created() -> String {
    let result = format!("<api:Id>{ID}</api:Id><api:Success>true</api:Success>");
    let body =
        format!("<api:createResponse><api:result>{result}</api:result></api:createResponse>");
    envelope("", &body).replace("<soapenv:Header></soapenv:Header>", "")
}

fn request() -> String {
    create_envelope("their-session", &[external_refund(EXTERNAL_ACCOUNT, "1")])
}

/// A refund as a recorder wrote it down.
fn refund() -> Value {
    json!({
        "request": {
            "method": "POST", "url": URL, "headers": [
                { "name": "Content-Type", "value": "text/xml" },
                { "name": "SOAPAction", "value": "\"\"" },
                { "name": "Authorization", "value": "Basic c2VjcmV0LWJhc2lj" },
                { "name": "Cookie", "value": "session=secret-cookie" },
            ],
            "postData": { "mimeType": "text/xml", "text": request() }, "bodySize": 700,
        },
        "response": {
            "status": 200, "headers": [], "bodySize": -1,
            "content": { "size": 300, "mimeType": "text/xml", "text": created() },
        },
    })
}

/// What a recorder does otherwise.
type Change = fn(&mut Value);

/// A refund with something changed.
fn with(change: impl FnOnce(&mut Value)) -> Value {
    let mut entry = refund();
    change(&mut entry);
    entry
}

fn get(url: &str) -> Value {
    json!({
        "request": { "method": "GET", "url": url, "headers": [], "bodySize": 0 },
        "response": { "status": 200, "headers": [], "content": { "size": 0 }, "bodySize": 0 },
    })
}

/// The exit code of a replay of these entries, and everything that it said and wrote.
fn replayed(entries: &[Value]) -> (Option<i32>, String) {
    let folder = TempDir::new().unwrap();
    let har = json!({ "log": { "version": "1.2", "entries": entries } });
    fs::write(folder.path().join("a.har"), serde_json::to_string_pretty(&har).unwrap()).unwrap();
    let reports = ["--junit", "j.xml", "--html", "h.html"];
    let output = finish(program(folder.path()).args(["replay", "a.har"]).args(reports));
    let mut reported = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    for report in ["j.xml", "h.html"] {
        reported += &fs::read_to_string(folder.path().join(report)).unwrap_or_default();
    }
    (output.status.code(), reported)
}

#[test]
fn what_browsers_record_beside_the_calls_costs_nothing() {
    let entries = [
        get("data:image/png;base64,iVBORw0KGgo="),
        get("blob:https://example.com/1-2"),
        get("chrome-extension://abc/x.js?key=secret-key"),
        get("https://example.com/a|b?c={d}^é&access_token=secret-token"),
        get("https://example.com/Login?username=a&password=secret-query"),
        with(|entry| {
            entry["request"]["method"] = "CONNECT".into();
            entry["request"]["url"] = "rest.example.com:443".into();
        }),
        with(|entry| {
            entry["request"]["headers"] = json!([
                { "name": ":authority", "value": "rest.example.com" },
                { "name": ":path", "value": "/apps/services/a/91.0" },
                { "name": "content-type", "value": "text/xml" },
            ]);
        }),
    ];
    let (code, reported) = replayed(&entries);
    assert_eq!(code, Some(0), "{reported}");
    assert!(reported.contains("1 passed, 0 failed, 6 skipped"), "{reported}");
    for line in [
        "SKIPPED a.har/1 GET: GET data is no SOAP call",
        "SKIPPED a.har/4 GET: GET /a|b is no SOAP call",
        "SKIPPED a.har/5 GET: GET /Login is no SOAP call",
    ] {
        assert!(reported.lines().any(|reported| reported == line), "{line} in {reported}");
    }
    assert!(!reported.contains("secret"), "{reported}");
}

#[test]
fn what_a_recorder_left_out_is_skipped_by_name() {
    let cases: [(&str, Change); 7] = [
        ("no answer was captured", |entry| {
            entry["response"]["status"] = 0.into();
            entry["response"]["_error"] = "net::ERR_ABORTED".into();
        }),
        ("no answer was captured", |entry| entry["response"]["status"] = (-1).into()),
        ("no answer was captured", |entry| entry["response"]["status"] = Value::Null),
        ("no answer was captured", |entry| entry["response"] = Value::Null),
        // What a browser has forgotten has the size 0, but went over the wire.
        ("the body of its answer was not captured", |entry| {
            entry["response"]["content"] = json!({ "size": 0, "mimeType": "text/xml" });
        }),
        ("the body of its request was not captured", |entry| {
            entry["request"]["postData"] = json!({ "mimeType": "text/xml" });
        }),
        ("the body of its request was not captured", |entry| {
            entry["request"].as_object_mut().unwrap().remove("postData");
        }),
    ];
    let mut entries = vec![refund()];
    entries.extend(cases.iter().map(|(_, change)| with(change)));
    let (code, reported) = replayed(&entries);
    assert_eq!(code, Some(0), "{reported}");
    assert!(reported.contains("1 passed, 0 failed, 7 skipped"), "{reported}");
    for (number, (why, _)) in (2..).zip(cases) {
        let line = format!("SKIPPED a.har/{number} POST: {why}");
        assert!(reported.lines().any(|reported| reported == line), "{line} in {reported}");
    }
}

#[test]
fn what_is_null_is_not_there() {
    let entries = [with(|entry| {
        entry["request"]["headers"].as_array_mut().unwrap().push(json!({ "name": "X" }));
        entry["response"]["headers"] = Value::Null;
        entry["response"]["content"]["encoding"] = Value::Null;
    })];
    let (code, reported) = replayed(&entries);
    assert_eq!(code, Some(0), "{reported}");
}

#[test]
fn bodies_are_inflated_or_skipped_by_the_name_of_their_encoding() {
    fn encoded(bytes: &[u8], encoding: &str) -> Value {
        with(|entry| {
            let content = &mut entry["response"]["content"];
            content["text"] = Base64::encode_string(bytes).into();
            content["encoding"] = "base64".into();
            entry["response"]["headers"] =
                json!([{ "name": "content-encoding", "value": encoding }]);
        })
    }
    let zlib = {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(created().as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let deflate = {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(created().as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let entries = [
        encoded(&zlib, "deflate"),
        encoded(&deflate, "Deflate"),
        // Charles decodes a body and keeps its header.
        encoded(created().as_bytes(), "br"),
        encoded(b"\x8b\x02\x80abc\x03", "br"),
    ];
    let (code, reported) = replayed(&entries);
    assert_eq!(code, Some(0), "{reported}");
    assert!(reported.contains("3 passed, 0 failed, 1 skipped"), "{reported}");
    assert!(
        reported.contains("a.har/4 POST: its answer is in br, which is not read"),
        "{reported}"
    );
}

#[test]
fn what_is_wrong_with_a_har_is_told_without_its_secrets() {
    let cases: [(&str, Change); 3] = [
        ("expected a sequence", |entry| entry["request"]["headers"] = "secret\"\\ cookie".into()),
        ("its URL is none", |entry| {
            entry["request"]["url"] = "https://a:secret@[x/?password=secret".into();
        }),
        ("the body of its answer is no base64", |entry| {
            entry["response"]["content"]["encoding"] = "base64".into();
        }),
    ];
    for (said, change) in cases {
        let (code, reported) = replayed(&[with(change)]);
        assert_eq!(code, Some(4), "{reported}");
        assert!(reported.contains("a.har:") && reported.contains(said), "{said} in {reported}");
        assert!(!reported.contains("secret"), "{reported}");
    }
}
