//! Creates while queries are answered: 100 a second, each by account with 10 rows.

use crate::bench::{Bench, load_turn};
use crate::client::Client;
use crate::gateway::{ACCOUNTS, Gateway, QUIET};
use crate::load::{Ids, Load, Until};
use crate::requests::{Template, account};
use crate::turns::Turn;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const CONNECTIONS: usize = 64;
const ROWS: usize = 10;
/// Queries are sent over so many connections, so that one that takes long holds up no other.
const READERS: u32 = 4;
const A_SECOND: u32 = 100;

pub fn run(bench: &mut Bench) {
    let place = bench.quiet_place();
    let gateway = bench.gateway(&place, "beside");
    for quiet in ACCOUNTS..ACCOUNTS + QUIET {
        gateway.refund(quiet, ROWS);
    }
    let template = Template::external(&gateway.session, 1);
    let load =
        || Load { template: &template, ids: Ids::Accounts(ACCOUNTS), connections: CONNECTIONS };
    let time = bench.sample_time();
    let answered = AtomicU64::new(0);
    let mut turns = [
        load_turn("alone", &gateway, load(), time),
        Turn::new("beside", || {
            beside_queries(&gateway, &answered, || load().run(&gateway, Until::Elapsed(time)))
        }),
    ];
    let rounds = bench.take_turns("creates beside queries", &mut turns);
    let wanted = time.as_secs_f64() * f64::from(A_SECOND);
    let ratio = rounds.ratio("beside", "alone", |sample| sample.per_second);
    drop(turns);
    let taken = rounds.samples("beside").count() as f64;
    println!("{:.0} queries a sample of {wanted:.0}", answered.into_inner() as f64 / taken);
    bench.row("beside", "creates/s beside 100 queries/s ÷ alone", ratio);
}

/// Queries at a steady pace for as long as `load` runs.
fn beside_queries<T>(gateway: &Gateway, answered: &AtomicU64, load: impl FnOnce() -> T) -> T {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for reader in 0..READERS {
            let is_over = &is_over;
            scope.spawn(move || {
                let template = Template::query_by_account(&gateway.session, ROWS);
                let mut client = Client::connect(&gateway.address);
                let pause = Duration::from_secs(1) * READERS / A_SECOND;
                let mut next = Instant::now() + pause * reader / READERS;
                let mut number = u64::from(reader);
                while !is_over.load(Ordering::Relaxed) {
                    thread::sleep(next.saturating_duration_since(Instant::now()));
                    let request = template.with_id(account(ACCOUNTS + number % QUIET));
                    client.expect(&request, "RefundNumber>R-");
                    answered.fetch_add(1, Ordering::Relaxed);
                    (next, number) = (next + pause, number + 7);
                }
            });
        }
        let loaded = load();
        is_over.store(true, Ordering::Relaxed);
        loaded
    })
}
