//! Recomputing every balance of a ledger in PostgreSQL from what is behind it, in one snapshot.
//!
//! What only the server knows (pages, indexes, references) it checks itself.

use super::PostgresLedger;
use super::address::Address;
use super::fault::PostgresError;
use super::readers::read_once;
use crate::ledger::audit::{Audit, Meter};
use crate::ledger::books::BooksError;
use crate::ledger::checks;
use crate::ledger::reader::Reader;

impl PostgresLedger {
    /// Recomputes every balance of a ledger, which may be served meanwhile.
    pub fn audit(url: &str) -> Result<Audit, PostgresError> {
        read_once(&Address::of_process(url)?, audit)
    }
}

/// Recomputes every balance, and looks at every row.
pub(super) fn audit(reader: &mut dyn Reader) -> Result<Audit, BooksError> {
    reader.begin_snapshot()?;
    let mut audit = checks::money(reader, &Meter::unseen())?;
    for look in [checks::rows, checks::values] {
        audit.take_over(look(reader)?);
    }
    if let Some(found) = checks::contradiction(reader)? {
        audit.findings.complain(found);
    }
    Ok(audit)
}
