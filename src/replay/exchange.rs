//! An exchange as every kind of capture holds it: what was sent, and what was answered.

use super::rules::Rules;
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
    /// The files that an accepted answer changes, if the capture can be changed.
    pub(super) files: Option<Files>,
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
