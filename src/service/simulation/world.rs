//! The world around a simulated gateway: chance, time, the disk, and the moment of a crash.
//!
//! Everything that a process does to the outside passes here: each await on the ledger and on a
//! payment gateway, each step of a transaction. What must stay true: once a process has crashed,
//! nothing of it passes any more; and all that happens follows from the seed.

use super::random::Random;
use crate::ledger::sqlite::{At, Failing};
use crate::service::Service;
use crate::service::clock::Clock;
use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;
use std::future::pending;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep};

/// When every simulation begins, in Unix seconds.
const BEGINNING_S: i64 = 1_790_000_000;
/// How far a clock may be wrong where its machine is looked after, in minutes.
const SKEW_MAX_MIN: i64 = 20;
/// How far it is wrong where it jumps, in hours.
const JUMP_HOURS: (i64, i64) = (25, 60);
/// How long a process may be idle where clocks jump, in hours.
const IDLE_MAX_HOURS: i64 = 40;

/// The world of one schedule.
pub(super) struct World {
    state: Mutex<State>,
    crash: Notify,
    is_verbose: bool,
    /// Whether clocks jump by more than a day.
    is_wild: bool,
}

struct State {
    random: Random,
    /// How many things have happened.
    events: u64,
    crash_at: u64,
    is_crashed: bool,
    /// No more crashes, and everything works.
    is_calm: bool,
    /// What time it really was when this process began, and what the process calls that moment.
    real: DateTime<Utc>,
    began: Option<Instant>,
    skew: TimeDelta,
    process: Weak<Service>,
    /// The machine's clock as parts of the process see it that do not go by the service's.
    machine: Arc<Clock>,
    failure: Option<String>,
    log: Vec<String>,
    /// A digest of the log, which is the same for the same seed.
    digest: u64,
}

fn beginning() -> DateTime<Utc> {
    DateTime::from_timestamp(BEGINNING_S, 0).unwrap()
}

impl World {
    pub(super) fn new(seed: u64, is_verbose: bool) -> Self {
        let mut random = Random::new(seed);
        let is_wild = random.chance(300);
        let state = State {
            random,
            events: 0,
            crash_at: u64::MAX,
            is_crashed: false,
            is_calm: false,
            real: beginning(),
            began: None,
            skew: TimeDelta::zero(),
            process: Weak::new(),
            machine: Arc::new(Clock::fixed(beginning())),
            failure: None,
            log: Vec::new(),
            digest: 0,
        };
        Self { state: Mutex::new(state), crash: Notify::new(), is_verbose, is_wild }
    }

    pub(super) const fn is_wild(&self) -> bool {
        self.is_wild
    }

    pub(super) fn draw<T>(&self, draw: impl FnOnce(&mut Random) -> T) -> T {
        draw(&mut self.state.lock().random)
    }

    pub(super) fn chance(&self, of_a_thousand: u64) -> bool {
        self.draw(|random| random.chance(of_a_thousand))
    }

    /// Notes what happened, for the log of a schedule that failed.
    pub(super) fn log(&self, line: impl FnOnce() -> String) {
        let mut state = self.state.lock();
        if self.is_verbose {
            let line = format!("{:>6} {} {}", state.events, state.real_now(), line());
            for byte in line.bytes() {
                state.digest = (state.digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
            state.log.push(line);
        }
    }

    pub(super) fn take_log(&self) -> (Vec<String>, u64) {
        let mut state = self.state.lock();
        (std::mem::take(&mut state.log), state.digest)
    }

    /// Something that must never be was found; the schedule ends.
    pub(super) fn fail(&self, why: String) {
        self.log(|| format!("FAILED: {why}"));
        let mut state = self.state.lock();
        state.failure.get_or_insert(why);
        state.is_crashed = true;
        self.crash.notify_one();
    }

    pub(super) fn failure(&self) -> Option<String> {
        self.state.lock().failure.clone()
    }

    /// A process begins, which will crash after so many more things.
    pub(super) fn begin(&self, crash_after: Option<u64>) {
        let mut state = self.state.lock();
        state.is_crashed = state.failure.is_some();
        state.crash_at = crash_after.map_or(u64::MAX, |after| state.events + after);
        state.began = Some(Instant::now());
    }

    /// The service of the process, whose clock shows what the machine's does.
    pub(super) fn has_started(&self, service: &Arc<Service>) {
        self.state.lock().process = Arc::downgrade(service);
    }

    /// The process is gone.
    pub(super) fn end(&self) {
        let mut state = self.state.lock();
        state.real = state.real_now();
        state.began = None;
        state.process = Weak::new();
    }

    pub(super) fn calm_down(&self) {
        self.state.lock().is_calm = true;
    }

    pub(super) fn is_calm(&self) -> bool {
        self.state.lock().is_calm
    }

    pub(super) fn is_crashed(&self) -> bool {
        self.state.lock().is_crashed
    }

    /// Returns when the process has crashed.
    pub(super) async fn crash(&self) {
        while !self.is_crashed() {
            self.crash.notified().await;
        }
    }

    /// The number of what happened last.
    pub(super) fn event(&self) -> u64 {
        self.state.lock().events
    }

    /// What time it really is.
    pub(super) fn real_now(&self) -> DateTime<Utc> {
        self.state.lock().real_now()
    }

    /// What the machine's clock shows.
    pub(super) fn clock(&self) -> DateTime<Utc> {
        let state = self.state.lock();
        state.real_now() + state.skew
    }

    /// Time passes in which nothing runs.
    pub(super) fn leap(&self, span: TimeDelta) {
        self.state.lock().real += span;
        self.log(|| format!("{span} pass"));
        self.show_time();
    }

    /// The machine's clock is set, to a time that may be wrong.
    pub(super) fn set_clock_wrong(&self) {
        let is_wild = self.is_wild;
        let minutes = self.draw(|random| match is_wild && random.chance(600) {
            true => {
                let hours = random.between(JUMP_HOURS.0, JUMP_HOURS.1);
                60 * if random.chance(500) { hours } else { -hours }
            }
            false => random.between(-SKEW_MAX_MIN, SKEW_MAX_MIN),
        });
        self.state.lock().skew = TimeDelta::minutes(minutes);
        self.log(|| format!("the clock is {minutes} minutes ahead"));
        self.show_time();
    }

    /// While a process runs, nothing happens for a while: minutes, or more than a gateway
    /// remembers. The process keeps its age meanwhile.
    pub(super) async fn pause(&self, process: &Service) {
        let is_wild = self.is_wild;
        let minutes = self.draw(|random| match is_wild && random.chance(200) {
            true => 60 * random.between(1, IDLE_MAX_HOURS),
            false => random.between(0, 30),
        });
        self.idle(process, minutes).await;
    }

    /// Nothing happens for so many minutes, but that the process keeps its age every hour.
    pub(super) async fn idle(&self, process: &Service, minutes: i64) {
        for _ in 0..minutes / 60 {
            self.leap(TimeDelta::hours(1));
            process.keep_age().await;
        }
        self.leap(TimeDelta::minutes(minutes % 60));
    }

    /// How much time has passed by a clock that cannot be set.
    pub(super) fn passed(&self) -> Duration {
        (self.real_now() - beginning()).to_std().unwrap()
    }

    /// The machine's clock is right from now on.
    pub(super) fn set_clock_right(&self) {
        self.state.lock().skew = TimeDelta::zero();
        self.show_time();
    }

    pub(super) fn machine(&self) -> Arc<Clock> {
        Arc::clone(&self.state.lock().machine)
    }

    fn show_time(&self) {
        self.machine().stand_at(self.clock());
        let process = self.state.lock().process.upgrade();
        if let Some(process) = process {
            process.clock().stand_at(self.clock());
        }
    }

    /// Something happens; true once the process is no more.
    fn happens(&self) -> bool {
        let mut state = self.state.lock();
        state.events += 1;
        if state.events >= state.crash_at && !state.is_crashed && !state.is_calm {
            state.is_crashed = true;
            self.crash.notify_one();
            drop(state);
            self.log(|| "crash".to_owned());
            return true;
        }
        state.is_crashed
    }

    /// What the process does reaches the outside, or comes back from there. It takes some time, and
    /// never ends in a process that crashes.
    pub(super) async fn passes(&self) {
        if self.happens() {
            pending::<()>().await;
        }
        let wait_ms = self.draw(|random| match random.below(100) {
            0..50 => 0,
            50..80 => random.below(4),
            80..97 => random.below(40),
            97..99 => random.below(1_500),
            _ => random.below(6_000),
        });
        match wait_ms {
            0 => yield_now().await,
            _ => sleep(Duration::from_millis(wait_ms)).await,
        }
        if self.happens() {
            pending::<()>().await;
        }
        self.show_time();
    }

    /// What happens at the disk at a step of a transaction.
    pub(super) fn at_disk(&self, at: At) -> Option<Failing> {
        if self.happens() {
            return Some(Failing::Broken);
        }
        let is_calm = self.is_calm();
        let failing = self.draw(|random| match at {
            _ if is_calm => None,
            At::Begin | At::Flush => random.chance(6).then_some(Failing::Full),
            At::Commit if random.chance(10) => Some(Failing::Full),
            At::Commit | At::Committed => random.chance(4).then_some(Failing::Broken),
            At::RollBack => random.chance(20).then_some(Failing::Broken),
        })?;
        self.log(|| format!("the disk is {failing:?} at {at:?}"));
        if failing == Failing::Broken {
            // Nothing is written any more, and before long an operator restarts it.
            let after = self.draw(|random| random.below(40));
            let mut state = self.state.lock();
            state.crash_at = state.crash_at.min(state.events + after + 1);
        }
        Some(failing)
    }
}

impl State {
    fn real_now(&self) -> DateTime<Utc> {
        let passed = self.began.map_or(Duration::ZERO, |began| began.elapsed());
        self.real + TimeDelta::from_std(passed).unwrap()
    }
}
