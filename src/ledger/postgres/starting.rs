//! What is done before a ledger in PostgreSQL is served: its schema, what it is for, the salts of
//! its ids, and the identities of its gateways.

use super::address::Address;
use super::fault::{Kind, PostgresError};
use super::link::{Link, new_runtime};
use super::store::Store;
use crate::domain::facts::{Gateway, SANDBOX_GATEWAY};
use crate::ledger::books::BooksError;
use crate::ledger::engine::{CommitError, Engine};
use crate::ledger::records::{GATEWAY_IDENTITIES, GatewayIdentity, Meta};
use crate::ledger::unit::{Unit, World};
use crate::ledger::work::drawing;
use std::collections::BTreeSet;

/// The names under which the ledger keeps what it knows of itself.
const KIND: &str = "kind";
const SALT: &str = "salt";
const EVENTS: &str = "events";

/// How a ledger is opened.
#[derive(Debug, Clone, Default)]
pub(in crate::ledger) struct Start {
    /// From which ids and tokens follow; without it they are random.
    pub(in crate::ledger) id_seed: Option<u64>,
    /// The gateways that are configured.
    pub(in crate::ledger) configured: Vec<Gateway>,
    /// Whether events are kept, if that is said now.
    pub(in crate::ledger) events: Option<bool>,
    /// Whether it is a test ledger.
    pub(in crate::ledger) is_test: bool,
}

/// Opens the writing side of a ledger, whose schema is made or brought up to date.
pub(in crate::ledger) fn open(address: Address, start: Start) -> Result<Store, PostgresError> {
    let mut node = [0_u8; 16];
    drawing::fill_randomly(&mut node)?;
    let runtime = new_runtime()?;
    let link = Link::connect(&runtime, &address, true)?;
    let Start { id_seed, configured, events, is_test } = start;
    let world = World { configured, id_seed, ..World::default() };
    let mut store = Store::new(address, runtime, link, node, world);
    store.begin()?;
    let first = store.work(|unit| first(unit, events, is_test));
    let first = match first {
        Ok(Ok(first)) => first,
        Ok(Err(refused)) => {
            store.roll_back()?;
            return Err(PostgresError::new(Kind::Refused, refused));
        }
        Err(error) => return Err(error),
    };
    store.flush()?;
    store.commit().map_err(|error| match error {
        CommitError::RolledBack(why) => PostgresError::new(Kind::Refused, why),
        CommitError::Unknown(why) => PostgresError::new(Kind::Lost, why),
    })?;
    let salt = id_seed.map_or(first.row_salt, drawing::seeded_salt);
    let First { row_salt, keeps_events } = first;
    store.world = World { salt, row_salt, keeps_events, ..store.world };
    Ok(store)
}

/// What follows from the rows of the ledger itself.
struct First {
    row_salt: u32,
    keeps_events: bool,
}

/// Writes down what a new ledger is, and reads what an old one is; refused if it is for something
/// else.
fn first(
    unit: &mut Unit<'_>,
    events: Option<bool>,
    is_test: bool,
) -> Result<Result<First, String>, BooksError> {
    let kind = if is_test { "test" } else { "real" };
    let found = said(unit, KIND, || Ok(kind.to_owned()))?;
    if found != kind {
        return Ok(Err(format!("the ledger is marked as {found}, and a {kind} one is asked for")));
    }
    let id_seed = unit.world.id_seed;
    let salt = said(unit, SALT, || {
        let salt = id_seed.map_or_else(drawing::drawn_salt, |seed| Ok(drawing::seeded_salt(seed)));
        salt.map(|salt| salt.to_string())
    })?;
    let unknown = || BooksError::Unknown { table: "meta", column: "value" };
    let row_salt = salt.parse().map_err(|_| unknown())?;
    let as_text = |keeps: bool| if keeps { "on" } else { "off" }.to_owned();
    let keeps_events = said(unit, EVENTS, || Ok(as_text(events.unwrap_or(false))))? == "on";
    let keeps_events = match events.filter(|said| *said != keeps_events) {
        None => keeps_events,
        Some(said) => {
            unit.change::<Meta>(&(EVENTS.to_owned(),), |meta| meta.value = as_text(said))?;
            said
        }
    };
    name_gateways(unit)?;
    Ok(Ok(First { row_salt, keeps_events }))
}

/// What the ledger says under a name; what is given here if it says nothing yet.
fn said(
    unit: &mut Unit<'_>,
    name: &str,
    first: impl FnOnce() -> Result<String, BooksError>,
) -> Result<String, BooksError> {
    if let Some(meta) = unit.get::<Meta>(&(name.to_owned(),))? {
        return Ok(meta.value.clone());
    }
    let value = first()?;
    unit.insert(Meta { key: name.to_owned(), value: value.clone() })?;
    Ok(value)
}

/// Gives every gateway that has none an id that follows from its name, and the next number; the
/// built-in sandbox, which always exists, comes first.
fn name_gateways(unit: &mut Unit<'_>) -> Result<(), BooksError> {
    let known = unit.all::<GatewayIdentity>(&GATEWAY_IDENTITIES, &[])?;
    let numbers = known.iter().filter_map(|known| known.number.strip_prefix("PG-"));
    let mut newest = numbers.filter_map(|number| number.parse::<i64>().ok()).max().unwrap_or(0);
    let mut names: BTreeSet<String> = known.into_iter().map(|known| known.name).collect();
    let gateways: Vec<_> = unit.world.gateways.iter().map(|gateway| gateway.name.clone()).collect();
    for name in std::iter::once(SANDBOX_GATEWAY.to_owned()).chain(gateways) {
        if !names.insert(name.clone()) {
            continue;
        }
        newest += 1;
        let id = drawing::gateway_id(&name);
        unit.insert(GatewayIdentity { name, id, number: format!("PG-{newest:08}") })?;
    }
    Ok(())
}
