//! The turns of the writer: what is waiting is taken, batch by batch, until nothing more will come.

use super::{Batch, State};
use crate::ledger::engine::Engine;
use crate::ledger::queue::Job;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

/// How long nothing must come before the engine may put itself in order.
const IDLE: Duration = Duration::from_secs(1);

/// The writer's side of the queue: turns are taken one after the other, by the writer's thread or,
/// in a simulation, by its scheduler.
pub(in crate::ledger) struct Turns<E> {
    pub(super) state: State<E>,
    pub(super) waiting: mpsc::Receiver<Job<E>>,
}

impl<E: Engine> Turns<E> {
    /// Takes turns until nothing more will come, and closes the ledger.
    pub(super) fn take_all(mut self, timer: &Runtime) {
        while let Some(first) = self.next(timer) {
            self.take(first);
        }
        let leaves_as_it_is = self.state.refused().is_some();
        if let Err(error) = self.state.engine.close(leaves_as_it_is) {
            self.state.damage.note_close(&error);
        }
    }

    /// Does `first` and whatever else is waiting, as one transaction as far as that may be.
    fn take(&mut self, first: Job<E>) {
        let Self { state, waiting } = self;
        state.is_rested = false;
        let mut batch: Batch<E> = Vec::with_capacity(state.batch_max.min(waiting.len() + 1));
        let mut next = Some(first);
        while let Some(Job::Batched(task)) = next {
            batch.push(task);
            next = if batch.len() < state.batch_max { waiting.try_recv().ok() } else { None };
        }
        if !batch.is_empty() {
            state.do_batch(batch);
        }
        match next {
            Some(Job::Exclusive(work)) => state.do_exclusively(work),
            Some(Job::Alone(task)) => state.do_batch(vec![task]),
            Some(Job::Batched(_)) | None => {}
        }
    }

    /// The next job. While none comes, the engine puts itself in order.
    fn next(&mut self, timer: &Runtime) -> Option<Job<E>> {
        let Self { state, waiting } = self;
        while state.is_looking() {
            let due = state.look_due();
            if due <= Instant::now() {
                state.look();
                continue;
            }
            // What comes meanwhile is refused at once.
            let next = async { tokio::time::timeout_at(due.into(), waiting.recv()).await };
            if let Ok(job) = timer.block_on(next) {
                return job;
            }
        }
        if state.is_rested || state.refused().is_some() {
            return waiting.blocking_recv();
        }
        if let Ok(job) = waiting.try_recv() {
            return Some(job);
        }
        let next = timer.block_on(async { tokio::time::timeout(IDLE, waiting.recv()).await });
        next.unwrap_or_else(|_| {
            if state.refused().is_none() {
                state.engine.rest();
            }
            state.is_rested = true;
            waiting.blocking_recv()
        })
    }

    /// What is left of a process that is no more.
    #[cfg(test)]
    pub(in crate::ledger) fn into_engine(self) -> E {
        self.state.engine
    }

    /// Takes a turn as soon as there is something to do and `pause` is over; false once nothing
    /// more will come. What comes during the pause is of the same turn.
    #[cfg(test)]
    pub(in crate::ledger) async fn take_next(&mut self, pause: impl Future<Output = ()>) -> bool {
        let Some(first) = self.waiting.recv().await else { return false };
        pause.await;
        self.take(first);
        true
    }
}
