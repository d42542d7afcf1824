//! What the narrow tables of refunds, entries and the audit do not check themselves: the invariants
//! of each row, what each refers to, and the way from each refund to the account's one before it.
//!
//! The records refuse such rows before they are written (`ledger/records/`), so that a finding here
//! is damage, or another program's work.

use crate::ledger::audit::Findings;
use rusqlite::Connection;
use std::collections::HashMap;

/// A check: what it is about, the numbers of those for which it fails, and what that means.
const CHECKS: [(&str, &str, &str); 6] = [
    (
        "refund",
        "select printf('R-%08d', number) from refund_row where amount <= 0 \
         or type not between 0 and 1 or source_type not between 0 and 1 \
         or method_type not between 0 and 9 or status not between 0 and 3 \
         or gateway_state not between 0 and 4 or method_choice not between 0 and 3 \
         or salt not between 0 and 16777215",
        "it holds a value that none may have",
    ),
    (
        "refund",
        "select printf('R-%08d', number) from refund_row \
         where (payment is null) = (source_type = 0) or (entry is null) = (source_type = 1) \
         or (type = 1 and (gateway is null or payment_method is null)) \
         or (status = 1 and type = 0) or (compensated_ms is not null and status <> 0)",
        "its values contradict each other",
    ),
    (
        "refund",
        "select printf('R-%08d', refund_row.number) from refund_row \
         left join account_row on account_row.key = refund_row.account \
         left join user on user.key = refund_row.created_by \
         left join payment_method on payment_method.key = refund_row.payment_method \
         left join payment on payment.key = refund_row.payment \
         where account_row.key is null or user.key is null \
         or (refund_row.payment_method is not null and payment_method.key is null) \
         or (refund_row.payment is not null and payment.key is null)",
        "what it refers to is not there",
    ),
    (
        "entry",
        "select entry_row.key from entry_row \
         left join account_row on account_row.key = entry_row.account \
         where account_row.key is null or kind not between 0 and 6 \
         or (refund is null) = (kind < 4) or (adjustment is null) = (kind > 3) \
         or iif(kind in (0, 1, 5), delta >= 0, iif(kind < 5, delta <= 0, delta = 0))",
        "it holds a value that none may have, or refers to nothing",
    ),
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
];

/// Complains about every row that breaks a rule of its own, and about every broken way.
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

/// Every refund leads to its account's one before it, and the balance to the newest.
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
    let select = "select account_row.number, balance.account, newest_refund from balance \
                  join account_row on account_row.key = balance.account";
    let mut statement = connection.prepare(select)?;
    let mut balances = statement.query([])?;
    while let Some(balance) = balances.next()? {
        let (number, account): (String, i64) = (balance.get(0)?, balance.get(1)?);
        if newest.get(&account).copied() != balance.get(2)? {
            let text = "its balance does not lead to its newest refund";
            findings.complain(format!("account {number}: {text}"));
        }
    }
    Ok(())
}
