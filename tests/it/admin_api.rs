//! The admin API through the built program: what a tester does to a test gateway, by HTTP and by
//! the command line.

use crate::gateway::{
    ELECTRONIC_ACCOUNT, ELECTRONIC_METHOD, ENDPOINT, EXTERNAL_ACCOUNT, TestGateway,
    electronic_refund, envelope, external_refund, finish, program, session_header,
};
use crate::wire::{Answer, Connection};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::process::Output;
use std::thread;
use std::time::Duration;

/// What an API call came to.
pub struct Report {
    pub status: u16,
    pub body: Value,
}

pub fn token(gateway: &TestGateway) -> String {
    let file = gateway.folder().join("ledger.db.admin-token");
    fs::read_to_string(file).unwrap().trim().to_owned()
}

pub fn ask(gateway: &TestGateway, headers: &[(&str, &str)], call: (&str, &str, &Value)) -> Report {
    let (method, path, body) = call;
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let path = format!("/api/v1/{path}");
    let answer = Connection::open(gateway.admin()).send(method, &path, headers, body.as_bytes());
    let reported = serde_json::from_slice(&answer.body).unwrap_or_else(|_| panic!("{answer}"));
    Report { status: answer.status, body: reported }
}

pub fn api(gateway: &TestGateway, method: &str, path: &str, body: &Value) -> Report {
    let bearer = format!("Bearer {}", token(gateway));
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
    ask(gateway, &headers, (method, path, body))
}

pub fn done(gateway: &TestGateway, method: &str, path: &str, body: &Value) -> Value {
    let reported = api(gateway, method, path, body);
    assert!(
        (200..300).contains(&reported.status),
        "{method} {path}: {} {}",
        reported.status,
        reported.body
    );
    reported.body
}

/// `refund-gateway admin …` against the gateway.
pub fn command(gateway: &TestGateway, args: &[&str]) -> Output {
    let mut command = program(gateway.folder());
    command.args(["admin", "--admin", &format!("http://{}", gateway.admin())]);
    finish(command.args(["--ledger", "ledger.db"]).args(args))
}

pub fn told_by(gateway: &TestGateway, args: &[&str]) -> String {
    let output = command(gateway, args);
    assert!(output.status.success(), "{args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A call to the endpoint, as bytes.
fn head_and(envelope: &str) -> Vec<u8> {
    let length = envelope.len();
    let head = format!(
        "POST {ENDPOINT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\n\
         Content-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), envelope.as_bytes()].concat()
}

pub fn refund_ten(gateway: &TestGateway, session: &str) -> Answer {
    gateway.create(session, &[external_refund(EXTERNAL_ACCOUNT, "10.00")])
}

#[test]
fn a_reset_makes_everything_as_it_was_and_ids_come_again() {
    let mut gateway =
        TestGateway::start(&["--demo", "--id-seed", "7", "--clock", "2026-01-02T03:04:05Z"]);
    let session = gateway.login();
    let first = refund_ten(&gateway, &session);
    assert_eq!(first.successes(), 1, "{first}");
    done(&gateway, "POST", "clock/advance", &json!({ "seconds": 60 }));
    done(&gateway, "POST", "reset", &json!({}));
    assert_eq!(gateway.balance(EXTERNAL_ACCOUNT), "1000.00");
    assert!(refund_ten(&gateway, &session).text().contains("INVALID_SESSION"));
    let again = gateway.login();
    assert_eq!(again, session);
    assert_eq!(refund_ten(&gateway, &again).body, first.body);
    gateway.kill9();
    gateway.restart();
    assert_eq!(gateway.balance(EXTERNAL_ACCOUNT), "990.00");
}

#[test]
fn one_account_is_reset_and_the_others_stay() {
    let gateway = TestGateway::demo();
    let session = gateway.login();
    refund_ten(&gateway, &session);
    gateway.create(&session, &[external_refund(ELECTRONIC_ACCOUNT, "7.00")]);
    told_by(&gateway, &["reset", "--account", EXTERNAL_ACCOUNT]);
    assert_eq!(gateway.balance(EXTERNAL_ACCOUNT), "1000.00");
    assert_eq!(gateway.balance(ELECTRONIC_ACCOUNT), "993.00");
    assert_eq!(refund_ten(&gateway, &session).successes(), 1);
    let unknown = api(&gateway, "POST", "reset", &json!({ "account": "0".repeat(32) }));
    assert_eq!(unknown.status, 404, "{}", unknown.body);
}

#[test]
fn a_snapshot_is_put_back_and_survives_a_restart() {
    let mut gateway = TestGateway::demo();
    let session = gateway.login();
    refund_ten(&gateway, &session);
    told_by(&gateway, &["snapshot", "save", "ten-gone"]);
    refund_ten(&gateway, &session);
    gateway.kill9();
    gateway.restart();
    assert_eq!(gateway.balance(EXTERNAL_ACCOUNT), "980.00");
    done(&gateway, "POST", "snapshots/ten-gone/restore", &Value::Null);
    assert_eq!(gateway.balance(EXTERNAL_ACCOUNT), "990.00");
    assert_eq!(refund_ten(&gateway, &session).successes(), 1);
    assert!(told_by(&gateway, &["snapshot", "list"]).contains("\"ten-gone\""));
    told_by(&gateway, &["snapshot", "drop", "ten-gone"]);
    let gone = api(&gateway, "POST", "snapshots/ten-gone/restore", &Value::Null);
    assert_eq!(gone.status, 404);
    for bad in ["..%2Fledger", ".hidden", "a b"] {
        let reported =
            api(&gateway, "PUT", &format!("snapshots/{}", bad.replace(' ', "%20")), &Value::Null);
        assert_eq!(reported.status, 400, "{bad}: {}", reported.body);
    }
}

#[test]
fn a_seed_comes_into_a_running_gateway() {
    let gateway = TestGateway::demo();
    let account = "4028e6a0000a0000000000000000abcd";
    let seed = format!(
        "[[account]]\nid = \"{account}\"\nnumber = \"A00000777\"\nname = \"late\"\n\
         currency = \"USD\"\ncredit_balance = \"5.00\"\n"
    );
    fs::write(gateway.folder().join("late.toml"), &seed).unwrap();
    assert!(told_by(&gateway, &["seed", "late.toml"]).contains("\"added\": 1"));
    fs::write(gateway.folder().join("wrong.toml"), "[[acount]]\n").unwrap();
    let wrong = command(&gateway, &["seed", "wrong.toml"]);
    assert_eq!(wrong.status.code(), Some(3), "{wrong:?}");
    assert_eq!(gateway.balance(account), "5.00");
    done(&gateway, "POST", "reset", &json!({}));
    assert_eq!(gateway.balance(account), "5.00");
    let wrong = api(&gateway, "POST", "seed", &json!({ "toml": "[[acount]]\n" }));
    assert_eq!(wrong.status, 400);
    assert!(wrong.body["error"].as_str().unwrap().contains("acount"), "{}", wrong.body);
    let conflict = api(&gateway, "POST", "seed", &json!({ "toml": seed.replace("late", "other") }));
    assert_eq!(conflict.status, 409, "{}", conflict.body);
}

#[test]
fn the_clock_is_set_and_sessions_end_by_it() {
    let gateway = TestGateway::demo();
    let session = gateway.login();
    let noon = "2027-01-02T12:00:00.000Z";
    assert_eq!(done(&gateway, "PUT", "clock", &json!({ "now": noon }))["now"], noon);
    assert!(refund_ten(&gateway, &session).text().contains("INVALID_SESSION"));
    let session = gateway.login();
    assert_eq!(refund_ten(&gateway, &session).successes(), 1);
    assert!(told_by(&gateway, &["clock", "--advance", "901"]).contains("12:15:01"));
    assert!(refund_ten(&gateway, &session).text().contains("INVALID_SESSION"));
    told_by(&gateway, &["clock", "--run"]);
    assert_eq!(done(&gateway, "GET", "clock", &Value::Null)["stands"], false);
}

#[test]
fn a_row_is_ordered_to_fail_and_the_others_go_on() {
    let gateway = TestGateway::demo();
    let session = gateway.login();
    let order = json!({ "operation": "create", "account": EXTERNAL_ACCOUNT,
        "row": { "code": "TRANSACTION_FAILED", "message": "as ordered" } });
    let id = done(&gateway, "POST", "faults", &order)["id"].clone();
    assert_eq!(done(&gateway, "GET", "faults", &Value::Null)["faults"][0]["id"], id);
    let rows =
        [external_refund(EXTERNAL_ACCOUNT, "1.00"), external_refund(ELECTRONIC_ACCOUNT, "1.00")];
    let answer = gateway.create(&session, &rows);
    assert_eq!(answer.successes(), 1, "{answer}");
    assert_eq!(answer.texts("Message"), ["as ordered"]);
    assert_eq!(gateway.balance(EXTERNAL_ACCOUNT), "1000.00");
    assert_eq!(gateway.balance(ELECTRONIC_ACCOUNT), "999.00");
    assert_eq!(gateway.create(&session, &rows).successes(), 2);
}

#[test]
fn rows_of_update_and_delete_are_ordered_to_fail_and_nothing_is_changed() {
    let gateway = TestGateway::demo();
    let header = session_header(&gateway.login());
    let rename = format!(
        "<api:update><api:zObjects xsi:type=\"obj:Account\"><obj:Id>{EXTERNAL_ACCOUNT}</obj:Id>\
         <obj:Name>renamed</obj:Name></api:zObjects></api:update>"
    );
    let remove = format!(
        "<api:delete><api:type>PaymentMethod</api:type><api:ids>{ELECTRONIC_METHOD}</api:ids>\
         </api:delete>"
    );
    for (operation, call) in [("update", rename), ("delete", remove)] {
        let row = json!({ "code": "TRANSACTION_FAILED", "message": "as ordered" });
        done(&gateway, "POST", "faults", &json!({ "operation": operation, "row": row }));
        let answer = gateway.post(ENDPOINT, &envelope(&header, &call));
        assert_eq!(answer.texts("Message"), ["as ordered"], "{operation}: {answer}");
    }
    let query = "<api:query><api:queryString>select Name from Account where Name = 'renamed'\
         </api:queryString></api:query>";
    let found = gateway.post(ENDPOINT, &envelope(&header, query));
    assert_eq!(found.texts("size"), ["0"], "{found}");
}

#[test]
fn rows_of_update_and_delete_fail_by_the_account_that_their_objects_are_of() {
    let gateway = TestGateway::demo();
    let header = session_header(&gateway.login());
    let object = |id: &str| {
        format!(
            "<api:zObjects xsi:type=\"obj:Account\"><obj:Id>{id}</obj:Id>\
             <obj:Name>renamed</obj:Name></api:zObjects>"
        )
    };
    let order = |operation: &str, account: &str| {
        let row = json!({ "code": "TRANSACTION_FAILED", "message": "as ordered" });
        let fault = json!({ "operation": operation, "account": account, "row": row });
        done(&gateway, "POST", "faults", &fault);
    };
    order("update", ELECTRONIC_ACCOUNT);
    let other = format!("<api:update>{}</api:update>", object(EXTERNAL_ACCOUNT));
    assert_eq!(gateway.post(ENDPOINT, &envelope(&header, &other)).successes(), 1);
    let both = [ELECTRONIC_ACCOUNT, EXTERNAL_ACCOUNT].map(object).concat();
    let both =
        gateway.post(ENDPOINT, &envelope(&header, &format!("<api:update>{both}</api:update>")));
    assert_eq!(both.texts("Success"), ["false", "true"], "{both}");
    order("delete", EXTERNAL_ACCOUNT);
    order("delete", ELECTRONIC_ACCOUNT);
    let remove = format!(
        "<api:delete><api:type>PaymentMethod</api:type><api:ids>{ELECTRONIC_METHOD}</api:ids>\
         </api:delete>"
    );
    let removed = gateway.post(ENDPOINT, &envelope(&header, &remove));
    assert_eq!(removed.texts("Message"), ["as ordered"], "{removed}");
    let late = json!({ "operation": "query", "account": EXTERNAL_ACCOUNT, "status": 503 });
    done(&gateway, "POST", "faults", &late);
    for (account, status) in [(ELECTRONIC_ACCOUNT, 200), (EXTERNAL_ACCOUNT, 503)] {
        let query = format!("select Id from Refund where AccountId = '{account}'");
        let query = format!("<api:query><api:queryString>{query}</api:queryString></api:query>");
        assert_eq!(gateway.post(ENDPOINT, &envelope(&header, &query)).status, status);
    }
}

#[test]
fn calls_suffer_what_was_ordered_and_only_so_often() {
    let gateway = TestGateway::demo();
    let session = gateway.login();
    told_by(
        &gateway,
        &["fault", "order", "--operation", "create", "--fault", "LOCK_COMPETITION=busy"],
    );
    let fault = refund_ten(&gateway, &session);
    assert_eq!((fault.status, fault.texts("FaultMessage")), (409, vec!["busy".to_owned()]));
    let body = json!({ "body": { "status": 502, "text": "<html>proxy</html>" }, "times": 2 });
    done(&gateway, "POST", "faults", &body);
    for _ in 0..2 {
        let page = refund_ten(&gateway, &session);
        assert_eq!((page.status, page.text().as_str()), (502, "<html>proxy</html>"));
    }
    assert_eq!(gateway.balance(EXTERNAL_ACCOUNT), "1000.00");
    done(&gateway, "POST", "faults", &json!({ "truncate": 40 }));
    assert_eq!(refund_ten(&gateway, &session).body.len(), 40);
    done(&gateway, "POST", "faults", &json!({ "cut_off": 40 }));
    let session_and_create =
        crate::gateway::create_envelope(&session, &[external_refund(EXTERNAL_ACCOUNT, "10.00")]);
    let mut connection = gateway.connect();
    connection.write(&head_and(&session_and_create));
    let raw = String::from_utf8(connection.read_to_end()).unwrap();
    let (head, body) = raw.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 ") && body.len() == 40, "{raw}");
    let reported = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap();
    assert!(reported.parse::<usize>().unwrap() > 40, "{head}");
    done(&gateway, "POST", "faults", &json!({ "status": 503 }));
    assert_eq!(refund_ten(&gateway, &session).status, 503);
    assert_eq!(gateway.balance(EXTERNAL_ACCOUNT), "970.00");
}

#[test]
fn a_connection_is_reset_before_the_work_or_after_it() {
    let gateway = TestGateway::demo();
    let session = gateway.login();
    let envelope =
        crate::gateway::create_envelope(&session, &[external_refund(EXTERNAL_ACCOUNT, "10.00")]);
    for (when, balance) in [("before", "1000.00"), ("after", "990.00")] {
        told_by(&gateway, &["fault", "order", "--reset", when]);
        let mut connection = gateway.connect();
        connection.write(&head_and(&envelope));
        assert!(connection.read_answer().is_none(), "{when}");
        assert_eq!(gateway.balance(EXTERNAL_ACCOUNT), balance, "{when}");
    }
}

#[test]
fn the_journal_tells_why_and_what_was_meant_but_no_secret() {
    let gateway = TestGateway::demo();
    let session = gateway.login();
    let mistaken = EXTERNAL_ACCOUNT.replace("0001", "0002");
    gateway.create(&session, &[external_refund(&mistaken, "10.00")]);
    let reported = done(&gateway, "GET", "journal?failed=true", &Value::Null);
    let exchange = &reported["exchanges"][0];
    assert_eq!(exchange["operation"], "create");
    assert_eq!(exchange["rejections"][0]["code"], "INVALID_VALUE");
    let hints = exchange["near_misses"].to_string();
    assert!(hints.contains(EXTERNAL_ACCOUNT), "{hints}");
    let shown = told_by(&gateway, &["journal", "--failed"]);
    assert!(
        shown.contains("    row 1: INVALID_VALUE: ") && shown.contains("    hint: "),
        "{shown}"
    );
    let foreign = [("Content-Type", "application/json")];
    assert_eq!(gateway.connect().send("POST", ENDPOINT, &foreign, b"{}").status, 415);
    let reported = done(&gateway, "GET", "journal?limit=1", &Value::Null);
    let refused = &reported["exchanges"][0];
    assert_eq!((&refused["status"], &refused["near_misses"]), (&json!(415), &json!([])));
    assert!(refused["rejections"][0]["message"].as_str().unwrap().contains("json"), "{refused}");
    let all = done(&gateway, "GET", "journal?limit=100", &Value::Null).to_string();
    assert!(all.contains("login") && !all.contains(&session), "{all}");
    assert!(!all.contains(">demo<"), "{all}");
    let one = done(&gateway, "GET", "journal/1", &Value::Null);
    assert_eq!(one["operation"], "login");
    told_by(&gateway, &["journal", "--clear"]);
    assert_eq!(done(&gateway, "GET", "journal", &Value::Null)["exchanges"], json!([]));
}

#[test]
fn nothing_of_it_works_on_real_books_or_without_the_token() {
    let seed = "[[account]]\nid = \"4028e6a0000a0000000000000000abcd\"\nnumber = \"A1\"\n\
        name = \"n\"\ncurrency = \"USD\"\ncredit_balance = \"5.00\"\n";
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("seed.toml"), seed).unwrap();
    let real = TestGateway::start_in(folder, &["--seed", "seed.toml"]);
    for (method, path, body) in [
        ("POST", "reset", json!({})),
        ("POST", "seed", json!({ "toml": "" })),
        ("PUT", "clock", json!({ "now": "2026-01-01T00:00:00Z" })),
        ("POST", "clock/advance", json!({ "seconds": 1 })),
        ("PUT", "snapshots/a", json!({})),
        ("POST", "faults", json!({ "delay_ms": 1 })),
        ("POST", "reports", json!({})),
        ("DELETE", "journal", Value::Null),
        ("POST", "journal/verify", json!({})),
    ] {
        let reported = api(&real, method, path, &body);
        assert_eq!(reported.status, 403, "{method} {path}: {}", reported.body);
    }
    let output = command(&real, &["reset"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let bearer = format!("Bearer {}", token(&real));
    let json = ("Content-Type", "application/json");
    let authorized = ("Authorization", bearer.as_str());
    for (headers, status) in [
        (vec![json], 401),
        (vec![json, ("Authorization", "Bearer nonsense")], 401),
        (vec![json, authorized, ("Origin", "http://localhost")], 403),
        (vec![authorized], 415),
    ] {
        assert_eq!(ask(&real, &headers, ("POST", "reset", &json!({}))).status, status);
    }
    assert_eq!(real.post("/api/v1/reset", "{}").status, 404);
}

#[test]
fn what_is_asked_wrongly_is_refused_by_name() {
    let gateway = TestGateway::demo();
    for (method, path, body, status, named) in [
        ("POST", "reset", json!({ "acount": "x" }), 400, "acount"),
        ("POST", "reset", json!({ "account": "x" }), 400, "`x`"),
        ("POST", "reset", json!([null]), 400, "list"),
        ("POST", "clock/advance", json!([5]), 400, "list"),
        ("POST", "faults", json!({ "body": [500, null, "x"] }), 400, "body is a list"),
        ("POST", "reconciliation", json!({ "events": [["R-1", "settled"]] }), 400, "events[0]"),
        ("GET", "reset", Value::Null, 405, "POST"),
        ("PUT", "clock", json!({ "now": "noon" }), 400, "now"),
        ("PUT", "clock", json!({ "now": "1969-12-31T23:59:59Z" }), 400, "1970"),
        ("PUT", "clock", json!({ "now": "+10000-01-01T00:00:00Z" }), 400, "9998"),
        ("POST", "clock/advance", json!({ "seconds": -99_999_999_999_i64 }), 400, "1970"),
        ("PUT", "clock", json!({}), 400, "running"),
        ("POST", "clock/advance", json!({ "seconds": i64::MAX }), 400, "seconds"),
        ("POST", "faults", json!({ "fault": { "code": "NONE" } }), 400, "NONE"),
        ("DELETE", "faults/9", Value::Null, 404, "9"),
        ("GET", "audit?limit=0", Value::Null, 400, "1 to 1000"),
        ("GET", "audit?limt=1", Value::Null, 400, "limt"),
        ("GET", "audit?from=yesterday", Value::Null, 400, "yesterday"),
        ("GET", "journal?limit=many", Value::Null, 400, "many"),
        ("GET", "journal/999", Value::Null, 404, "999"),
        ("GET", "nothing", Value::Null, 404, "openapi"),
    ] {
        let reported = api(&gateway, method, path, &body);
        let error = reported.body["error"].as_str().unwrap_or_default();
        assert!(
            reported.status == status && error.contains(named),
            "{path}: {} {error}",
            reported.status
        );
    }
}

#[test]
fn the_description_lists_the_routes_that_there_are() {
    let gateway = TestGateway::demo();
    let answer = gateway.get_admin("/openapi.json");
    let described: Value = serde_json::from_slice(&answer.body).unwrap();
    let mut operations = BTreeSet::new();
    for (path, methods) in described["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            assert!(operations.insert(operation["operationId"].to_string()), "{path} {method}");
            let path = path.replace("{name}", "none").replace("{id}", "999");
            let path = path.strip_prefix("/api/v1/").unwrap();
            let reported = api(&gateway, &method.to_uppercase(), path, &Value::Null);
            // Whatever it says to nothing: the route is there, and takes the method.
            let error = reported.body["error"].as_str().unwrap_or_default();
            assert!(reported.status != 405 && !error.contains("no such thing"), "{path}: {error}");
        }
    }
    assert!(operations.len() >= 15, "{operations:?}");
    for word in ["reset", "seed", "clock", "snapshots", "faults", "reports", "journal", "audit"] {
        let undescribed = api(&gateway, "PATCH", word, &Value::Null);
        assert_eq!(undescribed.status, 405, "{word}");
    }
}

/// Every key of `value` that its schema does not know.
fn undescribed(schemas: &Value, schema: &Value, value: &Value, place: &str) -> Vec<String> {
    let parts = |key: &str| schema[key].as_array().cloned().unwrap_or_default();
    let reference = schema["$ref"].as_str().and_then(|name| name.rsplit('/').next());
    let known = |schema: &Value| undescribed(schemas, schema, value, place);
    if schema["additionalProperties"] == true {
        return Vec::new();
    }
    if let Some(name) = reference {
        return known(&schemas[name]);
    }
    if let Some(fitting) = parts("oneOf").iter().find(|one| known(one).is_empty()) {
        return known(fitting);
    }
    match value {
        Value::Array(items) => {
            let of_item = |item| undescribed(schemas, &schema["items"], item, place);
            items.iter().flat_map(of_item).collect()
        }
        Value::Object(keys) => keys
            .iter()
            .flat_map(|(key, value)| {
                let mut all = parts("allOf");
                all.push(schema.clone());
                let named =
                    |one: &Value| one["$ref"].as_str()?.rsplit('/').next().map(str::to_owned);
                let resolved = all.iter().map(|one| match named(one) {
                    Some(name) => schemas[&name].clone(),
                    None => one.clone(),
                });
                let place = format!("{place}.{key}");
                let of_key = |one: Value| match &one["properties"][key] {
                    Value::Null => {
                        Some(one["additionalProperties"].clone()).filter(Value::is_object)
                    }
                    known => Some(known.clone()),
                };
                match resolved.filter_map(of_key).next() {
                    Some(schema) => undescribed(schemas, &schema, value, &place),
                    None => vec![place],
                }
            })
            .collect(),
        _ => Vec::new(),
    }
}

#[test]
fn whatever_is_told_is_described() {
    let gateway = TestGateway::demo();
    let answer = gateway.get_admin("/openapi.json");
    let described: Value = serde_json::from_slice(&answer.body).unwrap();
    let session = gateway.login();
    gateway.create(&session, &[external_refund(&EXTERNAL_ACCOUNT.replace("0001", "0002"), "1")]);
    let row = json!({ "code": "INVALID_VALUE", "message": "no" });
    let fault = json!({ "operation": "create", "account": EXTERNAL_ACCOUNT, "row": row });
    let body = json!({ "body": { "status": 502, "text": "x" }, "delay_ms": 1 });
    let rule = json!({ "amount": "13.00", "answer": "decline", "code": "54", "text": "no" });
    let (events, sandbox) = (json!([{ "refund": "x", "state": "y" }]), "gateways/{name}/rules");
    for (method, path, asked) in [
        ("GET", "audit", Value::Null),
        ("GET", "clock", Value::Null),
        ("PUT", "snapshots/{name}", Value::Null),
        ("GET", "snapshots", Value::Null),
        ("POST", "faults", fault),
        ("POST", "faults", body),
        ("GET", "faults", Value::Null),
        ("POST", "reports", crate::published::report(&json!([]))),
        ("GET", "reports", Value::Null),
        ("GET", "journal", Value::Null),
        ("POST", sandbox, rule),
        ("GET", sandbox, Value::Null),
        ("POST", "reconciliation", json!({ "events": events })),
        ("POST", "seed", json!({ "toml": "" })),
        ("GET", "users", Value::Null),
        ("GET", "tenant", Value::Null),
        ("GET", "gateways", Value::Null),
        ("GET", "accounts", Value::Null),
        ("GET", "refunds", Value::Null),
        ("GET", "sessions", Value::Null),
        ("GET", "webhooks", Value::Null),
        ("POST", "tenant", json!({ "key": "credit_balance", "value": true })),
        ("GET", "nothing", Value::Null),
    ] {
        let reported = api(&gateway, method, &path.replace("{name}", "sandbox"), &asked);
        let operation = &described["paths"][format!("/api/v1/{path}")][method.to_lowercase()];
        let answers = &operation["responses"];
        let answer = answers.get(reported.status.to_string()).unwrap_or(&answers["default"]);
        let schema = match operation.is_null() {
            true => json!({ "$ref": "#/components/schemas/Error" }),
            false => answer["content"]["application/json"]["schema"].clone(),
        };
        let schemas = &described["components"]["schemas"];
        let missing = undescribed(schemas, &schema, &reported.body, path);
        assert_eq!(missing, Vec::<String>::new(), "{method} {path}: {}", reported.body);
    }
}

#[test]
fn a_refund_is_settled_by_hand_while_the_gateway_runs_but_not_too_early() {
    let seed = include_str!("../../src/service/seed/demo.toml");
    let silent = "[[gateway]]\nname = \"sandbox\"\nkind = \"sandbox\"\n\n\
        [[gateway.rule]]\nanswer = \"drop-before\"\n";
    let seed = format!("{seed}\n{silent}");
    let gateway = TestGateway::seeded(&seed, &["--clock", "2026-01-02T03:04:05Z"]);
    let held = gateway.create(&gateway.login(), &[electronic_refund("10.00")]);
    let id = held.texts("Id").pop().unwrap();
    let call = json!({ "status": "Error", "reason": "the processor says it never came" });
    let settle = |body: &Value| api(&gateway, "POST", &format!("refunds/{id}/settle"), body);
    let early = settle(&call);
    assert_eq!(early.status, 409, "{}", early.body);
    assert_eq!(gateway.balance(ELECTRONIC_ACCOUNT), "990.00");
    done(&gateway, "POST", "clock/advance", &json!({ "seconds": 49 * 3600 }));
    assert_eq!(settle(&json!({ "status": "Settled", "reason": "x" })).status, 400);
    assert_eq!(settle(&json!({ "status": "Error", "reason": " " })).status, 400);
    let shown = told_by(&gateway, &["settle", &id, "--status", "Error", "--reason", "never came"]);
    assert!(shown.contains("\"Error\""), "{shown}");
    assert_eq!(settle(&call).status, 409);
    assert_eq!(gateway.balance(ELECTRONIC_ACCOUNT), "1000.00");
}

#[test]
fn of_two_operators_who_settle_at_once_one_decides() {
    let seed = include_str!("../../src/service/seed/demo.toml");
    let silent = "[[gateway]]\nname = \"sandbox\"\nkind = \"sandbox\"\n\n\
        [[gateway.rule]]\nanswer = \"drop-before\"\n";
    let seed = format!("{seed}\n{silent}");
    let gateway = TestGateway::seeded(&seed, &["--clock", "2026-01-02T03:04:05Z"]);
    for round in 0..5 {
        // No session outlives the advance of the clock.
        let held = gateway.create(&gateway.login(), &[electronic_refund("10.00")]);
        let id = held.texts("Id").pop().unwrap();
        done(&gateway, "POST", "clock/advance", &json!({ "seconds": 49 * 3600 }));
        let settle = |status: &str| {
            let call = json!({ "status": status, "reason": "the bank's statement" });
            api(&gateway, "POST", &format!("refunds/{id}/settle"), &call).status
        };
        let mut came = thread::scope(|scope| {
            let both = ["Error", "Processed"].map(|status| scope.spawn(move || settle(status)));
            both.map(|one| one.join().unwrap())
        });
        came.sort_unstable();
        assert_eq!(came, [200, 409], "round {round}");
    }
    let select = "select count(*) from exchange where kind = 'operator'";
    assert_eq!(gateway.stored().select(select), [["5"]]);
    gateway.balances();
}

/// An order that is on its way may bring a verdict, which a decision must not forestall.
#[test]
fn a_refund_is_not_settled_by_hand_while_its_gateway_is_being_asked() {
    let gateway = TestGateway::seeded(
        include_str!("../../src/service/seed/demo.toml"),
        &["--clock", "2026-01-02T03:04:05Z"],
    );
    let slow = json!({ "answer": "approve", "times": 1, "delay_ms": 4000 });
    done(&gateway, "POST", "gateways/sandbox/rules", &slow);
    let session = gateway.login();
    thread::scope(|scope| {
        let created = scope.spawn(|| gateway.create(&session, &[electronic_refund("10.00")]));
        let is_under_way = || {
            let reported = done(&gateway, "GET", "gateways/sandbox/rules", &Value::Null);
            reported["rules"][0]["times"] == 0
        };
        while !is_under_way() {
            thread::sleep(Duration::from_millis(10));
        }
        let query = "<api:queryString>select Id from Refund</api:queryString>";
        let query = format!("<api:query>{query}</api:query>");
        let found = gateway.post(ENDPOINT, &envelope(&session_header(&session), &query));
        let id = found.texts("Id").pop().unwrap();
        done(&gateway, "POST", "clock/advance", &json!({ "seconds": 49 * 3600 }));
        let call = json!({ "status": "Error", "reason": "the processor says it never came" });
        let settled = api(&gateway, "POST", &format!("refunds/{id}/settle"), &call);
        assert_eq!(settled.status, 409, "{}", settled.body);
        assert_eq!(created.join().unwrap().texts("Success"), ["true"]);
    });
    assert_eq!(gateway.balance(ELECTRONIC_ACCOUNT), "990.00");
}

#[test]
fn an_account_whose_refunds_were_with_a_gateway_can_be_reset() {
    let gateway = TestGateway::demo();
    gateway.create(&gateway.login(), &[electronic_refund("10.00")]);
    assert_eq!(gateway.balance(ELECTRONIC_ACCOUNT), "990.00");
    done(&gateway, "POST", "reset", &json!({ "account": ELECTRONIC_ACCOUNT }));
    assert_eq!(gateway.balance(ELECTRONIC_ACCOUNT), "1000.00");
}

#[test]
fn the_resolver_goes_by_the_clock_that_a_tester_advances() {
    let seed = include_str!("../../src/service/seed/demo.toml");
    let lost = "[[gateway]]\nname = \"sandbox\"\nkind = \"sandbox\"\n\n\
        [[gateway.rule]]\nanswer = \"drop-after\"\n";
    let seed = format!("{seed}\n{lost}");
    let gateway = TestGateway::seeded(&seed, &["--clock", "2026-01-02T03:04:05Z"]);
    gateway.create(&gateway.login(), &[electronic_refund("10.00")]);
    let waits = || {
        let metrics = gateway.get_admin("/metrics").text();
        let line = "refund_gateway_refunds_in_processing ";
        let found =
            metrics.lines().find_map(|reported| reported.strip_prefix(line).map(str::to_owned));
        found.unwrap_or_else(|| panic!("no {line}in {metrics}"))
    };
    let until = |wanted: &str| {
        for _ in 0..1_000 {
            if waits() == wanted {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        panic!("it stays at {}", waits());
    };
    until("1");
    // As long as the clock stands still, nothing is ever due.
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert_eq!(waits(), "1");
    done(&gateway, "POST", "clock/advance", &json!({ "seconds": 60 }));
    until("0");
}

/// Regression: a snapshot that was put back and removed left its `-wal` and `-shm` behind.
#[test]
fn nothing_is_left_of_a_snapshot_that_was_removed() {
    let mut gateway = TestGateway::demo();
    told_by(&gateway, &["snapshot", "save", "one"]);
    done(&gateway, "POST", "snapshots/one/restore", &Value::Null);
    let folder = gateway.folder().join("ledger.db.snapshots");
    let names = || {
        let entries = std::fs::read_dir(&folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(names().len(), 1, "{:?}", names());
    // What an earlier version left.
    for suffix in ["-wal", "-shm"] {
        std::fs::write(folder.join(format!("{}{suffix}", names()[0])), "stale").unwrap();
        if suffix == "-wal" {
            told_by(&gateway, &["snapshot", "save", "one"]);
            done(&gateway, "POST", "snapshots/one/restore", &Value::Null);
        }
    }
    told_by(&gateway, &["snapshot", "drop", "one"]);
    assert_eq!(names(), Vec::<String>::new());
    // A snapshot that something else removed.
    for name in ["gone.db-wal", "gone.db-shm", "other.txt"] {
        std::fs::write(folder.join(name), "stale").unwrap();
    }
    assert!(gateway.terminate().success());
    gateway.restart();
    assert_eq!(names(), ["other.txt"]);
}

/// Those who begin a body and do not end it have a place each until another client wants it.
#[test]
fn health_is_answered_while_forty_bodies_are_half_sent() {
    let gateway = TestGateway::demo();
    let bearer = token(&gateway);
    let mut dawdling = Vec::new();
    for number in 0..40 {
        let mut connection = Connection::open(gateway.admin());
        let path = ["/api/v1/snapshots", "/api/v1/clock", "/login"][number % 3];
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {bearer}\r\n\
             Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
        );
        connection.write(&[head.as_bytes(), &[b' '; 500]].concat());
        dawdling.push(connection);
    }
    for path in ["/healthz", "/readyz", "/livez", "/healthz"] {
        assert_eq!(gateway.get_admin(path).status, 200, "{path}");
    }
    done(&gateway, "GET", "clock", &Value::Null);
}
