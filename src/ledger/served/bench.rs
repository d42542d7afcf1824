//! The test bench: what is forgotten, saved and put back as a whole, and what a tester may ask.

use super::{Backend, Served};
use crate::domain::id::{ObjectId, RefundId};
use crate::ledger::Reply;
use crate::ledger::books::BooksError;
use crate::ledger::engine::Engine;
use crate::ledger::reader::Reader;
use crate::ledger::record::{Field, Value};
use crate::ledger::seed::{SeedConflict, SeedPlan};
use crate::ledger::seeding;
use crate::ledger::test_bench::{
    KNOWN_IDS_MAX, KnownId, Snapshot, SnapshotError, TestBench, TestEngine,
};
use crate::ledger::work::ageing::newest_use;
use chrono::{DateTime, Utc};

impl<B: Backend> TestBench for Served<B> {
    fn begin_anew(
        &self,
        seeds: Vec<SeedPlan>,
        keep_sessions: bool,
    ) -> Reply<Result<(), SeedConflict>> {
        self.knowing_its_tenant(self.writer.submit_exclusive(move |engine| {
            let begun = engine.begin_anew(seeds, keep_sessions)?;
            Ok((begun, engine.tenant().clone()))
        }))
    }

    fn renew_account(
        &self,
        id: ObjectId,
        seeds: Vec<SeedPlan>,
    ) -> Reply<Result<bool, SeedConflict>> {
        self.writer.submit_alone(move |engine| {
            let mut is_known = engine.forget_account(&id)?;
            for seed in &seeds {
                let of_account = seed.of_account(&id);
                is_known |= !of_account.accounts.is_empty();
                if let Err(conflict) = engine.work(|unit| seeding::load(unit, of_account))? {
                    return Ok(Err(conflict));
                }
            }
            Ok(Ok(is_known))
        })
    }

    fn save(&self, name: String) -> Reply<Result<(), SnapshotError>> {
        self.backend.save(name)
    }

    fn put_back(&self, name: String) -> Reply<Result<(), SnapshotError>> {
        self.knowing_its_tenant(self.writer.submit_exclusive(move |engine| {
            let put_back = engine.put_back(&name)?;
            Ok((put_back, engine.tenant().clone()))
        }))
    }

    fn drop_snapshot(&self, name: String) -> Reply<Result<(), SnapshotError>> {
        self.backend.drop_snapshot(name)
    }

    fn snapshots(&self) -> Reply<Result<Vec<Snapshot>, SnapshotError>> {
        self.backend.snapshots()
    }

    fn newest_moment(&self) -> Reply<Option<DateTime<Utc>>> {
        self.backend.read(newest_moment)
    }

    fn accounts_of(&self, ids: Vec<ObjectId>) -> Reply<Vec<Option<ObjectId>>> {
        self.backend.read(move |reader| ids.iter().map(|id| account_of(reader, id)).collect())
    }

    fn known_ids(&self) -> Reply<Vec<KnownId>> {
        self.backend.read(known_ids)
    }
}

/// How many of the newest rows of a table are read: more than calls under way can write.
macro_rules! rows_read {
    () => {
        20_000
    };
}

#[cfg(test)]
pub(in crate::ledger) const ROWS_READ: i32 = rows_read!();

/// Selects the newest moments of a table that only grows: its name, its key, and the moments of a
/// row. Rows come in the order of commits, which is that of their moments but for calls that were
/// under way at the same time.
macro_rules! newest_of {
    ($table:literal, $key:literal, $moment:literal, $changed:literal) => {
        concat!(
            "select max(made), max(changed) from (select ",
            $moment,
            " as made, ",
            $changed,
            " as changed from ",
            $table,
            " order by ",
            $key,
            " desc limit ",
            rows_read!(),
            ") as newest"
        )
    };
}

/// What selects the newest moments of the tables that only grow. Only moments at which something
/// was done count: what is planned, what a document dates, and when a seed was loaded may lie ahead
/// of the clock. That a row was changed later shows in the audit, which has a record of every call
/// that changed something.
pub(in crate::ledger) const GROWING: [&str; 6] = [
    newest_of!(
        "audit_row",
        "key",
        "case when (select made_by.operation from audit_source as made_by \
         where made_by.key = source) = 'seed' then null else at_ms end",
        "0"
    ),
    newest_of!("entry_row", "key", "at_ms", "0"),
    newest_of!("exchange", "key", "at_ms", "0"),
    newest_of!("refund_row", "number", "created_ms", "updated_ms"),
    newest_of!("adjustment", "key", "created_ms", "updated_ms"),
    newest_of!("invoice_adjustment", "key", "created_ms", "updated_ms"),
];

/// The newest moment at which something was done to the ledger; none if nothing was. How long this
/// takes does not grow with the ledger: a test clock that stands must not stand before it.
pub fn newest_moment(reader: &mut dyn Reader) -> Result<Option<DateTime<Utc>>, BooksError> {
    let mut newest = newest_use(reader)?;
    for select in GROWING {
        let found = reader.first(select, &[], |row| {
            let (made, changed): (Option<i64>, Option<i64>) = (row.get(0)?, row.get(1)?);
            // A row that was never changed was made.
            Ok(made.max(changed.filter(|changed| *changed > 0)))
        })?;
        newest = newest.max(found.flatten());
    }
    Ok(newest.and_then(DateTime::from_timestamp_millis))
}

/// The account of an object that is named by its id.
fn account_of(reader: &mut dyn Reader, id: &ObjectId) -> Result<Option<ObjectId>, BooksError> {
    let select = "select id from account where id = ?1 \
         union all select account.id from payment_method as of \
         join account on account.key = of.account \
         where of.id = ?1 \
         union all select account.id from invoice as of join account on account.key = of.account \
         where of.id = ?1 \
         union all select account.id from invoice_line as of \
         join invoice on invoice.key = of.invoice join account on account.key = invoice.account \
         where of.id = ?1 \
         union all select account.id from invoice_adjustment as of \
         join invoice on invoice.key = of.invoice join account on account.key = invoice.account \
         where of.id = ?1 \
         union all select account.id from payment as of join account on account.key = of.account \
         where of.id = ?1 \
         union all select account.id from refund as of join account on account.key = of.account \
         where of.number = ?2";
    let number = RefundId::parse(id.as_str()).map(RefundId::number);
    reader.first(select, &[id.stored(), number.stored()], |row| row.get(0))
}

/// Ids that a caller may have meant.
fn known_ids(reader: &mut dyn Reader) -> Result<Vec<KnownId>, BooksError> {
    let limit = Value::Integer(i64::try_from(KNOWN_IDS_MAX).unwrap_or(i64::MAX));
    let mut known = Vec::new();
    for (object, select) in [
        ("Account", "select id, number from account order by key limit ?1"),
        ("PaymentMethod", "select id, type from payment_method order by key limit ?1"),
        ("Invoice", "select id, number from invoice order by key limit ?1"),
        (
            "InvoiceItem",
            "select id, coalesce(name, '') from invoice_line where item is null \
             order by key limit ?1",
        ),
        (
            "TaxationItem",
            "select id, coalesce(name, '') from invoice_line where item is not null \
             order by key limit ?1",
        ),
        ("Payment", "select id, number from payment order by key limit ?1"),
    ] {
        known.extend(reader.list(select, std::slice::from_ref(&limit), |row| {
            Ok(KnownId { object, id: row.get(0)?, also: row.get(1)? })
        })?);
    }
    Ok(known)
}
