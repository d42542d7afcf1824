//! Creates on a ledger with very many accounts, and what it costs to load them from a seed.

use crate::bench::{Bench, load_turn};
use crate::gateway::{ACCOUNTS, Gateway};
use crate::load::{Ids, Load};
use crate::requests::{Template, seed};
use std::time::Instant;

const CONNECTIONS: usize = 64;

pub fn run(bench: &mut Bench) {
    let place = bench.quiet_place();
    let accounts = bench.options.accounts;
    let text = seed(accounts, false);
    let started = Instant::now();
    let many = Gateway::seeded(&bench.options.gateway, &place, "many", &text);
    let took = started.elapsed().as_secs_f64();
    bench.single("accounts-seed", &format!("a seed of {accounts} accounts, s"), took);
    bench.single("accounts-seed-mb", "resident while it loads, MB", many.peak_mb());
    let few = bench.gateway(&place, "few");
    let [to_many, to_few] = [&many, &few].map(|gateway| Template::external(&gateway.session, 1));
    let time = bench.sample_time();
    let load =
        |template, count| Load { template, ids: Ids::Accounts(count), connections: CONNECTIONS };
    let mut turns = [
        load_turn("many", &many, load(&to_many, accounts), time),
        load_turn("few", &few, load(&to_few, ACCOUNTS), time),
    ];
    let rounds = bench.take_turns("many accounts", &mut turns);
    let ratio = rounds.ratio("many", "few", |sample| sample.cpu_us);
    let measure = format!("processor time a create, {accounts} accounts ÷ 10,000");
    bench.row("accounts-cpu", &measure, ratio);
}
