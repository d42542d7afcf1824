//! What operators look through by the admin API: accounts, entries, refunds, sessions, webhooks,
//! and on a ledger that is not for testing the journal without bodies.

use crate::admin_api::{api, command, done, told_by};
use crate::gateway::{
    ELECTRONIC_ACCOUNT, EXTERNAL_ACCOUNT, TestGateway, electronic_refund, external_refund,
};
use crate::rest::client::{CLIENT, SECRET, token};
use serde_json::{Value, json};
use std::fs;
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

/// How long something may take that must happen: long enough for any machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn get(gateway: &TestGateway, path: &str) -> Value {
    done(gateway, "GET", path, &Value::Null)
}

/// The rows of a list, page by page of two.
fn all(gateway: &TestGateway, path: &str, name: &str) -> Vec<Value> {
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    loop {
        let joint = if path.contains('?') { '&' } else { '?' };
        let page = get(gateway, &format!("{path}{joint}limit=2{cursor}"));
        let found = page[name].as_array().unwrap();
        assert!(found.len() <= 2, "{page}");
        rows.extend(found.iter().cloned());
        match page["next"].as_str() {
            None => return rows,
            Some(next) => cursor = format!("&cursor={next}"),
        }
    }
}

fn texts(rows: &[Value], key: &str) -> Vec<String> {
    rows.iter().map(|row| row[key].as_str().unwrap_or("null").to_owned()).collect()
}

#[test]
fn accounts_their_entries_and_refunds_are_listed_page_by_page() {
    let gateway = TestGateway::demo();
    let session = gateway.login();
    for amount in ["1.50", "20", "3"] {
        gateway.create(&session, &[external_refund(EXTERNAL_ACCOUNT, amount)]);
    }
    gateway.create(&session, &[electronic_refund("40")]);
    let accounts = all(&gateway, "accounts", "accounts");
    assert!(accounts.len() >= 2, "{accounts:?}");
    let found = all(&gateway, "accounts?search=external", "accounts");
    assert_eq!(texts(&found, "number"), ["A00000001"]);
    let account = get(&gateway, "accounts/A00000001");
    assert_eq!(found, std::slice::from_ref(&account));
    assert_eq!(account, get(&gateway, &format!("accounts/{EXTERNAL_ACCOUNT}")));
    assert_eq!((&account["balance"], &account["opening"]), (&json!("975.50"), &json!("1000.00")));
    let entries = all(&gateway, "entries?account=A00000001", "entries");
    assert_eq!(texts(&entries, "balance"), ["975.50", "978.50", "998.50"]);
    assert_eq!(texts(&entries, "amount"), ["-3.00", "-20.00", "-1.50"]);
    assert_eq!(texts(&entries, "refund"), ["R-00000003", "R-00000002", "R-00000001"]);
    let refunds = all(&gateway, "refunds", "refunds");
    let numbers = ["R-00000004", "R-00000003", "R-00000002", "R-00000001"];
    assert_eq!(texts(&refunds, "number"), numbers);
    for (filter, expected) in [
        ("status=Processed&type=External", &numbers[1..]),
        ("account=A00000001", &numbers[1..]),
        ("amount_min=20", &[numbers[0], numbers[2]]),
        ("amount_min=2&amount_max=20.00&account=A00000001", &numbers[1..3]),
        ("type=Electronic", &numbers[..1]),
        ("from=2999-01-01", &[]),
        ("gateway=none", &[]),
        ("account=none", &[]),
    ] {
        let found = all(&gateway, &format!("refunds?{filter}"), "refunds");
        assert_eq!(texts(&found, "number"), expected, "{filter}");
    }
    let one = get(&gateway, "refunds/R-00000002");
    assert_eq!(Some(&one), refunds.get(2));
    let id = one["id"].as_str().unwrap();
    assert_eq!(one, get(&gateway, &format!("refunds/{id}")));
    for (key, value) in [
        ("amount", "20.00"),
        ("currency", "USD"),
        ("account", EXTERNAL_ACCOUNT),
        ("created_by", "demo@example.com"),
    ] {
        assert_eq!(one[key], value, "{one}");
    }
    assert_eq!(
        get(&gateway, &format!("entries?account={ELECTRONIC_ACCOUNT}"))["next"],
        json!(null)
    );
}

#[test]
fn what_cannot_be_listed_is_refused_in_words() {
    let gateway = TestGateway::demo();
    for (method, path, status, named) in [
        ("GET", "accounts?limit=501", 400, "1 to 500"),
        ("GET", "accounts?serch=x", 400, "serch"),
        ("GET", "accounts?cursor=x", 400, "`next`"),
        ("GET", "accounts/none", 404, "none"),
        ("POST", "accounts", 405, "GET, HEAD"),
        ("GET", "entries", 400, "account: is missing"),
        ("GET", "entries?account=none", 404, "none"),
        ("GET", "refunds?status=Procesed", 400, "`Processed`"),
        ("GET", "refunds?from=yesterday", 400, "yesterday"),
        ("GET", "refunds?amount_min=1e3", 400, "1e3"),
        ("GET", "refunds/none", 400, "none"),
        ("GET", "refunds/R-00000099", 404, "R-00000099"),
        ("GET", "sessions?cursor=7", 400, "`next`"),
        ("DELETE", "sessions/x", 400, "handle"),
        ("DELETE", "sessions/00000000000000000000000000000000", 404, "no session"),
        ("GET", "webhooks/none/failures", 404, "none"),
        ("DELETE", "webhooks", 405, "GET, HEAD"),
        ("POST", "webhooks/none/failures/1/retry", 404, "none"),
        ("POST", "webhooks/none/failures/x/retry", 400, "`x`"),
        ("POST", "webhooks/a%zz/failures/1/retry", 400, "a%zz"),
        ("GET", "webhooks/none/failures/1/skip", 405, "POST"),
        ("POST", "webhooks/none/failures/1/skip", 400, "reason"),
    ] {
        let reported = api(&gateway, method, path, &Value::Null);
        let error = reported.body["error"].as_str().unwrap_or_default();
        assert!(
            reported.status == status && error.contains(named),
            "{method} {path}: {} {error}",
            reported.status
        );
    }
}

#[test]
fn a_session_is_listed_by_a_handle_that_opens_nothing_and_can_be_ended() {
    let gateway = TestGateway::demo();
    let (session, other) = (gateway.login(), gateway.login());
    let refund = || [external_refund(EXTERNAL_ACCOUNT, "1")];
    let listed = all(&gateway, "sessions?user=demo@example.com", "sessions");
    assert_eq!(listed.len(), 2, "{listed:?}");
    assert_eq!(all(&gateway, "sessions?user=none", "sessions"), Vec::<Value>::new());
    for row in &listed {
        let handle = row["handle"].as_str().unwrap();
        assert!(!session.contains(handle) && !other.contains(handle), "{row}");
        let as_session = gateway.create(handle, &refund());
        assert_eq!(as_session.texts("FaultCode"), ["INVALID_SESSION"], "{as_session}");
    }
    let handle = listed[0]["handle"].as_str().unwrap();
    done(&gateway, "DELETE", &format!("sessions/{handle}"), &Value::Null);
    let works = |session: &str| gateway.create(session, &refund()).successes() == 1;
    assert_eq!([works(&session), works(&other)].iter().filter(|works| **works).count(), 1);
    assert_eq!(all(&gateway, "sessions", "sessions").len(), 1);
    let audit = get(&gateway, &format!("audit?id={handle}"));
    let record = &audit["records"][0];
    assert_eq!((&record["operation"], &record["object"]), (&json!("end"), &json!("Session")));
    assert_eq!(record["objects"][0]["facts"]["username"], "demo@example.com");
}

#[test]
fn an_oauth_token_is_listed_beside_sessions_and_can_be_ended() {
    let gateway = TestGateway::demo();
    let session = gateway.login();
    let bearer = || {
        let answer = token(&gateway, CLIENT, SECRET);
        let document: Value = serde_json::from_slice(&answer.body).unwrap();
        format!("Bearer {}", document["access_token"].as_str().unwrap())
    };
    let (first, second) = (bearer(), bearer());
    let is_good = |bearer: &str| {
        let headers = [("Authorization", bearer)];
        let path = format!("/v1/object/account/{EXTERNAL_ACCOUNT}");
        match gateway.connect().send("GET", &path, &headers, b"").status {
            200 => true,
            401 => false,
            other => panic!("{other}"),
        }
    };
    assert!(is_good(&first) && is_good(&second));
    let listed = all(&gateway, "sessions?user=demo@example.com", "sessions");
    assert_eq!(listed.len(), 3, "{listed:?}");
    let of_kind =
        |kind: &str| -> Vec<&Value> { listed.iter().filter(|row| row["kind"] == kind).collect() };
    let (sessions, tokens) = (of_kind("session"), of_kind("token"));
    assert_eq!((sessions.len(), tokens.len()), (1, 2), "{listed:?}");
    for token in &tokens {
        assert_eq!((&token["client"], &token["last_used"]), (&json!(CLIENT), &Value::Null));
        assert!(token["issued"].as_str().unwrap() < token["ends"].as_str().unwrap(), "{token}");
    }
    assert_eq!((&sessions[0]["client"], &sessions[0]["ends"]), (&Value::Null, &Value::Null));
    let handle = tokens[0]["handle"].as_str().unwrap();
    done(&gateway, "DELETE", &format!("sessions/{handle}"), &Value::Null);
    assert_ne!(is_good(&first), is_good(&second));
    assert_eq!(gateway.create(&session, &[external_refund(EXTERNAL_ACCOUNT, "1")]).successes(), 1);
    assert_eq!(all(&gateway, "sessions", "sessions").len(), 2);
    let again = api(&gateway, "DELETE", &format!("sessions/{handle}"), &Value::Null);
    assert_eq!(again.status, 404, "{}", again.body);
    let audit = get(&gateway, &format!("audit?id={handle}"));
    let record = &audit["records"][0];
    assert_eq!((&record["operation"], &record["object"]), (&json!("end"), &json!("Token")));
    assert_eq!(record["objects"][0]["facts"]["client"], CLIENT);
}

#[test]
fn users_are_listed_page_by_page_by_their_names() {
    let gateway = TestGateway::demo();
    for name in ["c", "a", "b"] {
        done(&gateway, "POST", "users", &json!({ "username": name, "password": "p" }));
    }
    let listed = all(&gateway, "users", "users");
    assert_eq!(texts(&listed, "username"), ["a", "b", "c", "demo@example.com"]);
    let whole = get(&gateway, "users");
    assert_eq!((&whole["users"], &whole["next"]), (&Value::from(listed), &Value::Null));
}

/// The commands show what the API lists: whole pages, and how to go on.
#[test]
fn the_lists_are_read_from_the_command_line() {
    let gateway = with_a_webhook_that_fails();
    let session = gateway.login();
    gateway.create(&session, &[external_refund(EXTERNAL_ACCOUNT, "20"), electronic_refund("40")]);
    let lines = |args: &[&str]| -> Vec<Vec<String>> {
        let told = told_by(&gateway, args);
        told.lines().map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
    };
    let accounts = lines(&["account", "list", "--search", "external"]);
    assert_eq!(accounts[0][..2], ["NUMBER", "BALANCE"]);
    assert_eq!(accounts[1][..3], ["A00000001", "979.00", "USD"]);
    assert_eq!(accounts.len(), 2, "{accounts:?}");
    let entries = lines(&["entry", "list", "A00000001"]);
    assert_eq!(entries[1][2..6], ["-20.00", "979.00", "USD", "R-00000002"], "{entries:?}");
    let external = ["refund", "list", "--type", "External", "--amount-min", "2"];
    let refunds = lines(&external);
    assert_eq!(refunds[1][..2], ["R-00000002", "Processed"], "{refunds:?}");
    assert_eq!(refunds.len(), 2, "{refunds:?}");
    let first = command(&gateway, &["refund", "list", "--limit", "2"]);
    let said = String::from_utf8(first.stderr).unwrap();
    let cursor = said.trim().rsplit(' ').next().unwrap();
    assert!(said.starts_with("there is more: --cursor "), "{said}");
    let rest = lines(&["refund", "list", "--limit", "2", "--cursor", cursor]);
    assert_eq!(
        rest.iter().map(|line| line[0].as_str()).collect::<Vec<_>>(),
        ["NUMBER", "R-00000001"]
    );
    let json = told_by(&gateway, &[&external[..], &["--json"]].concat());
    let page: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(page, get(&gateway, "refunds?type=External&amount_min=2"));
    let shown: Value =
        serde_json::from_str(&told_by(&gateway, &["refund", "show", "R-00000002"])).unwrap();
    assert_eq!(shown, get(&gateway, "refunds/R-00000002"));
    let webhooks = lines(&["webhook", "list"]);
    assert_eq!(webhooks[1][0], "books", "{webhooks:?}");
    let failures = lines(&["webhook", "failures", "books"]);
    let oldest = failures.last().unwrap();
    assert_eq!(oldest[..3], ["1", "refund.processed", "R-00000001"], "{failures:?}");
    let sessions = lines(&["session", "list", "--user", "demo@example.com"]);
    assert_eq!(sessions[1][1..3], ["session", "demo@example.com"], "{sessions:?}");
    told_by(&gateway, &["session", "end", &sessions[1][0]]);
    let wrong = command(&gateway, &["refund", "list", "--status", "Procesed"]);
    let said = String::from_utf8(wrong.stderr).unwrap();
    assert!(wrong.status.code() == Some(2) && said.contains("`Processed`"), "{said}");
}

/// A gateway with a webhook at a port where nothing listens, once a delivery has failed.
pub fn with_a_webhook_that_fails() -> TestGateway {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let gateway = TestGateway::configured(&format!(
        "[[webhook]]\nname = 'books'\nurl = 'http://127.0.0.1:{port}/hook'\n\
         secret = 'a secret of tests, and of no one else'\n"
    ));
    gateway.create(&gateway.login(), &[external_refund(EXTERNAL_ACCOUNT, "1")]);
    let started = Instant::now();
    while get(&gateway, "webhooks/books/failures")["failures"] == json!([]) {
        assert!(started.elapsed() < PATIENCE, "no delivery failed");
        thread::sleep(Duration::from_millis(20));
    }
    gateway
}

#[test]
fn what_a_webhook_did_not_take_is_listed_with_why() {
    let gateway = with_a_webhook_that_fails();
    let failures = get(&gateway, "webhooks/books/failures");
    let failure = &failures["failures"][0];
    assert_eq!((&failure["refund"], &failure["given_up"]), (&json!("R-00000001"), &json!(false)));
    assert!(!failure["last_error"].as_str().unwrap().is_empty(), "{failures}");
    let webhooks = get(&gateway, "webhooks");
    assert_eq!(webhooks["webhooks"][0]["name"], "books", "{webhooks}");
    assert!(!webhooks.to_string().contains("127.0.0.1"), "{webhooks}");
}

#[test]
fn on_real_books_the_journal_says_who_called_and_what_came_of_it_and_keeps_no_body() {
    let seed = format!(
        "[[user]]\nusername = 'demo@example.com'\npassword = 'demo'\n\
         [[account]]\nid = '{EXTERNAL_ACCOUNT}'\nnumber = 'A1'\nname = 'One'\n\
         currency = 'USD'\ncredit_balance = '100.00'\n"
    );
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("seed.toml"), seed).unwrap();
    let gateway = TestGateway::start_in(folder, &["--seed", "seed.toml"]);
    let session = gateway.login();
    gateway.create(&session, &[external_refund(EXTERNAL_ACCOUNT, "1")]);
    gateway.create(&session, &[external_refund(EXTERNAL_ACCOUNT, "1000")]);
    let journal = get(&gateway, "journal");
    let calls = journal["exchanges"].as_array().unwrap();
    assert_eq!(texts(calls, "operation"), ["create", "create", "login"]);
    assert_eq!(texts(calls, "user"), ["demo@example.com"; 3]);
    for call in &calls[..2] {
        assert_eq!(call["accounts"], json!([EXTERNAL_ACCOUNT]), "{call}");
        assert!(call["duration_ms"].as_f64().unwrap() > 0.0, "{call}");
        let kept = [&call["request"], &call["answer"], &call["objects"], &call["key"]];
        assert_eq!(kept, [&json!(null), &json!(null), &json!([]), &json!(null)], "{call}");
    }
    assert_eq!(calls.iter().map(|call| &call["row_errors"]).collect::<Vec<_>>(), [1, 0, 0]);
    assert!(!journal.to_string().contains("Amount"), "{journal}");
    let failed = get(&gateway, "journal?failed=true&user=demo@example.com");
    assert_eq!(failed["matched"], 1, "{failed}");
    let first = get(&gateway, "journal?limit=1");
    let next = first["next"].as_str().unwrap();
    let second = get(&gateway, &format!("journal?limit=2&cursor={next}"));
    assert_eq!((second["exchanges"].as_array().unwrap().len(), &second["next"]), (2, &json!(null)));
    for filter in ["refund=R-00000001", "key=x"] {
        let refused = api(&gateway, "GET", &format!("journal?{filter}"), &Value::Null);
        assert_eq!(refused.status, 400, "{}", refused.body);
    }
}
