//! The report as a page: for each difference the request, the expected and the actual answer side
//! by side. One file without scripts or anything from elsewhere.

use super::report::{CaseReport, Outcome, Reporter, Summary};
use super::soapui::{self, TestCaseReport, Verdict};
use crate::xml::Writer;
use std::fs::File;
use std::io::{self, Write};

/// No page shows more cases; the others are counted.
const SHOWN_MAX: usize = 500;

const STYLE: &str = "body{font-family:sans-serif;margin:2em}\
    section{border-top:1px solid #888;margin-top:2em}\
    .sides{display:flex;gap:1em}.sides>div{flex:1;min-width:0}\
    pre{overflow-x:auto;background:#f4f4f4;padding:.5em;font-size:.8em}\
    .del{background:#fdd;text-decoration:none}.ins{background:#dfd;text-decoration:none}";

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

    fn written(&self, summary: &Summary, broken: Option<&str>) -> Vec<u8> {
        let mut page = Writer::new();
        page.open_with("html", &[("lang", "en")]).open("head");
        page.open_with("meta", &[("charset", "utf-8")]).close();
        page.text_element("title", "refund-gateway replay").text_element("style", STYLE).close();
        page.open("body").text_element("h1", &summary.to_string());
        if let Some(why) = broken {
            page.text_element("p", &format!("Then the replay broke off: {why}"));
        }
        for report in &self.failed {
            section(&mut page, report);
        }
        for report in &self.test_cases {
            soapui::section(&mut page, report);
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

fn section(page: &mut Writer, report: &CaseReport) {
    let Outcome::Failed(failure) = &report.outcome else { return };
    page.open("section").text_element("h2", &report.name);
    for difference in &failure.differences {
        page.text_element("p", &difference.to_string());
        let diff = difference.diff();
        if diff.is_empty() {
            continue;
        }
        page.open("pre");
        for line in diff {
            match line.chars().next() {
                Some('-') => page.open_with("del", &[("class", "del")]).text(line).close(),
                Some('+') => page.open_with("ins", &[("class", "ins")]).text(line).close(),
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
            "<del class=\"del\">-&lt;script&gt;</del>",
            "<ins class=\"ins\">+x</ins>",
            "<h3>request</h3><pre>&lt;request&gt;</pre>",
            "<h3>actual</h3><pre>&lt;actual&gt;</pre>",
            "1 more failed cases are not shown.",
        ] {
            assert!(page.contains(shown), "{shown} in {page}");
        }
        assert!(!page.contains("<script"), "{page}");
        assert_eq!(page.matches("<section>").count(), 1);
    }
}
