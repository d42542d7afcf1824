//! Runs suites and cases in the order of the file, and says what became of each.

use super::super::canonical::printable;
use super::super::diff::cut;
use super::super::error::ReplayError;
use super::super::secret::KnownSecrets;
use super::model::{Case, Kind, Project, Properties, Step, Suite};
use super::outcome::{StepReport, TestCaseReport, Verdict};
use super::scope::{NotRun, Scope};
use super::step;
use super::target::{Context, Target};
use crate::client::Connection;
use std::time::{Duration, Instant};

/// How the names of properties end, in lower case, that hold secrets.
const SECRET_NAMES: [&str; 5] = ["password", "session", "sessionid", "cardnumber", "securitycode"];

/// Runs all projects, and passes each case to `report` as it ends.
pub(super) async fn run(
    projects: &[Project],
    target: &Target<'_>,
    connection: &mut Connection,
    report: &mut dyn FnMut(TestCaseReport) -> Result<(), ReplayError>,
) -> Result<(), ReplayError> {
    let mut failed: Option<String> = None;
    for project in projects {
        let context = Context { project, target };
        let mut scope = Scope::of_project(&project.properties, &project.script);
        scope.clock = target.clock;
        target.given.iter().for_each(|(name, value)| scope.give(name, value));
        learn(&project.properties, target.secrets);
        for suite in &project.suites {
            scope.enter_suite(suite);
            learn(&suite.properties, target.secrets);
            for case in &suite.cases {
                let ended = match &failed {
                    Some(name) => not_run(&context, suite, case, name),
                    None => case_report(&context, suite, case, &mut scope, connection).await?,
                };
                if target.fail_fast && matches!(ended.verdict, Verdict::Failed(_)) {
                    failed = Some(ended.name.clone());
                }
                let hide = |text: &mut String| {
                    *text = printable_lines(text);
                    target.secrets.hide(text);
                };
                report(ended.hidden(&hide))?;
            }
        }
    }
    Ok(())
}

/// The report of a case after the one that ended the run.
fn not_run(context: &Context<'_>, suite: &Suite, case: &Case, failed: &str) -> TestCaseReport {
    TestCaseReport {
        project: printable(&context.project.name),
        suite: printable(&suite.name),
        name: printable(&case.name),
        verdict: Verdict::Skipped(format!("not run: {failed} failed, and --fail-fast was given")),
        steps: Vec::new(),
        took: Duration::ZERO,
    }
}

/// Properties that are named like secrets are.
fn learn(properties: &Properties, secrets: &KnownSecrets) {
    for (name, value) in properties.iter() {
        let is_secret = SECRET_NAMES.iter().any(|end| name.ends_with(end));
        if is_secret && !value.contains("${") {
            step::learn(value, secrets);
        }
    }
}

/// A text of several lines for people.
fn printable_lines(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(|line| cut(&printable(line))).collect();
    lines.join("\n")
}

async fn case_report(
    context: &Context<'_>,
    suite: &Suite,
    case: &Case,
    scope: &mut Scope,
    connection: &mut Connection,
) -> Result<TestCaseReport, ReplayError> {
    let report = |verdict, steps, took| TestCaseReport {
        project: printable(&context.project.name),
        suite: printable(&suite.name),
        name: printable(&case.name),
        verdict,
        steps,
        took,
    };
    scope.enter(case);
    for (disabled, which) in [(suite.disabled, "suite"), (case.disabled, "case")] {
        if disabled {
            // What its steps would have left for other cases is not there.
            case.steps.iter().for_each(|step| scope.pass_over(step, case, NotRun::Disabled));
            let verdict = Verdict::Skipped(format!("the {which} is disabled"));
            return Ok(report(verdict, Vec::new(), Duration::ZERO));
        }
    }
    let started = Instant::now();
    learn(&case.properties, context.target.secrets);
    let mut steps = Vec::new();
    let mut has_failed = false;
    for step in &case.steps {
        let (reported, not_run) = match (step.disabled, has_failed && case.fail_on_error) {
            (true, _) => (skipped(step, "it is disabled"), Some(NotRun::Disabled)),
            (_, true) => (skipped(step, "a step before it failed"), Some(NotRun::Skipped)),
            _ => {
                if let Kind::Properties(properties) = &step.kind {
                    learn(properties, context.target.secrets);
                }
                scope.reached.push(step.name.clone());
                let reported = step::run(context, step, scope, connection).await?;
                let not_run = is_not_run(&reported).then_some(NotRun::Skipped);
                (reported, not_run)
            }
        };
        if let Some(why) = not_run {
            scope.pass_over(step, case, why);
        }
        has_failed |= matches!(reported.verdict, Verdict::Failed(_));
        steps.push(reported);
    }
    Ok(report(verdict(case, &steps), steps, started.elapsed()))
}

/// The report of a step that was not begun.
fn skipped(step: &Step, why: &str) -> StepReport {
    StepReport {
        name: printable(&step.name),
        of_type: printable(&step.of_type),
        verdict: Verdict::Skipped(why.to_owned()),
        checks: Vec::new(),
        notes: Vec::new(),
        exchange: None,
        took: Duration::ZERO,
    }
}

/// Whether nothing of a step was done: neither a request sent nor a line of it looked at.
fn is_not_run(reported: &StepReport) -> bool {
    matches!(reported.verdict, Verdict::Skipped(_)) && reported.checks.is_empty()
}

/// A case passes if nothing failed, every request was sent, and something was found to hold.
fn verdict(case: &Case, steps: &[StepReport]) -> Verdict {
    let failed = |step: &StepReport| match &step.verdict {
        Verdict::Failed(why) => Some(format!("{}: {why}", step.name)),
        _ => None,
    };
    if let Some(why) = steps.iter().find_map(failed) {
        return Verdict::Failed(why);
    }
    let enabled = || case.steps.iter().zip(steps).filter(|(step, _)| !step.disabled);
    let mut requests = enabled().filter(|(step, _)| matches!(step.kind, Kind::Request(_)));
    let unsent = requests.clone().find_map(|(_, reported)| match &reported.verdict {
        Verdict::Skipped(why) if is_not_run(reported) => Some(format!("{}: {why}", reported.name)),
        _ => None,
    });
    if let Some(why) = unsent {
        return Verdict::Skipped(why);
    }
    let holds = |reported: &StepReport| {
        reported.checks.iter().any(|check| check.verdict == Verdict::Passed)
    };
    if requests.any(|(_, reported)| holds(reported)) {
        return Verdict::Passed;
    }
    Verdict::Skipped("nothing that it asserts was checked".to_owned())
}
