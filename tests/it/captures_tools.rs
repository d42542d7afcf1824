//! Captures as go-vcr, php-vcr, WireMock and Hoverfly write them, by their documentation, and
//! requests beside their answers under the usual names, replayed by the built program.

use crate::captures::{THEIR_SESSION, conversation};
use crate::replaying::{Folder, URL};
use base64ct::{Base64, Encoding};
use serde_json::{Value, json};

const PATH: &str = "/apps/services/a/91.0";

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn go_vcr(version: u8) -> String {
    let interaction = |(number, (request, response)): (usize, (String, String))| {
        let (request, response) = (quoted(&request), quoted(&response));
        // The second version puts the number and the protocol before, the first has neither.
        let head = match version {
            1 => "- request:\n".to_owned(),
            _ => format!(
                "- id: {number}\n  request:\n    proto: HTTP/1.1\n    proto_major: 1\n    \
                 content_length: 10\n    host: www.example.com\n"
            ),
        };
        format!(
            "{head}    body: {request}\n    form: {{}}\n    headers:\n      Content-Type:\n      \
             - text/xml\n    url: {URL}\n    method: POST\n  response:\n    body: {response}\n    \
             headers:\n      Content-Type:\n      - text/xml\n    status: 200 OK\n    \
             code: 200\n    duration: 1.5ms\n"
        )
    };
    let all: String = conversation().into_iter().enumerate().map(interaction).collect();
    format!("---\nversion: {version}\ninteractions:\n{all}")
}

fn php_vcr_yaml() -> String {
    let interaction = |(request, response): (String, String)| {
        let (request, response) = (quoted(&request), quoted(&response));
        format!(
            "\n-\n    request:\n        method: POST\n        url: '{URL}'\n        headers:\n\
             \x20           Host: www.example.com\n            Content-Type: text/xml\n        \
             body: {request}\n    response:\n        status:\n            http_version: '1.1'\n\
             \x20           code: '200'\n            message: OK\n        headers:\n            \
             Content-Type: text/xml\n        body: {response}\n    index: 0\n"
        )
    };
    conversation().into_iter().map(interaction).collect()
}

fn php_vcr_json() -> String {
    let interaction = |(request, response): (String, String)| {
        json!({"request": {"method": "POST", "url": URL, "headers": {"Content-Type": "text/xml"},
            "body": request}, "response": {"status": {"http_version": "1.1", "code": "200",
            "message": "OK"}, "headers": {}, "body": response}, "index": 0})
    };
    Value::from(conversation().into_iter().map(interaction).collect::<Vec<_>>()).to_string()
}

fn stub(request: &str, response: &Value) -> Value {
    json!({"id": "730d3e32", "request": {"url": PATH, "method": "POST",
        "headers": {"Content-Type": {"equalTo": "text/xml"}},
        "bodyPatterns": [{"equalToXml": request, "ignoreWhitespace": true}]},
        "response": response, "uuid": "730d3e32", "persistent": true})
}

fn hoverfly() -> String {
    let exact = |value: &str| json!([{"matcher": "exact", "value": value}]);
    let pair = |(request, response): (String, String)| {
        json!({"request": {"path": exact(PATH), "method": exact("POST"),
            "destination": exact("www.example.com"), "scheme": exact("https"), "body":
            exact(&request), "headers": {"Content-Type": exact("text/xml")}}, "response":
            {"status": 200, "body": Base64::encode_string(response.as_bytes()),
            "encodedBody": true, "headers": {"Content-Type": ["text/xml"]}, "templated": false}})
    };
    let mut pairs: Vec<Value> = conversation().into_iter().map(pair).collect();
    pairs.push(json!({"request": {"path": exact(PATH), "method": exact("POST"), "body":
        [{"matcher": "regex", "value": ".*create.*"}]}, "response": {"status": 200, "body": ""}}));
    json!({"data": {"pairs": pairs, "globalActions": {"delays": []}}, "meta":
        {"schemaVersion": "v5.2", "hoverflyVersion": "v1.5.3"}})
    .to_string()
}

#[test]
fn cassettes_of_go_and_php_pass() {
    let folder = Folder::with("go1.yaml", go_vcr(1))
        .and("go2.yaml", go_vcr(2))
        .and("php.yml", php_vcr_yaml())
        .and("test_refunds", php_vcr_yaml())
        .and("php.json", php_vcr_json());
    for file in ["go1.yaml", "go2.yaml", "php.yml", "php.json", "test_refunds"] {
        folder.passes(&[file], "4 passed, 0 failed");
    }
    folder.passes(&["."], "20 passed, 0 failed");
}

#[test]
fn stubs_and_the_journal_of_wiremock_pass() {
    let mut folder = Folder::with("wiremock/mappings/readme.txt", "");
    let mut journal = Vec::new();
    for (number, (request, response)) in conversation().into_iter().enumerate() {
        let file = format!("body-{number}.xml");
        let answer = json!({"status": 200, "bodyFileName": file});
        folder = folder
            .and(&format!("wiremock/__files/{file}"), &response)
            .and(&format!("wiremock/mappings/{number}.json"), stub(&request, &answer).to_string());
        journal.push(json!({"id": "1", "request": {"url": PATH, "absoluteUrl": URL, "method":
            "POST", "headers": {"Content-Type": "text/xml"}, "body": request, "bodyAsBase64":
            Base64::encode_string(request.as_bytes())}, "responseDefinition": {"status": 200},
            "response": {"status": 200, "headers": {}, "bodyAsBase64":
            Base64::encode_string(response.as_bytes())}, "wasMatched": true}));
    }
    folder = folder.and("journal.json", json!({"requests": journal, "meta": {}}).to_string());
    folder.passes(&["wiremock"], "4 passed, 0 failed");
    folder.passes(&["journal.json"], "4 passed, 0 failed");
    // Several stubs in one file, of which one only says what its body is like.
    let (request, response) = conversation().remove(0);
    let mut matched = stub("", &json!({"status": 200, "body": "<a/>"}));
    matched["request"]["bodyPatterns"] = json!([{"matchesXPath": "//create"}]);
    let all = [stub(&request, &json!({"status": 200, "body": response})), matched];
    let folder = Folder::with("all.json", json!({"mappings": all}).to_string());
    let reported = folder.reported(&["all.json"], 0);
    assert!(reported.contains("1 passed, 0 failed, 1 skipped"), "{reported}");
    assert!(reported.contains("its body is matched by a pattern, not known"), "{reported}");
    assert!(!reported.contains(THEIR_SESSION), "{reported}");
}

#[test]
fn simulations_of_hoverfly_pass() {
    let folder = Folder::with("simulation.json", hoverfly());
    let reported = folder.reported(&["simulation.json"], 0);
    assert!(reported.contains("4 passed, 0 failed, 1 skipped"), "{reported}");
    assert!(reported.contains("its body is matched by a pattern, not known"), "{reported}");
}

#[test]
fn requests_lie_beside_their_answers_under_the_usual_names() {
    let (request, response) = conversation().remove(0);
    let names = [
        ("a/x-request.xml", "a/x-response.xml"),
        ("b/x_req.xml", "b/x_resp.xml"),
        ("c/request1.xml", "c/response1.xml"),
        ("d/Request.xml", "d/Response.xml"),
        ("e/loginRequest.xml", "e/loginResponse.xml"),
        ("f/requests/1.xml", "f/responses/1.xml"),
        ("g/request/x-request.xml", "g/response/x-response.xml"),
        ("h/x.rq.xml", "h/x.rs.xml"),
    ];
    let mut folder = Folder::with("none/x", "");
    for (sent, answered) in names {
        folder = folder.and(sent, &request).and(answered, &response);
    }
    folder.passes(&["."], "8 passed, 0 failed");
    folder.passes(&["a/x-request.xml"], "1 passed, 0 failed");
    folder.refused(&["a/x-response.xml"], 4, "this is an answer");
    let two = folder.and("b/x_res.xml", &response);
    two.refused(&["b"], 4, "may be its answer: remove or rename one");
}
