//! Faults that a tester orders through the built program: what they look like from outside, and
//! which calls they meet.

use crate::admin_api::{api, command, done, refund_ten, told_by};
use crate::gateway::{ENDPOINT, EXTERNAL_ACCOUNT, TestGateway, envelope, session_header};
use serde_json::{Value, json};

/// An ordered REQUEST_EXCEEDED_LIMIT was HTTP 500 without Retry-After, so that no client's handling
/// of the real one could be tested with it.
#[test]
fn an_ordered_fault_looks_like_the_real_one() {
    let gateway = TestGateway::demo();
    let session = gateway.login();
    told_by(&gateway, &["fault", "order", "--fault", "REQUEST_EXCEEDED_LIMIT"]);
    let limited = refund_ten(&gateway, &session);
    assert_eq!((limited.status, limited.header("retry-after")), (429, Some("120")), "{limited}");
    let text = "The total number of concurrent requests has exceeded the limit allowed by the \
                system. Please resubmit your request later.";
    assert_eq!(limited.texts("FaultMessage"), [text]);
    for (code, status) in [
        ("LOCK_COMPETITION", 409),
        ("DUPLICATE_VALUE", 422),
        ("INVALID_SESSION", 500),
        ("TRANSACTION_FAILED", 500),
    ] {
        done(&gateway, "POST", "faults", &json!({ "fault": { "code": code } }));
        let answer = refund_ten(&gateway, &session);
        assert_eq!((answer.status, answer.header("retry-after")), (status, None), "{answer}");
        assert_eq!(answer.texts("FaultCode"), [code]);
    }
    done(&gateway, "POST", "faults", &json!({ "fault": { "code": "MALFORMED_QUERY" } }));
    let query = "<api:query><api:queryString>select Id from Account</api:queryString></api:query>";
    let answer = gateway.post(ENDPOINT, &envelope(&session_header(&session), query));
    assert!(answer.text().contains("<fns:MalformedQueryFault>"), "{answer}");
    assert_eq!(gateway.balance(EXTERNAL_ACCOUNT), "1000.00");
    // The limits that the gateway really had are counted, and no others.
    let metrics = gateway.get_admin("/metrics").text();
    let counted = metrics.lines().find(|line| line.contains("ledger queue")).unwrap_or("0");
    assert!(counted.ends_with('0'), "{counted}");
}

#[test]
fn an_answer_has_the_status_and_the_headers_that_were_ordered() {
    let gateway = TestGateway::demo();
    let session = gateway.login();
    let order = ["fault", "order", "--fault", "SERVER_UNAVAILABLE=later", "--status", "503"];
    let headers = ["--header", "Retry-After: 7", "--header", "X-Request-Id: abc"];
    told_by(&gateway, &[&order[..], &headers].concat());
    let answer = refund_ten(&gateway, &session);
    assert_eq!(answer.texts("FaultMessage"), ["later"]);
    let reported = ["retry-after", "x-request-id"].map(|name| answer.header(name));
    assert_eq!((answer.status, reported), (503, [Some("7"), Some("abc")]), "{answer}");
    // In the place of the gateway's own.
    let order =
        json!({ "status": 202, "headers": { "Content-Type": "text/plain", "Server": "x" } });
    done(&gateway, "POST", "faults", &order);
    let answer = refund_ten(&gateway, &session);
    assert_eq!((answer.status, answer.successes()), (202, 1), "{answer}");
    let all = |name: &str| {
        let found = answer.headers.iter().filter(|(known, _)| known == name);
        found.map(|(_, value)| value.clone()).collect::<Vec<_>>()
    };
    assert_eq!((all("content-type"), all("server")), (vec!["text/plain".into()], vec!["x".into()]));
    for (order, named) in [
        (json!({ "headers": { "Transfer-Encoding": "chunked" } }), "Transfer-Encoding"),
        (json!({ "headers": { "Content-Length": "3" } }), "Content-Length"),
        (json!({ "headers": { "X": "a\r\nY: b" } }), "X"),
        (json!({ "headers": { "a b": "c" } }), "a b"),
        (json!({ "headers": ["a"] }), "headers"),
        (json!({ "status": 600 }), "600"),
        (json!({ "status": 100 }), "100"),
        (json!({ "reset": "after", "status": 503 }), "reset"),
    ] {
        let reported = api(&gateway, "POST", "faults", &order);
        let error = reported.body["error"].as_str().unwrap_or_default();
        assert!(reported.status == 400 && error.contains(named), "{order}: {error}");
    }
    for args in [["--header", "nonsense"], ["--header", "Upgrade: x"], ["--status", "99"]] {
        let output = command(&gateway, &[&["fault", "order"][..], &args].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}: {output:?}");
    }
}

#[test]
fn the_third_call_of_three_is_ordered_to_fail() {
    let gateway = TestGateway::demo();
    let session = gateway.login();
    let rest = ["--skip", "2", "--times", "1", "--fault", "SERVER_UNAVAILABLE"];
    told_by(&gateway, &[&["fault", "order", "--operation", "create"][..], &rest].concat());
    // What does not match is not counted.
    gateway.login();
    let left = || done(&gateway, "GET", "faults", &Value::Null)["faults"][0]["skip"].clone();
    assert_eq!(refund_ten(&gateway, &session).status, 200);
    assert_eq!(left(), 1);
    let statuses: Vec<u16> = (0..3).map(|_| refund_ten(&gateway, &session).status).collect();
    assert_eq!(statuses, [200, 500, 200]);
    assert_eq!(gateway.balance(EXTERNAL_ACCOUNT), "970.00");
    let wrong = api(&gateway, "POST", "faults", &json!({ "skip": -1, "status": 503 }));
    assert_eq!(wrong.status, 400, "{}", wrong.body);
}
