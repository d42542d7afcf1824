//! Recomputing every balance of a ledger in PostgreSQL from what is behind it, in one snapshot.
//!
//! What only the server knows (pages, indexes, references, conditions on values) it checks itself.

use super::PostgresLedger;
use super::address::Address;
use super::fault::PostgresError;
use super::readers::read_once;
use crate::domain::money::{Currency, MinorUnits};
use crate::ledger::audit::{Audit, AuditedAccount, Findings, Progress};
use crate::ledger::books::{Books, BooksError, TakeRow};
use crate::ledger::checks;
use crate::ledger::query::dialect::Dialect;
use crate::ledger::reader::Reader;
use crate::ledger::record::Value;

/// Each account with its opening and its balance, what its entries add up to, and how many refunds
/// it has.
const ACCOUNTS: &str = "select account.id, account.number, account.currency, account.opening, \
     coalesce(account.balance, 0), coalesce(moved.units, 0), coalesce(made.refunds, 0) \
     from account left join ( \
         select account, cast(sum(delta) as bigint) as units from entry_row group by account) \
     as moved on moved.account = account.key left join ( \
         select account, count(*) as refunds from refund_row group by account) \
     as made on made.account = account.key order by account.number";
/// Entries that say another balance than those up to them come to.
const CHAIN: &str = "select made.key from ( \
         select entry_row.key, entry_row.balance, account_row.opening \
             + sum(delta) over (partition by account order by entry_row.key) as sum \
         from entry_row join account_row on account_row.key = entry_row.account) as made \
     where made.balance <> made.sum";
/// Refunds of a credit balance whose entries do not fit what they took and whether it came back.
const TAKEN: &str = "select refund_row.number from refund_row left join ( \
         select refund, sum(delta) as units from entry_row group by refund) as moved \
     on moved.refund = refund_row.number \
     where coalesce(moved.units, 0) <> case when source_type <> 1 or status = 2 \
         or compensated_ms is not null then 0 else -amount end";

impl PostgresLedger {
    /// Recomputes every balance of a ledger, which may be served meanwhile.
    pub fn audit(url: &str, progress: &Progress) -> Result<Audit, PostgresError> {
        read_once(&Address::of_process(url)?, |reader| audit(reader, progress))
    }
}

/// About how many statements an audit is.
const STATEMENTS: u64 = 36;

/// A reader that says how many statements of an audit are done.
struct Counting<'r> {
    reader: &'r mut dyn Reader,
    progress: &'r Progress,
    done: u64,
}

impl Reader for Counting<'_> {
    fn begin_snapshot(&mut self) -> Result<(), BooksError> {
        self.reader.begin_snapshot()
    }

    fn select(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        most: usize,
        take: TakeRow<'_>,
    ) -> Result<(), BooksError> {
        let selected = self.reader.select(sql, values, most, take);
        self.done = STATEMENTS.min(self.done + 1);
        (self.progress)(self.done, STATEMENTS);
        selected
    }

    fn books(&mut self) -> &mut dyn Books {
        self.reader.books()
    }

    fn compares_rows(&self) -> bool {
        self.reader.compares_rows()
    }

    fn dialect(&self) -> &'static dyn Dialect {
        self.reader.dialect()
    }
}

/// Recomputes every balance.
pub(super) fn audit(reader: &mut dyn Reader, progress: &Progress) -> Result<Audit, BooksError> {
    let reader: &mut dyn Reader = &mut Counting { reader, progress, done: 0 };
    reader.begin_snapshot()?;
    let mut audit = Audit::default();
    let count = "select (select count(*) from refund_row), (select count(*) from entry_row)";
    reader.each(count, &[], |row| {
        let (refunds, entries): (i64, i64) = (row.get(0)?, row.get(1)?);
        (audit.refunds, audit.entries) = (refunds.unsigned_abs(), entries.unsigned_abs());
        Ok(())
    })?;
    let mut findings = Findings::default();
    for (about, select, problem) in [
        ("entry", CHAIN, "the balance after it is not what its account's entries come to"),
        ("refund number", TAKEN, "its entries do not fit what it took and what came back"),
    ] {
        reader.each(select, &[], |row| {
            findings.complain(format!("{about} {}: {problem}", row.get::<i64>(0)?));
            Ok(())
        })?;
    }
    checks::money(reader, &mut findings)?;
    audit.take_over(findings);
    let rows = checks::rows(reader)?;
    audit.take_over(rows);
    reader.each(ACCOUNTS, &[], |row| {
        let number: String = row.get(1)?;
        let (opening, balance, moved): (i64, i64, i64) = (row.get(3)?, row.get(4)?, row.get(5)?);
        if opening.checked_add(moved) != Some(balance) {
            let text = format!("account {number}: {opening} moved by {moved} is not {balance}");
            audit.findings.complain(text);
        }
        audit.accounts.push(AuditedAccount {
            id: row.get(0)?,
            number,
            currency: row.get::<Currency>(2)?,
            opening: MinorUnits::new(opening),
            balance: MinorUnits::new(balance),
            refunds: row.get::<i64>(6)?.unsigned_abs(),
        });
        Ok(())
    })?;
    Ok(audit)
}
