//! Every request field of the two documented refunds: what it may be, what it may not, under which
//! condition, and the code that a refusal has. Each value at its bound is taken, each beyond it is
//! refused with the code of its field and its category, and nothing is done.

use super::client::{Client, MEMO, METHOD, PAYMENT, done, refused, settlement};
use crate::gateway::TestGateway;
use serde_json::{Map, Value, json};

/// First digits of the codes.
const OF_MEMO: u64 = 541_000;
const OF_PAYMENT: u64 = 542_000;
/// No field: the code of the operation as a whole.
const WHOLE: u64 = 0;

/// A field with a value, and what comes of it in a refund of a memo and of a payment: taken, or
/// refused with the number of a field and a category.
type Case = (&'static str, Value, Outcome, Outcome);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Taken,
    Refused(u64, u64),
}
use Outcome::{Refused, Taken};

/// A text of so many characters, each of two bytes.
fn text(length: usize) -> Value {
    json!("é".repeat(length))
}

/// A field that both have: what it takes, and what it does not, with its number and the category.
fn both(
    field: &'static str,
    good: Vec<Value>,
    bad: Vec<Value>,
    number: u64,
    category: u64,
) -> Vec<Case> {
    let taken = good.into_iter().map(|value| (field, value, Taken, Taken));
    let refused = Refused(number, category);
    let wrong = bad.into_iter().map(|value| (field, value, refused, refused));
    taken.chain(wrong).collect()
}

/// Fields of an external refund with bounds of their own.
fn values() -> Vec<Case> {
    let texts = [
        ("comment", 255, 7),
        ("referenceId", 100, 9),
        ("secondRefundReferenceId", 100, 10),
        ("softDescriptor", 35, 11),
        ("softDescriptorPhone", 20, 12),
        ("IntegrationId__NS", 255, 28),
        ("IntegrationStatus__NS", 255, 29),
        ("Origin__NS", 255, 30),
        ("SyncDate__NS", 255, 31),
        ("SynctoNetSuite__NS", 255, 32),
    ];
    let mut all: Vec<Case> = Vec::new();
    for (field, most, number) in texts {
        let good = vec![text(most), json!(""), Value::Null];
        let bad = vec![text(most + 1), json!(1), json!(true), json!([]), json!({})];
        all.extend(both(field, good, bad, number, 20));
    }
    let methods = [
        "ACH",
        "Cash",
        "Check",
        "CreditCard",
        "PayPal",
        "WireTransfer",
        "DebitCard",
        "CreditCardReferenceTransaction",
        "BankTransfer",
        "Other",
    ];
    let bad = vec![json!("cash"), json!("Bitcoin"), json!(1)];
    all.extend(both("methodType", methods.map(|one| json!(one)).to_vec(), bad, 3, 20));
    all.extend(both("methodType", vec![], vec![Value::Null, json!("")], 3, 22));
    all.extend(both("type", vec![json!("External")], vec![json!("external"), json!(1)], 1, 20));
    all.extend(both("type", vec![], vec![Value::Null, json!("")], 1, 22));
    let amounts = vec![json!(0.01), json!("0.01"), json!(1), json!("1.0")];
    let bad = vec![json!(0), json!(-1), json!("x"), json!(true), json!(0.001), json!("0.001")];
    all.extend(both("totalAmount", amounts, bad, 2, 20));
    all.extend(both("totalAmount", vec![], vec![Value::Null], 2, 22));
    let days = vec![json!("2026-01-03"), Value::Null];
    let bad = vec![json!("2026-01-01"), json!("9999-12-31"), json!("2026-02-30"), json!(20260103)];
    all.extend(both("refundDate", days, bad, 6, 20));
    let codes = vec![json!("Standard Refund"), json!("Other"), json!("")];
    all.extend(both("reasonCode", codes, vec![json!("None of them"), text(33), json!(1)], 8, 20));
    all
}

/// Fields that hold others.
fn groups() -> Vec<Case> {
    let finance = |name: &str, value: Value| json!({name: value});
    let mut all: Vec<Case> = Vec::new();
    for (name, number) in [
        ("bankAccountAccountingCode", 23),
        ("onAccountAccountingCode", 24),
        ("unappliedPaymentAccountingCode", 25),
    ] {
        let good = vec![finance(name, text(255)), finance(name, Value::Null)];
        let bad = vec![finance(name, text(256)), finance(name, json!(1))];
        all.extend(both("financeInformation", good, bad, number, 20));
    }
    let transferred = |value: Value| finance("transferredToAccounting", value);
    let good = ["Processing", "Yes", "No", "Error", "Ignore"].map(|one| transferred(json!(one)));
    let good = [&good[..], &[transferred(json!(true)), transferred(json!(false))]].concat();
    all.extend(both("financeInformation", good, vec![transferred(json!("yes"))], 26, 20));
    all.extend(both("financeInformation", vec![], vec![json!([]), json!("x")], 22, 20));
    let named = |count: usize| {
        let options = (0..count).map(|number| (format!("n{number}"), json!("v")));
        Value::Object(options.collect::<Map<_, _>>())
    };
    let good = vec![named(200), json!({"any": text(255), "number": 1})];
    let bad = vec![named(201), json!({"any": text(256)}), json!({"any": {}}), json!([])];
    all.extend(both("gatewayOptions", good, bad, 27, 20));
    let unknown = Refused(WHOLE, 21);
    for field in ["Comment", "organizationLabel", "status", "any__c"] {
        all.push((field, json!("x"), unknown, unknown));
    }
    all
}

/// Fields that only one of the two has, and those that an external refund leaves empty.
fn of_one() -> Vec<Case> {
    let of_type = |number| Refused(number, 20);
    vec![
        ("refundTransactionType", json!("Chargeback"), Refused(13, 21), Taken),
        ("refundTransactionType", json!("PaymentReversal"), Refused(13, 21), Taken),
        ("refundTransactionType", json!("Refund"), Refused(13, 21), Refused(13, 20)),
        ("paymentMethodId", json!(METHOD), of_type(4), Refused(4, 21)),
        ("paymentMethodId", json!(""), Taken, Refused(4, 21)),
        ("gatewayId", json!(METHOD), of_type(5), Refused(5, 21)),
        ("gatewayId", json!(""), Taken, Refused(5, 21)),
        (
            "items",
            json!([{"amount": 1, "creditMemoItemId": METHOD}]),
            Refused(16, 20),
            Refused(14, 21),
        ),
        ("items", json!([]), Taken, Refused(14, 21)),
        ("invoices", json!([]), Refused(33, 21), Refused(33, 21)),
        ("writeOff", json!(true), Refused(36, 21), Refused(36, 21)),
    ]
}

fn outcome(client: &Client<'_>, path: &str, root: u64, body: &Value) -> Outcome {
    let answer = client.post(path, body);
    if answer.text().contains("\"success\":true") {
        done(&answer);
        return Taken;
    }
    let (status, code, text) = refused(&answer);
    let expected = if code % 100 == 10 { 403 } else { 400 };
    assert_eq!((status, code / 100 / 1_000), (expected, root / 1_000), "{body}: {text}");
    Refused(code / 100 - root, code % 100)
}

fn refunded(client: &Client<'_>) -> (f64, f64) {
    let of = |path: String| done(&client.get(&path))["refundAmount"].as_f64().expect("an amount");
    (of(format!("/v1/credit-memos/{MEMO}")), of(format!("/v1/payments/{PAYMENT}")))
}

#[test]
fn each_field_is_taken_at_its_bound_and_refused_beyond_it() {
    let gateway = settlement();
    let client = Client::new(&gateway);
    let paths = [
        (format!("/v1/credit-memos/{MEMO}/refund"), OF_MEMO),
        (format!("/v1/payments/{PAYMENT}/refunds"), OF_PAYMENT),
    ];
    for (field, value, of_memo, of_payment) in [values(), groups(), of_one()].concat() {
        let mut body = json!({"type": "External", "methodType": "Check", "totalAmount": 0.01});
        body[field] = value;
        for ((path, root), expected) in paths.iter().zip([of_memo, of_payment]) {
            let before = refunded(&client);
            let came = outcome(&client, path, *root, &body);
            assert_eq!(came, expected, "{path} {body}");
            let is_same = refunded(&client) == before;
            assert_eq!(is_same, matches!(came, Refused(..)), "{path} {body}");
        }
    }
}

/// What an electronic refund leaves empty, because it is generated or known.
#[test]
fn an_electronic_refund_leaves_empty_what_it_finds_by_itself() {
    let gateway = settlement();
    let client = Client::new(&gateway);
    let memo = format!("/v1/credit-memos/{MEMO}/refund");
    let payment = format!("/v1/payments/{PAYMENT}/refunds");
    for (field, value, number) in
        [("methodType", json!("CreditCard"), 3), ("refundDate", json!("2026-01-03"), 6)]
    {
        let body = json!({"type": "Electronic", "totalAmount": 1, field: value});
        assert_eq!(outcome(&client, &payment, OF_PAYMENT, &body), Refused(number, 20), "{body}");
        let mut body = body;
        body["paymentMethodId"] = json!(METHOD);
        assert_eq!(outcome(&client, &memo, OF_MEMO, &body), Refused(number, 20), "{body}");
    }
    let body = json!({"type": "Electronic", "totalAmount": 1});
    assert_eq!(outcome(&client, &memo, OF_MEMO, &body), Refused(4, 22));
    let body = json!({"type": "Electronic", "totalAmount": 1, "paymentMethodId": MEMO});
    assert_eq!(outcome(&client, &memo, OF_MEMO, &body), Refused(4, 20));
    assert_eq!(refunded(&client), (0.0, 0.0));
}

/// A seed with a memo of so many items of a cent, and the tenant's switches.
fn with_items(count: usize, tenant: &str) -> String {
    let item = |number: usize| format!("{{ id = \"{number:032}\", amount = \"0.01\" }}");
    let items: Vec<String> = (1..=count).map(item).collect();
    format!(
        "[tenant]\ninvoice_settlement = true\n{tenant}\n\
         [[user]]\nusername = \"demo@example.com\"\npassword = \"demo\"\n\
         permissions = [\"credit-memo-refund\"]\n\
         [[oauth_client]]\nid = \"00000000-0000-4000-8000-000000000001\"\n\
         secret = \"demo-secret\"\nuser = \"demo@example.com\"\n\
         [[account]]\nid = \"402892c72b9e3319012b9e34b88e0001\"\nnumber = \"A1\"\nname = \"A\"\n\
         currency = \"USD\"\ncredit_balance = \"0.00\"\n\
         [[credit_memo]]\nid = \"{MEMO}\"\nnumber = \"CM00000001\"\n\
         account = \"402892c72b9e3319012b9e34b88e0001\"\ndate = \"2026-01-02\"\n\
         amount = \"{}.{:02}\"\nitems = [{}]\n",
        count / 100,
        count % 100,
        items.join(", ")
    )
}

fn of_items(items: std::ops::RangeInclusive<usize>) -> Value {
    let cents = items.clone().count();
    let items: Vec<Value> = items
        .map(|number| json!({"amount": "0.01", "creditMemoItemId": format!("{number:032}")}))
        .collect();
    let amount = format!("{}.{:02}", cents / 100, cents % 100);
    json!({"type": "External", "methodType": "Check", "totalAmount": amount, "items": items})
}

#[test]
fn a_thousand_items_are_refunded_at_once_and_fifteen_thousand_of_a_memo() {
    let gateway = TestGateway::seeded(&with_items(15_002, "invoice_item_settlement = true"), &[]);
    let client = Client::new(&gateway);
    let path = format!("/v1/credit-memos/{MEMO}/refund");
    assert_eq!(outcome(&client, &path, OF_MEMO, &of_items(1..=1_001)), Refused(14, 20));
    for thousand in 0..15 {
        let first = thousand * 1_000 + 1;
        let body = of_items(first..=first + 999);
        assert_eq!(outcome(&client, &path, OF_MEMO, &body), Taken, "{thousand}");
    }
    // One more would be the 15,001st; the memo has two left.
    let answer = client.post(&path, &of_items(15_001..=15_001));
    let (status, code, text) = refused(&answer);
    assert_eq!((status, code % 100), (400, 30), "{text}");
    assert!(text.contains("15000") && text.contains("CM00000001"), "{text}");
    let memo = done(&client.get(&format!("/v1/credit-memos/{MEMO}")));
    assert_eq!(memo["refundAmount"], json!(150), "{memo}");
    // Without items it can be refunded still.
    let rest = json!({"type": "External", "methodType": "Check", "totalAmount": 0.02});
    assert_eq!(outcome(&client, &path, OF_MEMO, &rest), Taken);
}

#[test]
fn items_need_invoice_item_settlement() {
    let gateway = TestGateway::seeded(&with_items(3, ""), &[]);
    let client = Client::new(&gateway);
    let path = format!("/v1/credit-memos/{MEMO}/refund");
    assert_eq!(outcome(&client, &path, OF_MEMO, &of_items(1..=2)), Refused(14, 10));
}

#[test]
fn custom_rates_are_of_the_home_and_the_reporting_currency_from_224_on() {
    let currencies = "home_currency = \"USD\"\nreporting_currency = \"EUR\"\n";
    let gateway = TestGateway::seeded(&with_items(100, currencies), &[]);
    let client = Client::new(&gateway);
    let path = format!("/v1/credit-memos/{MEMO}/refund");
    let home = json!({"currency": "USD", "customFxRate": 1.5, "rateDate": "2026-01-02"});
    let reporting = json!({"currency": "EUR", "customFxRate": "0.91"});
    let changed = |name: &str, value: Value| {
        let mut rate = home.clone();
        rate[name] = value;
        json!([rate])
    };
    for (rates, expected) in [
        (json!([home, reporting]), Taken),
        (json!([reporting]), Taken),
        (json!([]), Taken),
        (Value::Null, Taken),
        (changed("rateDate", Value::Null), Taken),
        (json!([home, reporting, home]), Refused(18, 20)),
        (json!([home, home]), Refused(19, 20)),
        (json!({}), Refused(18, 20)),
        (json!([1]), Refused(18, 20)),
        (changed("currency", json!("GBP")), Refused(19, 20)),
        (changed("currency", Value::Null), Refused(19, 22)),
        (changed("customFxRate", Value::Null), Refused(20, 22)),
        (changed("customFxRate", json!(0)), Refused(20, 20)),
        (changed("customFxRate", json!("1e400")), Refused(20, 20)),
        (changed("rateDate", json!("2026-02-30")), Refused(21, 20)),
        (changed("rate", json!(1)), Refused(WHOLE, 21)),
    ] {
        let body = json!({"type": "External", "methodType": "Check", "totalAmount": 0.01,
                          "customRates": rates});
        assert_eq!(outcome(&client, &path, OF_MEMO, &body), expected, "{body}");
    }
    let body = json!({"type": "External", "methodType": "Check", "totalAmount": 0.01,
                      "customRates": [home]});
    for (version, is_taken) in [("223.0", false), ("224.0", true), ("2025-08-12", true)] {
        let answer = client.send("POST", &path, &[("Zuora-Version", version)], &body.to_string());
        match is_taken {
            true => assert_eq!(done(&answer)["success"], json!(true)),
            false => assert_eq!(refused(&answer).1, (OF_MEMO + 18) * 100 + 21, "{answer}"),
        }
    }
    let both_on = format!("{currencies}fx_data = true\ncurrency_conversion_exports = true\n");
    let gateway = TestGateway::seeded(&with_items(100, &both_on), &[]);
    let client = Client::new(&gateway);
    assert_eq!(outcome(&client, &path, OF_MEMO, &body), Refused(18, 20));
}
