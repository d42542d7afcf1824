//! The journal through the built program: who finds what in it, what it holds, and whether calls
//! were what a test expects.

use crate::admin_api::{api, command, done, refund_ten, told_by};
use crate::gateway::{
    ELECTRONIC_ACCOUNT, ENDPOINT, EXTERNAL_ACCOUNT, TestGateway, create_envelope, envelope,
    external_refund, session_header,
};
use crate::rest::client::Client;
use serde_json::{Value, json};

fn refund_of(gateway: &TestGateway, session: &str, account: &str, amount: &str) -> String {
    let answer = gateway.create(session, &[external_refund(account, amount)]);
    answer.texts("Id").pop().unwrap_or_else(|| panic!("{answer}"))
}

fn ids(reported: &Value) -> Vec<u64> {
    let exchanges = reported["exchanges"].as_array().unwrap();
    exchanges.iter().map(|exchange| exchange["id"].as_u64().unwrap()).collect()
}

/// The journal kept 200 exchanges, could be asked for an operation alone, and did not say what it
/// had lost.
#[test]
fn each_of_several_tests_finds_its_own_calls() {
    let gateway = TestGateway::demo();
    let session = gateway.login();
    let one = refund_of(&gateway, &session, EXTERNAL_ACCOUNT, "1.00");
    refund_of(&gateway, &session, ELECTRONIC_ACCOUNT, "2.00");
    let keyed = create_envelope(&session, &[external_refund(ELECTRONIC_ACCOUNT, "3.00")]);
    let headers = [("Content-Type", "text/xml"), ("Idempotency-Key", "key one&two")];
    gateway.connect().send("POST", ENDPOINT, &headers, keyed.as_bytes());
    let headers = [("Content-Type", "text/xml"), ("Idempotency-Key", "key-1&2")];
    gateway.connect().send("POST", ENDPOINT, &headers, keyed.as_bytes());
    let query = "<api:queryString>select Id, RefundNumber from Refund</api:queryString>";
    let query = format!("<api:query>{query}</api:query>");
    gateway.post(ENDPOINT, &envelope(&session_header(&session), &query));
    let update = format!(
        "<api:update><api:zObjects xsi:type=\"obj:Refund\"><obj:Id>{one}</obj:Id>\
         <obj:Comment>c</obj:Comment></api:zObjects></api:update>"
    );
    gateway.post(ENDPOINT, &envelope(&session_header(&session), &update));
    gateway.post(ENDPOINT, "<broken");
    for (filter, expected) in [
        (String::new(), vec![8, 7, 6, 5, 4, 3, 2, 1]),
        (format!("account={EXTERNAL_ACCOUNT}"), vec![7, 2]),
        (format!("account={ELECTRONIC_ACCOUNT}&operation=create"), vec![5, 4, 3]),
        ("user=demo%40example.com".to_owned(), vec![7, 6, 5, 4, 3, 2, 1]),
        ("user=nobody".to_owned(), vec![]),
        ("key=key-1%262".to_owned(), vec![5]),
        (format!("refund={one}"), vec![7, 6, 2]),
        ("refund=R-00000001".to_owned(), vec![7, 6, 2]),
        ("operation=unknown".to_owned(), vec![8]),
        ("outcome=Client&failed=true".to_owned(), vec![8, 4]),
        ("after=5&before=8&bodies=false".to_owned(), vec![7, 6]),
    ] {
        let reported = done(&gateway, "GET", &format!("journal?{filter}"), &Value::Null);
        assert_eq!(ids(&reported), expected, "{filter}");
        let counts = ["matched", "kept", "dropped"].map(|key| reported[key].as_u64().unwrap());
        assert_eq!(counts, [expected.len() as u64, 8, 0], "{filter}");
    }
    let limited = done(&gateway, "GET", "journal?limit=1&operation=create", &Value::Null);
    assert_eq!((ids(&limited), &limited["matched"]), (vec![5], &json!(4)));
    let exchange = &limited["exchanges"][0];
    assert_eq!(exchange["objects"][0]["fields"]["Amount"], "3.00");
    assert_eq!(exchange["accounts"], json!([ELECTRONIC_ACCOUNT]));
    let one_test = format!("account={EXTERNAL_ACCOUNT}");
    done(&gateway, "DELETE", &format!("journal?{one_test}"), &Value::Null);
    assert_eq!(ids(&done(&gateway, "GET", "journal", &Value::Null)), [8, 6, 5, 4, 3, 1]);
    let shown = told_by(&gateway, &["journal", "--key", "key-1&2", "--user", "demo@example.com"]);
    assert!(shown.starts_with("#5 ") && shown.lines().count() == 1, "{shown}");
    for (wrong, named) in [
        ("limit=1001", "1000"),
        ("acount=x", "account"),
        ("operation=craete", "`create`"),
        ("account=x", "account"),
        ("refund=x", "refund"),
        ("user=%zz", "%zz"),
    ] {
        let reported = api(&gateway, "GET", &format!("journal?{wrong}"), &Value::Null);
        let error = reported.body["error"].as_str().unwrap_or_default();
        assert!(reported.status == 400 && error.contains(named), "{wrong}: {error}");
    }
}

#[test]
fn the_journal_is_bounded_and_tells_what_it_has_dropped() {
    let config = "[http]\njournal_exchanges_max = 30\n";
    let gateway = TestGateway::configured(config);
    let session = gateway.login();
    for _ in 0..40 {
        refund_ten(&gateway, &session);
    }
    let reported = done(&gateway, "GET", "journal?limit=1000&bodies=false", &Value::Null);
    assert_eq!((ids(&reported).len(), &reported["dropped"]), (30, &json!(11)));
    assert_eq!(reported["exchanges"][0].get("request"), None);
    let shown = command(&gateway, &["journal", "--limit", "1"]);
    assert!(String::from_utf8_lossy(&shown.stderr).contains("11 older"), "{shown:?}");
    done(&gateway, "DELETE", "journal", &Value::Null);
    let reported = done(&gateway, "GET", "journal", &Value::Null);
    assert_eq!((&reported["kept"], &reported["dropped"]), (&json!(0), &json!(0)));
}

#[test]
fn no_more_memory_is_taken_than_was_said() {
    let gateway = TestGateway::configured("[http]\njournal_bytes_max = 200000\n");
    let session = gateway.login();
    let comment = "x".repeat(20_000);
    let update = format!(
        "<api:update><api:zObjects xsi:type=\"obj:Account\"><obj:Id>{EXTERNAL_ACCOUNT}</obj:Id>\
         <obj:Notes>{comment}</obj:Notes></api:zObjects></api:update>"
    );
    for _ in 0..20 {
        gateway.post(ENDPOINT, &envelope(&session_header(&session), &update));
    }
    let reported = done(&gateway, "GET", "journal?limit=1000", &Value::Null);
    let kept = reported["kept"].as_u64().unwrap();
    assert!((1..10).contains(&kept), "{kept}");
    assert_eq!(reported["dropped"].as_u64().unwrap() + kept, 21);
}

/// A test had to fetch the journal and to parse the XML in it.
#[test]
fn a_test_verifies_that_create_was_called_exactly_once_with_amount_10() {
    let gateway = TestGateway::demo();
    let session = gateway.login();
    refund_of(&gateway, &session, ELECTRONIC_ACCOUNT, "20.00");
    let expected = json!({ "operation": "create", "account": EXTERNAL_ACCOUNT,
        "fields": { "Amount": 10, "Type": "External" }, "count": 1 });
    let verify = |body: &Value| done(&gateway, "POST", "journal/verify", body);
    let reported = verify(&expected);
    assert_eq!((&reported["verified"], &reported["matched"]), (&json!(false), &json!(0)));
    let differs = reported["near_misses"][0]["differs"].to_string();
    assert!(differs.contains("Amount is 20.00, not 10"), "{reported}");
    assert!(differs.contains(&format!("not {EXTERNAL_ACCOUNT}")), "{reported}");
    refund_ten(&gateway, &session);
    let reported = verify(&expected);
    assert_eq!((&reported["verified"], &reported["expected"]), (&json!(true), &json!("exactly 1")));
    refund_ten(&gateway, &session);
    assert_eq!(verify(&expected)["verified"], json!(false));
    let many = json!({ "fields": { "Amount": "10" }, "count": { "at_least": 2, "at_most": 3 } });
    assert_eq!(verify(&many)["verified"], json!(true));
    let login = json!({ "operation": "login", "fields": { "username": "demo@example.com" } });
    assert_eq!(verify(&login)["verified"], json!(true));
    let base = ["journal", "verify", "--operation", "create", "--account", EXTERNAL_ACCOUNT];
    let run = |rest: &[&str]| command(&gateway, &[&base[..], rest].concat());
    let good = run(&["--field", "Amount=10", "--type", "Refund", "--exactly", "2"]);
    assert_eq!(good.status.code(), Some(0), "{good:?}");
    let absent = run(&["--field", "Amount=10", "--field", "Comment=", "--exactly", "2"]);
    assert_eq!(absent.status.code(), Some(0), "{absent:?}");
    let bad = run(&["--field", "Amount=10.5"]);
    let shown = String::from_utf8_lossy(&bad.stdout).into_owned();
    assert_eq!(bad.status.code(), Some(1), "{bad:?}");
    assert!(shown.contains("not verified: 0 calls match, at least 1 expected"), "{shown}");
    assert!(shown.contains("Amount is 10.00, not 10.5"), "{shown}");
    for wrong in [["--field", "Amount"], ["--field", "Amuont=1"], ["--type", "Refnd"]] {
        assert_eq!(run(&wrong).status.code(), Some(2), "{wrong:?}");
    }
    for (wrong, named) in [
        (json!({ "operation": "craete" }), "`create`"),
        (json!({ "fields": { "Amount": [1] } }), "list"),
        (json!({ "count": "one" }), "count"),
    ] {
        let reported = api(&gateway, "POST", "journal/verify", &wrong);
        let error = reported.body["error"].as_str().unwrap_or_default();
        assert!(reported.status == 400 && error.contains(named), "{wrong}: {error}");
    }
    let all = done(&gateway, "GET", "journal?limit=1000", &Value::Null).to_string();
    assert!(!all.contains(&session) && !all.contains(">demo<"), "{all}");
}

/// A reset in the middle of a test ended the session that the test's client held.
#[test]
fn a_reset_can_keep_sessions_and_users() {
    let gateway = TestGateway::start(&["--demo", "--id-seed", "7"]);
    let session = gateway.login();
    refund_ten(&gateway, &session);
    told_by(&gateway, &["reset", "--keep-sessions"]);
    assert_eq!(gateway.balance(EXTERNAL_ACCOUNT), "1000.00");
    assert_eq!(refund_ten(&gateway, &session).successes(), 1);
    // With seeded ids as well, no later session gets the token of one that was kept.
    let other = gateway.login();
    assert_ne!(other, session);
    done(&gateway, "POST", "reset", &json!({ "keep_sessions": true }));
    for session in [&session, &other] {
        assert_eq!(refund_ten(&gateway, session).successes(), 1);
    }
    done(&gateway, "POST", "reset", &json!({ "keep_sessions": false }));
    assert!(refund_ten(&gateway, &session).text().contains("INVALID_SESSION"));
}

/// Regression: such a reset ended the tokens of OAuth clients, which are the sessions of REST.
#[test]
fn a_reset_can_keep_the_tokens_of_clients() {
    let gateway = TestGateway::start(&["--demo", "--id-seed", "7"]);
    let client = Client::new(&gateway);
    let path = format!("/v1/object/account/{EXTERNAL_ACCOUNT}");
    done(&gateway, "POST", "reset", &json!({ "keep_sessions": true }));
    assert_eq!(client.get(&path).status, 200);
    // No later token is that of one that was kept.
    assert_eq!(Client::new(&gateway).get(&path).status, 200);
    done(&gateway, "POST", "reset", &json!({}));
    assert_eq!(client.get(&path).status, 401);
}
