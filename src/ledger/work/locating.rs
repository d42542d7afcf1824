//! Keeping where the next page of a query begins.
//!
//! What must stay true: a locator is its user's; a user has a bounded number of them and each a
//! bounded number of marks, so that pages of one row leave no mountain behind.

use super::drawing;
use crate::ledger::UserKey;
use crate::ledger::books::BooksError;
use crate::ledger::query::{FindError, LOCATOR_IDLE_MAX, QueryLocator};
use crate::ledger::record::Field;
use crate::ledger::records::{
    LOCATOR_BY_LAST_USE, LOCATOR_BY_USER, Locator, MARK_BY_LOCATOR, QueryMark,
};
use crate::ledger::unit::Unit;
use chrono::{DateTime, Utc};

/// How many locators a user can have; the one that was not used for the longest time goes first.
const LOCATORS_PER_USER_MAX: usize = 1_000;
/// How many marks a locator has; those at the greatest offsets stay.
const MARKS_PER_LOCATOR_MAX: usize = 100;
/// How many expired locators one batch removes: every request waits for the writer.
const REMOVED_MAX: u32 = 10;

/// What the writer keeps of a page behind which more follows.
#[derive(Debug, Clone)]
pub struct Keep {
    /// Whose query it is.
    pub user: UserKey,
    /// When the page was asked for.
    pub at: DateTime<Utc>,
    /// The locator that the page was found by; none for the first page.
    pub locator: Option<[u8; 16]>,
    /// The query, as JSON.
    pub query: String,
    /// The key of the last row of the set.
    pub newest: i64,
    /// How many rows the set has.
    pub size: u32,
    /// Where the next page begins; none behind the last page.
    pub mark: Option<Mark>,
}

/// After which row the page at an offset begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// How many rows come before.
    pub offset: u32,
    /// The key of the last of them.
    pub after: i64,
}

/// Keeps a locator and its mark, and gives where the next page begins.
pub fn keep(
    unit: &mut Unit<'_>,
    keep: &Keep,
) -> Result<Result<Option<QueryLocator>, FindError>, BooksError> {
    let id = match keep.locator {
        Some(id) => match unit.get::<Locator>(&(id,))? {
            // Gone since it was read. To say that nothing follows would be a lie.
            None => return Ok(Err(FindError::NoLocator)),
            Some(_) => {
                unit.change::<Locator>(&(id,), |locator| {
                    locator.last_used_ms = locator.last_used_ms.max(keep.at);
                })?;
                id
            }
        },
        None => new_locator(unit, keep)?,
    };
    let Some(mark) = keep.mark else {
        return Ok(Ok(None));
    };
    let key = (id, mark.offset);
    match unit.get::<QueryMark>(&key)? {
        Some(_) => unit.change::<QueryMark>(&key, |kept| kept.after_key = mark.after)?,
        None => {
            let (locator, at_offset, after_key) = (id, mark.offset, mark.after);
            unit.insert(QueryMark { locator, at_offset, after_key })?;
        }
    }
    // They come by their offsets.
    let marks: Vec<QueryMark> = unit.all(&MARK_BY_LOCATOR, &[id.stored()])?;
    for surplus in marks.iter().rev().skip(MARKS_PER_LOCATOR_MAX) {
        unit.remove::<QueryMark>(&(id, surplus.at_offset))?;
    }
    Ok(Ok(Some(QueryLocator { id, offset: mark.offset })))
}

fn new_locator(unit: &mut Unit<'_>, keep: &Keep) -> Result<[u8; 16], BooksError> {
    let id = drawing::locator_id(unit)?;
    unit.remove_older(&LOCATOR_BY_LAST_USE, keep.at - LOCATOR_IDLE_MAX, REMOVED_MAX);
    let mut of_user: Vec<Locator> = unit.all(&LOCATOR_BY_USER, &[keep.user.stored()])?;
    of_user.sort_unstable_by_key(|locator| locator.last_used_ms);
    for surplus in of_user.iter().rev().skip(LOCATORS_PER_USER_MAX - 1) {
        unit.remove::<Locator>(&(surplus.id,))?;
    }
    let Keep { user, query, newest, size, at, .. } = keep.clone();
    unit.insert(Locator { id, user, query, newest, size, last_used_ms: at })?;
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::engine::Engine;
    use crate::ledger::memory::Memory;
    use crate::ledger::unit::World;

    const USER: UserKey = UserKey(7);

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + second, 0).unwrap()
    }

    fn page(locator: Option<[u8; 16]>, second: i64, offset: u32) -> Keep {
        let mark = Some(Mark { offset, after: i64::from(offset) });
        let (user, query) = (USER, "{}".to_owned());
        Keep { user, at: at(second), locator, query, newest: 9, size: 5, mark }
    }

    fn engine() -> Memory {
        let mut engine = Memory::new(World { id_seed: Some(1), ..World::default() });
        engine.begin().unwrap();
        engine
    }

    fn id(number: u128) -> [u8; 16] {
        number.to_be_bytes()
    }

    #[test]
    fn a_user_has_a_bounded_number_of_locators_and_the_one_used_last_stays() {
        let mut engine = engine();
        let most = i64::try_from(LOCATORS_PER_USER_MAX).unwrap();
        let made = engine.work(|unit| {
            for number in 1..=most {
                let (id, query) = (id(number.unsigned_abs().into()), String::new());
                let last_used_ms = at(number);
                let size = 0;
                unit.insert(Locator { id, user: USER, query, newest: 0, size, last_used_ms })?;
            }
            assert!(keep(unit, &page(Some(id(1)), most + 1, 1))?.is_ok());
            keep(unit, &page(None, most + 2, 1))
        });
        assert!(made.unwrap().unwrap().is_some());
        let left = engine.work(|unit| {
            let all: Vec<Locator> = unit.all(&LOCATOR_BY_USER, &[USER.stored()])?;
            Ok((all.len(), [1, 2, 3].map(|number| all.iter().any(|one| one.id == id(number)))))
        });
        assert_eq!(left.unwrap(), (LOCATORS_PER_USER_MAX, [true, false, true]));
    }

    #[test]
    fn a_locator_keeps_the_marks_at_the_greatest_offsets() {
        let mut engine = engine();
        let first = engine.work(|unit| keep(unit, &page(None, 0, 1))).unwrap().unwrap().unwrap();
        for offset in 2..=102 {
            let next = engine.work(|unit| keep(unit, &page(Some(first.id), 1, offset)));
            assert_eq!(next.unwrap(), Ok(Some(QueryLocator { id: first.id, offset })));
        }
        // A page that is read again sets its mark anew.
        engine.work(|unit| keep(unit, &page(Some(first.id), 2, 50))).unwrap().unwrap();
        let marks =
            engine.work(|unit| unit.all::<QueryMark>(&MARK_BY_LOCATOR, &[first.id.stored()]));
        let offsets: Vec<_> = marks.unwrap().iter().map(|mark| mark.at_offset).collect();
        assert_eq!(offsets, (3..=102).collect::<Vec<_>>());
    }

    #[test]
    fn a_locator_that_went_meanwhile_is_none_and_not_an_end() {
        let gone = engine().work(|unit| keep(unit, &page(Some(id(1)), 0, 1)));
        assert_eq!(gone.unwrap(), Err(FindError::NoLocator));
    }
}
