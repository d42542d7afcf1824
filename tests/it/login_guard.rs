//! How often a password may be guessed, through the built program.

use crate::admin_api::told_by;
use crate::gateway::{ENDPOINT, TestGateway, envelope, login_envelope};
use crate::wire::Answer;
use std::collections::BTreeMap;
use std::fs;
use std::thread;
use tempfile::TempDir;

fn attempt(gateway: &TestGateway, user: &str, password: &str, from: &str) -> Answer {
    let headers = [("Content-Type", "text/xml"), ("X-Forwarded-For", from)];
    let body = login_envelope(user, password);
    gateway.connect().send("POST", ENDPOINT, &headers, body.as_bytes())
}

fn guarded() -> TestGateway {
    let folder = TempDir::new().unwrap();
    let config = "[http]\ntrusted_proxies = [\"127.0.0.0/8\"]\n";
    fs::write(folder.path().join("config.toml"), config).unwrap();
    let args = ["--demo", "--config", "config.toml", "--clock", "2026-03-04T05:06:07Z"];
    TestGateway::start_in(folder, &args)
}

/// Regression: there was no limit on guessing.
#[test]
fn ten_wrong_passwords_close_a_user_from_one_address_for_a_minute() {
    let gateway = guarded();
    let (here, there) = ("198.51.100.1", "198.51.100.2");
    for user in ["demo@example.com", "stranger@example.com"] {
        for _ in 0..10 {
            let wrong = attempt(&gateway, user, "wrong", here);
            assert_eq!(
                (wrong.status, wrong.texts("FaultCode").concat()),
                (500, "INVALID_VALUE".into())
            );
        }
        for password in ["demo", "wrong"] {
            let refused = attempt(&gateway, user, password, here);
            assert_eq!(refused.status, 429, "{refused}");
            assert_eq!(refused.texts("FaultCode"), ["REQUEST_EXCEEDED_RATE"]);
            assert_eq!(refused.header("retry-after"), Some("60"));
        }
    }
    // No other pair is kept out: not the same user from elsewhere.
    assert_eq!(attempt(&gateway, "demo@example.com", "demo", there).status, 200);
    // A UsernameToken is a login like any other.
    let token = "<w:Security xmlns:w=\"http://schemas.xmlsoap.org/ws/2002/07/secext\">\
         <w:UsernameToken><w:Username>demo@example.com</w:Username><w:Password>demo</w:Password>\
         </w:UsernameToken></w:Security>";
    let headers = [("Content-Type", "text/xml"), ("X-Forwarded-For", here)];
    let call = envelope(token, "<api:getUserInfo/>");
    let by_token = gateway.connect().send("POST", ENDPOINT, &headers, call.as_bytes());
    assert_eq!(by_token.status, 429, "{by_token}");
    let metrics = gateway.get_admin("/metrics").text();
    assert!(
        metrics.contains("refund_gateway_rejected_total{limit=\"login_guard\"} 5"),
        "{metrics}"
    );
    gateway.until_it_says("logins are refused");
    told_by(&gateway, &["clock", "--advance", "60"]);
    assert_eq!(attempt(&gateway, "demo@example.com", "demo", here).status, 200);
}

#[test]
fn a_hundred_wrong_ones_a_minute_close_an_address() {
    let gateway = guarded();
    for number in 0..100 {
        let user = format!("user{number}@example.com");
        assert_eq!(attempt(&gateway, &user, "wrong", "198.51.100.1").status, 500);
    }
    assert_eq!(attempt(&gateway, "demo@example.com", "demo", "198.51.100.1").status, 429);
    assert_eq!(attempt(&gateway, "demo@example.com", "demo", "198.51.100.9").status, 200);
    told_by(&gateway, &["reset"]);
    assert_eq!(attempt(&gateway, "demo@example.com", "demo", "198.51.100.1").status, 200);
}

/// What so many attempts at once are told, how often each.
fn at_once(gateway: &TestGateway, password: &str) -> BTreeMap<u16, usize> {
    let mut told = BTreeMap::new();
    thread::scope(|scope| {
        let one = || attempt(gateway, "demo@example.com", password, "198.51.100.1").status;
        let all: Vec<_> = (0..40).map(|_| scope.spawn(one)).collect();
        for status in all {
            *told.entry(status.join().unwrap()).or_default() += 1;
        }
    });
    told
}

/// Regression: up to 18 of so many wrong ones were looked at.
#[test]
fn of_many_at_once_no_more_than_ten_are_told_that_they_are_wrong() {
    let gateway = guarded();
    assert_eq!(at_once(&gateway, "demo"), BTreeMap::from([(200, 40)]));
    assert_eq!(at_once(&gateway, "wrong"), BTreeMap::from([(429, 30), (500, 10)]));
    told_by(&gateway, &["clock", "--advance", "60"]);
    // Ten count still, and the next wrong one closes it again; right ones are let in, one by one.
    assert_eq!(at_once(&gateway, "demo"), BTreeMap::from([(200, 40)]));
    assert_eq!(at_once(&gateway, "wrong"), BTreeMap::from([(429, 39), (500, 1)]));
}
