//! An exchange as every kind of capture holds it: what was sent, and what was answered.

use super::caller::Caller;
use super::compare::usual_status;
use super::remote;
use super::rest;
use super::rules::Rules;
use super::subject::Subject;
use std::path::PathBuf;
use std::sync::Arc;

/// A request with the answer that is expected.
pub(super) struct Exchange {
    /// The name in reports.
    pub(super) name: String,
    /// The body to send, as it was captured or written.
    pub(super) request: Vec<u8>,
    /// The body that is expected, if there is one yet.
    pub(super) expected: Option<Vec<u8>>,
    /// How it is sent and compared.
    pub(super) rules: Arc<Rules>,
    /// Who the captured call of the REST API says it is, where that was captured.
    pub(super) caller: Option<Caller>,
    /// The files that an accepted answer changes, if the capture can be changed.
    pub(super) files: Option<Files>,
}

impl Exchange {
    /// Whether it is a call of the REST API.
    pub(super) fn is_rest(&self) -> bool {
        self.rules.is_rest()
    }

    /// What it is about.
    pub(super) fn subject(&self) -> Subject {
        if !self.is_rest() {
            return Subject::of(&self.request);
        }
        let operation = rest::operation(&self.rules.method(), self.rules.path());
        Subject { operation: Some(operation), objects: Vec::new() }
    }

    /// Whether sending it may change something.
    pub(super) fn may_write(&self) -> bool {
        if self.is_rest() {
            return rest::may_write(&self.rules.method(), self.rules.path());
        }
        remote::may_write(&self.request)
    }

    /// The status that is expected, if an answer is.
    pub(super) fn status(&self) -> Option<u16> {
        let expected = self.expected.as_deref();
        let usual = expected.map(|body| if self.is_rest() { 200 } else { usual_status(body) });
        self.rules.status.map(|status| status.0).or(usual)
    }
}

/// The files behind an exchange.
#[derive(Debug, Clone)]
pub(super) struct Files {
    /// The expected answer.
    pub(super) response: PathBuf,
    /// The folder whose rules are this exchange's alone.
    pub(super) folder: Option<PathBuf>,
}

/// What a capture holds at one place.
pub(super) enum Piece {
    /// Something to send.
    Exchange(Box<Exchange>),
    /// Something else, by its name, and why it is not sent.
    Skipped {
        /// The name in reports.
        name: String,
        /// Why.
        why: String,
    },
}
