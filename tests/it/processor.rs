//! Configured payment gateways as their users meet them: the built program, its configuration, and
//! a processor that fails on demand. Whatever comes back, money leaves at most once a refund, and a
//! refund is Processed or Error only when the processor said so for certain.

use crate::gateway::{
    ELECTRONIC_ACCOUNT, ELECTRONIC_METHOD, TestGateway, electronic_refund, envelope, refund,
    session_header,
};
use crate::processor_stub::{Behaviour, ProcessorStub, SECRET};
use serde_json::json;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a refund may take to get where it should: long enough for any machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A seed whose account is with the gateway `cards`, which it does not define.
fn seed() -> String {
    format!(
        "[[user]]\nusername = 'demo@example.com'\npassword = 'demo'\n\
         permissions = ['credit-balance-electronic-refund']\n\
         [[account]]\nid = '{ELECTRONIC_ACCOUNT}'\nnumber = 'A1'\nname = 'One'\n\
         currency = 'USD'\ncredit_balance = '1000.00'\ngateway = 'cards'\n\
         [[payment_method]]\nid = '{ELECTRONIC_METHOD}'\naccount = '{ELECTRONIC_ACCOUNT}'\n\
         type = 'CreditCard'\n"
    )
}

/// A gateway with this configuration, on the seed above.
pub fn configured(config: &str) -> TestGateway {
    let folder = TempDir::new().unwrap();
    write(folder.path(), config);
    TestGateway::start_in(folder, &["--test", "--seed", "seed.toml", "--config", "config.toml"])
}

fn write(folder: &Path, config: &str) {
    fs::write(folder.join("seed.toml"), seed()).unwrap();
    fs::write(folder.join("config.toml"), config).unwrap();
}

/// Creates an electronic refund, which always succeeds, and gives its id.
pub fn created(gateway: &TestGateway, session: &str, amount: &str) -> String {
    let object = electronic_refund(amount);
    let answer = gateway.create(session, &[object]);
    answer.texts("Id").pop().unwrap_or_else(|| panic!("not created: {answer}"))
}

/// A field of a refund; empty when it has none.
pub fn field(gateway: &TestGateway, session: &str, id: &str, name: &str) -> String {
    let zoql = format!("select Id, {name} from Refund where Id = '{id}'");
    let body = format!("<api:query><api:queryString>{zoql}</api:queryString></api:query>");
    let answer = gateway.post(crate::gateway::ENDPOINT, &envelope(&session_header(session), &body));
    assert_eq!(answer.status, 200, "{answer}");
    answer.texts(name).pop().unwrap_or_default()
}

pub fn status(gateway: &TestGateway, session: &str, id: &str) -> String {
    field(gateway, session, id, "Status")
}

/// Waits until a refund has left Processing, and says where to.
fn ended(gateway: &TestGateway, session: &str, id: &str) -> String {
    let started = Instant::now();
    loop {
        let status = status(gateway, session, id);
        if status != "Processing" {
            return status;
        }
        assert!(started.elapsed() < PATIENCE, "{id} stays in Processing\n{}", gateway.stderr());
        thread::sleep(Duration::from_millis(50));
    }
}

/// Waits until something is so.
pub fn until(what: &str, is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < PATIENCE, "never: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_refund_is_paid_by_the_processor_of_the_accounts_gateway() {
    let stub = ProcessorStub::start();
    let gateway = configured(&stub.table("cards", ""));
    let session = gateway.login();
    let id = created(&gateway, &session, "12.5");
    assert_eq!(status(&gateway, &session, &id), "Processed");
    let reference = field(&gateway, &session, &id, "ReferenceID");
    assert_eq!(reference, format!("stub-{}-1", &id[24..]));
    assert_eq!(field(&gateway, &session, &id, "GatewayResponse"), "Paid by the stub");
    assert_eq!(field(&gateway, &session, &id, "GatewayResponseCode"), "OK");
    let expected = json!({
        "reference": id, "amount": "12.50", "currency": "USD", "kind": "non-referenced",
        "payment_method": ELECTRONIC_METHOD, "options": [],
    });
    assert_eq!(stub.orders(), [expected]);
    assert_eq!((stub.paid(&id), stub.refused()), (1, Vec::new()));
    assert_eq!(gateway.balance(ELECTRONIC_ACCOUNT), "987.50");
}

/// The seed of a payment of 80.00 that came through `cards`, made this many days ago.
fn payment(days: i64) -> String {
    let date = (chrono::Utc::now() - chrono::TimeDelta::days(days)).date_naive();
    let seed = seed().replace("['credit-balance-electronic-refund']", "['electronic-refund']");
    // The age of a payment is counted in days of the tenant.
    format!(
        "[tenant]\ntime_zone = 'UTC'\n{seed}\
         [[payment]]\nid = '{PAYMENT}'\nnumber = 'P-1'\naccount = '{ELECTRONIC_ACCOUNT}'\n\
         type = 'Electronic'\namount = '80.00'\neffective_date = '{date}'\n\
         payment_method = '{ELECTRONIC_METHOD}'\nreference_id = 'ch_1'\n"
    )
}

const PAYMENT: &str = "402892c72b9e3319012b9e34b88e0201";

fn refund_of_payment() -> String {
    refund(&[("PaymentId", PAYMENT), ("Amount", "30.00"), ("Type", "Electronic")])
}

#[test]
fn a_payment_is_given_back_by_the_processors_own_reference_also_after_a_restart() {
    let stub = ProcessorStub::start();
    let folder = TempDir::new().unwrap();
    write(
        folder.path(),
        &stub.table("cards", "non_referenced_refunds = false").replacen(
            "non_referenced_refunds = true\n",
            "",
            1,
        ),
    );
    fs::write(folder.path().join("seed.toml"), payment(3)).unwrap();
    let args = ["--test", "--seed", "seed.toml", "--config", "config.toml"];
    let mut gateway = TestGateway::start_in(folder, &args);
    let session = gateway.login();
    stub.script([Behaviour::DropBefore]);
    stub.rule_inquiries(Behaviour::StatusBefore(503));
    let answer = gateway.create(&session, &[refund_of_payment()]);
    let id = answer.texts("Id").pop().unwrap_or_else(|| panic!("{answer}"));
    gateway.kill9();
    stub.rule_inquiries(Behaviour::Normal);
    gateway.restart();
    let session = gateway.login();
    assert_eq!(ended(&gateway, &session, &id), "Processed");
    let expected = json!({
        "reference": id, "amount": "30.00", "currency": "USD", "kind": "referenced",
        "payment_method": ELECTRONIC_METHOD, "original_payment": "ch_1", "options": [],
    });
    assert_eq!(stub.orders(), std::slice::from_ref(&expected));
    let answer = gateway.create(&session, &[refund_of_payment()]);
    let id = answer.texts("Id").pop().unwrap_or_else(|| panic!("{answer}"));
    assert_eq!(ended(&gateway, &session, &id), "Processed");
    assert_eq!(stub.orders()[1]["original_payment"], expected["original_payment"]);
    assert_eq!(stub.payments().values().sum::<u32>(), 2);
}

/// A gateway whose only account has a payment of 61 days ago.
fn with_an_old_payment(config: &str) -> TestGateway {
    let folder = TempDir::new().unwrap();
    write(folder.path(), config);
    fs::write(folder.path().join("seed.toml"), payment(61)).unwrap();
    TestGateway::start_in(folder, &["--test", "--seed", "seed.toml", "--config", "config.toml"])
}

#[test]
fn a_gateway_gives_back_only_what_its_table_allows() {
    let stub = ProcessorStub::start();
    let gateway = with_an_old_payment(&stub.table("cards", "referenced_refunds = false"));
    let answer = gateway.create(&gateway.login(), &[refund_of_payment()]);
    let expected = "does not support referenced refunds.";
    assert!(answer.to_string().contains(expected), "{answer}");
    assert_eq!(stub.refunds(), 0);
}

/// Regression: a payment past the window was a row error. Any payment can be refunded, the vendor
/// says, and it is the gateway that declines it.
#[test]
fn past_its_window_a_gateway_declines_and_is_not_even_asked() {
    let stub = ProcessorStub::start();
    for (window, expected) in [(60, ["Error", "10009"]), (62, ["Processed", "OK"])] {
        let config = stub.table("cards", &format!("refund_window_days = {window}"));
        let gateway = with_an_old_payment(&config);
        let session = gateway.login();
        let answer = gateway.create(&session, &[refund_of_payment()]);
        let id = answer.texts("Id").pop().unwrap_or_else(|| panic!("{answer}"));
        let reported =
            ["Status", "GatewayResponseCode"].map(|it| field(&gateway, &session, &id, it));
        assert_eq!(reported, expected, "{window}");
        assert_eq!(stub.paid(&id), u32::from(window == 62));
        // A decline gave the payment its money back, so that it can be refunded otherwise.
        let again = refund_of_payment().replace("30.00", "80.00");
        let again = gateway.create(&session, &[again]);
        assert_eq!(again.successes(), usize::from(window == 60), "{again}");
    }
    assert_eq!(stub.refunds(), 1);
}

#[test]
fn a_decline_gives_the_money_back() {
    let stub = ProcessorStub::start();
    let gateway = configured(&stub.table("cards", ""));
    let session = gateway.login();
    stub.script([Behaviour::Decline]);
    let id = created(&gateway, &session, "12.50");
    assert_eq!(status(&gateway, &session, &id), "Error");
    assert_eq!(field(&gateway, &session, &id, "GatewayResponseCode"), "51");
    assert_eq!((stub.paid(&id), stub.refunds()), (0, 1));
    assert_eq!(gateway.balance(ELECTRONIC_ACCOUNT), "1000.00");
}

/// Everything that is no answer leaves the refund in Processing with its money held, and the next
/// start learns by asking what became of it: paid once.
#[test]
fn an_answer_that_is_lost_or_wrong_is_asked_for_again_and_paid_once() {
    let stub = ProcessorStub::start();
    let elsewhere = ProcessorStub::start();
    let mut gateway =
        configured(&stub.table("cards", "timeout_ms = 1000\nbreaker = { failures = 1000 }"));
    let session = gateway.login();
    let behaviours = [
        Behaviour::DropAfter,
        Behaviour::Half,
        Behaviour::Hang,
        Behaviour::Garbage,
        Behaviour::StatusAfter(500),
        Behaviour::StatusAfter(503),
        Behaviour::StatusAfter(400),
        Behaviour::StatusAfter(404),
        Behaviour::WrongEcho("reference"),
        Behaviour::WrongEcho("amount"),
        Behaviour::WrongEcho("currency"),
        Behaviour::Without("amount"),
        Behaviour::Without("code"),
        Behaviour::Without("processor_reference"),
        Behaviour::ContentType("text/html"),
        Behaviour::Oversized,
        Behaviour::Redirect(format!("{}/refunds", elsewhere.url())),
        Behaviour::Processing,
    ];
    // Nothing may be reported before the restart.
    stub.rule_inquiries(Behaviour::StatusBefore(503));
    let mut ids = Vec::new();
    for behaviour in &behaviours {
        stub.script([behaviour.clone()]);
        let id = created(&gateway, &session, "10.00");
        assert_eq!(status(&gateway, &session, &id), "Processing", "{behaviour:?}");
        assert_eq!(stub.paid(&id), 1, "{behaviour:?}");
        ids.push(id);
    }
    assert_eq!(gateway.balance(ELECTRONIC_ACCOUNT), "820.00");
    gateway.kill9();
    stub.rule_inquiries(Behaviour::Normal);
    gateway.restart();
    let session = gateway.login();
    for (id, behaviour) in ids.iter().zip(&behaviours) {
        assert_eq!(ended(&gateway, &session, id), "Processed", "{behaviour:?}");
        assert_eq!(stub.paid(id), 1, "{behaviour:?}");
    }
    assert_eq!(stub.refunds(), behaviours.len(), "nothing was sent twice");
    assert_eq!(elsewhere.refunds() + elsewhere.connections(), 0, "nobody followed the redirect");
    assert_eq!(gateway.balance(ELECTRONIC_ACCOUNT), "820.00");
}

#[test]
fn an_order_that_the_processor_never_heard_of_is_sent_again_under_its_id() {
    let stub = ProcessorStub::start();
    let mut gateway = configured(&stub.table("cards", ""));
    let session = gateway.login();
    stub.rule_inquiries(Behaviour::StatusBefore(503));
    stub.script([Behaviour::DropBefore]);
    let id = created(&gateway, &session, "10.00");
    assert_eq!((status(&gateway, &session, &id), stub.paid(&id)), ("Processing".to_owned(), 0));
    gateway.kill9();
    stub.rule_inquiries(Behaviour::Normal);
    gateway.restart();
    let session = gateway.login();
    assert_eq!(ended(&gateway, &session, &id), "Processed");
    assert_eq!((stub.paid(&id), stub.refunds()), (1, 2));
}

#[test]
fn a_bare_404_is_no_never_heard_and_nothing_is_sent_again() {
    let stub = ProcessorStub::start();
    let mut gateway = configured(&stub.table("cards", ""));
    let session = gateway.login();
    stub.script([Behaviour::DropAfter]);
    stub.rule_inquiries(Behaviour::StatusBefore(404));
    let id = created(&gateway, &session, "10.00");
    gateway.kill9();
    gateway.restart();
    let session = gateway.login();
    until("an inquiry", || stub.inquiries() > 0);
    assert_eq!((status(&gateway, &session, &id), stub.refunds()), ("Processing".to_owned(), 1));
    assert_eq!(gateway.balance(ELECTRONIC_ACCOUNT), "990.00");
}

#[test]
fn past_the_retention_of_keys_nothing_is_sent_again() {
    let stub = ProcessorStub::start();
    let mut gateway = configured(&stub.table("cards", "key_retention_h = 0"));
    let session = gateway.login();
    stub.script([Behaviour::DropAfter]);
    stub.rule_inquiries(Behaviour::StatusBefore(503));
    let id = created(&gateway, &session, "10.00");
    gateway.kill9();
    // It has paid, and forgotten it.
    stub.forget();
    stub.rule_inquiries(Behaviour::Normal);
    let asked = stub.inquiries();
    gateway.restart();
    let session = gateway.login();
    until("an inquiry", || stub.inquiries() > asked);
    assert_eq!((status(&gateway, &session, &id), stub.refunds()), ("Processing".to_owned(), 1));
    assert_eq!(stub.paid(&id), 1);
    assert_eq!(gateway.balance(ELECTRONIC_ACCOUNT), "990.00");
}

#[test]
fn an_open_circuit_sends_nothing_and_declines_nothing_and_closes_by_itself() {
    let stub = ProcessorStub::start();
    let breaker = "breaker = { failures = 2, open_ms = 600000 }";
    let mut gateway = configured(&stub.table("cards", breaker));
    let session = gateway.login();
    stub.rule(Behaviour::StatusBefore(500));
    stub.rule_inquiries(Behaviour::StatusBefore(500));
    let ids: Vec<String> = (0..4).map(|_| created(&gateway, &session, "10.00")).collect();
    for id in &ids {
        assert_eq!(status(&gateway, &session, id), "Processing");
    }
    let came = stub.refunds() + stub.inquiries();
    assert_eq!(came, 2, "the circuit let more through");
    assert_eq!(gateway.balance(ELECTRONIC_ACCOUNT), "960.00");
    until("the log tells it", || gateway.stderr().contains("the circuit is open"));
    // Half open after a moment: one request tries, and the others follow.
    gateway.kill9();
    let short = breaker.replace("600000", "200");
    fs::write(gateway.folder().join("config.toml"), stub.table("cards", &short)).unwrap();
    stub.rule(Behaviour::Normal);
    stub.rule_inquiries(Behaviour::Normal);
    gateway.restart();
    let session = gateway.login();
    for id in &ids {
        assert_eq!(ended(&gateway, &session, id), "Processed");
        assert_eq!(stub.paid(id), 1);
    }
}

#[test]
fn nobody_there_stays_in_processing_and_a_gateway_that_was_removed_is_warned_of() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let config = format!(
        "[[gateway]]\nname = 'cards'\nkind = 'http'\nurl = 'http://{address}'\n\
         secret = '{SECRET}'\nnon_referenced_refunds = true\n"
    );
    let mut gateway = configured(&config);
    let session = gateway.login();
    let id = created(&gateway, &session, "10.00");
    assert_eq!(status(&gateway, &session, &id), "Processing");
    assert_eq!(gateway.balance(ELECTRONIC_ACCOUNT), "990.00");
    assert!(gateway.terminate().success());
    fs::write(gateway.folder().join("config.toml"), "").unwrap();
    // Nothing seeded may name the gateway that is gone.
    fs::write(gateway.folder().join("seed.toml"), "").unwrap();
    gateway.restart();
    assert_eq!(gateway.balance(ELECTRONIC_ACCOUNT), "990.00");
    // The log has a thread of its own; it is all written by the end.
    assert!(gateway.terminate().success());
    let said = gateway.stderr();
    assert!(said.contains("not configured any more"), "{said}");
}

#[test]
fn connections_are_kept_and_bounded() {
    let stub = ProcessorStub::start();
    let gateway = configured(&stub.table("cards", "connections_max = 2"));
    let session = gateway.login();
    stub.rule(Behaviour::Slow(Duration::from_millis(20)));
    let object = |_| electronic_refund("1.00");
    let answer = gateway.create(&session, &(0..20).map(object).collect::<Vec<_>>());
    for id in answer.texts("Id") {
        assert_eq!(ended(&gateway, &session, &id), "Processed");
    }
    assert_eq!(stub.payments().len(), 20);
    assert!(stub.connections() <= 2, "{} connections", stub.connections());
}

#[test]
fn a_secret_is_never_logged() {
    let stub = ProcessorStub::start();
    let folder = TempDir::new().unwrap();
    write(folder.path(), &stub.table("cards", "timeout_ms = 500"));
    let args = ["--test", "--seed", "seed.toml", "--config", "config.toml"];
    let gateway = TestGateway::start_with_env(folder, &args, &[("RUST_LOG", "trace")]);
    let session = gateway.login();
    stub.script([Behaviour::Normal, Behaviour::Hang, Behaviour::Garbage, Behaviour::Decline]);
    for _ in 0..4 {
        created(&gateway, &session, "10.00");
    }
    until("a trace", || gateway.stderr().contains("TRACE") || gateway.stderr().contains("trace"));
    let metrics = gateway.get_admin("/metrics").to_string();
    for reported in [gateway.stderr(), metrics] {
        assert!(!reported.contains(SECRET), "the secret is there");
    }
}
