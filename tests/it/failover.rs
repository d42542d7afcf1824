//! A gateway on a primary with a synchronous standby: the primary is killed, or its cable is cut,
//! the standby is promoted, and every refund that was acknowledged is there once; what was refused
//! is not there, and of nothing else was anything said.
//!
//! The time to the first success after the promotion is printed and not judged.

pub mod pair;

use crate::gateway::{
    ENDPOINT, EXTERNAL_ACCOUNT, TestGateway, create_envelope, finish, program, refund,
};
use crate::wire::Connection;
use pair::{FIRST, Pair, SECOND};
use std::collections::HashMap;
use std::io::Write;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take to work again: long enough for any machine.
const PATIENCE: Duration = Duration::from_secs(180);
const CLIENTS: usize = 4;

/// What became of a create.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    Acknowledged(String),
    Refused,
    Unknown,
}

/// What clients were answered, by what they wrote as comments.
#[derive(Default)]
struct Load {
    outcomes: Mutex<HashMap<String, Outcome>>,
    next: AtomicU64,
    acknowledged: AtomicU64,
    is_over: AtomicBool,
}

impl Load {
    fn run(&self, gateway: &TestGateway, session: &str) {
        while !self.is_over.load(Ordering::Relaxed) {
            let comment = format!("c{}", self.next.fetch_add(1, Ordering::Relaxed));
            let row = refund(&[
                ("AccountId", EXTERNAL_ACCOUNT),
                ("Amount", "0.01"),
                ("SourceType", "CreditBalance"),
                ("Type", "External"),
                ("MethodType", "Check"),
                ("Comment", &comment),
            ]);
            let outcome = sent(gateway, &create_envelope(session, &[row]));
            if matches!(outcome, Outcome::Acknowledged(_)) {
                self.acknowledged.fetch_add(1, Ordering::Relaxed);
            }
            self.outcomes.lock().unwrap().insert(comment, outcome);
        }
    }

    /// Waits until so many more refunds were acknowledged.
    fn until_acknowledged(&self, more: u64) {
        let wanted = self.acknowledged.load(Ordering::Relaxed) + more;
        let began = Instant::now();
        while self.acknowledged.load(Ordering::Relaxed) < wanted {
            assert!(began.elapsed() < PATIENCE, "no refund is acknowledged");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

fn sent(gateway: &TestGateway, body: &str) -> Outcome {
    let mut connection = Connection::open(gateway.public());
    let length = body.len();
    connection.write(
        format!(
            "POST {ENDPOINT} HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        )
        .as_bytes(),
    );
    let Some(answer) = connection.read_answer() else { return Outcome::Unknown };
    match answer.texts("Id").pop() {
        Some(id) if answer.successes() == 1 => Outcome::Acknowledged(id),
        _ => Outcome::Refused,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strike {
    /// The primary ends as by a loss of power.
    Kill,
    /// Nothing that is sent to the primary arrives any more.
    Cut,
}

fn fail_over(strike: Strike) {
    let Some(mut pair) = Pair::start(true) else { return };
    let mut gateway = TestGateway::start(&["--demo", "--ledger", &pair.url()]);
    let session = gateway.login();
    let load = Load::default();
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| load.run(&gateway, &session));
        }
        load.until_acknowledged(20);
        match strike {
            Strike::Kill => pair.order("kill"),
            Strike::Cut => cut_cable(),
        }
        // What was on its way is answered or not; then nothing more can be acknowledged.
        thread::sleep(Duration::from_millis(500));
        let before = load.acknowledged.load(Ordering::Relaxed);
        thread::sleep(Duration::from_millis(500));
        assert_eq!(load.acknowledged.load(Ordering::Relaxed), before, "without a primary");
        pair.order("promote");
        let promoted = Instant::now();
        load.until_acknowledged(1);
        let took = promoted.elapsed().as_millis();
        say(&format!("{strike:?}: {took} ms from promotion to success"));
        load.until_acknowledged(20);
        load.is_over.store(true, Ordering::Relaxed);
    });
    assert!(!gateway.stderr().contains("asynchronously"), "{}", gateway.stderr());
    check(&pair, &load);
    // The node goes on as if nothing had been, and the ledger adds up.
    let checked = finish(program(gateway.folder()).args(["check", "--ledger", &pair.url()]));
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
    assert!(gateway.terminate().success());
}

fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Compares what was answered with what is there.
fn check(pair: &Pair, load: &Load) {
    let select = "select comment, refund_id(created_ms, salt, number), \
                  count(*) over (partition by comment) from refund_row";
    let rows = pair.sql(SECOND, select);
    let mut found: HashMap<&str, &str> = HashMap::new();
    for row in &rows {
        let [comment, id, count]: [&str; 3] =
            row.split('|').collect::<Vec<_>>().try_into().unwrap();
        assert_eq!(count, "1", "{comment} is there more than once");
        found.insert(comment, id);
    }
    let outcomes = load.outcomes.lock().unwrap();
    let (mut refused, mut unknown) = (0, 0);
    for (comment, outcome) in outcomes.iter() {
        let there = found.get(comment.as_str()).copied();
        match outcome {
            Outcome::Acknowledged(id) => assert_eq!(there, Some(id.as_str()), "{comment}"),
            Outcome::Refused => {
                refused += 1;
                assert_eq!(there, None, "{comment} was refused");
            }
            Outcome::Unknown => unknown += usize::from(there.is_some()),
        }
    }
    let acknowledged = usize::try_from(load.acknowledged.load(Ordering::Relaxed)).unwrap();
    assert_eq!(rows.len(), acknowledged + unknown);
    say(&format!("{acknowledged} acknowledged, {refused} refused, {unknown} unknown and there"));
}

#[test]
fn a_primary_is_killed_and_nothing_acknowledged_is_lost() {
    fail_over(Strike::Kill);
}

#[test]
fn a_standby_that_replicates_asynchronously_is_warned_of() {
    let Some(pair) = Pair::start(false) else { return };
    let mut gateway = TestGateway::start(&["--demo", "--ledger", &pair.url()]);
    gateway.until_it_says("replicates asynchronously");
    assert!(!gateway.stderr().contains("pages have no checksums"), "{}", gateway.stderr());
    assert!(gateway.terminate().success());
}

/// Set for a test that has a network of its own.
const INSIDE: &str = "FAILOVER_HAS_ITS_OWN_NETWORK";

#[test]
fn the_cable_of_a_primary_is_cut_and_nothing_acknowledged_is_lost() {
    for (program, about) in [("unshare", "--version"), ("ip", "-V")] {
        if !Command::new(program).arg(about).status().is_ok_and(|it| it.success()) {
            let missing = format!("a network of its own needs {program}");
            assert!(std::env::var_os("CI").is_none(), "{missing}");
            return say(&format!("SKIPPED: {missing}"));
        }
    }
    let can = Command::new("unshare").args(["-n", "ip", "link", "set", "lo", "up"]).status();
    if !can.is_ok_and(|can| can.success()) {
        return say("SKIPPED: this machine allows no process a network of its own");
    }
    let mut inside = Command::new("unshare");
    inside.args(["-n", "sh", "-c", "ip link set lo up && exec \"$0\" \"$@\""]);
    inside.arg(std::env::current_exe().unwrap());
    inside.args(["failover::inside_a_network_of_its_own", "--exact", "--ignored", "--nocapture"]);
    let ended = inside.env(INSIDE, "1").status().unwrap();
    assert!(ended.success(), "{ended}");
}

#[test]
#[ignore = "is run by the test of the cable, in a network of its own"]
fn inside_a_network_of_its_own() {
    if std::env::var_os(INSIDE).is_some() {
        fail_over(Strike::Cut);
    }
}

/// Has whatever is sent to the primary vanish.
fn cut_cable() {
    let place = format!("{FIRST}/32");
    let cut = ["route", "add", "blackhole", place.as_str(), "table", "local"];
    assert!(Command::new("ip").args(cut).status().unwrap().success());
}
