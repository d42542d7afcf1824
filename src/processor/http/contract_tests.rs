//! What answers mean: the contract's own are certain, everything else is nothing.

use super::contract::{Said, order_body, read};
use crate::client::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use crate::client::{Answer, StatusCode};
use crate::domain::draft::GatewayOption;
use crate::domain::id::{ObjectId, RefundId, RefundNumber};
use crate::domain::lifecycle::Verdict;
use crate::domain::money::{Currency, MinorUnits};
use crate::ledger::Order;
use serde_json::{Value, json};
use std::time::Duration;

fn order() -> Order {
    Order {
        refund: RefundId::new(1, 2, RefundNumber::new(3).unwrap()),
        gateway: "cards".to_owned(),
        payment_method: ObjectId::parse("2c92c0f83dfa5201013dfa6656ff2b8b").unwrap(),
        original_payment: None,
        repaid: None,
        amount: MinorUnits::new(1250),
        currency: Currency::from_code("USD").unwrap(),
        options: vec![GatewayOption { name: "a".to_owned(), value: "b".to_owned() }],
        trace: None,
    }
}

fn approved() -> Value {
    json!({
        "reference": order().refund.to_string(), "amount": "12.50", "currency": "USD",
        "status": "approved", "processor_reference": "re_1", "code": "0", "message": "Paid",
    })
}

fn answer(status: u16, body: &str) -> Answer {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    let status = StatusCode::from_u16(status).unwrap();
    Answer { status, headers, body: body.to_owned().into(), cut: false }
}

fn report(status: u16, body: &Value) -> Result<Said, String> {
    read(&answer(status, &body.to_string()), &order())
}

fn with(member: &str, value: Value) -> Value {
    let mut body = approved();
    body[member] = value;
    body
}

#[test]
fn an_order_says_what_the_contract_wants() {
    let body: Value = serde_json::from_slice(&order_body(&order())).unwrap();
    let expected = json!({
        "reference": order().refund.to_string(), "amount": "12.50", "currency": "USD",
        "kind": "non-referenced", "payment_method": "2c92c0f83dfa5201013dfa6656ff2b8b",
        "options": [{ "name": "a", "value": "b" }],
    });
    assert_eq!(body, expected);
    let referenced = Order { original_payment: Some("ch_1".to_owned()), ..order() };
    let body: Value = serde_json::from_slice(&order_body(&referenced)).unwrap();
    assert_eq!((&body["kind"], &body["original_payment"]), (&json!("referenced"), &json!("ch_1")));
}

#[test]
fn an_answer_of_the_contract_is_certain() {
    let Ok(Said::Ended(Verdict::Approved { reference_id, response, .. })) =
        report(200, &approved())
    else {
        panic!("not approved")
    };
    assert_eq!((&*reference_id, &*response.code, &*response.text), ("re_1", "0", "Paid"));
    let two = report(200, &with("second_processor_reference", json!("re_2")));
    let Ok(Said::Ended(Verdict::Approved { second_reference_id, .. })) = two else { panic!() };
    assert_eq!(second_reference_id.as_deref(), Some("re_2"));
    let declined = with("status", json!("declined"));
    assert!(matches!(report(200, &declined), Ok(Said::Ended(Verdict::Declined { .. }))));
    assert_eq!(report(200, &with("status", json!("processing"))), Ok(Said::Processing));
    let reference = order().refund.to_string();
    let never = json!({ "reference": reference, "status": "never-heard" });
    assert_eq!(report(404, &never), Ok(Said::NeverHeard { retention: None }));
    let never = json!({ "reference": reference, "status": "never-heard", "key_retention_h": 2 });
    let retention = Some(Duration::from_secs(7200));
    assert_eq!(report(404, &never), Ok(Said::NeverHeard { retention }));
    let conflict = json!({ "reference": reference, "status": "conflict" });
    assert_eq!(report(409, &conflict), Ok(Said::Conflict));
    for amount in ["12.5", "012.500"] {
        assert!(report(200, &with("amount", json!(amount))).is_ok(), "{amount}");
    }
    assert!(report(200, &with("more", json!([1]))).is_ok(), "a member for later");
}

#[test]
fn an_answer_about_another_refund_is_nothing() {
    let cases = [
        ("reference", json!("00000000000000000000000000000000"), "echoes another reference"),
        ("amount", json!("12.51"), "echoes another amount"),
        ("amount", json!("12.501"), "echoes another amount"),
        ("amount", json!("1.25e1"), "echoes another amount"),
        ("amount", json!(12.5), "is not the contract's"),
        ("amount", Value::Null, "echoes no amount"),
        ("currency", json!("usd"), "echoes another currency"),
        ("currency", Value::Null, "echoes no currency"),
    ];
    for (member, value, expected) in cases {
        for status in ["approved", "declined", "processing"] {
            let mut body = with(member, value.clone());
            body["status"] = json!(status);
            let why = report(200, &body).expect_err("another refund");
            assert!(why.contains(expected), "{member} {value} {status}: {why}");
        }
    }
}

#[test]
fn a_verdict_without_one_of_its_members_is_nothing() {
    for (status, members) in [
        ("approved", &["processor_reference", "code", "message"][..]),
        ("declined", &["code", "message"]),
    ] {
        for member in members {
            for value in [Value::Null, json!(""), json!(" ")] {
                let mut body = with(member, value);
                body["status"] = json!(status);
                let why = report(200, &body).expect_err("a member is missing");
                assert_eq!(why, format!("the answer has no {member}"));
            }
        }
    }
}

#[test]
fn never_heard_counts_only_in_the_contracts_own_words() {
    let reference = order().refund.to_string();
    let never = json!({ "reference": reference, "status": "never-heard" });
    let with_retention = |hours: Value| {
        let mut never = never.clone();
        never["key_retention_h"] = hours;
        report(404, &never)
    };
    let html = Answer { headers: HeaderMap::new(), ..answer(404, "<h1>Not Found</h1>") };
    for (what, said) in [
        ("a page", read(&html, &order())),
        ("nothing", read(&answer(404, ""), &order())),
        ("empty JSON", read(&answer(404, "{}"), &order())),
        ("JSON of another", read(&answer(404, "{\"message\":\"Not Found\"}"), &order())),
        ("another reference", report(404, &json!({ "reference": "x", "status": "never-heard" }))),
        ("another status", report(200, &never)),
        ("a retention below zero", with_retention(json!(-1))),
        ("a retention in words", with_retention(json!("24"))),
        ("a verdict below 404", report(404, &approved())),
    ] {
        assert!(said.is_err(), "{what}: {said:?}");
    }
}

#[test]
fn what_is_no_answer_of_the_contract_is_nothing() {
    let good = approved().to_string();
    let other_type = |value: &'static str| {
        let mut answer = answer(200, &good);
        answer.headers.insert(CONTENT_TYPE, HeaderValue::from_static(value));
        answer
    };
    for (answer, expected) in [
        (answer(500, &good), "HTTP 500 does not go with the status"),
        (answer(201, &good), "HTTP 201 does not go with the status"),
        (answer(302, &good), "redirects are not followed"),
        (answer(401, "{\"status\":\"refused\"}"), "HTTP 401 with a body"),
        (answer(200, &good[1..]), "is not the contract's"),
        (answer(200, &good.replace("approved", "paid")), "is not the contract's"),
        (answer(200, &good.replacen('{', "{\"amount\":\"12.50\",", 1)), "is not the contract's"),
        (other_type("text/html"), "without the Content-Type"),
        (Answer { cut: true, ..answer(200, &good) }, "more than 65536 bytes"),
    ] {
        let why = read(&answer, &order()).expect_err(expected);
        assert!(why.contains(expected), "{why}");
    }
}
