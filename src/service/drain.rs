//! What is in flight on the ledger as it is, so that a test ledger can be replaced as a whole.
//!
//! What must stay true: while it drains nothing begins; once it has drained no task that began
//! before still runs, and what those had queued for the ledger's writer is done before the
//! replacement, because there is one queue. If a task does not end in time, nothing is replaced.
//! Only a test ledger is ever drained, and calls on any other pay nothing for this.

use crate::domain::id::ObjectId;
use parking_lot::{Mutex, MutexGuard};
use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout;

/// How long work that is under way is given to end by itself.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long work that was cut off may take to notice.
const LAST_PATIENCE: Duration = Duration::from_secs(10);

/// What is under way.
#[derive(Debug, Clone)]
pub(super) struct Drain(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Something has ended, or work may begin again.
    changed: Notify,
    patience: Duration,
    last_patience: Duration,
}

#[derive(Debug, Default)]
struct State {
    last_id: u64,
    present: HashMap<u64, Present>,
    is_closed: bool,
}

#[derive(Debug)]
struct Present {
    what: &'static str,
    /// The accounts that it names.
    accounts: Vec<ObjectId>,
    cut: Arc<Notify>,
}

/// Something that is under way, until this is dropped.
#[derive(Debug)]
pub(super) struct InFlight(Option<Place>);

#[derive(Debug)]
struct Place {
    drain: Drain,
    id: u64,
    cut: Arc<Notify>,
}

/// Nothing is in flight and nothing begins, until this is dropped.
#[derive(Debug)]
pub(super) struct Cleared<'s>(&'s Drain);

/// What did not end, although it was cut off: names of operations, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StillUnderWay(pub(super) Vec<&'static str>);

impl Default for Drain {
    fn default() -> Self {
        Self::with_patience(PATIENCE, LAST_PATIENCE)
    }
}

impl Drain {
    fn with_patience(patience: Duration, last_patience: Duration) -> Self {
        let (state, changed) = (Mutex::default(), Notify::new());
        Self(Arc::new(Shared { state, changed, patience, last_patience }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock()
    }

    /// Begins something as soon as it does not drain.
    pub(super) async fn enter(&self, what: &'static str, accounts: Vec<ObjectId>) -> InFlight {
        loop {
            let changed = self.0.changed.notified();
            {
                let mut state = self.lock();
                if !state.is_closed {
                    return self.add(&mut state, what, accounts);
                }
            }
            changed.await;
        }
    }

    /// Begins something at once, on behalf of something that is under way.
    pub(super) fn join(&self, what: &'static str, accounts: Vec<ObjectId>) -> InFlight {
        self.add(&mut self.lock(), what, accounts)
    }

    fn add(&self, state: &mut State, what: &'static str, accounts: Vec<ObjectId>) -> InFlight {
        state.last_id += 1;
        let (id, cut) = (state.last_id, Arc::new(Notify::new()));
        state.present.insert(id, Present { what, accounts, cut: Arc::clone(&cut) });
        InFlight(Some(Place { drain: self.clone(), id, cut }))
    }

    /// Lets nothing begin any more, gives what is under way some time to end, and cuts off the
    /// rest.
    ///
    /// # Errors
    /// Where something does not even notice that it was cut off. Work may begin again then.
    pub(super) async fn clear(&self) -> Result<Cleared<'_>, StillUnderWay> {
        self.lock().is_closed = true;
        let cleared = Cleared(self);
        self.end_all(|_| true).await?;
        Ok(cleared)
    }

    /// Ends what names an account, as [`Drain::clear`] ends all; what begins meanwhile begins.
    pub(super) async fn clear_of(&self, account: &ObjectId) -> Result<(), StillUnderWay> {
        self.end_all(|present| present.accounts.contains(account)).await
    }

    /// Waits until nothing is under way, at most for `patience`; false if that is too short.
    pub(super) async fn ends_within(&self, patience: Duration) -> bool {
        timeout(patience, self.until_none(|_| true, false)).await.is_ok()
    }

    async fn end_all(&self, meant: impl Fn(&Present) -> bool) -> Result<(), StillUnderWay> {
        if timeout(self.0.patience, self.until_none(&meant, false)).await.is_ok()
            || timeout(self.0.last_patience, self.until_none(&meant, true)).await.is_ok()
        {
            return Ok(());
        }
        let state = self.lock();
        let left = state.present.values().filter(|present| meant(present));
        let mut names: Vec<_> = left.map(|present| present.what).collect();
        names.sort_unstable();
        names.dedup();
        Err(StillUnderWay(names))
    }

    /// Waits until nothing that is `meant` is under way; what then begins on behalf of it is meant
    /// as well, and cut off like it.
    async fn until_none(&self, meant: impl Fn(&Present) -> bool, cuts: bool) {
        loop {
            let changed = self.0.changed.notified();
            {
                let state = self.lock();
                let mut left = state.present.values().filter(|present| meant(present)).peekable();
                if left.peek().is_none() {
                    return;
                }
                if cuts {
                    left.for_each(|present| present.cut.notify_one());
                }
            }
            changed.await;
        }
    }
}

impl Drop for Cleared<'_> {
    fn drop(&mut self) {
        self.0.lock().is_closed = false;
        self.0.0.changed.notify_waiters();
    }
}

impl InFlight {
    /// Of work that is never waited for nor cut off.
    pub(super) const fn unseen() -> Self {
        Self(None)
    }

    /// Does `work` to its end, or up to where it is cut off; either way it is no longer under way
    /// afterwards. If both are possible at once it counts as cut off: work that waits for other
    /// work which was cut off could otherwise report that this ended well.
    pub(super) async fn until_cut<T>(self, work: impl Future<Output = T>) -> Option<T> {
        let Some(place) = &self.0 else {
            return Some(work.await);
        };
        // It is dropped before `self`, whose drop reports that the work is no longer under way.
        let mut work = pin!(work);
        tokio::select! {
            biased;
            () = place.cut.notified() => None,
            done = &mut work => Some(done),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.drain.lock().present.remove(&self.id);
        self.drain.0.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;
    use std::sync::atomic::{AtomicBool, Ordering};
    use tokio::task::yield_now;

    /// Without patience for what does not end by itself.
    fn drain() -> Drain {
        Drain::with_patience(Duration::ZERO, LAST_PATIENCE)
    }

    fn account(last: char) -> ObjectId {
        ObjectId::parse(&format!("402892c72b9e3319012b9e34b88e000{last}")).unwrap()
    }

    #[tokio::test]
    async fn what_ends_by_itself_is_not_cut_off() {
        let drain = Drain::default();
        let in_flight = drain.enter("create", Vec::new()).await;
        let work = tokio::spawn(in_flight.until_cut(yield_now()));
        assert!(drain.clear().await.is_ok());
        assert_eq!(work.await.unwrap(), Some(()));
    }

    #[tokio::test]
    async fn what_does_not_end_is_cut_off_with_all_that_it_began() {
        struct Gone(Arc<AtomicBool>);
        impl Drop for Gone {
            fn drop(&mut self) {
                self.0.store(true, Ordering::SeqCst);
            }
        }
        let (drain, is_gone) = (drain(), Arc::new(AtomicBool::new(false)));
        let child = drain.join("gateway", Vec::new());
        let gone = Gone(Arc::clone(&is_gone));
        let child = tokio::spawn(child.until_cut(async move {
            let _gone = gone;
            pending::<()>().await;
        }));
        let call = drain.enter("create", Vec::new()).await;
        let call = tokio::spawn(call.until_cut(async move {
            let _ = child.await;
            pending::<()>().await;
        }));
        let cleared = drain.clear().await.unwrap();
        assert!(is_gone.load(Ordering::SeqCst));
        assert!(call.await.unwrap().is_none());
        let late = tokio::spawn({
            let drain = drain.clone();
            async move { drain.enter("query", Vec::new()).await }
        });
        for _ in 0..100 {
            yield_now().await;
        }
        assert!(!late.is_finished());
        drop(cleared);
        late.await.unwrap();
    }

    #[tokio::test]
    async fn what_names_another_account_goes_on() {
        let drain = drain();
        let enter = |last| drain.join("create", vec![account(last)]).until_cut(pending::<()>());
        let (mine, other) = (tokio::spawn(enter('1')), tokio::spawn(enter('2')));
        drain.clear_of(&account('1')).await.unwrap();
        assert_eq!(mine.await.unwrap(), None);
        assert!(!other.is_finished() && !drain.ends_within(Duration::ZERO).await);
        other.abort();
    }

    #[tokio::test]
    async fn what_does_not_notice_is_named_and_work_begins_again() {
        let drain = Drain::with_patience(Duration::ZERO, Duration::ZERO);
        let deaf = drain.enter("create", Vec::new()).await;
        assert_eq!(drain.clear().await.unwrap_err(), StillUnderWay(vec!["create"]));
        drain.enter("query", Vec::new()).await;
        drop(deaf);
        assert!(drain.clear().await.is_ok());
    }
}
