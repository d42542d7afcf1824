//! The pages for operators: users and roles, sessions, the audit, settings, gateways and webhooks.

use super::visitor::Visitor;
use crate::admin_api::{done, token};
use crate::admin_readings::with_a_webhook_that_fails;
use crate::gateway::{EXTERNAL_ACCOUNT, TestGateway, external_refund};
use serde_json::{Value, json};

/// What a client can call itself that a page must not take for its own.
const MARKUP: &str = "<b>'x'</b>";

fn users(gateway: &TestGateway) -> Value {
    done(gateway, "GET", "users", &Value::Null)["users"].clone()
}

/// Sends a form, and returns the page that it leads to.
fn act(visitor: &Visitor<'_>, path: &str, fields: &[(&str, &str)]) -> String {
    let answer = visitor.post(path, fields);
    assert_eq!(answer.status, 303, "{path}: {answer}");
    visitor.get(answer.header("location").unwrap()).text()
}

#[test]
fn a_user_is_made_and_changed_and_the_audit_says_by_whom() {
    let gateway = TestGateway::demo();
    let visitor = Visitor::with_token(&gateway);
    let fields = [("username", MARKUP), ("password", "s3cret"), ("console-read", "yes")];
    let page = act(&visitor, "/users/create", &fields);
    assert!(page.contains("was created"), "{page}");
    assert!(!page.contains("<b>") && !page.contains("s3cret"), "{page}");
    let user = |gateway: &TestGateway| {
        let users = users(gateway);
        users.as_array().unwrap().iter().find(|user| user["username"] == MARKUP).unwrap().clone()
    };
    let given = user(&gateway)["permissions"].to_string();
    assert!(given.contains("console-read") && !given.contains("refund"), "{given}");
    let of = |permission| [("username", MARKUP), ("permission", permission)];
    act(&visitor, "/users/grant", &of("external-refund"));
    act(&visitor, "/users/revoke", &of("console-read"));
    let granted = user(&gateway)["permissions"].to_string();
    assert!(granted.contains("external-refund") && !granted.contains("console-read"), "{granted}");
    act(&visitor, "/users/disable", &[("username", MARKUP)]);
    assert_eq!(user(&gateway)["disabled"], true);
    let again = act(&visitor, "/users/disable", &[("username", MARKUP)]);
    assert!(again.contains("nothing was changed"), "{again}");
    act(&visitor, "/users/enable", &[("username", MARKUP)]);
    act(&visitor, "/users/set-password", &[("username", MARKUP), ("password", "another")]);
    assert_eq!(user(&gateway)["disabled"], false);
    for (path, fields) in [
        ("/users/grant", &of("external-refun")[..]),
        ("/users/disable", &[("username", "none")]),
        ("/users/create", &[("username", "x")]),
    ] {
        let refused = visitor.post(path, fields);
        assert_eq!(refused.status, 400, "{path}: {refused}");
    }
    let audit = visitor.get("/audit?object=User").text();
    for operation in ["create", "grant", "revoke", "disable", "enable", "set-password"] {
        assert!(audit.contains(&format!("<td>{operation} User</td>")), "{operation}: {audit}");
    }
    assert!(audit.contains("<td>console<br>") && !audit.contains("another"), "{audit}");
}

#[test]
fn a_session_is_ended_by_its_handle() {
    let gateway = TestGateway::demo();
    let session = gateway.login();
    let visitor = Visitor::with_token(&gateway);
    let page = visitor.get("/sessions?user=demo%40example.com").text();
    assert!(!page.contains(&session), "{page}");
    let path = page.split('"').find(|text| text.ends_with("/end")).unwrap().to_owned();
    let after = act(&visitor, &path, &[]);
    assert!(
        after.contains("has ended") && after.contains("There is no session and no token"),
        "{after}"
    );
    let refund = external_refund(EXTERNAL_ACCOUNT, "1");
    assert_eq!(gateway.create(&session, &[refund]).texts("FaultCode"), ["INVALID_SESSION"]);
    assert_eq!(visitor.post(&path, &[]).status, 404);
}

#[test]
fn the_audit_is_filtered_and_read_on() {
    let gateway = TestGateway::demo();
    let session = gateway.login();
    for _ in 0..60 {
        gateway.create(&session, &[external_refund(EXTERNAL_ACCOUNT, "1")]);
    }
    let visitor = Visitor::with_token(&gateway);
    let page = visitor.get("/audit?object=Refund").text();
    assert_eq!(page.matches("<tr id=\"record-").count(), 50, "{page}");
    assert!(page.contains("href=\"/refunds/R-00000060\""), "{page}");
    let next = page.split("href=\"").find(|rest| rest.starts_with("/audit?object=Refund")).unwrap();
    let next = next.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&");
    let older = visitor.get(&next).text();
    assert_eq!(older.matches("<tr id=\"record-").count(), 10, "{older}");
    assert_eq!(visitor.get("/audit?from=yesterday").status, 400);
    assert!(visitor.get("/audit?actor=none").text().contains("There is no such record"));
}

#[test]
fn each_setting_says_where_it_came_from_and_no_secret_is_shown() {
    let gateway = with_a_webhook_that_fails();
    let page = Visitor::with_token(&gateway).get("/settings").text();
    for part in ["http.journal_exchanges_max", "10000", "default", "books", "time_zone"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("a secret of tests") && !page.contains(&token(&gateway)), "{page}");
}

#[test]
fn a_sandbox_is_switched_off_and_on() {
    let gateway = TestGateway::demo();
    let visitor = Visitor::with_token(&gateway);
    let off = act(&visitor, "/gateways/deactivate", &[("name", "sandbox")]);
    assert!(off.contains("inactive") && off.contains("takes no orders any more"), "{off}");
    let on = act(&visitor, "/gateways/activate", &[("name", "sandbox")]);
    assert!(!on.contains("inactive") && on.contains("takes orders"), "{on}");
    assert_eq!(visitor.post("/gateways/activate", &[("name", "none")]).status, 400);
    assert_eq!(visitor.post("/gateways/activate", &[]).status, 400);
}

#[test]
fn a_webhook_that_fails_is_shown_with_why() {
    let gateway = with_a_webhook_that_fails();
    let visitor = Visitor::with_token(&gateway);
    assert!(visitor.get("/webhooks").text().contains("href=\"/webhooks/books\""));
    let page = visitor.get("/webhooks/books").text();
    assert!(page.contains("href=\"/refunds/R-00000001\""), "{page}");
    assert_eq!(visitor.get("/webhooks/none").status, 404);
}

#[test]
fn a_delivery_that_failed_is_tried_again_or_skipped_with_a_reason() {
    let gateway = with_a_webhook_that_fails();
    let visitor = Visitor::with_token(&gateway);
    let retried = act(&visitor, "/webhooks/books/retry", &[("event", "1")]);
    assert!(retried.contains("Event 1 is being tried again"), "{retried}");
    assert_eq!(visitor.post("/webhooks/books/retry", &[]).status, 400);
    assert_eq!(visitor.post("/webhooks/none/retry", &[("event", "1")]).status, 404);
    assert_eq!(visitor.post("/webhooks/books/skip", &[("event", "1")]).status, 400);
    let reason = ("reason", "booked <by hand>");
    let skipped = act(&visitor, "/webhooks/books/skip", &[("event", "1"), reason]);
    assert!(skipped.contains("Event 1 is skipped") && skipped.contains("Nothing failed"));
    let audit = visitor.get("/audit?object=Delivery").text();
    assert!(
        audit.contains("booked &#60;by hand&#62;") && audit.contains("skip Delivery"),
        "{audit}"
    );
}

#[test]
fn one_who_only_reads_is_shown_no_form_and_changes_nothing() {
    let gateway = TestGateway::demo();
    gateway.login();
    let reader = json!({ "username": "r", "password": "p", "permissions": ["console-read"] });
    done(&gateway, "POST", "users", &reader);
    let visitor = Visitor::logged_in(&gateway, &[("username", "r"), ("password", "p")]);
    for path in ["/users", "/sessions", "/gateways"] {
        let page = visitor.get(path).text();
        let main = page.split("<main").nth(1).unwrap();
        assert!(!main.contains("method=\"post\""), "{path}: {page}");
    }
    for (path, fields) in [
        ("/users/disable", &[("username", "demo@example.com")][..]),
        ("/gateways/deactivate", &[("name", "sandbox")]),
        ("/sessions/00000000000000000000000000000000/end", &[]),
    ] {
        assert_eq!(visitor.post(path, fields).status, 403, "{path}");
    }
}
