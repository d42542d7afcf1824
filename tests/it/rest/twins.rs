//! The twins of the SOAP operations: `/v1/object/…` and `/v1/action/…`.

use super::client::{ACCOUNT, Client, METHOD, json};
use crate::gateway::TestGateway;
use crate::replaying::Folder;
use serde_json::json;

const EXTERNAL: &str = "402892c72b9e3319012b9e34b88e0001";

#[test]
fn a_refund_is_created_read_and_found_with_the_fields_of_soap() {
    let gateway = TestGateway::demo();
    let client = Client::new(&gateway);
    let refund = json!({"AccountId": EXTERNAL, "Amount": 10, "SourceType": "CreditBalance",
                        "Type": "External", "MethodType": "Check", "Unknown": "x"});
    let created = client.post("/v1/object/refund", &refund);
    assert_eq!(created.status, 200, "{created}");
    let id = json(&created)["Id"].as_str().expect("an id").to_owned();
    let read = json(&client.get(&format!("/v1/object/refund/{id}")));
    assert_eq!((&read["Id"], &read["Amount"]), (&json!(id), &json!(10)), "{read}");
    assert_eq!((&read["Type"], &read["Status"]), (&json!("External"), &json!("Processed")));
    let some = json(&client.get(&format!("/rest/v1/object/refund/{id}?fields=Amount")));
    assert_eq!(some, json!({"Id": id, "Amount": 10}));
    let account = json(&client.get(&format!("/v1/object/account/{EXTERNAL}")));
    assert_eq!(account["CreditBalance"], json!(990), "{account}");
    let zoql = format!("select Id, Amount from Refund where AccountId = '{EXTERNAL}'");
    let page = json(&client.post("/v1/action/query", &json!({"queryString": zoql})));
    let expected = json!({"size": 1, "records": [{"Id": id, "Amount": 10}], "done": true});
    assert_eq!(page, expected);
    let unknown = client.post("/v1/object/refund?rejectUnknownFields=true", &refund);
    assert_eq!(unknown.status, 400, "{unknown}");
    assert_eq!(json(&unknown), json!({"message": "Error - unrecognised fields"}));
    let put = client.put(&format!("/v1/object/refund/{id}"), &json!({"ReasonCode": "Other"}));
    assert_eq!(json(&put), json!({"Success": true, "Id": id}), "{put}");
    let missing = client.get("/v1/object/refund/402892c72b9e3319012b9e34b88effff");
    assert_eq!((missing.status, json(&missing)["size"].clone()), (404, json!(0)));
    assert_eq!(gateway.balance(EXTERNAL), "990.00");
}

#[test]
fn rows_of_an_action_stand_for_themselves_in_their_order() {
    let gateway = TestGateway::demo();
    let client = Client::new(&gateway);
    let good = json!({"AccountId": ACCOUNT, "Amount": "10.00", "SourceType": "CreditBalance",
                      "Type": "Electronic", "PaymentMethodId": METHOD});
    let objects = json!([good, {}, {"Type": "External"}]);
    let body = json!({"type": "Refund", "objects": objects});
    let answer = client.post("/v1/action/create", &body);
    let rows = json(&answer);
    assert_eq!(answer.status, 200, "{answer}");
    assert_eq!(rows[0]["Success"], json!(true), "{answer}");
    assert_eq!(rows[1]["Errors"][0]["Code"], json!("MISSING_REQUIRED_VALUE"), "{answer}");
    assert_eq!(rows[1]["Errors"][0]["Message"], json!("Missing required value: Type"));
    assert_eq!(rows[2]["Success"], json!(false), "{answer}");
    assert_eq!(gateway.balance(ACCOUNT), "990.00");
    for (body, code) in [
        (json!({"type": "Refund", "objects": []}), "MISSING_REQUIRED_VALUE"),
        (json!({"type": "Refund", "objects": [null]}), "MISSING_REQUIRED_VALUE"),
        (json!({"type": "Nothing", "objects": [{}]}), "INVALID_TYPE"),
        (json!({"objects": [{}]}), "MISSING_REQUIRED_VALUE"),
        (json!({"type": "Refund", "objects": vec![json!({}); 51]}), "MAX_RECORDS_EXCEEDED"),
    ] {
        let answer = client.post("/v1/action/create", &body);
        assert_eq!(answer.status, 400, "{answer}");
        assert_eq!(json(&answer)["FaultCode"], json!(code), "{answer}");
    }
    let answer =
        client.post("/v1/action/query", &json!({"queryString": "select Nope from Refund"}));
    assert_eq!(json(&answer)["FaultCode"], json!("INVALID_FIELD"), "{answer}");
}

#[test]
fn a_key_of_action_create_is_that_of_soap_and_apart_from_v1() {
    let gateway = TestGateway::demo();
    let client = Client::new(&gateway);
    let body = json!({"type": "Refund", "objects": [
        {"AccountId": EXTERNAL, "Amount": 1, "SourceType": "CreditBalance", "Type": "External",
         "MethodType": "Check"}]});
    let key = [("Idempotency-Key", "one")];
    let first = client.send("POST", "/v1/action/create", &key, &body.to_string());
    let again = client.send("POST", "/v1/action/create", &key, &body.to_string());
    assert_eq!(first.text(), again.text());
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    let object = body["objects"][0].to_string();
    let other = client.send("POST", "/v1/object/refund", &key, &object);
    assert_eq!(other.status, 422, "{other}");
    assert_eq!(gateway.balance(EXTERNAL), "999.00");
}

/// Regression: with `idempotency_field` only SOAP took the key from the field, and a twin that was
/// sent again was a second refund.
#[test]
fn a_key_in_a_field_of_a_refund_protects_the_twins_too() {
    let folder = Folder::with("gateway.toml", "idempotency_field = 'Comment'");
    let config = folder.path("gateway.toml");
    let gateway = TestGateway::start(&["--demo", "--config", config.to_str().unwrap()]);
    let client = Client::new(&gateway);
    let refund = |key: &str, amount: u32| {
        json!({"AccountId": EXTERNAL, "Amount": amount, "SourceType": "CreditBalance",
               "Type": "External", "MethodType": "Check", "Comment": key})
    };
    let action = |key, amount| json!({"type": "Refund", "objects": [refund(key, amount)]});
    for (path, first, other) in [
        ("/v1/object/refund", refund("one", 10), refund("one", 20)),
        ("/v1/action/create", action("two", 10), action("two", 20)),
    ] {
        let (made, again) = (client.post(path, &first), client.post(path, &first));
        assert_eq!((made.status, made.text()), (200, again.text()), "{path}");
        assert_eq!(again.header("idempotent-replayed"), Some("true"), "{path}");
        assert_eq!(client.post(path, &other).status, 422, "{path}");
    }
    assert_eq!(gateway.balance(EXTERNAL), "980.00");
}

/// Regression: Contact was answered with the words of a typo by the twins, as SOAP never did.
#[test]
fn an_object_that_is_not_kept_is_no_typo() {
    let gateway = TestGateway::demo();
    let client = Client::new(&gateway);
    let said = "This gateway does not keep objects of the type Contact.";
    for (path, body) in [
        ("/v1/action/create", json!({"type": "Contact", "objects": [{}]})),
        ("/v1/action/update", json!({"type": "contact", "objects": [{}]})),
        ("/v1/action/delete", json!({"type": "Contact", "ids": [EXTERNAL]})),
        ("/v1/action/query", json!({"queryString": "select Id from contact"})),
        ("/v1/object/contact", json!({"AccountId": EXTERNAL})),
    ] {
        let answer = client.post(path, &body);
        assert!(answer.status >= 400 && answer.text().contains(said), "{path}: {answer}");
    }
}
