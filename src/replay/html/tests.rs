//! The page, read as a browser gets it.

use super::*;
use crate::replay::{Difference, Failure};
use std::time::Duration;

fn html() -> Html {
    let began = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
    Html::new(tempfile::tempfile().unwrap(), began)
}

fn page(html: &Html, summary: &Summary) -> String {
    String::from_utf8(html.written(summary, None)).unwrap()
}

fn add(html: &mut Html, name: &str, outcome: Outcome) {
    let took = Duration::from_millis(12);
    html.case(&CaseReport { name: name.to_owned(), outcome, took }).unwrap();
}

#[test]
fn a_page_shows_what_failed_and_runs_nothing() {
    let mut html = html();
    let long = format!("+{}", "x".repeat(OPEN_CHARACTERS_MAX + 1));
    let diff = vec!["-<script>".to_owned(), "+x".to_owned(), " y".to_owned(), long];
    let body = Difference::Body { path: Some("/a".to_owned()), note: None, diff };
    let failure = Box::new(Failure {
        differences: vec![body],
        request: "<request>".to_owned(),
        expected: "<expected>".to_owned(),
        actual: "<actual>".to_owned(),
    });
    add(&mut html, "<good>", Outcome::Passed);
    add(&mut html, "<case>", Outcome::Failed(failure));
    let page = page(&html, &Summary { passed: 1, failed: 2, ..Summary::default() });
    assert!(page.starts_with("<!DOCTYPE html><html"), "{page}");
    for shown in [
        "<h1>1 passed, 2 failed</h1>",
        "<h2>Failed: &lt;case&gt;</h2>",
        "<p>body at /a</p>",
        "<del>-&lt;script&gt;</del>",
        "<ins>+x</ins>",
        "xx…</summary>xx</details></ins>",
        "<h3>request</h3><pre>&lt;request&gt;\n</pre>",
        "<h3>actual</h3><pre>&lt;actual&gt;\n</pre>",
        "1 more failed cases are not shown.",
        "<details class=\"passed\"><summary>1 passed</summary><ul><li><b>&lt;good&gt;</b> 0.012 s",
    ] {
        assert!(page.contains(shown), "{shown} in {page}");
    }
    assert!(!page.contains("<script"), "{page}");
    assert_eq!(page.matches("<section id=\"failed-1\"").count(), 1);
    // A style sheet is no XML: in a browser a reference in it is five other characters.
    let style = page.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>"));
    assert!(style.is_some_and(|(style, _)| !style.contains('&')), "{page}");
}

#[test]
fn several_failures_are_listed_with_links() {
    let mut html = html();
    for name in ["<a>", "b"] {
        add(&mut html, name, Outcome::Failed(Box::default()));
    }
    let page = page(&html, &Summary::default());
    let links =
        "<li><a href=\"#failed-1\">&lt;a&gt;</a></li><li><a href=\"#failed-2\">b</a></li></ol>";
    assert!(page.contains(links), "{page}");
    assert!(
        page.contains("<section id=\"failed-2\" class=\"failed\"><h2>Failed: b</h2>"),
        "{page}"
    );
}

#[test]
fn the_page_begins_with_when_where_and_with_what() {
    let mut html = html();
    let start = Start { endpoint: "http://127.0.0.1:8080".to_owned(), ..Start::default() };
    html.begin(&start).unwrap();
    let took = Duration::from_millis(1_250);
    let page = page(&html, &Summary { passed: 3, took, ..Summary::default() });
    for fact in [
        "<dt>Begun</dt><dd>2026-09-21 14:13:20 UTC</dd>",
        concat!("<dt>Version</dt><dd>refund-gateway ", env!("CARGO_PKG_VERSION"), "</dd>"),
        "<dt>Endpoint</dt><dd>http://127.0.0.1:8080</dd>",
        "<dt>Duration</dt><dd>1.250 s</dd>",
        "<dt>Cases</dt><dd>3</dd>",
    ] {
        assert!(page.contains(fact), "{fact} in {page}");
    }
}

#[test]
fn every_outcome_has_a_box_and_a_list() {
    let mut html = html();
    let why = || "that is why".to_owned();
    add(&mut html, "a", Outcome::Passed);
    add(&mut html, "b", Outcome::Skipped(why()));
    add(&mut html, "c", Outcome::NotServed(why()));
    add(&mut html, "d", Outcome::NotRun(why()));
    let summary =
        Summary { passed: 1, skipped: 1, not_served: 1, not_run: 1, ..Summary::default() };
    let page = page(&html, &summary);
    for (class, word) in
        [("skipped", "skipped"), ("not-served", "not served"), ("not-run", "not run")]
    {
        let list = format!("<details class=\"{class}\" open=\"open\"><summary>1 {word}</summary>");
        let shown =
            format!("<input type=\"checkbox\" id=\"show-{class}\" checked=\"checked\" /> 1 {word}");
        assert!(page.contains(&list) && page.contains(&shown), "{class} in {page}");
    }
    assert_eq!(page.matches("</b>: that is why").count(), 3, "{page}");
    for kind in &KINDS {
        assert!(
            STYLE.contains(&format!("#show-{}:not(:checked)) main .{}", kind.class, kind.class))
        );
    }
}
