//! The audit of a ledger: each call that changes something leaves one record of who, when, from
//! where and by which front door, and nothing ever changes or removes it.

use crate::admin_api::{api, done};
use crate::gateway::{
    ELECTRONIC_ACCOUNT, ENDPOINT, EXTERNAL_ACCOUNT, TestGateway, create_envelope,
    electronic_refund, envelope, external_refund, finish, program, session_header,
};
use crate::wire::Answer;
use serde_json::{Value, json};

const XML: (&str, &str) = ("Content-Type", "text/xml");

fn records(gateway: &TestGateway, query: &str) -> Vec<Value> {
    let reported = done(gateway, "GET", &format!("audit?{query}"), &Value::Null);
    reported["records"].as_array().unwrap().clone()
}

/// The record of the only call that a query finds.
fn record(gateway: &TestGateway, query: &str) -> Value {
    let mut found = records(gateway, query);
    assert_eq!(found.len(), 1, "{query}: {found:?}");
    found.remove(0)
}

fn update(gateway: &TestGateway, session: &str, object: &str) -> Answer {
    let body = format!("<api:update>{object}</api:update>");
    gateway.post(ENDPOINT, &envelope(&session_header(session), &body))
}

fn zobject(object: &str, fields: &[(&str, &str)]) -> String {
    let field = |(name, value): &(&str, &str)| format!("<obj:{name}>{value}</obj:{name}>");
    let fields: String = fields.iter().map(field).collect();
    format!("<api:zObjects xsi:type=\"obj:{object}\">{fields}</api:zObjects>")
}

#[test]
fn a_call_leaves_one_record_however_many_refunds_it_creates() {
    let gateway = TestGateway::demo();
    let session = gateway.login();
    let refund = external_refund(EXTERNAL_ACCOUNT, "1.00");
    let call = create_envelope(&session, &[refund.clone(), refund, external_refund("x", "1")]);
    let headers = [XML, ("X-Request-Id", "order-4711"), ("Idempotency-Key", "key-1")];
    let answer = gateway.connect().send("POST", ENDPOINT, &headers, call.as_bytes());
    assert_eq!(answer.successes(), 2, "{answer}");
    assert_eq!(answer.header("x-request-id"), Some("order-4711"));
    let kept = record(&gateway, "object=Refund");
    for (key, value) in [
        ("actor", "demo@example.com"),
        ("actor_kind", "user"),
        ("door", "soap"),
        ("version", "91.0"),
        ("address", "127.0.0.1"),
        ("request_id", "order-4711"),
        ("operation", "create"),
        ("idempotency_key", "key-1"),
    ] {
        assert_eq!(kept[key], value, "{kept}");
    }
    let ids = answer.texts("Id");
    let objects = kept["objects"].as_array().unwrap();
    assert_eq!(objects.len(), 2);
    for (object, (id, number)) in objects.iter().zip(ids.iter().zip(["R-00000001", "R-00000002"])) {
        assert_eq!((&object["id"], &object["number"]), (&json!(id), &json!(number)));
        assert_eq!(record(&gateway, &format!("id={id}"))["key"], kept["key"]);
        assert_eq!(record(&gateway, &format!("id={number}"))["key"], kept["key"]);
    }
    // A stored answer that is given again, and a call of which nothing came, changed nothing.
    gateway.connect().send("POST", ENDPOINT, &headers, call.as_bytes());
    gateway.create(&session, &[external_refund(EXTERNAL_ACCOUNT, "0")]);
    assert_eq!(records(&gateway, "object=Refund").len(), 1);
    let ledger = gateway.stored();
    for statement in [
        "update audit_row set source = source + 1",
        "delete from audit_row",
        "update audit_source set actor = 'another'",
        "delete from audit_source",
        "update audit_object set facts = '{}'",
        "delete from audit_object",
    ] {
        let refused = ledger.refusal(statement);
        assert!(refused.contains("the audit is never"), "{statement}: {refused}");
    }
}

#[test]
fn whatever_is_created_changed_and_deleted_stands_in_the_audit() {
    let gateway = TestGateway::demo();
    let session = gateway.login();
    let text = "between the two of us";
    let payment = zobject(
        "Payment",
        &[
            ("AccountId", ELECTRONIC_ACCOUNT),
            ("Amount", "20"),
            ("AppliedCreditBalanceAmount", "0"),
            ("Comment", text),
            ("EffectiveDate", "2026-01-02"),
            ("PaymentMethodId", crate::gateway::ELECTRONIC_METHOD),
            ("Status", "Processed"),
            ("Type", "External"),
        ],
    );
    let paid = gateway.create(&session, &[payment]);
    let payment = paid.texts("Id").pop().unwrap_or_else(|| panic!("{paid}"));
    let kept = record(&gateway, &format!("id={payment}"));
    assert_eq!((&kept["operation"], &kept["object"]), (&json!("create"), &json!("Payment")));
    let facts = &kept["objects"][0]["facts"];
    assert_eq!(facts["amount"], "20", "{facts}");
    assert_eq!(facts["payment_type"], "External", "{facts}");
    assert!(!kept.to_string().contains(text), "{kept}");
    let refund = zobject(
        "Refund",
        &[
            ("Amount", "5"),
            ("MethodType", "Check"),
            ("PaymentId", &payment),
            ("Type", "External"),
            ("AccountId", ELECTRONIC_ACCOUNT),
        ],
    );
    let made = gateway.create(&session, &[refund]);
    let refund = made.texts("Id").pop().unwrap_or_else(|| panic!("{made}"));
    let changed = zobject("Refund", &[("Id", &refund), ("Status", "Canceled")]);
    assert_eq!(update(&gateway, &session, &changed).successes(), 1);
    let body =
        format!("<api:delete><api:type>Refund</api:type><api:ids>{refund}</api:ids></api:delete>");
    let deleted = gateway.post(ENDPOINT, &envelope(&session_header(&session), &body));
    assert_eq!(deleted.texts("success"), ["true"], "{deleted}");
    let all = records(&gateway, &format!("id={refund}"));
    let operations: Vec<_> = all.iter().map(|one| one["operation"].as_str().unwrap()).collect();
    assert_eq!(operations, ["delete", "update", "create"], "{all:?}");
    assert_eq!(all[1]["objects"][0]["facts"], json!({ "status": "Canceled" }));
    let last = &all[0]["objects"][0]["facts"]["refund"];
    assert_eq!((&last["amount"], &last["status"]), (&json!("5.00"), &json!("Canceled")));
    assert_eq!(records(&gateway, "id=R-00000001").len(), 3);
    // What outlives a deleted refund shows its story.
    let story = done(&gateway, "GET", "refunds/r-1/story", &Value::Null);
    assert_eq!(
        (&story["deleted"], &story["facts"]["refund"]["id"]),
        (&json!(true), &json!(refund))
    );
    assert_eq!(story["created"]["operation"], "create");
    let changes = story["changes"].as_array().unwrap();
    let operations: Vec<_> = changes.iter().map(|one| one["operation"].clone()).collect();
    assert_eq!(operations, ["update", "delete"]);
    let reported = explained(&gateway, &["1"]);
    assert!(
        reported.contains("R-00000001 (deleted)") && reported.contains("delete, by demo@"),
        "{reported}"
    );
}

fn explained(gateway: &TestGateway, args: &[&str]) -> String {
    let mut command = program(gateway.folder());
    command.arg("explain").args(args).args(["--ledger", gateway.place()]);
    if args.contains(&"--admin") {
        command.args(["--token-file", "ledger.db.admin-token"]);
    }
    let output = finish(&mut command);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_refund_is_explained_beside_a_running_gateway() {
    let gateway = TestGateway::configured("[events]\nenabled = true\n");
    let session = gateway.login();
    gateway.create(&session, &[external_refund(EXTERNAL_ACCOUNT, "1.00")]);
    let call = create_envelope(&session, &[electronic_refund("10.00")]);
    let headers = [XML, ("X-Request-Id", "req-9"), ("Idempotency-Key", "key-9")];
    let answer = gateway.connect().send("POST", ENDPOINT, &headers, call.as_bytes());
    let id = answer.texts("Id").pop().unwrap();
    let story = done(&gateway, "GET", &format!("refunds/{id}/story"), &Value::Null);
    let decision = &story["decision"];
    let expected = json!({
        "source_before": "1000.00", "source_after": "990.00", "method_choice": "named",
    });
    assert_eq!(decision, &expected, "{story}");
    assert_eq!(story["entries"][0]["kind"], "hold");
    assert_eq!(story["entries"][0]["balance"], "990.00");
    assert_eq!(story["exchanges"][0]["gateway"], "sandbox");
    let kinds: Vec<_> = story["events"].as_array().unwrap().iter().collect();
    assert_eq!(kinds.len(), 2, "{story}");
    let text = explained(&gateway, &[&id]);
    for word in ["R-00000002", "req-9", "key-9", "990.00", "127.0.0.1", "soap", "91.0", "verdict"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    assert!(!text.contains('\u{1b}') && !text.contains(&session), "{text}");
    for name in ["r-00000002", "2", " R-2 ", &id.to_uppercase()] {
        assert_eq!(explained(&gateway, &[name]), text, "{name}");
    }
    let read: Value = serde_json::from_str(&explained(&gateway, &[&id, "--json"])).unwrap();
    assert_eq!(read, story);
    let admin = format!("http://{}", gateway.admin());
    assert_eq!(explained(&gateway, &[&id, "--admin", &admin]), text);
    for (name, code) in [("R-99", 4), ("x", 2), (&id.replace('2', "3")[..], 4)] {
        let mut command = program(gateway.folder());
        let output = finish(command.args(["explain", name, "--ledger", gateway.place()]));
        assert_eq!(output.status.code(), Some(code), "{name}: {output:?}");
    }
}

#[test]
fn verdicts_settlements_seeds_and_passwords_stand_in_the_audit_on_a_real_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let seed = include_str!("../../src/service/seed/demo.toml");
    std::fs::write(folder.path().join("seed.toml"), seed).unwrap();
    let mut gateway = TestGateway::start_in(folder, &[]);
    assert!(gateway.terminate().success());
    let seeding = ["seed", "seed.toml", "--ledger", gateway.place()];
    assert!(finish(program(gateway.folder()).args(seeding)).status.success());
    gateway.restart();
    let session = gateway.login();
    let paid = gateway.create(&session, &[electronic_refund("10.00")]);
    let refund = paid.texts("Id").pop().unwrap();
    let events = json!({ "events": [{ "refund": refund, "state": "settled" }] });
    done(&gateway, "POST", "reconciliation", &events);
    let all = records(&gateway, &format!("id={refund}"));
    let by = |one: &Value| {
        ["operation", "door", "actor"].map(|key| one[key].as_str().unwrap().to_owned())
    };
    assert_eq!(by(&all[0]), ["reconcile", "admin", "admin API"]);
    assert_eq!(all[0]["objects"][0]["facts"]["gateway_state"], "Settled");
    assert_eq!(by(&all[1]), ["verdict", "gateway", "sandbox"]);
    assert_eq!(by(&all[2]), ["create", "soap", "demo@example.com"]);
    let seeded = record(&gateway, "object=Seed");
    assert_eq!(
        (&seeded["door"], &seeded["actor_kind"]),
        (&json!("command line"), &json!("operator"))
    );
    assert_eq!(records(&gateway, "actor=sandbox").len(), 1);
    let (newest, oldest) = (&all[0]["at"], seeded["at"].as_str().unwrap());
    assert_eq!(records(&gateway, &format!("until={oldest}")).len(), 0);
    assert!(!records(&gateway, &format!("from={}", newest.as_str().unwrap())).is_empty());
    // Page by page, each record once.
    let page = done(&gateway, "GET", "audit?limit=3", &Value::Null);
    let rest = done(&gateway, "GET", &format!("audit?before={}", page["next"]), &Value::Null);
    assert_eq!(page["records"].as_array().unwrap().len(), 3);
    assert_eq!(rest["records"].as_array().unwrap().len(), 1);
    assert!(rest["next"].is_null());
    let anonymous = gateway.get_admin("/api/v1/audit");
    assert_eq!(anonymous.status, 401);
    assert_eq!(api(&gateway, "DELETE", "audit", &Value::Null).status, 405);
    gateway.terminate();
    let mut command = program(gateway.folder());
    command.args(["user", "set-password", "demo@example.com", "--ledger", gateway.place()]);
    let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"s3cret\n").unwrap();
    assert!(child.wait().unwrap().success());
    gateway.restart();
    let changed = record(&gateway, "object=User");
    assert_eq!(changed["objects"][0]["facts"], json!({ "username": "demo@example.com" }));
}

#[test]
fn a_request_without_an_id_gets_one_and_a_bad_one_is_not_taken_over() {
    let gateway = TestGateway::demo();
    let id_of = |headers: &[(&str, &str)]| {
        let answer = gateway.connect().send("GET", "/nothing", headers, b"");
        answer.header("x-request-id").unwrap().to_owned()
    };
    let (made, next) = (id_of(&[]), id_of(&[]));
    assert!(made.len() == 32 && next.len() == 32 && made != next, "{made} {next}");
    let longest = "x".repeat(64);
    assert_eq!(id_of(&[("X-Request-Id", &longest)]), longest);
    for bad in [&format!("{longest}x"), "a b", "é", ""] {
        assert_eq!(id_of(&[("X-Request-Id", bad)]).len(), 32, "{bad}");
    }
}

#[test]
fn seeded_ids_of_requests_come_again_after_a_reset_and_never_after_a_restart() {
    let mut gateway =
        TestGateway::start(&["--demo", "--id-seed", "7", "--clock", "2026-01-02T03:04:05Z"]);
    let ask = |gateway: &TestGateway| {
        let answer = gateway.connect().send("GET", "/nothing", &[], b"");
        answer.header("x-request-id").unwrap().to_owned()
    };
    let first = [ask(&gateway), ask(&gateway)];
    gateway.kill9();
    gateway.restart();
    let second = [ask(&gateway), ask(&gateway)];
    assert!(first.iter().all(|id| !second.contains(id)), "{first:?} {second:?}");
    done(&gateway, "POST", "reset", &json!({}));
    assert_eq!([ask(&gateway), ask(&gateway)], first);
}
