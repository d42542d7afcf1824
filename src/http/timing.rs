//! How long hyper waits for the head of a request: by the timer of the connection, which is not set
//! anew for each request.
//!
//! What must stay true: a head has its time from its first byte on, a connection between two
//! requests has another, and one that was never used has that of a head from its opening on.

use super::connection::Connection;
use super::idle::Idleness;
use crate::service::deadline::Timer;
use hyper::rt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// How long is waited for a head, and between two requests.
#[derive(Debug, Clone, Copy)]
pub(super) struct HeadPatience {
    pub(super) head: Duration,
    pub(super) idle: Duration,
}

/// The timer of a connection, for hyper.
pub(super) struct HeadTimer(Waiting);

/// What decides how long a connection is waited for.
#[derive(Clone)]
struct Waiting {
    timer: Arc<Timer>,
    idleness: Arc<Idleness>,
    was_used: Arc<AtomicBool>,
    patience: HeadPatience,
}

/// Waits for a moment by the timer of a connection.
struct HeadDeadline {
    /// When hyper began to wait, and so long after.
    at: Instant,
    waiting: Waiting,
}

impl HeadTimer {
    pub(super) fn new(connection: &Connection, patience: HeadPatience) -> Self {
        Self(Waiting {
            timer: Arc::clone(&connection.timer),
            idleness: Arc::clone(&connection.idleness),
            was_used: connection.was_used(),
            patience,
        })
    }
}

impl rt::Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn rt::Sleep>> {
        self.sleep_until(Instant::now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn rt::Sleep>> {
        Box::pin(HeadDeadline { at: deadline, waiting: self.0.clone() })
    }
}

impl HeadDeadline {
    /// Until when is waited, as things stand. What hyper was given is the time of a head.
    fn due(&self) -> Instant {
        let Waiting { idleness, was_used, patience, .. } = &self.waiting;
        if let Some(began) = idleness.awaited_since() {
            return began + patience.head;
        }
        match was_used.load(Ordering::Relaxed) {
            true => self.at.checked_sub(patience.head).unwrap_or(self.at) + patience.idle,
            false => self.at,
        }
    }
}

impl Future for HeadDeadline {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.waiting.timer.poll_passed(self.due().into(), context)
    }
}

impl rt::Sleep for HeadDeadline {}
