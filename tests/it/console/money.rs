//! Accounts and refunds in the console: lists and filters, one refund's story, settling by hand,
//! the export, search; and that what clients wrote is only ever text.

use super::visitor::Visitor;
use crate::admin_api::done;
use crate::gateway::{
    ELECTRONIC_ACCOUNT, EXTERNAL_ACCOUNT, TestGateway, electronic_refund, external_refund, refund,
};
use serde_json::{Value, json};

/// What a client writes that must not become a part of a page.
const HOSTILE: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>";

/// As XML carries it.
fn hostile_in_xml() -> String {
    HOSTILE.replace('<', "&lt;").replace('>', "&gt;")
}

fn commented(comment: &str) -> String {
    refund(&[
        ("AccountId", EXTERNAL_ACCOUNT),
        ("Amount", "1.25"),
        ("SourceType", "CreditBalance"),
        ("Type", "External"),
        ("MethodType", "Check"),
        ("Comment", comment),
    ])
}

/// A gateway whose sandbox never answers, on a clock that stands still.
fn with_a_silent_sandbox() -> TestGateway {
    let demo = include_str!("../../../src/service/seed/demo.toml");
    let silent = "[[gateway]]\nname = \"sandbox\"\nkind = \"sandbox\"\n\n\
        [[gateway.rule]]\nanswer = \"drop-before\"\n";
    TestGateway::seeded(&format!("{demo}\n{silent}"), &["--clock", "2026-01-02T03:04:05Z"])
}

#[test]
fn the_newest_refund_stands_on_the_front_page_and_leads_to_its_story() {
    let gateway = TestGateway::demo();
    let visitor = Visitor::with_token(&gateway);
    assert!(visitor.get("/").text().contains("None."));
    let session = gateway.login();
    assert_eq!(gateway.create(&session, &[external_refund(EXTERNAL_ACCOUNT, "12.34")]).status, 200);
    let front = visitor.get("/").text();
    assert!(
        front.contains("href=\"/refunds/R-00000001\"") && front.contains("12.34 USD"),
        "{front}"
    );
    let story = visitor.get("/refunds/R-00000001");
    assert_eq!(story.status, 200, "{story}");
    for said in ["Processed", "987.66", "Asked for", "Balance moved", "demo@example.com", "soap"] {
        assert!(story.text().contains(said), "{said}: {story}");
    }
    let none = visitor.get("/refunds/R-00000009");
    assert!(none.status == 404 && none.text().contains("R-00000009"), "{none}");
    let wrong = visitor.get("/refunds/nonsense");
    assert!(wrong.status == 400 && wrong.text().contains("nonsense"), "{wrong}");
}

#[test]
fn what_a_client_wrote_is_text_wherever_it_is_shown() {
    let gateway = TestGateway::demo();
    let visitor = Visitor::with_token(&gateway);
    let session = gateway.login();
    let account = refund(&[("Name", &hostile_in_xml()), ("Currency", "USD"), ("Status", "Draft")]);
    let account = account.replace("obj:Refund", "obj:Account");
    let made = gateway.create(&session, &[account]);
    let id = made.texts("Id").pop().unwrap_or_else(|| panic!("{made}"));
    assert_eq!(gateway.create(&session, &[commented(&hostile_in_xml())]).successes(), 1);
    let shown = "&#60;script&#62;";
    let paths = ["/", "/accounts", "/refunds", "/refunds/1", "/audit", "/journal"];
    let account = format!("/accounts/{id}");
    let searched =
        format!("/search?q={}", super::visitor::encoded(&[("", HOSTILE)]).trim_start_matches('='));
    let filtered = searched.replace("/search?q", "/refunds?account");
    let of_accounts = searched.replace("/search", "/accounts");
    let all = paths.into_iter().chain([account.as_str(), &searched, &filtered, &of_accounts]);
    for path in all {
        let page = visitor.get(path);
        assert!(page.status == 200 || page.status == 400, "{path}: {page}");
        let text = page.text();
        assert!(!text.contains("<script>") && !text.contains("<img src=x"), "{path}: {text}");
    }
    for path in ["/accounts", "/refunds/1", account.as_str()] {
        assert!(visitor.get(path).text().contains(shown), "{path}");
    }
}

#[test]
fn refunds_are_filtered_paged_and_a_wrong_filter_is_named() {
    let gateway = TestGateway::demo();
    let visitor = Visitor::with_token(&gateway);
    let session = gateway.login();
    for _ in 0..60 {
        gateway.create(&session, &[external_refund(EXTERNAL_ACCOUNT, "1.00")]);
    }
    gateway.create(&session, &[electronic_refund("2.00")]);
    let numbers = |text: &str| -> Vec<String> {
        let parts = text.split("<th scope=\"row\" class=\"stays\"><a href=\"/refunds/").skip(1);
        parts.map(|part| part.split('"').next().unwrap().to_owned()).collect()
    };
    let first = visitor.get("/refunds").text();
    assert_eq!(numbers(&first).len(), 50);
    assert_eq!(numbers(&first)[0], "R-00000061");
    let older = first.split("href=\"").find(|part| part.contains("cursor=")).unwrap();
    let older = older.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&");
    let second = numbers(&visitor.get(&older).text());
    assert_eq!((second.len(), second[10].as_str()), (11, "R-00000001"));
    let electronic = visitor.get("/refunds?type=Electronic&status=&account=").text();
    assert_eq!(numbers(&electronic), ["R-00000061"]);
    assert!(electronic.contains("<option selected>Electronic"), "{electronic}");
    let of_account = format!("/refunds?account={ELECTRONIC_ACCOUNT}&amount_min=1.50");
    assert_eq!(numbers(&visitor.get(&of_account).text()), ["R-00000061"]);
    for (query, named) in [
        ("status=Procesed", "Processed"),
        ("from=yesterday", "yesterday"),
        ("amount_min=x", "amount_min"),
        ("colour=red", "colour"),
        ("type=External&type=External", "twice"),
        ("cursor=x", "cursor"),
    ] {
        for path in ["/refunds", "/refunds/export.csv"] {
            if query.starts_with("cursor") && path.ends_with("csv") {
                continue;
            }
            let page = visitor.get(&format!("{path}?{query}"));
            assert!(page.status == 400 && page.text().contains(named), "{path}?{query}: {page}");
        }
    }
}

#[test]
fn a_stuck_refund_is_settled_by_hand_and_the_audit_says_who_did() {
    let gateway = with_a_silent_sandbox();
    let visitor = Visitor::with_token(&gateway);
    gateway.create(&gateway.login(), &[electronic_refund("10.00")]);
    let page = visitor.get("/refunds/1").text();
    assert!(page.contains("Settle it by hand"), "{page}");
    let path = "/refunds/R-00000001/settle";
    let never_came = [("status", "Error"), ("reason", "<b>it never came</b>")];
    let early = visitor.post(path, &never_came);
    assert_eq!(early.status, 409, "{early}");
    done(&gateway, "POST", "clock/advance", &json!({ "seconds": 49 * 3600 }));
    for (fields, named) in [
        ([("status", "Error"), ("reason", " ")], "reason"),
        ([("status", "Settled"), ("reason", "x")], "Settled"),
        ([("status", "Error"), ("why", "x")], "why"),
    ] {
        let wrong = visitor.post(path, &fields);
        assert!(wrong.status == 400 && wrong.text().contains(named), "{wrong}");
    }
    assert_eq!(gateway.balance(ELECTRONIC_ACCOUNT), "990.00");
    let settled = visitor.post(path, &never_came);
    assert_eq!(settled.header("location"), Some("/refunds/R-00000001"), "{settled}");
    assert_eq!(gateway.balance(ELECTRONIC_ACCOUNT), "1000.00");
    let page = visitor.get("/refunds/R-00000001").text();
    assert!(page.contains("R-00000001 is settled: Error."), "{page}");
    assert!(page.contains("it never came") && !page.contains("<b>"), "{page}");
    assert!(!page.contains("Settle it by hand"), "{page}");
    assert!(!visitor.get("/refunds/R-00000001").text().contains("is settled"));
    let records = done(&gateway, "GET", "audit", &Value::Null)["records"].clone();
    let is_it = |record: &&Value| record["operation"] == "settle";
    let record = records.as_array().unwrap().iter().find(is_it).unwrap();
    assert_eq!((&record["door"], &record["actor"]), (&json!("console"), &json!("console")));
    assert_eq!(visitor.post(path, &never_came).status, 409);
}

#[test]
fn refunds_are_exported_whole_and_no_cell_is_a_formula() {
    let gateway = TestGateway::demo();
    let visitor = Visitor::with_token(&gateway);
    let session = gateway.login();
    gateway.create(&session, &[commented("=1+1"), commented("a, \"b\"")]);
    let refunds: Vec<String> = (0..50).map(|_| external_refund(EXTERNAL_ACCOUNT, "0.01")).collect();
    for _ in 0..11 {
        assert_eq!(gateway.create(&session, &refunds).successes(), 50);
    }
    let file = visitor.get("/refunds/export.csv");
    assert!(file.header("content-type").unwrap().starts_with("text/csv"), "{file}");
    assert!(file.header("content-disposition").unwrap().contains("refunds.csv"), "{file}");
    assert!(file.header("content-security-policy").is_some(), "{file}");
    let mut read = csv::Reader::from_reader(file.body.as_slice());
    let comment = read.headers().unwrap().iter().position(|head| head == "Comment").unwrap();
    let rows: Vec<csv::StringRecord> = read.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 552);
    assert_eq!((&rows[0][0], &rows[551][0]), ("R-00000552", "R-00000001"));
    assert_eq!((&rows[551][comment], &rows[550][comment]), ("'=1+1", "a, \"b\""));
    let none = visitor.get("/refunds/export.csv?type=Electronic").text();
    assert_eq!(none.lines().count(), 1, "{none}");
}

#[test]
fn an_account_shows_what_moved_its_balance_and_what_was_made_of_it() {
    let gateway = TestGateway::demo();
    let visitor = Visitor::with_token(&gateway);
    let session = gateway.login();
    gateway.create(&session, &[external_refund(EXTERNAL_ACCOUNT, "12.34")]);
    gateway.create(&session, &[external_refund(EXTERNAL_ACCOUNT, "0.66")]);
    let page = visitor.get(&format!("/accounts/{EXTERNAL_ACCOUNT}")).text();
    for said in ["987.00 USD", "987.66", "-12.34", "/refunds/R-00000002", "<polyline"] {
        assert!(page.contains(said), "{said}: {page}");
    }
    assert!(page.contains("now 987.00 USD, at most 1000.00 USD"), "{page}");
    let none = visitor.get("/accounts/NONE");
    assert!(none.status == 404 && none.text().contains("NONE"), "{none}");
    let wrong = visitor.get(&format!("/accounts/{EXTERNAL_ACCOUNT}?from=x"));
    assert!(wrong.status == 400 && wrong.text().contains("from"), "{wrong}");
}

#[test]
fn any_id_or_number_leads_to_its_page() {
    let gateway = TestGateway::demo();
    let visitor = Visitor::with_token(&gateway);
    let made = gateway.create(&gateway.login(), &[external_refund(EXTERNAL_ACCOUNT, "1.00")]);
    let refund = made.texts("Id").pop().unwrap();
    let electronic = format!("/accounts/{ELECTRONIC_ACCOUNT}");
    for (text, to) in [
        (refund.as_str(), "/refunds/R-00000001"),
        ("R-00000001", "/refunds/R-00000001"),
        ("r-1", "/refunds/R-00000001"),
        (ELECTRONIC_ACCOUNT, electronic.as_str()),
        (crate::gateway::ELECTRONIC_METHOD, electronic.as_str()),
    ] {
        let found = visitor.get(&format!("/search?q={text}"));
        assert_eq!((found.status, found.header("location")), (303, Some(to)), "{text}: {found}");
    }
    let settlement = TestGateway::start(&["--demo=invoice-settlement"]);
    let of_payment = Visitor::with_token(&settlement).get("/search?q=P-00000001");
    assert_eq!(of_payment.header("location"), Some(electronic.as_str()), "{of_payment}");
    let none = visitor.get("/search?q=nothing-of-this-name");
    assert!(none.status == 200 && none.text().contains("Nothing here"), "{none}");
    assert_eq!(visitor.get("/search").status, 200);
}
