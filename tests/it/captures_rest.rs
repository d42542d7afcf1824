//! Captures of calls of the REST API, replayed by the built program.

use crate::gateway::EXTERNAL_ACCOUNT;
use crate::replaying::{Folder, har};
use serde_json::{Value, json};

const THEIR_ID: &str = "4028925a2b9e3319012b9e34b88e4711";
const THEIR_TOKEN: &str = "their-token-0123456789";
const SEED: &str = include_str!("../../src/service/seed/demo.toml");

/// An exchange of a HAR.
fn entry(method: &str, url: &str, body: Option<(&str, &str)>, status: u16, answer: &str) -> Value {
    let authorization = json!({"name": "Authorization", "value": format!("Bearer {THEIR_TOKEN}")});
    let mut request = json!({"method": method, "url": url, "headers": [authorization]});
    if let Some((of_type, text)) = body {
        request["postData"] = json!({"mimeType": of_type, "text": text});
        let content_type = json!({"name": "Content-Type", "value": of_type});
        request["headers"].as_array_mut().unwrap().push(content_type);
    }
    let content = json!({"mimeType": "application/json", "text": answer});
    json!({"request": request, "response": {"status": status, "headers": [], "content": content}})
}

fn conversation() -> Vec<Value> {
    let host = "https://rest.apisandbox.zuora.com";
    let refund = json!({"AccountId": EXTERNAL_ACCOUNT, "Amount": 12.5, "Type": "External",
                        "SourceType": "CreditBalance", "MethodType": "Check"});
    let created = format!("{{\"Id\":\"{THEIR_ID}\",\"Success\":true}}");
    let read = format!("{{\"Amount\":12.50,\"Id\":\"{THEIR_ID}\"}}");
    let token = format!("{{\"access_token\":\"{THEIR_TOKEN}\",\"token_type\":\"bearer\"}}");
    let form = "client_id=theirs&client_secret=their-secret&grant_type=client_credentials";
    let refund = refund.to_string();
    vec![
        entry(
            "POST",
            &format!("{host}/oauth/token"),
            Some(("application/x-www-form-urlencoded", form)),
            200,
            &token,
        ),
        entry(
            "POST",
            &format!("{host}/v1/object/refund"),
            Some(("application/json", &refund)),
            200,
            &created,
        ),
        entry(
            "GET",
            &format!("{host}/rest/v1/object/refund/{THEIR_ID}?fields=Amount"),
            None,
            200,
            &read,
        ),
        entry(
            "POST",
            "https://api.example.com/v1/refunds",
            Some(("application/json", "{\"charge\":\"ch_1\"}")),
            200,
            "{}",
        ),
        entry("GET", &format!("{host}/v1/catalog/products"), None, 200, "{\"success\":true}"),
    ]
}

#[test]
fn a_har_is_replayed_with_tokens_ids_and_clients_of_now_and_other_apis_are_left_alone() {
    let folder = Folder::with("a.har", har(&conversation())).and("seed.toml", SEED);
    let rules = ["--ignore", "$.expires_in", "--ignore", "$.scope", "--ignore", "$.jti"];
    let told = folder.told(&[&["a.har", "--match", "$.access_token=."], &rules[..]].concat(), 1);
    let skipped = "POST /v1/refunds is no SOAP call";
    assert!(told.contains("3 passed, 0 failed") && told.contains(skipped), "{told}");
    assert!(told.contains("GET /v1/catalog/products is not served there"), "{told}");
    for secret in [THEIR_TOKEN, "their-secret", "demo-secret"] {
        assert!(!told.contains(secret), "{secret} in {told}");
    }
    let listed = folder.told(&["a.har", "--list", "--only", "op:POST /v1/object/*"], 0);
    assert!(listed.contains("a.har/2 POST /v1/object/refund"), "{listed}");
}

#[test]
fn a_difference_shows_its_line_and_no_secret() {
    let mut entries = conversation();
    entries.truncate(3);
    let text = entries[2]["response"]["content"]["text"].as_str().unwrap().replace("12.50", "13");
    entries[2]["response"]["content"]["text"] = json!(text);
    let folder = Folder::with("a.har", har(&entries)).and("seed.toml", SEED);
    let told = folder.told(&["a.har"], 1);
    assert!(told.contains("body at /Amount"), "{told}");
    assert!(told.contains("\"Amount\": 13\n") && told.contains("\"Amount\": 12.5\n"), "{told}");
    for secret in [THEIR_TOKEN, "their-secret", "demo-secret"] {
        assert!(!told.contains(secret), "{secret} in {told}");
    }
}

#[test]
fn what_may_change_something_elsewhere_needs_to_be_allowed() {
    let folder = Folder::with("a.har", har(&conversation()[1..2]));
    let remote = ["a.har", "--endpoint", "http://192.0.2.1", "--allow-remote"];
    folder.refused(&remote, 2, "--allow-writes");
}
