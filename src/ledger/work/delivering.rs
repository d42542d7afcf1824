//! The outbox: what each webhook still has to get.
//!
//! What must stay true: of the events of an account that wait for a webhook only the first has a
//! moment (`next_ms`), so that nothing overtakes it; what takes it away gives the next one its
//! moment in the same transaction.

use crate::domain::event::EventKind;
use crate::domain::facts::AccountKey;
use crate::ledger::books::BooksError;
use crate::ledger::outbox::Attempt;
use crate::ledger::record::Field;
use crate::ledger::records::{DELIVERY_BY_EVENT, DELIVERY_WAITING, Delivery, EventRow, Webhook};
use crate::ledger::unit::Unit;
use chrono::{DateTime, Utc};

/// How many events one transaction collects for a webhook.
const COLLECTED_MAX: usize = 500;
/// How many events one transaction removes.
const REMOVED_MAX: usize = 500;
/// The most characters of what went wrong that are kept.
const WHY_CHARS_MAX: usize = 500;

/// Begins to keep events for webhooks that are new: what happens from now on is theirs.
pub fn register(unit: &mut Unit<'_>, names: &[String]) -> Result<(), BooksError> {
    for name in names {
        if unit.get::<Webhook>(&(name.clone(),))?.is_none() {
            let collected = unit.newest_key::<EventRow>()?;
            unit.insert(Webhook { name: name.clone(), collected })?;
        }
    }
    Ok(())
}

/// Puts what has happened since, of these kinds (none: of all), among the deliveries of a webhook,
/// a bounded number at a time; whether there may be more.
pub fn collect(
    unit: &mut Unit<'_>,
    webhook: &str,
    kinds: Option<&[EventKind]>,
    at: DateTime<Utc>,
) -> Result<bool, BooksError> {
    let name = (webhook.to_owned(),);
    let from = unit.get::<Webhook>(&name)?.map(|webhook| webhook.collected);
    let events: Vec<EventRow> = unit.after(from.unwrap_or(0), COLLECTED_MAX)?;
    let is_wanted = |event: &&EventRow| {
        let is_one = |kinds: &[EventKind]| kinds.iter().any(|kind| kind.name() == event.kind);
        kinds.is_none_or(is_one)
    };
    let hook = webhook.to_owned();
    for event in events.iter().filter(is_wanted) {
        // What is not known is wanted, and looked up for all of them at once.
        let waiting = [hook.stored(), event.account.stored()];
        let _ = unit.see_any::<Delivery>(&DELIVERY_WAITING, &waiting);
    }
    unit.load()?;
    for event in events.iter().filter(is_wanted) {
        let waits = is_waited_for(unit, webhook, event.account)?;
        unit.insert(Delivery {
            webhook: webhook.to_owned(),
            event: event.key,
            account: event.account,
            attempts: 0,
            since_ms: at,
            next_ms: (!waits).then_some(at),
            last_error: None,
            is_given_up: false,
        })?;
    }
    if let Some(last) = events.last() {
        let collected = last.key;
        match from {
            Some(_) => unit.change::<Webhook>(&name, |webhook| webhook.collected = collected)?,
            None => unit.insert(Webhook { name: name.0, collected })?,
        }
    }
    Ok(events.len() == COLLECTED_MAX)
}

fn is_waited_for(
    unit: &mut Unit<'_>,
    webhook: &str,
    account: AccountKey,
) -> Result<bool, BooksError> {
    unit.any::<Delivery>(&DELIVERY_WAITING, &[webhook.to_owned().stored(), account.stored()])
}

/// Writes down what came of an attempt; nothing where the delivery is gone, and no failure where
/// there was another attempt since this one began.
pub fn note_attempt(
    unit: &mut Unit<'_>,
    webhook: &str,
    (event, attempts): (i64, u32),
    attempt: &Attempt,
    at: DateTime<Utc>,
) -> Result<(), BooksError> {
    let key = (webhook.to_owned(), event);
    let found = unit.get::<Delivery>(&key)?;
    let found = found.filter(|it| it.attempts == attempts || *attempt == Attempt::Delivered);
    let Some(account) = found.map(|delivery| delivery.account) else { return Ok(()) };
    let cut = |why: &str| Some(why.chars().take(WHY_CHARS_MAX).collect::<String>());
    let (next, why, is_given_up) = match attempt {
        Attempt::Delivered => {
            unit.remove::<Delivery>(&key)?;
            return begin_next(unit, webhook, account, at);
        }
        Attempt::Again { next, why } => {
            // An operator may have had an earlier one tried again meanwhile, which goes first.
            let first = first_waiting(unit, webhook, account)?;
            let is_first = first.is_some_and(|first| first.event == event);
            (is_first.then_some(*next), cut(why), false)
        }
        Attempt::GivenUp { why } => (None, cut(why), true),
    };
    unit.change::<Delivery>(&key, |delivery| {
        delivery.attempts = delivery.attempts.saturating_add(1);
        (delivery.next_ms, delivery.is_given_up) = (next, is_given_up);
        delivery.last_error = why;
    })?;
    if is_given_up { begin_next(unit, webhook, account, at) } else { Ok(()) }
}

/// The first event of an account that waits for a webhook.
pub(super) fn first_waiting(
    unit: &mut Unit<'_>,
    webhook: &str,
    account: AccountKey,
) -> Result<Option<Delivery>, BooksError> {
    unit.first(&DELIVERY_WAITING, &[webhook.to_owned().stored(), account.stored()])
}

/// Lets the next event of the account go.
pub(super) fn begin_next(
    unit: &mut Unit<'_>,
    webhook: &str,
    account: AccountKey,
    at: DateTime<Utc>,
) -> Result<(), BooksError> {
    let first = first_waiting(unit, webhook, account)?;
    match first.filter(|first| first.next_ms.is_none()) {
        None => Ok(()),
        Some(first) => unit.change::<Delivery>(&(first.webhook, first.event), |delivery| {
            (delivery.next_ms, delivery.since_ms) = (Some(at), at);
        }),
    }
}

/// Removes events from before this moment, the oldest first and a bounded number at a time, with
/// their deliveries that were given up; whether there may be more. What one of these webhooks has
/// still to get stays, and so does the newest event, so that the next one has the next number.
pub fn remove_events(
    unit: &mut Unit<'_>,
    before: DateTime<Utc>,
    webhooks: &[String],
) -> Result<bool, BooksError> {
    let newest = unit.newest_key::<EventRow>()?;
    let mut collected = i64::MAX;
    for name in webhooks {
        if let Some(webhook) = unit.get::<Webhook>(&(name.clone(),))? {
            collected = collected.min(webhook.collected);
        }
    }
    let mut removed = Vec::new();
    let mut old = unit.after::<EventRow>(0, REMOVED_MAX)?;
    old.retain(|event| event.key < newest && event.at_ms < before && event.key <= collected);
    for event in &old {
        let _ = unit.see_each::<Delivery, ()>(&DELIVERY_BY_EVENT, &[event.key.stored()], |_| ());
    }
    unit.load()?;
    for event in old {
        let deliveries: Vec<Delivery> = unit.all(&DELIVERY_BY_EVENT, &[event.key.stored()])?;
        if deliveries.iter().all(|delivery| delivery.is_given_up) {
            removed.push(event.key);
            for delivery in deliveries {
                unit.remove::<Delivery>(&(delivery.webhook, delivery.event))?;
            }
        }
    }
    // What refers to an event has to go before it.
    unit.flush()?;
    for event in &removed {
        unit.remove::<EventRow>(&(*event,))?;
    }
    Ok(removed.len() == REMOVED_MAX)
}
