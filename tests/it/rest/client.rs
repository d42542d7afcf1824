//! A client of the REST API over a plain socket.

use crate::gateway::TestGateway;
use crate::wire::Answer;
use serde_json::Value;

/// The OAuth client of the demos.
pub const CLIENT: &str = "00000000-0000-4000-8000-000000000001";
pub const SECRET: &str = "demo-secret";
/// The posted credit memo of the demo: 1000.00, unapplied.
pub const MEMO: &str = "2c92c8955bd63cc1015bd7c151af02ab";
/// The unapplied electronic payment of the demo: 1000.00.
pub const PAYMENT: &str = "8a8082e65b27f6c3015b89e4344c16b1";
pub const ACCOUNT: &str = "2c92c0f83ddb61af013ddc5736b1025a";
pub const METHOD: &str = "2c92c0f83dfa5201013dfa6656ff2b8b";

/// A gateway with the demo of Invoice Settlement.
pub fn settlement() -> TestGateway {
    TestGateway::start(&["--demo=invoice-settlement", "--test"])
}

/// A client with a token.
pub struct Client<'g> {
    gateway: &'g TestGateway,
    authorization: String,
}

impl<'g> Client<'g> {
    /// The demo's client, with a token of its own.
    pub fn new(gateway: &'g TestGateway) -> Self {
        let answer = token(gateway, CLIENT, SECRET);
        assert_eq!(answer.status, 200, "{answer}");
        let token = json(&answer)["access_token"].as_str().expect("a token").to_owned();
        Self { gateway, authorization: format!("Bearer {token}") }
    }

    /// Sends a request with these headers beside those of JSON and of access.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut all = vec![("Authorization", self.authorization.as_str())];
        if !body.is_empty() {
            all.push(("Content-Type", "application/json"));
        }
        all.extend(headers);
        self.gateway.connect().send(method, path, &all, body.as_bytes())
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, &[], &body.to_string())
    }

    pub fn put(&self, path: &str, body: &Value) -> Answer {
        self.send("PUT", path, &[], &body.to_string())
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "")
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, &[], "")
    }
}

/// Asks for a token.
pub fn token(gateway: &TestGateway, client: &str, secret: &str) -> Answer {
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let body = format!("client_id={client}&client_secret={secret}&grant_type=client_credentials");
    gateway.connect().send("POST", "/oauth/token", &form, body.as_bytes())
}

/// The document of an answer.
pub fn json(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

/// The document of an answer that says success.
pub fn done(answer: &Answer) -> Value {
    let json = json(answer);
    assert_eq!((answer.status, &json["success"]), (200, &Value::Bool(true)), "{answer}");
    json
}

/// The status, and the code and text of the first reason, of an answer that says no.
pub fn refused(answer: &Answer) -> (u16, u64, String) {
    let json = json(answer);
    assert_eq!(json["success"], Value::Bool(false), "{answer}");
    let process = json["processId"].as_str().unwrap_or_default();
    let is_hex = process.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'));
    assert!(process.len() == 16 && is_hex, "{answer}");
    let reason = &json["reasons"][0];
    let code = reason["code"].as_u64().unwrap_or_else(|| panic!("{answer}"));
    (answer.status, code, reason["message"].as_str().unwrap_or_default().to_owned())
}
