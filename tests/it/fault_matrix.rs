//! Kill the process wherever it is with a gateway, start it again, and let it ask: money left at
//! most once a refund, exactly once if it is Processed, the balance agrees, and nothing stays in
//! Processing once the gateway answers.
//!
//! The gateway is a processor on its own sockets that counts what it paid. Each point is reached on
//! purpose (`points`) and, where that can be seen from outside, counted; a point that no schedule
//! reached fails the test. `FAULT_SCHEDULES` (40) says how many schedules are tried, `FAULT_SEED`
//! (1) with which one they begin; a failure names its own.

mod points;

use crate::drawn::Drawn;
use crate::gateway::TestGateway;
use crate::processor::configured;
use crate::processor_stub::{Behaviour, ProcessorStub};
use crate::stored::Stored;
use points::{Point, strike};
use refund_gateway::domain::id::{RefundId, RefundNumber};
use std::collections::BTreeMap;
use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

/// How long refunds may take to get where they should: long enough for any machine.
const PATIENCE: Duration = Duration::from_secs(120);
/// How many orders a schedule has, and how many calls the gateway has room for.
const ORDERS: usize = 3;
const ROOM: usize = 4;

/// How the gateway behaves next.
fn behaviour(drawn: &mut Drawn) -> Behaviour {
    match drawn.below(8) {
        0 => Behaviour::Decline,
        1 => Behaviour::DropBefore,
        2 => Behaviour::DropAfter,
        3 => Behaviour::Garbage,
        4 => Behaviour::StatusAfter(500),
        5 => Behaviour::Slow(Duration::from_millis(drawn.below(20))),
        _ => Behaviour::Normal,
    }
}

/// Names a schedule when it fails, wherever that is.
struct Named<'a>(&'a str);

impl Drop for Named<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let _ = writeln!(std::io::stderr(), "failed at {}", self.0);
        }
    }
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().expect(name))
}

#[test]
fn whenever_it_is_killed_money_leaves_at_most_once() {
    let stub = ProcessorStub::start();
    let more = format!("connections_max = {ROOM}\nbreaker = {{ failures = 1000 }}");
    let mut gateway = configured(&stub.table("cards", &more));
    let (first, schedules) = (setting("FAULT_SEED", 1), setting("FAULT_SCHEDULES", 40));
    // How often each point was tried, and how often it was seen to be reached.
    let mut counts: BTreeMap<Point, (u32, u32)> = BTreeMap::new();
    for seed in first..first + schedules {
        let mut drawn = Drawn(seed);
        let point = Point::of(seed);
        let behaviours = point.behaviours((0..ORDERS).map(|_| behaviour(&mut drawn)).collect());
        let reported = format!("FAULT_SEED={seed} ({point:?}, {behaviours:?})");
        let _named = Named(&reported);
        let inquiries = (0..drawn.below(3)).map(|_| match drawn.below(2) {
            0 => Behaviour::StatusBefore(503),
            _ => Behaviour::DropAfter,
        });
        stub.script_inquiries(inquiries.collect::<Vec<_>>());
        let micros = drawn.below(6_000);
        let was_reached = strike(&mut gateway, &stub, point, behaviours, micros);
        let (tried, reached) = counts.entry(point).or_default();
        *tried += 1;
        *reached += u32::from(was_reached);
        stub.clear_script();
        gateway.restart();
        settle_down(&gateway, &reported);
        check(&gateway, &stub, &reported);
    }
    report(first, schedules, &counts);
}

/// Says which points were reached how often; each must have been, if it had its turn twice.
fn report(first: u64, schedules: u64, counts: &BTreeMap<Point, (u32, u32)>) {
    let mut reported = format!("{schedules} schedules from FAULT_SEED={first}, killed\n");
    for (point, (tried, reached)) in counts {
        let reached = if point.can_be_seen() { reached.to_string() } else { "-".to_owned() };
        reported += &format!("  {point:?}: {tried} times, reached {reached}\n");
    }
    // Past the test's own capture, so that a nightly run shows it.
    let _ = std::io::stderr().write_all(reported.as_bytes());
    for (point, (tried, reached)) in counts {
        let is_enough = *reached > 0 || !point.can_be_seen() || *tried < 2;
        assert!(is_enough, "{point:?} was never reached:\n{reported}");
    }
}

/// Every electronic refund by its id, with its status.
pub fn electronic_refunds(stored: &Stored) -> BTreeMap<String, String> {
    let select = "select number, created_ms, salt, status from refund where type = 'Electronic'";
    stored.select(select).iter().map(|row| refund_of(row)).collect()
}

/// The id and the status of a refund, from its number, its moment, its salt, and that.
pub fn refund_of(row: &[String]) -> (String, String) {
    let number = RefundNumber::new(row[0].parse().unwrap()).unwrap();
    let id = RefundId::new(row[1].parse().unwrap(), row[2].parse().unwrap(), number);
    (id.to_string(), row[3].clone())
}

/// Waits until nothing is in Processing any more.
pub fn settle_down(gateway: &TestGateway, reported: &str) {
    let started = Instant::now();
    while electronic_refunds(&gateway.stored()).values().any(|status| status == "Processing") {
        assert!(started.elapsed() < PATIENCE, "{reported}: a refund stays in Processing");
        thread::sleep(Duration::from_millis(20));
    }
}

/// What the ledger says must be what the gateway did.
fn check(gateway: &TestGateway, stub: &ProcessorStub, reported: &str) {
    let refunds = electronic_refunds(&gateway.stored());
    for (id, status) in &refunds {
        let paid = u32::from(status == "Processed");
        assert_eq!(stub.paid(id), paid, "{reported}: {id} is {status}");
    }
    for paid in stub.payments().keys() {
        assert!(refunds.contains_key(paid), "{reported}: {paid} was paid and is not in the ledger");
    }
    // Recomputes every balance from its entries.
    gateway.balances();
}
