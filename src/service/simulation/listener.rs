//! A listener to events, in a simulation: deliveries are lost, and so are the answers to
//! those that arrive.
//!
//! What must stay true: every event arrives, and none before an earlier one of the same account.

use super::Simulation;
use super::world::World;
use crate::domain::trace::TraceContext;
use crate::ledger::outbox::Delivery;
use crate::service::clock::Clock;
use crate::service::webhooks::{Carrier, Posting, Receiver};
use chrono::TimeDelta;
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Under which name it is known.
const NAME: &str = "listener";

/// What arrived, whichever process sent it.
pub(super) struct Listener {
    world: Arc<World>,
    arrived: Mutex<BTreeSet<i64>>,
}

impl Listener {
    pub(super) fn new(world: &Arc<World>) -> Arc<Self> {
        Arc::new(Self { world: Arc::clone(world), arrived: Mutex::default() })
    }

    /// The receiver of a process, by a clock of its own.
    pub(super) fn receiver(self: &Arc<Self>, clock: &Arc<Clock>) -> Receiver {
        let carrier: Arc<dyn Carrier> = Arc::<Self>::clone(self);
        Receiver::by(carrier, Arc::clone(clock), NAME.to_owned(), None, TimeDelta::days(365))
    }

    async fn hear(&self, delivery: &Delivery) -> Result<(), String> {
        let sequence = delivery.event.sequence;
        let is_calm = self.world.is_calm();
        self.world.passes().await;
        if !is_calm && self.world.chance(200) {
            return Err("it is lost on its way".to_owned());
        }
        self.arrived.lock().insert(sequence);
        self.world.log(|| format!("event {sequence} arrives"));
        self.world.passes().await;
        match !is_calm && self.world.chance(150) {
            true => Err("its answer is lost".to_owned()),
            false => Ok(()),
        }
    }
}

impl Carrier for Listener {
    fn post<'p>(&'p self, delivery: &'p Delivery, _: Option<TraceContext>) -> Posting<'p> {
        Box::pin(self.hear(delivery))
    }
}

impl Simulation {
    /// That no event arrived before an earlier one of its account.
    pub(super) fn check_arrivals(&self) -> Result<(), String> {
        let Some(listener) = &self.listener else { return Ok(()) };
        let arrived = listener.arrived.lock();
        let mut missing: BTreeMap<String, i64> = BTreeMap::new();
        for (sequence, account) in self.disk.events() {
            match (arrived.contains(&sequence), missing.get(&account)) {
                (true, Some(earlier)) => {
                    return Err(format!("event {sequence} arrived before {earlier} of {account}"));
                }
                (true, None) | (false, Some(_)) => {}
                (false, None) => drop(missing.insert(account, sequence)),
            }
        }
        Ok(())
    }

    /// Whether every event has arrived.
    pub(super) fn have_all_arrived(&self) -> bool {
        self.listener.as_ref().is_none_or(|listener| {
            let arrived = listener.arrived.lock();
            self.disk.events().iter().all(|(sequence, _)| arrived.contains(sequence))
        })
    }
}
