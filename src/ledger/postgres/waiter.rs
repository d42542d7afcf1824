//! What drives connections: a thread that waits for them.

use super::fault::{Kind, PostgresError};
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};

/// What drives connections while a thread waits for them. It may end on any thread.
pub(super) struct Waiter(Option<Runtime>);

impl Waiter {
    pub(super) fn new() -> Result<Arc<Self>, PostgresError> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| PostgresError::new(Kind::Refused, error.to_string()));
        Ok(Arc::new(Self(Some(runtime?))))
    }

    pub(super) fn block_on<F: Future>(&self, awaited: F) -> F::Output {
        match &self.0 {
            Some(runtime) => runtime.block_on(awaited),
            None => unreachable!("it ends when it is dropped, and not before"),
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
