//! What the writer asks of an engine: transactions, one after the other, and work inside them.
//!
//! An engine is small: the queue, the batches, what becomes of a request whose transaction failed,
//! and the use cases all stand above it.

use super::books::BooksError;
use super::unit::Unit;
use super::work::naming::Needs;
use std::fmt::Display;

/// Why a commit did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Nothing was committed for certain; the transaction is still to be rolled back.
    #[error("{0}")]
    RolledBack(String),
    /// Committed or not: it cannot be found out.
    #[error("{0}")]
    Unknown(String),
}

/// What was found when a ledger was closed.
#[derive(Debug, thiserror::Error)]
pub enum CloseError {
    /// What is stored is damaged, and was left as it is.
    #[error("{0}")]
    Damaged(String),
    /// What was served is not what its name leads to any more.
    #[error("{0}")]
    Parted(String),
}

/// The writing side of a ledger, which one thread owns.
pub trait Engine: Send + 'static {
    /// Why a statement failed.
    type Error: Display;

    /// Whether an error means that what is stored is damaged.
    fn is_damage(_: &Self::Error) -> bool {
        false
    }

    /// Begins a transaction that may write.
    fn begin(&mut self) -> Result<(), Self::Error>;

    /// The same for requests that name what `name` says. An engine for which a look-up is a way
    /// over a network looks it up on the same way.
    fn begin_for<'r>(&mut self, _name: impl FnOnce(&mut Needs<'r>)) -> Result<(), Self::Error> {
        self.begin()
    }

    /// Does work on the rows of the open transaction.
    fn work<T>(
        &mut self,
        work: impl FnOnce(&mut Unit<'_>) -> Result<T, BooksError>,
    ) -> Result<T, Self::Error>;

    /// Writes what the work of the open transaction left to be written.
    fn flush(&mut self) -> Result<(), Self::Error>;

    /// Commits what was flushed; after `Ok` everything is durable.
    fn commit(&mut self) -> Result<(), CommitError>;

    /// Undoes the open transaction. An error leaves its outcome open.
    fn roll_back(&mut self) -> Result<(), Self::Error>;

    /// Whether what the last batch failed of passes by itself, so that the same requests may be
    /// done again at once: a deadlock, or a connection that was lost before COMMIT was sent.
    fn is_passing(&self) -> bool {
        false
    }

    /// Whether it goes on looking for what became of a commit whose outcome is unknown. An engine
    /// that does not look for it recovers at its next start.
    fn is_looking(&self) -> bool {
        false
    }

    /// Looks for it once more: whether it was committed, or nothing as long as that is unknown.
    fn find_out(&mut self) -> Option<bool> {
        None
    }

    /// Called when there has been nothing to do for a while.
    fn rest(&mut self);

    /// Closes the ledger; `is_lost` after a commit whose outcome is still unknown.
    fn close(self, is_lost: bool) -> Result<(), CloseError>;
}

/// How much the writer takes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// How many requests may wait; one more is answered "busy".
    pub queue_max: usize,
    /// How many requests one transaction carries at most.
    pub batch_max: usize,
}
