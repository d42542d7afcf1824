//! What a call holds on to until the listener has a place for its answer.

use parking_lot::Mutex;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The turns behind a long answer. The call that makes one has a turn, and the turn is over only
/// when the listener has counted the answer among the bytes that it holds: so there are never more
/// answers that are not counted yet than there are turns.
#[derive(Debug, Clone)]
pub struct Holding(Arc<Held>);

#[derive(Debug)]
struct Held {
    turns: Arc<Semaphore>,
    held: Mutex<Vec<OwnedSemaphorePermit>>,
}

impl Holding {
    /// Nothing yet, with the turns of those who have none of their own.
    pub fn new(turns: &Arc<Semaphore>) -> Self {
        Self(Arc::new(Held { turns: Arc::clone(turns), held: Mutex::default() }))
    }

    /// Holds a turn that the maker of the answer has.
    pub fn hold(&self, turn: OwnedSemaphorePermit) {
        self.0.held.lock().push(turn);
    }

    /// Waits for a turn and holds it.
    pub async fn take_turn(&self) {
        if let Ok(turn) = Arc::clone(&self.0.turns).acquire_owned().await {
            self.hold(turn);
        }
    }

    /// Whether the answer is a long one, made in a turn.
    pub fn has_turn(&self) -> bool {
        !self.0.held.lock().is_empty()
    }

    /// Ends what is held: the answer has its place.
    pub fn release(&self) {
        self.0.held.lock().clear();
    }
}

impl Default for Holding {
    /// With one turn, which no other call has.
    fn default() -> Self {
        Self::new(&Arc::new(Semaphore::new(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_turn_is_held_until_the_answer_has_its_place() {
        let turns = Arc::new(Semaphore::new(1));
        let holding = Holding::new(&turns);
        assert!(!holding.has_turn());
        holding.clone().take_turn().await;
        assert!(holding.has_turn() && turns.available_permits() == 0);
        holding.release();
        assert!(!holding.has_turn() && turns.available_permits() == 1);
    }
}
