//! Durable creates of one External refund a request, beside the do-nothing server and the peers,
//! wherever ledgers can lie.

use crate::bench::{Bench, load_turn};
use crate::chart::Group;
use crate::gateway::{ACCOUNTS, Gateway};
use crate::hello;
use crate::load::{Ids, Load};
use crate::peers::SESSION;
use crate::place::Place;
use crate::requests::Template;

const CONNECTIONS: [usize; 4] = [1, 8, 64, 256];

pub fn run(bench: &mut Bench) {
    for place in bench.places() {
        at(bench, &place);
    }
}

fn at(bench: &mut Bench, place: &Place) {
    let gateway = bench.gateway(place, "creates");
    let base = bench.options.base.as_ref().map(|base| Gateway::start(base, place, "base"));
    let base = base.map(|base| (Template::external(&base.session, 1), base));
    let hello = hello::start();
    let peers = bench.start_peers(place);
    let ours = Template::external(&gateway.session, 1);
    let theirs = Template::external(SESSION, 1);
    for connections in CONNECTIONS {
        let load = |template| Load { template, ids: Ids::Accounts(ACCOUNTS), connections };
        let time = bench.sample_time();
        let mut turns = vec![
            load_turn("gateway", &gateway, load(&ours), time),
            load_turn("hello", &hello, load(&ours), time),
        ];
        if let Some((template, base)) = &base {
            turns.push(load_turn("base", base, load(template), time));
        }
        turns.extend(peers.iter().map(|peer| load_turn(peer.name, peer, load(&theirs), time)));
        let plural = if connections == 1 { "" } else { "s" };
        let what = format!("{}, {connections} connection{plural}", place.about);
        let rounds = bench.take_turns(&what, &mut turns);
        drop(turns);
        let at = format!("{}-{connections}", place.name);
        let speed = |name, to| rounds.ratio(name, to, |sample| sample.per_second);
        bench.row(
            &format!("creates-{at}"),
            &format!("creates/s ÷ hello, {what}"),
            speed("gateway", "hello"),
        );
        bench.row(
            &format!("base-{at}"),
            &format!("creates/s × base, {what}"),
            speed("gateway", "base"),
        );
        bench.row(
            &format!("gsoap-{at}"),
            &format!("creates/s × gSOAP, {what}"),
            speed("gateway", "gsoap"),
        );
        bench.row(
            &format!("node-{at}"),
            &format!("creates/s × Node, {what}"),
            speed("gateway", "node"),
        );
        if connections == 64 {
            let cpu = rounds.ratio("gateway", "hello", |sample| sample.cpu_us);
            let measure = format!("processor time a create ÷ a request of hello, {what}");
            bench.row(&format!("cpu-{at}"), &measure, cpu);
        }
        if connections >= 64 {
            let p99 = rounds.spread("gateway", |sample| sample.p99_ms);
            bench.row(&format!("p99-{at}"), &format!("p99 in ms, {what}"), p99);
        }
        if connections == 64 && place.name == "disk" {
            let written = rounds.spread("gateway", |sample| sample.written);
            let measure = format!("bytes written a refund, {what}");
            bench.row(&format!("written-{at}"), &measure, written);
        }
        let shares = ["gateway", "base", "gsoap", "node"];
        let shares =
            shares.into_iter().filter_map(|name| Some((name, speed(name, "hello")?.median)));
        bench.report.groups.push(Group { title: what, bars: shares.collect() });
    }
}
