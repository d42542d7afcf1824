//! What this process shares with the other nodes of a ledger: a thread with a connection of its own
//! says that the node is there, takes and gives back claims, and looks what others changed.
//!
//! What must stay true: who has a claim is decided by one statement and by the server's clock; a
//! node that was not heard of in time takes nothing before it is heard of again; what could not be
//! given back is given back once the server can be reached. None of this is part of a batch, and
//! each statement may be done twice.

use super::address::Address;
use super::clocks;
use super::fault::{Kind, PostgresError};
use super::link::{Bindable, Link};
use super::purpose::{Use, Verb};
use super::schema::VERSION;
use super::sharing_words::{
    BE_THERE, CLAIM, END, FORGET_WRONG, FREE, LEAVE, LEAVE_LEASES, LOOK, NOTE_WRONG, OTHERS,
    TIDY_LEASES, TIDY_NODES, WRONG_OF_ADDRESS, WRONG_OF_PAIR,
};
use super::waiter::Waiter;
use crate::ledger::damage::Damage;
use crate::ledger::sharing::{Claim, LoginFrom, NODE_SPAN, Sharing, WrongLogins};
use crate::ledger::{LedgerError, Reply};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tokio::sync::{oneshot, watch};
use tokio_postgres::Row;

/// How often is looked what others changed.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// For how long nothing is tried after a connection could not be made.
const PAUSE: Duration = Duration::from_secs(1);
/// How often what says nothing any more is removed.
const TIDY_EVERY: Duration = Duration::from_secs(60);

/// What the thread is asked to do.
type Job = Box<dyn FnOnce(&mut Side) + Send>;

/// The way to the thread.
pub(super) struct Shared {
    /// Taken at the end, so that the thread sees that nothing more will come.
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    changes: watch::Receiver<i64>,
    is_first: bool,
}

/// The thread's side.
struct Side {
    address: Address,
    runtime: Arc<Waiter>,
    link: Option<Link>,
    /// What this process is known by to the ledger.
    node: [u8; 16],
    /// What operators know it by.
    name: String,
    span: Duration,
    /// When the node said last that it is there.
    said: Option<Instant>,
    looked: Option<Instant>,
    tidied: Instant,
    /// When a connection could not be made, and why.
    failed: Option<(Instant, PostgresError)>,
    /// What is still to be given back, and whether it is over.
    returned: Vec<(Claim, bool)>,
    changes: watch::Sender<i64>,
    apart: clocks::Apart,
    /// Where it is noted that nothing should be served.
    damage: Damage,
}

impl Shared {
    /// Says to the ledger that this node is there, from now on and until it is dropped. What is in
    /// the way of serving is noted in `damage`.
    pub(super) fn start(
        address: Address,
        node: [u8; 16],
        damage: Damage,
    ) -> Result<Self, PostgresError> {
        Self::with_span(address, node, NODE_SPAN, damage)
    }

    /// As [`Shared::start`], for a node that is gone when nothing was heard of it for `span`.
    pub(super) fn with_span(
        address: Address,
        node: [u8; 16],
        span: Duration,
        damage: Damage,
    ) -> Result<Self, PostgresError> {
        let (changes, followed) = watch::channel(0);
        let mut side = Side {
            address,
            runtime: Waiter::new()?,
            link: None,
            node,
            name: format!("{} {}", host(), std::process::id()),
            span,
            said: None,
            looked: None,
            tidied: Instant::now(),
            failed: None,
            returned: Vec::new(),
            changes,
            apart: clocks::Apart::default(),
            damage,
        };
        let others = side.ask(OTHERS, |node| vec![Box::new(node)])?;
        let others: i64 = others.first().map_or(Ok(0), |row| row.try_get(0))?;
        side.look()?;
        let (jobs, waiting) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("ledger-node".to_owned())
            .spawn(move || side.serve(&waiting))
            .map_err(|error| PostgresError::new(Kind::Refused, error.to_string()))?;
        let (jobs, thread) = (Some(jobs), Some(thread));
        Ok(Self { jobs, thread, changes: followed, is_first: others == 0 })
    }

    /// Has the thread do `work`.
    fn hand_over<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Side) -> Result<T, PostgresError> + Send + 'static,
    ) -> Reply<T> {
        let (answer, result) = oneshot::channel();
        // A caller that has gone away wants no answer.
        let job: Job = Box::new(move |side| drop(answer.send(work(side))));
        let gone = || LedgerError::Unavailable("the ledger is closed".to_owned());
        let sent = self.jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_ok());
        Box::pin(async move {
            if !sent {
                return Err(gone());
            }
            let done = result.await.map_err(|_| gone())?;
            done.map_err(|error| LedgerError::Unavailable(error.to_string()))
        })
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("what this node shares with others ended by a panic");
        }
    }
}

impl Sharing for Shared {
    fn is_first(&self) -> bool {
        self.is_first
    }

    fn claim(&self, claim: Claim, rested: Duration) -> Reply<bool> {
        self.hand_over(move |side| side.claim(&claim, rested))
    }

    fn give_back(&self, claim: Claim, is_over: bool) {
        let job: Job = Box::new(move |side| side.returned.push((claim, is_over)));
        // Once the thread is gone the node's claims are given back with it.
        let _ = self.jobs.as_ref().map(|jobs| jobs.send(job));
    }

    fn wrong_logins(
        &self,
        from: LoginFrom,
        window: Duration,
        (most, most_of_address): (usize, usize),
    ) -> Reply<WrongLogins> {
        self.hand_over(move |side| {
            let LoginFrom { name, address } = from;
            let address = address.to_string();
            let pair = (name.to_vec(), address.clone(), millis(window), limit(most));
            let of_pair = side.ask(WRONG_OF_PAIR, move |_| {
                let (name, address, window, most) = pair.clone();
                vec![Box::new(name), Box::new(address), Box::new(window), Box::new(most)]
            })?;
            let of_address = side.ask(WRONG_OF_ADDRESS, move |_| {
                vec![Box::new(address.clone()), Box::new(limit(most_of_address))]
            })?;
            Ok(WrongLogins { of_pair: ages(&of_pair)?, of_address: ages(&of_address)? })
        })
    }

    fn note_wrong_login(&self, from: LoginFrom, window: Duration) -> Reply<()> {
        self.hand_over(move |side| {
            side.ask(FORGET_WRONG, move |_| vec![Box::new(millis(window))])?;
            let LoginFrom { name, address } = from;
            side.ask(NOTE_WRONG, move |_| {
                vec![Box::new(name.to_vec()), Box::new(address.to_string())]
            })?;
            Ok(())
        })
    }

    fn changes(&self) -> watch::Receiver<i64> {
        self.changes.clone()
    }
}

type Values = Vec<Box<dyn tokio_postgres::types::ToSql + Sync + Send>>;

impl Side {
    /// Does what it is asked for, and looks around now and then, until nothing more will come.
    fn serve(mut self, waiting: &mpsc::Receiver<Job>) {
        loop {
            match waiting.recv_timeout(LOOK_EVERY) {
                Ok(job) => {
                    job(&mut self);
                    waiting.try_iter().for_each(|job| job(&mut self));
                    // Others may wait for it. What fails is tried again by the next look.
                    let _ = self.return_claims();
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if self.looked.is_none_or(|looked| looked.elapsed() >= LOOK_EVERY)
                && let Err(error) = self.look()
            {
                tracing::debug!(%error, "the ledger could not be looked at");
            }
        }
        self.leave();
    }

    /// Asks by a statement that may be done twice, once more where the connection was lost.
    fn ask(
        &mut self,
        text: &'static str,
        values: impl Fn(Vec<u8>) -> Values,
    ) -> Result<Vec<Row>, PostgresError> {
        match self.ask_once(text, &values(self.node.to_vec())) {
            Err(error) if error.kind == Kind::Lost && self.failed.is_none() => {
                self.ask_once(text, &values(self.node.to_vec()))
            }
            asked => asked,
        }
    }

    fn ask_once(&mut self, text: &'static str, values: &Values) -> Result<Vec<Row>, PostgresError> {
        let link = self.connected()?;
        let asked = link.prepare((Verb::Share, text.as_ptr().addr()), |_| Ok(text.to_owned()));
        let asked = asked.and_then(|statement| {
            let values: Vec<Bindable<'_>> =
                values.iter().map(|value| -> Bindable<'_> { &**value }).collect();
            link.ask(&statement, &values)
        });
        if asked.as_ref().is_err_and(|error| error.kind == Kind::Lost) {
            self.link = None;
        }
        asked
    }

    fn connected(&mut self) -> Result<&mut Link, PostgresError> {
        let link = match self.link.take() {
            Some(link) => link,
            None => {
                if let Some((at, error)) = &self.failed
                    && at.elapsed() < PAUSE
                {
                    return Err(error.clone());
                }
                let made = Link::connect(&self.runtime, &self.address, Use::Sharing);
                self.failed = made.as_ref().err().map(|error| (Instant::now(), error.clone()));
                made?
            }
        };
        Ok(self.link.insert(link))
    }

    /// Says that the node is there, if that was some time ago, and looks what others changed.
    fn look(&mut self) -> Result<(), PostgresError> {
        self.looked = Some(Instant::now());
        self.be_there()?;
        self.return_claims()?;
        let began = clocks::machine_ms();
        let found = self.ask(LOOK, |_| Vec::new())?;
        let Some(found) = found.first() else { return Ok(()) };
        let (world, now): (i64, i64) = (found.try_get(0)?, found.try_get(2)?);
        let apart = self.apart.compare((began, clocks::machine_ms()), now);
        self.damage.note_unready(apart);
        self.changes.send_if_modified(|known| std::mem::replace(known, world) != world);
        if self.tidied.elapsed() >= TIDY_EVERY {
            self.tidied = Instant::now();
            self.ask(TIDY_LEASES, |_| Vec::new())?;
            self.ask(TIDY_NODES, |_| Vec::new())?;
        }
        Ok(())
    }

    /// Says that the node is there, if it has not said so for a quarter of its span.
    fn be_there(&mut self) -> Result<(), PostgresError> {
        if self.said.is_some_and(|said| said.elapsed() < self.span / 4) {
            return Ok(());
        }
        let (name, span, said) = (self.name.clone(), millis(self.span), Instant::now());
        self.ask(BE_THERE, move |node| {
            vec![Box::new(node), Box::new(name.clone()), Box::new(VERSION), Box::new(span)]
        })?;
        self.said = Some(said);
        Ok(())
    }

    fn claim(&mut self, claim: &Claim, rested: Duration) -> Result<bool, PostgresError> {
        self.be_there()?;
        self.return_claims()?;
        let (kind, name, rested) = (claim.kind, claim.name.clone(), millis(rested));
        let taken = self.ask(CLAIM, move |node| {
            let kind = kind.to_owned();
            vec![Box::new(node), Box::new(kind), Box::new(name.clone()), Box::new(rested)]
        })?;
        if taken.is_empty() {
            // The server may have lost who is there.
            self.said = None;
        }
        Ok(!taken.is_empty())
    }

    /// Gives back what no task deals with any more.
    fn return_claims(&mut self) -> Result<(), PostgresError> {
        if self.returned.is_empty() {
            return Ok(());
        }
        for (text, are_over) in [(END, true), (FREE, false)] {
            let these = self.returned.iter().filter(|(_, is_over)| *is_over == are_over);
            let (kinds, names): (Vec<String>, Vec<String>) =
                these.map(|(claim, _)| (claim.kind.to_owned(), claim.name.clone())).unzip();
            if !kinds.is_empty() {
                self.ask(text, move |node| {
                    vec![Box::new(node), Box::new(kinds.clone()), Box::new(names.clone())]
                })?;
            }
            self.returned.retain(|(_, is_over)| *is_over != are_over);
        }
        Ok(())
    }

    /// The node goes, and gives back all that it has, if the server can still be reached.
    fn leave(mut self) {
        if self.link.is_none() {
            return;
        }
        let node = self.node.to_vec();
        let values = || -> Values { vec![Box::new(node.clone())] };
        let left = self.ask_once(LEAVE_LEASES, &values());
        let left = left.and_then(|_| self.ask_once(LEAVE, &values()));
        if let Err(error) = left {
            tracing::debug!(%error, "the node's claims end by themselves");
        }
    }
}

/// What this machine is called.
fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    if name.trim().is_empty() { "a machine".to_owned() } else { name.trim().to_owned() }
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX / 4)
}

fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

/// Ages, the oldest first.
fn ages(rows: &[Row]) -> Result<Vec<Duration>, PostgresError> {
    let ages = rows.iter().rev().map(|row| row.try_get::<_, i64>(0));
    let ages = ages.map(|age| age.map(|age| Duration::from_millis(age.max(0).unsigned_abs())));
    Ok(ages.collect::<Result<_, _>>()?)
}
