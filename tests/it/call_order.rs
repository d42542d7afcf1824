//! Electronic refunds meet the sandbox in the order of their call, and calls in the order of their
//! commits, so that a suite with rules gets the same answers each time.

use crate::admin_api::done;
use crate::gateway::{ENDPOINT, TestGateway, electronic_refund, envelope, session_header};
use serde_json::json;
use std::thread;

const RUNS: usize = 20;

const SEED: &str = r#"
[[user]]
username = "demo@example.com"
password = "demo"
permissions = ["credit-balance-electronic-refund"]

[[account]]
id = "2c92c0f83ddb61af013ddc5736b1025a"
number = "A00000002"
name = "electronic"
currency = "USD"
credit_balance = "10000.00"

[[payment_method]]
id = "2c92c0f83dfa5201013dfa6656ff2b8b"
account = "2c92c0f83ddb61af013ddc5736b1025a"
type = "CreditCard"

[[gateway]]
name = "sandbox"
kind = "sandbox"
"#;

const FIXED: [&str; 4] = ["--clock", "2026-03-04T05:06:07Z", "--id-seed", "7"];

/// A gateway whose sandbox has more keys.
fn gateway(keys: &str) -> TestGateway {
    TestGateway::seeded(&format!("{SEED}{keys}"), &FIXED)
}

fn queried(gateway: &TestGateway, session: &str, query: &str) -> String {
    let query = format!("<api:query><api:queryString>{query}</api:queryString></api:query>");
    gateway.post(ENDPOINT, &envelope(&session_header(session), &query)).text()
}

fn all(text: &str, name: &str) -> Vec<String> {
    let (open, close) = (format!(":{name}>"), format!("</ns2:{name}>"));
    let pieces = text.split(&close).filter_map(|piece| piece.rsplit_once(&open));
    pieces.map(|(_, value)| value.to_owned()).collect()
}

/// The gateway's answers of all refunds, oldest first.
fn states(gateway: &TestGateway, session: &str) -> Vec<String> {
    all(&queried(gateway, session, "select Id, Status from Refund"), "Status")
}

/// Regression: six rows and a rule for one of them had three outcomes in twelve runs.
#[test]
fn a_rule_for_one_order_meets_the_first_row_of_a_call_in_every_run() {
    let rule = "[[gateway.rule]]\namount = \"5.00\"\ntimes = 1\nanswer = \"decline\"\n";
    let gateway = gateway(rule);
    let mut outcomes = Vec::new();
    for _ in 0..RUNS {
        let session = gateway.login();
        let amounts = ["4.00", "5.00", "5", "6.00", "5.00", "5.00"];
        let rows: Vec<String> = amounts.iter().map(|amount| electronic_refund(amount)).collect();
        assert_eq!(gateway.create(&session, &rows).successes(), rows.len());
        let expected = ["Processed", "Error", "Processed", "Processed", "Processed", "Processed"];
        assert_eq!(states(&gateway, &session), expected);
        let logs = "select Id, RefundId, GatewayReasonCode, TransactionDate \
                    from RefundTransactionLog";
        let adjustments = "select Id, Number, Type, Status, Amount from CreditBalanceAdjustment";
        outcomes
            .push((queried(&gateway, &session, logs), queried(&gateway, &session, adjustments)));
        done(&gateway, "POST", "reset", &json!({}));
    }
    assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]), "{outcomes:#?}");
    assert_eq!(all(&outcomes[0].0, "GatewayReasonCode").len(), 6, "{}", outcomes[0].0);
}

/// Regression: of two equal rows of a call, the first was declined as the duplicate of the second.
#[test]
fn of_two_equal_rows_the_second_is_the_duplicate() {
    let gateway = gateway("duplicate_window_s = 120\n");
    for _ in 0..RUNS {
        let session = gateway.login();
        let rows: Vec<String> = vec![electronic_refund("5.00"); 2];
        assert_eq!(gateway.create(&session, &rows).successes(), 2);
        assert_eq!(states(&gateway, &session), ["Processed", "Error"]);
        done(&gateway, "POST", "reset", &json!({}));
    }
}

/// The order of calls that come at once is that of their numbers.
#[test]
fn calls_at_once_meet_the_sandbox_in_the_order_of_their_commits() {
    let rule = "[[gateway.rule]]\ntimes = 5\nanswer = \"decline\"\n";
    let gateway = gateway(rule);
    for _ in 0..5 {
        let session = gateway.login();
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let rows = vec![electronic_refund("1.00"); 3];
                    assert_eq!(gateway.create(&session, &rows).successes(), 3);
                });
            }
        });
        let states = states(&gateway, &session);
        assert_eq!(states.len(), 24);
        let declined: Vec<_> = states.iter().map(|state| state == "Error").collect();
        assert!(declined[..5].iter().all(|it| *it) && !declined[5..].contains(&true), "{states:?}");
        done(&gateway, "POST", "reset", &json!({}));
    }
}
