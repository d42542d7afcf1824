//! The console through the built program, as a browser without scripts meets it.

mod login;
mod money;
mod operators;
mod visitor;

use crate::gateway::{ENDPOINT, TestGateway, login_envelope};
use crate::serving_tls;
use crate::tls::authority;
use visitor::CONTENT_SECURITY_POLICY;
pub use visitor::Visitor;

/// Where every section begins.
const SECTIONS: [&str; 11] = [
    "/",
    "/refunds",
    "/accounts",
    "/journal",
    "/bench",
    "/gateways",
    "/webhooks",
    "/sessions",
    "/users",
    "/settings",
    "/audit",
];

#[test]
fn every_section_is_a_page_that_the_front_page_leads_to() {
    let gateway = TestGateway::demo();
    let visitor = Visitor::with_token(&gateway);
    let front = visitor.get("/");
    for path in SECTIONS {
        assert!(front.text().contains(&format!("href=\"{path}\"")), "no link to {path}");
        let page = visitor.get(path);
        assert_eq!(page.status, 200, "{path}: {page}");
        assert_eq!(page.header("cache-control"), Some("no-store"), "{path}");
        assert_eq!(page.text().matches("<h1>").count(), 1, "{path}");
    }
}

#[test]
fn a_ledger_with_real_money_has_no_test_bench() {
    let gateway = TestGateway::start(&[]);
    let visitor = Visitor::with_token(&gateway);
    let front = visitor.get("/");
    assert!(!front.text().contains("test ledger"), "{front}");
    assert!(!front.text().contains("href=\"/bench\""), "{front}");
    for path in SECTIONS.into_iter().filter(|path| *path != "/bench") {
        assert_eq!(visitor.get(path).status, 200, "{path}");
    }
}

/// Regression: the test bench tried no call where the public listener speaks TLS.
#[test]
fn a_call_is_tried_whether_clients_come_by_tls_or_not() {
    let believed = authority("believed");
    for gateway in [TestGateway::demo(), serving_tls::start(&believed, &[], &[])] {
        let visitor = Visitor::with_token(&gateway);
        let call = |path: &str, text: &str| {
            let user = ("user", "demo@example.com");
            visitor.post("/bench/try", &[("text", text), ("path", path), user]).text()
        };
        let answered = call(ENDPOINT, &login_envelope("demo@example.com", "demo"));
        assert!(answered.contains("HTTP 200") && answered.contains("loginResponse"), "{answered}");
        let missing = call("/none", "x");
        assert!(missing.contains("HTTP 404"), "{missing}");
        let fault = r#"{ "operation": "login", "reset": "before" }"#;
        let fault: serde_json::Value = serde_json::from_str(fault).unwrap();
        crate::admin_api::done(&gateway, "POST", "faults", &fault);
        let reset = call(ENDPOINT, &login_envelope("demo@example.com", "demo"));
        assert!(reset.contains("as it may by an ordered fault"), "{reset}");
    }
}

#[test]
fn no_answer_lets_a_page_load_or_run_what_is_not_ours() {
    let gateway = TestGateway::demo();
    let visitor = Visitor::with_token(&gateway);
    let stranger = Visitor::stranger(&gateway);
    let post = [("Content-Type", "text/plain")];
    let answers = [
        visitor.get("/"),
        visitor.get("/refunds/R-99999999"),
        visitor.get("/refunds?nothing=1"),
        visitor.get("/nowhere"),
        visitor.get("/favicon.ico"),
        stranger.get("/"),
        stranger.get("/accounts?q=%22"),
        stranger.get("/live"),
        stranger.get("/login"),
        stranger.send("POST", "/login", &post, ""),
        stranger.send("PUT", "/login", &[], ""),
        stranger.send("POST", "/login", &[], &"x".repeat(100_000)),
        stranger.send("GET", "/", &[("Host", "evil.example")], ""),
    ];
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [200, 404, 400, 404, 200, 303, 303, 401, 200, 403, 405, 413, 421]);
    for answer in answers {
        let policy = answer.header("content-security-policy");
        assert_eq!(policy, Some(CONTENT_SECURITY_POLICY), "{answer}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{answer}");
        assert_eq!(answer.header("referrer-policy"), Some("same-origin"), "{answer}");
        let text = answer.text();
        assert!(!text.contains(" style=") && !text.contains("<style"), "{answer}");
        assert!(!text.contains("<script>") && !text.contains(" onclick="), "{answer}");
    }
}

#[test]
fn files_have_names_that_change_with_them_and_are_kept_by_browsers() {
    let gateway = TestGateway::demo();
    let stranger = Visitor::stranger(&gateway);
    let login = stranger.get("/login").text();
    for name in ["console.css", "console.js", "favicon.svg"] {
        let path = login.split('"').find(|text| text.ends_with(name));
        let path = path.unwrap_or_else(|| panic!("{name}: {login}"));
        let file = stranger.get(path);
        assert_eq!(file.status, 200, "{path}");
        assert!(file.header("cache-control").unwrap().contains("immutable"), "{file}");
        let etag = file.header("etag").unwrap().to_owned();
        let asked = [("If-None-Match", etag.as_str()), ("Connection", "close")];
        let again = stranger.send("GET", path, &asked, "");
        assert_eq!((again.status, again.body.len()), (304, 0), "{again}");
    }
}

#[test]
fn what_machines_read_is_where_it_was() {
    let gateway = TestGateway::demo();
    let stranger = Visitor::stranger(&gateway);
    for path in ["/healthz", "/livez", "/readyz", "/metrics", "/openapi.json"] {
        assert_eq!(stranger.get(path).status, 200, "{path}");
    }
    assert_eq!(stranger.get("/api/v1/users").status, 401);
    assert_eq!(stranger.get("/apix").status, 404);
    let nowhere = stranger.get("/nowhere%3Cb%3E");
    assert_eq!(nowhere.status, 404);
    assert!(nowhere.text().contains("/healthz"), "{nowhere}");
    assert!(!nowhere.text().contains("<b>"), "{nowhere}");
}

#[test]
fn a_page_is_told_that_something_changed_and_the_stream_ends_with_the_gateway() {
    let mut gateway = TestGateway::demo();
    let visitor = Visitor::with_token(&gateway);
    let mut stream = visitor.open("/live");
    let session = gateway.login();
    gateway.create(
        &session,
        &[crate::gateway::external_refund(crate::gateway::EXTERNAL_ACCOUNT, "10.00")],
    );
    let mut said = String::new();
    while !said.contains("event: changed") {
        said.push_str(&String::from_utf8(stream.read_some()).unwrap());
    }
    assert!(gateway.terminate().success());
}
