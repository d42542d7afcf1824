//! The report for CI servers: JUnit's XML, a suite for each folder that has cases.

use super::report::{CaseReport, Outcome, Reporter, Summary, seconds};
use super::soapui::{self, TestCaseReport};
use crate::xml::Writer;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Write};
use std::time::Duration;

/// What all suites together are called.
const NAME: &str = "refund-gateway replay";

/// Collects cases and writes them at the end, because a suite begins with its counts.
pub struct Junit {
    file: File,
    suites: BTreeMap<String, Vec<Case>>,
}

struct Case {
    name: String,
    took: Duration,
    verdict: Verdict,
    /// Its steps, if it has any.
    steps: String,
}

enum Verdict {
    Passed,
    /// The first difference in short, and all of them.
    Failed(String, String),
    Skipped(String),
    /// The replay could not go on.
    Broken(String),
}

impl Case {
    fn broken(why: &str) -> Self {
        Self {
            name: "all of it".to_owned(),
            took: Duration::ZERO,
            verdict: Verdict::Broken(why.to_owned()),
            steps: String::new(),
        }
    }
}

impl Junit {
    /// A report into a file, which is emptied now.
    pub fn new(file: File) -> Self {
        Self { file, suites: BTreeMap::new() }
    }

    /// A replay that broke off is an error, which is a case of its own.
    fn written(&self, summary: &Summary, broken: Option<&str>) -> Vec<u8> {
        let errors = usize::from(broken.is_some());
        let mut writer = Writer::new();
        let attributes = [
            ("name", NAME),
            ("tests", &summary.total().saturating_add(errors).to_string()),
            ("failures", &summary.failed.to_string()),
            ("errors", &errors.to_string()),
            ("time", &seconds(summary.took)),
        ];
        writer.declaration().open_with("testsuites", &attributes);
        for (name, cases) in &self.suites {
            suite(&mut writer, name, cases);
        }
        if let Some(why) = broken {
            suite(&mut writer, NAME, &[Case::broken(why)]);
        }
        writer.into_bytes()
    }
}

fn suite(writer: &mut Writer, name: &str, cases: &[Case]) {
    let count = |is: fn(&Verdict) -> bool| {
        cases.iter().filter(|case| is(&case.verdict)).count().to_string()
    };
    let failures = count(|verdict| matches!(verdict, Verdict::Failed(..)));
    let skipped = count(|verdict| matches!(verdict, Verdict::Skipped(_)));
    let errors = count(|verdict| matches!(verdict, Verdict::Broken(_)));
    let took: Duration = cases.iter().map(|case| case.took).sum();
    writer.open_with(
        "testsuite",
        &[
            ("name", name),
            ("tests", &cases.len().to_string()),
            ("failures", &failures),
            ("errors", &errors),
            ("skipped", &skipped),
            ("time", &seconds(took)),
        ],
    );
    for case in cases {
        let time = seconds(case.took);
        let attributes = [("classname", name), ("name", &case.name), ("time", &time)];
        if matches!(case.verdict, Verdict::Passed) && case.steps.is_empty() {
            writer.empty_with("testcase", &attributes);
            continue;
        }
        writer.open_with("testcase", &attributes);
        match &case.verdict {
            Verdict::Passed => {}
            Verdict::Skipped(why) => {
                writer.empty_with("skipped", &[("message", why)]);
            }
            Verdict::Broken(why) => {
                writer.empty_with("error", &[("message", why), ("type", "broken off")]);
            }
            Verdict::Failed(message, text) => {
                let attributes = [("message", message.as_str()), ("type", "difference")];
                writer.open_with("failure", &attributes).text(text).close();
            }
        }
        if !case.steps.is_empty() {
            writer.text_element("system-out", &case.steps);
        }
        writer.close();
    }
    writer.close();
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
        let verdict = match &report.verdict {
            soapui::Verdict::Passed => Verdict::Passed,
            soapui::Verdict::Skipped(why) => Verdict::Skipped(why.clone()),
            soapui::Verdict::Failed(why) => {
                let mut text = steps.clone();
                for exchange in report.steps.iter().filter_map(|step| step.exchange.as_ref()) {
                    let _ = write!(text, "\n{}\n{}", exchange.request, exchange.response);
                }
                Verdict::Failed(why.clone(), text)
            }
        };
        let suite = format!("{}.{}", report.project, report.suite);
        let case = Case { name: report.name.clone(), took: report.took, verdict, steps };
        self.suites.entry(suite).or_default().push(case);
        Ok(())
    }

    fn case(&mut self, report: &CaseReport) -> io::Result<()> {
        let (suite, name) = report.name.rsplit_once('/').unwrap_or(("", &report.name));
        let verdict = match &report.outcome {
            Outcome::Passed | Outcome::Updated => Verdict::Passed,
            Outcome::Skipped(why) => Verdict::Skipped(why.clone()),
            Outcome::NotServed(why) => Verdict::Skipped(format!("not served: {why}")),
            Outcome::NotRun(why) => Verdict::Skipped(format!("not run: {why}")),
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
                Verdict::Failed(first.unwrap_or_default(), text)
            }
        };
        let (name, steps) = (name.to_owned(), String::new());
        let case = Case { name, took: report.took, verdict, steps };
        self.suites.entry(suite.to_owned()).or_default().push(case);
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
        let text = String::from_utf8(junit.written(&summary, None)).unwrap();
        let expected = "<?xml version='1.0' encoding='UTF-8'?><testsuites name=\"refund-gateway \
            replay\" tests=\"4\" failures=\"1\" errors=\"0\" time=\"4.000\"><testsuite \
            name=\"f/batch\" tests=\"1\" failures=\"1\" errors=\"0\" skipped=\"0\" \
            time=\"1.500\"><testcase classname=\"f/batch\" name=\"b\" time=\"1.500\"><failure \
            message=\"status: expected 200, got 500\" type=\"difference\">status: expected 200, \
            got 500\nbody at /a\n-&lt;a&gt;]]&gt;&lt;/a&gt;\n</failure></testcase></testsuite>\
            <testsuite name=\"f/rules\" tests=\"3\" failures=\"0\" errors=\"0\" skipped=\"1\" \
            time=\"4.500\"><testcase classname=\"f/rules\" name=\"a\" time=\"1.500\" /><testcase \
            classname=\"f/rules\" name=\"c\" time=\"1.500\" /><testcase classname=\"f/rules\" \
            name=\"d\" time=\"1.500\"><skipped \
            message=\"no body\" /></testcase></testsuite></testsuites>";
        assert_eq!(text, expected);
    }
}
