//! What readers cost on SQLite.

use super::books::Texts;
use super::readers::SqliteReader;
use super::schema::empty_test_ledger;
use crate::ledger::served::bench::{GROWING, ROWS_READ, newest_moment};
use crate::ledger::served::trail::page;
use crate::ledger::trail::TrailQuery;
use crate::ledger::work::ageing::INDEXED;
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

/// What only one record meets, the oldest, is found after pages that say where to go on.
#[test]
fn a_page_of_the_audit_goes_through_a_bounded_part_of_it() {
    let ledger = empty_test_ledger().unwrap();
    let fill = "
        insert into audit_source (key, user, actor, door, version, address, operation, object)
            values (1, 0, 'x', 'x', '', '', 'update', 'User'),
                (2, 0, 'rare', 'x', '', '', 'seed', 'Seed');
        with recursive n (i) as (select 1 union all select i + 1 from n where i < 50000)
            insert into audit_row (key, at_ms, source)
            select i, 1000 + i, iif(i = 1, 2, 1) from n;
        insert into audit_object (audit, object, id, facts) values (1, 'Account', 'a', '{}')";
    ledger.execute_batch(fill).unwrap();
    let mut texts = Texts::default();
    let reader = &mut SqliteReader::new(&ledger, &mut texts);
    let (actor, object) = (Some("rare".to_owned()), Some("Account".to_owned()));
    let moment = chrono::DateTime::from_timestamp_millis(1002);
    let all = TrailQuery { most: 7, ..TrailQuery::default() };
    for query in [
        TrailQuery { actor, ..all.clone() },
        TrailQuery { object, ..all.clone() },
        TrailQuery { until: moment, ..all.clone() },
    ] {
        let mut before = None;
        let mut pages = Vec::new();
        loop {
            let found = page(reader, &TrailQuery { before, ..query.clone() }).unwrap();
            pages.push(found.records.iter().map(|record| record.key).collect::<Vec<_>>());
            before = found.next;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(pages, [vec![], vec![], vec![1]], "{query:?}");
    }
    let found = page(reader, &TrailQuery { id: Some("a".to_owned()), ..all }).unwrap();
    assert_eq!((found.records.len(), found.next), (1, None));
    assert_eq!(found.records[0].objects[0].object, "Account");
}
