//! What became of a commit that got no answer: over another connection, by the batch's own row.
//!
//! What must stay true: it is looked for with the turn in hand, so that nothing of the lost
//! connection can be committed any more; a batch that is there counts as committed only once the
//! synchronous standby has it as well; until it is known the node writes nothing, so that its row
//! in `batches` says for certain which of its batches was the last.

use super::fault::{Kind, PostgresError};
use super::link::Bindable;
use super::purpose::Verb;
use super::store::{Store, Turn, begin, take_turn};
use crate::ledger::engine::CommitError;
use std::time::{Duration, Instant};

const LOOK_UP_BATCH: &str = "select number from batches where node = $1";

/// For how long callers wait for the outcome; then they learn that it is unknown.
pub(super) const LOOK_UP_MAX: Duration = Duration::from_secs(30);
const LOOK_UP_PAUSE: Duration = Duration::from_millis(200);
/// For how long one attempt may wait for an answer, at least and at most.
const ATTEMPT: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(10)];

impl Store {
    /// Whether the batch that was to be `next` is there, as another connection finds it.
    ///
    /// A batch whose backend ended while it waited for the synchronous standby is there on the
    /// primary alone. The commit here has written behind it (the lock of the turn is in the log),
    /// so that it returns only once the standby has both.
    fn is_committed(&mut self, next: Turn, most: Duration) -> Result<bool, PostgresError> {
        let node = self.node.to_vec();
        let [least, longest] = ATTEMPT;
        let link = self.connected()?;
        let patience = std::mem::replace(&mut link.patience, most.clamp(least, longest));
        begin(link)?;
        take_turn(link)?;
        let look_up = link.prepare((Verb::LookUpBatch, 0), |_| Ok(LOOK_UP_BATCH.to_owned()))?;
        let rows = link.ask(&look_up, &[&node as Bindable<'_>])?;
        let newest: Option<i64> = rows.first().map(|row| row.try_get(0)).transpose()?;
        let is_there = newest.is_some_and(|newest| newest >= next.number);
        match is_there {
            true => link.commit()?,
            false => link.run("rollback")?,
        }
        link.patience = patience;
        Ok(is_there)
    }

    /// Finds out what became of a commit that got no answer, while its callers wait.
    pub(super) fn look_up(&mut self, next: Turn, why: &PostgresError) -> Result<(), CommitError> {
        tracing::warn!(%why, "a commit got no answer; its outcome is looked up");
        let began = Instant::now();
        self.link = None;
        loop {
            let left = self.look_up_max.saturating_sub(began.elapsed());
            match self.is_committed(next, left) {
                Ok(true) => return Ok(()),
                Ok(false) => {
                    self.failed_of = Some(Kind::Lost);
                    return Err(CommitError::RolledBack(why.to_string()));
                }
                Err(error) if began.elapsed() > self.look_up_max => {
                    self.give_up(next);
                    return Err(CommitError::Unknown(format!("{why}; {error}")));
                }
                Err(_) => {
                    self.link = None;
                    self.pause(LOOK_UP_PAUSE);
                }
            }
        }
    }

    /// Forgets the batch but for where it would have left the ledger, which is looked for from now
    /// on. Not so a change of what holds for every request on a test ledger: what this process
    /// keeps in memory of that is compared with no other node's, and so begins anew by a restart.
    fn give_up(&mut self, next: Turn) {
        let changes_world = self.turn.is_none_or(|turn| turn.world != next.world);
        self.unanswered = Some(next).filter(|_| !(self.is_alone && changes_world));
        (self.link, self.is_stale) = (None, true);
        self.shelves.clear();
    }

    /// Looks once more for what became of that batch, by one attempt.
    pub(super) fn look_again(&mut self) -> Option<bool> {
        let next = self.unanswered?;
        match self.is_committed(next, Duration::ZERO) {
            Ok(is_committed) => {
                self.unanswered = None;
                if is_committed {
                    self.turn = Some(next);
                }
                Some(is_committed)
            }
            Err(error) => {
                tracing::debug!(%error, "what became of the commit is still unknown");
                self.link = None;
                None
            }
        }
    }

    /// Has callers wait no longer than this.
    #[cfg(test)]
    pub(super) fn look_up_for(&mut self, most: Duration) {
        self.look_up_max = most;
    }
}
