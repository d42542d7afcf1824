//! The deadline of a call, over a timer that many calls share, one after another.
//!
//! Setting a timer of the runtime and taking it back again costs more than a call's own work in
//! some rooms, and hardly any call ever reaches its deadline. So a timer is set once and left where
//! it is: only when it runs out is it set again, to the deadline that is waited for by then.
//!
//! What must stay true: a waiter is woken at its deadline, not before and not much later, as
//! long as all who share the timer wait in the same task.

use parking_lot::Mutex;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// A timer for the deadlines of one task.
#[derive(Debug, Default)]
pub struct Timer(Mutex<Option<Pin<Box<Sleep>>>>);

impl Timer {
    /// Ready once it is `deadline`; until then the task is woken at that moment, if not before.
    pub fn poll_passed(&self, deadline: Instant, context: &mut Context<'_>) -> Poll<()> {
        let mut sleep = self.0.lock();
        let sleep = sleep.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if sleep.deadline() > deadline {
            sleep.as_mut().reset(deadline);
        }
        loop {
            ready!(sleep.as_mut().poll(context));
            if sleep.deadline() >= deadline {
                return Poll::Ready(());
            }
            // It was set for an earlier one.
            sleep.as_mut().reset(deadline);
        }
    }
}

/// Until when something has to happen.
#[derive(Debug, Clone)]
pub struct Deadline {
    at: Instant,
    timer: Arc<Timer>,
}

impl Deadline {
    /// The moment `at` by a timer, for the future that waits in its task.
    pub fn new(at: Instant, timer: &Arc<Timer>) -> Self {
        Self { at, timer: Arc::clone(timer) }
    }

    /// The moment.
    pub const fn at(&self) -> Instant {
        self.at
    }

    /// The moment so much later.
    #[must_use]
    pub fn later_by(&self, time: Duration) -> Self {
        Self { at: self.at + time, timer: Arc::clone(&self.timer) }
    }

    /// What comes of `work`, unless the deadline passes before.
    pub async fn bound<F: Future>(&self, work: F) -> Option<F::Output> {
        let mut work = pin!(work);
        poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending => self.timer.poll_passed(self.at, context).map(|()| None),
        })
        .await
    }
}

impl From<Instant> for Deadline {
    /// With a timer of its own.
    fn from(at: Instant) -> Self {
        Self { at, timer: Arc::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;

    /// Waits for nothing else until so many milliseconds after `start` are over.
    async fn wait(timer: &Arc<Timer>, start: Instant, ms: u64) {
        let deadline = Deadline::new(start + Duration::from_millis(ms), timer);
        assert_eq!(deadline.bound(pending::<()>()).await, None);
        assert!(Instant::now() >= deadline.at());
    }

    #[tokio::test]
    async fn each_deadline_passes_when_it_is_due_whatever_the_timer_was_set_to_before() {
        let (timer, start) = (Arc::default(), Instant::now());
        for ms in [20, 5, 40, 0, 45] {
            wait(&timer, start, ms).await;
        }
        let far = Deadline::new(start + Duration::from_secs(600), &timer);
        assert_eq!(far.bound(async { 7 }).await, Some(7));
        assert_eq!(far.bound(tokio::task::yield_now()).await, Some(()));
        // The timer is set to what is far; a nearer deadline is not missed for it.
        wait(&timer, Instant::now(), 5).await;
    }

    #[tokio::test]
    async fn of_several_in_one_task_each_passes() {
        let (timer, start) = (Arc::default(), Instant::now());
        let wait = |ms| wait(&timer, start, ms);
        tokio::join!(wait(40), wait(5), wait(20));
    }
}
