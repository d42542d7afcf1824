//! What all scenarios of a run share: its shape, the machine, the places for ledgers, the peers,
//! and the report.

use crate::arguments::Options;
use crate::gateway::Gateway;
use crate::load::{Load, Sample, Until};
use crate::machine::Machine;
use crate::peers::Peers;
use crate::place::Place;
use crate::report::{Report, Row, Series};
use crate::server::Server;
use crate::turns::{self, Rounds, Spread, Turn};
use std::path::Path;
use std::time::Duration;

pub struct Bench {
    pub options: Options,
    pub machine: Machine,
    pub report: Report,
    peers: Option<Peers>,
    scenario: &'static str,
}

impl Bench {
    pub fn new(options: Options) -> Self {
        std::fs::create_dir_all(&options.ledgers).unwrap();
        let place = Place::disk(&options.ledgers);
        let machine = Machine::probe(place.folder());
        let report = Report::default();
        Self { options, machine, report, peers: None, scenario: "" }
    }

    pub fn begin(&mut self, scenario: &'static str) {
        self.scenario = scenario;
        println!("\n== {scenario}");
    }

    /// A place where syncs are free, which most comparisons of processor time want; else the disk.
    pub fn quiet_place(&self) -> Place {
        Place::free().unwrap_or_else(|| Place::disk(&self.options.ledgers))
    }

    /// All places that this machine can offer.
    pub fn places(&self) -> Vec<Place> {
        let disk = Place::disk(&self.options.ledgers);
        [Place::free(), Some(disk), Place::millisecond()].into_iter().flatten().collect()
    }

    /// The peers, which are built the first time.
    pub fn start_peers(&mut self, place: &Place) -> Vec<Server> {
        self.peers.get_or_insert_with(Peers::build).start(place)
    }

    /// Samples contestants in turns and keeps what they came to.
    pub fn take_turns(&mut self, what: &str, turns: &mut [Turn<'_>]) -> Rounds {
        let rounds = turns::take(&mut self.machine, self.options.rounds, turns);
        for name in rounds.names() {
            let figure = |of: fn(&Sample) -> f64| rounds.spread(name, of).unwrap().median;
            println!(
                "{what}: {name:<9} {:>8.0}/s  {:>7.1} us of its processor time  p50 {:.2} ms  \
                 p99 {:.2} ms  (the load took {:.2} cores){}",
                figure(|sample| sample.per_second),
                figure(|sample| sample.cpu_us),
                figure(|sample| sample.p50_ms),
                figure(|sample| sample.p99_ms),
                figure(|sample| sample.load_cores),
                if rounds.is_clean() { "" } else { "  UNSTEADY" },
            );
            self.report.series.push(Series {
                scenario: self.scenario,
                what: what.to_owned(),
                contestant: name,
                samples: rounds.samples(name).cloned().collect(),
            });
        }
        rounds
    }

    /// Adds a row to the table, if it could be measured.
    pub fn row(&mut self, id: &str, measure: &str, spread: Option<Spread>) {
        if let Some(spread) = spread {
            let row = Row::new(id, self.scenario, measure, spread);
            println!("{}", row.line());
            self.report.rows.push(row);
        }
    }

    /// Adds a row whose value was measured once.
    pub fn single(&mut self, id: &str, measure: &str, value: f64) {
        self.row(id, measure, Some(Spread::of(vec![value])));
    }

    /// Starts the gateway on a new ledger with the usual seed.
    pub fn gateway(&self, place: &Place, name: &str) -> Gateway {
        Gateway::start(&self.options.gateway, place, name)
    }

    /// Starts the gateway on a ledger that is there.
    pub fn gateway_on(&self, place: &Place, ledger: &Path) -> Gateway {
        Gateway::open(&self.options.gateway, place, ledger)
    }

    pub fn sample_time(&self) -> Duration {
        self.options.sample
    }
}

/// A contestant that is a load on a server.
pub fn load_turn<'a>(
    name: &'static str,
    server: &'a Server,
    load: Load<'a>,
    time: Duration,
) -> Turn<'a> {
    // Opens what is opened at the first use.
    load.run(server, Until::Elapsed(time / 4));
    Turn::new(name, move || load.run(server, Until::Elapsed(time)))
}
