//! Reports of replays that were handed over: a list, and one with what differs in each case.
//!
//! What must stay true: what stands in a report comes from captures and from servers, and is text;
//! a page shows a bounded number of cases, and leads to those that follow.

use super::nothing;
use crate::call::Method;
use crate::console::answer;
use crate::console::body::{self, In, Shown};
use crate::console::frame::Frame;
use crate::console::section::Section;
use crate::console::trouble::Trouble;
use crate::console::visitor::Visitor;
use crate::console::{Answered, Console, form};
use crate::http::reports::{
    BYTES_MAX, Case, Check, Difference, Listed, Outcome, REPORTS_MAX, Report, Step, Summary,
};
use askama::Template;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Deserialize;
use serde_json::Value;

/// How many cases a page shows.
const CASES: usize = 500;

#[derive(Template)]
#[template(path = "reports.html")]
struct ReportsPage {
    frame: Frame,
    reports: Vec<Row>,
    /// How many are kept at most, and how many MiB of them.
    bounds: (usize, usize),
}

/// A report in the list.
struct Row {
    id: u64,
    began: String,
    badges: Vec<Badge>,
    replayed: String,
    endpoint: String,
}

/// A part of what a replay came to: the class of its badge, and words.
type Badge = (&'static str, String);

#[derive(Template)]
#[template(path = "report.html")]
struct ReportPage {
    frame: Frame,
    id: u64,
    facts: Vec<(&'static str, String)>,
    badges: Vec<Badge>,
    broke_off: Option<String>,
    /// The outcomes that there are: key, words, number of cases.
    outcomes: Vec<(&'static str, String, u64)>,
    /// The outcome whose cases alone are shown; empty where all are.
    chosen: &'static str,
    failed: Vec<Failed>,
    others: Vec<Group>,
    /// Which cases the page shows, where those are not all.
    part: Option<String>,
    unlisted: u64,
    /// Where the next page is, if there is one.
    next: Option<String>,
}

/// A case that failed.
struct Failed {
    name: String,
    why: Option<String>,
    differences: Vec<(String, Shown)>,
    /// Its steps in words, with what each asserts.
    steps: Vec<(String, Vec<String>)>,
}

/// The cases of another outcome.
struct Group {
    word: String,
    is_open: bool,
    /// The name of each, and why it is so or how long it took.
    lines: Vec<(String, String)>,
}

/// The pages of this section.
pub(super) async fn route(console: &Console, visitor: &Visitor, rest: &[&str]) -> Answered {
    visitor.reads()?;
    match rest {
        [] => list(console, visitor).await,
        [id] => one(console, visitor, id.parse().map_err(|_| nothing())?).await,
        _ => Err(nothing()),
    }
}

async fn list(console: &Console, visitor: &Visitor) -> Answered {
    #[derive(Deserialize)]
    struct All {
        reports: Vec<Listed>,
    }
    let all: All = console.ask(visitor, (Method::Get, "reports", ""), &Value::Null).await?;
    let row = |one: Listed| Row {
        id: one.id,
        began: moment(one.began),
        badges: badges(&one.summary, one.broke_off.is_some()),
        replayed: one.replayed.join(", "),
        endpoint: one.endpoint,
    };
    let reports = all.reports.into_iter().map(row).collect();
    let frame = visitor.frame(console, Some(Section::Bench), "Replay reports");
    let bounds = (REPORTS_MAX, BYTES_MAX / (1024 * 1024));
    answer::page(200, &ReportsPage { frame, reports, bounds })
}

async fn one(console: &Console, visitor: &Visitor, id: u64) -> Answered {
    let pairs = form::query(&visitor.visit, &["outcome", "from"])?;
    let chosen = pairs.text("outcome").filter(|key| !key.is_empty()).map(outcome).transpose()?;
    let from = pairs.number("from", 0..=u32::MAX).map_err(Trouble::bad)?.unwrap_or(0);
    let from = usize::try_from(from).unwrap_or(usize::MAX);
    let path = format!("reports/{id}");
    let mut report: Report = console.ask(visitor, (Method::Get, &path, ""), &Value::Null).await?;
    let facts = facts(&report);
    let cases = std::mem::take(&mut report.cases).into_iter();
    let wanted = |case: &Case| chosen.is_none_or(|chosen| chosen == case.outcome);
    let mut cases: Vec<Case> = cases.filter(wanted).collect();
    let rank = |case: &Case| Outcome::ALL.iter().position(|one| *one == case.outcome);
    cases.sort_by_key(rank);
    let all = cases.len();
    let cases: Vec<Case> = cases.into_iter().skip(from).take(CASES).collect();
    let until = from.saturating_add(cases.len());
    let part = || format!("Cases {} to {until} of {all}.", from.saturating_add(1));
    let key = chosen.map_or("", Outcome::key);
    let next = || format!("/bench/reports/{id}?outcome={key}&from={until}");
    let there = Outcome::ALL.into_iter().filter(|one| report.summary.count(*one) > 0);
    let option = |one: Outcome| (one.key(), word(one), report.summary.count(one));
    let has_failed = |case: &&Case| case.outcome == Outcome::Failed;
    let page = ReportPage {
        frame: visitor.frame(console, Some(Section::Bench), format!("Replay report {id}")),
        id,
        facts,
        badges: badges(&report.summary, report.broke_off.is_some()),
        outcomes: there.map(option).collect(),
        chosen: key,
        failed: cases.iter().filter(has_failed).map(failed).collect(),
        others: groups(&cases, chosen.is_some()),
        part: (cases.len() < all && !cases.is_empty()).then(part),
        unlisted: report.unlisted,
        next: (!cases.is_empty() && until < all).then(next),
        broke_off: report.broke_off,
    };
    answer::page(200, &page)
}

/// The outcome of a key.
fn outcome(key: &str) -> Result<Outcome, Trouble> {
    let found = Outcome::ALL.into_iter().find(|one| one.key() == key);
    found.ok_or_else(|| {
        let keys = Outcome::ALL.map(Outcome::key).join(", ");
        Trouble::bad(format!("outcome: `{key}` is none of {keys}"))
    })
}

fn word(outcome: Outcome) -> String {
    outcome.key().replace('-', " ")
}

/// What came of a replay, the worst first.
fn badges(summary: &Summary, broke_off: bool) -> Vec<Badge> {
    let badge = |outcome: Outcome| {
        let class = match outcome {
            Outcome::Failed => "bad",
            Outcome::NotServed | Outcome::NotRun | Outcome::Skipped => "warn",
            Outcome::Updated => "",
            Outcome::Passed => "good",
        };
        (class, format!("{} {}", summary.count(outcome), word(outcome)))
    };
    let there = Outcome::ALL.into_iter().filter(|one| summary.count(*one) > 0);
    let left_out = (summary.left_out > 0).then(|| ("", format!("{} left out", summary.left_out)));
    let broken = broke_off.then(|| ("bad", "broke off".to_owned()));
    broken.into_iter().chain(there.map(badge)).chain(left_out).collect()
}

/// When, what, where, with what and for how long.
fn facts(report: &Report) -> Vec<(&'static str, String)> {
    let endpoint = match report.endpoint.as_str() {
        "" => "nothing was sent",
        endpoint => endpoint,
    };
    vec![
        ("Begun", moment(report.began)),
        ("Replayed", report.replayed.join(", ")),
        ("Endpoint", endpoint.to_owned()),
        ("Duration", seconds(report.summary.took_us)),
        ("Version", format!("refund-gateway {}", report.version)),
    ]
}

fn failed(case: &Case) -> Failed {
    let difference = |one: &Difference| (one.in_words.clone(), body::of_replay(&one.diff));
    let check = |one: &Check| in_words(&one.check, one.outcome, one.why.as_deref());
    let step = |one: &Step| {
        let notes = one.notes.iter().map(|note| format!("note: {note}"));
        let checks = one.checks.iter().map(check).chain(notes).collect();
        (in_words(&one.step, one.outcome, one.why.as_deref()), checks)
    };
    Failed {
        name: name(case),
        why: case.why.clone(),
        differences: case.differences.iter().map(difference).collect(),
        steps: case.steps.iter().map(step).collect(),
    }
}

/// Something of a case, what became of it, and why.
fn in_words(name: &str, outcome: Outcome, why: Option<&str>) -> String {
    match why {
        Some(why) => format!("{name}: {}: {why}", word(outcome)),
        None => format!("{name}: {}", word(outcome)),
    }
}

/// The cases that did not fail, by their outcomes. Those that are as they should be are folded,
/// unless they were asked for.
fn groups(cases: &[Case], is_asked_for: bool) -> Vec<Group> {
    let group = |outcome: &Outcome| {
        let line =
            |case: &Case| (name(case), case.why.clone().unwrap_or_else(|| seconds(case.took_us)));
        let of_outcome = cases.iter().filter(|case| case.outcome == *outcome);
        let is_fine = matches!(outcome, Outcome::Passed | Outcome::Updated);
        let lines = of_outcome.map(line).collect();
        Group { word: word(*outcome), is_open: is_asked_for || !is_fine, lines }
    };
    let others = Outcome::ALL.iter().filter(|outcome| **outcome != Outcome::Failed);
    others.map(group).filter(|group| !group.lines.is_empty()).collect()
}

/// A case of a project goes by all three names.
fn name(case: &Case) -> String {
    let names = [case.project.as_ref(), case.suite.as_ref(), Some(&case.case)];
    let names: Vec<&str> = names.into_iter().flatten().map(String::as_str).collect();
    names.join(" / ")
}

fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// So many microseconds, in seconds with three decimals.
fn seconds(micros: u64) -> String {
    format!("{}.{:03} s", micros / 1_000_000, micros / 1_000 % 1_000)
}
