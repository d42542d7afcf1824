//! What readers cost on SQLite.

use super::books::Texts;
use super::readers::SqliteReader;
use super::schema::empty_test_ledger;
use crate::ledger::served::bench::{GROWING, ROWS_READ, newest_moment};
use crate::ledger::served::settings::INDEXED;
use rusqlite::StatementStatus;

/// Each statement seeks: over a table of a hundred thousand rows no more of them are stepped
/// over than are read at most.
#[test]
fn a_table_of_any_size_is_read_to_a_bound() {
    let ledger = empty_test_ledger().unwrap();
    let fill = "
        insert into audit_source (key, user, actor, door, version, address, operation, object)
            values (1, 0, 'x', 'x', '', '', 'update', ''), (2, 0, 'x', 'x', '', '', 'seed', '');
        with recursive n (i) as (select 1 union all select i + 1 from n where i < 100000)
            insert into audit_row (key, at_ms, source)
            select i, 1000 + i, iif(i = 100000, 2, 1) from n";
    ledger.execute_batch(fill).unwrap();
    let mut statement = ledger.prepare(GROWING[0]).unwrap();
    let newest: i64 = statement.query_row([], |row| row.get(0)).unwrap();
    assert_eq!(newest, 1000 + 99_999, "what a seed did does not count");
    let steps = statement.get_status(StatementStatus::FullscanStep);
    assert!(steps <= ROWS_READ, "{steps}");
    for select in INDEXED {
        let explain = format!("explain query plan {select}");
        let plan: String = ledger.query_row(&explain, [], |row| row.get("detail")).unwrap();
        assert!(plan.contains("USING COVERING INDEX"), "{select}: {plan}");
    }
    let mut texts = Texts::default();
    let found = newest_moment(&mut SqliteReader::new(&ledger, &mut texts))
        .unwrap()
        .map(|moment| moment.timestamp_millis());
    assert_eq!(found, Some(newest));
}
