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
    entry_of(&authorization, (method, url), body, status, answer)
}

/// An exchange of a HAR with this header.
fn entry_of(
    authorization: &Value,
    (method, url): (&str, &str),
    body: Option<(&str, &str)>,
    status: u16,
    answer: &str,
) -> Value {
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
    let reported =
        folder.reported(&[&["a.har", "--match", "$.access_token=."], &rules[..]].concat(), 1);
    let skipped = "POST /v1/refunds is no SOAP call";
    assert!(reported.contains("3 passed, 0 failed") && reported.contains(skipped), "{reported}");
    assert!(reported.contains("GET /v1/catalog/products is not served there"), "{reported}");
    for secret in [THEIR_TOKEN, "their-secret", "demo-secret"] {
        assert!(!reported.contains(secret), "{secret} in {reported}");
    }
    let listed = folder.reported(&["a.har", "--list", "--only", "op:POST /v1/object/*"], 0);
    assert!(listed.contains("a.har/2 POST /v1/object/refund"), "{listed}");
}

#[test]
fn a_difference_shows_its_line_and_no_secret() {
    let mut entries = conversation();
    entries.truncate(3);
    let text = entries[2]["response"]["content"]["text"].as_str().unwrap().replace("12.50", "13");
    entries[2]["response"]["content"]["text"] = json!(text);
    let folder = Folder::with("a.har", har(&entries)).and("seed.toml", SEED);
    let reported = folder.reported(&["a.har"], 1);
    assert!(reported.contains("body at /Amount"), "{reported}");
    assert!(
        reported.contains("\"Amount\": 13\n") && reported.contains("\"Amount\": 12.5\n"),
        "{reported}"
    );
    for secret in [THEIR_TOKEN, "their-secret", "demo-secret"] {
        assert!(!reported.contains(secret), "{secret} in {reported}");
    }
}

#[test]
fn what_may_change_something_elsewhere_needs_to_be_allowed() {
    let folder = Folder::with("a.har", har(&conversation()[1..2]));
    let remote = ["a.har", "--endpoint", "http://192.0.2.1", "--allow-remote"];
    folder.refused(&remote, 2, "--allow-writes");
}

const SECOND: &str = "00000000-0000-4000-8000-000000000002";

/// A seed whose first user may do nothing, and two more who may refund from a credit balance.
fn three_users() -> String {
    let user = |name: &str, permissions: &str| {
        format!(
            "[[user]]\nusername = \"{name}@example.com\"\npassword = \"{name}\"\n\
             permissions = [{permissions}]\n"
        )
    };
    let may = "\"credit-balance-external-refund\"";
    let all = [user("first", ""), user("second", may), user("third", may)].concat();
    let client = format!(
        "[[oauth_client]]\nid = \"{SECOND}\"\nsecret = \"second-secret\"\n\
         user = \"second@example.com\"\n\
         [[oauth_client]]\nid = \"00000000-0000-4000-8000-000000000003\"\n\
         secret = \"first-secret\"\nuser = \"first@example.com\"\n"
    );
    format!(
        "{all}{client}[[account]]\nid = \"{EXTERNAL_ACCOUNT}\"\nnumber = \"A1\"\nname = \"A\"\n\
         currency = \"USD\"\ncredit_balance = \"100.00\"\n"
    )
}

/// Regression: every captured token became one of the first user.
#[test]
fn a_call_is_sent_in_the_name_of_the_user_whose_token_or_key_was_captured() {
    let host = "https://rest.zuora.com";
    let form =
        |client: &str| format!("client_id={client}&client_secret=x&grant_type=client_credentials");
    let refund = json!({"AccountId": EXTERNAL_ACCOUNT, "Amount": 1, "Type": "External",
                        "SourceType": "CreditBalance", "MethodType": "Check"})
    .to_string();
    let header = |name: &str, value: &str| json!({"name": name, "value": value});
    let token = |client: &str, token: &str| {
        let form = form(client);
        let answer = format!("{{\"access_token\":\"{token}\"}}");
        let body = Some(("application/x-www-form-urlencoded", form.as_str()));
        entry_of(&header("X", "y"), ("POST", &format!("{host}/oauth/token")), body, 200, &answer)
    };
    let object = format!("{host}/v1/object/refund");
    let call = |of: Value, status, answer: &str| {
        let body = Some(("application/json", refund.as_str()));
        entry_of(&of, ("POST", &object), body, status, answer)
    };
    let done = format!("{{\"Success\":true,\"Id\":\"{THEIR_ID}\"}}");
    let refused = "{\"Success\":false,\"Errors\":[{\"Code\":\"NO_PERMISSION\",\"Message\":\"x\"}]}";
    let bearer = |token: &str| header("Authorization", &format!("Bearer {token}"));
    let entries = [
        token(SECOND, "token-of-second-0123456789"),
        token("00000000-0000-4000-8000-000000000003", "token-of-first-0123456789"),
        call(bearer("token-of-second-0123456789"), 200, &done),
        call(bearer("token-of-first-0123456789"), 400, refused),
        call(header("apiAccessKeyId", "third@example.com"), 200, &done),
        call(header("Authorization", "Basic dGhpcmRAZXhhbXBsZS5jb206eA=="), 200, &done),
        // What is not known is the first user's.
        call(bearer("token-of-whom"), 400, refused),
    ];
    let folder = Folder::with("a.har", har(&entries)).and("seed.toml", three_users());
    let rules = ["--match", "$.access_token=.", "--match", "$.Errors[0].Message=."];
    let more = ["--ignore", "$.expires_in", "--ignore", "$.scope", "--ignore", "$.jti"];
    let all = [&["a.har", "--ignore", "$.token_type"], &rules[..], &more[..]].concat();
    let reported = folder.reported(&all, 0);
    assert!(reported.contains("7 passed, 0 failed"), "{reported}");
    for secret in ["token-of-second", "second-secret", "first-secret"] {
        assert!(!reported.contains(secret), "{secret} in {reported}");
    }
}

/// The conversation as VCR for Ruby and for Python writes it.
#[test]
fn cassettes_of_vcr_replay_calls_of_the_rest_api() {
    let entries = conversation();
    let text = |value: &Value| serde_json::to_string(value).unwrap();
    let of = |entry: &Value| {
        let request = &entry["request"];
        let response = &entry["response"];
        let method = request["method"].as_str().unwrap().to_owned();
        let content_type = request["postData"]["mimeType"].as_str().unwrap_or("application/json");
        let body = request["postData"]["text"].as_str().unwrap_or_default().to_owned();
        let parts = [&request["url"], &json!(body), &response["content"]["text"]].map(text);
        let [url, body, answer] = parts;
        (method, url, content_type.to_owned(), body, answer, response["status"].to_string())
    };
    let ruby = entries.iter().map(of).map(|(method, url, kind, body, answer, status)| {
        format!(
            "- request:\n    method: {}\n    uri: {url}\n    body:\n      encoding: UTF-8\n      \
             string: {body}\n    headers:\n      Content-Type: [{kind}]\n      \
             Authorization: [\"Bearer {THEIR_TOKEN}\"]\n  response:\n    status:\n      \
             code: {status}\n      message: OK\n    headers:\n      \
             Content-Type: [application/json]\n    body:\n      encoding: UTF-8\n      \
             string: {answer}\n",
            method.to_lowercase()
        )
    });
    let ruby: String = ruby.collect();
    let python = entries.iter().map(of).map(|(method, url, kind, body, answer, status)| {
        format!(
            "- request:\n    body: {body}\n    headers:\n      Content-Type: [{kind}]\n      \
             Authorization: [\"Bearer {THEIR_TOKEN}\"]\n    method: {method}\n    uri: {url}\n  \
             response:\n    body:\n      string: {answer}\n    headers: {{}}\n    \
             status: {{code: {status}, message: OK}}\n"
        )
    });
    let python: String = python.collect();
    let folder = Folder::with("ruby.yml", format!("---\nhttp_interactions:\n{ruby}"))
        .and("python.yaml", format!("interactions:\n{python}version: 1\n"))
        .and("seed.toml", SEED);
    let rules = ["--ignore", "$.expires_in", "--ignore", "$.scope", "--ignore", "$.jti"];
    for file in ["ruby.yml", "python.yaml"] {
        let reported =
            folder.reported(&[&[file, "--match", "$.access_token=."], &rules[..]].concat(), 1);
        assert!(reported.contains("3 passed, 0 failed"), "{file}: {reported}");
        assert!(reported.contains("GET /v1/catalog/products is not served there"), "{reported}");
        for secret in [THEIR_TOKEN, "their-secret", "demo-secret"] {
            assert!(!reported.contains(secret), "{secret} in {reported}");
        }
    }
}
