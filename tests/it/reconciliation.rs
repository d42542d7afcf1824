//! What gateways settle and reject after all, reported by the operator on the command line.

use crate::gateway::{
    ELECTRONIC_ACCOUNT, ELECTRONIC_METHOD, ENDPOINT, EXTERNAL_ACCOUNT, TestGateway,
    electronic_refund, envelope, external_refund, finish, program, refund, session_header,
};
use chrono::{DateTime, SecondsFormat, Utc};
use std::fs;
use std::time::{Duration, SystemTime};

const PAYMENT: &str = "402892c72b9e3319012b9e34b88e0201";
const DECLINED: &str = "13.00";

/// The demo's accounts, with a payment of 80.00 that pays an invoice, and a gateway that declines
/// 13.00.
fn seed() -> String {
    format!(
        "[[user]]\nusername = 'demo@example.com'\npassword = 'demo'\npermissions = \
         ['credit-balance-electronic-refund', 'credit-balance-external-refund', \
         'electronic-refund', 'external-refund']\n\
         [[gateway]]\nname = 'sandbox'\nkind = 'sandbox'\n\
         [[gateway.rule]]\namount = '{DECLINED}'\nanswer = 'decline'\n\
         [[account]]\nid = '{EXTERNAL_ACCOUNT}'\nnumber = 'A1'\nname = 'One'\n\
         currency = 'USD'\ncredit_balance = '1000.00'\n\
         [[account]]\nid = '{ELECTRONIC_ACCOUNT}'\nnumber = 'A2'\nname = 'Two'\n\
         currency = 'USD'\ncredit_balance = '1000.00'\n\
         [[payment_method]]\nid = '{ELECTRONIC_METHOD}'\naccount = '{ELECTRONIC_ACCOUNT}'\n\
         type = 'CreditCard'\n\
         [[invoice]]\nid = '402892c72b9e3319012b9e34b88e0301'\nnumber = 'INV-1'\n\
         account = '{ELECTRONIC_ACCOUNT}'\ndate = '2026-01-02'\namount = '80.00'\n\
         balance = '0.00'\n\
         [[payment]]\nid = '{PAYMENT}'\nnumber = 'P-1'\naccount = '{ELECTRONIC_ACCOUNT}'\n\
         type = 'Electronic'\namount = '80.00'\neffective_date = '2026-01-02'\n\
         payment_method = '{ELECTRONIC_METHOD}'\n\
         applied = [{{ invoice = 'INV-1', amount = '80.00' }}]\n"
    )
}

fn created(gateway: &TestGateway, object: String) -> String {
    let answer = gateway.create(&gateway.login(), &[object]);
    answer.texts("Id").pop().unwrap_or_else(|| panic!("not created: {answer}"))
}

fn electronic(gateway: &TestGateway, amount: &str) -> String {
    let object = electronic_refund(amount);
    created(gateway, object)
}

fn found(gateway: &TestGateway, zoql: &str, field: &str) -> String {
    let body = format!("<api:query><api:queryString>{zoql}</api:queryString></api:query>");
    let answer = gateway.post(ENDPOINT, &envelope(&session_header(&gateway.login()), &body));
    assert_eq!(answer.status, 200, "{answer}");
    answer.texts(field).pop().unwrap_or_default()
}

fn field(gateway: &TestGateway, id: &str, name: &str) -> String {
    found(gateway, &format!("select Id, {name} from Refund where Id = '{id}'"), name)
}

/// Runs `reconcile`, and gives its exit code and what it said on stdout.
fn reconcile(gateway: &TestGateway, args: &[&str]) -> (i32, String) {
    let mut command = program(gateway.folder());
    let output = finish(command.args(["reconcile", "--ledger", gateway.place()]).args(args));
    let stdout = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let code = output.status.code().unwrap();
    (code, if code > 1 { stderr } else { stdout })
}

fn adds_up(gateway: &TestGateway) {
    let output = finish(program(gateway.folder()).args(["check", "--ledger", gateway.place()]));
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn a_refund_is_settled_once_however_often_it_is_told() {
    let mut gateway = TestGateway::seeded(&seed(), &[]);
    let id = electronic(&gateway, "10.00");
    gateway.terminate();
    let args = ["--id", &id, "--state", "settled"];
    let (code, reported) = reconcile(&gateway, &args);
    assert_eq!((code, reported.as_str()), (0, &*format!("{id}: R-00000001 is Settled now\n")));
    let (code, reported) = reconcile(&gateway, &args);
    assert_eq!(code, 0);
    assert!(reported.contains("stays Settled; nothing new"), "{reported}");
    adds_up(&gateway);
    gateway.restart();
    assert_eq!(field(&gateway, &id, "GatewayState"), "Settled");
    assert_eq!(field(&gateway, &id, "Status"), "Processed");
    assert_ne!(field(&gateway, &id, "SettledOn"), "");
    assert_eq!(gateway.balance(ELECTRONIC_ACCOUNT), "990.00");
}

#[test]
fn by_default_a_rejection_updates_the_fields_alone() {
    let mut gateway = TestGateway::seeded(&seed(), &[]);
    let id = electronic(&gateway, "10.00");
    gateway.terminate();
    let (code, reported) = reconcile(&gateway, &["--id", &id, "--state", "failed"]);
    assert_eq!((code, reported.contains("is FailedToSettle now\n")), (0, true), "{reported}");
    adds_up(&gateway);
    gateway.restart();
    assert_eq!(field(&gateway, &id, "GatewayState"), "FailedToSettle");
    assert_eq!(gateway.balance(ELECTRONIC_ACCOUNT), "990.00");
}

#[test]
fn a_rejected_refund_is_put_back_once() {
    let mut gateway = TestGateway::seeded(&seed(), &[]);
    let id = electronic(&gateway, "10.00");
    let object = refund(&[("PaymentId", PAYMENT), ("Amount", "30.00"), ("Type", "Electronic")]);
    let of_payment = created(&gateway, object);
    assert_eq!(field(&gateway, &of_payment, "Status"), "Processed");
    gateway.terminate();
    fs::write(gateway.folder().join("config.toml"), "[reconciliation]\nrejected = 'put-back'\n")
        .unwrap();
    let back = ["--config", "config.toml", "--state", "failed", "--reason", "account closed"];
    for refund in [&id, &of_payment] {
        assert_eq!(reconcile(&gateway, &["--id", refund, "--state", "settled"]).0, 0);
        let args = [&back[..], &["--id", refund, "--event-id", refund]].concat();
        let (code, reported) = reconcile(&gateway, &args);
        assert_eq!((code, reported.contains("its money was put back")), (0, true), "{reported}");
        let (code, reported) = reconcile(&gateway, &args);
        assert_eq!((code, reported.contains("nothing new")), (0, true), "{reported}");
        let (code, reported) = reconcile(&gateway, &["--id", refund, "--state", "settled"]);
        assert_eq!((code, reported.contains("its money was put back")), (1, true), "{reported}");
        adds_up(&gateway);
    }
    gateway.restart();
    assert_eq!(gateway.balance(ELECTRONIC_ACCOUNT), "1000.00");
    let invoice = found(&gateway, "select Balance from Invoice", "Balance");
    assert_eq!(invoice, "0");
    // All of the payment can be given back again, and the compensated refund not cancelled.
    let object = refund(&[("PaymentId", PAYMENT), ("Amount", "80.00"), ("Type", "Electronic")]);
    assert_eq!(field(&gateway, &created(&gateway, object), "Status"), "Processed");
    let body = format!(
        "<api:update><api:zObjects xsi:type=\"obj:Refund\"><obj:Id>{of_payment}</obj:Id>\
         <obj:Status>Canceled</obj:Status></api:zObjects></api:update>"
    );
    let answer = gateway.post(ENDPOINT, &envelope(&session_header(&gateway.login()), &body));
    let said = "A refund whose money was put back cannot be canceled.";
    assert_eq!(answer.texts("Message"), [said], "{answer}");
    gateway.terminate();
    adds_up(&gateway);
}

#[test]
fn every_row_of_a_file_is_told_and_one_that_is_refused_keeps_none_from_its_turn() {
    let mut gateway = TestGateway::seeded(&seed(), &[]);
    let paid = electronic(&gateway, "10.00");
    let external = created(&gateway, external_refund(EXTERNAL_ACCOUNT, "1.00"));
    electronic(&gateway, DECLINED);
    gateway.terminate();
    // A gateway's clock may be a little ahead.
    let soon = DateTime::<Utc>::from(SystemTime::now() + Duration::from_secs(60));
    let soon = soon.to_rfc3339_opts(SecondsFormat::Secs, true);
    let text = format!(
        "refund,state,at,reason,event_id\n\
         R-00000003,settled,,,\n\
         {external},settled,,,\n\
         R-00000009,failed,,,\n\
         {paid},gone,,,\n\
         nonsense,failed,,,\n\
         {paid},settled,yesterday,,\n\
         {paid},settled\n\
         R-00000001,settled,2099-01-02T03:04:05Z,,e0\n\
         R-00000001,failed,2099-01-02,,\n\
         R-00000001,settled,{soon},\"paid out, at last\",e1\n\
         R-00000001,failed,,,e1\n\
         R-00000001,settled,,,e1\n"
    );
    fs::write(gateway.folder().join("rows.csv"), text).unwrap();
    let (code, reported) = reconcile(&gateway, &["rows.csv"]);
    let expected = [
        "line 2: refused: R-00000003 is Error, and only a Processed refund is settled",
        "line 3: refused: R-00000002 is External and was never with a gateway",
        "line 4: refused: the ledger has no refund R-00000009",
        "line 5: refused: state: `gone` is neither settled nor failed",
        "line 6: refused: `nonsense` is neither the Id nor the RefundNumber of a refund",
        "line 7: refused: at: `yesterday` is neither a moment such as",
        "line 8: refused: has 2 fields, and the first line has 5",
        "line 9: refused: R-00000001: the event is of 2099-01-02T03:04:05+00:00, and now it is",
        "line 10: refused: R-00000001: the event is of 2099-01-02T08:00:00+00:00, and now it is",
        "line 11: R-00000001 is Settled now",
        "line 12: refused: the event id `e1` was told before",
        "line 13: R-00000001 stays Settled; nothing new",
    ];
    assert_eq!(reported.lines().count(), expected.len(), "{reported}");
    for (line, expected) in reported.lines().zip(expected) {
        assert!(line.starts_with(expected), "{expected}\n{line}");
    }
    assert_eq!(code, 1);
    adds_up(&gateway);
    gateway.restart();
    let settled = DateTime::parse_from_rfc3339(&field(&gateway, &paid, "SettledOn")).unwrap();
    assert_eq!(settled.to_utc().to_rfc3339_opts(SecondsFormat::Secs, true), soon);
}

#[test]
fn a_file_that_is_no_such_file_is_refused_whole() {
    let mut gateway = TestGateway::seeded(&seed(), &[]);
    gateway.terminate();
    for (text, said) in [
        ("refund,status\nR-1,settled\n", "unknown column `status`; known are `refund`, `state`"),
        ("refund\nR-1\n", "names no column `state`"),
    ] {
        fs::write(gateway.folder().join("rows.csv"), text).unwrap();
        let (code, reported) = reconcile(&gateway, &["rows.csv"]);
        assert_eq!((code, reported.contains(said)), (4, true), "{reported}");
    }
    assert_eq!(reconcile(&gateway, &["missing.csv"]).0, 4);
    assert_eq!(reconcile(&gateway, &["--id", "R-1"]).0, 2);
}

/// `admin reconcile` against a running gateway: its exit code and what it said.
fn admin(gateway: &TestGateway, args: &[&str]) -> (i32, String) {
    let mut command = program(gateway.folder());
    command.args(["admin", "--admin", &format!("http://{}", gateway.admin())]);
    let output = finish(command.args(["--ledger", "ledger.db", "reconcile"]).args(args));
    let reported = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    (output.status.code().unwrap(), String::from_utf8(reported).unwrap())
}

#[test]
fn a_running_gateway_with_a_real_ledger_is_told_as_well() {
    let folder = tempfile::TempDir::new().unwrap();
    fs::write(folder.path().join("seed.toml"), seed()).unwrap();
    fs::write(
        folder.path().join("config.toml"),
        "[reconciliation]\nrejected = 'put-back'\n[events]\nenabled = true\n",
    )
    .unwrap();
    let args = ["--seed", "seed.toml", "--config", "config.toml"];
    let gateway = TestGateway::start_in(folder, &args);
    let id = electronic(&gateway, "10.00");
    fs::write(
        gateway.folder().join("rows.csv"),
        format!("refund,state\n{id},settled\n{id},failed\nR-00000001,failed\n{id},gone\n"),
    )
    .unwrap();
    let (code, reported) = admin(&gateway, &["rows.csv"]);
    let expected = [
        "line 2: R-00000001 is Settled now",
        "line 3: R-00000001 is FailedToSettle now, and its money was put back",
        "line 4: R-00000001 stays FailedToSettle; nothing new",
        "line 5: refused: state: `gone` is neither settled nor failed",
    ];
    assert_eq!((code, reported.lines().collect::<Vec<_>>()), (1, expected.to_vec()));
    let early = ["--id", &id, "--state", "failed", "--at", "2001-02-03T04:05:06Z"];
    let (code, reported) = admin(&gateway, &early);
    assert_eq!(
        (code, reported.contains("refused: R-00000001 was created at")),
        (1, true),
        "{reported}"
    );
    // By the ledger's name it is that gateway that is told; what becomes of the money is its own.
    let (code, reported) = reconcile(&gateway, &["rows.csv"]);
    assert_eq!((code, reported.lines().count()), (1, 4), "{reported}");
    assert!(reported.contains("line 3: R-00000001 stays FailedToSettle"), "{reported}");
    let (code, reported) = reconcile(&gateway, &["rows.csv", "--rejected", "put-back"]);
    assert_eq!((code, reported.contains("leave --rejected out")), (3, true), "{reported}");
    assert_eq!(gateway.balance(ELECTRONIC_ACCOUNT), "1000.00");
    let events = finish(program(gateway.folder()).args(["events", "--ledger", gateway.place()]));
    let events = String::from_utf8(events.stdout).unwrap();
    let kinds: Vec<_> = events.lines().filter_map(|line| line.split_whitespace().nth(2)).collect();
    let expected = ["processing", "processed", "settled", "failed_to_settle", "compensated"];
    assert_eq!(kinds, expected.map(|kind| format!("refund.{kind}")));
    adds_up(&gateway);
}

/// Regression: UpdatedDate and the compensating entry had the moment of the processor's event,
/// which may be long ago or still to come, and a plain day was refused.
#[test]
fn a_change_has_the_moment_at_which_the_gateway_is_told() {
    let clock = "2026-03-02T20:00:00Z";
    let config = "[reconciliation]\nrejected = 'put-back'\n";
    let folder = tempfile::TempDir::new().unwrap();
    fs::write(folder.path().join("seed.toml"), seed()).unwrap();
    fs::write(folder.path().join("config.toml"), config).unwrap();
    let args = ["--test", "--seed", "seed.toml", "--config", "config.toml", "--clock", clock];
    let gateway = TestGateway::start_in(folder, &args);
    let id = electronic(&gateway, "10.00");
    assert_eq!(api(&gateway, "POST", "/api/v1/clock/advance", r#"{"seconds": 864000}"#).0, 200);
    let report = |state, at| admin(&gateway, &["--id", &id, "--state", state, "--at", at]);
    // The refund's own day, in Los Angeles, has begun before it.
    let (code, reported) = report("settled", "2026-03-02");
    assert_eq!(code, 0, "{reported}");
    assert_eq!(field(&gateway, &id, "SettledOn"), "2026-03-02T12:00:00.000-08:00");
    let (code, reported) = report("failed", "2026-03-04");
    assert_eq!(code, 0, "{reported}");
    assert!(field(&gateway, &id, "UpdatedDate").starts_with("2026-03-12T13:00:00"));
    let moment = |select: &str| -> String {
        let ms = gateway.stored().select(select)[0][0].parse().unwrap();
        DateTime::from_timestamp_millis(ms).unwrap().format("%Y-%m-%d %H:%M:%S").to_string()
    };
    let reported = "2026-03-12 20:00:00";
    assert_eq!(moment("select compensated_ms from refund"), reported);
    assert_eq!(moment("select at_ms from entry where kind = 'compensation'"), reported);
    // The history says when it was for the processor.
    let history = "select max(at_ms) from exchange where kind = 'settlement'";
    assert_eq!(moment(history), "2026-03-04 08:00:00");
    let (code, reported) = report("settled", "2026-03-01");
    assert!(code == 1 && reported.contains("R-00000001 was created at"), "{reported}");
    let (code, reported) = report("settled", "2026-02-30");
    assert!(code == 1 && reported.contains("`2026-02-30` is neither a moment"), "{reported}");
}

/// A call to the admin API: its status and body.
fn api(gateway: &TestGateway, method: &str, path: &str, body: &str) -> (u16, String) {
    let token = fs::read_to_string(gateway.folder().join("ledger.db.admin-token")).unwrap();
    let bearer = format!("Bearer {}", token.trim());
    let headers = [("Authorization", &*bearer), ("Content-Type", "application/json")];
    let mut connection = crate::wire::Connection::open(gateway.admin());
    let answer = connection.send(method, path, &headers, body.as_bytes());
    (answer.status, String::from_utf8_lossy(&answer.body).into_owned())
}

#[test]
fn rules_can_be_added_to_a_running_sandbox() {
    let gateway = TestGateway::seeded(&seed(), &[]);
    let path = "/api/v1/gateways/sandbox/rules";
    let rule = r#"{"amount": "13.00", "answer": "approve", "times": 1}"#;
    assert_eq!(api(&gateway, "POST", path, rule).0, 201);
    let rule = r#"{"answer": "decline", "code": "51", "times": 2}"#;
    assert_eq!(api(&gateway, "POST", path, rule).0, 201);
    let state = |amount| {
        let id = electronic(&gateway, amount);
        (field(&gateway, &id, "Status"), field(&gateway, &id, "GatewayResponseCode"))
    };
    let is = |status: &str, code: &str| (status.to_owned(), code.to_owned());
    assert_eq!(state(DECLINED), is("Processed", "OK"));
    assert_eq!(state("1.00"), is("Error", "51"));
    let (_, listed) = api(&gateway, "GET", path, "");
    assert!(listed.contains(r#""code":"51""#) && listed.contains(r#""times":1"#), "{listed}");
    assert_eq!(api(&gateway, "DELETE", path, "").0, 200);
    assert_eq!(state("1.00"), is("Processed", "OK"));
    assert_eq!(state(DECLINED), is("Error", "Declined"));
    for (body, said) in [
        (r#"{"answer": "maybe"}"#, "maybe"),
        (r#"{"answer": "decline", "times": 0}"#, "times"),
        (r#"{"answer": "decline", "amount": "-1"}"#, "amount"),
        (r#"{"amount": "1"}"#, "answer"),
    ] {
        let (status, reported) = api(&gateway, "POST", path, body);
        assert!(status == 400 && reported.contains(said), "{status} {reported}");
    }
    assert_eq!(api(&gateway, "GET", "/api/v1/gateways/none/rules", "").0, 404);
}

/// The switches of the sandbox, each as the documents describe the gateway that has it.
#[test]
fn the_sandbox_refuses_what_documented_gateways_refuse() {
    let on = "kind = 'sandbox'\nduplicate_window_s = 120\nrequire_settled = true\n\
              refund_window_days = 60\n";
    let payment = |number: &str, date: &str, settled: bool| {
        format!(
            "[[payment]]\nid = '402892c72b9e3319012b9e34b88e02{number}'\nnumber = 'P-{number}'\n\
             account = '{ELECTRONIC_ACCOUNT}'\ntype = 'Electronic'\namount = '50.00'\n\
             effective_date = '{date}'\npayment_method = '{ELECTRONIC_METHOD}'\n\
             settled = {settled}\n"
        )
    };
    let seed = seed().replacen("kind = 'sandbox'\n", on, 1)
        + &payment("11", "2026-03-01", true)
        + &payment("12", "2026-03-01", false)
        + &payment("13", "2025-12-31", true);
    let gateway = TestGateway::seeded(&seed, &["--clock", "2026-03-02T20:00:00Z"]);
    let reported = |id: String| {
        ["Status", "GatewayResponseCode", "GatewayResponse"].map(|it| field(&gateway, &id, it))
    };
    let of = |number: &str, amount: &str| {
        let id = format!("402892c72b9e3319012b9e34b88e02{number}");
        let object = [("PaymentId", &*id), ("Amount", amount), ("Type", "Electronic")];
        reported(created(&gateway, refund(&object)))
    };
    assert_eq!(reported(electronic(&gateway, "5.00")), ["Processed", "OK", "Approved"]);
    assert_eq!(
        reported(electronic(&gateway, "5.00")),
        ["Error", "3/11", "A duplicate transaction has been submitted."]
    );
    assert_eq!(reported(electronic(&gateway, "5.01"))[0], "Processed");
    assert_eq!(of("11", "20.00")[0], "Processed");
    assert_eq!(
        of("12", "21.00"),
        [
            "Error",
            "3/54",
            "The referenced transaction does not meet the criteria for issuing a credit."
        ]
    );
    assert_eq!(
        of("13", "22.00"),
        ["Error", "10009", "You are over the time limit to perform a refund on this transaction."]
    );
    assert_eq!(gateway.balance(ELECTRONIC_ACCOUNT), "989.99");
}
