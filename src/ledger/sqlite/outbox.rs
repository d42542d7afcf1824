//! The outbox in SQLite: what is read of events and deliveries.

use super::SqliteLedger;
use super::store::Store;
use crate::domain::event::EventKind;
use crate::ledger::Reply;
use crate::ledger::engine::Engine;
use crate::ledger::outbox::{Attempt, Delivery, DeliveryStats, Event, Outbox};
use crate::ledger::queue::UseCase;
use crate::ledger::work::{delivering, naming};
use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row, params};

impl Outbox for SqliteLedger {
    fn register_webhooks(&self, names: Vec<String>) -> Reply<()> {
        self.writer
            .submit_patiently(move |store| store.work(|unit| delivering::register(unit, &names)))
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
        let collect = move |store: &mut Store| {
            store.work(|unit| delivering::collect(unit, &name, kinds.as_deref(), at))
        };
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
        self.writer.submit_case_patiently(UseCase::new(
            (webhook.to_owned(), sequence, attempt, at),
            |(webhook, event, ..), needs| naming::attempt(webhook, *event, needs),
            |unit, (webhook, event, attempt, at)| {
                delivering::note_attempt(unit, webhook, *event, attempt, *at)
            },
        ))
    }

    fn remove_events(&self, before: DateTime<Utc>, webhooks: Vec<String>) -> Reply<bool> {
        let before_ms = before.timestamp_millis();
        let oldest = self.readers.read(|connection| {
            let select = "select at_ms from event order by key limit 1";
            connection.prepare_cached(select)?.query_row([], |row| row.get(0)).optional()
        });
        let remove = move |store: &mut Store| {
            store.work(|unit| delivering::remove_events(unit, before, &webhooks))
        };
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
