//! The drill: three nodes on a primary with a synchronous standby, in a network of their own, and
//! clients that pay at any node, while nodes are killed and stopped, primaries are killed or cut
//! off and the standby is promoted, and cables are cut for a while. At the end what was
//! acknowledged is compared with what is there.
//!
//! `DRILL_SECONDS` (60) says for how long; every kind of strike comes once at least. Progress is
//! shown on a terminal. `tests/drill/run` is the command for people.

use crate::bank::{Answers, Client, Compared, Ending, vex};
use crate::drawn::Drawn;
use crate::failover::network;
use crate::failover::pair::Pair;
use crate::failover::say;
use crate::gateway::TestGateway;
use crate::nodes::{check, node};
use crate::processor_stub::ProcessorStub;
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::sync::RwLock;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, Instant};

const CLIENTS: u64 = 6;
const NODES: usize = 3;
/// How many orders the payment gateway meets that go wrong at it, before it is well again.
const ORDERS: usize = 5_000;
/// How many refunds have to be acknowledged between two strikes.
const BETWEEN: u64 = 20;

/// What is done to the machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Strike {
    /// A node ends as by a loss of power, and is started again.
    NodeKilled,
    /// A node stands still for some seconds.
    NodeStopped,
    /// The primary ends as by a loss of power, a node at the same moment; the standby is promoted.
    PrimaryKilled,
    /// Nothing reaches the primary any more; the standby is promoted.
    PrimaryCut,
    /// Nothing reaches the primary for some seconds.
    PrimaryUnreachable,
    /// Nothing reaches the standby for some seconds, so that commits wait.
    StandbyUnreachable,
}

/// What a lap has; some of it is cheap, and so comes more often.
const LAP: [Strike; 8] = [
    Strike::NodeKilled,
    Strike::NodeKilled,
    Strike::NodeStopped,
    Strike::PrimaryKilled,
    Strike::PrimaryCut,
    Strike::PrimaryUnreachable,
    Strike::StandbyUnreachable,
    Strike::NodeKilled,
];

impl Strike {
    const fn name(self) -> &'static str {
        match self {
            Self::NodeKilled => "a node is killed",
            Self::NodeStopped => "a node stands still",
            Self::PrimaryKilled => "the primary and a node are killed",
            Self::PrimaryCut => "the primary's cable is cut for good",
            Self::PrimaryUnreachable => "the primary is out of reach for a while",
            Self::StandbyUnreachable => "the standby is out of reach for a while",
        }
    }
}

/// The machines, and what was done to them.
struct Drill<'d> {
    pair: &'d mut Pair,
    gateways: &'d mut [TestGateway],
    addresses: &'d RwLock<Vec<SocketAddr>>,
    answers: &'d Answers,
    drawn: Drawn,
    struck: BTreeMap<Strike, u32>,
    /// How long it took from each promotion to the next success.
    waits: BTreeMap<Strike, Vec<Duration>>,
}

impl Drill<'_> {
    /// Strikes for as long as it is wanted, each kind of strike at least once.
    fn run(&mut self, wanted: Duration) {
        let began = Instant::now();
        while began.elapsed() < wanted || self.struck.len() < 6 {
            let mut lap = LAP.to_vec();
            while !lap.is_empty() && (began.elapsed() < wanted || self.struck.len() < 6) {
                let strike = lap.remove(self.drawn.below(lap.len() as u64) as usize);
                self.show(began.elapsed(), wanted, strike);
                self.strike(strike);
                *self.struck.entry(strike).or_default() += 1;
                self.answers.until_acknowledged(BETWEEN);
            }
        }
    }

    fn show(&self, now: Duration, wanted: Duration, strike: Strike) {
        let (now, wanted, acknowledged) =
            (now.as_secs(), wanted.as_secs(), self.answers.acknowledged());
        let strike = strike.name();
        if std::io::stderr().is_terminal() {
            let line = format!("\r{now:>4} of {wanted} s, {acknowledged} acknowledged; {strike}");
            let _ = write!(std::io::stderr(), "{line:<78}");
        }
    }

    fn strike(&mut self, strike: Strike) {
        match strike {
            Strike::NodeKilled => {
                let place = self.any_node();
                self.gateways[place].kill9();
                self.restart(place);
            }
            Strike::NodeStopped => {
                let place = self.any_node();
                self.gateways[place].signal(Signal::STOP);
                self.pause(1_000, 3_000);
                self.gateways[place].signal(Signal::CONT);
            }
            Strike::PrimaryKilled => {
                let place = self.any_node();
                self.pair.order("kill");
                self.gateways[place].kill9();
                self.promote(strike);
                self.restart(place);
                self.pair.order("rebuild");
            }
            Strike::PrimaryCut => {
                network::cut(self.pair.lead());
                self.promote(strike);
                // Before its cable is there again, what was the primary is off.
                self.pair.order("fence");
                network::heal(self.pair.next());
                self.pair.order("rebuild");
            }
            Strike::PrimaryUnreachable => self.cut_for_a_while(self.pair.lead()),
            Strike::StandbyUnreachable => self.cut_for_a_while(self.pair.next()),
        }
    }

    fn cut_for_a_while(&mut self, address: &str) {
        network::cut(address);
        self.pause(1_000, 6_000);
        network::heal(address);
    }

    /// The standby becomes the primary, which has to be found.
    fn promote(&mut self, after: Strike) {
        self.pair.promote();
        let promoted = Instant::now();
        self.answers.until_acknowledged(1);
        self.waits.entry(after).or_default().push(promoted.elapsed());
    }

    fn any_node(&mut self) -> usize {
        self.drawn.below(NODES as u64) as usize
    }

    fn restart(&mut self, place: usize) {
        self.gateways[place].restart();
        self.addresses.write().unwrap()[place] = self.gateways[place].public();
    }

    fn pause(&mut self, least_ms: u64, more_ms: u64) {
        thread::sleep(Duration::from_millis(least_ms + self.drawn.below(more_ms)));
    }

    fn report(&self, took: Duration, compared: &Compared) -> String {
        let mut lines = vec![format!("{} s, {NODES} nodes, {CLIENTS} clients", took.as_secs())];
        for (strike, count) in &self.struck {
            let mut line = format!("{count:>8} times {}", strike.name());
            if let Some(waits) = self.waits.get(strike) {
                let mut ms: Vec<_> = waits.iter().map(Duration::as_millis).collect();
                ms.sort_unstable();
                let (middle, last) = (ms[ms.len() / 2], ms[ms.len() - 1]);
                line += &format!("; promotion to success {middle} ms, {last} ms at most");
            }
            lines.push(line);
        }
        lines.push(compared.to_string());
        lines.join("\n")
    }
}

#[test]
fn whatever_dies_or_is_cut_off_nothing_acknowledged_is_lost_or_doubled() {
    network::run_inside("drill::inside_a_network_of_its_own");
}

#[test]
#[ignore = "is run by the test above, in a network of its own"]
fn inside_a_network_of_its_own() {
    if network::is_own() {
        let seconds = std::env::var("DRILL_SECONDS").map_or(60, |text| text.parse().unwrap());
        drill(Duration::from_secs(seconds));
    }
}

fn drill(wanted: Duration) {
    let Some(mut pair) = Pair::start(true) else { return };
    let stub = ProcessorStub::start();
    vex(&stub, ORDERS);
    let (url, config) = (pair.url(), stub.table("cards", ""));
    let mut gateways = [(); NODES].map(|()| node(&url, &config));
    let session = gateways[0].login();
    let addresses = RwLock::new(gateways.iter().map(TestGateway::public).collect());
    let (answers, is_over) = (Answers::default(), AtomicBool::new(false));
    let mut drill = Drill {
        pair: &mut pair,
        gateways: &mut gateways,
        addresses: &addresses,
        answers: &answers,
        drawn: Drawn(wanted.as_secs()),
        struck: BTreeMap::new(),
        waits: BTreeMap::new(),
    };
    let began = Instant::now();
    thread::scope(|scope| {
        let (answers, is_over, nodes, session) = (&answers, &is_over, &addresses, session.as_str());
        for place in 0..CLIENTS {
            let client = Client { place, nodes, session, cents_max: 298, has_card: true };
            scope.spawn(move || client.run(answers, is_over));
        }
        let ending = Ending(is_over);
        answers.until_acknowledged(BETWEEN);
        drill.run(wanted);
        drop(ending);
    });
    let took = began.elapsed();
    let sql = |select: &str| drill.pair.sql(drill.pair.lead(), select).join("\n");
    let compared = answers.compare(&sql);
    answers.compare_payments(&sql, &stub);
    say(&format!("\n{}", drill.report(took, &compared)));
    check(&url);
    say("each order paid once at most, none of those given back; check finds that all adds up");
    gateways.iter_mut().for_each(|node| assert!(node.terminate().success()));
}
