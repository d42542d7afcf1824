//! A ledger of an earlier schema opens, and everything is still there and adds up.

use crate::gateway::{finish, program};
use refund_gateway::domain::permission::Permissions;
use refund_gateway::ledger::Sessions;
use refund_gateway::ledger::orders::Orders;
use refund_gateway::ledger::sqlite::{LedgerSettings, OpenMode, OpenOptions, SqliteLedger};
use refund_gateway::ledger::trail::Act;
use refund_gateway::service::seed::{self, Seed};
use rusqlite::Connection;
use std::path::Path;

/// The schemas as they were released; a released one is never edited.
const RELEASED: [&str; 4] = [
    include_str!("../../src/ledger/sqlite/migrations/001_ledger.sql"),
    include_str!("../../src/ledger/sqlite/migrations/002_query.sql"),
    include_str!("../../src/ledger/sqlite/migrations/003_movements.sql"),
    include_str!("../../src/ledger/sqlite/migrations/004_gateways.sql"),
];

/// What an earlier version wrote: an external refund, one that its gateway approved, one that it
/// declined, and one that it has not answered about.
const ROWS: &str = "
    insert into meta (key, value) values ('kind', 'test'), ('salt', '5');
    insert into user (key, id, username, password_hash, permissions)
        values (1, '00000000000000000000000000000001', 'demo', 'hash', 63);
    insert into account (key, id, number, name, currency, opening, balance)
        values (1, '402892c72b9e3319012b9e34b88e0001', 'A1', 'One', 'USD', 10000, 4000);
    insert into payment_method (key, id, account, type, status)
        values (1, '2c92c0f83dfa5201013dfa6656ff2b8b', 1, 'CreditCard', 'Active');
    update account set default_payment_method = 1;
    insert into refund (number, created_ms, salt, account, amount, type, source_type, method_type,
            payment_method, status, refund_date, created_by, gateway, gateway_state) values
        (1, 1000, 5, 1, 1000, 'External', 'CreditBalance', 'Check', null, 'Processed',
            '2026-01-02', 1, null, null),
        (2, 2000, 5, 1, 2000, 'Electronic', 'CreditBalance', 'CreditCard', 1, 'Processed',
            '2026-01-02', 1, 'sandbox', 'Submitted'),
        (3, 3000, 5, 1, 500, 'Electronic', 'CreditBalance', 'CreditCard', 1, 'Error',
            '2026-01-02', 1, 'sandbox', 'NotSubmitted'),
        (4, 4000, 5, 1, 3000, 'Electronic', 'CreditBalance', 'CreditCard', 1, 'Processing',
            '2026-01-02', 1, 'sandbox', 'MarkedForSubmission');
    insert into entry (key, account, kind, delta, balance, refund, at_ms) values
        (1, 1, 'refund', -1000, 9000, 1, 1000), (2, 1, 'hold', -2000, 7000, 2, 2000),
        (3, 1, 'hold', -500, 6500, 3, 3000), (4, 1, 'release', 500, 7000, 3, 3500),
        (5, 1, 'hold', -3000, 4000, 4, 4000);
";

/// What the version of schema 4 wrote beside: an invoice that was paid and refunded in part, and a
/// negative one of which a part became credit.
const BILLED: &str = "
    insert into account (key, id, number, name, currency, opening, balance)
        values (2, '402892c72b9e3319012b9e34b88e0002', 'A2', 'Two', 'USD', 0, 3000);
    insert into invoice (key, id, number, account, date, amount, opening, balance, created_ms,
            updated_ms) values
        (1, '4028e6a0000c00000000000000000001', 'INV1', 2, '2026-01-02', 10000, 4000, 6500, 1, 9),
        (2, '4028e6a0000c00000000000000000002', 'INV2', 2, '2026-01-02', -7000, -7000, -4000, 1, 9);
    insert into payment (key, id, number, account, type, status, amount, refunded,
            to_credit_balance, effective_date, is_settled, created_ms, updated_ms)
        values (1, '4028e6a0000d00000000000000000001', 'P1', 2, 'External', 'Processed', 6000, 2500,
            0, '2026-01-03', 1, 1, 9);
    insert into invoice_payment (key, id, invoice, payment, amount, refunded, created_ms,
            updated_ms) values (1, '4028e6a0000e00000000000000000001', 1, 1, 6000, 2500, 1, 9);
    insert into refund (number, created_ms, salt, account, amount, type, source_type, method_type,
            status, refund_date, created_by, payment)
        values (5, 5000, 5, 2, 2500, 'External', 'Payment', 'Check', 'Processed', '2026-01-04', 1,
            1);
    insert into refund_invoice_payment (refund, invoice_payment, amount, created_ms, updated_ms)
        values (5, 1, 2500, 5000, 5000);
    insert into adjustment (key, account, type, amount, invoice, status, adjustment_date,
            created_by, created_ms, updated_ms)
        values (1, 2, 'Increase', 3000, 2, 'Processed', '2026-01-05', 1, 6000, 6000);
    insert into entry (key, account, kind, delta, balance, adjustment, at_ms)
        values (6, 2, 'increase', 3000, 3000, 1, 6000);
";

/// A ledger file with the schemas up to this one and these rows.
fn write_ledger(path: &Path, schema: usize, rows: &str) {
    let old = Connection::open(path).unwrap();
    old.execute_batch(&RELEASED[..schema].concat()).unwrap();
    old.pragma_update(None, "user_version", u32::try_from(schema).unwrap()).unwrap();
    // "RFGW"
    old.pragma_update(None, "application_id", 0x5246_4757).unwrap();
    old.execute_batch(rows).unwrap();
}

fn write_old_ledger(path: &Path) {
    write_ledger(path, 2, ROWS);
}

fn entries(path: &Path) -> Vec<(i64, String, i64, i64, i64)> {
    let connection = Connection::open(path).unwrap();
    let mut select = connection
        .prepare("select key, kind, delta, balance, refund from entry order by key")
        .unwrap();
    let rows = select
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))
        .unwrap();
    rows.map(Result::unwrap).collect()
}

#[tokio::test]
async fn a_ledger_of_schema_2_opens_and_everything_is_still_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    write_old_ledger(&path);
    let before = entries(&path);
    assert_eq!(before.len(), 5);
    let mode = OpenMode::Existing;
    let options = OpenOptions { mode, id_seed: None, settings: LedgerSettings::default() };
    let ledger = SqliteLedger::open(&path, &options).unwrap();
    let now = chrono::DateTime::from_timestamp(4_000_000_000, 0).unwrap();
    let waiting = ledger.due_orders("sandbox", now, 10).await.unwrap();
    let numbers: Vec<i64> = waiting.iter().map(|open| open.order.refund.number().value()).collect();
    assert_eq!(numbers, [4]);
    drop(ledger);
    assert_eq!(entries(&path), before);
    let (sound, wrong) = crate::sums::count(&Connection::open(&path).unwrap());
    assert!(sound > 15 && wrong == 0, "{sound} rows have the sum of what they hold, {wrong} not");
    let audit = SqliteLedger::audit_file(&path).unwrap();
    assert_eq!(audit.findings.problems, Vec::<String>::new());
    assert_eq!((audit.refunds, audit.entries), (4, 5));
    assert_eq!(audit.accounts[0].balance.units(), 4000);
    // The entries of old refunds are found through them, as those of new ones are.
    let connection = Connection::open(&path).unwrap();
    let found = "select group_concat(entry) from (select entry from refund order by number)";
    let found: String = connection.query_row(found, [], |row| row.get(0)).unwrap();
    assert_eq!(found, "1,2,3,5");
    // What was made before times were kept is as old as the first thing that happened.
    let made = "select group_concat(created_ms || ' ' || updated_ms) from account";
    let made: String = connection.query_row(made, [], |row| row.get(0)).unwrap();
    assert_eq!(made, "1000 1000");
    let own = "select group_concat(type) from (select type from payment_method \
               where account is null and json_extract(kept, '$.Name') = type order by type)";
    let own: String = connection.query_row(own, [], |row| row.get(0)).unwrap();
    assert_eq!(own, "Cash,Check,Other,WireTransfer");
    let insert = |status: &str| {
        let insert = "insert into payment (id, number, account, type, status, amount, refunded, \
             to_credit_balance, effective_date, is_settled, created_ms, updated_ms) values \
             ('4028e6a0000d00000000000000000001', 'P-1', 1, 'External', ?1, 1, 0, 0, \
             '2026-01-02', 1, 1, 1)";
        connection.execute(insert, [status])
    };
    assert!(insert("Draft").is_ok() && insert("Drafts").is_err());
    let refused =
        connection.execute("update entry_row set delta = -1", []).unwrap_err().to_string();
    assert!(refused.contains("never updated"), "{refused}");
}

#[test]
fn a_ledger_of_schema_2_is_served_and_checked_by_the_program() {
    let folder = tempfile::tempdir().unwrap();
    write_old_ledger(&folder.path().join("ledger.db"));
    std::fs::write(folder.path().join("seed.toml"), "").unwrap();
    let mut seed = program(folder.path());
    let loaded = finish(seed.args(["seed", "seed.toml", "--ledger", "ledger.db"]));
    assert!(loaded.status.success(), "{loaded:?}");
    let checked = finish(program(folder.path()).args(["check", "--ledger", "ledger.db"]));
    assert!(checked.status.success(), "{checked:?}");
    let table = String::from_utf8(checked.stdout).unwrap();
    assert!(table.contains("40.00"), "{table}");
}

/// Regression: with more permissions than there were, the seed that made an old ledger was refused
/// as contradicting it.
#[tokio::test]
async fn the_seed_of_an_old_ledger_still_loads_and_may_say_the_new_permissions() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    write_old_ledger(&path);
    let old = Connection::open(&path).unwrap();
    old.execute_batch(
        "update meta set value = 'real' where key = 'kind';
         insert into user (id, username, password_hash, permissions) values
             ('00000000000000000000000000000002', 'default', 'hash', 7),
             ('00000000000000000000000000000003', 'none', 'hash', 0);",
    )
    .unwrap();
    drop(old);
    let mode = OpenMode::Existing;
    let options = OpenOptions { mode, id_seed: None, settings: LedgerSettings::default() };
    let ledger = SqliteLedger::open(&path, &options).unwrap();
    let bits = async |user: &str| ledger.find_user(user).await.unwrap().unwrap().permissions.bits();
    // Nothing more and nothing less than before.
    assert_eq!([bits("demo").await, bits("default").await, bits("none").await], [63, 7, 0]);
    let load = async |text: &str| {
        let loaded = seed::load(
            &ledger,
            Seed::parse(text).unwrap(),
            Act::of_start(chrono::DateTime::default()),
        )
        .await;
        loaded.map(|report| report.added).map_err(|error| error.to_string())
    };
    let user = |name: &str, permissions: &str| {
        format!("[[user]]\nusername = '{name}'\npassword = 'x'\n{permissions}\n")
    };
    let plain = user("default", "") + &user("none", "permissions = []");
    let paying =
        user("demo", &format!("permissions = {:?}", Permissions::from_bits(63 | 64).names()));
    for _ in 0..2 {
        assert_eq!(load(&plain).await, Ok(0));
        assert_eq!(load(&paying).await, Ok(0));
    }
    assert_eq!([bits("demo").await, bits("default").await, bits("none").await], [127, 1031, 0]);
    // Said once, it is as any other value.
    let refused = load(&user("none", "permissions = ['payment-create']")).await.unwrap_err();
    assert_eq!(
        refused,
        "user `none`: permissions is `` in the ledger and `payment-create` in the seed"
    );
    let refused = load(&user("demo", "permissions = ['external-refund']")).await.unwrap_err();
    assert!(refused.starts_with("user `demo`: permissions is `external-refund, "), "{refused}");
}

#[test]
fn the_invoices_of_schema_4_keep_their_balances_and_may_be_charged_above_their_amount() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let rows = ROWS.split("insert into refund").next().unwrap().replace("10000, 4000", "0, 0");
    write_ledger(&path, 4, &format!("{rows}{BILLED}"));
    let mode = OpenMode::Existing;
    let options = OpenOptions { mode, id_seed: None, settings: LedgerSettings::default() };
    drop(SqliteLedger::open(&path, &options).unwrap());
    let audit = SqliteLedger::audit_file(&path).unwrap();
    assert_eq!(audit.findings.problems, Vec::<String>::new());
    let ledger = Connection::open(&path).unwrap();
    let balances = "select group_concat(opening || ' ' || balance) from invoice";
    let balances: String = ledger.query_row(balances, [], |row| row.get(0)).unwrap();
    assert_eq!(balances, "4000 6500,-7000 -4000");
    let set = |number: &str, balance: i64| {
        let update = "update invoice set balance = ?2 where number = ?1";
        ledger.execute(update, rusqlite::params![number, balance]).is_ok()
    };
    assert!(set("INV1", 10_001) && set("INV2", 0) && set("INV2", -7000));
    assert!(!set("INV1", -1) && !set("INV2", 1) && !set("INV2", -7001));
    // What the rows behind them do not say is found.
    crate::sums::renew(&ledger);
    let problems = SqliteLedger::audit_file(&path).unwrap().findings.problems;
    let reported = "its balance is not what payments, refunds and adjustments made of it";
    assert_eq!(
        problems,
        [format!("invoice INV1: {reported}"), format!("invoice INV2: {reported}")]
    );
}

/// What was possible before references were guarded: three payments of 50.00 that the gateway knows
/// as one, of which this much was refunded electronically, and one of 20.00 that it knows by its
/// number, with a refund that it declined, one that is open, and one by cheque.
fn payments(refunded: [u32; 3]) -> String {
    let [first, second, third] = refunded;
    let refund = |number: u32, amount: u32, payment: u32| match amount {
        0 => String::new(),
        _ => format!(
            "insert into refund (number, created_ms, salt, account, amount, type, source_type,
                    method_type, payment_method, status, refund_date, created_by, gateway, payment)
                values ({number}, 1000, 5, 1, {amount}, 'Electronic', 'Payment', 'CreditCard', 1,
                    'Processed', '2026-01-02', 1, 'sandbox', {payment});"
        ),
    };
    format!(
        "insert into meta (key, value) values ('kind', 'real'), ('salt', '5');
         insert into user (key, id, username, password_hash, permissions)
             values (1, '00000000000000000000000000000001', 'demo', 'hash', 3);
         insert into account (key, id, number, name, currency, opening, balance)
             values (1, '402892c72b9e3319012b9e34b88e0001', 'A1', 'One', 'USD', 0, 0);
         insert into payment_method (key, id, account, type, status)
             values (1, '2c92c0f83dfa5201013dfa6656ff2b8b', 1, 'CreditCard', 'Active');
         insert into payment (key, id, number, account, type, status, amount, refunded,
                 to_credit_balance, effective_date, payment_method, gateway, is_settled,
                 reference_id, created_ms, updated_ms) values
             (1, '40000000000000000000000000000001', 'P-1', 1, 'Electronic', 'Processed', 5000,
                 {first}, 0, '2026-01-02', 1, 'sandbox', 1, 'ch_77', 0, 0),
             (2, '40000000000000000000000000000002', 'P-2', 1, 'Electronic', 'Processed', 5000,
                 {second}, 0, '2026-01-02', 1, 'sandbox', 1, 'CH_77', 0, 0),
             (3, '40000000000000000000000000000003', 'P-3', 1, 'Electronic', 'Processed', 9000,
                 {third}, 0, '2026-01-02', 1, 'sandbox', 1, ' ch_77 ', 0, 0),
             (4, '40000000000000000000000000000004', 'P-4', 1, 'Electronic', 'Processed', 2000,
                 1100, 0, '2026-01-02', 1, 'sandbox', 1, null, 0, 0);
         {}{}{}
         insert into refund (number, created_ms, salt, account, amount, type, source_type,
                 method_type, payment_method, status, refund_date, created_by, gateway, payment)
             values
             (4, 1000, 5, 1, 2000, 'Electronic', 'Payment', 'CreditCard', 1, 'Error',
                 '2026-01-02', 1, 'sandbox', 4),
             (5, 1000, 5, 1, 500, 'Electronic', 'Payment', 'CreditCard', 1, 'Processing',
                 '2026-01-02', 1, 'sandbox', 4),
             (6, 1000, 5, 1, 600, 'External', 'Payment', 'Check', null, 'Processed',
                 '2026-01-02', 1, null, 4);
         insert into inquiry (refund, first_sent_ms, attempts, next_ms)
             values (5, 1000, 0, 2000);",
        refund(1, first, 1),
        refund(2, second, 2),
        refund(3, third, 3),
    )
}

/// What the ledger says of each reference: whose it is, what was collected, what of it was sent.
fn collected(path: &Path) -> Vec<(String, i64, i64, i64)> {
    let connection = Connection::open(path).unwrap();
    let select = "select reference, payment, amount, sent from collected order by reference";
    let mut select = connection.prepare(select).unwrap();
    let rows = select
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn an_old_ledger_with_a_charge_several_times_opens_and_gives_back_no_more_of_it() {
    for (refunded, code, problem) in [
        ([2000, 0, 3000], 0, None),
        ([0, 0, 0], 0, None),
        (
            [5000, 5000, 5000],
            6,
            Some(
                "problem: reference ch_77 at sandbox: 150.00 USD was sent against it, of which \
                 50.00 had been collected",
            ),
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        write_ledger(&path, 4, &payments(refunded));
        std::fs::write(folder.path().join("seed.toml"), "").unwrap();
        let mut seed = program(folder.path());
        let loaded = finish(seed.args(["seed", "seed.toml", "--ledger", "ledger.db"]));
        assert!(loaded.status.success(), "{loaded:?}");
        let sent = refunded.map(i64::from).iter().sum();
        let expected = [("ch_77".to_owned(), 1, 5000, sent), ("p-4".to_owned(), 4, 2000, 500)];
        assert_eq!(collected(&path), expected);
        let checked = finish(program(folder.path()).args(["check", "--ledger", "ledger.db"]));
        let table = String::from_utf8(checked.stdout).unwrap();
        assert_eq!(checked.status.code(), Some(code), "{table}");
        let problems = table.lines().filter(|line| line.starts_with("problem"));
        assert_eq!(problems.collect::<Vec<_>>(), Vec::from_iter(problem), "{table}");
        // Whatever a statement says, no more can be sent than was collected.
        let connection = Connection::open(&path).unwrap();
        let more = "update collected set sent = sent + 1 where reference = 'ch_77'";
        let full = connection.execute(more, []).is_err();
        assert_eq!(full, sent >= 5000);
        for statement in [
            "update collected set amount = amount + 1 where sent > 0",
            "delete from collected",
            "delete from sending",
            "update sending set amount = 1",
        ] {
            connection.execute(statement, []).unwrap_err();
        }
    }
}
