//! Reports of replays, as `replay --publish` hands them over: what one says, and the last of them.
//!
//! What must stay true: whatever is kept has the form that pages can show, and is given back as it
//! came; no more is kept than the bounds allow, and the oldest goes first.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// How many reports are kept.
pub const REPORTS_MAX: usize = 20;
/// How many bytes of JSON they have together.
pub const BYTES_MAX: usize = 16 * 1024 * 1024;

/// A report. What else there is in one is kept and passed on, and read by nothing here.
#[derive(Debug, Deserialize)]
pub struct Report {
    /// When the replay began.
    pub began: DateTime<Utc>,
    /// The version of the program that replayed.
    pub version: String,
    /// What was named to be replayed.
    pub replayed: Vec<String>,
    /// Where the requests were sent.
    pub endpoint: String,
    /// What became of all cases.
    pub summary: Summary,
    /// Why the replay ended before its end, if it did.
    pub broke_off: Option<String>,
    /// The cases.
    pub cases: Vec<Case>,
    /// How many cases had no room in the report.
    #[serde(default)]
    pub unlisted: u64,
}

/// How many cases had which outcome.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Summary {
    /// How many answers were as captured.
    pub passed: u64,
    /// How many answers became the new capture.
    pub updated: u64,
    /// How many answers differed.
    pub failed: u64,
    /// How many cases were not sent or could not be judged.
    pub skipped: u64,
    /// How many cases the endpoint does not serve.
    pub not_served: u64,
    /// How many cases were not sent after the first difference.
    pub not_run: u64,
    /// How many cases were not selected; they are no part of the total.
    pub left_out: u64,
    /// How long all of it took, in microseconds.
    pub took_us: u64,
}

/// What became of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The answer differs.
    Failed,
    /// The endpoint does not serve what was asked.
    NotServed,
    /// It was not sent because another case differed.
    NotRun,
    /// It was not sent, or cannot be judged.
    Skipped,
    /// The answer differed and was accepted as the new capture.
    Updated,
    /// The answer is the one that was captured.
    Passed,
}

impl Outcome {
    /// Every outcome, the worst first.
    pub const ALL: [Self; 6] =
        [Self::Failed, Self::NotServed, Self::NotRun, Self::Skipped, Self::Updated, Self::Passed];

    /// How a report writes it.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::NotServed => "not-served",
            Self::NotRun => "not-run",
            Self::Skipped => "skipped",
            Self::Updated => "updated",
            Self::Passed => "passed",
        }
    }
}

impl Summary {
    /// How many cases had this outcome.
    pub const fn count(&self, outcome: Outcome) -> u64 {
        match outcome {
            Outcome::Failed => self.failed,
            Outcome::NotServed => self.not_served,
            Outcome::NotRun => self.not_run,
            Outcome::Skipped => self.skipped,
            Outcome::Updated => self.updated,
            Outcome::Passed => self.passed,
        }
    }
}

/// A case: a capture, or a case of a SoapUI project.
#[derive(Debug, Deserialize)]
pub struct Case {
    /// Its name.
    pub case: String,
    /// The SoapUI project that it is of.
    pub project: Option<String>,
    /// The test suite that it is of.
    pub suite: Option<String>,
    /// What became of it.
    pub outcome: Outcome,
    /// Why it is neither a pass nor a difference.
    pub why: Option<String>,
    /// How long it took, in microseconds.
    pub took_us: u64,
    /// How the answer differs.
    #[serde(default)]
    pub differences: Vec<Difference>,
    /// The steps of a case of a project.
    #[serde(default)]
    pub steps: Vec<Step>,
}

/// One way in which an answer differs.
#[derive(Debug, Deserialize)]
pub struct Difference {
    /// A sentence.
    pub in_words: String,
    /// Lines that begin with a space, `-` (expected) or `+` (came).
    #[serde(default)]
    pub diff: Vec<String>,
}

/// A step of a case of a project.
#[derive(Debug, Deserialize)]
pub struct Step {
    /// Its name.
    pub step: String,
    /// What became of it.
    pub outcome: Outcome,
    /// Why it is no pass.
    pub why: Option<String>,
    /// What it asserts.
    #[serde(default)]
    pub checks: Vec<Check>,
    /// What else there is to say.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// What a step asserts.
#[derive(Debug, Deserialize)]
pub struct Check {
    /// Its name.
    pub check: String,
    /// What became of it.
    pub outcome: Outcome,
    /// Why it is no pass.
    pub why: Option<String>,
}

/// A report in short.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Listed {
    /// Its number, from 1.
    pub id: u64,
    /// When the replay began.
    pub began: DateTime<Utc>,
    /// The version of the program that replayed.
    pub version: String,
    /// What was named to be replayed.
    pub replayed: Vec<String>,
    /// Where the requests were sent.
    pub endpoint: String,
    /// What became of all cases.
    pub summary: Summary,
    /// Why the replay ended before its end, if it did.
    pub broke_off: Option<String>,
}

/// The last reports.
#[derive(Debug, Default)]
pub(super) struct Reports(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    last_id: u64,
    bytes: usize,
    /// The oldest first.
    reports: VecDeque<(Listed, Bytes)>,
}

impl Reports {
    /// Keeps a report, which is this text, and gives it a number.
    pub(super) fn add(&self, report: Report, text: Bytes) -> u64 {
        let mut kept = self.0.lock();
        kept.last_id = kept.last_id.saturating_add(1);
        let id = kept.last_id;
        let Report { began, version, replayed, endpoint, summary, broke_off, .. } = report;
        let listed = Listed { id, began, version, replayed, endpoint, summary, broke_off };
        kept.bytes = kept.bytes.saturating_add(text.len());
        kept.reports.push_back((listed, text));
        while kept.reports.len() > REPORTS_MAX || kept.bytes > BYTES_MAX {
            let Some((_, oldest)) = kept.reports.pop_front() else { break };
            kept.bytes = kept.bytes.saturating_sub(oldest.len());
        }
        id
    }

    /// All that are kept, the newest first.
    pub(super) fn all(&self) -> Vec<Listed> {
        self.0.lock().reports.iter().rev().map(|(listed, _)| listed.clone()).collect()
    }

    /// The text of one.
    pub(super) fn text(&self, id: u64) -> Option<Bytes> {
        let kept = self.0.lock();
        kept.reports.iter().find(|(listed, _)| listed.id == id).map(|(_, text)| text.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(reports: &Reports, bytes: usize) -> u64 {
        let text = r#"{"began":"2026-01-02T03:04:05Z","version":"1","replayed":["a"],"endpoint":"",
            "summary":{"passed":1,"updated":0,"failed":0,"skipped":0,"not_served":0,"not_run":0,
            "left_out":0,"took_us":1},"cases":[]}"#;
        reports.add(serde_json::from_str(text).unwrap(), vec![b' '; bytes].into())
    }

    fn ids(reports: &Reports) -> Vec<u64> {
        reports.all().iter().map(|listed| listed.id).collect()
    }

    #[test]
    fn no_more_reports_are_kept_than_the_bound() {
        let reports = Reports::default();
        for number in 1..=25 {
            assert_eq!(add(&reports, 10), number);
        }
        assert_eq!(ids(&reports), (6..=25).rev().collect::<Vec<_>>());
        assert!(reports.text(5).is_none() && reports.text(6).is_some());
    }

    #[test]
    fn no_more_bytes_are_kept_than_the_bound() {
        let reports = Reports::default();
        add(&reports, BYTES_MAX / 2);
        add(&reports, BYTES_MAX / 2);
        assert_eq!(ids(&reports), [2, 1]);
        add(&reports, 1);
        assert_eq!(ids(&reports), [3, 2]);
        add(&reports, BYTES_MAX);
        assert_eq!(ids(&reports), [4]);
    }

    #[test]
    fn an_outcome_is_read_as_it_is_written() {
        for outcome in Outcome::ALL {
            let read: Outcome = serde_json::from_value(outcome.key().into()).unwrap();
            assert_eq!(read, outcome);
        }
    }
}
