//! What holds for every request, and the moments that a ledger knows.

use super::{Backend, Served};
use crate::domain::facts::{Gateway, Tenant};
use crate::domain::script::Script;
use crate::ledger::books::BooksError;
use crate::ledger::reader::Reader;
use crate::ledger::records::{GATEWAYS, Meta};
use crate::ledger::work::sessions::AGE;
use crate::ledger::work::{drawing, sessions as work};
use crate::ledger::{Reply, Settings, world};
use chrono::{DateTime, Utc};
use std::sync::{Arc, PoisonError};

/// The moments that have an index.
pub(in crate::ledger) const INDEXED: [&str; 3] = [
    "select max(last_used_ms) from session",
    "select max(last_used_ms) from query_locator",
    "select max(at_ms) from idempotency",
];

impl<B: Backend> Settings for Served<B> {
    fn tenant(&self) -> Arc<Tenant> {
        Arc::clone(&self.tenant.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn gateways(&self) -> Reply<Vec<(Gateway, Script)>> {
        self.backend.read(|reader| world::gateways_of(reader.records(&GATEWAYS, &[])?))
    }

    fn begin_request_ids(&self) -> Reply<Option<[u8; 32]>> {
        self.write_patiently(drawing::request_seed)
    }

    fn age(&self) -> Reply<Option<DateTime<Utc>>> {
        self.backend.read(age)
    }

    fn keep_age(&self, at: DateTime<Utc>) -> Reply<()> {
        self.write_patiently(move |unit| work::keep_age(unit, at))
    }
}

/// The newest moment by which something in the ledger got old.
fn age(reader: &mut dyn Reader) -> Result<Option<DateTime<Utc>>, BooksError> {
    let kept = reader.record::<Meta>(&(AGE.to_owned(),))?;
    let mut newest: Option<i64> = kept.and_then(|kept| kept.value.parse().ok());
    for select in INDEXED {
        newest = newest.max(reader.first(select, &[], |row| row.get(0))?.flatten());
    }
    Ok(newest.and_then(DateTime::from_timestamp_millis))
}
