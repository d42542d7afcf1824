//! What the writer keeps between the pages of a query: the locator, and marks in its set.

use super::store::Store;
use crate::ledger::engine::Engine;
use crate::ledger::query::{FindError, LOCATOR_IDLE_MAX, QueryLocator};
use crate::ledger::work::drawing;
use rusqlite::params;

/// How many locators a user can have; the one that was not used for the longest time goes first.
const LOCATORS_PER_USER_MAX: i64 = 1_000;
/// How many marks a locator has, so that pages of one row leave no mountain behind; those at the
/// greatest offsets stay.
const MARKS_PER_LOCATOR_MAX: i64 = 100;

/// What the writer keeps.
#[derive(Clone)]
pub(super) struct Keep {
    pub(super) user: i64,
    pub(super) at_ms: i64,
    pub(super) locator: Option<[u8; 16]>,
    pub(super) query: String,
    pub(super) newest: i64,
    pub(super) size: u32,
    pub(super) mark: Option<Mark>,
}

/// After which row the page at an offset begins.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    pub(super) offset: u32,
    pub(super) after: i64,
}

/// Keeps a locator and its mark, and gives where the next page begins.
pub(super) fn keep_locator(
    store: &mut Store,
    keep: &Keep,
) -> rusqlite::Result<Result<Option<QueryLocator>, FindError>> {
    let id = match keep.locator {
        Some(id) => {
            let update = "update query_locator set last_used_ms = max(last_used_ms, ?2), \
                          sum = row_sum(id, user, query, newest, size, max(last_used_ms, ?2)) \
                          where id = ?1";
            let updated =
                store.connection().prepare_cached(update)?.execute(params![id, keep.at_ms])?;
            // Gone since it was read. To say that nothing follows would be a lie.
            if updated == 0 {
                return Ok(Err(FindError::NoLocator));
            }
            id
        }
        None => new_locator(store, keep)?,
    };
    let Some(mark) = keep.mark else {
        return Ok(Ok(None));
    };
    let insert = "insert into query_mark (locator, at_offset, after_key, sum) \
                  values (?1, ?2, ?3, row_sum(?1, ?2, ?3)) \
                  on conflict do update set after_key = excluded.after_key, sum = excluded.sum";
    store.connection().prepare_cached(insert)?.execute(params![id, mark.offset, mark.after])?;
    let surplus = "delete from query_mark where locator = ?1 and at_offset in ( \
                   select at_offset from query_mark where locator = ?1 \
                   order by at_offset desc limit -1 offset ?2)";
    store.connection().prepare_cached(surplus)?.execute(params![id, MARKS_PER_LOCATOR_MAX])?;
    Ok(Ok(Some(QueryLocator { id, offset: mark.offset })))
}

fn new_locator(store: &mut Store, keep: &Keep) -> rusqlite::Result<[u8; 16]> {
    let id = store.work(drawing::locator_id)?;
    let connection = store.connection();
    let expired = keep.at_ms - LOCATOR_IDLE_MAX.num_milliseconds();
    // A few at a time, because everybody waits for the writer.
    let forget = "delete from query_locator where id in (select id from query_locator \
                  where last_used_ms < ?1 limit 10)";
    connection.prepare_cached(forget)?.execute(params![expired])?;
    let surplus = "delete from query_locator where id in (select id from query_locator \
                   where user = ?1 order by last_used_ms desc limit -1 offset ?2)";
    connection.prepare_cached(surplus)?.execute(params![keep.user, LOCATORS_PER_USER_MAX - 1])?;
    let insert = "insert into query_locator (id, user, query, newest, size, last_used_ms, sum) \
                  values (?1, ?2, ?3, ?4, ?5, ?6, row_sum(?1, ?2, ?3, ?4, ?5, ?6))";
    let Keep { user, query, newest, size, at_ms, .. } = keep;
    connection.prepare_cached(insert)?.execute(params![id, user, query, newest, size, at_ms])?;
    Ok(id)
}
