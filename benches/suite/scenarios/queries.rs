//! What queries cost the gateway's processor: by Id, and by account with 1,000 rows.

use crate::bench::{Bench, load_turn};
use crate::gateway::ACCOUNTS;
use crate::load::{Ids, Load};
use crate::requests::{Template, account};

const ROWS: usize = 1_000;
const CONNECTIONS: usize = 8;

pub fn run(bench: &mut Bench) {
    let place = bench.quiet_place();
    let gateway = bench.gateway(&place, "queries");
    let mut ids = Vec::new();
    for number in 0..200 {
        ids.extend(gateway.refund(number, 50));
    }
    gateway.refund(ACCOUNTS, ROWS);
    let many = [account(ACCOUNTS)];
    let by_id = Template::query_by_id(&gateway.session);
    let by_account = Template::query_by_account(&gateway.session, ROWS);
    let time = bench.sample_time();
    let load = |template, ids| Load { template, ids: Ids::List(ids), connections: CONNECTIONS };
    let mut turns = [
        load_turn("by Id", &gateway, load(&by_id, &ids), time),
        load_turn("by account", &gateway, load(&by_account, &many), time),
    ];
    let rounds = bench.take_turns("queries", &mut turns);
    let cpu = |name| rounds.spread(name, |sample| sample.cpu_us);
    bench.row("query-id", "query by Id, processor time, us", cpu("by Id"));
    let measure = "query by account, 1,000 rows, processor time, us";
    bench.row("query-account", measure, cpu("by account"));
}
