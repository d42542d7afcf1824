//! What an audit of a file finds: balances against what is behind them, and rows and values against
//! what may be there.

use super::audit::values as check;
use super::books::Texts;
use super::readers::SqliteReader;
use super::schema::empty_test_ledger;
use super::sums::{SUM, renew_all};
use crate::ledger::audit::Meter;
use crate::ledger::checks::{JSON, add_up};
use crate::ledger::records::WHOLE;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use rusqlite::Connection;
use std::collections::BTreeSet;

/// What each finding means, in SQL: texts in the order of the findings.
const CHAIN: &str = "select printf('entry %d: %d moved by %d is not %d', key, before, delta, \
     balance) from (select entry.key, delta, entry.balance, coalesce(lag(entry.balance) over \
         (partition by account order by entry.key), opening) as before \
         from entry join account on account.key = entry.account) \
     where before + delta <> balance order by key";
const TAKEN: &str = "select printf('refund R-%08d: %s', refund.number, \
         'its entries do not fit its amount and status') \
     from refund left join ( \
         select refund, account, sum(delta < 0) as debits, sum(min(delta, 0)) as taken, \
         sum(max(delta, 0)) as given from entry group by refund, account) as moved \
     on moved.refund = refund.number and moved.account = refund.account \
     where refund.source_type = 'CreditBalance' \
     and (moved.debits is not 1 or moved.taken is not -refund.amount \
         or moved.given is not iif(refund.status = 'Error' \
         or refund.compensated_ms is not null, refund.amount, 0)) order by refund.number";
const ORDERS: &str = "select printf('refund R-%08d: %s', number, iif(status = 'Processing', \
         'is in Processing, and nobody asks its gateway', \
         'is ' || status || ', and its gateway is still asked')) \
     from refund where (status = 'Processing') \
     != exists (select 1 from inquiry where refund = number) order by number";
const CAUSES: &str = "select printf('entry %d: %s', entry.key, \
         'no refund or adjustment of its account is its cause') \
     from entry left join refund on refund.number = entry.refund \
     left join adjustment on adjustment.key = entry.adjustment \
     where coalesce(refund.account, adjustment.account) is not entry.account \
     or refund.source_type in ('Payment', 'CreditMemo') order by entry.key";

fn texts(connection: &Connection, select: &str) -> Vec<String> {
    let mut statement = connection.prepare(select).unwrap();
    let texts = statement.query_map([], |row| row.get(0)).unwrap();
    texts.collect::<Result<_, _>>().unwrap()
}

type Rows = (Vec<(i64, i64, u8, u8)>, Vec<(i64, i64, i64, i64)>, Vec<i64>);

/// Refunds (their distance from the one before, account, status, source) and entries (account,
/// cause, movement, balance), mostly such as there are and sometimes any, and open orders.
fn anything() -> impl Strategy<Value = Rows> {
    (
        prop::collection::vec((1..3_i64, 1..4_i64, 0..4_u8, 0..4_u8), 0..12),
        prop::collection::vec((1..5_i64, -3..16_i64, -2..3_i64, 0..4_i64), 0..24),
        prop::collection::vec(1..16_i64, 0..4),
    )
}

fn count(ledger: &Connection, rows: &str) -> u64 {
    let select = format!("select count(*) from {rows}");
    ledger.query_row(&select, [], |row| row.get::<_, i64>(0)).unwrap().unsigned_abs()
}

/// Three accounts and three adjustments, and whatever rows come.
fn ledger() -> Connection {
    let ledger = empty_test_ledger().unwrap();
    ledger.pragma_update(None, "foreign_keys", false).unwrap();
    ledger.pragma_update(None, "ignore_check_constraints", true).unwrap();
    for key in 1..=3 {
        let insert = "insert into account_row (key, id, number, name, currency, opening) \
                      values (?1, printf('%032d', ?1), ?1, 'x', 'USD', 2)";
        ledger.execute(insert, [key]).unwrap();
        let insert = "insert into adjustment (key, account, type, amount, invoice, status, \
                      adjustment_date, created_by, created_ms, updated_ms) \
                      values (?1, ?1, 'Increase', 1, 1, 'Processed', '2026-01-02', 1, 1, 1)";
        ledger.execute(insert, [key]).unwrap();
    }
    ledger
}

fn fill(ledger: &Connection, (refunds, entries, open): &Rows) {
    let (mut number, mut key) = (0, 0);
    let mut entry = |account: i64, refund: Option<i64>, adjustment: Option<i64>, delta, after| {
        key += 1;
        let insert = "insert into entry_row (key, account, kind, delta, balance, refund, \
                      adjustment, at_ms) values (?1, ?2, 0, ?3, ?4, ?5, ?6, 1)";
        let values = rusqlite::params![key, account, delta, after, refund, adjustment];
        ledger.execute(insert, values).unwrap();
    };
    for (distance, account, status, source) in refunds {
        number += distance;
        let source_type = match source {
            2 => 0,
            3 => 2,
            _ => 1,
        };
        let insert = "insert into refund_row (number, created_ms, salt, account, amount, type, \
                      source_type, method_type, status, refund_day, created_by) \
                      values (?1, 1, 1, ?2, 1, 0, ?3, 2, ?4, 20000, 1)";
        let values = rusqlite::params![number, account, source_type, status];
        ledger.execute(insert, values).unwrap();
        if *source == 0 {
            entry(*account, Some(number), None, -1, 1);
        }
    }
    for (account, cause, delta, after) in entries {
        match cause {
            1.. => entry(*account, Some(*cause), None, *delta, *after),
            0 => entry(*account, None, None, *delta, *after),
            _ => entry(*account, None, Some(-cause), *delta, *after),
        }
    }
    for number in open {
        let insert = "insert or ignore into inquiry (refund, attempts) values (?1, 0)";
        ledger.execute(insert, [number]).unwrap();
    }
}

#[test]
fn the_pass_finds_what_the_sentences_say() {
    let ledger = ledger();
    let mut runner = TestRunner::default();
    let found = runner.run(&anything(), |rows| {
        ledger.execute_batch("begin").unwrap();
        fill(&ledger, &rows);
        let mut texts_of_statements = Texts::default();
        let mut reader = SqliteReader::new(&ledger, &mut texts_of_statements);
        let sums = add_up(&mut reader, &Meter::unseen()).unwrap();
        prop_assert_eq!(sums.chain.problems, texts(&ledger, CHAIN));
        prop_assert_eq!(sums.taken.problems, texts(&ledger, TAKEN));
        prop_assert_eq!(sums.orders.problems, texts(&ledger, ORDERS));
        prop_assert_eq!(sums.causes.problems, texts(&ledger, CAUSES));
        prop_assert_eq!(sums.refunds, count(&ledger, "refund"));
        let known = "entry where account in (select key from account)";
        prop_assert_eq!(sums.entries, count(&ledger, known));
        ledger.execute_batch("rollback").unwrap();
        Ok(())
    });
    found.unwrap();
}

fn columns_of(connection: &Connection, table: &str) -> BTreeSet<String> {
    let select = "select name from pragma_table_info(?1)";
    let mut statement = connection.prepare(select).unwrap();
    let names = statement.query_map([table], |row| row.get(0)).unwrap();
    names.collect::<Result<_, _>>().unwrap()
}

#[test]
fn every_column_of_every_table_is_summed() {
    let ledger = empty_test_ledger().unwrap();
    let select = "select name from sqlite_schema where type = 'table'";
    let mut statement = ledger.prepare(select).unwrap();
    let tables = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let tables: BTreeSet<String> = tables.collect::<Result<_, _>>().unwrap();
    let known: BTreeSet<String> = WHOLE.iter().map(|one| one.table.name.to_owned()).collect();
    assert_eq!(tables, known);
    for record in WHOLE {
        let summed = record.table.columns.iter().chain([&SUM]).map(|name| (*name).to_owned());
        assert_eq!(
            summed.collect::<BTreeSet<_>>(),
            columns_of(&ledger, record.table.name),
            "{}",
            record.table.name
        );
    }
    for (table, columns) in JSON {
        for column in columns {
            assert!(columns_of(&ledger, table).contains(*column), "{table}.{column}");
        }
    }
}

#[test]
fn a_row_is_found_that_was_changed_behind_its_sum_or_is_none_of_its_type() {
    let ledger = empty_test_ledger().unwrap();
    let rows = "pragma foreign_keys = off;
        insert into account_row (key, id, number, name, currency, opening, opened)
            values (1, printf('%032d', 1), 'A1', 'x', 'USD', 9, '2026-01-02');
        insert into balance (account, units) values (1, 9);
        insert into oauth_token values (zeroblob(32), 'c', 5, null)";
    ledger.execute_batch(rows).unwrap();
    renew_all(&ledger);
    assert_eq!(check(&ledger).unwrap().problems, Vec::<String>::new());
    for (change, problem) in [
        ("update balance set units = 8", "the row 1 of balance is not what was written"),
        ("update balance set sum = null", "the row 1 of balance is not what was written"),
        ("update oauth_token set ends_ms = 6", "a row of oauth_token is not what was written"),
        (
            "update account_row set opened = '2026-13-02', sum = null",
            "account_row.opened holds a value that this program does not know",
        ),
        (
            "update account_row set currency = 'usd', sum = null",
            "account_row.currency holds a value that this program does not know",
        ),
        (
            "update account_row set name = cast(x'ff' as text), sum = null",
            "account_row.name holds a value that this program does not know",
        ),
        ("update account_row set kept = '{', sum = null", "kept is no JSON"),
    ] {
        ledger.execute_batch("begin").unwrap();
        ledger.execute(change, []).unwrap();
        if change.ends_with("sum = null") && !change.contains("balance") {
            renew_all(&ledger);
        }
        let problems = check(&ledger).unwrap().problems;
        ledger.execute_batch("rollback").unwrap();
        assert!(problems.iter().any(|one| one.contains(problem)), "{change}: {problems:?}");
    }
}
