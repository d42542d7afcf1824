//! Electronic refunds, which a payment gateway decides about: the sandbox beside External ones, and
//! External ones while a payment gateway never answers.

use crate::bench::{Bench, load_turn};
use crate::client::Client;
use crate::gateway::ACCOUNTS;
use crate::load::{Ids, Load};
use crate::requests::{Template, account};
use std::thread;
use std::time::Duration;

const CONNECTIONS: usize = 64;
/// Calls that wait for the payment gateway, each with 50 refunds.
const WAITING: u64 = 32;

pub fn run(bench: &mut Bench) {
    let place = bench.quiet_place();
    let gateway = bench.gateway(&place, "electronic");
    let external = Template::external(&gateway.session, 1);
    let electronic = Template::electronic(&gateway.session, 1, "0.01");
    let load = |template| Load { template, ids: Ids::Accounts(ACCOUNTS), connections: CONNECTIONS };
    let time = bench.sample_time();
    let mut turns = [
        load_turn("electronic", &gateway, load(&electronic), time),
        load_turn("external", &gateway, load(&external), time),
    ];
    let rounds = bench.take_turns("electronic", &mut turns);
    let ratio = rounds.ratio("electronic", "external", |sample| sample.per_second);
    bench.row("electronic", "creates/s, electronic (sandbox) ÷ External", ratio);
}

pub fn hanging(bench: &mut Bench) {
    let place = bench.quiet_place();
    let gateway = bench.gateway(&place, "answering");
    let hanging = bench.gateway(&place, "hanging");
    let [without, with] =
        [&gateway, &hanging].map(|gateway| Template::external(&gateway.session, 1));
    for number in 0..WAITING {
        let template = Template::electronic(&hanging.session, 50, "9.00");
        let request = template.with_id(account(number));
        let mut client = Client::connect(&hanging.address);
        // Ends with the gateway.
        thread::spawn(move || while client.exchange(&request).is_ok() {});
    }
    thread::sleep(Duration::from_secs(1));
    let load = |template| Load { template, ids: Ids::Accounts(ACCOUNTS), connections: CONNECTIONS };
    let time = bench.sample_time();
    let mut turns = [
        load_turn("hanging", &hanging, load(&with), time),
        load_turn("without", &gateway, load(&without), time),
    ];
    let rounds = bench.take_turns("a payment gateway hangs", &mut turns);
    let ratio = rounds.ratio("hanging", "without", |sample| sample.per_second);
    bench.row("hanging", "creates/s while a payment gateway hangs ÷ without", ratio);
}
