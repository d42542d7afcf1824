//! How much time has passed, by a clock that cannot be set: the process's own, or that of a test.
//!
//! What must stay true: it never goes back, and nothing that is done to the time of day moves it.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A clock that only says how much time has passed since some moment of its own.
#[derive(Clone)]
pub(super) struct Steady(Arc<dyn Fn() -> Duration + Send + Sync>);

impl Steady {
    /// The process's.
    pub(super) fn of_process() -> Self {
        let began = Instant::now();
        Self::by(move || began.elapsed())
    }

    /// One that asks `passed`.
    pub(super) fn by(passed: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self(Arc::new(passed))
    }

    /// How much time has passed so far.
    pub(super) fn passed(&self) -> Duration {
        (self.0)()
    }
}

impl fmt::Debug for Steady {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Steady").finish()
    }
}
