//! Zuora-Entity-Ids and Zuora-Org-Ids: what a caller may name, and what becomes of the rest.

use super::client::{Client, PAYMENT, done, json, refused, settlement};
use crate::gateway::TestGateway;
use serde_json::json;

const ENTITY: &str = "11111111-1111-4111-8111-111111111111";
const SEED: &str = include_str!("../../../src/service/seed/demo.toml");
const SETTLEMENT: &str = include_str!("../../../src/service/seed/demo_settlement.toml");

/// The demo of Invoice Settlement as a seed, with an entity and two orgs.
fn seed() -> String {
    let tenant = "[tenant]\n";
    let settlement = SETTLEMENT.split_once(tenant).map_or(SETTLEMENT, |(_, rest)| rest);
    let (switches, rest) = settlement.split_once("\n[").expect("more than switches");
    let user = "username = \"demo@example.com\"\n";
    let with_orgs = format!("{user}orgs = [\"north\", \"south\"]\n");
    assert!(SEED.contains(user));
    let of_tenant = format!("{tenant}entities = [\"{ENTITY}\"]\n{switches}\n");
    let demo = match SEED.split_once(tenant) {
        Some((before, after)) => format!("{before}{of_tenant}{after}"),
        None => format!("{of_tenant}{SEED}"),
    };
    format!("{}\n[{rest}", demo.replace(user, &with_orgs))
}

#[test]
fn an_entity_is_one_of_the_tenant_and_orgs_are_the_users() {
    let mut gateway = TestGateway::seeded(&seed(), &[]);
    for restarts in 0..2 {
        let client = Client::new(&gateway);
        let path = format!("/v1/payments/{PAYMENT}");
        for (name, value) in [
            ("Zuora-Entity-Ids", ENTITY),
            ("Zuora-Entity-Ids", ""),
            ("Zuora-Org-Ids", "north"),
            ("Zuora-Org-Ids", "south, north"),
        ] {
            done(&client.send("GET", &path, &[(name, value)], ""));
        }
        for (name, value, named) in [
            ("Zuora-Entity-Ids", "22222222-2222-4222-8222-222222222222", "22222222-"),
            ("Zuora-Entity-Ids", &format!("{ENTITY},{ENTITY}"), ENTITY),
            ("Zuora-Org-Ids", "west", "west"),
            ("Zuora-Org-Ids", "north,west", "west"),
        ] {
            let refund = json!({"type": "External", "methodType": "Cash", "totalAmount": 1});
            let answer = client.send(
                "POST",
                &format!("{path}/refunds"),
                &[(name, value)],
                &refund.to_string(),
            );
            let (status, code, text) = refused(&answer);
            assert_eq!((status, code % 100), (403, 10), "{name}: {answer}");
            assert!(text.contains(name) && text.contains(named), "{answer}");
            let old = [(name, value), ("Zuora-Version", "341.0")];
            assert_eq!(refused(&client.send("GET", &path, &old, "")).0, 200);
        }
        let payment = done(&client.get(&path));
        assert_eq!(payment["refundAmount"], json!(0), "{payment}");
        if restarts == 0 {
            gateway.kill9();
            gateway.restart();
        }
    }
}

#[test]
fn a_token_is_asked_for_in_an_entity_of_the_tenant() {
    let gateway = TestGateway::seeded(&seed(), &[]);
    let form = "client_id=00000000-0000-4000-8000-000000000001&client_secret=demo-secret&\
                grant_type=client_credentials";
    let of_entity = |entity: &str| {
        let headers =
            [("Content-Type", "application/x-www-form-urlencoded"), ("Zuora-Entity-Ids", entity)];
        gateway.connect().send("POST", "/oauth/token", &headers, form.as_bytes())
    };
    assert!(json(&of_entity(ENTITY))["access_token"].is_string());
    let (status, code, _) = refused(&of_entity("another"));
    assert_eq!((status, code % 100), (403, 10));
}

#[test]
fn without_entities_and_orgs_the_headers_mean_nothing() {
    let gateway = settlement();
    let client = Client::new(&gateway);
    let headers = [("Zuora-Entity-Ids", "any"), ("Zuora-Org-Ids", "any, other")];
    done(&client.send("GET", &format!("/v1/payments/{PAYMENT}"), &headers, ""));
}
