//! Panics of requests and of connections: they are counted, and take nothing else down.

use super::{ListenerConfiguration, Withheld};
use crate::http::connection::Connection;
use crate::http::metrics::Metrics;
use std::net::SocketAddr;

impl ListenerConfiguration {
    /// Counts a panic of a request, whose outcome is unknown.
    pub(super) fn panicked(&self, connection: &Connection) -> Withheld {
        self.metrics.panics.inc();
        tracing::error!(peer = %connection.peer, "a panic ended a request");
        Withheld::Unknown
    }
}

/// Counts a panic outside of requests, which takes its connection down.
pub(super) struct PanicWatch<'a> {
    metrics: &'a Metrics,
    peer: SocketAddr,
}

impl<'a> PanicWatch<'a> {
    /// Counts what happens on a connection of this peer, until it is dropped.
    pub(super) fn of(metrics: &'a Metrics, peer: SocketAddr) -> Self {
        Self { metrics, peer }
    }
}

impl Drop for PanicWatch<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.metrics.panics.inc();
            tracing::error!(peer = %self.peer, "a panic ended a connection");
        }
    }
}
