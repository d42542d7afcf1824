//! Resident memory: of an idle gateway on a ledger that is there, at most while refunds are
//! created, and at most while users log in; and what a login costs.

use crate::bench::Bench;
use crate::gateway::ACCOUNTS;
use crate::load::{Ids, Load};
use crate::requests::Template;
use std::thread;
use std::time::Duration;

const CONNECTIONS: usize = 64;

pub fn run(bench: &mut Bench) {
    let place = bench.quiet_place();
    let ledger = bench.gateway(&place, "memory").stop();
    let time = bench.sample_time();

    let gateway = bench.gateway_on(&place, &ledger);
    thread::sleep(Duration::from_millis(500));
    bench.single("resident-idle", "resident, idle, MB", gateway.resident_mb());
    let template = Template::external(&gateway.session, 1);
    let creates =
        Load { template: &template, ids: Ids::Accounts(ACCOUNTS), connections: CONNECTIONS };
    let mut turns = [crate::bench::load_turn("creates", &gateway, creates, time)];
    let rounds = bench.take_turns("memory under creates", &mut turns);
    drop(turns);
    let peak = rounds.spread("creates", |sample| sample.peak_mb);
    bench.row("resident-creates", "resident under creates, MB", peak);
    gateway.stop();

    let gateway = bench.gateway_on(&place, &ledger);
    let template = Template::login();
    let logins =
        Load { template: &template, ids: Ids::Accounts(ACCOUNTS), connections: CONNECTIONS };
    let mut turns = [crate::bench::load_turn("logins", &gateway, logins, time * 2)];
    let rounds = bench.take_turns("logins", &mut turns);
    drop(turns);
    let cpu = rounds.spread("logins", |sample| sample.cpu_us / 1_000.0);
    bench.row("login-cpu", "a login, processor time, ms", cpu);
    let peak = rounds.spread("logins", |sample| sample.peak_mb);
    bench.row("resident-logins", "resident under logins, MB", peak);
}
