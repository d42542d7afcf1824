//! How hyper waits for the head of a request: by the timer of the connection, which is not set anew
//! for each request.

use crate::service::deadline::Timer;
use hyper::rt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

/// The timer of a connection, for hyper.
pub(super) struct HeadTimer(pub(super) Arc<Timer>);

/// Waits for a moment by the timer of a connection.
struct HeadDeadline {
    at: tokio::time::Instant,
    timer: Arc<Timer>,
}

impl rt::Timer for HeadTimer {
    fn sleep(&self, duration: std::time::Duration) -> Pin<Box<dyn rt::Sleep>> {
        self.sleep_until(Instant::now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn rt::Sleep>> {
        Box::pin(HeadDeadline { at: deadline.into(), timer: Arc::clone(&self.0) })
    }
}

impl Future for HeadDeadline {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.timer.poll_passed(self.at, context)
    }
}

impl rt::Sleep for HeadDeadline {}
