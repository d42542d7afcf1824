//! What reporters get, and how differences read.

use super::compare::Difference;
use super::error::ReplayError;
use super::soapui::{TestCaseReport, Verdict};
use std::fmt;
use std::io;
use std::time::{Duration, Instant};

/// What became of one case.
#[derive(Debug, Clone)]
pub struct CaseReport {
    /// Its name: the folder.
    pub name: String,
    /// What became of it.
    pub outcome: Outcome,
    /// How long its answer took.
    pub took: Duration,
}

/// What became of a case.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// The answer is the one that was captured.
    Passed,
    /// The answer differed and was accepted as the new capture.
    Updated,
    /// The answer differs.
    Failed(Box<Failure>),
    /// It was not sent, or cannot be judged, and why.
    Skipped(String),
    /// The endpoint does not serve what was asked, and why that is known.
    NotServed(String),
    /// It was not sent because another case differed, and which.
    NotRun(String),
}

impl Outcome {
    /// The word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Updated => "updated",
            Self::Failed(_) => "failed",
            Self::Skipped(_) => "skipped",
            Self::NotServed(_) => "not-served",
            Self::NotRun(_) => "not-run",
        }
    }

    /// Why it is neither a pass nor a difference.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Skipped(why) | Self::NotServed(why) | Self::NotRun(why) => Some(why),
            Self::Passed | Self::Updated | Self::Failed(_) => None,
        }
    }
}

/// How an answer differs. Nothing in here is a secret.
#[derive(Debug, Clone, Default)]
pub struct Failure {
    /// Every difference; at least one.
    pub differences: Vec<Difference>,
    /// The request as it was captured, shortened.
    pub request: String,
    /// The expected answer, shortened.
    pub expected: String,
    /// The answer that came, shortened.
    pub actual: String,
}

/// What became of all cases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many answers were as captured.
    pub passed: usize,
    /// How many answers became the new capture.
    pub updated: usize,
    /// How many answers differed.
    pub failed: usize,
    /// How many cases were not sent or could not be judged.
    pub skipped: usize,
    /// How many cases the endpoint does not serve.
    pub not_served: usize,
    /// How many cases were not sent after the first difference.
    pub not_run: usize,
    /// How many cases were not selected; they are no part of the total.
    pub left_out: usize,
    /// How long all of it took.
    pub took: Duration,
}

impl Summary {
    /// How many cases there were.
    pub fn total(&self) -> usize {
        let judged = self.passed.saturating_add(self.updated).saturating_add(self.failed);
        judged
            .saturating_add(self.skipped)
            .saturating_add(self.not_served)
            .saturating_add(self.not_run)
    }

    fn count(&mut self, outcome: &Outcome) {
        let counter = match outcome {
            Outcome::Passed => &mut self.passed,
            Outcome::Updated => &mut self.updated,
            Outcome::Failed(_) => &mut self.failed,
            Outcome::Skipped(_) => &mut self.skipped,
            Outcome::NotServed(_) => &mut self.not_served,
            Outcome::NotRun(_) => &mut self.not_run,
        };
        *counter = counter.saturating_add(1);
    }

    fn count_verdict(&mut self, verdict: &Verdict) {
        let counter = match verdict {
            Verdict::Passed => &mut self.passed,
            Verdict::Failed(_) => &mut self.failed,
            Verdict::Skipped(_) => &mut self.skipped,
        };
        *counter = counter.saturating_add(1);
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} passed, {} failed", self.passed, self.failed)?;
        let others = [
            (self.updated, "updated"),
            (self.not_served, "not served"),
            (self.skipped, "skipped"),
            (self.not_run, "not run"),
            (self.left_out, "left out"),
        ];
        others
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .try_for_each(|(count, word)| write!(out, ", {count} {word}"))
    }
}

/// What is known when the first request is about to be sent.
#[derive(Debug, Clone, Default)]
pub struct Start {
    /// How many cases there are.
    pub cases: usize,
    /// How many were not selected beside them.
    pub left_out: usize,
    /// Where they are sent.
    pub endpoint: String,
}

/// Takes down how a replay goes.
pub trait Reporter {
    /// The first request is about to be sent.
    fn begin(&mut self, _start: &Start) -> io::Result<()> {
        Ok(())
    }

    /// A case is done.
    fn case(&mut self, report: &CaseReport) -> io::Result<()>;

    /// A case of a SoapUI project is done.
    fn test_case(&mut self, report: &TestCaseReport) -> io::Result<()>;

    /// All cases are done.
    fn end(&mut self, _summary: &Summary) -> io::Result<()> {
        Ok(())
    }

    /// The replay ended before its end, perhaps before its beginning, and why.
    fn broke_off(&mut self, _summary: &Summary, _why: &str) -> io::Result<()> {
        Ok(())
    }
}

/// Counts what a reporter gets.
pub(super) struct Tally<'r> {
    reporter: &'r mut dyn Reporter,
    started: Instant,
    summary: Summary,
}

impl<'r> Tally<'r> {
    pub(super) fn new(reporter: &'r mut dyn Reporter) -> Self {
        Self { reporter, started: Instant::now(), summary: Summary::default() }
    }

    pub(super) fn begin(&mut self, start: &Start) -> Result<(), ReplayError> {
        self.started = Instant::now();
        self.summary.left_out = start.left_out;
        self.reporter.begin(start).map_err(|error| unreported(&error))
    }

    pub(super) fn case(&mut self, report: &CaseReport) -> Result<(), ReplayError> {
        self.summary.count(&report.outcome);
        self.reporter.case(report).map_err(|error| unreported(&error))
    }

    pub(super) fn test_case(&mut self, report: &TestCaseReport) -> Result<(), ReplayError> {
        self.summary.count_verdict(&report.verdict);
        self.reporter.test_case(report).map_err(|error| unreported(&error))
    }

    /// Ends the report as the replay ended.
    pub(super) fn end(mut self, done: Result<(), ReplayError>) -> Result<Summary, ReplayError> {
        self.summary.took = self.started.elapsed();
        let reported = match &done {
            Ok(()) => self.reporter.end(&self.summary),
            Err(error) => self.reporter.broke_off(&self.summary, &error.to_string()),
        };
        done?;
        reported.map_err(|error| unreported(&error))?;
        Ok(self.summary)
    }
}

fn unreported(error: &io::Error) -> ReplayError {
    ReplayError::Runtime(format!("the report cannot be written: {error}"))
}

impl Difference {
    /// The lines of the bodies, if they are what differs.
    pub(super) fn diff(&self) -> &[String] {
        if let Self::Body { diff, .. } | Self::Bytes { diff, .. } = self { diff } else { &[] }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status { expected, actual } => {
                write!(out, "status: expected {expected}, got {actual}")
            }
            Self::Header { name, expected, actual: Some(actual) } => {
                write!(out, "header {name}: expected `{expected}`, got `{actual}`")
            }
            Self::Header { name, expected, actual: None } => {
                write!(out, "header {name}: expected `{expected}`, got none")
            }
            Self::Body { path, note, .. } => {
                out.write_str("body")?;
                match path.as_deref() {
                    Some("") | None => {}
                    Some(path) => write!(out, " at {path}")?,
                }
                note.as_ref().map_or(Ok(()), |note| write!(out, ": {note}"))
            }
            Self::Bytes { offset, actual_offset, .. } => {
                write!(out, "body: the first other byte is at offset {offset}")?;
                if offset == actual_offset {
                    return Ok(());
                }
                write!(out, ", {actual_offset} in the answer that came")
            }
            Self::Cut { bytes } => {
                write!(out, "the answer is too large and was cut at {bytes} bytes")
            }
            Self::Unknown { objects } => {
                write!(out, "unknown at the endpoint: {}", objects.join(", "))
            }
            Self::Refused { why } => {
                write!(out, "no answer was captured, and this one is a refusal: {why}")
            }
            Self::NoAnswer { why } => write!(out, "no answer: {why}"),
        }
    }
}

/// A duration in seconds with three decimals.
pub(super) fn seconds(took: Duration) -> String {
    format!("{}.{:03}", took.as_secs(), took.subsec_millis())
}
