//! Kill the process wherever it is with a gateway, start it again, and let it ask: money left at
//! most once a refund, exactly once if it is Processed, the balance agrees, and nothing stays in
//! Processing once the gateway answers.
//!
//! The gateway is a processor on its own sockets that counts what it paid, and that pulls the plug
//! at the moment of the protocol that a schedule names. `FAULT_SCHEDULES` (40) says how many
//! schedules are tried, `FAULT_SEED` (1) with which one they begin; a failure names its own.

use crate::gateway::{ELECTRONIC_ACCOUNT, ELECTRONIC_METHOD, TestGateway, create_envelope, refund};
use crate::processor::configured;
use crate::processor_stub::{Behaviour, Moment, ProcessorStub};
use refund_gateway::domain::id::{RefundId, RefundNumber};
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeMap;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// How long refunds may take to get where they should: long enough for any machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Where the process is killed.
#[derive(Debug, Clone, Copy)]
enum Point {
    /// So many microseconds after the request was sent: before the hold, in it, or after.
    AroundTheHold(u64),
    /// The gateway has said or done something.
    AtTheGateway(Moment),
    /// So many microseconds after the gateway's answer left: before, in or after the post.
    AroundThePost(u64),
    /// The client has its answer: after the post.
    AfterThePost,
}

/// Numbers that look drawn and follow from a seed (splitmix64).
struct Drawn(u64);

impl Drawn {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn point(&mut self) -> Point {
        match self.below(7) {
            0 | 1 => Point::AroundTheHold(self.below(6_000)),
            2 => Point::AtTheGateway(Moment::Connected),
            3 => Point::AtTheGateway(Moment::Received),
            4 => Point::AtTheGateway(Moment::Worked),
            5 => Point::AroundThePost(self.below(3_000)),
            _ => Point::AfterThePost,
        }
    }

    fn behaviour(&mut self) -> Behaviour {
        match self.below(8) {
            0 => Behaviour::Decline,
            1 => Behaviour::DropBefore,
            2 => Behaviour::DropAfter,
            3 => Behaviour::Garbage,
            4 => Behaviour::StatusAfter(500),
            5 => Behaviour::Slow(Duration::from_millis(self.below(20))),
            _ => Behaviour::Normal,
        }
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
    let mut gateway =
        configured(&stub.table("cards", "timeout_ms = 2000\nbreaker = { failures = 1000 }"));
    let first = setting("FAULT_SEED", 1);
    for seed in first..first + setting("FAULT_SCHEDULES", 40) {
        let mut drawn = Drawn(seed);
        let point = drawn.point();
        let behaviours: Vec<Behaviour> = (0..3).map(|_| drawn.behaviour()).collect();
        let told = format!("FAULT_SEED={seed} ({point:?}, {behaviours:?})");
        let _named = Named(&told);
        stub.script(behaviours);
        let inquiries = (0..drawn.below(3)).map(|_| match drawn.below(2) {
            0 => Behaviour::StatusBefore(503),
            _ => Behaviour::DropAfter,
        });
        stub.script_inquiries(inquiries.collect::<Vec<_>>());
        strike(&mut gateway, &stub, point);
        stub.clear_script();
        gateway.restart();
        settle_down(&gateway, &told);
        check(&gateway, &stub, &told);
    }
}

/// Creates three electronic refunds, and kills the process at the point.
fn strike(gateway: &mut TestGateway, stub: &ProcessorStub, point: Point) {
    let session = gateway.login();
    let pid = i32::try_from(gateway.pid()).ok().and_then(Pid::from_raw).unwrap();
    let kill = move || {
        let _ = kill_process(pid, Signal::KILL);
    };
    if let Point::AtTheGateway(wanted) = point {
        stub.watch(move |moment| {
            if moment == wanted {
                kill();
            }
        });
    }
    if let Point::AroundThePost(micros) = point {
        stub.watch(move |moment| {
            if moment == Moment::Answered {
                thread::sleep(Duration::from_micros(micros));
                kill();
            }
        });
    }
    let body = create_envelope(&session, &["0.02", "0.03", "0.04"].map(electronic));
    let mut client = post(gateway.public(), &body);
    match point {
        Point::AroundTheHold(micros) => thread::sleep(Duration::from_micros(micros)),
        // Whatever becomes of it: an answer, or the end of the connection.
        _ => drop(std::io::copy(&mut client, &mut std::io::sink())),
    }
    kill();
    gateway.ended();
    stub.watch(|_| {});
}

fn electronic(amount: &str) -> String {
    refund(&[
        ("AccountId", ELECTRONIC_ACCOUNT),
        ("Amount", amount),
        ("SourceType", "CreditBalance"),
        ("Type", "Electronic"),
        ("PaymentMethodId", ELECTRONIC_METHOD),
    ])
}

fn post(address: SocketAddr, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: test\r\nContent-Type: text/xml\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n",
        crate::gateway::ENDPOINT,
        body.len()
    );
    stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).unwrap();
    stream
}

/// Every electronic refund by its id, with its status.
pub fn electronic_refunds(ledger: &Path) -> BTreeMap<String, String> {
    let connection = rusqlite::Connection::open(ledger).unwrap();
    let select = "select number, created_ms, salt, status from refund where type = 'Electronic'";
    let mut statement = connection.prepare(select).unwrap();
    let rows = statement.query_map([], |row| {
        let number = RefundNumber::new(row.get(0)?).unwrap();
        Ok((RefundId::new(row.get(1)?, row.get(2)?, number).to_string(), row.get(3)?))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// Waits until nothing is in Processing any more.
pub fn settle_down(gateway: &TestGateway, told: &str) {
    let started = Instant::now();
    while electronic_refunds(&gateway.ledger()).values().any(|status| status == "Processing") {
        assert!(started.elapsed() < PATIENCE, "{told}: a refund stays in Processing");
        thread::sleep(Duration::from_millis(20));
    }
}

/// What the ledger says must be what the gateway did.
fn check(gateway: &TestGateway, stub: &ProcessorStub, told: &str) {
    let refunds = electronic_refunds(&gateway.ledger());
    for (id, status) in &refunds {
        let paid = u32::from(status == "Processed");
        assert_eq!(stub.paid(id), paid, "{told}: {id} is {status}");
    }
    for paid in stub.payments().keys() {
        assert!(refunds.contains_key(paid), "{told}: {paid} was paid and nobody knows it");
    }
    // Recomputes every balance from its entries.
    gateway.balances();
}
