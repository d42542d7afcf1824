//! Recomputing every balance from what is behind it, in one snapshot of the file.

use super::rows::known;
use super::{audit_billing, audit_rows, audit_sending, reading};
use crate::domain::money::{Currency, MinorUnits};
use crate::ledger::audit::{Audit, AuditedAccount};
use rusqlite::Connection;
use std::collections::HashMap;

/// Audits what one snapshot shows, and lets SQLite check the whole file.
pub(super) fn audit(connection: &Connection) -> rusqlite::Result<Audit> {
    let snapshot = connection.unchecked_transaction()?;
    let lacks_conditions = !reading::knows_conditions(&snapshot)?;
    let mut audit = Audit { lacks_conditions, ..Audit::default() };
    check_file(&snapshot, &mut audit)?;
    let moved = check_entries(&snapshot, &mut audit)?;
    check_refunds(&snapshot, &mut audit)?;
    check_open_orders(&snapshot, &mut audit)?;
    audit_billing::check(&snapshot, &mut audit)?;
    audit_sending::check(&snapshot, &mut audit)?;
    audit_rows::check(&snapshot, &mut audit)?;
    list_accounts(&snapshot, &moved, &mut audit)?;
    Ok(audit)
}

fn check_file(connection: &Connection, audit: &mut Audit) -> rusqlite::Result<()> {
    let mut statement = connection.prepare("pragma integrity_check")?;
    let verdicts = statement.query_map([], |row| row.get::<_, String>(0))?;
    for verdict in verdicts {
        let verdict = verdict?;
        if verdict != "ok" {
            audit.complain(format!("the file: {verdict}"));
        }
    }
    let mut statement = connection.prepare("pragma foreign_key_check")?;
    let dangling = statement.query_map([], |row| row.get::<_, String>(0))?;
    for table in dangling {
        audit.complain(format!("the file: a row of {} refers to nothing", table?));
    }
    Ok(())
}

/// What the entries made of an account.
#[derive(Default)]
struct Moved {
    sum: i64,
    last_balance: Option<i64>,
}

/// Follows every entry in order: each balance must be the one before it plus the movement.
fn check_entries(
    connection: &Connection,
    audit: &mut Audit,
) -> rusqlite::Result<HashMap<i64, Moved>> {
    let select = "select entry.key, entry.account, delta, entry.balance, account.opening \
                  from entry join account on account.key = entry.account order by entry.key";
    let mut statement = connection.prepare(select)?;
    let mut rows = statement.query([])?;
    let mut accounts: HashMap<i64, Moved> = HashMap::new();
    while let Some(row) = rows.next()? {
        let (key, account): (i64, i64) = (row.get(0)?, row.get(1)?);
        let (delta, balance, opening): (i64, i64, i64) = (row.get(2)?, row.get(3)?, row.get(4)?);
        let moved = accounts.entry(account).or_default();
        let before = moved.last_balance.unwrap_or(opening);
        if before.checked_add(delta) != Some(balance) {
            let text = format!("entry {key}: {before} moved by {delta} is not {balance}");
            audit.complain(text);
        }
        moved.sum = moved.sum.saturating_add(delta);
        moved.last_balance = Some(balance);
        audit.entries += 1;
    }
    Ok(accounts)
}

/// Each refund of a credit balance took its amount once, and gave it back once if and only if it
/// ended in Error or was compensated.
fn check_refunds(connection: &Connection, audit: &mut Audit) -> rusqlite::Result<()> {
    audit.refunds = connection
        .query_row("select count(*) from refund", [], |row| row.get::<_, i64>(0))?
        .unsigned_abs();
    let select = "select refund.number from refund left join ( \
             select refund, account, sum(delta < 0) as debits, sum(min(delta, 0)) as taken, \
             sum(max(delta, 0)) as given from entry group by refund, account) as moved \
         on moved.refund = refund.number and moved.account = refund.account \
         where refund.source_type = 'CreditBalance' \
         and (moved.debits is not 1 or moved.taken is not -refund.amount \
             or moved.given is not iif(refund.status = 'Error' \
             or refund.compensated_ms is not null, refund.amount, 0))";
    let mut statement = connection.prepare(select)?;
    let wrong = statement.query_map([], |row| row.get::<_, i64>(0))?;
    for number in wrong {
        let text = format!("refund R-{:08}: its entries do not fit its amount and status", number?);
        audit.complain(text);
    }
    Ok(())
}

/// A refund is in Processing if and only if the ledger knows of its order, so that none is stuck.
fn check_open_orders(connection: &Connection, audit: &mut Audit) -> rusqlite::Result<()> {
    let select = "select number, status from refund where (status = 'Processing') \
         != exists (select 1 from inquiry where refund = number)";
    let mut statement = connection.prepare(select)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (number, status): (i64, String) = (row.get(0)?, row.get(1)?);
        let text = match status.as_str() {
            "Processing" => "is in Processing, and nobody asks its gateway".to_owned(),
            _ => format!("is {status}, and its gateway is still asked"),
        };
        audit.complain(format!("refund R-{number:08}: {text}"));
    }
    Ok(())
}

fn list_accounts(
    connection: &Connection,
    moved: &HashMap<i64, Moved>,
    audit: &mut Audit,
) -> rusqlite::Result<()> {
    let select = "select account.key, id, number, currency, opening, coalesce(balance, 0), \
         coalesce(refunds.count, 0) from account left join ( \
             select account, count(*) as count from refund group by account) as refunds \
         on refunds.account = account.key order by number";
    let mut statement = connection.prepare(select)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (key, number): (i64, String) = (row.get(0)?, row.get(2)?);
        let (opening, balance): (i64, i64) = (row.get(4)?, row.get(5)?);
        let sum = moved.get(&key).map_or(0, |moved| moved.sum);
        if opening.checked_add(sum) != Some(balance) {
            let text = format!("account {number}: {opening} moved by {sum} is not {balance}");
            audit.complain(text);
        }
        audit.accounts.push(AuditedAccount {
            id: row.get(1)?,
            number,
            currency: known(row, 3, Currency::from_code)?,
            opening: MinorUnits::new(opening),
            balance: MinorUnits::new(balance),
            refunds: row.get::<_, i64>(6)?.unsigned_abs(),
        });
    }
    Ok(())
}
