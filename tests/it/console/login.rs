//! Who gets into the console, and who may change something there.

use super::visitor::{FORM, Visitor, encoded};
use crate::admin_api::{done, token};
use crate::gateway::TestGateway;
use crate::wire::Answer;
use serde_json::json;

const USERS: &str = r#"
[[user]]
username = "reader@example.com"
password = "reads"
permissions = ["console-read"]

[[user]]
username = "operator@example.com"
password = "operates"
permissions = ["console-operate"]

[[user]]
username = "client@example.com"
password = "refunds"
permissions = ["external-refund"]
"#;

fn as_user<'g>(gateway: &'g TestGateway, name: &str, password: &str) -> Visitor<'g> {
    Visitor::logged_in(gateway, &[("username", name), ("password", password)])
}

#[test]
fn one_with_the_token_gets_a_cookie_that_scripts_and_other_sites_never_see() {
    let gateway = TestGateway::demo();
    let stranger = Visitor::stranger(&gateway);
    let to_login = stranger.get("/refunds?state=Error");
    let wanted = "/login?next=/refunds%3Fstate%3DError";
    assert_eq!((to_login.status, to_login.header("location")), (303, Some(wanted)));
    let page = stranger.get(wanted).text();
    assert!(page.contains("value=\"/refunds?state=Error\""), "{page}");
    let first_password = page.split("type=\"password\"").next().unwrap();
    assert!(first_password.ends_with("name=\"token\" "), "{page}");
    assert!(!page.contains(" required"), "{page}");
    let token = token(&gateway);
    let entered = stranger.log_in(&[("token", &token), ("next", "/refunds?state=Error")]);
    assert_eq!(entered.header("location"), Some("/refunds?state=Error"), "{entered}");
    let cookie = entered.header("set-cookie").unwrap();
    for part in ["; HttpOnly", "; SameSite=Strict", "; Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure") && !cookie.contains(&token), "{cookie}");
    for elsewhere in ["//evil.example", "https://evil.example/", "/\\evil.example"] {
        let entered = stranger.log_in(&[("token", &token), ("next", elsewhere)]);
        assert_eq!(entered.header("location"), Some("/"), "{elsewhere}");
    }
}

#[test]
fn a_wrong_token_is_refused_and_too_many_close_the_door() {
    let gateway = TestGateway::demo();
    let stranger = Visitor::stranger(&gateway);
    let nothing = stranger.log_in(&[]);
    assert!(nothing.status == 400 && nothing.text().contains("Give the token"), "{nothing}");
    for attempt in 0..10 {
        let wrong = stranger.log_in(&[("token", &format!("wrong{attempt}"))]);
        assert_eq!((wrong.status, wrong.header("set-cookie")), (401, None), "{wrong}");
    }
    let refused = stranger.log_in(&[("token", &token(&gateway))]);
    assert!(refused.status == 429 && refused.text().contains("Too many"), "{refused}");
    // Users are counted apart.
    as_user(&gateway, "demo@example.com", "demo");
}

#[test]
fn users_meet_the_guard_that_clients_meet() {
    let gateway = TestGateway::seeded(USERS, &[]);
    let stranger = Visitor::stranger(&gateway);
    let client = [("username", "client@example.com"), ("password", "refunds")];
    let without = stranger.log_in(&client);
    assert!(without.status == 403 && without.text().contains("console-read"), "{without}");
    let wrong = [("username", "reader@example.com"), ("password", "wrong")];
    for _ in 0..10 {
        assert_eq!(stranger.log_in(&wrong).status, 401);
    }
    let right = [("username", "reader@example.com"), ("password", "reads")];
    assert_eq!(stranger.log_in(&right).status, 429);
}

#[test]
fn one_who_reads_sees_no_forms_that_change_something_and_sends_none() {
    let gateway = TestGateway::seeded(USERS, &[]);
    let reader = as_user(&gateway, "reader@example.com", "reads");
    let front = reader.get("/").text();
    assert!(front.contains("reader@example.com, read-only"), "{front}");
    let refused = reader.post("/refunds", &[]);
    assert_eq!(refused.status, 403, "{refused}");
    assert!(refused.text().contains("console-operate"), "{refused}");
    let operator = as_user(&gateway, "operator@example.com", "operates");
    assert!(!operator.get("/").text().contains("read-only"));
    assert_ne!(operator.post("/refunds", &[]).status, 403);
}

#[test]
fn a_form_needs_a_session_its_token_and_an_origin_that_is_the_host() {
    let gateway = TestGateway::demo();
    let (one, other) = (Visitor::with_token(&gateway), Visitor::with_token(&gateway));
    let (ours, csrf) = (one.origin(), one.csrf());
    let form = encoded(&[("csrf", &csrf)]);
    let send = |visitor: &Visitor<'_>, origin: Option<&str>, body: &str| -> Answer {
        let mut headers = vec![FORM];
        headers.extend(origin.map(|origin| ("Origin", origin)));
        visitor.send("POST", "/logout", &headers, body)
    };
    let elsewhere = format!("{ours}0");
    for origin in [None, Some("null"), Some("http://evil.example"), Some(elsewhere.as_str())] {
        let refused = send(&one, origin, &form);
        let host = ours.strip_prefix("http://").unwrap();
        assert!(refused.status == 403 && refused.text().contains(host), "{refused}");
    }
    let foreign = encoded(&[("csrf", &other.csrf())]);
    for body in ["", "csrf=", "csrf=x", foreign.as_str()] {
        let refused = send(&one, Some(&ours), body);
        assert!(refused.status == 403 && refused.text().contains("session"), "{refused}");
    }
    assert_eq!(send(&Visitor::stranger(&gateway), Some(&ours), &form).status, 401);
    let headers = [("Content-Type", "multipart/form-data"), ("Origin", ours.as_str())];
    assert_eq!(one.send("POST", "/logout", &headers, &form).status, 415);
    assert_eq!(one.get("/logout").status, 405);
    assert_eq!(one.get("/").status, 200);
    let left = send(&one, Some(&ours), &form);
    assert_eq!((left.status, left.header("location")), (303, Some("/login")), "{left}");
    assert!(left.header("set-cookie").unwrap().contains("Max-Age=0"), "{left}");
    assert_eq!(one.get("/").status, 303);
    assert_eq!(other.get("/").status, 200);
    // A proxy may have ended TLS.
    let https = ours.replace("http:", "https:");
    assert_eq!(send(&other, Some(&https), &foreign).status, 303);
}

#[test]
fn a_user_who_is_shut_out_loses_the_session_at_the_next_request() {
    let gateway = TestGateway::seeded(USERS, &[]);
    let reader = as_user(&gateway, "reader@example.com", "reads");
    let operator = as_user(&gateway, "operator@example.com", "operates");
    let revoke = json!({ "username": "operator@example.com", "permissions": ["console-operate"] });
    let more = json!({ "username": "operator@example.com", "permissions": ["console-read"] });
    done(&gateway, "POST", "users/grant", &more);
    done(&gateway, "POST", "users/revoke", &revoke);
    assert!(operator.get("/").text().contains("read-only"));
    done(&gateway, "POST", "users/disable", &json!({ "username": "reader@example.com" }));
    assert_eq!(reader.get("/").status, 303);
    let password = json!({ "username": "operator@example.com", "password": "another" });
    done(&gateway, "POST", "users/set-password", &password);
    assert_eq!(operator.get("/").status, 303);
}

#[test]
fn sessions_are_bounded_in_number_and_the_one_least_used_ends() {
    let gateway = TestGateway::demo();
    let (first, used) = (Visitor::with_token(&gateway), Visitor::with_token(&gateway));
    for _ in 0..254 {
        Visitor::with_token(&gateway);
    }
    assert_eq!(used.get("/").status, 200);
    Visitor::with_token(&gateway);
    assert_eq!((first.get("/").status, used.get("/").status), (303, 200));
}
