//! Reports of replays that are handed to a running gateway: what it keeps, what it refuses, and
//! what its console shows.

use crate::admin_api::{api, ask, done};
use crate::console::Visitor;
use crate::gateway::TestGateway;
use crate::replaying::Folder;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// A name of a capture that a page must not take for its own.
const MARKUP: &str = "<img src=x onerror=alert(1)>";
/// What is in an answer that was captured, and never comes.
const OTHER: &str = "<ns1:Other>&lt;script&gt;alert(1)&lt;/script&gt;</ns1:Other>";

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A catalogue of three cases, of which two differ: a refund with a hostile name, and a login.
fn captures() -> Folder {
    let (passes, refund, login) = ("documented-example", "comment-and-reason-code", "login");
    let captured = fixture(&format!("external/{refund}/response.xml"));
    let differs = captured.replace("<ns1:Success>", &format!("{OTHER}<ns1:Success>"));
    assert_ne!(captured, differs);
    let refused =
        "<e><ns1:Session xmlns:ns1='http://api.zuora.com/'>captured-session</ns1:Session></e>";
    let of = |name: &str| format!("cases/{name}");
    Folder::with("cases/seed.toml", fixture("seed.toml"))
        .and(&of("passes/request.xml"), fixture(&format!("external/{passes}/request.xml")))
        .and(&of("passes/response.xml"), fixture(&format!("external/{passes}/response.xml")))
        .and(
            &of(&format!("{MARKUP}/request.xml")),
            fixture(&format!("external/{refund}/request.xml")),
        )
        .and(&of(&format!("{MARKUP}/response.xml")), differs)
        .and(&of("login/request.xml"), fixture(&format!("sessions/{login}/request.xml")))
        .and(&of("login/response.xml"), refused)
}

/// The options by which a report goes to this gateway.
fn to(gateway: &TestGateway) -> Vec<String> {
    let file = gateway.folder().join("ledger.db.admin-token");
    let admin = format!("http://{}", gateway.admin());
    let file = file.to_str().unwrap().to_owned();
    ["--publish", "--admin", &admin, "--token-file", &file].map(str::to_owned).to_vec()
}

/// Runs `replay` on the folder's cases and hands the report over.
fn publish(folder: &Folder, gateway: &TestGateway, more: &[&str]) -> (Option<i32>, String, String) {
    let options = to(gateway);
    let options = options.iter().map(String::as_str);
    let args: Vec<&str> =
        ["cases"].into_iter().chain(options).chain(more.iter().copied()).collect();
    let output = folder.replay(&args);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// A report of these cases.
pub fn report(cases: &Value) -> Value {
    json!({
        "began": "2026-01-02T03:04:05Z", "version": "1", "replayed": ["a"], "endpoint": "",
        "summary": {
            "passed": 1, "updated": 0, "failed": 0, "skipped": 0, "not_served": 0, "not_run": 0,
            "left_out": 0, "took_us": 1,
        },
        "cases": cases,
    })
}

fn kept(gateway: &TestGateway) -> Vec<u64> {
    let listed = done(gateway, "GET", "reports", &Value::Null);
    let reports = listed["reports"].as_array().unwrap();
    reports.iter().map(|report| report["id"].as_u64().unwrap()).collect()
}

#[test]
fn a_published_report_has_what_the_report_for_programs_has_and_no_more() {
    let (gateway, folder) = (TestGateway::demo(), captures());
    let (code, stdout, stderr) = publish(&folder, &gateway, &["--json"]);
    assert_eq!(code, Some(1), "{stdout}{stderr}");
    let place = format!("http://{}/bench/reports/1", gateway.admin());
    assert!(stderr.contains(&place), "{stderr}");
    let lines: Vec<Value> =
        stdout.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let (summary, cases) = lines.split_last().unwrap();
    let published = done(&gateway, "GET", "reports/1", &Value::Null);
    assert_eq!(published["cases"], json!(cases));
    assert_eq!(published["summary"], summary["summary"]);
    assert_eq!((&published["id"], &published["replayed"]), (&json!(1), &json!(["cases"])));
    assert_eq!(published["unlisted"], 0);
    let keys: Vec<&String> = published.as_object().unwrap().keys().collect();
    let known = [
        "began",
        "broke_off",
        "cases",
        "endpoint",
        "id",
        "replayed",
        "summary",
        "unlisted",
        "version",
    ];
    assert_eq!(keys, known);
    // The capture holds a session, and the login's request a password that is sent.
    let text = published.to_string();
    assert!(text.contains("alert(1)") && !text.contains("captured-session"), "{text}");
    let listed = &done(&gateway, "GET", "reports", &Value::Null)["reports"][0];
    assert_eq!(
        (&listed["summary"]["failed"], &listed["summary"]["passed"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(listed["endpoint"], published["endpoint"]);
    assert!(listed.get("cases").is_none(), "{listed}");
}

#[test]
fn the_console_shows_what_was_published_as_text() {
    let (gateway, folder) = (TestGateway::demo(), captures());
    assert_eq!(publish(&folder, &gateway, &[]).0, Some(1));
    let user = json!({
        "username": "reader@example.com", "password": "reader", "permissions": ["console-read"],
    });
    done(&gateway, "POST", "users", &user);
    let fields = [("username", "reader@example.com"), ("password", "reader")];
    let visitor = Visitor::logged_in(&gateway, &fields);
    assert!(visitor.get("/bench").text().contains("href=\"/bench/reports\""));
    let list = visitor.get("/bench/reports").text();
    assert!(list.contains("href=\"/bench/reports/1\"") && list.contains("2 failed"), "{list}");
    let page = visitor.get("/bench/reports/1");
    assert_eq!(page.status, 200, "{page}");
    let page = page.text();
    assert!(page.contains("<del>- ") && page.contains("onerror=alert(1)"), "{page}");
    assert!(!page.contains("<img src=x") && !page.contains("<script>"), "{page}");
    assert!(page.contains("<details><summary>1 passed"), "{page}");
    let passed = visitor.get("/bench/reports/1?outcome=passed").text();
    assert!(passed.contains("<details open><summary>1 passed"), "{passed}");
    assert!(!passed.contains("Failed: "), "{passed}");
    let failed = visitor.get("/bench/reports/1?outcome=failed").text();
    assert_eq!(failed.matches("<h2 id=\"failed-").count(), 2, "{failed}");
    assert!(!failed.contains("1 passed</summary>"), "{failed}");
    let wrong = visitor.get("/bench/reports/1?outcome=fialed");
    assert!(wrong.status == 400 && wrong.text().contains("not-served"), "{wrong}");
    assert_eq!(visitor.get("/bench/reports/2").status, 404);
    assert_eq!(visitor.get("/bench/reports/x").status, 404);
}

#[test]
fn a_long_report_is_shown_in_pages_and_the_failed_cases_come_first() {
    let gateway = TestGateway::demo();
    let case = |number: usize| {
        let outcome = if number == 1_200 { "failed" } else { "passed" };
        json!({ "case": format!("case-{number}."), "outcome": outcome, "took_us": 1 })
    };
    let cases: Vec<Value> = (1..=1_200).map(case).collect();
    done(&gateway, "POST", "reports", &report(&json!(cases)));
    let visitor = Visitor::with_token(&gateway);
    let mut path = "/bench/reports/1".to_owned();
    let mut shown = 0;
    let mut pages = 0;
    loop {
        let page = visitor.get(&path).text();
        assert_eq!(page.contains("Failed: case-1200."), pages == 0, "{path}");
        shown += page.matches("case-").count();
        pages += 1;
        let Some((before, _)) = page.split_once("\">Further cases") else { break };
        path = before.rsplit('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&");
    }
    assert_eq!((shown, pages), (1_200, 3));
}

#[test]
fn the_last_reports_are_kept_within_the_bounds() {
    let gateway = TestGateway::demo();
    for number in 1..=22 {
        let added = done(&gateway, "POST", "reports", &report(&json!([])));
        assert_eq!(added, json!({ "id": number }));
    }
    assert_eq!(kept(&gateway), (3..=22).rev().collect::<Vec<_>>());
    assert_eq!(api(&gateway, "GET", "reports/2", &Value::Null).status, 404);
    // A reset is of the ledger; what was replayed before it can still be looked at.
    done(&gateway, "POST", "reset", &json!({}));
    assert_eq!(kept(&gateway).len(), 20);
    let why = "x".repeat(3_500_000);
    let long = json!([{ "case": "a", "outcome": "skipped", "why": why, "took_us": 1 }]);
    for _ in 0..5 {
        done(&gateway, "POST", "reports", &report(&long));
    }
    assert_eq!(kept(&gateway), [27, 26, 25, 24]);
}

#[test]
fn what_is_no_report_is_refused_by_what_is_wrong_with_it() {
    let gateway = TestGateway::demo();
    let without = |key: &str| {
        let mut report = report(&json!([]));
        report.as_object_mut().unwrap().remove(key);
        report
    };
    let case = |key: &str, value: Value| {
        let mut case = json!({ "case": "a", "outcome": "failed", "took_us": 1 });
        case[key] = value;
        report(&json!([case]))
    };
    for (body, status, named) in [
        (Value::Null, 400, "began"),
        (json!([]), 400, "all of it is a list"),
        (without("summary"), 400, "`summary` is missing"),
        (without("cases"), 400, "`cases` is missing"),
        (case("outcome", json!("fialed")), 400, "fialed"),
        (case("took_us", json!(-1)), 400, "-1"),
        (case("differences", json!([{ "diff": [] }])), 400, "in_words"),
        (case("differences", json!([["a", []]])), 400, "cases[0].differences[0] is a list"),
        (report(&json!([["a", "failed"]])), 400, "cases[0] is a list"),
    ] {
        let reported = api(&gateway, "POST", "reports", &body);
        let error = reported.body["error"].as_str().unwrap_or_default();
        let is_named = error.contains(named) && error.contains("no report of a replay");
        assert!(reported.status == status && is_named, "{body}: {} {error}", reported.status);
    }
    assert_eq!(kept(&gateway), [0; 0]);
    let large = report(&json!([{ "case": "x".repeat(4 * 1024 * 1024) }]));
    let reported = api(&gateway, "POST", "reports", &large);
    let error = reported.body["error"].as_str().unwrap_or_default();
    assert!(reported.status == 413 && error.contains("4194304 bytes"), "{error}");
    assert_eq!(api(&gateway, "DELETE", "reports", &Value::Null).status, 405);
    let json = [("Content-Type", "application/json")];
    assert_eq!(ask(&gateway, &json, ("POST", "reports", &report(&json!([])))).status, 401);
}

#[test]
fn a_report_that_is_not_published_is_a_failure_that_says_why() {
    let folder = captures();
    let real = TestGateway::start(&[]);
    let (code, stdout, stderr) = publish(&folder, &real, &[]);
    assert_eq!(code, Some(5), "{stderr}");
    assert!(stdout.contains("1 passed, 2 failed"), "{stdout}");
    assert!(stderr.contains("was not published: 403: "), "{stderr}");
    assert_eq!(Visitor::with_token(&real).get("/bench/reports").status, 404);
    assert_eq!(api(&real, "GET", "reports", &Value::Null).status, 403);
    let wrong = folder.path("token");
    fs::write(&wrong, "another token than that").unwrap();
    let test = TestGateway::demo();
    let admin = format!("http://{}", test.admin());
    let file = wrong.to_str().unwrap();
    let args = ["cases", "--publish", "--admin", &admin, "--token-file", file];
    let reported = folder.reported(&args, 5);
    assert!(reported.contains("was not published: 401: "), "{reported}");
    // What is known to be wrong is said before anything is sent.
    let nowhere = folder.path("none").to_str().unwrap().to_owned();
    let args = ["cases", "--publish", "--admin", &admin, "--token-file", &nowhere];
    folder.refused(&args, 4, "the token of the admin API cannot be read");
    let args = ["cases", "--publish", "--admin", "none", "--token-file", file];
    folder.refused(&args, 2, "--admin");
    folder.refused(&["cases", "--publish", "--list"], 2, "--list");
    assert_eq!(kept(&test), [0; 0]);
}
