//! The report for programs: one JSON object a line, for each case as it comes and at last for all.

use super::Difference;
use super::report::{CaseReport, Outcome, Reporter, Summary};
use super::soapui::{CheckReport, StepReport, TestCaseReport};
use crate::domain::number::saturated;
use serde_json::{Value, json};
use std::io::{self, Write};
use std::time::Duration;

/// Writes JSON lines.
pub struct Json<W>(W);

impl<W: Write> Json<W> {
    /// A report to `out`.
    pub fn new(out: W) -> Self {
        Self(out)
    }
}

impl<W: Write> Reporter for Json<W> {
    fn test_case(&mut self, report: &TestCaseReport) -> io::Result<()> {
        writeln!(self.0, "{}", of_test_case(report))
    }

    fn case(&mut self, report: &CaseReport) -> io::Result<()> {
        writeln!(self.0, "{}", of_case(report))
    }

    fn end(&mut self, summary: &Summary) -> io::Result<()> {
        writeln!(self.0, "{}", json!({ "summary": in_short(summary) }))?;
        self.0.flush()
    }

    fn broke_off(&mut self, summary: &Summary, why: &str) -> io::Result<()> {
        if summary.total() > 0 {
            writeln!(self.0, "{}", json!({ "summary": in_short(summary), "broke_off": why }))?;
        }
        self.0.flush()
    }
}

/// A case of a project.
pub(super) fn of_test_case(report: &TestCaseReport) -> Value {
    json!({
        "project": report.project,
        "suite": report.suite,
        "case": report.name,
        "outcome": report.verdict.word(),
        "why": report.verdict.reason(),
        "took_us": micros(report.took),
        "steps": report.steps.iter().map(step).collect::<Vec<_>>(),
    })
}

/// A case.
pub(super) fn of_case(report: &CaseReport) -> Value {
    let differences: Vec<Value> = match &report.outcome {
        Outcome::Failed(failure) => failure.differences.iter().map(reported).collect(),
        _ => Vec::new(),
    };
    let (outcome, why) = (report.outcome.word(), report.outcome.reason());
    let took = micros(report.took);
    let mut case = json!({
        "case": report.name, "outcome": outcome, "took_us": took, "differences": differences,
    });
    if let (Some(why), Some(case)) = (why, case.as_object_mut()) {
        case.insert("why".to_owned(), why.into());
    }
    case
}

/// What became of all cases.
pub(super) fn in_short(summary: &Summary) -> Value {
    let took = micros(summary.took);
    let (passed, failed, updated) = (summary.passed, summary.failed, summary.updated);
    json!({
        "passed": passed, "failed": failed, "updated": updated, "skipped": summary.skipped,
        "not_served": summary.not_served, "not_run": summary.not_run,
        "left_out": summary.left_out, "took_us": took,
    })
}

fn step(step: &StepReport) -> Value {
    let check = |check: &CheckReport| {
        let (outcome, why) = (check.verdict.word(), check.verdict.reason());
        json!({ "check": check.name, "outcome": outcome, "why": why })
    };
    json!({
        "step": step.name,
        "type": step.of_type,
        "outcome": step.verdict.word(),
        "why": step.verdict.reason(),
        "took_us": micros(step.took),
        "notes": step.notes,
        "checks": step.checks.iter().map(check).collect::<Vec<_>>(),
    })
}

fn micros(took: Duration) -> u64 {
    saturated::<u64>(took.as_micros())
}

/// A difference, and the same in words.
fn reported(difference: &Difference) -> Value {
    let mut reported = parts(difference);
    if let Some(members) = reported.as_object_mut() {
        members.insert("in_words".to_owned(), difference.to_string().into());
    }
    reported
}

fn parts(difference: &Difference) -> Value {
    match difference {
        Difference::Status { expected, actual } => {
            json!({ "kind": "status", "expected": expected, "actual": actual })
        }
        Difference::Header { name, expected, actual } => {
            json!({ "kind": "header", "name": name, "expected": expected, "actual": actual })
        }
        Difference::Body { path, note, diff } => {
            json!({ "kind": "body", "path": path, "note": note, "diff": diff })
        }
        Difference::Bytes { offset, actual_offset, diff } => json!({
            "kind": "bytes", "offset": offset, "actual_offset": actual_offset, "diff": diff,
        }),
        Difference::Cut { bytes } => json!({ "kind": "cut", "bytes": bytes }),
        Difference::Unknown { objects } => json!({ "kind": "unknown", "objects": objects }),
        Difference::Refused { why } => json!({ "kind": "refused", "why": why }),
        Difference::NoAnswer { why } => json!({ "kind": "no-answer", "why": why }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::Failure;

    #[test]
    fn every_line_is_an_object() {
        let mut out = Vec::new();
        let mut json = Json::new(&mut out);
        let differences = vec![
            Difference::Status { expected: 200, actual: 500 },
            Difference::Header { name: "X".to_owned(), expected: "1".to_owned(), actual: None },
            Difference::Body { path: Some("/a".to_owned()), note: None, diff: Vec::new() },
            Difference::Cut { bytes: 1 },
            Difference::NoAnswer { why: "\"\n".to_owned() },
        ];
        let failure = Box::new(Failure { differences, ..Failure::default() });
        for outcome in [Outcome::Passed, Outcome::Failed(failure)] {
            let took = Duration::from_micros(7);
            json.case(&CaseReport { name: "a".to_owned(), outcome, took }).unwrap();
        }
        let took = Duration::from_millis(1);
        json.end(&Summary { passed: 1, failed: 1, took, ..Summary::default() }).unwrap();
        let lines: Vec<Value> = String::from_utf8(out)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).expect(line))
            .collect();
        let passed = json!({ "case": "a", "outcome": "passed", "took_us": 7, "differences": [] });
        assert_eq!(lines[0], passed);
        assert_eq!(lines[1]["differences"][2]["path"], "/a");
        assert_eq!(lines[1]["differences"][4]["why"], "\"\n");
        assert_eq!(lines[1]["differences"][0]["in_words"], "status: expected 200, got 500");
        let summary = json!({
            "passed": 1, "failed": 1, "updated": 0, "skipped": 0, "not_served": 0, "not_run": 0,
            "left_out": 0, "took_us": 1000,
        });
        assert_eq!(lines[2], json!({ "summary": summary }));
    }
}
