//! Finding objects: a query, or the next page of one, becomes a page.
//!
//! Reading may take long, so only a few queries run at once and each ends by its deadline; the
//! others wait, and the writer of refunds never waits for any of them.

use super::{Caller, Service};
use crate::ledger::LedgerError;
use crate::ledger::query::{Find, FindError, PAGE_ROWS_MAX, Page, Start};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How many queries run at once; each holds up to one page in memory.
pub(super) const QUERIES_MAX: usize = 4;

/// How long a query may read. While it reads, the ledger's log cannot be written back.
const READING_MAX: Duration = Duration::from_secs(30);

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
    /// Finds a page of at most `rows_wanted` rows; none or 0 means as many as a page can have.
    pub async fn find(
        self: &Arc<Self>,
        caller: &Caller,
        start: Start,
        rows_wanted: Option<u32>,
        deadline: Instant,
    ) -> Result<Page, QueryFailure> {
        if let Start::Query(query) = &start {
            self.ask_before_reading(query, deadline).await;
        }
        let turn = Arc::clone(&self.queries).acquire_owned();
        let Ok(Ok(turn)) = timeout_at(deadline, turn).await else {
            return Err(FindError::TooSlow.into());
        };
        let rows_max = rows_wanted.filter(|rows| *rows > 0).unwrap_or(PAGE_ROWS_MAX);
        let request = Find {
            user: caller.user,
            start,
            rows_max: rows_max.min(PAGE_ROWS_MAX),
            at: self.clock.now(),
            deadline: deadline.min(Instant::now() + READING_MAX).into_std(),
        };
        let found = self.ledger.find(request);
        // The turn is over when the query is, even if the caller has gone away before.
        let work = self.spawn("query", Vec::new(), async move {
            let page = found.await;
            drop(turn);
            page
        });
        let lost = || LedgerError::Unavailable("the query's task ended early".to_owned());
        Ok(work.await.ok().flatten().ok_or_else(lost)???)
    }
}
