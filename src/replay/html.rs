//! The report as a page: for each difference the request, the expected and the actual answer side
//! by side. One file without scripts or anything from elsewhere.

use super::report::{CaseReport, Outcome, Reporter, Summary};
use super::soapui::{self, TestCaseReport, Verdict};
use crate::xml::Writer;
use std::fs::File;
use std::io::{self, Write};

/// No page shows more cases; the others are counted.
const SHOWN_MAX: usize = 500;

/// Browsers take it as it is written, so it has no character that XML would write as a reference.
const STYLE: &str = "body{font:16px/1.4 sans-serif;margin:2em auto;max-width:110em;padding:0 1em}\
    section{border-top:1px solid #888;margin-top:2em}h2{overflow-wrap:anywhere}\
    .sides{display:flex;flex-wrap:wrap;gap:1em}.sides div{flex:1 1 25em;min-width:0}\
    pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f4f4f4;padding:.5em;\
    font-size:.8em}h3{margin:.5em 0}\
    del{background:#fdd;text-decoration:none}ins{background:#dfd;text-decoration:none}";

/// Collects what failed and writes the page at the end.
pub struct Html {
    file: File,
    failed: Vec<CaseReport>,
    /// Cases of SoapUI projects that failed.
    test_cases: Vec<TestCaseReport>,
}

impl Html {
    /// A report into a file, which is emptied now.
    pub fn new(file: File) -> Self {
        Self { file, failed: Vec::new(), test_cases: Vec::new() }
    }

    /// A list of what failed, with links, if it is more than one case.
    fn contents(&self, page: &mut Writer) {
        let failed = self.failed.iter().map(|report| report.name.clone());
        let names: Vec<_> = failed.chain(self.test_cases.iter().map(soapui::title)).collect();
        if names.len() < 2 {
            return;
        }
        page.open("ol");
        for (name, number) in names.iter().zip(1..) {
            let link = format!("#{}", anchor(number));
            page.open("li").open_with("a", &[("href", &link)]).text(name).close().close();
        }
        page.close();
    }

    fn written(&self, summary: &Summary, broken: Option<&str>) -> Vec<u8> {
        let mut page = Writer::new();
        page.open_with("html", &[("lang", "en")]).open("head");
        page.empty_with("meta", &[("charset", "utf-8")]);
        let viewport = "width=device-width";
        page.empty_with("meta", &[("name", "viewport"), ("content", viewport)]);
        page.text_element("title", "refund-gateway replay").text_element("style", STYLE).close();
        page.open("body").text_element("h1", &summary.to_string());
        if let Some(why) = broken {
            page.text_element("p", &format!("Then the replay broke off: {why}"));
        }
        self.contents(&mut page);
        let sections = &mut (1..).map(anchor);
        for (report, anchor) in self.failed.iter().zip(sections.by_ref()) {
            section(&mut page, report, &anchor);
        }
        for (report, anchor) in self.test_cases.iter().zip(sections) {
            soapui::section(&mut page, report, &anchor);
        }
        let shown = self.failed.len().saturating_add(self.test_cases.len());
        let left_out = summary.failed.saturating_sub(shown);
        if left_out > 0 {
            page.text_element("p", &format!("{left_out} more failed cases are not shown."));
        }
        let mut bytes = b"<!DOCTYPE html>".to_vec();
        bytes.append(&mut page.into_bytes());
        bytes
    }
}

/// Where the section of this number can be gone to.
fn anchor(number: usize) -> String {
    format!("failed-{number}")
}

fn section(page: &mut Writer, report: &CaseReport, anchor: &str) {
    let Outcome::Failed(failure) = &report.outcome else { return };
    page.open_with("section", &[("id", anchor)]).text_element("h2", &report.name);
    for difference in &failure.differences {
        page.text_element("p", &difference.to_string());
        let diff = difference.diff();
        if diff.is_empty() {
            continue;
        }
        page.text_element("p", "- expected, + actual").open("pre");
        for line in diff {
            match line.chars().next() {
                Some('-') => page.text_element("del", line),
                Some('+') => page.text_element("ins", line),
                _ => page.text(line),
            };
            page.text("\n");
        }
        page.close();
    }
    page.open_with("div", &[("class", "sides")]);
    let sides = [
        ("request", &failure.request),
        ("expected", &failure.expected),
        ("actual", &failure.actual),
    ];
    for (title, text) in sides {
        page.open("div").text_element("h3", title).open("pre").text(text).close().close();
    }
    page.close().close();
}

impl Reporter for Html {
    fn test_case(&mut self, report: &TestCaseReport) -> io::Result<()> {
        let has_failed = matches!(report.verdict, Verdict::Failed(_));
        if has_failed && self.test_cases.len() < SHOWN_MAX {
            self.test_cases.push(report.clone());
        }
        Ok(())
    }

    fn case(&mut self, report: &CaseReport) -> io::Result<()> {
        let has_failed = matches!(report.outcome, Outcome::Failed(_));
        if has_failed && self.failed.len() < SHOWN_MAX {
            self.failed.push(report.clone());
        }
        Ok(())
    }

    fn end(&mut self, summary: &Summary) -> io::Result<()> {
        let bytes = self.written(summary, None);
        self.file.write_all(&bytes)
    }

    fn broke_off(&mut self, summary: &Summary, why: &str) -> io::Result<()> {
        let bytes = self.written(summary, Some(why));
        self.file.write_all(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::{Difference, Failure};
    use std::time::Duration;

    #[test]
    fn a_page_shows_what_failed_and_runs_nothing() {
        let mut html = Html::new(tempfile::tempfile().unwrap());
        let diff = vec!["-<script>".to_owned(), "+x".to_owned(), " y".to_owned()];
        let body = Difference::Body { path: Some("/a".to_owned()), note: None, diff };
        let failure = Box::new(Failure {
            differences: vec![body],
            request: "<request>".to_owned(),
            expected: "<expected>".to_owned(),
            actual: "<actual>".to_owned(),
        });
        for outcome in [Outcome::Passed, Outcome::Failed(failure)] {
            let report = CaseReport { name: "<case>".to_owned(), outcome, took: Duration::ZERO };
            html.case(&report).unwrap();
        }
        let summary = Summary { passed: 1, failed: 2, ..Summary::default() };
        let page = String::from_utf8(html.written(&summary, None)).unwrap();
        assert!(page.starts_with("<!DOCTYPE html><html"), "{page}");
        for shown in [
            "<h1>1 passed, 2 failed</h1>",
            "<h2>&lt;case&gt;</h2>",
            "<p>body at /a</p>",
            "<del>-&lt;script&gt;</del>",
            "<ins>+x</ins>",
            "<h3>request</h3><pre>&lt;request&gt;</pre>",
            "<h3>actual</h3><pre>&lt;actual&gt;</pre>",
            "1 more failed cases are not shown.",
        ] {
            assert!(page.contains(shown), "{shown} in {page}");
        }
        assert!(!page.contains("<script"), "{page}");
        assert_eq!(page.matches("<section id=\"failed-1\">").count(), 1);
        // A style sheet is no XML: in a browser a reference in it is five other characters.
        let style = page.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>"));
        assert!(style.is_some_and(|(style, _)| !style.contains('&')), "{page}");
    }

    #[test]
    fn several_failures_are_listed_with_links() {
        let mut html = Html::new(tempfile::tempfile().unwrap());
        for name in ["<a>", "b"] {
            let outcome = Outcome::Failed(Box::default());
            let report = CaseReport { name: name.to_owned(), outcome, took: Duration::ZERO };
            html.case(&report).unwrap();
        }
        let page = String::from_utf8(html.written(&Summary::default(), None)).unwrap();
        let links = "<ol><li><a href=\"#failed-1\">&lt;a&gt;</a></li><li><a \
                     href=\"#failed-2\">b</a></li></ol>";
        assert!(page.contains(links), "{page}");
        assert!(page.contains("<section id=\"failed-2\"><h2>b</h2>"), "{page}");
    }
}
