//! The report as one JSON document, for a gateway whose console shows it.
//!
//! What must stay true: it is put together of the very objects of the report for programs; however
//! much was replayed it takes no more than its bounds, of which cases that failed have one of their
//! own; and what had no room is counted.

use super::json::{in_short, of_case, of_test_case};
use super::report::{CaseReport, Outcome, Reporter, Start, Summary};
use super::soapui::{TestCaseReport, Verdict};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};

/// How many bytes of JSON the cases that failed have together, and the others. The document stays
/// below what the admin API takes.
const FAILED_BYTES_MAX: usize = 2_500_000;
const OTHERS_BYTES_MAX: usize = 1_000_000;

/// Collects the cases, and hands the document on at the end.
pub struct Document {
    began: DateTime<Utc>,
    replayed: Vec<String>,
    endpoint: String,
    cases: Vec<Value>,
    failed_room: usize,
    others_room: usize,
    /// How many cases had no room.
    unlisted: u64,
    done: Sender<Value>,
}

impl Document {
    /// A report of a replay of `replayed` that began at `began`; the document comes once the replay
    /// has ended, unless no case was done.
    pub fn new(began: DateTime<Utc>, replayed: Vec<String>) -> (Self, Receiver<Value>) {
        let (done, document) = channel();
        let report = Self {
            began,
            replayed,
            endpoint: String::new(),
            cases: Vec::new(),
            failed_room: FAILED_BYTES_MAX,
            others_room: OTHERS_BYTES_MAX,
            unlisted: 0,
            done,
        };
        (report, document)
    }

    fn add(&mut self, case: Value, has_failed: bool) {
        let room = if has_failed { &mut self.failed_room } else { &mut self.others_room };
        match room.checked_sub(case.to_string().len()) {
            Some(left) => {
                *room = left;
                self.cases.push(case);
            }
            None => self.unlisted = self.unlisted.saturating_add(1),
        }
    }

    fn hand_on(&mut self, summary: &Summary, broke_off: Option<&str>) {
        if summary.total() == 0 {
            return;
        }
        let document = json!({
            "began": self.began.to_rfc3339_opts(SecondsFormat::Millis, true),
            "version": env!("CARGO_PKG_VERSION"),
            "replayed": self.replayed,
            "endpoint": self.endpoint,
            "summary": in_short(summary),
            "broke_off": broke_off,
            "cases": std::mem::take(&mut self.cases),
            "unlisted": self.unlisted,
        });
        // Where it is not waited for any more, it is not needed.
        let _ = self.done.send(document);
    }
}

impl Reporter for Document {
    fn begin(&mut self, start: &Start) -> io::Result<()> {
        self.endpoint.clone_from(&start.endpoint);
        Ok(())
    }

    fn case(&mut self, report: &CaseReport) -> io::Result<()> {
        self.add(of_case(report), matches!(report.outcome, Outcome::Failed(_)));
        Ok(())
    }

    fn test_case(&mut self, report: &TestCaseReport) -> io::Result<()> {
        self.add(of_test_case(report), matches!(report.verdict, Verdict::Failed(_)));
        Ok(())
    }

    fn end(&mut self, summary: &Summary) -> io::Result<()> {
        self.hand_on(summary, None);
        Ok(())
    }

    fn broke_off(&mut self, summary: &Summary, why: &str) -> io::Result<()> {
        self.hand_on(summary, Some(why));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::{Difference, Failure};
    use std::time::Duration;

    fn case(outcome: Outcome) -> CaseReport {
        CaseReport { name: "n".repeat(1_000), outcome, took: Duration::ZERO }
    }

    #[test]
    fn a_document_is_bounded_and_failed_cases_have_a_room_of_their_own() {
        let (mut report, document) = Document::new(DateTime::UNIX_EPOCH, vec!["a".to_owned()]);
        for _ in 0..2_000 {
            report.case(&case(Outcome::Passed)).unwrap();
        }
        let differences = vec![Difference::Cut { bytes: 1 }];
        let failure = Box::new(Failure { differences, ..Failure::default() });
        report.case(&case(Outcome::Failed(failure))).unwrap();
        report.end(&Summary { passed: 2_000, failed: 1, ..Summary::default() }).unwrap();
        let document = document.recv().unwrap();
        assert!(document.to_string().len() < FAILED_BYTES_MAX + OTHERS_BYTES_MAX);
        let cases = document["cases"].as_array().unwrap();
        assert_eq!(cases.last().unwrap()["outcome"], "failed");
        let unlisted = document["unlisted"].as_u64().unwrap();
        assert!(unlisted > 0, "{unlisted}");
        assert_eq!(cases.len() as u64 + unlisted, 2_001);
        assert_eq!(document["summary"]["passed"], 2_000);
    }

    #[test]
    fn a_replay_that_did_nothing_has_no_document() {
        let (mut report, document) = Document::new(DateTime::UNIX_EPOCH, Vec::new());
        report.broke_off(&Summary::default(), "no").unwrap();
        drop(report);
        assert!(document.recv().is_err());
    }
}
