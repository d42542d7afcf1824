//! Learning at which moment of the protocol the stub is, to do something at exactly that moment.

use super::ProcessorStub;
use std::sync::{Arc, Mutex};

/// A moment of an exchange, as the stub sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// A connection was made, and nothing read from it.
    Connected,
    /// A request was read, and nothing done.
    Received,
    /// The work is done, and nothing answered.
    Worked,
    /// The answer was written.
    Answered,
}

type Watcher = Arc<dyn Fn(Moment) + Send + Sync>;

/// What is called at each moment.
#[derive(Default)]
pub(super) struct Watch(Mutex<Option<Watcher>>);

impl Watch {
    pub(super) fn report(&self, moment: Moment) {
        let watcher = self.0.lock().unwrap().clone();
        if let Some(watcher) = watcher {
            watcher(moment);
        }
    }
}

impl ProcessorStub {
    /// Has `watcher` called at each moment of each exchange, from now on and in place of an earlier
    /// one.
    pub fn watch(&self, watcher: impl Fn(Moment) + Send + Sync + 'static) {
        *self.shared.watch.0.lock().unwrap() = Some(Arc::new(watcher));
    }

    /// Forgets what is left of its scripts.
    pub fn clear_script(&self) {
        let mut state = self.state();
        state.refund_script.clear();
        state.inquiry_script.clear();
    }
}
