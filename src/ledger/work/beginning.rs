//! What a process settles with a ledger before it serves it: the salts of its ids, whether events
//! are kept, and by which ids and numbers clients know its gateways.
//!
//! What must stay true: the salt is drawn once in a ledger's life; every gateway that the ledger
//! knows has an id and a number, which never change unless a seed says others; the built-in
//! sandbox, which always exists, comes first.

use super::drawing::{drawn_salt, gateway_id, seeded_salt};
use crate::domain::facts::SANDBOX_GATEWAY;
use crate::ledger::books::BooksError;
use crate::ledger::engine::Engine;
use crate::ledger::records::{GATEWAY_IDENTITIES, GatewayIdentity, Meta};
use crate::ledger::unit::Unit;

/// Under which name the ledger keeps whether what happens is kept for webhooks.
pub const EVENTS: &str = "events";
/// That it is.
pub const EVENTS_ON: &str = "on";
/// That it is not.
const EVENTS_OFF: &str = "off";
/// Under which name the ledger keeps its salt.
pub const SALT: &str = "salt";

/// What a ledger says of itself once a process has begun to serve it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begun {
    /// Whether events are kept.
    pub keeps_events: bool,
    /// The salt of the ids of new refunds.
    pub salt: u32,
    /// The salt of ids that follow from a row and the ledger alone.
    pub row_salt: u32,
}

/// Begins to serve a ledger, in a transaction of its own: `events` says whether events are kept,
/// or none that they are as they were; with `id_seed` all ids follow from it.
pub fn begin<E: Engine>(
    engine: &mut E,
    id_seed: Option<u64>,
    events: Option<bool>,
) -> Result<Begun, E::Error> {
    engine.work(|unit| {
        let seeded = id_seed.map(seeded_salt);
        let row_salt = ledger_salt(unit, seeded)?;
        let keeps_events = keep_events(unit, events)?;
        name_gateways(unit)?;
        Ok(Begun { keeps_events, salt: seeded.unwrap_or(row_salt), row_salt })
    })
}

/// The salt of a ledger: drawn once in its life, or that of the id seed it began with.
fn ledger_salt(unit: &mut Unit<'_>, seeded: Option<u32>) -> Result<u32, BooksError> {
    if let Some(kept) = unit.get::<Meta>(&(SALT.to_owned(),))? {
        let unknown = BooksError::Unknown { table: "meta", column: "value" };
        return kept.value.parse().map_err(|_| unknown);
    }
    let salt = seeded.map_or_else(drawn_salt, Ok)?;
    unit.insert(Meta { key: SALT.to_owned(), value: salt.to_string() })?;
    Ok(salt)
}

/// Whether events are kept: as it is said now, which is written down, or as it was said last.
fn keep_events(unit: &mut Unit<'_>, said: Option<bool>) -> Result<bool, BooksError> {
    let key = (EVENTS.to_owned(),);
    let kept = unit.get::<Meta>(&key)?.map(|kept| kept.value == EVENTS_ON);
    let is_kept = kept.unwrap_or(false);
    let Some(said) = said.filter(|said| *said != is_kept) else { return Ok(is_kept) };
    let value = if said { EVENTS_ON } else { EVENTS_OFF }.to_owned();
    match kept {
        Some(_) => unit.change::<Meta>(&key, |meta| meta.value = value)?,
        None => unit.insert(Meta { key: key.0, value })?,
    }
    Ok(said)
}

/// Gives those gateways that have none an id that follows from their name, and the next number.
pub fn name_gateways(unit: &mut Unit<'_>) -> Result<(), BooksError> {
    let known: Vec<GatewayIdentity> = unit.all(&GATEWAY_IDENTITIES, &[])?;
    let mut newest = known.iter().filter_map(|one| counted(&one.number)).max().unwrap_or(0);
    let mut named: Vec<String> = known.into_iter().map(|one| one.name).collect();
    let configured = unit.world.gateways.iter().map(|gateway| gateway.name.clone());
    let all: Vec<String> = std::iter::once(SANDBOX_GATEWAY.to_owned()).chain(configured).collect();
    for name in all {
        if named.contains(&name) {
            continue;
        }
        newest += 1;
        let id = gateway_id(&name);
        named.push(name.clone());
        unit.insert(GatewayIdentity { name, id, number: format!("PG-{newest:08}") })?;
    }
    Ok(())
}

/// The count in a number like `PG-00000001`; what a seed puts behind the digits does not matter.
fn counted(number: &str) -> Option<u64> {
    let counted = number.strip_prefix("PG-")?;
    let end = counted.find(|one: char| !one.is_ascii_digit()).unwrap_or(counted.len());
    counted.get(..end)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::facts::Gateway;
    use crate::ledger::memory::Memory;
    use crate::ledger::unit::World;

    #[test]
    fn a_ledger_begins_once_and_goes_on_as_it_began() {
        let gateway = |name: &str| Gateway { name: name.to_owned(), ..Gateway::sandbox() };
        let gateways = vec![gateway("b"), gateway("a")];
        let mut engine = Memory::new(World { gateways, ..World::default() });
        engine.begin().unwrap();
        let first = begin(&mut engine, None, None).unwrap();
        assert!(!first.keeps_events && first.salt == first.row_salt && first.salt < 1 << 24);
        let again = begin(&mut engine, Some(5), Some(true)).unwrap();
        assert!(again.keeps_events && again.row_salt == first.row_salt);
        assert_eq!(again.salt, seeded_salt(5));
        assert!(begin(&mut engine, None, None).unwrap().keeps_events, "as it was said last");
        let named = engine.work(|unit| unit.all::<GatewayIdentity>(&GATEWAY_IDENTITIES, &[]));
        let named = named.unwrap();
        let numbers: Vec<_> =
            named.iter().map(|one| (one.name.as_str(), one.number.as_str())).collect();
        let expected =
            [(SANDBOX_GATEWAY, "PG-00000001"), ("b", "PG-00000002"), ("a", "PG-00000003")];
        assert_eq!(numbers.len(), expected.len());
        assert!(expected.iter().all(|one| numbers.contains(one)), "{numbers:?}");
    }

    #[test]
    fn numbers_of_gateways_go_on_behind_the_greatest() {
        assert_eq!(counted("PG-00000012"), Some(12));
        assert_eq!(counted("PG-7 of a seed"), Some(7));
        for none in ["PG-", "12", "PX-00000001", ""] {
            assert_eq!(counted(none), None, "{none}");
        }
    }
}
