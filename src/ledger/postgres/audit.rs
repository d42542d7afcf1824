//! Recomputing every balance of a ledger in PostgreSQL from what is behind it, in one snapshot.
//!
//! What only the server knows (pages, indexes, references) it checks itself.

use super::PostgresLedger;
use super::address::Address;
use super::fault::PostgresError;
use super::readers::read_once;
use super::sums::SUM;
use crate::ledger::audit::{Audit, Progress};
use crate::ledger::books::BooksError;
use crate::ledger::checks;
use crate::ledger::reader::Reader;
use crate::ledger::records::WHOLE;

/// How often the checks look at each refund and each entry, together with the rows behind them.
const LOOKS: u64 = 2;

impl PostgresLedger {
    /// Recomputes every balance of a ledger, which may be served meanwhile.
    pub fn audit(url: &str, progress: &Progress) -> Result<Audit, PostgresError> {
        read_once(&Address::of_process(url)?, |reader| audit(reader, progress))
    }
}

/// Recomputes every balance, and looks at every row.
pub(super) fn audit(reader: &mut dyn Reader, progress: &Progress) -> Result<Audit, BooksError> {
    reader.begin_snapshot()?;
    let meter = checks::meter(reader, LOOKS, progress)?;
    let mut audit = checks::money(reader, &meter)?;
    for findings in [checks::rows(reader)?, checks::values(reader, &meter)?] {
        audit.take_over(findings);
    }
    match checks::contradiction(reader) {
        Ok(Some(found)) => audit.findings.complain(found),
        // A row that it asks for is not what was written there, of which the values' check says so.
        Ok(None) | Err(BooksError::Damaged(_)) => {}
        Err(error) => return Err(error),
    }
    audit.unsummed = unsummed(reader)?;
    Ok(audit)
}

/// How many rows have no sum.
fn unsummed(reader: &mut dyn Reader) -> Result<u64, BooksError> {
    let mut rows = 0;
    for whole in WHOLE {
        let count = format!("select count(*) from {} where {SUM} is null", whole.table.name);
        rows += reader.first(&count, &[], |row| row.get::<i64>(0))?.unwrap_or(0).unsigned_abs();
    }
    Ok(rows)
}
