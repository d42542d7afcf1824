//! Finding objects: a query, or the next page of one, becomes a page.
//!
//! Reading may take long, so only a few queries run at once and each ends by its deadline; the
//! others wait, and the writer of refunds never waits for any of them. What is found at once never
//! waits for what is not: a client that looks up its refund gets it beside any number of scans.

use super::{Caller, Service};
use crate::ledger::LedgerError;
use crate::ledger::query::{Find, FindError, PAGE_ROWS_MAX, Page, Start};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// How many queries read at once whose end is near, and as many others whose end is not known.
/// Each holds up to one page in memory.
const QUERIES_MAX: usize = 4;

/// How long a query reads before it has to wait for a turn among those that take long. A look-up
/// takes a hundredth of it.
const READING_AT_ONCE_MAX: Duration = Duration::from_millis(100);

/// How long a query may read. While it reads, the ledger's log cannot be written back.
const READING_MAX: Duration = Duration::from_secs(30);

/// The turns of queries.
pub(super) struct Turns {
    at_once: Arc<Semaphore>,
    long: Arc<Semaphore>,
}

impl Default for Turns {
    fn default() -> Self {
        let turns = || Arc::new(Semaphore::new(QUERIES_MAX));
        Self { at_once: turns(), long: turns() }
    }
}

/// Why there is no page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryFailure {
    /// The query itself.
    #[error(transparent)]
    Find(#[from] FindError),
    /// The ledger gave no result.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Service {
    /// Finds a page of at most `rows_wanted` rows; none or 0 means as many as a page can have. Its
    /// turn is over when the caller drops it, once there is a place for what is made of the page.
    pub async fn find(
        self: &Arc<Self>,
        caller: &Caller,
        start: Start,
        rows_wanted: Option<u32>,
        deadline: Instant,
    ) -> Result<(Page, OwnedSemaphorePermit), QueryFailure> {
        if let Start::Query(query) = &start {
            self.ask_before_reading(query, deadline).await;
        }
        let rows_max = rows_wanted.filter(|rows| *rows > 0).unwrap_or(PAGE_ROWS_MAX);
        let request = Find {
            user: caller.user,
            start,
            rows_max: rows_max.min(PAGE_ROWS_MAX),
            at: self.clock.aged(),
            deadline: deadline.into_std(),
        };
        let turns = &self.query_turns;
        match self.look(request.clone(), &turns.at_once, READING_AT_ONCE_MAX).await {
            Err(QueryFailure::Find(FindError::TooSlow)) => {
                self.look(request, &turns.long, READING_MAX).await
            }
            found => found,
        }
    }

    /// Reads when its turn comes, for so long at most.
    async fn look(
        &self,
        mut request: Find,
        turns: &Arc<Semaphore>,
        reading_max: Duration,
    ) -> Result<(Page, OwnedSemaphorePermit), QueryFailure> {
        let turn = timeout_at(request.deadline.into(), Arc::clone(turns).acquire_owned());
        let Ok(Ok(turn)) = turn.await else {
            return Err(FindError::TooSlow.into());
        };
        request.deadline = request.deadline.min((Instant::now() + reading_max).into_std());
        let mut found = self.ledger.find(request);
        // What is found at once needs no task of its own.
        let at_once = poll_fn(|context| Poll::Ready(found.as_mut().poll(context))).await;
        if let Poll::Ready(page) = at_once {
            return Ok((page??, turn));
        }
        // The turn is over when the query is, even if the caller has gone away before.
        let work = self.spawn("query", Vec::new(), async move {
            let page = found.await;
            (page, turn)
        });
        let lost = || LedgerError::Unavailable("the query's task ended early".to_owned());
        let (page, turn) = work.await.ok().flatten().ok_or_else(lost)?;
        Ok((page??, turn))
    }
}
