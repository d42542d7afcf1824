//! What must add up in a ledger, whatever engine keeps it: sentences, each with a statement that
//! selects those of which it is not true.
//!
//! What must stay true: nothing here trusts a stored sum; each is made again from the rows behind
//! it, in a snapshot of the caller's. What only an engine knows (pages, logs, indexes) is checked
//! there.

mod balances;
mod billing;
mod in_order;
mod newest;
mod rows;
mod sending;
mod values;

use super::audit::{Audit, Findings, Meter, Progress};
use super::books::BooksError;
use super::reader::Reader;
use super::record::Value;

#[cfg(test)]
pub(super) use balances::add_up;
#[cfg(test)]
pub(super) use values::JSON;

/// A check: what it is about, the numbers of those for which it fails, and what that means.
struct Check {
    about: &'static str,
    select: &'static str,
    problem: &'static str,
}

/// Makes every balance again from what is behind it, and adds up what refunds and adjustments did
/// to payments and invoices, and what was sent to gateways.
pub(super) fn money(reader: &mut dyn Reader, meter: &Meter) -> Result<Audit, BooksError> {
    let sums = balances::add_up(reader, meter)?;
    let mut audit = Audit { refunds: sums.refunds, entries: sums.entries, ..Audit::default() };
    for findings in [sums.rows, sums.chain, sums.taken, sums.orders, sums.causes] {
        audit.take_over(findings);
    }
    billing(reader, &mut audit.findings)?;
    sending::check(reader, &mut audit.findings)?;
    balances::list_accounts(reader, sums.accounts, &mut audit)?;
    Ok(audit)
}

/// Adds up what refunds and adjustments did to payments, invoices and credit balances.
pub(super) fn billing(reader: &mut dyn Reader, findings: &mut Findings) -> Result<(), BooksError> {
    run(reader, &billing::CHECKS, findings)
}

/// Looks whether what belongs together in the narrow tables is there.
pub(super) fn rows(reader: &mut dyn Reader) -> Result<Findings, BooksError> {
    let mut findings = Findings::default();
    rows::check(reader, &mut findings)?;
    Ok(findings)
}

/// Looks at every value of every row of every table.
pub(super) fn values(reader: &mut dyn Reader, meter: &Meter) -> Result<Findings, BooksError> {
    let mut findings = Findings::default();
    values::check(reader, meter, &mut findings)?;
    Ok(findings)
}

/// A meter of checks that look at each refund and each entry so often.
pub(super) fn meter(
    reader: &mut dyn Reader,
    looks: u64,
    progress: &Progress,
) -> Result<Meter, BooksError> {
    let newest = "select coalesce((select max(number) from refund_row), 0) \
                  + coalesce((select max(key) from entry_row), 0)";
    let rows = reader.first(newest, &[], |row| row.get::<i64>(0))?.unwrap_or(0);
    Ok(Meter::new(rows.unsigned_abs().saturating_mul(looks), Progress::clone(progress)))
}

/// What contradicts what was written last, if anything does.
pub(super) fn contradiction(reader: &mut dyn Reader) -> Result<Option<String>, BooksError> {
    newest::contradiction(reader)
}

/// Complains about everything of which a check is not true. Refunds are selected by their numbers.
fn run(
    reader: &mut dyn Reader,
    checks: &[Check],
    findings: &mut Findings,
) -> Result<(), BooksError> {
    for check in checks {
        reader.each(check.select, &[], |row| {
            let name = match row.columns().value(0) {
                Value::Integer(number) if check.about == "refund" => refund(number),
                Value::Integer(key) => key.to_string(),
                Value::Text(name) => name.into_owned(),
                Value::Null | Value::Bytes(_) => "of no name".to_owned(),
            };
            findings.complain(format!("{} {name}: {}", check.about, check.problem));
            Ok(())
        })?;
    }
    Ok(())
}

/// A refund by its number, which may be none that a refund can have.
fn refund(number: i64) -> String {
    format!("R-{number:08}")
}
