//! Keys and numbers that are counted: what was given once is never given again, also after the row
//! that had it is gone.
//!
//! What must stay true: the counters are rows of the ledger and change in the transaction of the
//! row that they count.

use crate::ledger::books::BooksError;
use crate::ledger::record::{Field, Lookup};
use crate::ledger::records::Meta;
use crate::ledger::unit::Unit;
use crate::ledger::working_set::Shelved;

/// The next key of the table that is counted under `counter`, which none of its rows ever had: ids
/// carry keys.
pub fn next_key<R: Shelved>(unit: &mut Unit<'_>, counter: &str) -> Result<i64, BooksError> {
    let name = format!("last_key_{counter}");
    let given = count(unit, &name)?;
    let key = unit.next_key_above::<R>(given)?;
    set(unit, name, key)?;
    Ok(key)
}

/// The next number that no row has, as `by_number` finds rows: a prefix and eight digits, which are
/// counted under `counter`.
pub fn next_number<R: Shelved>(
    unit: &mut Unit<'_>,
    by_number: &'static Lookup,
    counter: &str,
    prefix: &str,
) -> Result<String, BooksError> {
    loop {
        let name = format!("last_number_{counter}");
        let next = count(unit, &name)?.saturating_add(1);
        set(unit, name, next)?;
        let number = format!("{prefix}{next:08}");
        if !unit.any::<R>(by_number, &[number.stored()])? {
            return Ok(number);
        }
    }
}

/// Adds one to a counter of the ledger, and gives its new value.
pub fn count_up(unit: &mut Unit<'_>, name: &str) -> Result<u64, BooksError> {
    let next = count(unit, name)?.saturating_add(1);
    set(unit, name.to_owned(), next)?;
    Ok(next.unsigned_abs())
}

/// Raises a counter of the ledger to a value, unless it is there already.
pub fn raise(unit: &mut Unit<'_>, name: &str, to: i64) -> Result<(), BooksError> {
    let is_below = count(unit, name)? < to;
    if is_below { set(unit, name.to_owned(), to) } else { Ok(()) }
}

fn count(unit: &mut Unit<'_>, name: &str) -> Result<i64, BooksError> {
    let meta = unit.get::<Meta>(&(name.to_owned(),))?;
    Ok(meta.and_then(|meta| meta.value.parse().ok()).unwrap_or(0))
}

fn set(unit: &mut Unit<'_>, name: String, count: i64) -> Result<(), BooksError> {
    let (key, value) = ((name,), count.to_string());
    match unit.get::<Meta>(&key)? {
        Some(_) => unit.change::<Meta>(&key, |meta| meta.value = value),
        None => unit.insert(Meta { key: key.0, value }),
    }
}
