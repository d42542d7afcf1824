//! The bytes that clients make the gateway hold: large bodies until they are read, and large
//! answers until their clients have taken them.
//!
//! Bodies and answers of up to [`FREE_BYTES`] belong to their connection and are not counted, so
//! that small requests never wait here. Each larger one needs a share of one budget before its
//! bytes are held. Who waits for a share makes those go whose bytes do not move: a client that
//! sends or reads less than [`STEP_BYTES`] in [`STALLS`] gives its share up.
//!
//! What must stay true: the shares together never exceed the budget; a share is given back when the
//! bytes themselves are dropped, wherever they are by then; a client whose bytes move keeps its
//! share.

use crate::call::READ_IN_PLACE_BYTES_MAX;
use hyper::body::Bytes;
use parking_lot::Mutex;
use prometheus_client::metrics::gauge::Gauge;
use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// A body or an answer of up to so many bytes needs no share.
pub(super) const FREE_BYTES: usize = READ_IN_PLACE_BYTES_MAX;
/// So many bytes move a client on.
const STEP_BYTES: u64 = 16 * 1024;
/// A client that was not moved on for so long can lose its share to who waits for one.
const STALLS: Duration = Duration::from_secs(1);
/// How often who waits for a share makes a stalled client go.
const GOES_EVERY: Duration = Duration::from_millis(100);
/// What the budget is counted in.
const UNIT_BYTES: usize = 1024;

/// How the bytes of a connection move, to the gateway or to the client.
#[derive(Debug)]
pub(super) struct Pace {
    start: Instant,
    /// Bytes since the last step.
    moved: AtomicU64,
    /// The millisecond of the last step, counted from the start.
    step_ms: AtomicU64,
    /// How many answers in the budget it has still to take.
    answers: AtomicU64,
    /// They are to be given up.
    answer_goes: Arc<Notify>,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            moved: AtomicU64::new(0),
            step_ms: AtomicU64::new(0),
            answers: AtomicU64::new(0),
            answer_goes: Arc::default(),
        }
    }
}

impl Pace {
    /// So many bytes came or went.
    pub(super) fn moved(&self, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let before = self.moved.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) >= STEP_BYTES {
            self.step();
        }
    }

    fn step(&self) {
        let passed = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.step_ms.store(passed, Ordering::Relaxed);
        self.moved.store(0, Ordering::Relaxed);
    }

    fn stood_since(&self) -> Instant {
        self.start + Duration::from_millis(self.step_ms.load(Ordering::Relaxed))
    }

    /// Waits until an answer that this connection does not take is to be given up.
    pub(super) async fn answer_goes(&self) {
        loop {
            self.answer_goes.notified().await;
            // It may have been taken just now.
            if self.answers.load(Ordering::Relaxed) > 0 {
                return;
            }
        }
    }
}

/// The clients that a share depends on.
#[derive(Debug, Default)]
struct Clients {
    next: u64,
    /// How their bytes move, and how they learn that their share is to be given up.
    all: HashMap<u64, (Arc<Pace>, Arc<Notify>)>,
}

/// The budget of one listener.
#[derive(Debug)]
pub(super) struct Budget {
    free: Arc<Semaphore>,
    units: u32,
    clients: Arc<Mutex<Clients>>,
    /// How many bytes are held.
    held: Gauge,
}

impl Budget {
    /// A budget of so many bytes, whose use is shown by `held`.
    pub(super) fn new(bytes: usize, held: Gauge) -> Self {
        let most = u32::try_from(Semaphore::MAX_PERMITS).unwrap_or(u32::MAX);
        let units = u32::try_from(bytes / UNIT_BYTES).unwrap_or(u32::MAX).clamp(1, most);
        let free = Arc::new(Semaphore::new(usize::try_from(units).unwrap_or(usize::MAX)));
        Self { free, units, clients: Arc::default(), held }
    }

    /// A share for so many bytes, as soon as there is one; none if there is none until `until`. For
    /// more bytes than the whole budget has, it is the whole budget.
    pub(super) async fn share(&self, bytes: usize, until: Instant) -> Option<Share> {
        let units = self.units_of(bytes);
        let mut taking = pin!(Arc::clone(&self.free).acquire_many_owned(units));
        loop {
            let next = (Instant::now() + GOES_EVERY).min(until);
            match timeout_at(next, taking.as_mut()).await {
                Ok(permit) => return permit.ok().map(|permit| Share::new(permit, &self.held)),
                Err(_) if next >= until => return None,
                Err(_) => self.make_one_go(),
            }
        }
    }

    fn units_of(&self, bytes: usize) -> u32 {
        u32::try_from(bytes.div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX).clamp(1, self.units)
    }

    /// A client that sends a body for which it has a share.
    pub(super) fn sending(&self, pace: &Arc<Pace>) -> Client {
        self.client(pace, Arc::default())
    }

    fn client(&self, pace: &Arc<Pace>, goes: Arc<Notify>) -> Client {
        pace.step();
        let mut clients = self.clients.lock();
        clients.next = clients.next.wrapping_add(1);
        let id = clients.next;
        clients.all.insert(id, (Arc::clone(pace), Arc::clone(&goes)));
        Client { clients: Arc::clone(&self.clients), id, goes }
    }

    /// An answer that is held by its share until its client has taken it.
    pub(super) fn answer(&self, body: Bytes, share: Share, pace: &Arc<Pace>) -> Bytes {
        pace.answers.fetch_add(1, Ordering::Relaxed);
        let client = self.client(pace, Arc::clone(&pace.answer_goes));
        let taken = Some((client, Arc::clone(pace)));
        Bytes::from_owner(Held { bytes: body, _share: share, untaken: taken })
    }

    /// Makes the client go that stalls longest, if one does.
    fn make_one_go(&self) {
        let mut clients = self.clients.lock();
        let longest = clients.all.iter().min_by_key(|(_, (pace, _))| pace.stood_since());
        let longest = longest.filter(|(_, (pace, _))| pace.stood_since().elapsed() >= STALLS);
        let longest = longest.map(|(id, _)| *id);
        if let Some((_, goes)) = longest.and_then(|id| clients.all.remove(&id)) {
            goes.notify_one();
        }
    }
}

/// A client on whom it depends how long a share is held, until this is dropped.
#[derive(Debug)]
pub(super) struct Client {
    clients: Arc<Mutex<Clients>>,
    id: u64,
    goes: Arc<Notify>,
}

impl Client {
    /// Waits until its share is to be given up, because it stalls and others wait.
    pub(super) async fn goes(&self) {
        self.goes.notified().await;
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.clients.lock().all.remove(&self.id);
    }
}

/// A share of the budget; it is given back when this is dropped.
#[derive(Debug)]
pub(super) struct Share {
    permit: OwnedSemaphorePermit,
    held: Gauge,
}

impl Share {
    fn new(permit: OwnedSemaphorePermit, held: &Gauge) -> Self {
        let share = Self { permit, held: held.clone() };
        share.held.inc_by(bytes_of(share.permit.num_permits()));
        share
    }

    /// Puts a body under its share, of which it keeps what it needs.
    pub(super) fn around(mut self, body: Vec<u8>) -> Bytes {
        let needed = body.len().div_ceil(UNIT_BYTES);
        let spare = self.permit.num_permits().saturating_sub(needed);
        if let Some(spare) = self.permit.split(spare) {
            self.held.dec_by(bytes_of(spare.num_permits()));
        }
        Bytes::from_owner(Held { bytes: body.into(), _share: self, untaken: None })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.held.dec_by(bytes_of(self.permit.num_permits()));
    }
}

fn bytes_of(units: usize) -> i64 {
    i64::try_from(units.saturating_mul(UNIT_BYTES)).unwrap_or(i64::MAX)
}

/// Bytes that are in the budget as long as anything of them is in use.
struct Held {
    bytes: Bytes,
    _share: Share,
    /// Of an answer, who has still to take it.
    untaken: Option<(Client, Arc<Pace>)>,
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some((_, pace)) = &self.untaken {
            pace.answers.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[tokio::test]
    async fn a_share_is_given_back_with_the_last_of_its_bytes() {
        let held = Gauge::default();
        let budget = Budget::new(4 * UNIT_BYTES, held.clone());
        let share = budget.share(4 * UNIT_BYTES, soon()).await.unwrap();
        assert_eq!(held.get(), 4096);
        let body = share.around(vec![b'x'; UNIT_BYTES + 1]);
        assert_eq!((held.get(), body.len()), (2048, UNIT_BYTES + 1));
        let part = body.slice(5..6);
        drop(body);
        assert!(budget.share(3 * UNIT_BYTES, Instant::now()).await.is_none());
        let other = budget.share(2 * UNIT_BYTES, Instant::now()).await.unwrap();
        drop((part, other));
        assert_eq!(held.get(), 0);
        // For more than there is at all, it is all of it.
        assert!(budget.share(usize::MAX, Instant::now()).await.is_some());
    }

    #[tokio::test]
    async fn who_stalls_gives_way_to_who_waits_and_who_moves_does_not() {
        let budget = Budget::new(2 * UNIT_BYTES, Gauge::default());
        let (moves, stalls) = (Arc::<Pace>::default(), Arc::<Pace>::default());
        let first = budget.share(1, soon()).await.unwrap();
        let sending = budget.sending(&moves);
        let second = budget.share(1, soon()).await.unwrap();
        let answer = budget.answer(Bytes::from_static(b"a"), second, &stalls);
        let moving = async {
            loop {
                tokio::time::sleep(STALLS / 4).await;
                moves.moved(usize::try_from(STEP_BYTES).unwrap());
            }
        };
        let third = budget.share(1, soon());
        tokio::pin!(third);
        tokio::select! {
            _ = moving => {}
            () = sending.goes() => panic!("it moves"),
            _ = &mut third => panic!("there is none"),
            () = stalls.answer_goes() => drop(answer),
        }
        assert!(third.await.is_some());
        drop((first, sending));
        assert!(budget.clients.lock().all.is_empty());
    }
}
