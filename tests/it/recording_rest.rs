//! The proxy `record` between clients of the REST API and their upstream: every method passes it as
//! it came, is written down without a secret, and replays without a difference.

use crate::recording::{everything_in, folders};
use crate::recording_upstream::Proxy;
use crate::replaying::Folder;
use crate::rest::client::{CLIENT, MEMO, SECRET, json, settlement};
use crate::wire::Answer;
use std::fs;

const SEED: &str = include_str!("../../src/service/seed/demo.toml");
const SETTLEMENT: &str = include_str!("../../src/service/seed/demo_settlement.toml");

#[test]
fn post_put_patch_and_delete_pass_and_replay() {
    let gateway = settlement();
    let mut proxy = Proxy::start(&format!("http://{}", gateway.public()));
    let form = format!("client_id={CLIENT}&client_secret={SECRET}&grant_type=client_credentials");
    let kind = [("Content-Type", "application/x-www-form-urlencoded")];
    let token = proxy.connect().send("POST", "/oauth/token", &kind, form.as_bytes());
    let token = json(&token)["access_token"].as_str().expect("a token").to_owned();
    let authorization = format!("Bearer {token}");
    let send = |method: &str, path: &str, body: &str| -> Answer {
        let mut headers = vec![("Authorization", authorization.as_str())];
        if !body.is_empty() {
            headers.push(("Content-Type", "application/json"));
        }
        proxy.connect().send(method, path, &headers, body.as_bytes())
    };
    let refund = "{\"type\":\"External\",\"methodType\":\"Cash\",\"totalAmount\":1}";
    for (method, path, body, status) in [
        ("POST", format!("/v1/credit-memos/{MEMO}/refund"), refund, 200),
        ("PUT", "/v1/refunds/R-00000001".to_owned(), "{\"comment\":\"changed\"}", 200),
        ("PATCH", "/v1/refunds/R-00000001".to_owned(), "{\"comment\":\"patched\"}", 405),
        ("PUT", "/v1/refunds/R-00000001/cancel".to_owned(), "", 200),
        ("GET", "/v1/refunds/R-00000001".to_owned(), "", 200),
        ("DELETE", "/v1/refunds/R-00000001".to_owned(), "", 200),
        ("GET", "/v1/refunds/R-00000001".to_owned(), "", 404),
    ] {
        let answer = send(method, &path, body);
        assert_eq!(answer.status, status, "{method} {path}: {answer}");
    }
    let (said, recording) = proxy.ended();
    assert!(said.contains("recorded 8 exchanges, left out 0"), "{said}");
    assert_eq!(folders(&recording).len(), 8, "{:?}", folders(&recording));
    let written = everything_in(&recording);
    for secret in [SECRET, &token] {
        assert!(!written.contains(secret), "{secret} in {written}");
    }
    let mut folder = Folder::with("seed.toml", [SEED, "\n", SETTLEMENT].concat());
    for name in folders(&recording) {
        for file in fs::read_dir(recording.join(&name)).unwrap() {
            let file = file.unwrap();
            let content = fs::read(file.path()).unwrap();
            let name = format!("recording/{name}/{}", file.file_name().to_string_lossy());
            folder = folder.and(&name, content);
        }
    }
    let reported = folder.reported(&["recording", "--seed", "seed.toml"], 0);
    assert!(reported.contains("8 passed, 0 failed"), "{reported}");
}
