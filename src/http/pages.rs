//! Pages on the admin listener: what a console is handed, what it gives back, and what the
//! listener lets it see.
//!
//! What must stay true: this room knows no console; it is handed one, as the public listener is
//! handed its front doors. A request reaches it only under a name of ours, and with no more of a
//! body than the console asked for.

use super::admin::Api;
use super::loopback::{Loopback, Trial, Tried};
use super::metrics::{Metrics, Pulse};
use super::readiness::{Check, Readiness};
use crate::call::{Headers, Method, Users};
use crate::domain::origin::Origin;
use crate::ledger::trail::Act;
use bytes::Bytes;
use serde_json::Value;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::mpsc;

/// The names, in lower case, of the headers that a console sees.
pub(super) const HEADERS: [&str; 5] =
    ["content-type", "cookie", "if-none-match", "origin", "x-refreshing"];

/// A request for a page.
pub struct Visit {
    /// Its method; HEAD is GET, and the body is left away further on.
    pub method: Method,
    /// Its path, as sent.
    pub path: String,
    /// What follows the question mark, as sent; empty where nothing does.
    pub query: String,
    /// The headers content-type, cookie, if-none-match, origin and x-refreshing.
    pub headers: Headers,
    /// The host and port by which the browser came.
    pub host: String,
    /// `http` or `https`.
    pub scheme: &'static str,
    /// The address of the browser.
    pub peer: IpAddr,
    /// The users whose calls the connection may carry.
    pub users: Users,
    /// Where the request comes from, for the audit.
    pub origin: Origin,
    /// The body, once it has been read.
    pub body: Bytes,
}

/// The answer to a request for a page.
pub struct Page {
    /// The status.
    pub status: u16,
    /// The headers beside those that every answer has.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: PageBody,
}

/// The body of a page.
pub enum PageBody {
    /// All of it.
    Whole(Bytes),
    /// What comes bit by bit, until the other end is dropped.
    Parts(mpsc::Receiver<Part>),
}

/// A part of a body; an error breaks the answer off, so that a client sees that it is not whole.
pub type Part = Result<Bytes, BrokenOff>;

/// What was begun cannot be ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the answer is broken off")]
pub struct BrokenOff;

/// An answer that is being made.
pub type Answering<'p> = Pin<Box<dyn Future<Output = Page> + Send + 'p>>;

/// A console.
pub trait Pages: Send + Sync + 'static {
    /// How many bytes of the body of this request are read at most, by its head.
    fn body_bytes_max(&self, head: &Visit) -> usize;

    /// Answers a request.
    fn answer(&self, visit: Visit) -> Answering<'_>;

    /// The headers that an answer has which was given without the console.
    fn headers(&self) -> &'static [(&'static str, &'static str)];
}

/// Makes a console, once the listeners know what they can let it see.
pub type Furnish = Box<dyn FnOnce(Inside) -> Arc<dyn Pages> + Send>;

/// What the listeners let a console see and do.
#[derive(Clone)]
pub struct Inside {
    pub(super) readiness: Arc<Readiness>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) api: Arc<Api>,
    pub(super) loopback: Arc<Loopback>,
}

impl Inside {
    /// Whether `text` is the token of the admin API.
    pub fn is_token(&self, text: &str) -> bool {
        self.api.access.token.is(text)
    }

    /// Does what the admin API does on this path below `/api/v1/`, in its words: a status and a
    /// value, which is an object with `error` where something was wrong.
    pub async fn operate(
        &self,
        method: Method,
        path: &str,
        query: &str,
        body: &Value,
        act: Act,
    ) -> (u16, Value) {
        self.api.answer_console(method, path, query, body, act).await
    }

    /// All that has to be right for the gateway to be ready, in the order of `/readyz`.
    pub async fn checks(&self) -> Vec<Check> {
        self.readiness.checks().await
    }

    /// Whether the gateway is being stopped: what is open should come to its end.
    pub fn is_stopping(&self) -> bool {
        self.readiness.is_stopping()
    }

    /// What has been counted of requests on the public listener.
    pub fn pulse(&self) -> Pulse {
        self.metrics.pulse()
    }

    /// Where clients reach the public listener, once it is open.
    pub fn public_url(&self) -> Option<String> {
        self.loopback.url()
    }

    /// Sends a call to the public listener, as a client would.
    ///
    /// # Errors
    /// A sentence, where there is no answer.
    pub async fn send(&self, trial: Trial) -> Result<Tried, String> {
        self.loopback.send(trial).await
    }
}
