//! What is wrong with a call of the v1 operations, and how that is reported.

use super::client::{ACCOUNT, Client, MEMO, METHOD, PAYMENT, done, refused, settlement, token};
use crate::gateway::TestGateway;
use serde_json::json;

#[test]
fn each_condition_of_the_documents_is_refused_with_its_category_and_its_field() {
    let gateway = settlement();
    let client = Client::new(&gateway);
    let memo = format!("/v1/credit-memos/{MEMO}/refund");
    let payment = format!("/v1/payments/{PAYMENT}/refunds");
    let long = |length: usize| "x".repeat(length);
    for (path, body, status, category, names) in [
        (&memo, json!({}), 400, 22, "type"),
        (&payment, json!({"type": "External", "methodType": "Cash"}), 400, 22, "totalAmount"),
        (&payment, json!({"type": "External", "totalAmount": 1}), 400, 22, "methodType"),
        (&memo, json!({"type": "Electronic", "totalAmount": 1}), 400, 22, "paymentMethodId"),
        (&payment, json!({"type": "Both", "totalAmount": 1}), 400, 20, "type"),
        (&payment, json!({"type": "Electronic", "totalAmount": 0}), 400, 20, "totalAmount"),
        (&payment, json!({"type": "Electronic", "totalAmount": -1}), 400, 20, "totalAmount"),
        (&payment, json!({"type": "Electronic", "totalAmount": true}), 400, 20, "totalAmount"),
        (
            &payment,
            json!({"type": "Electronic", "totalAmount": 1, "gatewayId": METHOD}),
            400,
            21,
            "gatewayId",
        ),
        (
            &payment,
            json!({"type": "Electronic", "totalAmount": 1, "Comment": "x"}),
            400,
            21,
            "Comment",
        ),
        (
            &payment,
            json!({"type": "Electronic", "totalAmount": 1, "comment": long(256)}),
            400,
            20,
            "comment",
        ),
        (
            &payment,
            json!({"type": "Electronic", "totalAmount": 1, "referenceId": long(101)}),
            400,
            20,
            "referenceId",
        ),
        (
            &payment,
            json!({"type": "Electronic", "totalAmount": 1, "softDescriptor": long(36)}),
            400,
            20,
            "softDescriptor",
        ),
        (
            &payment,
            json!({"type": "Electronic", "totalAmount": 1, "Origin__NS": long(256)}),
            400,
            20,
            "Origin__NS",
        ),
    ] {
        let (answered, code, text) = refused(&client.post(path, &body));
        assert_eq!((answered, code % 100), (status, category), "{body}: {text}");
        assert!(text.contains(names), "{body}: {text}");
    }
    let (status, code, _) = refused(&client.post("/v1/payments/P-9/refunds", &json!({})));
    assert_eq!((status, code % 100), (404, 40));
    let (status, code, _) = refused(&client.get("/v1/refunds/R-99999999"));
    assert_eq!((status, code), (404, 50_000_040));
}

#[test]
fn what_does_not_go_together_is_refused() {
    let gateway = settlement();
    let client = Client::new(&gateway);
    let memo = format!("/v1/credit-memos/{MEMO}/refund");
    let payment = format!("/v1/payments/{PAYMENT}/refunds");
    for (path, body, category) in [
        (&payment, json!({"type": "Electronic", "totalAmount": 1000.01}), 30),
        (&payment, json!({"type": "Electronic", "totalAmount": 1, "methodType": "Cash"}), 30),
        (&payment, json!({"type": "Electronic", "totalAmount": 1, "refundDate": "2026-01-02"}), 30),
        (
            &memo,
            json!({"type": "External", "methodType": "Cash", "totalAmount": 1,
                       "paymentMethodId": METHOD}),
            30,
        ),
    ] {
        let (status, code, text) = refused(&client.post(path, &body));
        assert_eq!(status, 400, "{body}: {text}");
        assert!(matches!(code % 100, 20 | 30), "{body}: {code} {text} not {category}");
    }
}

#[test]
fn a_body_that_is_no_document_names_what_is_wrong() {
    let gateway = settlement();
    let client = Client::new(&gateway);
    let path = format!("/v1/payments/{PAYMENT}/refunds");
    let deep = format!("{}{}", "[".repeat(40), "]".repeat(40));
    for (body, names) in [
        ("{\"type\":", "line 1"),
        ("{\"type\":\"External\",\"type\":\"Electronic\"}", "type"),
        ("{\"comment\":\"a\\u0000\"}", "comment"),
        (deep.as_str(), "32"),
        ("{\"totalAmount\":01}", "line 1"),
        (" ", "empty"),
    ] {
        let (status, code, text) = refused(&client.send("POST", &path, &[], body));
        assert_eq!((status, code % 100), (400, 90), "{body}: {text}");
        assert!(text.contains(names), "{body}: {text}");
    }
    for number in ["1e400", "0.1000000001", "1E-9"] {
        let body = format!("{{\"type\":\"Electronic\",\"totalAmount\":{number}}}");
        let (status, code, text) = refused(&client.send("POST", &path, &[], &body));
        assert_eq!(status, 400, "{text}");
        assert!(matches!(code % 100, 20 | 30) && text.contains("totalAmount"), "{code} {text}");
    }
    let answer = client.send("POST", &path, &[("Content-Type", "text/xml")], "");
    assert_eq!(answer.status, 415, "{answer}");
    let answer = client.get(&path);
    assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")), "{answer}");
    assert_eq!(client.get("/v1/nothing").status, 404);
}

#[test]
fn below_the_version_of_statuses_an_error_is_200() {
    let gateway = settlement();
    let client = Client::new(&gateway);
    let path = format!("/v1/payments/{PAYMENT}/refunds");
    for (version, expected) in
        [("341.0", 200), ("186.0", 200), ("2024-05-20", 400), ("2030-01-01", 400), ("x", 200)]
    {
        let answer = client.send("POST", &path, &[("Zuora-Version", version)], "{}");
        assert_eq!(refused(&answer).0, expected, "{version}: {answer}");
    }
}

#[test]
fn who_is_not_known_is_401_and_who_may_not_is_403() {
    let gateway = settlement();
    let path = format!("/v1/payments/{PAYMENT}/refunds");
    for headers in [
        &[][..],
        &[("Authorization", "Bearer nothing")],
        &[("apiAccessKeyId", "demo@example.com"), ("apiSecretAccessKey", "wrong")],
    ] {
        let answer = gateway.connect().send("POST", &path, headers, b"{}");
        assert_eq!(answer.status, 401, "{answer}");
        assert!(answer.text().contains("90000011"), "{answer}");
    }
    // The twins say it in their own form.
    for (method, path) in [("GET", "/v1/object/refund/1"), ("POST", "/rest/v1/action/create")] {
        let json = [("Content-Type", "application/json"), ("Authorization", "Bearer nothing")];
        let answer = gateway.connect().send(method, path, &json, b"");
        assert_eq!(answer.text(), "{\"message\":\"Authentication error\"}");
        assert_eq!(answer.status, 401, "{answer}");
        assert!(answer.header("www-authenticate").unwrap().contains("Bearer"), "{answer}");
    }
    let keys = [
        ("apiAccessKeyId", "demo@example.com"),
        ("apiSecretAccessKey", "demo"),
        ("Content-Type", "application/json"),
    ];
    let body = b"{\"type\":\"Electronic\",\"totalAmount\":1}";
    let answer = gateway.connect().send("POST", &path, &keys, body);
    assert_eq!(answer.status, 200, "{answer}");
    let connected = gateway.connect().send("POST", "/v1/connections", &keys, b"");
    assert_eq!(connected.status, 200, "{connected}");
    let cookie = connected.header("set-cookie").expect("a cookie").to_owned();
    let cookie = cookie.split(';').next().unwrap();
    let by_cookie = [("Cookie", cookie), ("Content-Type", "application/json")];
    let answer = gateway.connect().send("POST", &path, &by_cookie, body);
    assert_eq!(answer.status, 200, "{answer}");
    for (client, secret) in [
        ("00000000-0000-4000-8000-000000000001", "wrong"),
        ("00000000-0000-4000-8000-000000000002", "demo-secret"),
    ] {
        assert_eq!(token(&gateway, client, secret).status, 401);
    }
}

#[test]
fn without_invoice_settlement_the_operations_name_the_switch() {
    let gateway = TestGateway::demo();
    let client = Client::new(&gateway);
    for path in ["/v1/payments/P-1/refunds", "/v1/credit-memos/CM00000001/refund", "/v1/refunds"] {
        let method = if path == "/v1/refunds" { "GET" } else { "POST" };
        let body = if method == "GET" { "" } else { "{}" };
        let (status, code, text) = refused(&client.send(method, path, &[], body));
        assert_eq!((status, code % 100), (403, 10), "{text}");
        assert!(text.contains("Invoice Settlement"), "{text}");
    }
}

/// Posting a credit memo read `invoices`, as applying one does, and did nothing with them.
#[test]
fn a_field_that_an_operation_does_nothing_with_is_refused() {
    let gateway = settlement();
    let client = Client::new(&gateway);
    let body = json!({"invoices": [{"invoiceNumber": "INV00000001", "amount": 1}]});
    let answer = client.put(&format!("/v1/credit-memos/{MEMO}/post"), &body);
    let (status, code, text) = refused(&answer);
    assert_eq!((status, code % 100), (400, 21), "{text}");
}

/// The answer was success, with a cookie without a session.
#[test]
fn a_path_that_leads_nowhere_is_answered_with_the_one_that_is_near() {
    let gateway = settlement();
    let client = Client::new(&gateway);
    let answer = client.post(&format!("/v1/payment/{PAYMENT}/refunds"), &json!({}));
    let (status, code, text) = refused(&answer);
    assert_eq!((status, code), (404, 50_000_040), "{text}");
    assert!(
        text.ends_with(&format!("Did you mean POST /v1/payments/{PAYMENT}/refunds?")),
        "{text}"
    );
    assert_eq!(refused(&client.get("/v1/catalog/products")).2, "There is no such resource.");
    let journal = done_of_journal(&gateway);
    assert!(journal.contains("Did you mean POST /v1/payments/"), "{journal}");
}

/// What the journal says of all exchanges.
fn done_of_journal(gateway: &TestGateway) -> String {
    crate::admin_api::done(gateway, "GET", "journal?limit=10", &json!({})).to_string()
}

#[test]
fn a_token_opens_no_session() {
    let gateway = settlement();
    let answer = Client::new(&gateway).send("POST", "/v1/connections", &[], "");
    assert_eq!((answer.status, answer.header("set-cookie")), (401, None), "{answer}");
}

/// The vendor's client sends them with every credit memo; they were unknown fields.
#[test]
fn fields_that_the_vendors_client_always_sends_are_taken() {
    let gateway = settlement();
    let client = Client::new(&gateway);
    let charge = json!({"amount": 60.0, "chargeId": "1", "productRatePlanChargeId": "2"});
    let mut body = json!({"accountId": ACCOUNT, "autoPost": false, "charges": [charge],
                          "excludeFromAutoApplyRules": false});
    let memo = done(&client.post("/v1/credit-memos", &body));
    assert_eq!((&memo["status"], &memo["amount"]), (&json!("Draft"), &json!(60)), "{memo}");
    body["excludeFromAutoApplyRules"] = json!("no");
    let (status, code, text) = refused(&client.post("/v1/credit-memos", &body));
    assert_eq!((status, code % 100), (400, 20), "{text}");
}
