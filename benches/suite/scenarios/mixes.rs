//! Other mixes of creates: all of one account, and fifty a call.

use crate::bench::{Bench, load_turn};
use crate::gateway::ACCOUNTS;
use crate::hello;
use crate::load::{Ids, Load};
use crate::requests::Template;

const CONNECTIONS: usize = 64;
const ROWS: usize = 50;

pub fn hot(bench: &mut Bench) {
    let place = bench.quiet_place();
    let gateway = bench.gateway(&place, "hot");
    let template = Template::external(&gateway.session, 1);
    let load = |ids| Load { template: &template, ids, connections: CONNECTIONS };
    let time = bench.sample_time();
    let mut turns = [
        load_turn("hot", &gateway, load(Ids::Account(0)), time),
        load_turn("spread", &gateway, load(Ids::Accounts(ACCOUNTS)), time),
    ];
    let rounds = bench.take_turns("one account, beside 10,000", &mut turns);
    let ratio = rounds.ratio("hot", "spread", |sample| sample.per_second);
    bench.row("hot", "creates/s, one account ÷ 10,000", ratio);
}

pub fn batches(bench: &mut Bench) {
    let place = bench.quiet_place();
    let gateway = bench.gateway(&place, "batches");
    let hello = hello::start();
    let fifty = Template::external(&gateway.session, ROWS);
    let one = Template::external(&gateway.session, 1);
    let ids = || Ids::Accounts(ACCOUNTS);
    let time = bench.sample_time();
    let batches = Load { template: &fifty, ids: ids(), connections: CONNECTIONS };
    let single = Load { template: &one, ids: ids(), connections: CONNECTIONS };
    let mut turns =
        [load_turn("batches", &gateway, batches, time), load_turn("hello", &hello, single, time)];
    let rounds = bench.take_turns("batches of 50", &mut turns);
    let refunds = |server: &str, per_second: f64| {
        if server == "gateway" { per_second * ROWS as f64 } else { per_second }
    };
    let ratio =
        rounds.ratio("batches", "hello", |sample| refunds(sample.server, sample.per_second));
    bench.row("batches", "batches of 50, refunds/s ÷ hello's requests/s", ratio);
    let cpu = rounds.spread("batches", |sample| sample.cpu_us / ROWS as f64);
    bench.row("batches-cpu", "batches of 50, processor time a refund, us", cpu);
}
