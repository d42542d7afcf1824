//! The age of a ledger: by which moment sessions, keys, locators and events get old, and how far
//! the clock was set back.
//!
//! What must stay true: the age never goes back. Of two processes that noted a clock that was set
//! back, the larger span and the later moment count, until that moment has passed.

use super::numbering;
use crate::domain::age::{Age, SetBack};
use crate::ledger::books::BooksError;
use crate::ledger::reader::Reader;
use crate::ledger::records::Meta;
use crate::ledger::unit::Unit;
use chrono::{DateTime, TimeDelta};

/// Under which names the ledger keeps the moment by which things get old, what the machine's clock
/// said then, by how much that was set back, and until when that matters; in milliseconds.
const AGE: &str = "age_ms";
const MACHINE: &str = "clock_ms";
const SET_BACK_BY: &str = "set_back_ms";
const SET_BACK_UNTIL: &str = "set_back_until_ms";

/// The moments that have an index.
pub const INDEXED: [&str; 3] = [
    "select max(last_used_ms) from session",
    "select max(last_used_ms) from query_locator",
    "select max(at_ms) from idempotency",
];

/// The newest moment by which something in the ledger got old, and how far the clock was set back;
/// none on a new ledger.
pub fn age(reader: &mut dyn Reader) -> Result<Option<Age>, BooksError> {
    let newest = kept(reader, AGE)?.max(newest_use(reader)?);
    let Some(at) = newest.and_then(DateTime::from_timestamp_millis) else { return Ok(None) };
    let machine = kept(reader, MACHINE)?.and_then(DateTime::from_timestamp_millis);
    let by = kept(reader, SET_BACK_BY)?.map(TimeDelta::milliseconds);
    let until = kept(reader, SET_BACK_UNTIL)?.and_then(DateTime::from_timestamp_millis);
    let set_back = by.zip(until).map(|(by, until)| SetBack { by, until });
    Ok(Some(Age { at, machine, set_back }))
}

/// When a session, a locator or a key was used last, in milliseconds.
pub fn newest_use(reader: &mut dyn Reader) -> Result<Option<i64>, BooksError> {
    let mut newest = None;
    for select in INDEXED {
        newest = newest.max(reader.first(select, &[], |row| row.get(0))?.flatten());
    }
    Ok(newest)
}

fn kept(reader: &mut dyn Reader, name: &str) -> Result<Option<i64>, BooksError> {
    let kept = reader.record::<Meta>(&(name.to_owned(),))?;
    Ok(kept.and_then(|kept| kept.value.parse().ok()))
}

/// Notes how old the ledger is.
pub fn keep(unit: &mut Unit<'_>, age: Age) -> Result<(), BooksError> {
    numbering::raise(unit, AGE, age.at.timestamp_millis())?;
    if let Some(machine) = age.machine {
        numbering::set(unit, MACHINE, machine.timestamp_millis())?;
    }
    let Some(SetBack { by, until }) = age.set_back else { return Ok(()) };
    if numbering::count(unit, SET_BACK_UNTIL)? < age.at.timestamp_millis() {
        numbering::set(unit, SET_BACK_BY, 0)?;
    }
    numbering::raise(unit, SET_BACK_BY, by.num_milliseconds())?;
    numbering::raise(unit, SET_BACK_UNTIL, until.timestamp_millis())
}
