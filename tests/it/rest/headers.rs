//! What headers promise: idempotency, tracing, limits.

use super::client::{Client, PAYMENT, done, json, refused, settlement};
use crate::gateway::TestGateway;
use crate::verdicts::rejected;
use std::fs;
use std::sync::Barrier;
use std::thread;
use tempfile::TempDir;

const BODY: &str = "{\"type\":\"External\",\"methodType\":\"Cash\",\"totalAmount\":10}";

#[test]
fn one_key_is_one_refund_and_one_answer() {
    let mut gateway = settlement();
    let path = format!("/v1/payments/{PAYMENT}/refunds");
    let key = "k".repeat(255);
    let with_key = [("Idempotency-Key", key.as_str())];
    let first = {
        let client = Client::new(&gateway);
        let first = client.send("POST", &path, &with_key, BODY);
        let refund = done(&first);
        let again = client.send("POST", &path, &with_key, BODY);
        assert_eq!((again.status, again.text()), (200, first.text()));
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        // The same members in another order are another body only if their bytes count; values do.
        for (path, body) in [
            (path.as_str(), BODY.replace("10", "11").as_str()),
            ("/v1/payments/P-00000001/refunds", BODY),
        ] {
            let other = client.send("POST", path, &with_key, body);
            assert_eq!(other.status, 422, "{other}");
        }
        let payment = done(&client.get(&format!("/v1/payments/{PAYMENT}")));
        assert_eq!(payment["unappliedAmount"], serde_json::json!(990), "{payment} {refund}");
        first
    };
    gateway.kill9();
    gateway.restart();
    let client = Client::new(&gateway);
    let again = client.send("POST", &path, &with_key, BODY);
    assert_eq!(again.text(), first.text());
    // A refusal by the rules is an answer as well.
    let with_key = [("Idempotency-Key", "another")];
    let refusal = client.send("POST", &path, &with_key, "{\"type\":\"External\"}");
    let again = client.send("POST", &path, &with_key, "{\"type\":\"External\"}");
    assert_eq!((again.status, again.text()), (refusal.status, refusal.text()));
}

#[test]
fn a_thousand_times_the_same_key_at_once_is_one_refund() {
    let gateway = settlement();
    let client = Client::new(&gateway);
    let path = format!("/v1/payments/{PAYMENT}/refunds");
    let statuses = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..50)
            .map(|_| {
                let (client, path) = (&client, &path);
                scope.spawn(move || {
                    let key = [("Idempotency-Key", "same")];
                    let answers = (0..20).map(|_| client.send("POST", path, &key, BODY).status);
                    answers.collect::<Vec<_>>()
                })
            })
            .collect();
        calls.into_iter().flat_map(|one| one.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(statuses.len(), 1_000);
    assert!(statuses.iter().all(|status| matches!(status, 200 | 409)), "{statuses:?}");
    let payment = done(&client.get(&format!("/v1/payments/{PAYMENT}")));
    assert_eq!(payment["refundAmount"], serde_json::json!(10), "{payment}");
}

#[test]
fn illegal_headers_are_400() {
    let gateway = settlement();
    let client = Client::new(&gateway);
    let path = format!("/v1/payments/{PAYMENT}/refunds");
    for (name, value) in [
        ("Zuora-Track-Id", "a:b"),
        ("Zuora-Track-Id", &"x".repeat(65)),
        ("Idempotency-Key", &"x".repeat(256)),
    ] {
        let answer = client.send("POST", &path, &[(name, value)], BODY);
        assert_eq!(answer.status, 400, "{name}: {answer}");
        assert!(json(&answer)["reasons"][0]["message"].as_str().unwrap().contains(name));
        assert_eq!(answer.header("zuora-track-id"), None);
    }
}

#[test]
fn limits_are_reported_as_they_are() {
    let gateway = settlement();
    let client = Client::new(&gateway);
    let answer = client.get("/v1/refunds");
    for name in [
        "ratelimit-limit",
        "ratelimit-remaining",
        "ratelimit-reset",
        "concurrency-limit-type",
        "concurrency-limit-limit",
        "concurrency-limit-remaining",
    ] {
        assert!(answer.header(name).is_some(), "{name}: {answer}");
    }
}

/// While the gateway hangs, the key of the first request is in use.
#[test]
fn a_key_that_is_in_use_is_409_and_its_refund_is_made_once() {
    let folder = TempDir::new().unwrap();
    let hang = "[[gateway]]\nname = \"sandbox\"\nkind = \"sandbox\"\n[[gateway.rule]]\n\
                amount = \"7.00\"\nanswer = \"hang\"\n";
    let demo = include_str!("../../../src/service/seed/demo.toml");
    let settlement = include_str!("../../../src/service/seed/demo_settlement.toml");
    fs::write(folder.path().join("seed.toml"), [demo, "\n", settlement, "\n", hang].concat())
        .unwrap();
    fs::write(folder.path().join("config.toml"), "[service]\ngateway_wait_ms = 3000\n").unwrap();
    let args = ["--test", "--seed", "seed.toml", "--config", "config.toml"];
    let gateway = TestGateway::start_in(folder, &args);
    let client = Client::new(&gateway);
    let path = format!("/v1/payments/{PAYMENT}/refunds");
    let key = [("Idempotency-Key", "hangs")];
    let body = "{\"type\":\"Electronic\",\"totalAmount\":7}";
    let start = Barrier::new(2);
    let mut answers = thread::scope(|scope| {
        let both = [(), ()].map(|()| {
            scope.spawn(|| {
                start.wait();
                client.send("POST", &path, &key, body)
            })
        });
        both.map(|one| one.join().unwrap())
    });
    answers.sort_by_key(|answer| answer.status);
    let [made, conflict] = &answers;
    assert_eq!(done(made)["status"], serde_json::json!("Processing"), "{made}");
    let (status, code, text) = refused(conflict);
    assert_eq!((status, code), (409, 50_000_050), "{text}");
    let again = client.send("POST", &path, &key, body);
    assert_eq!((again.status, again.text()), (200, made.text()));
    let payment = done(&client.get(&format!("/v1/payments/{PAYMENT}")));
    assert_eq!(payment["unappliedAmount"], serde_json::json!(993), "{payment}");
}

#[test]
fn over_the_limit_of_a_window_is_429_with_when_to_come_again() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("config.toml"), "[rest]\ncalls_per_minute_max = 3\n").unwrap();
    let more = ["--config", "config.toml", "--clock", "2026-03-04T05:06:07Z"];
    let demo = ["--demo=invoice-settlement", "--test"];
    let gateway = TestGateway::start_in(folder, &[&demo[..], &more].concat());
    // The token is the first call.
    let client = Client::new(&gateway);
    for left in ["1", "0"] {
        let answer = client.get("/v1/refunds");
        assert_eq!((answer.status, answer.header("ratelimit-remaining")), (200, Some(left)));
    }
    let path = format!("/v1/payments/{PAYMENT}/refunds");
    let over = client.send("POST", &path, &[("Zuora-Version", "341.0")], BODY);
    let (status, code, _) = refused(&over);
    assert_eq!((status, code), (429, 50_000_070), "{over}");
    assert_eq!(over.header("retry-after"), over.header("ratelimit-reset"), "{over}");
    assert!(over.header("ratelimit-limit").unwrap().starts_with("3, 3;w=60, "), "{over}");
    let limits = ["rest_calls", "login_guard"];
    assert_eq!(limits.map(|limit| rejected(&gateway, limit)), [1, 0]);
    crate::admin_api::told_by(&gateway, &["clock", "--advance", "60"]);
    let payment = done(&client.get(&format!("/v1/payments/{PAYMENT}")));
    assert_eq!(payment["refundAmount"], serde_json::json!(0), "{payment}");
}
