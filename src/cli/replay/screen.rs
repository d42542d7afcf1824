//! Where the reports of a replay appear: the reports, and on a terminal a bar below them.

use crate::replay::{self, CaseReport, Reporter, Start, Summary, TestCaseReport};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use std::fmt;
use std::io::{self, ErrorKind, IsTerminal, Write};

/// How the bar looks; what it shows is in words and numbers too.
const BAR: &str = "{bar:30} {pos}/{len}, {rate} per second, {eta} left";

/// Colours are for terminals of people who did not turn them off.
pub(super) fn shows_colors() -> bool {
    let is_off = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    io::stdout().is_terminal() && !is_off && !is_dumb
}

/// All reports, and on a terminal a bar below them.
pub(super) struct Screen {
    bar: ProgressBar,
    reporters: Vec<Box<dyn Reporter>>,
}

impl Screen {
    /// A screen without a bar, which comes with the first count of cases.
    pub(super) fn new(reporters: Vec<Box<dyn Reporter>>) -> Self {
        Self { bar: ProgressBar::hidden(), reporters }
    }

    /// Takes the bar away.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    fn report(
        &mut self,
        mut report: impl FnMut(&mut dyn Reporter) -> io::Result<()>,
    ) -> io::Result<()> {
        let Self { bar, reporters } = self;
        bar.suspend(|| reporters.iter_mut().try_for_each(|reporter| report(reporter.as_mut())))
    }
}

impl Reporter for Screen {
    fn begin(&mut self, start: &Start) -> io::Result<()> {
        if io::stderr().is_terminal() {
            let style = ProgressStyle::with_template(BAR)
                .unwrap_or_else(|_| ProgressStyle::default_bar())
                .with_key("rate", |state: &ProgressState, out: &mut dyn fmt::Write| {
                    // A rate that cannot be shown is left out.
                    let _ = write!(out, "{:.0}", state.per_sec());
                });
            self.bar = ProgressBar::with_draw_target(
                u64::try_from(start.cases).ok(),
                ProgressDrawTarget::stderr(),
            )
            .with_style(style);
        }
        self.report(|reporter| reporter.begin(start))
    }

    fn case(&mut self, report: &CaseReport) -> io::Result<()> {
        self.bar.inc(1);
        if matches!(report.outcome, replay::Outcome::Passed) {
            // Nothing is shown of it, so the bar can stay.
            return self.reporters.iter_mut().try_for_each(|reporter| reporter.case(report));
        }
        self.report(|reporter| reporter.case(report))
    }

    fn test_case(&mut self, report: &TestCaseReport) -> io::Result<()> {
        self.bar.inc(1);
        self.report(|reporter| reporter.test_case(report))
    }

    fn end(&mut self, summary: &Summary) -> io::Result<()> {
        self.bar.finish_and_clear();
        self.report(|reporter| reporter.end(summary))
    }

    fn broke_off(&mut self, summary: &Summary, why: &str) -> io::Result<()> {
        self.bar.finish_and_clear();
        self.report(|reporter| reporter.broke_off(summary, why))
    }
}

/// A reader of stdout that goes away has seen enough; the replay goes on for the exit code.
pub(super) struct UntilClosed<W>(pub(super) W);

impl<W: Write> Write for UntilClosed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.write(bytes) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(bytes.len()),
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.0.flush() {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            flushed => flushed,
        }
    }
}
