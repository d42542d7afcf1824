//! What must add up in a ledger, whatever engine keeps it: sentences, each with a statement that
//! selects those of which it is not true.
//!
//! What must stay true: nothing here trusts a stored sum; each is made again from the rows behind
//! it. What only an engine knows (pages, logs, references, conditions on values) is checked there.

mod billing;
mod rows;
mod sending;

use super::audit::Findings;
use super::books::BooksError;
use super::reader::Reader;
use super::record::Value;

/// A check: what it is about, the numbers of those for which it fails, and what that means.
struct Check {
    about: &'static str,
    select: &'static str,
    problem: &'static str,
}

/// Adds up what refunds and adjustments did to payments, invoices and credit balances, and what
/// was sent to gateways.
pub(super) fn money(reader: &mut dyn Reader, findings: &mut Findings) -> Result<(), BooksError> {
    billing(reader, findings)?;
    sending::check(reader, findings)
}

/// Adds up what refunds and adjustments did to payments, invoices and credit balances.
pub(super) fn billing(reader: &mut dyn Reader, findings: &mut Findings) -> Result<(), BooksError> {
    run(reader, &billing::CHECKS, findings)
}

/// Looks whether what belongs together in the narrow tables is there, in one snapshot.
pub(super) fn rows(reader: &mut dyn Reader) -> Result<Findings, BooksError> {
    reader.begin_snapshot()?;
    let mut findings = Findings::default();
    rows::check(reader, &mut findings)?;
    Ok(findings)
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
