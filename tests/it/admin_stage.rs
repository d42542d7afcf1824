//! A clean stage through the built program: whatever was under way, after a reset or a snapshot put
//! back nothing of it reaches what comes after.

use crate::admin_api::{api, command, done, refund_ten, told_by};
use crate::gateway::{
    ELECTRONIC_ACCOUNT, ENDPOINT, EXTERNAL_ACCOUNT, TestGateway, create_envelope,
    electronic_refund, envelope, external_refund, finish, program, session_header,
};
use crate::wire::{Answer, Connection};
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// Longer than any test takes.
const FOREVER_MS: u64 = 120_000;

fn query(gateway: &TestGateway, session: &str, query: &str) -> Answer {
    let query = format!("<api:query><api:queryString>{query}</api:queryString></api:query>");
    gateway.post(ENDPOINT, &envelope(&session_header(session), &query))
}

/// Sends a call and does not wait for its answer.
fn begin(gateway: &TestGateway, session: &str, object: String) -> Connection {
    let envelope = create_envelope(session, &[object]);
    let head = format!(
        "POST {ENDPOINT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n",
        envelope.len()
    );
    let mut connection = gateway.connect();
    connection.write(&[head.as_bytes(), envelope.as_bytes()].concat());
    connection
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..3_000 {
        if is_so() {
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
    panic!("never: {what}");
}

#[test]
fn a_call_that_does_not_end_is_cut_off_by_a_reset() {
    let gateway = TestGateway::start(&["--demo", "--id-seed", "7"]);
    let session = gateway.login();
    let late = json!({ "operation": "create", "delay_ms": FOREVER_MS });
    done(&gateway, "POST", "faults", &late);
    let mut call = begin(&gateway, &session, external_refund(EXTERNAL_ACCOUNT, "10.00"));
    let is_taken = || done(&gateway, "GET", "faults", &Value::Null)["faults"] == json!([]);
    until("the call suffers its delay", is_taken);
    done(&gateway, "POST", "reset", &json!({}));
    assert!(call.breaks_off());
    assert_eq!(done(&gateway, "GET", "journal", &Value::Null)["exchanges"], json!([]));
    assert_eq!(gateway.login(), session, "the first session of a new stage");
    assert_eq!(query(&gateway, &session, "select Id from Refund").texts("size"), ["0"]);
    assert_eq!(gateway.balance(EXTERNAL_ACCOUNT), "1000.00");
}

#[test]
fn a_gateway_that_answers_late_answers_about_nothing_of_the_new_stage() {
    let gateway = TestGateway::start(&["--demo", "--id-seed", "7"]);
    let hang = json!({ "answer": "decline", "times": 1, "delay_ms": 5_000, "text": "late" });
    done(&gateway, "POST", "gateways/sandbox/rules", &hang);
    let session = gateway.login();
    let mut call = begin(&gateway, &session, electronic_refund("10.00"));
    let rules = || done(&gateway, "GET", "gateways/sandbox/rules", &Value::Null);
    until("the gateway is asked", || rules()["rules"][0]["times"] == 0);
    done(&gateway, "POST", "reset", &json!({}));
    assert!(call.breaks_off());
    // The refund of the new stage has the id of the one that the gateway was asked about.
    let again = gateway.create(&gateway.login(), &[electronic_refund("10.00")]);
    assert_eq!(again.successes(), 1, "{again}");
    thread::sleep(Duration::from_secs(4));
    let found = query(&gateway, &session, "select Status, GatewayResponse from Refund");
    assert_eq!(found.texts("Status"), ["Processed"], "{found}");
    assert!(!found.text().contains("late"), "{found}");
    assert_eq!(gateway.balance(ELECTRONIC_ACCOUNT), "990.00");
}

/// What clients do who do not care that the stage changes: log in, refund until that fails, again.
fn refund_on_and_on(gateway: &TestGateway, is_over: &AtomicBool) {
    while !is_over.load(Ordering::Relaxed) {
        let call = "<api:login><api:username>demo@example.com</api:username>\
            <api:password>demo</api:password></api:login>";
        let mut connection = gateway.connect();
        let head = |body: &str| {
            let length = body.len();
            let start = format!("POST {ENDPOINT} HTTP/1.1\r\nHost: localhost\r\n");
            format!("{start}Content-Length: {length}\r\n\r\n{body}").into_bytes()
        };
        connection.write(&head(&envelope("", call)));
        let Some(answer) = connection.read_answer() else { continue };
        let Some(session) = answer.texts("Session").pop() else { continue };
        let refund = create_envelope(&session, &[external_refund(EXTERNAL_ACCOUNT, "0.01")]);
        for _ in 0..50 {
            connection.write(&head(&refund));
            match connection.read_answer() {
                Some(answer) if answer.status == 200 => {}
                Some(answer) => {
                    assert!(answer.text().contains("INVALID_SESSION"), "{answer}");
                    break;
                }
                None => break,
            }
        }
    }
}

#[test]
fn the_stage_is_whole_however_many_write_while_it_is_replaced() {
    let gateway = TestGateway::demo();
    refund_ten(&gateway, &gateway.login());
    told_by(&gateway, &["snapshot", "save", "ten-gone"]);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..50 {
            scope.spawn(|| refund_on_and_on(&gateway, &is_over));
        }
        for _ in 0..4 {
            done(&gateway, "POST", "reset", &json!({}));
            done(&gateway, "POST", "snapshots/ten-gone/restore", &Value::Null);
            done(&gateway, "POST", "reset", &json!({ "account": ELECTRONIC_ACCOUNT }));
        }
        is_over.store(true, Ordering::Relaxed);
    });
    done(&gateway, "POST", "snapshots/ten-gone/restore", &Value::Null);
    assert_eq!(gateway.balance(EXTERNAL_ACCOUNT), "990.00");
    let session = gateway.login();
    assert_eq!(query(&gateway, &session, "select Id from Refund").texts("size"), ["1"]);
    done(&gateway, "POST", "reset", &json!({}));
    assert_eq!(gateway.balance(EXTERNAL_ACCOUNT), "1000.00");
}

#[test]
fn a_gateway_that_is_killed_while_it_is_reset_starts_again_as_seeded() {
    let mut gateway = TestGateway::demo();
    for turn in 0_u64..6 {
        refund_ten(&gateway, &gateway.login());
        let bearer = crate::admin_api::token(&gateway);
        let mut admin = Connection::open(gateway.admin());
        let head = format!(
            "POST /api/v1/reset HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {bearer}\r\n\
             Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}"
        );
        admin.write(head.as_bytes());
        thread::sleep(Duration::from_millis(turn * 15));
        gateway.kill9();
        gateway.restart();
        let balance = gateway.balance(EXTERNAL_ACCOUNT);
        assert!(["1000.00", "990.00"].contains(&balance.as_str()), "{balance}");
        done(&gateway, "POST", "reset", &json!({}));
        assert_eq!(gateway.balance(EXTERNAL_ACCOUNT), "1000.00");
    }
}

/// Seeds that are loaded again must not meet what was done to other accounts.
#[test]
fn the_reset_of_one_account_neither_fails_for_nor_touches_what_others_became() {
    let gateway = TestGateway::demo();
    let session = gateway.login();
    let header = session_header(&session);
    let rename = format!(
        "<api:update><api:zObjects xsi:type=\"obj:Account\"><obj:Id>{ELECTRONIC_ACCOUNT}</obj:Id>\
         <obj:Name>renamed</obj:Name></api:zObjects></api:update>"
    );
    assert_eq!(gateway.post(ENDPOINT, &envelope(&header, &rename)).successes(), 1);
    let first = refund_ten(&gateway, &session).texts("Id").pop().unwrap();
    done(&gateway, "POST", "reset", &json!({ "account": EXTERNAL_ACCOUNT }));
    assert_eq!(gateway.balance(EXTERNAL_ACCOUNT), "1000.00");
    let found = query(&gateway, &session, "select Name from Account where Name = 'renamed'");
    assert_eq!(found.texts("size"), ["1"], "{found}");
    // The number of the refund that is gone may still be on its way somewhere.
    let second = refund_ten(&gateway, &session).texts("Id").pop().unwrap();
    assert_ne!(first[20..], second[20..], "{first} {second}");
}

#[test]
fn a_snapshot_that_is_damaged_or_another_file_leaves_the_ledger_alone() {
    let gateway = TestGateway::demo();
    let session = gateway.login();
    done(&gateway, "PUT", "snapshots/good", &Value::Null);
    let folder = gateway.folder().join("ledger.db.snapshots");
    fs::write(folder.join("junk.db"), "x".repeat(10_000)).unwrap();
    fs::copy(folder.join("good.db"), folder.join("broken.db")).unwrap();
    let length = fs::metadata(folder.join("broken.db")).unwrap().len();
    let mut broken = File::options().write(true).open(folder.join("broken.db")).unwrap();
    for page in 2..length / 4096 {
        broken.seek(SeekFrom::Start(page * 4096)).unwrap();
        broken.write_all(&[0x5a; 512]).unwrap();
    }
    refund_ten(&gateway, &session);
    for name in ["junk", "broken"] {
        let path = format!("snapshots/{name}/restore");
        let refused = api(&gateway, "POST", &path, &Value::Null);
        let why = refused.body["error"].as_str().unwrap();
        assert!(refused.status == 409 && why.contains("cannot be put back"), "{name}: {why}");
        assert_eq!(gateway.balance(EXTERNAL_ACCOUNT), "990.00");
    }
    assert_eq!(refund_ten(&gateway, &session).successes(), 1);
}

#[test]
fn a_snapshot_of_another_id_seed_and_clock_is_put_back_and_ids_go_on_by_ours() {
    let folder = tempfile::tempdir().unwrap();
    let first =
        TestGateway::start(&["--demo", "--id-seed", "7", "--clock", "2026-01-02T03:04:05Z"]);
    refund_ten(&first, &first.login());
    done(&first, "PUT", "snapshots/other", &Value::Null);
    let snapshots = folder.path().join("ledger.db.snapshots");
    fs::create_dir(&snapshots).unwrap();
    let saved = first.folder().join("ledger.db.snapshots/other.db");
    fs::copy(saved, snapshots.join("other.db")).unwrap();
    let args = ["--demo", "--id-seed", "8", "--clock", "2020-01-01T00:00:00Z"];
    let gateway = TestGateway::start_in(folder, &args);
    let mut ids = Vec::new();
    for _ in 0..2 {
        done(&gateway, "POST", "snapshots/other/restore", &Value::Null);
        assert_eq!(gateway.balance(EXTERNAL_ACCOUNT), "990.00");
        let session = gateway.login();
        let found = query(&gateway, &session, "select Id from Refund").texts("Id");
        let next = refund_ten(&gateway, &session).texts("Id").pop().unwrap();
        assert!(found.len() == 1 && next > found[0], "{found:?} {next}");
        ids.push(next);
    }
    assert_eq!(ids[0], ids[1], "what followed the snapshot comes again");
}

#[test]
fn without_a_token_the_command_says_which_file_it_wants_and_why_there_may_be_none() {
    let mut gateway = TestGateway::demo();
    let token = gateway.folder().join("ledger.db.admin-token");
    assert!(token.exists());
    let elsewhere = finish(program(gateway.folder()).args(["admin", "reset"]));
    let said = String::from_utf8(elsewhere.stderr).unwrap();
    assert_eq!(elsewhere.status.code(), Some(4), "{said}");
    for word in ["refund-gateway.db.admin-token", "running", "--ledger", "--token-file"] {
        assert!(said.contains(word), "{word}: {said}");
    }
    let admin = format!("http://{}", gateway.admin());
    gateway.terminate();
    assert!(!token.exists(), "a token that no gateway goes by");
    fs::write(&token, "\n").unwrap();
    let ask = || {
        let mut ask = program(gateway.folder());
        finish(ask.args(["admin", "--ledger", "ledger.db", "--admin", &admin, "reset"]))
    };
    let empty = ask();
    assert_eq!(empty.status.code(), Some(4), "{empty:?}");
    fs::write(&token, "a token\n").unwrap();
    let dead = ask();
    let said = String::from_utf8(dead.stderr).unwrap();
    assert!(dead.status.code() == Some(5) && said.contains("--admin"), "{said}");
}

#[test]
fn a_sandbox_is_told_its_answers_by_the_command_line() {
    let gateway = TestGateway::demo();
    let add = ["rule", "add", "--amount", "10.00", "--answer", "decline", "--code", "54"];
    told_by(&gateway, &add);
    assert!(told_by(&gateway, &["rule", "list"]).contains("\"decline\""));
    let declined = gateway.create(&gateway.login(), &[electronic_refund("10.00")]);
    assert_eq!(declined.successes(), 1, "{declined}");
    assert_eq!(gateway.balance(ELECTRONIC_ACCOUNT), "1000.00");
    told_by(&gateway, &["rule", "clear"]);
    gateway.create(&gateway.login(), &[electronic_refund("10.00")]);
    assert_eq!(gateway.balance(ELECTRONIC_ACCOUNT), "990.00");
    let nowhere = command(&gateway, &["rule", "list", "--gateway", "nowhere"]);
    assert_eq!(nowhere.status.code(), Some(5), "{nowhere:?}");
}

#[test]
fn the_api_speaks_http_as_it_should() {
    let gateway = TestGateway::demo();
    let bearer = format!("Bearer {}", crate::admin_api::token(&gateway));
    let json = ("Content-Type", "application/json");
    let ask = |method: &str, path: &str, headers: &[(&str, &str)]| {
        Connection::open(gateway.admin()).send(method, path, headers, b"")
    };
    let authorized = [("Authorization", bearer.as_str())];
    let wrong = ask("OPTIONS", "/api/v1/clock", &[authorized[0], json]);
    assert_eq!((wrong.status, wrong.header("allow")), (405, Some("GET, HEAD, PUT")));
    let anonymous = ask("GET", "/api/v1/clock", &[]);
    assert_eq!((anonymous.status, anonymous.header("www-authenticate")), (401, Some("Bearer")));
    for path in ["/api", "/api/v1", "/api/v2/reset", "/api/v1/snapshots/a/b/c"] {
        let nothing = ask("GET", path, &authorized);
        assert_eq!(nothing.status, 404, "{path}");
        let reported: Value = serde_json::from_slice(&nothing.body).unwrap();
        assert!(reported["error"].is_string(), "{path}: {reported}");
    }
    let mut connection = Connection::open(gateway.admin());
    let head = format!("Host: localhost\r\nAuthorization: {bearer}\r\nConnection: close\r\n\r\n");
    connection.write(format!("HEAD /api/v1/clock HTTP/1.1\r\n{head}").as_bytes());
    let raw = String::from_utf8(connection.read_to_end()).unwrap();
    assert!(raw.starts_with("HTTP/1.1 200 ") && raw.ends_with("\r\n\r\n"), "{raw}");
}
