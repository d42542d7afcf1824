//! What headers promise: idempotency, tracing, limits.

use super::client::{Client, PAYMENT, done, json, settlement};

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
