//! What is known of one connection while it is open.

use super::budget::Pace;
use super::idle::Idleness;
use crate::call::Users;
use crate::service::deadline::Timer;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// Shared by a connection's socket, its handler and the listener that logs its end.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) peer: SocketAddr,
    /// The same as the log has it: each request has a line.
    pub(super) peer_text: Box<str>,
    pub(super) local: SocketAddr,
    /// Whether it speaks TLS.
    pub(super) is_tls: bool,
    /// Whose calls it may carry.
    pub(super) users: Users,
    /// Bytes have come at all.
    has_spoken: AtomicBool,
    /// A request has been answered.
    was_used: Arc<AtomicBool>,
    /// It is idle unless bytes have come since the last request was answered.
    pub(super) idleness: Arc<Idleness>,
    /// The client was answered before it had sent everything.
    expects_more: AtomicBool,
    /// The client has not read its answer in time.
    unread_answer: AtomicBool,
    /// The connection is to end, with what is under way on it.
    given_up: Notify,
    /// How fast its bytes move.
    pub(super) pace: Arc<Pace>,
    /// For everything that waits on behalf of this connection.
    pub(super) timer: Arc<Timer>,
}

impl Connection {
    pub(super) fn new(peer: SocketAddr, local: SocketAddr, idleness: Arc<Idleness>) -> Self {
        Self {
            peer,
            peer_text: peer.to_string().into(),
            local,
            is_tls: false,
            users: Users::default(),
            has_spoken: AtomicBool::new(false),
            was_used: Arc::default(),
            idleness,
            expects_more: AtomicBool::new(false),
            unread_answer: AtomicBool::new(false),
            given_up: Notify::new(),
            pace: Arc::default(),
            timer: Arc::default(),
        }
    }

    /// The same where it speaks TLS, with what the client's certificate says.
    pub(super) fn secured(self, users: Users) -> Self {
        Self { is_tls: true, users, ..self }
    }

    /// Gives up what is under way: its outcome is not reported.
    pub(super) fn give_up(&self) {
        self.given_up.notify_one();
    }

    /// Waits until what is under way is given up.
    pub(super) async fn given_up(&self) {
        self.given_up.notified().await;
    }

    pub(super) fn heard(&self, bytes: usize) {
        self.has_spoken.store(true, Ordering::Relaxed);
        self.idleness.hear();
        self.pace.moved(bytes);
    }

    /// The head of a request is there.
    pub(super) fn request_began(&self) {
        self.idleness.work();
    }

    /// A request is over: what comes from here on belongs to the next.
    pub(super) fn request_ended(&self) {
        self.was_used.store(true, Ordering::Relaxed);
        self.idleness.begin();
    }

    /// Whether a request has begun to come in and has not been answered.
    pub(super) fn is_mid_request(&self) -> bool {
        !self.idleness.is_idle()
    }

    /// Whether it can be closed at once without a loss: no request of it is being worked on or
    /// answered.
    pub(super) fn can_go(&self) -> bool {
        !self.has_spoken.load(Ordering::Relaxed) || self.idleness.awaited_since().is_some()
    }

    /// Whether a request has been answered on it, for those who outlive the connection.
    pub(super) fn was_used(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.was_used)
    }

    pub(super) fn expect_more(&self) {
        self.expects_more.store(true, Ordering::Relaxed);
    }

    pub(super) fn expects_more(&self) -> bool {
        self.expects_more.load(Ordering::Relaxed)
    }

    pub(super) fn note_unread_answer(&self) {
        self.unread_answer.store(true, Ordering::Relaxed);
    }

    pub(super) fn left_answer_unread(&self) -> bool {
        self.unread_answer.load(Ordering::Relaxed)
    }
}
