//! The scenarios, in the order in which they run.

mod accounts;
mod beside;
mod creates;
mod electronic;
mod growth;
mod memory;
mod mixes;
mod postgres;
mod queries;
mod replay;
mod rest;

use crate::arguments::Options;
use crate::bench::Bench;

/// Something that can be measured by itself.
pub struct Scenario {
    pub name: &'static str,
    pub about: &'static str,
    run: fn(&mut Bench),
    /// Whether a quick run leaves it out, unless it is asked for by its name.
    is_long: bool,
}

const fn scenario(name: &'static str, about: &'static str, run: fn(&mut Bench)) -> Scenario {
    Scenario { name, about, run, is_long: false }
}

pub const ALL: [Scenario; 13] = [
    scenario("creates", "beside hello and the peers: 1, 8, 64, 256 connections", creates::run),
    scenario("hot", "all refunds of one account", mixes::hot),
    scenario("batches", "fifty refunds a call", mixes::batches),
    scenario("electronic", "paid by the sandbox", electronic::run),
    scenario("hanging", "while a payment gateway never answers", electronic::hanging),
    scenario("beside", "while 100 queries a second are answered", beside::run),
    scenario("queries", "by Id, and by account with 1,000 rows", queries::run),
    scenario("postgres", "creates on PostgreSQL, near and far, beside pgbench", postgres::run),
    scenario("rest", "creates by REST beside those by SOAP", rest::run),
    scenario("memory", "resident: idle, under creates, under logins", memory::run),
    scenario("growth", "bytes a refund, start, check and creates on a large ledger", growth::run),
    scenario("replay", "replaying captures, beside curl in a loop", replay::run),
    Scenario {
        name: "accounts",
        about: "with a million accounts; only in the full setting",
        run: accounts::run,
        is_long: true,
    },
];

/// Runs what the options ask for, prints the table, and writes the files.
pub fn run(options: Options) {
    let mut bench = Bench::new(options);
    let machine = &bench.machine;
    println!("{} cores; fsync of 4 KiB where ledgers lie: {:?}", machine.cores, machine.fsync_us);
    let (is_quick, only) = (bench.options.is_quick, bench.options.only.clone());
    for scenario in ALL {
        let is_named = only.iter().any(|name| name == scenario.name);
        if is_named || (only.is_empty() && !(scenario.is_long && is_quick)) {
            bench.begin(scenario.name);
            (scenario.run)(&mut bench);
        }
    }
    println!("\n{}", bench.report.table());
    let (unsteady, all) = bench.report.unsteady();
    if unsteady > 0 {
        println!("UNSTEADY: during {unsteady} of {all} samples something else took the machine");
    }
    let out = bench.options.out.clone();
    bench.report.write(&out, &bench.machine, is_quick);
    println!("results.json and chart.svg are in {}", out.display());
}
