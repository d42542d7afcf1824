//! Writing what gateways said: a bounded number of writes at once, each queued for the ledger in
//! the order in which it was asked for, so that the verdicts of one call are written in its order.

use crate::ledger::{LedgerError, Reply};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use tokio::sync::{Mutex, Semaphore};
use tokio::task::unconstrained;

/// How many outcomes wait for the ledger's writer at once. Very many calls can end in one moment,
/// and other callers use the same queue: External refunds must find room there.
const WRITES_MAX: usize = 32;

/// The places of outcomes that are being written, and the line before them.
pub(super) struct OutcomeWrites {
    line: Mutex<()>,
    places: Semaphore,
}

impl Default for OutcomeWrites {
    fn default() -> Self {
        Self { line: Mutex::new(()), places: Semaphore::new(WRITES_MAX) }
    }
}

impl OutcomeWrites {
    /// Queues what `write` gives as soon as there is a place, after everything that came to the
    /// line before, and returns its result. None: by then there was nothing to write.
    pub(super) async fn write<T>(
        &self,
        write: impl FnOnce() -> Option<Reply<T>>,
    ) -> Option<Result<T, LedgerError>> {
        let turn = self.line.lock().await;
        let _place = self.places.acquire().await;
        let mut write = write()?;
        let begun = begin(write.as_mut()).await;
        drop(turn);
        match begun {
            Poll::Ready(written) => Some(written),
            Poll::Pending => Some(write.await),
        }
    }
}

/// Polls `work` once, even if the task has used up its time slice. Another task may poll it
/// further.
pub(super) async fn begin<F: Future + ?Sized>(mut work: Pin<&mut F>) -> Poll<F::Output> {
    unconstrained(poll_fn(|context| Poll::Ready(work.as_mut().poll(context)))).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex as SyncMutex};
    use tokio::sync::oneshot;

    /// Regression: with more rows than places, the last verdicts of a call were written in any
    /// order.
    #[tokio::test(flavor = "multi_thread")]
    async fn what_waits_for_a_place_is_written_in_its_order() {
        let writes = Arc::new(OutcomeWrites::default());
        let queued = Arc::new(SyncMutex::new(Vec::new()));
        let (mut tasks, mut replies) = (Vec::new(), Vec::new());
        for number in 0..WRITES_MAX * 4 {
            let (reply, answer) = oneshot::channel::<bool>();
            let (writes, queued) = (Arc::clone(&writes), Arc::clone(&queued));
            let mut task = Box::pin(async move {
                let write = || {
                    queued.lock().unwrap().push(number);
                    Some(Box::pin(async move { Ok(answer.await.unwrap()) }) as Reply<bool>)
                };
                assert!(writes.write(write).await.unwrap().unwrap());
            });
            assert!(begin(task.as_mut()).await.is_pending());
            tasks.push(tokio::spawn(task));
            replies.push(reply);
        }
        assert_eq!(queued.lock().unwrap().len(), WRITES_MAX);
        replies.into_iter().rev().for_each(|reply| reply.send(true).unwrap());
        for task in tasks {
            task.await.unwrap();
        }
        let in_order: Vec<_> = (0..WRITES_MAX * 4).collect();
        assert_eq!(*queued.lock().unwrap(), in_order);
    }
}
