//! What became of the cases of a project, of their steps, and of what each step asserts.

use std::time::Duration;

/// What became of a case, a step or an assertion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// All of it held.
    Passed,
    /// It did not, and why.
    Failed(String),
    /// It was not looked at, and why.
    Skipped(String),
}

impl Verdict {
    /// The word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed(_) => "failed",
            Self::Skipped(_) => "skipped",
        }
    }

    /// Why it is no pass.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Passed => None,
            Self::Failed(why) | Self::Skipped(why) => Some(why),
        }
    }
}

/// A case of a SoapUI project. Nothing in here is a secret.
#[derive(Debug, Clone)]
pub struct TestCaseReport {
    /// The project.
    pub project: String,
    /// The test suite.
    pub suite: String,
    /// The test case.
    pub name: String,
    /// What became of it.
    pub verdict: Verdict,
    /// Its steps, in their order.
    pub steps: Vec<StepReport>,
    /// How long it took.
    pub took: Duration,
}

/// A step of a case.
#[derive(Debug, Clone)]
pub struct StepReport {
    /// Its name.
    pub name: String,
    /// Its type, as the project names it.
    pub of_type: String,
    /// What became of it.
    pub verdict: Verdict,
    /// Its assertions or transfers.
    pub checks: Vec<CheckReport>,
    /// What a reader of the report should know, although nothing failed.
    pub notes: Vec<String>,
    /// The request that was sent and the answer, shortened, if the step failed.
    pub exchange: Option<Box<Exchange>>,
    /// How long it took.
    pub took: Duration,
}

/// What a step asserts, or a line of a property transfer.
#[derive(Debug, Clone)]
pub struct CheckReport {
    /// Its name.
    pub name: String,
    /// What became of it.
    pub verdict: Verdict,
}

/// What went over the wire.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The request.
    pub request: String,
    /// The answer, its status first.
    pub response: String,
}

impl TestCaseReport {
    /// The whole report with `hide` applied to every text that a run has put together.
    pub(super) fn hidden(mut self, hide: &dyn Fn(&mut String)) -> Self {
        hide_reason(&mut self.verdict, hide);
        for step in &mut self.steps {
            hide_reason(&mut step.verdict, hide);
            step.notes.iter_mut().for_each(hide);
            for check in &mut step.checks {
                hide(&mut check.name);
                hide_reason(&mut check.verdict, hide);
            }
            if let Some(exchange) = &mut step.exchange {
                hide(&mut exchange.request);
                hide(&mut exchange.response);
            }
        }
        self
    }
}

fn hide_reason(verdict: &mut Verdict, hide: &dyn Fn(&mut String)) {
    if let Verdict::Failed(why) | Verdict::Skipped(why) = verdict {
        hide(why);
    }
}
