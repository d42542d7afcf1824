//! The outbox: what is read of events and deliveries.

use super::{Backend, Served};
use crate::domain::event::EventKind;
use crate::ledger::Reply;
use crate::ledger::books::BooksError;
use crate::ledger::engine::Engine;
use crate::ledger::outbox::{Attempt, Decided, Decision, Delivery, DeliveryStats, Event, Outbox};
use crate::ledger::queue::UseCase;
use crate::ledger::reader::{Reader, Row};
use crate::ledger::records::Meta;
use crate::ledger::trail::Act;
use crate::ledger::work::beginning::{EVENTS, EVENTS_ON};
use crate::ledger::work::{delivering, naming, undelivered};
use chrono::{DateTime, Utc};

impl<B: Backend> Outbox for Served<B> {
    fn register_webhooks(&self, names: Vec<String>) -> Reply<()> {
        self.write_patiently(move |unit| delivering::register(unit, &names))
    }

    fn collect(
        &self,
        webhook: &str,
        kinds: Option<Vec<EventKind>>,
        at: DateTime<Utc>,
    ) -> Reply<bool> {
        let (name, webhook) = (webhook.to_owned(), webhook.to_owned());
        let behind = self.backend.read(move |reader| is_behind(reader, &webhook));
        let collect = move |engine: &mut B::Engine| {
            engine.work(|unit| delivering::collect(unit, &name, kinds.as_deref(), at))
        };
        // No write waits for a webhook that has nothing to get.
        let writer = self.writer.later();
        Box::pin(async move {
            match behind.await? {
                false => Ok(false),
                true => writer.submit(collect).await,
            }
        })
    }

    fn due(&self, webhook: &str, at: DateTime<Utc>, most: usize) -> Reply<Vec<Delivery>> {
        let webhook = webhook.to_owned();
        self.backend.read(move |reader| due(reader, &webhook, at, most))
    }

    fn note_attempt(
        &self,
        webhook: &str,
        tried: (i64, u32),
        attempt: Attempt,
        at: DateTime<Utc>,
    ) -> Reply<()> {
        self.writer.submit_case_patiently(UseCase::new(
            (webhook.to_owned(), tried, attempt, at),
            |(webhook, (event, _), ..), needs| naming::attempt(webhook, *event, needs),
            |unit, (webhook, tried, attempt, at)| {
                delivering::note_attempt(unit, webhook, *tried, attempt, *at)
            },
        ))
    }

    fn decide_delivery(
        &self,
        (webhook, event): (&str, i64),
        decision: Decision,
        at: DateTime<Utc>,
        act: Act,
    ) -> Reply<Decided> {
        let webhook = webhook.to_owned();
        self.write(None, move |unit| {
            undelivered::decide(unit, (&webhook, event), &decision, at, &act)
        })
    }

    fn remove_events(&self, before: DateTime<Utc>, webhooks: Vec<String>) -> Reply<bool> {
        let oldest = self.backend.read(|reader| {
            let select = "select at_ms from event order by key limit 1";
            reader.first(select, &[], |row| row.get::<DateTime<Utc>>(0))
        });
        let remove = move |engine: &mut B::Engine| {
            engine.work(|unit| delivering::remove_events(unit, before, &webhooks))
        };
        let writer = self.writer.later();
        Box::pin(async move {
            match oldest.await? {
                Some(oldest) if oldest < before => writer.submit(remove).await,
                None | Some(_) => Ok(false),
            }
        })
    }

    fn delivery_stats(&self, webhook: &str) -> Reply<DeliveryStats> {
        let webhook = webhook.to_owned();
        self.backend.read(move |reader| {
            let select = "select count(*), cast(coalesce(sum(is_given_up), 0) as bigint) \
                          from delivery where webhook = ?1";
            let counted = reader.first(select, &[webhook.as_str().into()], |row| {
                let (all, given_up): (i64, i64) = (row.get(0)?, row.get(1)?);
                let waiting = (all - given_up).unsigned_abs();
                Ok(DeliveryStats { waiting, given_up: given_up.unsigned_abs() })
            })?;
            Ok(counted.unwrap_or_default())
        })
    }
}

fn is_behind(reader: &mut dyn Reader, webhook: &str) -> Result<bool, BooksError> {
    let select = "select coalesce(max(key), 0), coalesce( \
                  (select collected from webhook where name = ?1), 0) from event";
    let places = reader
        .first(select, &[webhook.into()], |row| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?)))?;
    Ok(places.is_some_and(|(newest, collected)| newest > collected))
}

fn due(
    reader: &mut dyn Reader,
    webhook: &str,
    at: DateTime<Utc>,
    most: usize,
) -> Result<Vec<Delivery>, BooksError> {
    let select = "select event.key, event.payload, delivery.account, attempts, since_ms \
         from delivery \
         join event on event.key = delivery.event \
         where webhook = ?1 and next_ms <= ?2 order by next_ms, delivery.event limit ?3";
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let values = [webhook.into(), at.timestamp_millis().into(), most.into()];
    reader.list(select, &values, |row| {
        let (account, attempts, since) = (row.get(2)?, row.get(3)?, row.get(4)?);
        Ok(Delivery { event: event(row)?, account, attempts, since })
    })
}

fn event(row: &Row<'_>) -> Result<Event, BooksError> {
    Ok(Event { sequence: row.get(0)?, payload: row.get(1)? })
}

/// At most `most` events after this place.
pub fn after(
    reader: &mut dyn Reader,
    sequence: i64,
    most: usize,
) -> Result<Vec<Event>, BooksError> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let select = "select key, payload from event where key > ?1 order by key limit ?2";
    reader.list(select, &[sequence.into(), most.into()], event)
}

/// Whether events were kept when the ledger was last served.
pub fn are_kept(reader: &mut dyn Reader) -> Result<bool, BooksError> {
    let kept = reader.record::<Meta>(&(EVENTS.to_owned(),))?;
    Ok(kept.is_some_and(|kept| kept.value == EVENTS_ON))
}
