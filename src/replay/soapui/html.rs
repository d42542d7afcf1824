//! A case of a project on the page: its steps, what failed, and what went over the wire.

use super::outcome::{TestCaseReport, Verdict};
use crate::xml::Writer;

/// What a case is called on the page.
pub(in crate::replay) fn title(report: &TestCaseReport) -> String {
    format!("{} / {} / {}", report.project, report.suite, report.name)
}

/// Writes the section of a case.
pub(in crate::replay) fn section(page: &mut Writer, report: &TestCaseReport, anchor: &str) {
    page.open_with("section", &[("id", anchor), ("class", "failed")]);
    page.text_element("h2", &format!("Failed: {}", title(report)));
    page.text_element("p", &line(&report.verdict)).open("ul");
    for step in &report.steps {
        let reported = format!("{} ({}): {}", step.name, step.of_type, line(&step.verdict));
        page.open("li").text(&reported);
        if !step.checks.is_empty() || !step.notes.is_empty() {
            page.open("ul");
            for check in &step.checks {
                page.text_element("li", &format!("{}: {}", check.name, line(&check.verdict)));
            }
            for note in &step.notes {
                page.text_element("li", &format!("note: {note}"));
            }
            page.close();
        }
        page.close();
    }
    page.close();
    for step in &report.steps {
        let Some(exchange) = &step.exchange else { continue };
        page.text_element("h3", &step.name).open_with("div", &[("class", "sides")]);
        for (title, text) in [("request", &exchange.request), ("response", &exchange.response)] {
            page.open("div").text_element("h3", title).open("pre").text(text).close().close();
        }
        page.close();
    }
    page.close();
}

/// A sign, a word, and why.
fn line(verdict: &Verdict) -> String {
    let sign = match verdict {
        Verdict::Passed => "✓",
        Verdict::Failed(_) => "✗",
        Verdict::Skipped(_) => "–",
    };
    match verdict.reason() {
        Some(why) => format!("{sign} {}: {why}", verdict.word()),
        None => format!("{sign} {}", verdict.word()),
    }
}
