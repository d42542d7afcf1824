//! Ledgers that are copied from a file to PostgreSQL and back: what a client can see is the same on
//! every side, and what was not finished is served by nothing.

use super::PostgresLedger;
use super::for_tests::Server;
use super::moving::{ServerBegun, ServerHeld};
use super::reading_tests::{compare, fill, find, options};
use crate::domain::query::{QueryObject, TypedQuery, fields};
use crate::domain::version::ApiVersion;
use crate::ledger::audit::Progress;
use crate::ledger::conformance::request;
use crate::ledger::moving::{Contents, Held, MoveError, Moved, Shown, Unfinished, contents, copy};
use crate::ledger::sqlite::{FileBegun, FileHeld, OpenError, OpenOptions, SqliteLedger};
use crate::ledger::{Bookkeeping as _, Ledger, Sessions as _};
use chrono::{DateTime, Utc};
use proptest::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Once};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Refunds that are created together: of which accounts, of what amounts, electronic or not, and
/// by which key.
type Call = (Vec<(i64, i64, bool)>, Option<u8>);

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + second, 0).unwrap()
}

fn unseen() -> Shown {
    let none: Progress = Arc::new(|done, all| assert!(done <= all, "{done} of {all}"));
    Shown { copying: Arc::clone(&none), first: Arc::clone(&none), last: none }
}

pub(super) fn url(server: &Server) -> String {
    let (schema, _) = server.new_schema();
    server.url("postgres", &format!("options=-csearch_path%3D{schema}"))
}

pub(super) fn runtime() -> Runtime {
    Runtime::new().unwrap()
}

/// A ledger in a file with a history, and all that clients keep in it.
fn written(folder: &TempDir, calls: &[Call]) -> PathBuf {
    let path = folder.path().join("ledger.db");
    let ledger = SqliteLedger::open(&path, &options()).unwrap();
    runtime().block_on(async {
        fill(&ledger).await;
        for (second, (rows, key)) in (20..).zip(calls) {
            ledger.create(request(rows, false, *key, second)).await.unwrap();
        }
        let user = ledger.find_user("two").await.unwrap().unwrap();
        ledger.open_session(user.key, at(1), at(-900)).await.unwrap();
    });
    path
}

pub(super) fn to_server(path: &Path, url: &str) -> Result<Moved, MoveError> {
    copy(&mut FileHeld::take(path)?, Box::new(ServerBegun::begin(url)?), &unseen())
}

fn to_file(url: &str, path: &Path) -> Result<Moved, MoveError> {
    copy(&mut ServerHeld::take(url)?, Box::new(FileBegun::begin(path)?), &unseen())
}

/// Every row of a file with all its columns and its sum, but what the file says of itself.
fn rows(path: &Path) -> Vec<String> {
    let ledger = rusqlite::Connection::open(path).unwrap();
    let mut rows = Vec::new();
    for whole in crate::ledger::records::WHOLE {
        let (name, key) = (whole.table.name, whole.table.key().join(", "));
        let select = format!("select * from {name} order by {key}");
        let mut statement = ledger.prepare(&select).unwrap();
        let columns = statement.column_count();
        let found = statement.query_map([], |row| {
            let values = (0..columns).map(|place| row.get::<_, rusqlite::types::Value>(place));
            Ok(format!("{name} {:?}", values.collect::<Result<Vec<_>, _>>()?))
        });
        rows.extend(found.unwrap().map(Result::unwrap));
    }
    rows.retain(|row| !row.contains("open_since"));
    rows
}

async fn all_of(ledger: &dyn Ledger, object: QueryObject) -> String {
    let known = fields(object, ApiVersion::major(91), &ledger.tenant());
    let fields = known.iter().map(|field| field.name.to_string()).collect();
    let query = TypedQuery { object, fields, conditions: Vec::new(), case_sensitive: true };
    let page = find(ledger, &query, 2_000).await;
    format!("{:?} {:?}", page.rows, page.size)
}

fn rows_of(contents: &[Contents], table: &str) -> u64 {
    contents.iter().find(|one| one.table == table).unwrap().rows
}

fn call() -> impl Strategy<Value = Call> {
    let row = (1_i64..=3, 1_i64..40, any::<bool>());
    (prop::collection::vec(row, 1..12), prop::option::of(0_u8..3))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn a_ledger_that_was_copied_there_and_back_is_the_same(
        calls in prop::collection::vec(call(), 0..30),
    ) {
        let Some(server) = Server::shared() else { return Ok(()) };
        let folder = TempDir::new().unwrap();
        let (path, url) = (written(&folder, &calls), url(server));
        let there = to_server(&path, &url).unwrap();
        let back = folder.path().join("back.db");
        let returned = to_file(&url, &back).unwrap();
        prop_assert_eq!(&there.tables, &returned.tables);
        prop_assert_eq!(rows(&path), rows(&back));
        for table in ["meta", "session", "account_row", "refund_row", "audit_object", "event"] {
            prop_assert!(rows_of(&there.tables, table) > 0, "{}", table);
        }
        let on_server = contents(&mut ServerHeld::take(&url).unwrap()).unwrap();
        prop_assert_eq!(on_server, contents(&mut FileHeld::take(&back).unwrap()).unwrap());
        let [one, other] = [&path, &back].map(|path| SqliteLedger::open(path, &options()).unwrap());
        let served = PostgresLedger::open(&url, &options()).unwrap();
        runtime().block_on(async {
            for object in QueryObject::ALL {
                let expected = all_of(&one, object).await;
                assert_eq!(all_of(&served, object).await, expected);
                assert_eq!(all_of(&other, object).await, expected);
            }
            // What comes next has the same numbers, ids and answers, and a key is still known.
            for (second, key) in [(500, None), (501, Some(1)), (502, Some(1))] {
                let next = async |ledger: &dyn Ledger| {
                    let created = ledger.create(request(&[(1, 5, true)], false, key, second)).await;
                    format!("{:?}", created.unwrap())
                };
                let expected = next(&one).await;
                assert_eq!(next(&served).await, expected);
                assert_eq!(next(&other).await, expected);
            }
        });
        drop((one, other, served));
    }
}

#[test]
fn queries_find_in_a_copy_what_they_find_in_the_ledger() {
    let Some(server) = Server::shared() else { return };
    let folder = TempDir::new().unwrap();
    let (path, url) = (written(&folder, &[]), url(server));
    to_server(&path, &url).unwrap();
    let one = SqliteLedger::open(&path, &options()).unwrap();
    let other = PostgresLedger::open(&url, &options()).unwrap();
    let put = runtime().block_on(async {
        let mut put = 0;
        for object in [QueryObject::Account, QueryObject::Refund] {
            put += compare(&one, &other, object).await;
        }
        put
    });
    assert!(put > 300, "{put}");
    drop((one, other));
}

/// The copy ends in mid-table as if the process had been killed.
fn cut_short(from: &mut dyn Held, to: Box<dyn Unfinished>) {
    let copying: Progress = Arc::new(|done, all| assert!(done * 2 < all, "killed"));
    let shown = Shown { copying, ..unseen() };
    let ended = catch_unwind(AssertUnwindSafe(|| copy(from, to, &shown).map(|_| ())));
    assert!(ended.is_err());
}

#[test]
fn what_was_not_finished_is_served_by_nothing_and_begun_anew() {
    let Some(server) = Server::shared() else { return };
    let folder = TempDir::new().unwrap();
    let (path, url) = (written(&folder, &[]), url(server));
    let before = rows(&path);
    cut_short(&mut FileHeld::take(&path).unwrap(), Box::new(ServerBegun::begin(&url).unwrap()));
    let refusals = [
        PostgresLedger::open(&url, &options()).map(|_| ()).unwrap_err(),
        PostgresLedger::audit(&url, &unseen().first).map(|_| ()).unwrap_err(),
    ];
    for refused in refusals {
        assert!(refused.is_refusal(), "{refused}");
        assert!(refused.to_string().contains("was not finished"), "{refused}");
    }
    assert!(matches!(ServerHeld::take(&url), Err(MoveError::Server(_))));
    to_server(&path, &url).unwrap();
    let back = folder.path().join("back.db");
    cut_short(&mut ServerHeld::take(&url).unwrap(), Box::new(FileBegun::begin(&back).unwrap()));
    let refused = SqliteLedger::open(&back, &OpenOptions { ..options() }).map(|_| ());
    assert!(matches!(refused, Err(OpenError::Unfinished { .. })), "{refused:?}");
    assert!(matches!(SqliteLedger::audit_file(&back), Err(OpenError::Unfinished { .. })));
    to_file(&url, &back).unwrap();
    assert_eq!((rows(&path), rows(&back)), (before.clone(), before));
    // Nothing of the copies stays beside the ledgers.
    let names = std::fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<_> = names.map(|one| one.unwrap().file_name()).collect();
    let beside = [".lock", "-wal", "-shm"];
    names.retain(|name| !beside.iter().any(|end| name.to_string_lossy().ends_with(end)));
    names.sort();
    assert_eq!(names, ["back.db", "ledger.db"]);
}

/// Regression: the row that was on its way was said to be damaged.
#[test]
fn a_server_that_goes_away_or_refuses_in_the_middle_of_a_copy_says_so_itself() {
    let Some(server) = Server::start() else { return };
    let folder = TempDir::new().unwrap();
    let (path, url) = (written(&folder, &[]), url(&server));
    let server = Arc::new(server);
    let striking = |strike: fn(&Server)| {
        let (server, once) = (Arc::clone(&server), Once::new());
        let copying: Progress = Arc::new(move |_, _| once.call_once(|| strike(&server)));
        Shown { copying, ..unseen() }
    };
    let failure = |copied: Result<Moved, MoveError>| match copied.map(|_| ()) {
        Err(MoveError::Server(error)) => error,
        other => panic!("{other:?}"),
    };
    let killed = || striking(Server::kill_and_start);
    let begun = || Box::new(ServerBegun::begin(&url).unwrap());
    let why = failure(copy(&mut FileHeld::take(&path).unwrap(), begun(), &killed()));
    assert!(!why.is_refusal() && !why.is_damage(), "{why}");
    // What the role may not write is no row's fault either.
    server.sql("postgres", "create role half login password 'secret' in role pg_read_all_data");
    let (_, schema) = url.rsplit_once("%3D").unwrap();
    let grant = "grant usage on schema {} to half; grant insert, update, delete on all tables in \
                 schema {} to half; revoke insert on {}.refund_row from half";
    server.sql("postgres", &grant.replace("{}", schema));
    let half = url.replace("postgres:secret@", "half:secret@");
    let refused = Box::new(ServerBegun::begin(&half).unwrap());
    let why = failure(copy(&mut FileHeld::take(&path).unwrap(), refused, &unseen()));
    assert!(why.is_refusal() && why.to_string().contains("docs/POSTGRES.md"), "{why}");
    copy(&mut FileHeld::take(&path).unwrap(), begun(), &unseen()).unwrap();
    let back = folder.path().join("back.db");
    let to_file = || Box::new(FileBegun::begin(&back).unwrap());
    let why = failure(copy(&mut ServerHeld::take(&url).unwrap(), to_file(), &killed()));
    assert!(!why.is_refusal() && !why.is_damage(), "{why}");
    copy(&mut ServerHeld::take(&url).unwrap(), to_file(), &unseen()).unwrap();
    assert_eq!(rows(&path), rows(&back));
}

#[test]
fn a_ledger_in_use_and_a_place_that_is_taken_are_refused() {
    let Some(server) = Server::shared() else { return };
    let folder = TempDir::new().unwrap();
    let (path, url) = (written(&folder, &[]), url(server));
    to_server(&path, &url).unwrap();
    for refused in [to_server(&path, &url), to_file(&url, &path)] {
        assert!(matches!(refused, Err(MoveError::NotEmpty(_))), "{refused:?}");
    }
    let served = SqliteLedger::open(&path, &options()).unwrap();
    let refused = FileHeld::take(&path).map(|_| ());
    assert!(matches!(refused, Err(MoveError::File(OpenError::InUse { .. }))), "{refused:?}");
    drop(served);
    let served = PostgresLedger::open(&url, &options()).unwrap();
    let refused = ServerHeld::take(&url).map(|_| ()).unwrap_err().to_string();
    assert!(refused.contains("in use"), "{refused}");
    drop(served);
    let missing = FileHeld::take(&folder.path().join("none.db")).map(|_| ());
    assert!(matches!(missing, Err(MoveError::File(OpenError::Missing { .. }))), "{missing:?}");
    assert!(!folder.path().join("none.db.lock").exists());
}

#[test]
fn a_ledger_that_does_not_add_up_or_is_of_an_old_schema_is_not_copied() {
    let Some(server) = Server::shared() else { return };
    let folder = TempDir::new().unwrap();
    let (path, url) = (written(&folder, &[]), url(server));
    let change = |statement: &str| {
        let ledger = rusqlite::Connection::open(&path).unwrap();
        ledger.execute_batch(statement).unwrap();
    };
    change("update balance set units = units + 1 where account = 1");
    let refused = to_server(&path, &url);
    assert!(matches!(refused, Err(MoveError::Unsound { .. })), "{refused:?}");
    change("update balance set units = units - 1 where account = 1; pragma user_version = 14");
    let refused = to_server(&path, &url);
    assert!(matches!(refused, Err(MoveError::OldSchema { found: 14, .. })), "{refused:?}");
    change("pragma user_version = 15");
    to_server(&path, &url).unwrap();
}
