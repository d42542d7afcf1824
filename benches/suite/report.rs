//! What a run found: the rows of the table with their targets, all samples, and the files that
//! they are written to.

use crate::chart::{self, Group};
use crate::load::Sample;
use crate::machine::Machine;
use crate::turns::Spread;
use serde::Serialize;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// What a row should be.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Target {
    pub value: f64,
    pub stretch: f64,
    /// Whether more is better.
    pub is_floor: bool,
}

/// The targets by the ids of the rows: the target, and what would be better still. Where the
/// second is larger more is better, and where it is smaller less is.
const TARGETS: [(&str, f64, f64); 40] = [
    ("creates-free-64", 0.45, 0.60),
    ("creates-disk-64", 0.32, 0.45),
    ("creates-1ms-64", 0.20, 0.23),
    ("creates-1ms-256", 0.40, 0.55),
    ("gsoap-free-64", 3.9, 5.2),
    ("gsoap-disk-64", 8.3, 12.0),
    ("gsoap-1ms-64", 26.0, 30.0),
    ("gsoap-free-1", 1.1, 1.3),
    ("gsoap-disk-1", 1.0, 1.1),
    ("postgres-disk", 0.20, 0.28),
    ("pgbench-disk", 1.5, 2.0),
    ("far-disk", 0.7, 0.9),
    ("p99-disk-64", 4.0, 2.5),
    ("written-disk-64", 4_000.0, 3_000.0),
    ("hot", 0.95, 1.1),
    ("batches", 1.5, 2.2),
    ("electronic", 0.7, 0.8),
    ("beside", 0.9, 0.95),
    ("rest-twin", 0.9, 1.0),
    ("rest-payment", 0.9, 1.0),
    ("query-id", 40.0, 25.0),
    ("query-account", 1_200.0, 800.0),
    ("accounts-cpu", 1.15, 1.05),
    ("accounts-seed", 6.0, 4.0),
    ("accounts-seed-mb", 120.0, 100.0),
    ("resident-idle", 20.0, 10.0),
    ("resident-creates", 60.0, 40.0),
    ("resident-logins", 80.0, 60.0),
    ("bytes-on-disk", 120.0, 80.0),
    ("growth-cpu", 1.05, 1.0),
    ("start-empty", 20.0, 10.0),
    ("start-large", 50.0, 20.0),
    ("check", 15.0, 8.0),
    ("growth-query", 1.5, 1.1),
    ("replay-har", 20.0, 100.0),
    ("replay-folders", 20.0, 100.0),
    ("replay-wide", 20.0, 100.0),
    ("replay-har-mb", 100.0, 50.0),
    ("replay-folders-mb", 100.0, 50.0),
    ("replay-wide-mb", 100.0, 50.0),
];

fn target(id: &str) -> Option<Target> {
    let (_, value, stretch) = *TARGETS.iter().find(|(known, ..)| *known == id)?;
    Some(Target { value, stretch, is_floor: stretch > value })
}

/// A row of the table.
#[derive(Debug, Serialize)]
pub struct Row {
    pub id: String,
    pub scenario: &'static str,
    pub measure: String,
    pub found: Spread,
    pub target: Option<Target>,
    pub is_met: Option<bool>,
    /// Whether all rounds agree about it.
    pub is_unanimous: bool,
}

impl Row {
    pub fn new(id: &str, scenario: &'static str, measure: &str, found: Spread) -> Self {
        let target = target(id);
        let meets = |value: f64, target: Target| {
            if target.is_floor { value >= target.value } else { value <= target.value }
        };
        let is_met = target.map(|target| meets(found.median, target));
        let is_unanimous =
            target.is_none_or(|target| meets(found.low, target) == meets(found.high, target));
        let (id, measure) = (id.to_owned(), measure.to_owned());
        Self { id, scenario, measure, found, target, is_met, is_unanimous }
    }

    /// The row as one of a Markdown table.
    pub fn line(&self) -> String {
        let Spread { median, low, high } = self.found;
        let range = if low < high {
            format!(" [{} to {}]", figure(low), figure(high))
        } else {
            String::new()
        };
        let (wanted, stretch) = self.target.map_or(("–".to_owned(), "–".to_owned()), |target| {
            (figure(target.value), figure(target.stretch))
        });
        let met = match (self.is_met, self.is_unanimous) {
            (None, _) => "–",
            (Some(true), true) => "yes",
            (Some(false), true) => "no",
            (Some(_), false) => "open",
        };
        format!("| {} | {}{range} | {wanted} | {stretch} | {met} |", self.measure, figure(median))
    }
}

/// A figure with three digits that count.
fn figure(value: f64) -> String {
    let places = match value.abs() {
        large if large >= 99.95 => 0,
        middle if middle >= 9.995 => 1,
        _ => 2,
    };
    format!("{value:.places$}")
}

/// All samples of a contestant.
#[derive(Debug, Serialize)]
pub struct Series {
    pub scenario: &'static str,
    pub what: String,
    pub contestant: &'static str,
    pub samples: Vec<Sample>,
}

#[derive(Default)]
pub struct Report {
    pub rows: Vec<Row>,
    pub series: Vec<Series>,
    /// The groups of bars of the chart.
    pub groups: Vec<Group>,
}

#[derive(Serialize)]
struct Results<'a> {
    machine: &'a Machine,
    is_quick: bool,
    rows: &'a [Row],
    series: &'a [Series],
}

impl Report {
    pub fn table(&self) -> String {
        let mut table = String::from(
            "| measure | found: median [range] | target | stretch | met |\n\
             | --- | --- | --- | --- | --- |\n",
        );
        for row in &self.rows {
            writeln!(table, "{}", row.line()).unwrap();
        }
        table
    }

    /// How many of all samples were taken while the machine was not at its usual speed.
    pub fn unsteady(&self) -> (usize, usize) {
        let samples = || self.series.iter().flat_map(|series| &series.samples);
        (samples().filter(|sample| !sample.is_clean).count(), samples().count())
    }

    /// Writes results.json and, if anything is to be drawn, chart.svg.
    pub fn write(&self, folder: &Path, machine: &Machine, is_quick: bool) {
        fs::create_dir_all(folder).unwrap();
        let results = Results { machine, is_quick, rows: &self.rows, series: &self.series };
        let json = serde_json::to_string_pretty(&results).unwrap();
        fs::write(folder.join("results.json"), json + "\n").unwrap();
        if !self.groups.is_empty() {
            fs::write(folder.join("chart.svg"), chart::svg(&self.groups)).unwrap();
        }
    }
}
