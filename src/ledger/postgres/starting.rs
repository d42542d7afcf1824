//! What is done before a ledger in PostgreSQL is served: its schema, what it is for, and what every
//! ledger settles with the process that serves it.

use super::address::Address;
use super::clocks;
use super::fault::{Kind, PostgresError};
use super::link::Link;
use super::moving;
use super::purpose::{Use, Verb};
use super::schema;
use super::store::Store;
use super::summing;
use super::waiter::Waiter;
use crate::domain::facts::Gateway;
use crate::ledger::books::BooksError;
use crate::ledger::engine::{CommitError, Engine};
use crate::ledger::moving::COPYING;
use crate::ledger::records::Meta;
use crate::ledger::test_bench::{self, KIND, TEST_KIND};
use crate::ledger::unit::{Unit, World};
use crate::ledger::work::{beginning, drawing};
use std::sync::Arc;

/// How a ledger is opened.
#[derive(Debug, Clone, Default)]
pub(in crate::ledger) struct Start {
    /// From which ids and tokens follow; without it they are random.
    pub(in crate::ledger) id_seed: Option<u64>,
    /// The gateways that are configured.
    pub(in crate::ledger) configured: Vec<Gateway>,
    /// Whether events are kept, if that is said now.
    pub(in crate::ledger) events: Option<bool>,
    /// Whether it has to be a test ledger; none: it is as it was made.
    pub(in crate::ledger) is_test: Option<bool>,
    /// Whether it is made where there is none.
    pub(in crate::ledger) is_made: bool,
    /// Whether a test ledger is this process's alone.
    pub(in crate::ledger) is_alone: bool,
}

/// A ledger that is open.
pub(in crate::ledger) struct Opened {
    pub(in crate::ledger) store: Store,
    /// It is marked as test.
    pub(in crate::ledger) is_test: bool,
}

/// Opens the writing side of a ledger, whose schema is made or brought up to date.
pub(in crate::ledger) fn open(address: Address, start: Start) -> Result<Opened, PostgresError> {
    let Start { id_seed, configured, events, is_test, is_made, is_alone } = start;
    let mut node = [0_u8; 16];
    drawing::fill_randomly(&mut node)?;
    let runtime = Waiter::new()?;
    let mut link = Link::connect(&runtime, &address, Use::Opening { is_made })?;
    compare_clocks(&mut link)?;
    let world = World { configured, id_seed, ..World::default() };
    let read_at = address.clone();
    let mut store = Store::new(address, runtime, link, node, world);
    store.begin()?;
    if store.work(|unit| unit.get::<Meta>(&(COPYING.to_owned(),)).map(|row| row.is_some()))? {
        store.roll_back()?;
        return Err(moving::unfinished());
    }
    let kind = store.work(|unit| kind(unit, is_test.unwrap_or(false)))?;
    let found = kind == TEST_KIND;
    if is_test.is_some_and(|wanted| wanted != found) {
        store.roll_back()?;
        let refused = format!("the ledger is marked as {kind}");
        return Err(PostgresError::new(Kind::Refused, refused));
    }
    if is_alone && found {
        // The lock may have to be waited for, and the turn is another node's meanwhile.
        commit(&mut store)?;
        store.be_alone()?;
        store.begin()?;
    }
    let begun = beginning::begin(&mut store, id_seed, events)?;
    // What other nodes have in memory of events and gateways may be out of date.
    store.change_world();
    commit(&mut store)?;
    let beginning::Begun { keeps_events, salt, row_salt } = begun;
    store.world.keeps_events = keeps_events;
    (store.world.salt, store.world.row_salt) = (salt, row_salt);
    summing::sum_all(&mut store, &read_at)?;
    Ok(Opened { store, is_test: found })
}

/// Makes the schema of the ledger at a URL or brings it up to date, and gives every row its sum:
/// what the owner of the schema may. What the ledger is for stays open where nothing served it yet.
/// Returns the version of the schema.
///
/// # Errors
/// Where the server cannot be reached, the role may not, or the schema is of something else.
pub fn migrate(url: &str) -> Result<i64, PostgresError> {
    let address = Address::of_process(url)?;
    let (runtime, mut node) = (Waiter::new()?, [0_u8; 16]);
    drawing::fill_randomly(&mut node)?;
    let link = Link::connect(&runtime, &address, Use::Opening { is_made: true })?;
    let read_at = address.clone();
    let mut store = Store::new(address, runtime, link, node, World::default());
    summing::sum_all(&mut store, &read_at)?;
    let link = store.link()?;
    Arc::clone(&link.runtime).block_on(schema::version(&link.client))
}

const MOMENT: &str = "select (extract(epoch from clock_timestamp()) * 1000)::bigint";

/// Refuses a server whose clock is far from this machine's.
fn compare_clocks(link: &mut Link) -> Result<(), PostgresError> {
    let moment = link.prepare((Verb::AskServer, 0), |_| Ok(MOMENT.to_owned()))?;
    let began = clocks::machine_ms();
    let rows = link.ask(&moment, &[])?;
    let Some(row) = rows.first() else { return Ok(()) };
    clocks::check((began, clocks::machine_ms()), row.try_get(0)?)
}

/// Commits the open batch, whose outcome has to be known.
pub(super) fn commit(store: &mut Store) -> Result<(), PostgresError> {
    store.flush()?;
    store.commit().map_err(|error| match error {
        CommitError::RolledBack(why) => {
            PostgresError::new(store.failed_of.unwrap_or(Kind::Refused), why)
        }
        CommitError::Unknown(why) => PostgresError::new(Kind::Lost, why),
    })
}

/// What the ledger is for: as it was said first.
fn kind(unit: &mut Unit<'_>, is_test: bool) -> Result<String, BooksError> {
    if let Some(kind) = unit.get::<Meta>(&(KIND.to_owned(),))? {
        return Ok(kind.value.clone());
    }
    let kind = test_bench::kind(is_test);
    unit.insert(Meta { key: KIND.to_owned(), value: kind.to_owned() })?;
    Ok(kind.to_owned())
}
