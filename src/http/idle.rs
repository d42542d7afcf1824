//! Which connections are idle or dawdle, and since when, so that a newcomer need not wait for one
//! that no client uses.
//!
//! What must stay true: a request pays for this with no lock; a connection whose request is being
//! worked on is never chosen, one whose client is sending only after [`DAWDLES`], and one that was
//! used a moment ago only after [`RESTS`], because its client is about to use it again.

use parking_lot::{Mutex, MutexGuard};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// How long the head or the body of a request may be awaited before its connection can be asked
/// for its place.
const DAWDLES: Duration = Duration::from_secs(2);
/// How long no request must have been under way on a connection before it can be asked for its
/// place.
const RESTS: Duration = Duration::from_millis(100);

/// What is known of the idleness of a connection.
#[derive(Debug)]
pub(super) struct Idleness {
    /// The millisecond, counted from `start` and from 1, since when it is idle; 0 while a request
    /// is under way.
    since: AtomicU64,
    /// The same since when a head or a body is awaited that has begun; 0 while none is.
    awaited: AtomicU64,
    start: Instant,
    /// Its place is wanted.
    wanted: Notify,
}

impl Idleness {
    fn new(start: Instant) -> Self {
        let (since, awaited) = (AtomicU64::new(0), AtomicU64::new(0));
        let idleness = Self { since, awaited, start, wanted: Notify::new() };
        idleness.begin();
        idleness
    }

    /// The millisecond it is, counted from `start` and from 1.
    fn now(&self) -> u64 {
        let passed = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        passed.saturating_add(1)
    }

    /// From here on it is idle.
    pub(super) fn begin(&self) {
        self.awaited.store(0, Ordering::Relaxed);
        self.since.store(self.now(), Ordering::Relaxed);
    }

    /// Bytes have come: if it was idle, the head of a request has begun.
    pub(super) fn hear(&self) {
        if self.is_idle() {
            self.await_more();
        }
    }

    /// A head or a body has begun and its end is awaited.
    pub(super) fn await_more(&self) {
        self.awaited.store(self.now(), Ordering::Relaxed);
        self.since.store(0, Ordering::Relaxed);
    }

    /// What was awaited is there, and is worked on.
    pub(super) fn work(&self) {
        self.awaited.store(0, Ordering::Relaxed);
        self.since.store(0, Ordering::Relaxed);
    }

    /// Whether no request is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.since.load(Ordering::Relaxed) != 0
    }

    /// Since when a head or a body that has begun is awaited, if one is.
    pub(super) fn awaited_since(&self) -> Option<Instant> {
        self.moment(&self.awaited)
    }

    /// Since when it is idle, if it is.
    fn idle_since(&self) -> Option<Instant> {
        self.moment(&self.since)
    }

    fn moment(&self, millisecond: &AtomicU64) -> Option<Instant> {
        let passed = millisecond.load(Ordering::Relaxed).checked_sub(1)?;
        Some(self.start + Duration::from_millis(passed))
    }

    /// Waits until its place is wanted.
    pub(super) async fn wanted(&self) {
        self.wanted.notified().await;
    }
}

/// The connections of a listener.
#[derive(Debug, Clone)]
pub(super) struct Idlers {
    /// The number of the connection that came last.
    last: Arc<AtomicU64>,
    start: Instant,
    all: Arc<Mutex<HashMap<u64, Arc<Idleness>>>>,
}

impl Default for Idlers {
    fn default() -> Self {
        Self { last: Arc::default(), start: Instant::now(), all: Arc::default() }
    }
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
        let idleness = Arc::new(Idleness::new(self.start));
        let id = self.last.fetch_add(1, Ordering::Relaxed);
        self.lock().insert(id, Arc::clone(&idleness));
        Idler { idlers: self.clone(), id, idleness }
    }

    /// Asks the connection that has been idle longest for its place, or else the one that has
    /// dawdled longest. Each is asked once: one that is slow to go costs nothing further.
    pub(super) fn want_a_place(&self) -> bool {
        let mut all = self.lock();
        let longest = |since: fn(&Idleness) -> Option<Instant>, least: Duration| {
            let (since, id) = all.iter().filter_map(|(id, one)| Some((since(one)?, *id))).min()?;
            (since.elapsed() >= least).then_some(id)
        };
        let longest = longest(Idleness::idle_since, RESTS)
            .or_else(|| longest(Idleness::awaited_since, DAWDLES));
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
        let long_ago = Instant::now().checked_sub(RESTS * 2).unwrap();
        let idlers = Idlers { start: long_ago, ..Idlers::default() };
        let (busy, first, second) = (idlers.take_in(), idlers.take_in(), idlers.take_in());
        busy.idleness.hear();
        first.idleness.hear();
        first.idleness.work();
        first.idleness.begin();
        assert!(!idlers.want_a_place(), "all were used just now");
        second.idleness.since.store(1, Ordering::Relaxed);
        assert!(idlers.want_a_place());
        second.idleness.wanted().await;
        first.idleness.since.store(2, Ordering::Relaxed);
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

    #[tokio::test]
    async fn where_none_is_idle_the_place_of_the_one_that_dawdles_longest_is_wanted() {
        let long_ago = Instant::now().checked_sub(DAWDLES * 2).unwrap();
        let idlers = Idlers { start: long_ago, ..Idlers::default() };
        let (first, second, worked_on) = (idlers.take_in(), idlers.take_in(), idlers.take_in());
        first.idleness.hear();
        second.idleness.hear();
        worked_on.idleness.hear();
        worked_on.idleness.work();
        assert!(!idlers.want_a_place(), "all of them began just now");
        second.idleness.awaited.store(2, Ordering::Relaxed);
        assert!(idlers.want_a_place());
        second.idleness.wanted().await;
        assert!(!idlers.want_a_place());
    }
}
