//! The report for people: what differs, and a summary. Colour repeats what signs and words say.

use super::report::{CaseReport, Outcome, Reporter, Summary};
use super::soapui::{TestCaseReport, Verdict};
use super::{Difference, Failure};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Writes text.
pub struct Text<W> {
    out: W,
    color: bool,
    /// The project and the suite that were named last.
    suite: Option<(String, String)>,
    /// The first case that was not run, and why.
    not_run: Option<(String, String)>,
    /// The objects that the endpoint does not have, and how many cases name each.
    unknown: BTreeMap<String, usize>,
}

/// So many unknown objects are listed.
const UNKNOWN_MAX: usize = 100;

/// A colour of the terminal, by its escape code.
#[derive(Clone, Copy)]
struct Color(&'static str);

const RED: Color = Color("31");
const GREEN: Color = Color("32");
const BOLD: Color = Color("1");

impl<W: Write> Text<W> {
    /// A report to `out`, coloured if a terminal shows it.
    pub fn new(out: W, color: bool) -> Self {
        Self { out, color, suite: None, not_run: None, unknown: BTreeMap::new() }
    }

    fn line(&mut self, color: Option<Color>, line: &str) -> io::Result<()> {
        match color.filter(|_| self.color) {
            Some(Color(code)) => writeln!(self.out, "\u{1b}[{code}m{line}\u{1b}[0m"),
            None => writeln!(self.out, "{line}"),
        }
    }

    fn failure(&mut self, name: &str, failure: &Failure) -> io::Result<()> {
        self.line(Some(BOLD), &format!("FAILED {name}"))?;
        for difference in &failure.differences {
            if let Difference::Unknown { objects } = difference {
                for object in objects {
                    *self.unknown.entry(object.clone()).or_default() += 1;
                }
            }
            self.line(None, &format!("  {difference}"))?;
            let diff = difference.diff();
            if diff.is_empty() {
                continue;
            }
            self.line(None, "    --- expected")?;
            self.line(None, "    +++ actual")?;
            for line in diff {
                let color = match line.chars().next() {
                    Some('-') => Some(RED),
                    Some('+') => Some(GREEN),
                    _ => None,
                };
                self.line(color, &format!("    {line}"))?;
            }
        }
        Ok(())
    }

    /// What captures name that the endpoint does not have.
    fn unknown(&mut self) -> io::Result<()> {
        let unknown = std::mem::take(&mut self.unknown);
        if unknown.is_empty() {
            return Ok(());
        }
        let count = unknown.len();
        self.line(None, &format!("UNKNOWN {count}; --seed-draft FILE writes a seed with them:"))?;
        for (object, cases) in unknown.iter().take(UNKNOWN_MAX) {
            let word = if *cases == 1 { "case" } else { "cases" };
            self.line(None, &format!("  {object} ({cases} {word})"))?;
        }
        let left_out = count.saturating_sub(UNKNOWN_MAX);
        if left_out > 0 {
            self.line(None, &format!("  ... and {left_out} more"))?;
        }
        Ok(())
    }

    /// A line of the tree: a sign, a word, a name, and why if it is no pass.
    fn leaf(&mut self, depth: usize, name: &str, verdict: &Verdict) -> io::Result<()> {
        let (sign, word, color) = match verdict {
            Verdict::Passed => ("✓", "passed", Some(GREEN)),
            Verdict::Failed(_) => ("✗", "FAILED", Some(RED)),
            Verdict::Skipped(_) => ("–", "skipped", None),
        };
        let indent = "  ".repeat(depth);
        let why = verdict.reason().map(|why| format!(": {why}")).unwrap_or_default();
        self.line(color, &format!("{indent}{sign} {word} {name}{why}"))
    }
}

impl<W: Write> Reporter for Text<W> {
    fn test_case(&mut self, report: &TestCaseReport) -> io::Result<()> {
        let suite = (report.project.clone(), report.suite.clone());
        let last = self.suite.replace(suite.clone());
        if last.as_ref().map(|last| &last.0) != Some(&suite.0) {
            self.line(Some(BOLD), &suite.0)?;
        }
        if last.as_ref() != Some(&suite) {
            self.line(Some(BOLD), &format!("  {}", suite.1))?;
        }
        self.leaf(2, &report.name, &report.verdict)?;
        for step in &report.steps {
            self.leaf(3, &format!("{} ({})", step.name, step.of_type), &step.verdict)?;
            for check in &step.checks {
                self.leaf(4, &check.name, &check.verdict)?;
            }
            for note in &step.notes {
                self.line(None, &format!("        note: {note}"))?;
            }
        }
        Ok(())
    }

    fn case(&mut self, report: &CaseReport) -> io::Result<()> {
        match &report.outcome {
            Outcome::Passed => Ok(()),
            Outcome::Updated => self.line(None, &format!("UPDATED {}", report.name)),
            Outcome::Failed(failure) => self.failure(&report.name, failure),
            Outcome::Skipped(why) => self.line(None, &format!("SKIPPED {}: {why}", report.name)),
            Outcome::NotServed(why) => {
                self.line(None, &format!("NOT SERVED {}: {why}", report.name))
            }
            // One line at the end counts all of them.
            Outcome::NotRun(why) => {
                self.not_run.get_or_insert_with(|| (report.name.clone(), why.clone()));
                Ok(())
            }
        }
    }

    fn end(&mut self, summary: &Summary) -> io::Result<()> {
        if let Some((name, why)) = self.not_run.take() {
            let count = summary.not_run;
            self.line(None, &format!("NOT RUN {count}, from {name} on: {why}"))?;
        }
        self.unknown()?;
        let color = if summary.failed == 0 { GREEN } else { RED };
        self.line(Some(color), &summary.to_string())?;
        self.out.flush()
    }

    fn broke_off(&mut self, summary: &Summary, _why: &str) -> io::Result<()> {
        if summary.total() > 0 {
            self.line(Some(RED), &format!("{summary}, and then it broke off"))?;
        }
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::Difference;
    use std::time::Duration;

    fn report(outcome: Outcome) -> CaseReport {
        CaseReport { name: "a/b".to_owned(), outcome, took: Duration::from_millis(1) }
    }

    fn written(color: bool) -> String {
        let mut out = Vec::new();
        let mut text = Text::new(&mut out, color);
        let differences = vec![
            Difference::Status { expected: 200, actual: 500 },
            Difference::Header { name: "X".to_owned(), expected: "1".to_owned(), actual: None },
            Difference::Body {
                path: Some("/a/b".to_owned()),
                note: None,
                diff: ["  <a>", "-  <b/>", "+  <c/>"].map(str::to_owned).to_vec(),
            },
        ];
        let failure = Failure { differences, ..Failure::default() };
        let skipped = Outcome::Skipped("no body".to_owned());
        let outcomes =
            [Outcome::Passed, Outcome::Failed(Box::new(failure)), Outcome::Updated, skipped];
        for outcome in outcomes {
            text.case(&report(outcome)).unwrap();
        }
        let summary =
            Summary { passed: 1, updated: 1, failed: 1, skipped: 1, ..Summary::default() };
        text.end(&summary).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn only_what_is_no_pass_is_told() {
        let expected = "FAILED a/b\n  status: expected 200, got 500\n  header X: expected `1`, got \
                        none\n  body at /a/b\n    --- expected\n    +++ actual\n      <a>\n    -  \
                        <b/>\n    +  <c/>\nUPDATED a/b\nSKIPPED a/b: no body\n1 passed, 1 failed, \
                        1 updated, 1 skipped\n";
        assert_eq!(written(false), expected);
    }

    #[test]
    fn colours_add_nothing_but_colour() {
        let mut plain = written(true);
        for code in ["31", "32", "1", "0"] {
            plain = plain.replace(&format!("\u{1b}[{code}m"), "");
        }
        assert_eq!(plain, written(false));
        assert!(written(true).contains("\u{1b}[31m    -  <b/>"));
    }
}
