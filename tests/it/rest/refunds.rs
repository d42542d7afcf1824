//! The two operations that the documents describe: refund a credit memo, refund a payment.

use super::client::{ACCOUNT, Client, MEMO, METHOD, PAYMENT, done, refused, settlement};
use crate::gateway::TestGateway;
use serde_json::{Value, json};

/// The keys of the answer in document 003, in its order.
const KEYS: [&str; 38] = [
    "id",
    "number",
    "status",
    "type",
    "methodType",
    "accountId",
    "amount",
    "refundDate",
    "comment",
    "paymentMethodId",
    "paymentMethodSnapshotId",
    "paymentId",
    "paymentNumber",
    "creditMemoId",
    "reasonCode",
    "gatewayId",
    "paymentGatewayNumber",
    "gatewayResponse",
    "gatewayResponseCode",
    "gatewayState",
    "markedForSubmissionOn",
    "referenceId",
    "secondRefundReferenceId",
    "softDescriptor",
    "softDescriptorPhone",
    "submittedOn",
    "settledOn",
    "cancelledOn",
    "createdDate",
    "createdById",
    "updatedDate",
    "updatedById",
    "refundTransactionTime",
    "financeInformation",
    "gatewayReconciliationStatus",
    "gatewayReconciliationReason",
    "payoutId",
    "success",
];

/// The top-level keys of a document in one line, in their order.
fn keys(text: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let (mut depth, mut rest) = (0, text);
    while let Some(at) = rest.find(['{', '}', '[', ']', '"']) {
        let (mark, after) = (rest.as_bytes()[at], &rest[at + 1..]);
        rest = after;
        match mark {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {
                let end = after.find('"').expect("the end of a string");
                rest = &after[end + 1..];
                if depth == 1 && rest.starts_with(':') {
                    keys.push(after[..end].to_owned());
                }
            }
        }
    }
    keys
}

/// The path of the refund of a payment or a credit memo.
fn of_payment(key: &str) -> String {
    format!("/v1/payments/{key}/refunds")
}

fn of_memo(key: &str) -> String {
    format!("/v1/credit-memos/{key}/refund")
}

#[test]
fn the_sample_of_the_document_is_answered_as_in_the_document() {
    let gateway = settlement();
    let client = Client::new(&gateway);
    let answer = client.send(
        "POST",
        &of_payment(PAYMENT),
        &[("Zuora-Track-Id", "job 7")],
        "{\"type\":\"Electronic\",\"totalAmount\":10}",
    );
    let refund = done(&answer);
    assert_eq!(keys(&answer.text()), KEYS);
    assert_eq!(answer.header("zuora-track-id"), Some("job 7"));
    assert_eq!(answer.header("zuora-request-id").map(str::len), Some(36));
    for (name, value) in [
        ("status", json!("Processed")),
        ("type", json!("Electronic")),
        ("methodType", json!("CreditCard")),
        ("accountId", json!(ACCOUNT)),
        ("amount", json!(10)),
        ("comment", Value::Null),
        ("paymentMethodId", json!(METHOD)),
        ("paymentId", json!(PAYMENT)),
        ("paymentNumber", json!("P-00000001")),
        ("creditMemoId", Value::Null),
        ("paymentGatewayNumber", json!("PG-00000001")),
        ("gatewayState", json!("Submitted")),
        ("gatewayResponseCode", json!("OK")),
        ("settledOn", Value::Null),
    ] {
        assert_eq!(refund[name], value, "{name}: {answer}");
    }
    for day in ["submittedOn", "createdDate", "refundTransactionTime"] {
        let text = refund[day].as_str().unwrap_or_default();
        assert!(text.len() == 19 && text.as_bytes()[10] == b' ', "{day}: {answer}");
    }
    let number = refund["number"].as_str().unwrap();
    let read = client.get(&format!("/v1/refunds/{number}"));
    let read = done(&read);
    for key in KEYS {
        assert_eq!(read[key], refund[key], "{key}");
    }
    // The same under the other root, by number, with an amount as a text.
    let path = format!("/rest{}", of_payment("P-00000001"));
    let refund = done(&client.post(&path, &json!({"type": "Electronic", "totalAmount": "0.50"})));
    assert_eq!(refund["amount"], json!(0.5));
}

#[test]
fn an_external_refund_of_a_credit_memo_takes_its_unapplied_part() {
    let gateway = settlement();
    let client = Client::new(&gateway);
    let body = |amount: &str| {
        json!({"type": "External", "methodType": "Check", "totalAmount": amount,
               "comment": "back", "referenceId": "check 17",
               "financeInformation": {"bankAccountAccountingCode": "B-1",
                                      "transferredToAccounting": "No"},
               "SyncDate__NS": "2026-01-01"})
    };
    for path in [of_memo(MEMO), of_memo("CM00000001"), "/v1/creditmemos/CM00000001/refunds".into()]
    {
        let refund = done(&client.post(&path, &body("300.00")));
        for (name, value) in [
            ("status", json!("Processed")),
            ("methodType", json!("Check")),
            ("amount", json!(300)),
            ("creditMemoId", json!(MEMO)),
            ("paymentId", Value::Null),
            ("comment", json!("back")),
            ("referenceId", json!("check 17")),
            ("gatewayState", json!("NotSubmitted")),
            ("gatewayId", Value::Null),
            ("submittedOn", Value::Null),
            ("SyncDate__NS", json!("2026-01-01")),
        ] {
            assert_eq!(refund[name], value, "{name}: {refund}");
        }
        assert_eq!(refund["financeInformation"]["bankAccountAccountingCode"], json!("B-1"));
    }
    let (status, code, text) = refused(&client.post(&of_memo(MEMO), &body("100.01")));
    assert_eq!((status, code % 100), (400, 30), "{text}");
    done(&client.post(&of_memo(MEMO), &body("100.00")));
    let memo = done(&client.get(&format!("/v1/credit-memos/{MEMO}")));
    assert_eq!(memo["unappliedAmount"], json!(0), "{memo}");
    assert_eq!(memo["refundAmount"], json!(1000), "{memo}");
    gateway.balances();
}

#[test]
fn a_refund_lives_until_it_is_deleted() {
    let gateway = settlement();
    let client = Client::new(&gateway);
    let body = json!({"type": "External", "methodType": "Cash", "totalAmount": 10});
    let refund = done(&client.post(&of_payment(PAYMENT), &body));
    let path = format!("/v1/refunds/{}", refund["number"].as_str().unwrap());
    let changed = done(&client.put(&path, &json!({"comment": "x", "referenceId": "17"})));
    assert_eq!((&changed["comment"], &changed["referenceId"]), (&json!("x"), &json!("17")));
    let (status, code, _) = refused(&client.delete(&path));
    assert_eq!((status, code % 100), (400, 30));
    let canceled = done(&client.put(&format!("{path}/cancel"), &json!({})));
    assert_eq!(canceled["status"], json!("Canceled"), "{canceled}");
    assert!(canceled["cancelledOn"].is_string(), "{canceled}");
    let payment = done(&client.get(&format!("/v1/payments/{PAYMENT}")));
    assert_eq!(payment["unappliedAmount"], json!(1000), "{payment}");
    let listed = done(&client.get("/v1/refunds?status=Canceled&pageSize=1"));
    assert_eq!(listed["refunds"][0]["id"], refund["id"], "{listed}");
    assert_eq!(done(&client.delete(&path)), json!({"success": true}));
    assert_eq!(client.get(&path).status, 404);
}

#[test]
fn the_last_unapplied_cent_goes_to_exactly_one() {
    let gateway = settlement();
    let client = Client::new(&gateway);
    let body = json!({"type": "External", "methodType": "Cash", "totalAmount": 100});
    let succeeded = std::thread::scope(|scope| {
        let refunds: Vec<_> = (0..24)
            .map(|number| {
                let (client, body) = (&client, &body);
                scope.spawn(move || {
                    let path = if number % 2 == 0 { of_memo(MEMO) } else { of_payment(PAYMENT) };
                    client.post(&path, body).text().contains("\"success\":true")
                })
            })
            .collect();
        refunds.into_iter().map(|one| usize::from(one.join().unwrap())).sum::<usize>()
    });
    assert_eq!(succeeded, 20);
}

/// The demo of Invoice Settlement with an invoice of 100.00, which the payment pays.
fn applied() -> TestGateway {
    let demo = include_str!("../../../src/service/seed/demo.toml");
    let settlement = include_str!("../../../src/service/seed/demo_settlement.toml");
    let invoice = format!(
        "[[invoice]]\nid = \"402892c72b9e3319012b9e34b88e0101\"\nnumber = \"INV00000001\"\n\
         account = \"{ACCOUNT}\"\ndate = \"2026-01-02\"\namount = \"100.00\"\n\
         balance = \"100.00\"\n"
    );
    let gateway = TestGateway::seeded(&[demo, settlement, &invoice].join("\n"), &[]);
    let share = json!({"invoices": [{"invoiceNumber": "INV00000001", "amount": 100}]});
    done(&Client::new(&gateway).put(&format!("/v1/payments/{PAYMENT}/apply"), &share));
    gateway
}

#[test]
fn unapply_and_refund_writes_off_as_it_is_asked_and_says_so() {
    let gateway = applied();
    let client = Client::new(&gateway);
    let path = format!("{}/unapply", of_payment(PAYMENT));
    let body = |options: Value| {
        json!({"type": "Electronic", "totalAmount": 40, "writeOff": true,
               "invoices": [{"invoiceNumber": "INV00000001", "amount": 40}],
               "writeOffOptions": options})
    };
    for (options, code) in [
        (json!({"comment": "x".repeat(101)}), 4720),
        (json!({"memoDate": "2026-02-30"}), 4820),
        (json!({"reasonCode": "none"}), 4920),
        (json!({"taxAutoCalculation": "yes"}), 5020),
        (json!({"taxes": true}), 21),
        (json!(7), 3720),
    ] {
        let (status, found, text) = refused(&client.post(&path, &body(options)));
        assert_eq!((status, found), (400, 54_200_000 + code), "{text}");
    }
    let debit_memos = json!({"type": "Electronic", "debitMemos": [{"amount": 1}]});
    let (status, code, text) = refused(&client.post(&path, &debit_memos));
    assert_eq!((status, code), (400, 54_204_620), "{text}");
    let options = json!({"comment": "gone", "memoDate": "2026-03-04", "reasonCode": "Other",
                         "taxAutoCalculation": false});
    let answer = client.send(
        "POST",
        &path,
        &[("Idempotency-Key", "off")],
        &body(options.clone()).to_string(),
    );
    let refund = done(&answer);
    assert_eq!((&refund["status"], &refund["writeOff"]), (&json!("Processed"), &json!(true)));
    let row = json!({"appliedAmount": 40, "creditMemoAmount": 40, "creditMemoStatus": "Posted",
                     "creditMemoNumber": "CM00000002", "debitMemoNumber": null,
                     "invoiceNumber": "INV00000001"});
    let results = json!({"errorMessage": null, "transactions": [row]});
    assert_eq!(refund["writeOffResults"], results, "{answer}");
    let again =
        client.send("POST", &path, &[("Idempotency-Key", "off")], &body(options).to_string());
    assert_eq!(again.text(), answer.text());
    let memo = done(&client.get("/v1/credit-memos/CM00000002"));
    for (name, value) in [
        ("comment", json!("gone")),
        ("creditMemoDate", json!("2026-03-04")),
        ("reasonCode", json!("Other")),
        ("appliedAmount", json!(40)),
    ] {
        assert_eq!(memo[name], value, "{name}: {memo}");
    }
    let plain = json!({"type": "External", "methodType": "Cash", "totalAmount": 60,
                       "invoices": [{"invoiceNumber": "INV00000001", "amount": 60}]});
    let refund = done(&client.post(&path, &plain));
    assert_eq!((&refund["writeOff"], refund.get("writeOffResults")), (&json!(false), None));
    let read = done(&client.get(&format!("/v1/refunds/{}", refund["id"].as_str().unwrap())));
    assert_eq!(read.get("writeOff"), None, "{read}");
}

/// Regression: a refund without a key was read again after it was made, and one that another client
/// had deleted in between was answered without its id.
#[test]
fn what_another_client_deletes_at_once_is_answered_as_it_was_made() {
    let gateway = settlement();
    let client = Client::new(&gateway);
    let is_over = std::sync::atomic::AtomicBool::new(false);
    let over = || is_over.load(std::sync::atomic::Ordering::SeqCst);
    std::thread::scope(|scope| {
        let deleter = scope.spawn(|| {
            while !over() {
                let listed = done(&client.get("/v1/refunds?pageSize=40"));
                for refund in listed["refunds"].as_array().expect("refunds") {
                    let path = format!("/v1/refunds/{}", refund["id"].as_str().unwrap());
                    client.put(&format!("{path}/cancel"), &json!({}));
                    client.delete(&path);
                }
            }
        });
        let makers = [(); 4].map(|()| {
            scope.spawn(|| {
                let body = json!({"type": "External", "methodType": "Cash", "totalAmount": 1});
                for _ in 0..50 {
                    let refund = done(&client.post(&of_payment(PAYMENT), &body));
                    assert!(refund["id"].is_string(), "{refund}");
                    assert_eq!(refund["status"], json!("Processed"), "{refund}");
                    let path = format!("/v1/refunds/{}", refund["id"].as_str().unwrap());
                    let canceled = client.put(&format!("{path}/cancel"), &json!({}));
                    if canceled.status == 200 {
                        let canceled = done(&canceled);
                        assert_eq!(canceled["status"], json!("Canceled"), "{canceled}");
                    }
                }
            })
        });
        for maker in makers {
            maker.join().unwrap();
        }
        is_over.store(true, std::sync::atomic::Ordering::SeqCst);
        deleter.join().unwrap();
    });
}
