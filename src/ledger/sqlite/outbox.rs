//! The outbox in SQLite: events beside what they tell of, and what each webhook still has to get.
//!
//! What must stay true: of the events of an account that wait for a webhook only the first has a
//! moment (`next_ms`), so that nothing overtakes it; whoever takes it away gives the next one its
//! moment in the same transaction.

use super::SqliteLedger;
use super::store::Store;
use crate::domain::event::EventKind;
use crate::ledger::Reply;
use crate::ledger::outbox::{Attempt, Delivery, DeliveryStats, Event, Outbox};
use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

/// How many events one transaction collects for a webhook.
const COLLECTED_MAX: i64 = 500;
/// How many events one transaction removes.
const REMOVED_MAX: i64 = 500;
/// The most characters of what went wrong that are kept.
const WHY_CHARS_MAX: usize = 500;

impl Outbox for SqliteLedger {
    fn register_webhooks(&self, names: Vec<String>) -> Reply<()> {
        self.writer.submit_patiently(move |store| {
            let insert = "insert into webhook (name, collected) \
                 select ?1, coalesce(max(key), 0) from event where true on conflict do nothing";
            let mut statement = store.connection().prepare_cached(insert)?;
            names.iter().try_for_each(|name| statement.execute([name]).map(|_| ()))
        })
    }

    fn collect(
        &self,
        webhook: &str,
        kinds: Option<Vec<EventKind>>,
        at: DateTime<Utc>,
    ) -> Reply<bool> {
        let webhook = webhook.to_owned();
        let (name, behind) = (
            webhook.clone(),
            self.readers.read({
                let webhook = webhook.clone();
                move |connection| is_behind(connection, &webhook)
            }),
        );
        let at_ms = at.timestamp_millis();
        let collect =
            move |store: &mut Store| collect(store.connection(), &name, kinds.as_deref(), at_ms);
        // Nobody who writes waits for a webhook that has nothing to get.
        let writer = self.writer.later();
        Box::pin(async move {
            match behind.await? {
                false => Ok(false),
                true => writer.submit(collect).await,
            }
        })
    }

    fn due(&self, webhook: &str, at: DateTime<Utc>, most: usize) -> Reply<Vec<Delivery>> {
        let (webhook, at_ms) = (webhook.to_owned(), at.timestamp_millis());
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        self.readers.read(move |connection| due(connection, &webhook, at_ms, most))
    }

    fn note_attempt(
        &self,
        webhook: &str,
        sequence: i64,
        attempt: Attempt,
        at: DateTime<Utc>,
    ) -> Reply<()> {
        let (webhook, at_ms) = (webhook.to_owned(), at.timestamp_millis());
        self.writer.submit_patiently(move |store| {
            note_attempt(store.connection(), &webhook, sequence, &attempt, at_ms)
        })
    }

    fn remove_events(&self, before: DateTime<Utc>, webhooks: Vec<String>) -> Reply<bool> {
        let before_ms = before.timestamp_millis();
        let oldest = self.readers.read(|connection| {
            let select = "select at_ms from event order by key limit 1";
            connection.prepare_cached(select)?.query_row([], |row| row.get(0)).optional()
        });
        let remove =
            move |store: &mut Store| remove_events(store.connection(), before_ms, &webhooks);
        let writer = self.writer.later();
        Box::pin(async move {
            match oldest.await? {
                Some(oldest) if oldest < before_ms => writer.submit(remove).await,
                None | Some::<i64>(_) => Ok(false),
            }
        })
    }

    fn delivery_stats(&self, webhook: &str) -> Reply<DeliveryStats> {
        let webhook = webhook.to_owned();
        self.readers.read(move |connection| {
            let select = "select count(*), coalesce(sum(is_given_up), 0) from delivery \
                          where webhook = ?1";
            connection.prepare_cached(select)?.query_row([webhook], |row| {
                let (all, given_up): (i64, i64) = (row.get(0)?, row.get(1)?);
                let waiting = (all - given_up).unsigned_abs();
                Ok(DeliveryStats { waiting, given_up: given_up.unsigned_abs() })
            })
        })
    }
}

fn is_behind(connection: &Connection, webhook: &str) -> rusqlite::Result<bool> {
    let select = "select coalesce(max(key), 0) > coalesce( \
                  (select collected from webhook where name = ?1), 0) from event";
    connection.prepare_cached(select)?.query_row([webhook], |row| row.get(0))
}

fn collect(
    connection: &Connection,
    webhook: &str,
    kinds: Option<&[EventKind]>,
    at_ms: i64,
) -> rusqlite::Result<bool> {
    let from = "select collected from webhook where name = ?1";
    let from: Option<i64> =
        connection.prepare_cached(from)?.query_row([webhook], |row| row.get(0)).optional()?;
    let select = "select key, account, kind from event where key > ?1 order by key limit ?2";
    let mut statement = connection.prepare_cached(select)?;
    let found = statement.query_map(params![from.unwrap_or(0), COLLECTED_MAX], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    })?;
    let found: Vec<(i64, i64, String)> = found.collect::<Result<_, _>>()?;
    let insert = "insert into delivery (webhook, event, account, attempts, since_ms, next_ms, \
         is_given_up) values (:webhook, :event, :account, 0, :at_ms, iif(exists( \
             select 1 from delivery where webhook = :webhook and account = :account \
             and is_given_up = 0), null, :at_ms), 0)";
    let mut insert = connection.prepare_cached(insert)?;
    for (key, account, kind) in &found {
        let is_wanted = kinds.is_none_or(|kinds| kinds.iter().any(|wanted| wanted.name() == kind));
        if is_wanted {
            insert.execute(named_params! {
                ":webhook": webhook, ":event": key, ":account": account, ":at_ms": at_ms,
            })?;
        }
    }
    if let Some((last, ..)) = found.last() {
        let update = "insert into webhook (name, collected) values (?1, ?2) \
                      on conflict (name) do update set collected = excluded.collected";
        connection.prepare_cached(update)?.execute(params![webhook, last])?;
    }
    Ok(i64::try_from(found.len()).unwrap_or(i64::MAX) == COLLECTED_MAX)
}

fn remove_events(
    connection: &Connection,
    before_ms: i64,
    webhooks: &[String],
) -> rusqlite::Result<bool> {
    // The newest event stays, so that the next one has the next number.
    let select = "select key from (select key, at_ms from event \
             where key < (select max(key) from event) order by key limit ?1) \
         where at_ms < ?2 \
         and key <= coalesce((select min(collected) from webhook \
             where name in (select value from json_each(?3))), key) \
         and not exists (select 1 from delivery where event = key and is_given_up = 0)";
    let names = serde_json::to_string(webhooks)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    let mut statement = connection.prepare_cached(select)?;
    let keys = statement.query_map(params![REMOVED_MAX, before_ms, names], |row| row.get(0))?;
    let keys: Vec<i64> = keys.collect::<Result<_, _>>()?;
    for key in &keys {
        connection.prepare_cached("delete from delivery where event = ?1")?.execute([key])?;
        connection.prepare_cached("delete from event where key = ?1")?.execute([key])?;
    }
    Ok(i64::try_from(keys.len()).unwrap_or(i64::MAX) == REMOVED_MAX)
}

fn due(
    connection: &Connection,
    webhook: &str,
    at_ms: i64,
    most: i64,
) -> rusqlite::Result<Vec<Delivery>> {
    let select = "select event.key, event.payload, attempts, since_ms from delivery \
         join event on event.key = delivery.event \
         where webhook = ?1 and next_ms <= ?2 order by next_ms, delivery.event limit ?3";
    let mut statement = connection.prepare_cached(select)?;
    let due = statement.query_map(params![webhook, at_ms, most], |row| {
        let since = DateTime::from_timestamp_millis(row.get(3)?).unwrap_or_default();
        Ok(Delivery { event: event(row)?, attempts: row.get(2)?, since })
    })?;
    due.collect()
}

fn event(row: &Row<'_>) -> rusqlite::Result<Event> {
    Ok(Event { sequence: row.get(0)?, payload: row.get(1)? })
}

fn note_attempt(
    connection: &Connection,
    webhook: &str,
    sequence: i64,
    attempt: &Attempt,
    at_ms: i64,
) -> rusqlite::Result<()> {
    let cut = |why: &str| why.chars().take(WHY_CHARS_MAX).collect::<String>();
    let (next_ms, why) = match attempt {
        Attempt::Delivered => {
            let delete = "delete from delivery where webhook = ?1 and event = ?2";
            connection.prepare_cached(delete)?.execute(params![webhook, sequence])?;
            return begin_next(connection, webhook, sequence, at_ms);
        }
        Attempt::Again { next, why } => (Some(next.timestamp_millis()), cut(why)),
        Attempt::GivenUp { why } => (None, cut(why)),
    };
    let update = "update delivery set attempts = attempts + 1, next_ms = ?3, last_error = ?4, \
                  is_given_up = ?3 is null where webhook = ?1 and event = ?2";
    let values = params![webhook, sequence, next_ms, why];
    connection.prepare_cached(update)?.execute(values)?;
    match next_ms {
        Some(_) => Ok(()),
        None => begin_next(connection, webhook, sequence, at_ms),
    }
}

/// Lets the next event of the account go.
fn begin_next(
    connection: &Connection,
    webhook: &str,
    sequence: i64,
    at_ms: i64,
) -> rusqlite::Result<()> {
    let update = "update delivery set next_ms = ?3, since_ms = ?3 where webhook = ?1 \
         and event = (select min(event) from delivery where webhook = ?1 and is_given_up = 0 \
             and account = (select account from event where key = ?2)) and next_ms is null";
    let values = params![webhook, sequence, at_ms];
    connection.prepare_cached(update)?.execute(values).map(|_| ())
}

/// At most `most` events after this place.
pub(super) fn events_after(
    connection: &Connection,
    sequence: i64,
    most: usize,
) -> rusqlite::Result<Vec<Event>> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let select = "select key, payload from event where key > ?1 order by key limit ?2";
    let mut statement = connection.prepare_cached(select)?;
    let events = statement.query_map(params![sequence, most], event)?;
    events.collect()
}
