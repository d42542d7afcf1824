//! The report as a page: what came of it in short, then each case with what differs. One file
//! without scripts or anything from elsewhere, for light and dark screens, wide and narrow ones.
//!
//! What must stay true: colour repeats what words say; which outcomes are shown is chosen by boxes
//! that style alone reads; and no line, however long, is wider than the page.

mod style;

use super::report::{CaseReport, Outcome, Reporter, Start, Summary, seconds};
use super::soapui::{self, TestCaseReport, Verdict};
use crate::xml::Writer;
use chrono::{DateTime, Utc};
use std::fs::File;
use std::io::{self, Write};
use style::STYLE;

/// No page shows more failed cases, nor more of other outcomes; the others are counted.
const FAILED_MAX: usize = 500;
const OTHERS_MAX: usize = 5_000;

/// How much of a line stands open, in characters.
const OPEN_CHARACTERS_MAX: usize = 240;

/// An outcome as the page names and counts it.
struct Kind {
    /// The class that style knows it by.
    class: &'static str,
    word: &'static str,
    count: fn(&Summary) -> usize,
}

/// Every outcome, the worst first.
const KINDS: [Kind; 6] = [
    Kind { class: "failed", word: "failed", count: |summary| summary.failed },
    Kind { class: "not-served", word: "not served", count: |summary| summary.not_served },
    Kind { class: "not-run", word: "not run", count: |summary| summary.not_run },
    Kind { class: "skipped", word: "skipped", count: |summary| summary.skipped },
    Kind { class: "updated", word: "updated", count: |summary| summary.updated },
    Kind { class: "passed", word: "passed", count: |summary| summary.passed },
];

/// A case that did not fail, in a line.
struct Line {
    class: &'static str,
    name: String,
    why: Option<String>,
    took: String,
}

/// Collects the cases and writes the page at the end.
pub struct Html {
    file: File,
    began: DateTime<Utc>,
    start: Start,
    failed: Vec<CaseReport>,
    /// Cases of SoapUI projects that failed.
    test_cases: Vec<TestCaseReport>,
    others: Vec<Line>,
}

impl Html {
    /// A report into a file, which is emptied now, of a replay that began at `began`.
    pub fn new(file: File, began: DateTime<Utc>) -> Self {
        Self {
            file,
            began,
            start: Start::default(),
            failed: Vec::new(),
            test_cases: Vec::new(),
            others: Vec::new(),
        }
    }

    fn other(&mut self, class: &'static str, name: String, why: Option<&str>, took: String) {
        if self.others.len() < OTHERS_MAX {
            self.others.push(Line { class, name, why: why.map(str::to_owned), took });
        }
    }

    fn written(&self, summary: &Summary, broken: Option<&str>) -> Vec<u8> {
        let mut page = Writer::new();
        page.open_with("html", &[("lang", "en")]).open("head");
        page.empty_with("meta", &[("charset", "utf-8")]);
        let viewport = "width=device-width, initial-scale=1";
        page.empty_with("meta", &[("name", "viewport"), ("content", viewport)]);
        page.empty_with("meta", &[("name", "color-scheme"), ("content", "light dark")]);
        page.text_element("title", &format!("{summary} – refund-gateway replay"));
        page.text_element("style", STYLE).close();
        page.open("body").open("header").text_element("h1", &summary.to_string());
        if let Some(why) = broken {
            page.open_with("p", &[("class", "broken")]);
            page.text(&format!("Then the replay broke off: {why}")).close();
        }
        self.facts(&mut page, summary);
        page.close();
        page.open("main");
        filters(&mut page, summary);
        self.contents(&mut page);
        let sections = &mut (1..).map(anchor);
        for (report, anchor) in self.failed.iter().zip(sections.by_ref()) {
            section(&mut page, report, &anchor);
        }
        for (report, anchor) in self.test_cases.iter().zip(sections) {
            soapui::section(&mut page, report, &anchor);
        }
        let shown = self.failed.len().saturating_add(self.test_cases.len());
        left_out(&mut page, summary.failed.saturating_sub(shown), "failed cases");
        for kind in KINDS.iter().skip(1) {
            self.lines(&mut page, kind, summary);
        }
        let others = summary.total().saturating_sub(summary.failed);
        left_out(&mut page, others.saturating_sub(self.others.len()), "other cases");
        page.close();
        let mut bytes = b"<!DOCTYPE html>".to_vec();
        bytes.append(&mut page.into_bytes());
        bytes
    }

    /// When, with what, where and for how long.
    fn facts(&self, page: &mut Writer, summary: &Summary) {
        let endpoint = match self.start.endpoint.as_str() {
            "" => "nothing was sent",
            endpoint => endpoint,
        };
        let facts = [
            ("Begun", self.began.format("%Y-%m-%d %H:%M:%S UTC").to_string()),
            ("Version", format!("refund-gateway {}", env!("CARGO_PKG_VERSION"))),
            ("Endpoint", endpoint.to_owned()),
            ("Duration", format!("{} s", seconds(summary.took))),
            ("Cases", summary.total().to_string()),
        ];
        page.open("dl");
        for (name, value) in facts {
            page.open("div").text_element("dt", name).text_element("dd", &value).close();
        }
        page.close();
    }

    /// A list of what failed, with links, if it is more than one case.
    fn contents(&self, page: &mut Writer) {
        let failed = self.failed.iter().map(|report| report.name.clone());
        let names: Vec<_> = failed.chain(self.test_cases.iter().map(soapui::title)).collect();
        if names.len() < 2 {
            return;
        }
        page.open_with("ol", &[("class", "failed")]);
        for (name, number) in names.iter().zip(1..) {
            let link = format!("#{}", anchor(number));
            page.open("li").open_with("a", &[("href", &link)]).text(name).close().close();
        }
        page.close();
    }

    /// The cases of an outcome, a line each. Those that passed are folded.
    fn lines(&self, page: &mut Writer, kind: &Kind, summary: &Summary) {
        let lines: Vec<_> = self.others.iter().filter(|line| line.class == kind.class).collect();
        if lines.is_empty() {
            return;
        }
        let is_open = !["passed", "updated"].contains(&kind.class);
        let open = is_open.then_some(("open", "open"));
        let attributes: Vec<_> = [("class", kind.class)].into_iter().chain(open).collect();
        page.open_with("details", &attributes);
        page.text_element("summary", &format!("{} {}", (kind.count)(summary), kind.word));
        page.open("ul");
        for line in lines {
            page.open("li").text_element("b", &line.name);
            if let Some(why) = &line.why {
                page.text(": ").text(why);
            } else {
                page.text(&format!(" {} s", line.took));
            }
            page.close();
        }
        page.close().close();
    }
}

fn left_out(page: &mut Writer, count: usize, of: &str) {
    if count > 0 {
        page.text_element("p", &format!("{count} more {of} are not shown."));
    }
}

/// A box for each outcome that there is. The boxes stand before everything that they show, as style
/// demands it.
fn filters(page: &mut Writer, summary: &Summary) {
    let there: Vec<_> = KINDS.iter().filter(|kind| (kind.count)(summary) > 0).collect();
    if there.len() < 2 {
        return;
    }
    page.open_with("fieldset", &[]).text_element("legend", "Show");
    for kind in there {
        let id = format!("show-{}", kind.class);
        page.open("label");
        let checked = ("checked", "checked");
        page.empty_with("input", &[("type", "checkbox"), ("id", &id), checked]);
        page.text(&format!(" {} {}", (kind.count)(summary), kind.word)).close();
    }
    page.close();
}

/// Where the section of this number can be gone to.
fn anchor(number: usize) -> String {
    format!("failed-{number}")
}

fn section(page: &mut Writer, report: &CaseReport, anchor: &str) {
    let Outcome::Failed(failure) = &report.outcome else { return };
    page.open_with("section", &[("id", anchor), ("class", "failed")]);
    page.open("h2").text("Failed: ").text(&report.name).close();
    for difference in &failure.differences {
        page.text_element("p", &difference.to_string());
        let diff = difference.diff();
        if diff.is_empty() {
            continue;
        }
        page.text_element("p", "- expected, + actual").open("pre");
        for line in diff {
            let mark = match line.chars().next() {
                Some('-') => Some("del"),
                Some('+') => Some("ins"),
                _ => None,
            };
            mark.map(|mark| page.open(mark));
            folded(page, line);
            mark.map(|_| page.close());
            page.text("\n");
        }
        page.close();
    }
    page.open("details").text_element("summary", "Request and answers");
    page.open_with("div", &[("class", "sides")]);
    let sides = [
        ("request", &failure.request),
        ("expected", &failure.expected),
        ("actual", &failure.actual),
    ];
    for (title, text) in sides {
        page.open("div").text_element("h3", title).open("pre");
        for line in text.lines() {
            folded(page, line);
            page.text("\n");
        }
        page.close().close();
    }
    page.close().close().close();
}

/// A line of which, where it is long, only the start is shown until it is opened.
fn folded(page: &mut Writer, line: &str) {
    match line.char_indices().nth(OPEN_CHARACTERS_MAX) {
        Some((end, _)) => {
            let (start, rest) = line.split_at(end);
            page.open("details").open("summary").text(start).text("…").close();
            page.text(rest).close();
        }
        None => {
            page.text(line);
        }
    }
}

impl Reporter for Html {
    fn begin(&mut self, start: &Start) -> io::Result<()> {
        self.start = start.clone();
        Ok(())
    }

    fn test_case(&mut self, report: &TestCaseReport) -> io::Result<()> {
        let class = match &report.verdict {
            Verdict::Failed(_) => {
                if self.test_cases.len() < FAILED_MAX {
                    self.test_cases.push(report.clone());
                }
                return Ok(());
            }
            Verdict::Passed => "passed",
            Verdict::Skipped(_) => "skipped",
        };
        let (name, why) = (soapui::title(report), report.verdict.reason());
        self.other(class, name, why, seconds(report.took));
        Ok(())
    }

    fn case(&mut self, report: &CaseReport) -> io::Result<()> {
        if matches!(report.outcome, Outcome::Failed(_)) {
            if self.failed.len() < FAILED_MAX {
                self.failed.push(report.clone());
            }
            return Ok(());
        }
        let (class, why) = (report.outcome.word(), report.outcome.reason());
        self.other(class, report.name.clone(), why, seconds(report.took));
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
mod tests;
