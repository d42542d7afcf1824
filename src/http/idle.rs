//! Which connections are idle, and since when, so that a newcomer need not wait for one that no
//! client uses.
//!
//! What must stay true: a request pays for this with no lock; a connection with a request under way
//! is never chosen.

use parking_lot::{Mutex, MutexGuard};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Notify;

/// What is known of the idleness of a connection.
#[derive(Debug)]
pub(super) struct Idleness {
    /// The number of the moment since when it is idle; 0 while a request is under way.
    since: AtomicU64,
    /// Numbers the moments.
    clock: Arc<AtomicU64>,
    /// Its place is wanted.
    wanted: Notify,
}

impl Idleness {
    fn new(clock: &Arc<AtomicU64>) -> Self {
        let idleness =
            Self { since: AtomicU64::new(0), clock: Arc::clone(clock), wanted: Notify::new() };
        idleness.begin();
        idleness
    }

    /// From here on it is idle.
    pub(super) fn begin(&self) {
        self.since.store(self.clock.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// From here on it is not.
    pub(super) fn end(&self) {
        self.since.store(0, Ordering::Relaxed);
    }

    /// Whether no request is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.since.load(Ordering::Relaxed) != 0
    }

    /// Waits until its place is wanted.
    pub(super) async fn wanted(&self) {
        self.wanted.notified().await;
    }
}

/// The connections of a listener.
#[derive(Debug, Clone, Default)]
pub(super) struct Idlers {
    clock: Arc<AtomicU64>,
    all: Arc<Mutex<HashMap<u64, Arc<Idleness>>>>,
}

/// The place of a connection among the others of its listener, until it is dropped.
#[derive(Debug)]
pub(super) struct Idler {
    idlers: Idlers,
    id: u64,
    pub(super) idleness: Arc<Idleness>,
}

impl Idlers {
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Arc<Idleness>>> {
        self.all.lock()
    }

    /// Takes in a connection that is open, and idle so far.
    pub(super) fn take_in(&self) -> Idler {
        let idleness = Arc::new(Idleness::new(&self.clock));
        let id = idleness.since.load(Ordering::Relaxed);
        self.lock().insert(id, Arc::clone(&idleness));
        Idler { idlers: self.clone(), id, idleness }
    }

    /// Asks the connection that has been idle longest for its place, if one is idle at all. Each is
    /// asked once: one that is slow to go costs nothing further.
    pub(super) fn want_a_place(&self) -> bool {
        let mut all = self.lock();
        let since = |one: &Arc<Idleness>| one.since.load(Ordering::Relaxed);
        let idle = all.iter().filter(|(_, one)| since(one) != 0);
        let longest = idle.min_by_key(|(_, one)| since(one)).map(|(id, _)| *id);
        let asked = longest.and_then(|id| all.remove(&id));
        asked.inspect(|idleness| idleness.wanted.notify_one()).is_some()
    }
}

impl Drop for Idler {
    fn drop(&mut self) {
        self.idlers.lock().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::task::yield_now;

    #[tokio::test]
    async fn the_place_of_the_one_that_is_idle_longest_is_wanted() {
        let idlers = Idlers::default();
        let (busy, first, second) = (idlers.take_in(), idlers.take_in(), idlers.take_in());
        busy.idleness.end();
        first.idleness.end();
        first.idleness.begin();
        assert!(idlers.want_a_place());
        second.idleness.wanted().await;
        // It has not gone yet, and is not asked again.
        assert!(idlers.want_a_place());
        first.idleness.wanted().await;
        assert!(!idlers.want_a_place() && !busy.idleness.is_idle());
        let waiting = busy.idleness.wanted();
        tokio::select! {
            biased;
            () = waiting => panic!("a request is under way"),
            () = yield_now() => {}
        }
    }
}
