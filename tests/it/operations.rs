//! What operators change without a new ledger, as they do it: by command on a ledger that is
//! stopped, and by command and admin API on one that is served, which counts for the next call.

use crate::admin_api::{api, ask, token};
use crate::gateway::{
    ELECTRONIC_ACCOUNT, ELECTRONIC_METHOD, ENDPOINT, Engine, TestGateway, electronic_refund,
    engine, external_refund, finish, login_envelope, program,
};
use crate::processor::field;
use crate::processor_stub::ProcessorStub;
use crate::wire::Connection;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Stdio;
use tempfile::TempDir;

fn seed() -> String {
    format!(
        "[tenant]\ntime_zone = 'Europe/Berlin'\ncredit_balance = true\n\
         [[user]]\nusername = 'demo@example.com'\npassword = 'demo'\n\
         permissions = ['credit-balance-external-refund']\n\
         [[gateway]]\nname = 'sandbox'\nkind = 'sandbox'\n\
         [[account]]\nid = '{ELECTRONIC_ACCOUNT}'\nnumber = 'A1'\nname = 'One'\n\
         currency = 'USD'\ncredit_balance = '1000.00'\n\
         [[payment_method]]\nid = '{ELECTRONIC_METHOD}'\naccount = '{ELECTRONIC_ACCOUNT}'\n\
         type = 'CreditCard'\n"
    )
}

/// A gateway on a real ledger.
fn real(more: &[&str]) -> TestGateway {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("seed.toml"), seed()).unwrap();
    TestGateway::start_in(folder, &[&["--seed", "seed.toml"], more].concat())
}

/// How a command ended, and what it said.
struct Said {
    code: i32,
    out: String,
    err: String,
}

fn command(folder: &Path, args: &[&str], stdin: &str) -> Said {
    let mut command = program(folder);
    let file = folder.join("stdin");
    fs::write(&file, stdin).unwrap();
    command.args(args).stdin(Stdio::from(fs::File::open(file).unwrap()));
    let output = finish(&mut command);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Said { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

/// A command beside the running gateway, which must do what is asked.
fn beside(gateway: &TestGateway, args: &[&str], stdin: &str) -> String {
    let said = try_beside(gateway, args, stdin);
    assert_eq!(said.code, 0, "{args:?}: {}{}", said.out, said.err);
    said.out
}

fn try_beside(gateway: &TestGateway, args: &[&str], stdin: &str) -> Said {
    let url = format!("http://{}", gateway.admin());
    let place = ["--admin", &url, "--ledger", "ledger.db"];
    command(gateway.folder(), &[args, &place].concat(), stdin)
}

fn codes(gateway: &TestGateway, session: &str, object: &str) -> Vec<String> {
    let answer = gateway.create(session, &[object.to_owned()]);
    [answer.texts("Code"), answer.texts("FaultCode")].concat()
}

fn can_log_in(gateway: &TestGateway, password: &str) -> bool {
    let answer = gateway.post(ENDPOINT, &login_envelope("demo@example.com", password));
    !answer.texts("Session").is_empty()
}

const DEMO: &str = "demo@example.com";

/// Regression: permissions came from the seed alone, so that another role needed another ledger.
#[test]
fn what_a_user_may_do_changes_for_a_session_in_use() {
    let gateway = real(&[]);
    let session = gateway.login();
    let electronic = || codes(&gateway, &session, &electronic_refund("1"));
    assert_eq!(electronic(), ["NO_PERMISSION"]);
    let role = "credit-balance-electronic-refund";
    let said = beside(&gateway, &["user", "grant", DEMO, role], "");
    assert_eq!(said, format!("the user `{DEMO}` has {role} now\n"));
    assert_eq!(electronic(), Vec::<String>::new());
    let said = beside(&gateway, &["user", "grant", DEMO, role], "");
    assert_eq!(said, "nothing to change: it is so already\n");
    beside(&gateway, &["user", "revoke", DEMO, role], "");
    assert_eq!(electronic(), ["NO_PERMISSION"]);
    beside(&gateway, &["user", "disable", DEMO], "");
    assert_eq!(electronic(), ["INVALID_SESSION"]);
    assert!(!can_log_in(&gateway, "demo"));
    beside(&gateway, &["user", "enable", DEMO], "");
    assert_eq!(electronic(), ["INVALID_SESSION"], "what ended stays ended");
    let session = gateway.login();
    beside(&gateway, &["user", "set-password", DEMO], "another\n");
    assert_eq!(codes(&gateway, &session, &electronic_refund("1")), ["INVALID_SESSION"]);
    assert!(!can_log_in(&gateway, "demo") && can_log_in(&gateway, "another"));
}

/// Regression: beside a running gateway it was refused unless the admin listener was named.
#[test]
fn a_password_is_changed_on_the_ledger_of_a_running_gateway_by_the_ledgers_name() {
    if engine() != Engine::File {
        return;
    }
    let mut gateway = real(&[]);
    let ledger = gateway.place().to_owned();
    let args = ["user", "set-password", DEMO, "--ledger", &ledger];
    let said = command(gateway.folder(), &args, "another\n");
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(said.out, format!("the user `{DEMO}` has another password\n"));
    assert!(said.err.contains("the gateway that runs on this ledger"), "{}", said.err);
    assert!(!can_log_in(&gateway, "demo") && can_log_in(&gateway, "another"));
    // Where the gateway of another ledger is, nothing is changed.
    let other = real(&[]);
    let url = gateway.folder().join(format!("{ledger}.admin-url"));
    fs::write(&url, format!("http://{}", other.admin())).unwrap();
    let said = command(gateway.folder(), &args, "third\n");
    assert_eq!(said.code, 3, "{}", said.err);
    assert!(said.err.contains("--admin URL"), "{}", said.err);
    assert!(can_log_in(&gateway, "another") && can_log_in(&other, "demo"));
    assert!(gateway.terminate().success());
    assert!(!url.exists());
}

#[test]
fn a_user_is_made_on_a_ledger_that_is_stopped_and_on_one_that_is_served() {
    let mut gateway = real(&[]);
    assert!(
        beside(&gateway, &["user", "create", "clerk@example.com"], "s3cret\n").contains("made")
    );
    let session = gateway.login_as("clerk@example.com", "s3cret");
    let refund = external_refund(ELECTRONIC_ACCOUNT, "1");
    assert_eq!(codes(&gateway, &session, &refund), Vec::<String>::new());
    let place = gateway.place().to_owned();
    let stopped = ["user", "create", "nobody@example.com", "none", "--ledger", &place];
    assert!(gateway.terminate().success());
    let said = command(gateway.folder(), &stopped, "x\n");
    assert_eq!((said.code, said.out.as_str()), (0, "the user `nobody@example.com` is made\n"));
    let grant = ["user", "grant", "nobody@example.com", "external-refund", "--ledger", &place];
    assert_eq!(command(gateway.folder(), &grant, "").code, 0);
    gateway.restart();
    let session = gateway.login_as("nobody@example.com", "x");
    assert_eq!(codes(&gateway, &session, &refund), ["NO_PERMISSION"]);
}

#[test]
fn what_cannot_be_changed_is_named_with_what_was_probably_meant() {
    let mut gateway = real(&[]);
    let cases: &[(&[&str], &str)] = &[
        (&["user", "grant", DEMO, "payment-creat"], "did you mean `payment-create`?"),
        (&["user", "grant", DEMO, "zebra"], "known are external-refund, "),
        (
            &["user", "grant", "demo@exmple.com", "payment-create"],
            "did you mean `demo@example.com`?",
        ),
        (&["user", "disable", "zebra"], "the ledger has no user `zebra`"),
        (&["user", "create", DEMO], "has a user `demo@example.com` already"),
        (&["user", "create", " x"], "blanks"),
        (&["tenant", "set", "credit_balanc", "true"], "did you mean `credit_balance`?"),
        (&["tenant", "set", "credit_balance", "maybe"], "it must be true or false"),
        (&["tenant", "set", "time_zone", "Mars/Olympus"], "no time zone"),
        (
            &["tenant", "set", "time_zone", "America/Los_Angles"],
            "did you mean `America/Los_Angeles`?",
        ),
        (&["gateway", "set", "sandbox", "refund_window_days", "x"], "a whole number, 0 or more"),
        (&["tenant", "set", "default_gateway", "sandbix"], "did you mean `sandbox`?"),
        (&["tenant", "set", "reason_codes", "A", "A"], "twice"),
        (&["gateway", "set", "sandbox", "activ", "false"], "did you mean `active`?"),
        (&["gateway", "set", "sandbox", "refund_window_days", "0"], "from 1 to"),
        (&["gateway", "set", "sandbox", "method_types", "Chek"], "did you mean `Check`?"),
        (&["gateway", "set", "sandbx", "active", "false"], "did you mean `sandbox`?"),
    ];
    for (args, named) in cases {
        let said = try_beside(&gateway, args, "x\n");
        assert!(said.code == 2 && said.err.contains(named), "{args:?}: {} {}", said.code, said.err);
    }
    assert!(gateway.terminate().success());
    for (args, named) in cases {
        let args = [args, &["--ledger", gateway.place()][..]].concat();
        let said = command(gateway.folder(), &args, "x\n");
        assert!(said.code == 2 && said.err.contains(named), "{args:?}: {} {}", said.code, said.err);
    }
}

#[test]
fn switches_of_the_tenant_and_of_a_sandbox_count_for_the_next_call() {
    let gateway = real(&[]);
    beside(&gateway, &["user", "grant", DEMO, "credit-balance-electronic-refund"], "");
    let session = gateway.login();
    let says = |object: String| {
        let answer = gateway.create(&session, &[object]);
        answer.texts("Message").pop().unwrap_or_default()
    };
    let external = || says(external_refund(ELECTRONIC_ACCOUNT, "1"));
    let electronic = || says(electronic_refund("1"));
    assert_eq!([external(), electronic()], ["", ""]);
    beside(&gateway, &["tenant", "set", "credit_balance", "false"], "");
    assert_eq!(external(), "The Credit Balance feature is not enabled.");
    let has_adjustments = || {
        let wsdl =
            Connection::open(gateway.public()).send("GET", &format!("{ENDPOINT}?wsdl"), &[], b"");
        wsdl.text().contains("CreditBalanceAdjustment")
    };
    assert!(!has_adjustments());
    beside(&gateway, &["tenant", "set", "credit_balance", "true"], "");
    assert!(has_adjustments());
    beside(&gateway, &["tenant", "set", "reason_codes", "Moved", "Other"], "");
    assert_eq!(external(), "");
    beside(&gateway, &["gateway", "set", "sandbox", "active", "false"], "");
    assert_eq!(electronic(), "The payment gateway sandbox is not active.");
    beside(&gateway, &["gateway", "set", "sandbox", "active", "true"], "");
    beside(&gateway, &["gateway", "set", "sandbox", "method_types", "ACH", "PayPal"], "");
    assert!(electronic().contains("does not support the payment method type CreditCard"));
    beside(&gateway, &["gateway", "set", "sandbox", "method_types", "all"], "");
    beside(&gateway, &["gateway", "set", "sandbox", "duplicate_window_s", "3600"], "");
    let response = |amount: &str| {
        let answer = gateway.create(&session, &[electronic_refund(amount)]);
        let id = answer.texts("Id").pop().unwrap();
        field(&gateway, &session, &id, "GatewayResponseCode")
    };
    assert_ne!(response("7"), "3/11");
    assert_eq!(response("7"), "3/11");
    beside(&gateway, &["gateway", "set", "sandbox", "duplicate_window_s", "none"], "");
    assert_ne!(response("7"), "3/11");
}

#[test]
fn a_gateway_of_kind_http_is_configuration() {
    let stub = ProcessorStub::start();
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("seed.toml"), seed()).unwrap();
    fs::write(folder.path().join("config.toml"), stub.table("cards", "")).unwrap();
    let gateway =
        TestGateway::start_in(folder, &["--seed", "seed.toml", "--config", "config.toml"]);
    let said = try_beside(&gateway, &["gateway", "set", "cards", "active", "false"], "");
    assert!(said.code == 2 && said.err.contains("kind http"), "{}", said.err);
    beside(&gateway, &["tenant", "set", "default_gateway", "cards"], "");
    let reported = api(&gateway, "GET", "gateways", &Value::Null).body;
    let kinds: Vec<_> =
        reported["gateways"].as_array().unwrap().iter().map(|one| &one["kind"]).collect();
    assert_eq!(kinds, ["sandbox", "http"]);
}

/// A start with the seed of the beginning goes on, whatever an operator changed since; what no one
/// changed must still be as the seed says.
#[test]
fn the_seed_gives_way_to_what_an_operator_changed() {
    let mut gateway = real(&[]);
    beside(&gateway, &["user", "grant", DEMO, "payment-create"], "");
    beside(&gateway, &["user", "revoke", DEMO, "credit-balance-external-refund"], "");
    beside(&gateway, &["user", "set-password", DEMO], "another\n");
    beside(&gateway, &["user", "create", "second@example.com", "none"], "x\n");
    beside(&gateway, &["tenant", "set", "time_zone", "Asia/Tokyo"], "");
    beside(&gateway, &["gateway", "set", "sandbox", "require_settled", "true"], "");
    let state = |gateway: &TestGateway| {
        ["users", "tenant", "gateways"].map(|what| api(gateway, "GET", what, &Value::Null).body)
    };
    let before = state(&gateway);
    assert_eq!(before[0]["users"][0]["permissions"], json!(["payment-create"]));
    assert_eq!(before[1]["time_zone"], "Asia/Tokyo");
    for _ in 0..2 {
        assert!(gateway.terminate().success());
        gateway.restart();
        assert_eq!(state(&gateway), before);
    }
    assert!(!can_log_in(&gateway, "demo") && can_log_in(&gateway, "another"));
    assert!(gateway.terminate().success());
    let second = "[[user]]\nusername = 'second@example.com'\npassword = 'y'\n";
    let load = |text: &str| {
        fs::write(gateway.folder().join("seed.toml"), text).unwrap();
        command(gateway.folder(), &["seed", "seed.toml", "--ledger", gateway.place()], "")
    };
    assert_eq!(load(&(seed() + second)).code, 0);
    let other = seed().replace("credit_balance = true", "credit_balance = false");
    let said = load(&other);
    assert!(
        said.code == 3 && said.err.contains("tenant: credit_balance is `true`"),
        "{}",
        said.err
    );
    let other = seed().replace("['credit-balance-external-refund']", "['external-refund']");
    let said = load(&other);
    assert!(said.code == 3 && said.err.contains("permissions is `payment-create`"), "{}", said.err);
    let other = seed().replace("kind = 'sandbox'", "kind = 'sandbox'\nactive = false");
    let said = load(&other);
    assert!(said.code == 3 && said.err.contains("gateway `sandbox`: active"), "{}", said.err);
}

#[test]
fn each_change_is_in_the_audit_with_who_when_and_from_where() {
    let mut gateway = real(&[]);
    beside(&gateway, &["tenant", "set", "credit_balance", "false"], "");
    beside(&gateway, &["user", "grant", DEMO, "payment-create"], "");
    beside(&gateway, &["user", "grant", DEMO, "payment-create"], "");
    try_beside(&gateway, &["user", "grant", DEMO, "zebra"], "");
    assert!(gateway.terminate().success());
    let place = gateway.place().to_owned();
    let stopped = ["gateway", "set", "sandbox", "active", "false", "--ledger", &place];
    assert_eq!(command(gateway.folder(), &stopped, "").code, 0);
    let password = ["user", "set-password", DEMO, "--ledger", &place];
    assert_eq!(command(gateway.folder(), &password, "s3cret-word\n").code, 0);
    gateway.restart();
    let reported = api(&gateway, "GET", "audit", &Value::Null).body;
    let records = reported["records"].as_array().unwrap();
    let shown = |record: &Value| {
        let of = |key: &str| record[key].as_str().unwrap_or_default().to_owned();
        format!(
            "{} {} {} {}",
            of("door"),
            of("operation"),
            of("object"),
            record["objects"][0]["facts"]
        )
    };
    let mut shown: Vec<_> =
        records.iter().filter(|one| one["operation"] != "seed").map(shown).collect();
    shown.reverse();
    assert_eq!(
        shown,
        [
            "admin set Tenant {\"after\":\"false\",\"before\":\"true\",\"key\":\"credit_balance\"}",
            "admin grant User {\"granted\":[\"payment-create\"],\"permissions\":\
             [\"credit-balance-external-refund\",\"payment-create\"],\
             \"username\":\"demo@example.com\"}",
            "command line set Gateway {\"after\":false,\"before\":true,\"key\":\"active\"}",
            "command line set-password User {\"username\":\"demo@example.com\"}",
        ]
    );
    let admin = records.iter().find(|one| one["door"] == "admin").unwrap();
    assert_eq!((&admin["actor"], &admin["address"]), (&json!("admin API"), &json!("127.0.0.1")));
    assert!(admin["at"].is_string(), "{admin}");
    let local = records.iter().find(|one| one["door"] == "command line").unwrap();
    assert!(local["actor"].as_str().unwrap().contains("uid "), "{local}");
    for secret in ["s3cret-word", "argon2"] {
        assert!(!reported.to_string().contains(secret), "{secret}");
    }
}

#[test]
fn the_admin_api_shows_no_hash_and_lets_in_nobody_without_the_token() {
    let gateway = real(&[]);
    let users = api(&gateway, "GET", "users", &Value::Null);
    assert_eq!(users.status, 200);
    let user = &users.body["users"][0];
    assert_eq!((&user["username"], &user["disabled"]), (&json!(DEMO), &json!(false)));
    assert!(!users.body.to_string().contains("argon2"), "{}", users.body);
    let grant = json!({ "username": DEMO, "permissions": ["payment-create"] });
    let bearer = format!("Bearer {}", token(&gateway));
    let auth = ("Authorization", bearer.as_str());
    let json_type = ("Content-Type", "application/json");
    for (headers, status) in [
        (&[json_type][..], 401),
        (&[auth][..], 415),
        (&[auth, json_type, ("Origin", "http://evil.example")][..], 403),
    ] {
        for (path, body) in [
            ("users/grant", &grant),
            ("tenant", &json!({ "key": "credit_balance", "value": false })),
            ("gateways", &json!({ "name": "sandbox", "key": "active", "value": false })),
        ] {
            assert_eq!(ask(&gateway, headers, ("POST", path, body)).status, status, "{path}");
        }
    }
    for (path, body, status, named) in [
        ("users", json!({ "username": "x" }), 400, "password: is missing"),
        ("users", json!({ "username": "x", "password": "" }), 400, "1 to 1024"),
        ("users", json!({ "username": DEMO, "password": "x" }), 409, "already"),
        ("users/grant", json!({ "username": DEMO }), 400, "permissions: is missing"),
        ("users/grant", json!({ "username": DEMO, "permissions": [] }), 400, "at least one"),
        ("users/grant", json!({ "username": "x", "permissions": ["payment-create"] }), 400, "`x`"),
        ("users/disable", json!({ "username": DEMO, "password": "x" }), 400, "no meaning"),
        ("users/zebra", json!({ "username": DEMO }), 404, "openapi"),
        ("tenant", json!({ "key": "time_zone", "value": {} }), 400, "no truth value"),
        ("tenant", json!({ "key": "time_zone" }), 400, "value"),
        ("gateways", json!({ "name": "x", "key": "active", "value": true }), 400, "`x`"),
        ("gateways", json!({ "name": "sandbox", "key": "active", "value": [[]] }), 400, "list"),
    ] {
        let reported = api(&gateway, "POST", path, &body);
        let error = reported.body["error"].as_str().unwrap_or_default();
        assert!(
            reported.status == status && error.contains(named),
            "{path}: {} {error}",
            reported.status
        );
    }
    let reported = api(&gateway, "POST", "users/grant", &grant);
    assert_eq!((reported.status, reported.body), (200, json!({ "changed": true })));
}

#[test]
fn on_a_test_ledger_what_comes_with_any_permission_is_not_taken_away_alone() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("seed.toml"), seed()).unwrap();
    let gateway = TestGateway::start_in(folder, &["--test", "--seed", "seed.toml"]);
    let said = try_beside(&gateway, &["user", "revoke", DEMO, "payment-create"], "");
    assert!(said.code == 2 && said.err.contains("comes with any other permission"), "{}", said.err);
    beside(&gateway, &["user", "revoke", DEMO, "credit-balance-external-refund"], "");
    let reported = api(&gateway, "GET", "users", &Value::Null).body;
    assert_eq!(reported["users"][0]["permissions"], json!([]));
}
