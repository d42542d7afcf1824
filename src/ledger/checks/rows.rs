//! What belongs together in the narrow tables: accounts and balances, the records of the audit and
//! who acted, each refund and the account's one before it. What a single row may hold is compared
//! in [`values`](mod@super::values).
//!
//! The use cases keep it so, and a finding here is damage, or another program's work.

use super::Check;
use crate::ledger::audit::Findings;
use crate::ledger::books::BooksError;
use crate::ledger::reader::Reader;
use std::collections::HashMap;

/// All that one statement finds.
const CHECKS: [Check; 4] = [
    Check {
        about: "account",
        select: "select number from account_row \
         left join balance on balance.account = account_row.key \
         where balance.account is null \
         union all select 'of a balance' from balance \
         left join account_row on account_row.key = balance.account where account_row.key is null",
        problem: "an account and a balance do not belong together",
    },
    Check {
        about: "audit record",
        select: "select audit_row.key from audit_row \
         left join audit_source on audit_source.key = audit_row.source \
         where audit_source.key is null",
        problem: "who acted is not there",
    },
    Check {
        about: "refund",
        // The source of a credit balance has the code 1; 0 and 1 are the kinds that take.
        select: "select refund_row.number from refund_row \
         left join entry_row on entry_row.key = refund_row.entry \
         where source_type = 1 \
         and (entry_row.refund is distinct from refund_row.number \
             or entry_row.kind not in (0, 1))",
        problem: "its first entry is not one of its own",
    },
    Check {
        about: "refund",
        select: "select refund_row.number from refund_row \
         left join audit_row on audit_row.key = refund_row.audit \
         where refund_row.audit is not null and audit_row.key is null",
        problem: "the record of the call that made it is not there",
    },
];

/// Complains about every row without what belongs to it, and about every broken way.
pub(super) fn check(reader: &mut dyn Reader, findings: &mut Findings) -> Result<(), BooksError> {
    super::run(reader, &CHECKS, findings)?;
    check_ways(reader, findings)
}

/// Every refund leads to its account's one before it, and the balance to the newest refund and to
/// the newest entry.
fn check_ways(reader: &mut dyn Reader, findings: &mut Findings) -> Result<(), BooksError> {
    let select = "select number, account, previous from refund_row order by number";
    let mut newest: HashMap<i64, i64> = HashMap::new();
    reader.each(select, &[], |row| {
        let (number, account): (i64, i64) = (row.get(0)?, row.get(1)?);
        if newest.insert(account, number) != row.get(2)? {
            let text = "it does not lead to its account's refund before it";
            findings.complain(format!("refund {}: {text}", super::refund(number)));
        }
        Ok(())
    })?;
    let select = "select key, account from entry_row order by key";
    let mut newest_entry: HashMap<i64, i64> = HashMap::new();
    reader.each(select, &[], |row| {
        newest_entry.insert(row.get(1)?, row.get(0)?);
        Ok(())
    })?;
    let select = "select account_row.number, balance.account, newest_refund, newest_entry \
                  from balance join account_row on account_row.key = balance.account";
    reader.each(select, &[], |row| {
        let (number, account): (String, i64) = (row.get(0)?, row.get(1)?);
        if newest.get(&account).copied() != row.get(2)? {
            let text = "its balance does not lead to its newest refund";
            findings.complain(format!("account {number}: {text}"));
        }
        if newest_entry.get(&account).copied() != row.get(3)? {
            let text = "its balance does not lead to its newest entry";
            findings.complain(format!("account {number}: {text}"));
        }
        Ok(())
    })
}
