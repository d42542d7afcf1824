//! A ledger with very many refunds: how large it is, how long a start and `check` take, and what
//! creates and queries cost there beside a small one.

use crate::bench::{Bench, load_turn};
use crate::client::{Client, texts};
use crate::gateway::{ACCOUNTS, Gateway, command, id};
use crate::load::{Ids, Load, Until};
use crate::place::Place;
use crate::requests::{self, ID_LENGTH, Template, account};
use crate::server::Server;
use crate::turns::Spread;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

const CONNECTIONS: usize = 64;
const ROWS: u64 = 50;
/// Refunds of each ledger that queries ask for.
const ASKED: u64 = 3_000;
/// The refunds that the time of `check` is stated for.
const STATED: f64 = 10_000_000.0;

pub fn run(bench: &mut Bench) {
    let place = bench.quiet_place();
    let refunds = bench.options.refunds;
    let gateway = bench.gateway(&place, "large");
    let session = gateway.session.clone();
    let large = gateway.stop();
    let small = place.folder().join("small.db");
    fs::copy(&large, &small).unwrap();
    let before = fs::metadata(&large).unwrap().len();

    let gateway = bench.gateway_on(&place, &large);
    let fifty = Template::external(&gateway.session, usize::try_from(ROWS).unwrap());
    let fill = Load { template: &fifty, ids: Ids::Accounts(ACCOUNTS), connections: 8 };
    let filled = fill.run(&gateway, Until::Sent(refunds / ROWS)).requests * ROWS;
    gateway.stop();
    let grown = fs::metadata(&large).unwrap().len() - before;
    bench.single("bytes-on-disk", "bytes on disk a refund", grown as f64 / filled as f64);

    start(bench, &place, &session, [&small, &large]);
    check(bench, [&small, &large], filled);
    costs(bench, &place, [&small, &large]);
}

/// From the start of the process to the answer of a create, in turns on both ledgers.
fn start(bench: &mut Bench, place: &Place, session: &str, ledgers: [&Path; 2]) {
    let template = Template::external(session, 1);
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..bench.options.rounds {
        for (ledger, times) in ledgers.into_iter().zip(&mut times) {
            let started = Instant::now();
            let server =
                Server::start("gateway", &mut command(&bench.options.gateway, place, ledger));
            let request = template.with_id(account(round as u64));
            Client::connect(&server.address).expect(&request, "Success>true<");
            times.push(started.elapsed().as_secs_f64() * 1_000.0);
            server.stop();
        }
    }
    let [empty, large] = times.map(Spread::of);
    bench.row("start-empty", "start to first answer, no refunds, ms", Some(empty));
    let measure = format!("start to first answer, {} refunds, ms", bench.options.refunds);
    bench.row("start-large", &measure, Some(large));
}

/// What `check` takes for each refund: its time on the large ledger without that on the small one.
fn check(bench: &mut Bench, [small, large]: [&Path; 2], refunds: u64) {
    let seconds = |ledger: &Path| {
        let started = Instant::now();
        let mut check = Command::new(&bench.options.gateway);
        check.arg("check").arg("--ledger").arg(ledger).stdout(Stdio::null()).stderr(Stdio::null());
        assert!(check.status().unwrap().success(), "check of {}", ledger.display());
        started.elapsed().as_secs_f64()
    };
    let each = (seconds(large) - seconds(small)) / refunds as f64;
    let measure = format!("check, s for 10,000,000 refunds (measured on {refunds})");
    bench.single("check", &measure, each * STATED);
}

/// Processor time of creates and queries on the large ledger beside the small one.
fn costs(bench: &mut Bench, place: &Place, ledgers: [&Path; 2]) {
    let [small, large] = ledgers.map(|ledger| bench.gateway_on(place, ledger));
    let time = bench.sample_time();
    let [to_small, to_large] =
        [&small, &large].map(|gateway| Template::external(&gateway.session, 1));
    let load = |template| Load { template, ids: Ids::Accounts(ACCOUNTS), connections: CONNECTIONS };
    let mut turns = [
        load_turn("large", &large, load(&to_large), time),
        load_turn("small", &small, load(&to_small), time),
    ];
    let rounds = bench.take_turns("creates on a large ledger", &mut turns);
    drop(turns);
    let ratio = rounds.ratio("large", "small", |sample| sample.cpu_us);
    let refunds = bench.options.refunds;
    let measure = format!("processor time a create, after {refunds} refunds ÷ after few");
    bench.row("growth-cpu", &measure, ratio);

    let ids = [&small, &large].map(some_ids);
    let [to_small, to_large] =
        [&small, &large].map(|gateway| Template::query_by_id(&gateway.session));
    let load = |template, at: usize| Load { template, ids: Ids::List(&ids[at]), connections: 8 };
    let mut turns = [
        load_turn("large", &large, load(&to_large, 1), time),
        load_turn("small", &small, load(&to_small, 0), time),
    ];
    let rounds = bench.take_turns("queries by Id on a large ledger", &mut turns);
    let ratio = rounds.ratio("large", "small", |sample| sample.cpu_us);
    let measure = format!("processor time a query by Id, among {refunds} refunds ÷ among few");
    bench.row("growth-query", &measure, ratio);
}

/// The ids of refunds from all over the ledger.
fn some_ids(gateway: &Gateway) -> Vec<[u8; ID_LENGTH]> {
    let mut client = Client::connect(&gateway.address);
    // A refund of now has the highest number.
    let newest = Template::query_by_id(&gateway.session).with_id(gateway.refund(0, 1)[0]);
    let answer = client.expect(&newest, "RefundNumber>R-");
    let highest = texts(&answer, "RefundNumber")[0].trim_start_matches("R-");
    let highest: u64 = highest.parse().unwrap();
    let numbers = (0..ASKED).map(|at| 1 + at * 7_919 % highest);
    numbers
        .map(|number| {
            let request = requests::query_by_number(&gateway.session, number);
            id(texts(&client.expect(&request, "RefundNumber>R-"), "Id")[0])
        })
        .collect()
}
