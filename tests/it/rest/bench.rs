//! The test double behind the REST door: ordered faults, the journal, and what it explains.

use super::client::{ACCOUNT, Client, PAYMENT, json, refused, settlement};
use crate::admin_api::done;
use crate::gateway::TestGateway;
use serde_json::json;

const EXTERNAL: &str = "402892c72b9e3319012b9e34b88e0001";

#[test]
fn a_call_suffers_what_was_ordered_for_its_operation_and_its_account() {
    let gateway = settlement();
    let client = Client::new(&gateway);
    let path = format!("/v1/payments/{PAYMENT}/refunds");
    let refund = json!({"type": "External", "methodType": "Cash", "totalAmount": 10});
    let order = |rule| done(&gateway, "POST", "faults", &rule);
    let named = "POST_RefundPayment";
    order(json!({"operation": named, "fault": {"code": "LOCK_COMPETITION", "message": "later"}}));
    assert_eq!(client.get(&format!("/v1/payments/{PAYMENT}")).status, 200);
    let (status, code, text) = refused(&client.post(&path, &refund));
    assert_eq!((status, code % 100, text.as_str()), (409, 50, "later"));
    order(json!({"account": ACCOUNT, "fault": {"code": "REQUEST_EXCEEDED_LIMIT"}}));
    let limited = client.post(&path, &refund);
    assert_eq!((limited.status, limited.header("retry-after")), (429, Some("120")), "{limited}");
    let row = json!({"code": "TRANSACTION_FAILED", "message": "no luck"});
    order(json!({"operation": named, "account": ACCOUNT, "row": row}));
    let answer = client.post(&path, &refund);
    assert!(refused(&answer).2.contains("no luck"), "{answer}");
    order(json!({"operation": named, "status": 202, "headers": {"X": "y"}}));
    let answer = client.post(&path, &refund);
    assert_eq!((answer.status, answer.header("x")), (202, Some("y")), "{answer}");
    order(json!({"operation": named, "truncate": 10}));
    assert_eq!(client.post(&path, &refund).body.len(), 10);
    let body = json!({"status": 502, "content_type": "text/html", "text": "<html>"});
    order(json!({"operation": named, "body": body}));
    let answer = client.post(&path, &refund);
    assert_eq!((answer.status, answer.text().as_str()), (502, "<html>"));
}

#[test]
fn a_row_of_an_action_fails_where_its_account_is_meant() {
    let gateway = TestGateway::demo();
    let client = Client::new(&gateway);
    let row = json!({"code": "INVALID_VALUE", "message": "no luck"});
    let rule = json!({"operation": "Action_POSTcreate", "account": ACCOUNT, "row": row});
    done(&gateway, "POST", "faults", &rule);
    let refund = |account| {
        json!({"AccountId": account, "Amount": 10, "SourceType": "CreditBalance",
               "Type": "External", "MethodType": "Check"})
    };
    let objects = json!([refund(EXTERNAL), refund(ACCOUNT)]);
    let answer = client.post("/v1/action/create", &json!({"type": "Refund", "objects": objects}));
    let rows = json(&answer);
    assert_eq!(rows[0]["Success"], json!(true), "{answer}");
    assert_eq!(rows[1]["Errors"][0]["Message"], json!("no luck"), "{answer}");
    assert_eq!(
        (gateway.balance(EXTERNAL), gateway.balance(ACCOUNT)),
        ("990.00".into(), "1000.00".into())
    );
}

#[test]
fn the_journal_tells_what_a_call_said_and_why_it_was_refused() {
    let gateway = settlement();
    let client = Client::new(&gateway);
    let path = format!("/v1/payments/{PAYMENT}/refunds");
    let body = json!({"type": "External", "methodType": "Cash", "totalAmout": 10,
                      "financeInformation": {"transferredToAccounting": "No"}});
    let headers = [("Idempotency-Key", "key-1")];
    client.send("POST", &path, &headers, &body.to_string());
    let reported = done(&gateway, "GET", "journal?limit=10", &json!({}));
    let newest = &reported["exchanges"][0];
    assert_eq!(newest["operation"], json!("POST_RefundPayment"), "{reported}");
    assert_eq!((&newest["user"], &newest["key"]), (&json!("demo@example.com"), &json!("key-1")));
    assert_eq!(newest["accounts"], json!([ACCOUNT]), "{reported}");
    let object = &newest["objects"][0];
    assert_eq!(object["type"], json!("Refund"), "{reported}");
    assert_eq!(object["fields"]["financeInformation.transferredToAccounting"], json!("No"));
    let text = newest.to_string();
    assert!(text.contains("did you mean totalAmount?"), "{text}");
    assert!(text.contains("54200021"), "{text}");
    // Neither the secret of the client nor the token that it got.
    let all = reported.to_string();
    assert!(!all.contains("demo-secret"), "{all}");
    let token = reported["exchanges"][1]["answer"].as_str().unwrap_or_default();
    assert!(token.contains("hidden"), "{reported}");
    let wanted = json!({"operation": "POST_RefundPayment", "type": "Refund",
                        "fields": {"methodType": "Cash"}, "count": 1});
    let verified = done(&gateway, "POST", "journal/verify", &wanted);
    assert_eq!(verified["verified"], json!(true), "{verified}");
}
