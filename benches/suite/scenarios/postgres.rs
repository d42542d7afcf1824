//! Durable creates on PostgreSQL, beside the do-nothing server and beside pgbench with one
//! statement a refund on the same server, near and at a network round trip of half a millisecond.

use crate::bench::{Bench, load_turn};
use crate::cluster::Cluster;
use crate::gateway::{ACCOUNTS, Gateway, QUIET};
use crate::hello;
use crate::load::{Ids, Load, Sample};
use crate::place::Place;
use crate::relay::Relay;
use crate::requests::{Template, seed};
use crate::turns::Turn;
use std::process::Command;
use std::time::Duration;

const CONNECTIONS: usize = 64;
/// The round trip of a network between machines of one place.
const FAR: Duration = Duration::from_micros(500);
/// What one refund is at its least: the balance, a refund and its entry.
const TABLES: &str = "
    create table balance (account bigint primary key, units bigint not null check (units >= 0))
        with (fillfactor = 50);
    create table refund (number bigint generated always as identity primary key,
        account bigint not null, amount bigint not null, created timestamptz not null);
    create table entry (key bigint generated always as identity primary key,
        account bigint not null, refund bigint not null, delta bigint not null,
        balance bigint not null);
    insert into balance select account, 100000000 from generate_series(1, 10000) as account;
";
const REFUND: &str = "
\\set account random(1, 10000)
with taken as (update balance set units = units - 1 where account = :account and units >= 1
        returning account, units),
    made as (insert into refund (account, amount, created)
        select account, 1, now() from taken returning number)
insert into entry (account, refund, delta, balance)
    select account, number, -1, units from taken, made;
";

pub fn run(bench: &mut Bench) {
    let disk = Place::disk(&bench.options.ledgers);
    for place in [Some(disk), Place::millisecond()].into_iter().flatten() {
        at(bench, &place);
    }
}

fn at(bench: &mut Bench, place: &Place) {
    let Some(cluster) = Cluster::start(place) else { return };
    for database in ["near", "far"] {
        cluster.database(database, "select 1");
    }
    cluster.database("plain", TABLES);
    let relay = Relay::start(cluster.port, FAR);
    let start = |name: &str, port: u16| {
        let url = Cluster::url(name, port);
        Gateway::on(&bench.options.gateway, place, url.into(), &seed(ACCOUNTS + QUIET, true))
    };
    let (near, far) = (start("near", cluster.port), start("far", relay.port));
    let hello = hello::start();
    let (of_near, of_far) =
        (Template::external(&near.session, 1), Template::external(&far.session, 1));
    let load = |template| Load { template, ids: Ids::Accounts(ACCOUNTS), connections: CONNECTIONS };
    let time = bench.sample_time();
    let mut turns = vec![
        load_turn("gateway", &near, load(&of_near), time),
        load_turn("hello", &hello, load(&of_near), time),
        load_turn("far", &far, load(&of_far), time),
        pgbench_turn(&cluster, place, time),
    ];
    let what = format!("PostgreSQL, {}, {CONNECTIONS} connections", place.about);
    let relayed = relay.server.cpu_us();
    let rounds = bench.take_turns(&what, &mut turns);
    let relayed = relay.server.cpu_us() - relayed;
    drop(turns);
    let calls: u64 = rounds.samples("far").map(|sample| sample.requests).sum();
    println!("the relay took {:.1} us of processor time a refund", relayed as f64 / calls as f64);
    let speed = |name, to| rounds.ratio(name, to, |sample| sample.per_second);
    let name = place.name;
    bench.row(
        &format!("postgres-{name}"),
        &format!("creates/s ÷ hello, {what}"),
        speed("gateway", "hello"),
    );
    bench.row(
        &format!("pgbench-{name}"),
        &format!("creates/s × pgbench with one statement a refund, {what}"),
        speed("gateway", "pgbench"),
    );
    let trip = relay.trip_us / 1_000.0;
    bench.row(
        &format!("far-{name}"),
        &format!("creates/s at a round trip of {trip:.2} ms × those without, {what}"),
        speed("far", "gateway"),
    );
}

/// pgbench with as many clients as the gateway has connections.
fn pgbench_turn<'a>(cluster: &'a Cluster, place: &Place, time: Duration) -> Turn<'a> {
    let script = place.folder().join("refund.sql");
    std::fs::write(&script, REFUND).unwrap();
    let seconds = time.as_secs().max(1);
    Turn::new("pgbench", move || {
        let mut command: Command = cluster.client("pgbench");
        command.args(["--no-vacuum", "--protocol=prepared", "--jobs=1", "--file"]).arg(&script);
        command.args([format!("--client={CONNECTIONS}"), format!("--time={seconds}")]);
        let output = command.arg("plain").output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        let of = |name: &str| {
            let line = said.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.split_whitespace().next().unwrap().parse::<f64>().unwrap()
        };
        Sample::of_rate("pgbench", of("tps = "), of("latency average = "))
    })
}
