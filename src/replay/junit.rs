//! The report for CI servers: JUnit's XML, a suite for each folder that has cases, by quick-junit,
//! which leaves out what XML cannot hold.
//!
//! What must stay true: a replay that broke off is an error, which is a case of its own.

use super::report::{CaseReport, Outcome, Reporter, Summary};
use super::soapui::{self, TestCaseReport};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io;
use std::time::Duration;

/// What all suites together are called.
const NAME: &str = "refund-gateway replay";

/// Collects cases and writes them at the end, because a suite begins with its counts.
pub struct Junit {
    file: File,
    suites: BTreeMap<String, Vec<TestCase>>,
}

impl Junit {
    /// A report into a file, which is emptied now.
    pub fn new(file: File) -> Self {
        Self { file, suites: BTreeMap::new() }
    }

    fn add(
        &mut self,
        suite: &str,
        name: &str,
        took: Duration,
        status: TestCaseStatus,
    ) -> &mut TestCase {
        let mut case = TestCase::new(name, status);
        case.set_classname(suite).set_time(took);
        let cases = self.suites.entry(suite.to_owned()).or_default();
        cases.push_mut(case)
    }

    fn write(&mut self, summary: &Summary, broken: Option<&str>) -> io::Result<()> {
        if let Some(why) = broken {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_message(why).set_type("broken off");
            self.add(NAME, "all of it", Duration::ZERO, status);
        }
        let mut report = Report::new(NAME);
        report.set_time(summary.took);
        for (name, cases) in std::mem::take(&mut self.suites) {
            let mut suite = TestSuite::new(name);
            suite.set_time(cases.iter().filter_map(|case| case.time).sum());
            suite.add_test_cases(cases);
            report.add_test_suite(suite);
        }
        report.serialize(&self.file).map_err(io::Error::other)
    }
}

fn skipped(why: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(why);
    status
}

fn failed(message: &str, text: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_message(message).set_type("difference").set_description(text);
    status
}

/// The steps of a case of a SoapUI project, and what each asserts, a line each.
fn steps(report: &TestCaseReport) -> String {
    let mut lines = String::new();
    let why = |verdict: &soapui::Verdict| {
        verdict.reason().map(|why| format!(": {why}")).unwrap_or_default()
    };
    // Writing into a String cannot fail.
    for step in &report.steps {
        let (word, why_step) = (step.verdict.word(), why(&step.verdict));
        let _ = writeln!(lines, "{word} {} ({}){why_step}", step.name, step.of_type);
        for check in &step.checks {
            let (word, why) = (check.verdict.word(), why(&check.verdict));
            let _ = writeln!(lines, "  {word} {}{why}", check.name);
        }
        for note in &step.notes {
            let _ = writeln!(lines, "  note: {note}");
        }
    }
    lines
}

impl Reporter for Junit {
    fn test_case(&mut self, report: &TestCaseReport) -> io::Result<()> {
        let steps = steps(report);
        let status = match &report.verdict {
            soapui::Verdict::Passed => TestCaseStatus::success(),
            soapui::Verdict::Skipped(why) => skipped(why),
            soapui::Verdict::Failed(why) => {
                let mut text = steps.clone();
                for exchange in report.steps.iter().filter_map(|step| step.exchange.as_ref()) {
                    // Writing into a String cannot fail.
                    let _ = write!(text, "\n{}\n{}", exchange.request, exchange.response);
                }
                failed(why, &text)
            }
        };
        let suite = format!("{}.{}", report.project, report.suite);
        let case = self.add(&suite, &report.name, report.took, status);
        if !steps.is_empty() {
            case.set_system_out(steps);
        }
        Ok(())
    }

    fn case(&mut self, report: &CaseReport) -> io::Result<()> {
        let (suite, name) = report.name.rsplit_once('/').unwrap_or(("", &report.name));
        let status = match &report.outcome {
            Outcome::Passed | Outcome::Updated => TestCaseStatus::success(),
            Outcome::Skipped(why) => skipped(why),
            Outcome::NotServed(why) => skipped(&format!("not served: {why}")),
            Outcome::NotRun(why) => skipped(&format!("not run: {why}")),
            Outcome::Failed(failure) => {
                let first = failure.differences.first().map(ToString::to_string);
                let mut text = String::new();
                for difference in &failure.differences {
                    // Writing into a String cannot fail.
                    let _ = writeln!(text, "{difference}");
                    for line in difference.diff() {
                        let _ = writeln!(text, "{line}");
                    }
                }
                failed(&first.unwrap_or_default(), &text)
            }
        };
        self.add(suite, name, report.took, status);
        Ok(())
    }

    fn end(&mut self, summary: &Summary) -> io::Result<()> {
        self.write(summary, None)
    }

    fn broke_off(&mut self, summary: &Summary, why: &str) -> io::Result<()> {
        self.write(summary, Some(why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::{Difference, Failure};
    use std::io::Seek;

    #[test]
    fn cases_are_grouped_and_failures_told() {
        let mut junit = Junit::new(tempfile::tempfile().unwrap());
        let body = Difference::Body {
            path: Some("/a".to_owned()),
            note: None,
            diff: vec!["-<a>]]></a>".to_owned()],
        };
        let differences = vec![Difference::Status { expected: 200, actual: 500 }, body];
        let failure = Box::new(Failure { differences, ..Failure::default() });
        let cases = [
            ("f/rules/a", Outcome::Passed),
            ("f/batch/b", Outcome::Failed(failure)),
            ("f/rules/c", Outcome::Updated),
            ("f/rules/d", Outcome::Skipped("no body".to_owned())),
        ];
        for (name, outcome) in cases {
            let took = Duration::from_millis(1_500);
            junit.case(&CaseReport { name: name.to_owned(), outcome, took }).unwrap();
        }
        let took = Duration::from_secs(4);
        let summary =
            Summary { passed: 1, updated: 1, failed: 1, skipped: 1, took, ..Summary::default() };
        junit.end(&summary).unwrap();
        junit.file.rewind().unwrap();
        let text = io::read_to_string(&junit.file).unwrap();
        let expected = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="refund-gateway replay" tests="4" skipped="1" failures="1" errors="0" TIME4>
    <testsuite name="f/batch" tests="1" skipped="0" errors="0" failures="1" TIME1>
        <testcase name="b" classname="f/batch" TIME1>
            <failure message="status: expected 200, got 500" type="difference">STATUS
body at /a
-&lt;a&gt;]]&gt;&lt;/a&gt;
</failure>
        </testcase>
    </testsuite>
    <testsuite name="f/rules" tests="3" skipped="1" errors="0" failures="0" TIME3>
        <testcase name="a" classname="f/rules" TIME1/>
        <testcase name="c" classname="f/rules" TIME1/>
        <testcase name="d" classname="f/rules" TIME1>
            <skipped message="no body"/>
        </testcase>
    </testsuite>
</testsuites>
"#;
        let expected = expected
            .replace("STATUS", "status: expected 200, got 500")
            .replace("TIME1", r#"time="1.500""#)
            .replace("TIME3", r#"time="4.500""#)
            .replace("TIME4", r#"time="4.000""#);
        assert_eq!(text, expected);
    }
}
