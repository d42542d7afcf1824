//! The signals that end a server: the first asks it to drain, the second ends it at once.

use super::exit::{Failure, FailureCode, INTERRUPTED, OrFail};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGTERM and Ctrl-C, from the moment that this exists.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Starts to listen; until then a signal ends the process in the system's way.
    pub(super) fn listen() -> Result<Self, Failure> {
        let listen = |kind| signal(kind).or_fail(FailureCode::Runtime, "listening for signals");
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
        })
    }

    /// Waits for one of them.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Ends the process as soon as another one comes. The ledger stands that at any moment.
    pub(super) fn end_at_the_next(mut self) {
        tokio::spawn(async move {
            self.next().await;
            std::process::exit(i32::from(INTERRUPTED));
        });
    }
}
