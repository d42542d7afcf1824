//! The whole gateway below HTTP, simulated: service, ledger, gateways, resolver and clock run in
//! one thread on virtual time, and everything that happens to them follows from a seed. Callers
//! repeat, change and hang up; gateways lose, delay, forget and lie; the disk fills up and breaks;
//! clocks are wrong; and the process dies at awaits and commits.
//!
//! `SIMULATION_SCHEDULES` says how many schedules are tried, `SIMULATION_FIRST` with which seed it
//! begins, and `SIMULATION_SEED` replays one of them and shows what happened.
#![allow(clippy::print_stdout, reason = "it shows a schedule, and what it counted")]

mod bank;
mod book;
mod caller;
mod checks;
mod forgetting;
mod linear;
mod listener;
mod random;
mod session;
mod stage;
mod world;

use super::ageing;
use super::clock::Clock;
use super::steady::Steady;
use super::{Service, ServiceSettings};
use crate::domain::lifecycle::SettledAs;
use crate::ledger::engine::Load;
use crate::ledger::orders::{SettleError, Settlement};
use crate::ledger::sqlite::{Disk, Pause, Trouble};
use crate::ledger::trail::Act;
use crate::ledger::{Ledger, LedgerError};
use bank::{BANK, Bank};
use book::{Book, Counts};
use chrono::TimeDelta;
use parking_lot::Mutex;
use stage::Tenant;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::runtime::Builder;
use tokio::time::sleep;
use world::World;

/// How many schedules are tried where nothing else is said.
const SCHEDULES: u64 = 1_000;
/// How many callers there are.
const CALLERS: usize = 3;
/// After how many schedules it is said how far a search is.
const SCHEDULES_BETWEEN_NOTES: u64 = 10_000;
/// How often it is looked whether every refund has ended, an hour apart.
const ROUNDS_MAX: usize = 56;

/// One schedule.
struct Simulation {
    world: Arc<World>,
    tenant: Tenant,
    bank: Arc<Bank>,
    disk: Disk,
    book: Mutex<Book>,
    /// The listener that gets events, if there is one.
    listener: Option<Arc<listener::Listener>>,
    seen: checks::SeenSoFar,
    session: Mutex<Option<session::InUse>>,
    /// How many things callers still do.
    left: Mutex<u64>,
    /// For how many hours it was stopped, of stops that its age does not follow.
    stopped_hours: AtomicU64,
}

/// What came of a schedule.
struct Outcome {
    result: Result<Counts, String>,
    log: Vec<String>,
    digest: u64,
}

fn simulate(seed: u64, is_verbose: bool) -> Outcome {
    let world = Arc::new(World::new(seed, is_verbose));
    let tenant = world.draw(|random| *random.pick(&[Tenant::CreditBalance, Tenant::Settlement]));
    let simulation = Arc::new(Simulation {
        tenant,
        bank: Bank::new(&world, tenant.collected()),
        disk: Disk::copy_of(&stage::file(tenant)),
        book: Mutex::new(Book::new()),
        listener: world.chance(300).then(|| listener::Listener::new(&world)),
        seen: checks::SeenSoFar::default(),
        session: Mutex::default(),
        left: Mutex::new(world.draw(|random| 3 + random.below(16))),
        stopped_hours: AtomicU64::new(0),
        world: Arc::clone(&world),
    });
    simulation.live_and_die();
    let result = match world.failure() {
        Some(why) => Err(why),
        None => simulation.check_the_end(),
    };
    let (log, digest) = world.take_log();
    Outcome { result, log, digest }
}

impl Simulation {
    /// Processes follow each other until nothing is left to do; the last one finds everything in
    /// order.
    fn live_and_die(self: &Arc<Self>) {
        for _ in 0..self.world.draw(|random| random.below(4)) {
            let crash_after = self.world.draw(|random| 1 + random.below(300));
            self.live(Some(crash_after), |service| Arc::clone(self).be_called(service));
            // How long a stop took cannot be known where the clock is wrong as well, so that where
            // clocks jump a stop is no longer than a start may add to the ledger's age.
            let is_wild = self.world.is_wild();
            let minutes = self.world.draw(|random| match random.below(10) {
                0..6 => random.below(3),
                _ if is_wild => random.below(60),
                6..9 => random.below(180),
                _ => random.below(1_800),
            });
            // No network carries an order for a day, until the gateway has forgotten its id.
            if minutes >= 180 {
                self.bank.deliver_late();
            }
            self.stopped_hours.fetch_add(minutes / 60, Ordering::Relaxed);
            self.world.leap(TimeDelta::minutes(i64::try_from(minutes).unwrap()));
            if self.world.chance(300) {
                self.world.set_clock_wrong();
            }
        }
        self.live(None, |service| Arc::clone(self).be_called(service));
        self.world.calm_down();
        self.world.set_clock_right();
        self.bank.deliver_late();
        self.live(None, |service| Arc::clone(self).come_to_an_end(service));
    }

    /// The life of one process, in which `work` is done.
    fn live<F: Future<Output = ()>>(
        self: &Arc<Self>,
        crash_after: Option<u64>,
        work: impl FnOnce(Arc<Service>) -> F,
    ) {
        if self.world.failure().is_some() {
            return;
        }
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
        let runtime = runtime.unwrap();
        runtime.block_on(async {
            self.world.begin(crash_after);
            let process = async {
                if let Some(service) = self.start().await {
                    work(service).await;
                }
            };
            tokio::select! {
                biased;
                () = self.world.crash() => {}
                () = process => {}
            }
            self.world.end();
        });
        drop(runtime);
        let mut book = self.book.lock();
        book.counts.lives += 1;
        book.lose_what_is_in_flight();
    }

    /// Starts the process; none where the disk did not let it.
    async fn start(self: &Arc<Self>) -> Option<Arc<Service>> {
        let world = Arc::clone(&self.world);
        let pause: Pause = Arc::new(move || {
            let world = Arc::clone(&world);
            Box::pin(async move { world.passes().await })
        });
        let world = Arc::clone(&self.world);
        let trouble: Trouble = Arc::new(move |at| world.at_disk(at));
        let load = self.world.draw(|random| Load {
            queue_max: *random.pick(&[2, 8, 256]),
            batch_max: *random.pick(&[1, 3, 256]),
        });
        let (ledger, mut turns) = self.disk.start(stage::gateways(), load, pause, trouble);
        let simulation = Arc::clone(self);
        tokio::spawn(async move {
            while turns.take_next(simulation.world.passes()).await {
                if !simulation.world.is_crashed() {
                    simulation.look();
                }
            }
        });
        let ledger: Arc<dyn Ledger> = Arc::new(ledger);
        let settings = ServiceSettings { single_transaction: true, ..ServiceSettings::default() };
        let connectors = vec![(BANK.to_owned(), self.bank.connector())];
        let world = Arc::clone(&self.world);
        let steady = Steady::by(move || world.passed());
        let clock = Clock::fixed(self.world.clock()).on_time_of(steady);
        let gap = TimeDelta::minutes(i64::from(settings.clock_gap_minutes));
        ageing::begin(&clock, ledger.as_ref(), gap).await.ok()?;
        let service = Service::start_with(ledger, clock, settings, connectors).await.ok()?;
        self.world.has_started(&service);
        if let Some(listener) = &self.listener {
            let receiver = listener.receiver(&self.world.machine());
            service.deliver_to(vec![receiver]).await.ok()?;
        }
        Some(service)
    }

    /// Callers call, and clocks go wrong.
    async fn be_called(self: Arc<Self>, service: Arc<Service>) {
        let is_forgotten = self.begin_silence();
        let (weather, process) = (Arc::clone(&self), Arc::clone(&service));
        tokio::spawn(async move {
            loop {
                let wait = weather.world.draw(|random| random.below(8_000));
                sleep(Duration::from_millis(wait)).await;
                match weather.world.draw(|random| random.below(10)) {
                    0..2 => weather.world.set_clock_wrong(),
                    2 => weather.world.pause(&process).await,
                    _ => {}
                }
            }
        });
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| tokio::spawn(caller::call(Arc::clone(&self), Arc::clone(&service))))
            .collect();
        for caller in callers {
            if let Err(error) = caller.await {
                self.world.fail(format!("a caller ended early: {error}"));
            }
        }
        if is_forgotten {
            self.outlast_the_gateways_memory(&service).await;
        }
    }

    /// Everything works now: what has an unknown outcome is sent again, and every refund ends.
    async fn come_to_an_end(self: Arc<Self>, service: Arc<Service>) {
        self.send_again(&service).await;
        for _ in 0..ROUNDS_MAX {
            sleep(Duration::from_secs(4)).await;
            if self.open().is_empty() && self.have_all_arrived() {
                break;
            }
            self.world.leap(TimeDelta::minutes(61));
        }
        self.settle_what_is_left(&service).await;
        for _ in 0..ROUNDS_MAX {
            if self.have_all_arrived() {
                break;
            }
            sleep(Duration::from_secs(4)).await;
        }
    }

    /// What its gateway does not remember any more is ended by an operator.
    async fn settle_what_is_left(&self, service: &Service) {
        for refund in self.open() {
            let is_paid = self.bank.has_paid(refund);
            let settled_as = if is_paid { SettledAs::Processed } else { SettledAs::Error };
            self.note_settled(refund, is_paid);
            let (mut hours, mut waits) = (0, 0);
            loop {
                let (reason, act) = ("it is so".to_owned(), Act::of_start(service.clock().now()));
                let at_least = service.clock().at_least();
                let settlement = Settlement { refund, settled_as, reason, act, at_least };
                match service.settle(settlement).await {
                    Ok(Ok(_)) => break,
                    // A clock jumped or a stop was long, and the ledger's age is behind.
                    Ok(Err(SettleError::TooEarly { .. })) if hours < self.settled_after_hours() => {
                        hours += 1;
                        self.world.leap(TimeDelta::hours(1));
                    }
                    // The gateway was asked once more just then, or too much was waiting.
                    Ok(Err(SettleError::BeingAsked { .. })) | Err(LedgerError::Busy)
                        if waits < ROUNDS_MAX =>
                    {
                        waits += 1;
                        sleep(Duration::from_secs(4)).await;
                    }
                    other => {
                        self.world.fail(format!("{refund} cannot be settled: {other:?}"));
                        break;
                    }
                }
            }
        }
    }

    /// How long the ledger's age may be too far behind for an operator: a start adds an hour at
    /// most, and then it goes half as fast again as time does.
    fn settled_after_hours(&self) -> u64 {
        if self.world.is_wild() { 200 } else { 2 * self.stopped_hours.load(Ordering::Relaxed) }
    }

    fn note_settled(&self, refund: crate::domain::id::RefundId, is_paid: bool) {
        let mut book = self.book.lock();
        book.settled.insert(refund, is_paid);
        book.counts.settled += 1;
    }

    fn open(&self) -> Vec<crate::domain::id::RefundId> {
        let refunds = self.disk.refunds().into_iter();
        refunds.filter(|refund| refund.status == "Processing").map(|refund| refund.id).collect()
    }
}

/// Tries so many schedules from `first` on, and reports the first that fails. What was counted is
/// shown on the way, so that a search that is cut short has tried something as well.
fn search(first: u64, count: u64) -> Result<Counts, u64> {
    let (next, failed) = (AtomicU64::new(0), AtomicU64::new(u64::MAX));
    let (all, started) = (Mutex::new(Counts::default()), Instant::now());
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let note = |of_one: Counts| {
        let mut all = all.lock();
        all.add(&Counts { schedules: 1, ..of_one });
        if all.schedules.is_multiple_of(SCHEDULES_BETWEEN_NOTES) {
            println!("so far {all:?} in {:?}", started.elapsed());
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    if place >= count.min(failed.load(Ordering::Relaxed)) {
                        break;
                    }
                    match simulate(first.wrapping_add(place), false).result {
                        Ok(counts) => note(counts),
                        Err(_) => {
                            failed.fetch_min(place, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
    });
    match failed.into_inner() {
        u64::MAX => Ok(all.into_inner()),
        place => Err(place),
    }
}

fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is no whole number")))
}

fn show(seed: u64) {
    let Outcome { result, log, .. } = simulate(seed, true);
    println!("{}", log.join("\n"));
    if let Err(why) = result {
        panic!("seed {seed}: {why}\nreplay it with SIMULATION_SEED={seed}");
    }
}

#[test]
fn nothing_is_lost_or_doubled_in_any_schedule() {
    if let Some(seed) = setting("SIMULATION_SEED") {
        return show(seed);
    }
    let first = setting("SIMULATION_FIRST").unwrap_or(0);
    let count = setting("SIMULATION_SCHEDULES").unwrap_or(SCHEDULES);
    let started = Instant::now();
    match search(first, count) {
        Ok(counts) => {
            println!("{counts:?} in {:?}", started.elapsed());
            assert!(counts.are_all_there() || count < 500, "not all was tried: {counts:?}");
        }
        Err(place) => {
            println!("found after {} schedules", place + 1);
            show(first + place);
            panic!("seed {} failed, and not again", first + place);
        }
    }
}

#[test]
fn a_seed_says_all_that_happens() {
    for seed in 0..20 {
        let [one, other] = [simulate(seed, true), simulate(seed, true)];
        let differs = one.log.iter().zip(&other.log).find(|(one, other)| one != other);
        assert_eq!(one.digest, other.digest, "seed {seed}: {differs:?}");
    }
}
