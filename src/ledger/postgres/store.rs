//! The writing side of a ledger in PostgreSQL: batches that take turns with those of other nodes.
//!
//! What must stay true: what is in memory beside the rows counts only as long as the turn is where
//! this node left it; the outcome of a commit that got no answer is looked up before anything is
//! said of it (`outcome`).

use super::address::Address;
use super::fault::{Kind, PostgresError};
use super::link::Link;
use super::outcome::LOOK_UP_MAX;
use super::pending::{Pending, TURN};
use super::purpose::{Use, Verb};
use super::schema::{self, VERSION};
use super::waiter::Waiter;
use crate::ledger::books::BooksError;
use crate::ledger::engine::{CloseError, CommitError, Engine};
use crate::ledger::unit::{self, Unit, World};
use crate::ledger::work::loading;
use crate::ledger::work::naming::Needs;
use crate::ledger::working_set::Shelves;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_postgres::Row;

/// The level is said so that no default of the role counts: each statement after the wait for the
/// turn must see what the batch before committed.
const BEGIN: &str = "begin isolation level read committed read write";
const TAKE_TURN: &str = "select number, world, oldest from turn for update";
/// Counts the batch, and notes it as the node's newest.
const COUNT_UP: &str = "
    with done as (update turn set number = $1, world = $2 where number = $3 returning 1),
        noted as (
            insert into batches (node, number, at_ms)
            values ($4, $1, (extract(epoch from now()) * 1000)::bigint)
            on conflict (node) do update set number = excluded.number, at_ms = excluded.at_ms)
    select 1 / (count(*) = 1)::int from done
";

/// After which pauses, in milliseconds, a batch is begun over another connection.
const PAUSES: [u64; 3] = [10, 40, 160];
/// For how long that is tried.
const TRY_MAX: Duration = Duration::from_secs(5);

/// Where the ledger stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    /// How many batches were committed, of all nodes.
    pub(super) number: i64,
    /// How often rows were changed that hold for every request.
    pub(super) world: i64,
}

/// The writer's side of a ledger.
pub struct Store {
    address: Address,
    runtime: Arc<Waiter>,
    pub(super) link: Option<Link>,
    /// No other process may write, as it was made sure of.
    pub(super) is_alone: bool,
    /// What this process is known by to the ledger.
    pub(super) node: [u8; 16],
    /// What holds for every request.
    pub(super) world: World,
    pub(super) shelves: Shelves,
    /// Where the ledger stood when this node last committed or began.
    pub(super) turn: Option<Turn>,
    /// Where it stands once the open batch is committed, if that was counted already.
    next: Option<Turn>,
    /// What is in memory may differ from the rows.
    pub(super) is_stale: bool,
    /// What the last batch failed of, if it did.
    pub(super) failed_of: Option<Kind>,
    /// For how long the callers of a commit that got no answer wait until it is looked up.
    pub(super) look_up_max: Duration,
    /// Where the ledger stands if the commit was done whose outcome is unknown.
    pub(super) unanswered: Option<Turn>,
}

impl Store {
    /// Takes over a connection. The world is read when the first batch begins.
    pub(super) fn new(
        address: Address,
        runtime: Arc<Waiter>,
        link: Link,
        node: [u8; 16],
        world: World,
    ) -> Self {
        Self {
            address,
            runtime,
            link: Some(link),
            is_alone: false,
            node,
            world,
            shelves: Shelves::default(),
            turn: None,
            next: None,
            is_stale: true,
            failed_of: None,
            look_up_max: LOOK_UP_MAX,
            unanswered: None,
        }
    }

    /// Keeps every other process out that would do the same, from now on. No batch may be open.
    pub(super) fn be_alone(&mut self) -> Result<(), PostgresError> {
        self.connected()?.be_alone()?;
        self.is_alone = true;
        Ok(())
    }

    /// What this process is known by to the ledger.
    pub(super) const fn node(&self) -> [u8; 16] {
        self.node
    }

    /// Has the open batch count as one that changes what nodes keep in memory.
    pub(super) fn change_world(&mut self) {
        if let Some(link) = &mut self.link {
            link.wrote_world = true;
        }
    }

    /// The connection of the open transaction.
    pub(super) fn link(&mut self) -> Result<&mut Link, PostgresError> {
        self.link.as_mut().ok_or_else(gone)
    }

    /// A connection, which is made if there is none.
    pub(super) fn connected(&mut self) -> Result<&mut Link, PostgresError> {
        let link = match self.link.take() {
            Some(link) => link,
            None => {
                let wanted = Use::Writing { is_alone: self.is_alone };
                Link::connect(&self.runtime, &self.address, wanted)?
            }
        };
        Ok(self.link.insert(link))
    }

    /// Begins a transaction and waits in it for the turn; what is needed is asked for with it.
    fn begin_in_turn(&mut self, needs: &Needs<'_>) -> Result<Turn, PostgresError> {
        self.connected()?;
        let Self { link, shelves, world, .. } = self;
        let Some(link) = link else { return Err(gone()) };
        link.forget();
        begin(link)?;
        let foresee = || loading::foresee(&mut Unit::new(shelves, link, world), needs);
        let foreseen = or_nothing(foresee).unwrap_or(Ok(()));
        foreseen.map_err(|error| link.failure(error))?;
        take_turn(link)
    }

    /// Begins a transaction with the turn and with what is in memory as the rows are, or leaves
    /// none open.
    fn begin_once(&mut self, needs: &Needs<'_>) -> Result<(), PostgresError> {
        let begun = self.begin_in_turn(needs).and_then(|found| self.follow(found));
        if let Err(error) = &begun {
            self.is_stale = true;
            self.leave_off(error.kind);
        }
        begun
    }

    /// Ends what is open after an error; without its connection the server does so by itself.
    fn leave_off(&mut self, kind: Kind) {
        let Some(mut link) = self.link.take().filter(|_| kind != Kind::Lost) else { return };
        link.forget();
        if link.run("rollback").is_ok() {
            self.link = Some(link);
        }
    }

    /// Does something in the open transaction and takes note of what follows if it fails.
    fn within<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, PostgresError>,
    ) -> Result<T, PostgresError> {
        let done = work(self);
        if let Err(error) = &done {
            self.failed_of = Some(error.kind);
            if error.kind == Kind::Lost {
                self.link = None;
            }
        }
        done
    }

    /// Forgets what was learnt from earlier batches if another node has committed since.
    fn follow(&mut self, found: Turn) -> Result<(), PostgresError> {
        let known = self.turn.replace(found);
        if known.is_some_and(|known| found.number < known.number) {
            self.turn = known;
            let what = format!(
                "the ledger is at batch {} and was at {} before: what was committed in between is \
                 not there, as after the promotion of a standby that was behind; have the server \
                 serve that has it, or end all nodes and start them again, which go on without it",
                found.number,
                known.map_or(0, |known| known.number),
            );
            return Err(PostgresError::new(Kind::Damage, what));
        }
        if known.map(|known| known.number) != Some(found.number) {
            self.shelves.forget_newest();
        }
        self.is_stale |= known.map(|known| known.world) != Some(found.world);
        if self.is_stale {
            let Self { link, shelves, world, .. } = self;
            let Some(link) = link else { return Ok(()) };
            world.reload(shelves, link).map_err(|error| link.failure(error))?;
            self.is_stale = false;
        }
        Ok(())
    }

    /// Counts the batch, once, as the successor of what it found, with the last of what it writes.
    fn count_up(&mut self) -> Result<(), PostgresError> {
        let (turn, next, node) = (self.turn, self.next, self.node.to_vec());
        let link = self.link()?;
        let not_begun = || PostgresError::new(Kind::Refused, "no batch was begun");
        let turn = turn.ok_or_else(not_begun)?;
        let world = turn.world + i64::from(link.wrote_world);
        let (before, number) = match next {
            None => (turn.number, turn.number + 1),
            Some(next) if next.world == world => return Ok(()),
            Some(next) => (next.number, next.number),
        };
        let count = link.prepare((Verb::CountUp, 0), |_| Ok(COUNT_UP.to_owned()))?;
        link.leave(Pending {
            statement: count,
            values: vec![Box::new(number), Box::new(world), Box::new(before), Box::new(node)],
            table: TURN,
            rows: 1,
        })?;
        self.next = Some(Turn { number, world });
        Ok(())
    }

    pub(super) fn pause(&self, pause: Duration) {
        self.runtime.block_on(async { tokio::time::sleep(pause).await });
    }

    /// As if this node had begun its open batch before another node committed one.
    #[cfg(test)]
    pub(super) fn pretend_to_have_begun_earlier(&mut self) {
        if let Some(turn) = &mut self.turn {
            turn.number -= 1;
        }
    }

    /// As if the connection had ended.
    #[cfg(test)]
    pub(super) fn drop_connection(&mut self) {
        self.link = None;
    }
}

/// What `look` comes to, if it does not panic. A request over which it does fails once it is done.
fn or_nothing<T>(look: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(look)).ok()
}

/// Has a transaction begun with the next exchange.
pub(super) fn begin(link: &mut Link) -> Result<(), PostgresError> {
    let statement = link.prepare((Verb::Begin, 0), |_| Ok(BEGIN.to_owned()))?;
    link.leave(Pending { statement, values: Vec::new(), table: TURN, rows: 0 })
}

/// Waits for the turn in the transaction that was begun, and asks for what is foreseen.
pub(super) fn take_turn(link: &mut Link) -> Result<Turn, PostgresError> {
    let statement = link.prepare((Verb::TakeTurn, 0), |_| Ok(TAKE_TURN.to_owned()))?;
    let rows = link.ask(&statement, &[])?;
    link.foreseen.is_in_turn = true;
    let missing = || PostgresError::new(Kind::Damage, "the row of the turn is missing");
    let row: &Row = rows.first().ok_or_else(missing)?;
    let oldest: i64 = row.try_get(2)?;
    if oldest > VERSION {
        return Err(schema::too_old(oldest));
    }
    Ok(Turn { number: row.try_get(0)?, world: row.try_get(1)? })
}

impl Engine for Store {
    type Error = PostgresError;

    fn is_damage(error: &PostgresError) -> bool {
        error.is_damage()
    }

    fn begin(&mut self) -> Result<(), PostgresError> {
        self.begin_for(|_| ())
    }

    /// Nothing was done yet, so that another connection is as good as this one.
    fn begin_for<'r>(&mut self, name: impl FnOnce(&mut Needs<'r>)) -> Result<(), PostgresError> {
        self.shelves.begin_anew();
        (self.next, self.failed_of) = (None, None);
        let mut needs = Needs::default();
        // What a request named before it panicked is looked up in vain at worst.
        let _ = or_nothing(|| name(&mut needs));
        let began = Instant::now();
        let mut pauses = PAUSES.into_iter().map(Duration::from_millis);
        loop {
            match (self.begin_once(&needs), pauses.next()) {
                (Err(error), Some(pause))
                    if error.kind == Kind::Lost && began.elapsed() < TRY_MAX =>
                {
                    tracing::warn!(%error, "another connection to PostgreSQL is tried");
                    self.pause(pause);
                }
                (begun, _) => return begun,
            }
        }
    }

    fn work<T>(
        &mut self,
        work: impl FnOnce(&mut Unit<'_>) -> Result<T, BooksError>,
    ) -> Result<T, PostgresError> {
        self.within(|store| {
            let Self { link, shelves, world, .. } = store;
            let Some(link) = link else { return Err(gone()) };
            unit::work(shelves, link, world, work).map_err(|error| link.failure(error))
        })
    }

    /// What is written is left to be sent with COMMIT, or with what is asked before it.
    fn flush(&mut self) -> Result<(), PostgresError> {
        self.within(|store| {
            let Self { link, shelves, .. } = store;
            let Some(link) = link else { return Err(gone()) };
            shelves.flush(link).map_err(|error| link.failure(error))?;
            store.count_up()
        })
    }

    /// A server that answers an error has rolled back. One that does not answer may have committed,
    /// and one that ends the connection as well: it may have waited for a standby.
    fn commit(&mut self) -> Result<(), CommitError> {
        let counted = self.within(Self::count_up);
        let rolled_back = |error: PostgresError| CommitError::RolledBack(error.to_string());
        counted.map_err(rolled_back)?;
        let Some(next) = self.next.take() else {
            return Err(CommitError::RolledBack("the batch was not counted".to_owned()));
        };
        let committed = self.within(|store| store.link()?.commit());
        match committed {
            Ok(()) => {}
            Err(error) if error.kind == Kind::Lost => self.look_up(next, &error)?,
            Err(error) => return Err(rolled_back(error)),
        }
        self.turn = Some(next);
        if let Some(link) = &mut self.link {
            link.forget();
        }
        Ok(())
    }

    /// Without COMMIT nothing stays, whether the server hears of it or not.
    fn roll_back(&mut self) -> Result<(), PostgresError> {
        self.is_stale = true;
        self.next = None;
        self.shelves.clear();
        self.leave_off(Kind::Refused);
        Ok(())
    }

    fn is_passing(&self) -> bool {
        matches!(self.failed_of, Some(Kind::Lost | Kind::Passing))
    }

    fn is_looking(&self) -> bool {
        self.unanswered.is_some()
    }

    fn find_out(&mut self) -> Option<bool> {
        self.look_again()
    }

    fn rest(&mut self) {}

    fn close(self, _is_lost: bool) -> Result<(), CloseError> {
        Ok(())
    }
}

fn gone() -> PostgresError {
    PostgresError::new(Kind::Lost, "the connection to PostgreSQL is gone")
}
