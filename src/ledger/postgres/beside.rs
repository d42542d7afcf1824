//! What commands read of a ledger in PostgreSQL beside the nodes that serve it.

use super::PostgresLedger;
use super::address::Address;
use super::fault::PostgresError;
use super::readers::{PostgresReader, long_reader, read_once};
use crate::domain::refund_name::RefundName;
use crate::ledger::books::BooksError;
use crate::ledger::outbox::Event;
use crate::ledger::served::{events, story};
use serde_json::Value;

impl PostgresLedger {
    /// The story of a refund in a ledger that may be served.
    pub fn story_at(url: &str, name: RefundName) -> Result<Option<Value>, PostgresError> {
        read_once(&Address::of_process(url)?, |reader| story::story(reader, name))
    }
}

/// The events of a ledger that may be served.
pub struct ServerEvents(Box<PostgresReader>);

impl ServerEvents {
    /// Opens the ledger at a URL for reading.
    pub fn open(url: &str) -> Result<Self, PostgresError> {
        long_reader(&Address::of_process(url)?).map(|reader| Self(Box::new(reader)))
    }

    /// At most `most` events after the one of this sequence, in their order.
    pub fn after(&mut self, sequence: i64, most: usize) -> Result<Vec<Event>, PostgresError> {
        let found = events::after(self.0.as_mut(), sequence, most);
        found.map_err(|error| self.failure(error))
    }

    /// Whether the gateway keeps events in this ledger, as of its last start.
    pub fn are_kept(&mut self) -> Result<bool, PostgresError> {
        let kept = events::are_kept(self.0.as_mut());
        kept.map_err(|error| self.failure(error))
    }

    fn failure(&mut self, error: BooksError) -> PostgresError {
        self.0.link.failure(error)
    }
}
