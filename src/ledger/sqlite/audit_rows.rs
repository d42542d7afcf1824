//! What belongs together in the narrow tables: accounts and balances, the records of the audit and
//! who acted, each refund and the account's one before it. (What a row of a refund or of an entry
//! may hold is in `audit_sums.rs`.)
//!
//! The use cases keep it so, and a finding here is damage, or another program's work.

use crate::ledger::audit::Findings;
use rusqlite::Connection;
use std::collections::HashMap;

/// A check: what it is about, the numbers of those for which it fails, and what that means.
const CHECKS: [(&str, &str, &str); 4] = [
    (
        "account",
        "select number from account_row left join balance on balance.account = account_row.key \
         where balance.account is null \
         union all select 'of a balance' from balance \
         left join account_row on account_row.key = balance.account where account_row.key is null",
        "an account and a balance do not belong together",
    ),
    (
        "audit record",
        "select audit_row.key from audit_row \
         left join audit_source on audit_source.key = audit_row.source \
         where audit_source.key is null",
        "who acted is not there",
    ),
    (
        "refund",
        // The source of a credit balance has the code 1; 0 and 1 are the kinds that take.
        "select printf('R-%08d', number) from refund_row \
         left join entry_row on entry_row.key = refund_row.entry \
         where source_type = 1 \
         and (entry_row.refund is not refund_row.number or entry_row.kind not in (0, 1))",
        "its first entry is not one of its own",
    ),
    (
        "refund",
        "select printf('R-%08d', number) from refund_row \
         left join audit_row on audit_row.key = refund_row.audit \
         where refund_row.audit is not null and audit_row.key is null",
        "the record of the call that made it is not there",
    ),
];

/// Complains about every row without what belongs to it, and about every broken way.
pub(super) fn check(connection: &Connection) -> rusqlite::Result<Findings> {
    let snapshot = connection.unchecked_transaction()?;
    let mut findings = Findings::default();
    for (about, select, problem) in CHECKS {
        let mut statement = snapshot.prepare(select)?;
        let mut wrong = statement.query([])?;
        while let Some(row) = wrong.next()? {
            let name = match row.get_ref(0)? {
                rusqlite::types::ValueRef::Integer(key) => key.to_string(),
                value => value.as_str()?.to_owned(),
            };
            findings.complain(format!("{about} {name}: {problem}"));
        }
    }
    check_ways(&snapshot, &mut findings)?;
    Ok(findings)
}

/// Every refund leads to its account's one before it, and the balance to the newest refund and to
/// the newest entry.
fn check_ways(connection: &Connection, findings: &mut Findings) -> rusqlite::Result<()> {
    let select = "select number, account, previous from refund_row order by number";
    let mut statement = connection.prepare(select)?;
    let mut refunds = statement.query([])?;
    let mut newest: HashMap<i64, i64> = HashMap::new();
    while let Some(refund) = refunds.next()? {
        let (number, account): (i64, i64) = (refund.get(0)?, refund.get(1)?);
        if newest.insert(account, number) != refund.get(2)? {
            let text = "it does not lead to its account's refund before it";
            findings.complain(format!("refund R-{number:08}: {text}"));
        }
    }
    let select = "select key, account from entry_row order by key";
    let mut statement = connection.prepare(select)?;
    let mut entries = statement.query([])?;
    let mut newest_entry: HashMap<i64, i64> = HashMap::new();
    while let Some(entry) = entries.next()? {
        newest_entry.insert(entry.get(1)?, entry.get(0)?);
    }
    let select = "select account_row.number, balance.account, newest_refund, newest_entry \
                  from balance join account_row on account_row.key = balance.account";
    let mut statement = connection.prepare(select)?;
    let mut balances = statement.query([])?;
    while let Some(balance) = balances.next()? {
        let (number, account): (String, i64) = (balance.get(0)?, balance.get(1)?);
        if newest.get(&account).copied() != balance.get(2)? {
            let text = "its balance does not lead to its newest refund";
            findings.complain(format!("account {number}: {text}"));
        }
        if newest_entry.get(&account).copied() != balance.get(3)? {
            let text = "its balance does not lead to its newest entry";
            findings.complain(format!("account {number}: {text}"));
        }
    }
    Ok(())
}
