//! The ledger against a real file: money, exactly-once, restarts, marks and damage.

use super::backend::read_at_once;
use super::*;
use crate::domain::draft::RefundDraft;
use crate::domain::draft::batch::Drafts;
use crate::domain::draft::fields::Draft as _;
use crate::domain::id::{ObjectId, RefundId};
use crate::domain::lifecycle::{Response, Verdict};
use crate::domain::money::{Currency, MinorUnits};
use crate::domain::origin::{FrontDoor, Origin};
use crate::domain::permission::Permission;
use crate::domain::query::{Condition, QueryObject, Test, TypedQuery};
use crate::domain::row_error::RowError;
use crate::domain::rules::Asking;
use crate::domain::version::ApiVersion;
use crate::domain::vocabulary::{MethodStatus, MethodType};
use crate::domain::zoql::Comparator;
use crate::ledger::engine::Engine;
use crate::ledger::orders::{Exchange, ExchangeKind, Note, OpenOrder, Orders, Transcript};
use crate::ledger::outbox::{Attempt, Outbox};
use crate::ledger::query::page::look;
use crate::ledger::query::{Find, Queries, Start};
use crate::ledger::reader::Reader;
use crate::ledger::seed::{SeedAccount, SeedPaymentMethod, SeedPlan, SeedUser};
use crate::ledger::test_bench::{SnapshotError, TestBench};
use crate::ledger::ticket::Ticket;
use crate::ledger::work::creating;
use crate::ledger::{
    Batch, Bookkeeping, Context, Create, Created, Health, Idempotency, Order, Render, Saved,
    Sessions, Settings, TokenHash, UserKey,
};
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

pub(super) const ACCOUNT: &str = "402892c72b9e3319012b9e34b88e0001";
pub(super) const METHOD: &str = "2c92c0f83dfa5201013dfa6656ff2b8b";

pub(super) fn options(test: bool) -> OpenOptions {
    let mode = OpenMode::CreateOrOpen { test };
    OpenOptions { mode, id_seed: None, settings: LedgerSettings::default() }
}

pub(super) fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + second, 0).unwrap()
}

/// One account of 50.00 USD with a card, and one user who may do everything.
pub(super) fn plan() -> SeedPlan {
    let id = |text| ObjectId::parse(text).unwrap();
    SeedPlan {
        users: vec![SeedUser {
            username: "demo".to_owned(),
            password_hash: Some("hash".to_owned()),
            permissions: Permission::ALL.into_iter().collect(),
            orgs: None,
        }],
        accounts: vec![SeedAccount {
            id: id(ACCOUNT),
            number: "A1".to_owned(),
            name: "One".to_owned(),
            currency: Currency::from_code("USD").unwrap(),
            opening: MinorUnits::new(5000),
            opened: None,
            default_payment_method: Some(id(METHOD)),
            gateway: None,
        }]
        .into(),
        payment_methods: vec![SeedPaymentMethod {
            id: id(METHOD),
            account: Some(id(ACCOUNT)),
            method_type: MethodType::CreditCard,
            name: None,
            status: MethodStatus::Active,
            gateway: None,
        }]
        .into(),
        ..SeedPlan::default()
    }
}

/// The same plan with another account.
pub(super) fn plan_of(change: impl Fn(&mut SeedAccount)) -> SeedPlan {
    let mut accounts: Vec<SeedAccount> = plan().accounts.into_iter().collect();
    accounts.iter_mut().for_each(change);
    SeedPlan { accounts: accounts.into(), ..plan() }
}

async fn seeded(path: &Path) -> SqliteLedger {
    let ledger = SqliteLedger::open(path, &options(true)).unwrap();
    ledger.load_seed(plan()).await.unwrap().unwrap();
    ledger
}

fn draft(refund_type: &str, amount: &str) -> RefundDraft {
    let mut draft = RefundDraft::default();
    draft.set("AccountId", ACCOUNT);
    draft.set("Amount", amount);
    draft.set("SourceType", "CreditBalance");
    draft.set("Type", refund_type);
    draft.set("PaymentMethodId", METHOD);
    draft
}

fn request(drafts: Vec<RefundDraft>, key: Option<(&str, u8)>) -> Create {
    let idempotency = key.map(|(key, fingerprint)| Idempotency {
        key: key.to_owned(),
        operation: "create",
        fingerprint: [fingerprint; 32],
        at: at(0),
        render: Render::Rows(Box::new(|rows| format!("{rows:?}").into_bytes())),
    });
    let asking = Asking {
        version: ApiVersion::major(91),
        permissions: Permission::ALL.into_iter().collect(),
        now: at(0),
        strict: false,
    };
    let (user, origin, ticket) = (UserKey(1), Origin::of(FrontDoor::Soap), Ticket::default());
    let drafts = Drafts::Refunds(drafts);
    Create {
        context: Context { user, origin, asking, ticket },
        batch: Batch { drafts, ordered: BTreeMap::new(), is_single: false },
        idempotency,
        line_up: None,
    }
}

async fn rows(ledger: &SqliteLedger, drafts: Vec<RefundDraft>) -> Vec<Result<RefundId, RowError>> {
    let id = |saved: Saved| RefundId::parse(saved.id.as_str()).unwrap();
    match ledger.create(request(drafts, None)).await.unwrap() {
        Created::Fresh { rows, .. } => rows.into_iter().map(|row| row.map(id)).collect(),
        other => panic!("a fresh request was taken for another: {other:?}"),
    }
}

fn balance(path: &Path) -> i64 {
    let audit = SqliteLedger::audit_file(path).unwrap();
    assert_eq!(audit.findings.problems, Vec::<String>::new());
    audit.accounts.first().unwrap().balance.units()
}

#[tokio::test]
async fn a_refund_survives_reopening_and_ids_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = seeded(&path).await;
    let first = rows(&ledger, vec![draft("External", "10")]).await.remove(0).unwrap();
    drop(ledger);
    let ledger = SqliteLedger::open(&path, &options(true)).unwrap();
    let second = rows(&ledger, vec![draft("External", "10")]).await.remove(0).unwrap();
    assert_eq!((first.number().value(), second.number().value()), (1, 2));
    assert_eq!(first.salt(), second.salt());
    assert!(first.to_string() < second.to_string());
    assert_eq!(balance(&path), 3000);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn one_bad_row_leaves_the_others_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = seeded(&path).await;
    let amounts = ["30", "30", "bad", "20", "0.01"];
    let drafts = amounts.map(|amount| draft("External", amount)).to_vec();
    let results = rows(&ledger, drafts).await;
    let good: Vec<bool> = results.iter().map(Result::is_ok).collect();
    assert_eq!(good, [true, false, false, true, false]);
    assert_eq!(balance(&path), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_at_once_never_take_more_than_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = std::sync::Arc::new(seeded(&path).await);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let ledger = std::sync::Arc::clone(&ledger);
        tasks.spawn(async move { rows(&ledger, vec![draft("External", "1")]).await.remove(0) });
    }
    let results = tasks.join_all().await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 50);
    let ids: std::collections::HashSet<RefundId> = results.into_iter().flatten().collect();
    assert_eq!(ids.len(), 50);
    assert_eq!(balance(&path), 0);
}

#[tokio::test]
async fn a_key_is_answered_with_the_same_bytes_and_done_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = seeded(&path).await;
    let drafts = || vec![draft("External", "10"), draft("External", "bad")];
    let Created::Fresh { answer: Some(answer), .. } =
        ledger.create(request(drafts(), Some(("k", 1)))).await.unwrap()
    else {
        panic!("the first request must be fresh and stored");
    };
    drop(ledger);
    let ledger = SqliteLedger::open(&path, &options(true)).unwrap();
    let again = ledger.create(request(drafts(), Some(("k", 1)))).await.unwrap();
    assert!(matches!(again, Created::Replayed(bytes) if bytes == answer));
    let other = ledger.create(request(drafts(), Some(("k", 2)))).await.unwrap();
    assert!(matches!(other, Created::KeyReused));
    assert_eq!(balance(&path), 4000);
    let mut late = request(drafts(), Some(("k", 2)));
    late.idempotency.as_mut().unwrap().at = at(24 * 3600 + 1);
    assert!(matches!(ledger.create(late).await.unwrap(), Created::Fresh { .. }));
}

/// Every order that is still open.
async fn due(ledger: &SqliteLedger) -> Vec<OpenOrder> {
    ledger.due_orders("sandbox", at(1_000_000), 1_000).await.unwrap()
}

/// An exchange that was over at this second.
fn told(second: i64) -> Exchange {
    Exchange { kind: ExchangeKind::Refund, transcript: Transcript::default(), at: at(second) }
}

fn approved(response: Response) -> Verdict {
    Verdict::Approved { reference_id: "t".to_owned(), second_reference_id: None, response }
}

#[tokio::test]
async fn an_electronic_refund_is_held_and_ends_exactly_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = seeded(&path).await;
    let created = ledger
        .create(request(vec![draft("Electronic", "30"), draft("Electronic", "15")], None))
        .await;
    let Ok(Created::Fresh { orders, .. }) = created else { panic!("{created:?}") };
    assert_eq!(balance(&path), 500);
    let open: Vec<Order> = due(&ledger).await.into_iter().map(|open| open.order).collect();
    assert_eq!(open, orders);
    let response = Response { code: "54".to_owned(), text: "no".to_owned() };
    let declined = Verdict::Declined { response: response.clone() };
    let number = orders[0].refund.number();
    assert!(ledger.end_refund(number, declined.clone(), told(1)).await.unwrap());
    assert!(!ledger.end_refund(number, declined, told(2)).await.unwrap());
    let approved = approved(response);
    assert!(!ledger.end_refund(number, approved.clone(), told(3)).await.unwrap());
    assert_eq!(balance(&path), 3500);
    assert!(ledger.end_refund(orders[1].refund.number(), approved, told(4)).await.unwrap());
    assert_eq!(balance(&path), 3500);
    assert!(due(&ledger).await.is_empty());
}

/// Regression: what a clock had planned that went back later was not asked about until that clock's
/// moment came again.
#[tokio::test]
async fn an_order_that_is_planned_too_far_ahead_is_due() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = seeded(&folder.path().join("ledger.db")).await;
    let created = ledger.create(request(vec![draft("Electronic", "30")], None)).await;
    let Ok(Created::Fresh { orders, .. }) = created else { panic!("{created:?}") };
    let number = orders[0].refund.number();
    let plan = async |second| {
        let (exchange, why) = (told(0), "no answer".to_owned());
        let note = Note { exchange, why, was_never_sent: false, next: Some(at(second)) };
        assert!(ledger.note_exchange(number, note).await.unwrap());
    };
    let is_due =
        async |second| ledger.due_orders("sandbox", at(second), 9).await.unwrap().len() == 1;
    plan(7200).await;
    assert!(is_due(7200).await && !is_due(7199).await && !is_due(0).await);
    assert!(is_due(-1).await);
}

#[tokio::test]
async fn an_audit_finds_a_refund_that_is_stuck() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = seeded(&path).await;
    ledger.create(request(vec![draft("Electronic", "30")], None)).await.unwrap();
    assert_eq!(SqliteLedger::audit_file(&path).unwrap().findings.problems, Vec::<String>::new());
    drop(ledger);
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute("delete from inquiry", []).unwrap();
    let found = SqliteLedger::audit_file(&path).unwrap().findings.problems;
    assert_eq!(found, ["refund R-00000001: is in Processing, and nobody asks its gateway"]);
}

#[tokio::test]
async fn a_withdrawn_request_is_never_done() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = seeded(&path).await;
    let withdrawn = request(vec![draft("External", "10")], None);
    assert!(withdrawn.context.ticket.withdraw());
    let result = ledger.create(withdrawn).await;
    assert!(matches!(result, Err(LedgerError::Withdrawn)));
    assert_eq!(balance(&path), 5000);
}

#[tokio::test]
async fn a_seed_loads_twice_and_a_conflict_loads_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = seeded(&path).await;
    let again = ledger.load_seed(plan()).await.unwrap().unwrap();
    assert_eq!((again.added, again.unchanged), (0, 3));
    let mut conflicting = plan_of(|account| account.opening = MinorUnits::new(6000));
    conflicting.tenant.push(("credit_balance", "false".to_owned()));
    let conflict = ledger.load_seed(conflicting).await.unwrap().unwrap_err().to_string();
    assert!(conflict.contains("credit_balance is `50.00`"), "{conflict}");
    let works = rows(&ledger, vec![draft("External", "10")]).await;
    assert!(works[0].is_ok(), "the tenant of the refused seed must not be in force");
}

#[tokio::test]
async fn sessions_survive_reopening_and_are_known_only_by_hash() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = seeded(&path).await;
    let token = ledger.open_session(UserKey(1), at(0), at(-900)).await.unwrap();
    let other = ledger.open_session(UserKey(1), at(0), at(-900)).await.unwrap();
    assert_eq!((token.len(), token == other), (255, false));
    let hash: TokenHash = Sha256::digest(token.as_bytes()).into();
    ledger.keep_session(hash, at(60)).await.unwrap();
    drop(ledger);
    assert!(!fs::read(&path).unwrap().windows(64).any(|part| part == &token.as_bytes()[..64]));
    let ledger = SqliteLedger::open(&path, &options(true)).unwrap();
    let session = ledger.find_session(hash).await.unwrap().unwrap();
    assert_eq!((session.last_used, session.user.username.as_str()), (at(60), "demo"));
    ledger.open_session(UserKey(1), at(2000), at(1100)).await.unwrap();
    assert!(ledger.find_session(hash).await.unwrap().is_none());
}

#[tokio::test]
async fn an_id_seed_repeats_itself_but_never_within_one_ledger() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let options = OpenOptions { id_seed: Some(7), ..options(true) };
        let mut seen = Vec::new();
        for _ in 0..2 {
            let ledger = SqliteLedger::open(&path, &options).unwrap();
            ledger.load_seed(plan()).await.unwrap().unwrap();
            seen.push(ledger.open_session(UserKey(1), at(0), at(-900)).await.unwrap());
            let id = rows(&ledger, vec![draft("External", "1")]).await.remove(0).unwrap();
            seen.push(id.to_string());
        }
        runs.push(seen);
    }
    assert_eq!(runs[0], runs[1]);
    let distinct: std::collections::HashSet<&String> = runs[0].iter().collect();
    assert_eq!(distinct.len(), 4);
}

#[tokio::test]
async fn entries_can_be_neither_changed_nor_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = seeded(&path).await;
    rows(&ledger, vec![draft("External", "10")]).await.remove(0).unwrap();
    drop(ledger);
    let connection = rusqlite::Connection::open(&path).unwrap();
    for change in ["update entry_row set delta = -1", "delete from entry_row"] {
        let error = connection.execute(change, []).unwrap_err().to_string();
        assert!(error.contains("ledger entries are never"), "{error}");
    }
    connection.execute("update balance set units = units + 1", []).unwrap();
    drop(connection);
    let audit = SqliteLedger::audit_file(&path).unwrap();
    assert!(audit.findings.problems[0].starts_with("account A1: 5000 moved by -1000"), "{audit:?}");
}

#[test]
fn what_is_no_sound_ledger_of_this_program_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let open = |name: &str| SqliteLedger::open(&folder.path().join(name), &options(false)).err();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("garbage"), b"this is no database, whatever its name says").unwrap();
    assert!(matches!(open("garbage"), Some(OpenError::Damaged { .. })));
    let other = rusqlite::Connection::open(path("other")).unwrap();
    other.execute_batch("create table other (x)").unwrap();
    assert!(matches!(open("other"), Some(OpenError::NotALedger { .. })));
    drop(SqliteLedger::open(&path("newer"), &options(false)).unwrap());
    let newer = rusqlite::Connection::open(path("newer")).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    drop(newer);
    assert!(matches!(open("newer"), Some(OpenError::NewerSchema { found: 99, .. })));
    drop(SqliteLedger::open(&path("torn"), &options(false)).unwrap());
    let mut bytes = fs::read(path("torn")).unwrap();
    bytes[5000..9000].fill(0xA5);
    fs::write(path("torn"), bytes).unwrap();
    assert!(matches!(open("torn"), Some(OpenError::Damaged { .. })));
}

#[test]
fn the_mark_and_the_lock_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = SqliteLedger::open(&path, &options(true)).unwrap();
    let second = SqliteLedger::open(&path, &options(true)).err();
    assert!(matches!(second, Some(OpenError::InUse { .. })));
    drop(ledger);
    let unmarked = SqliteLedger::open(&path, &options(false)).err();
    assert!(matches!(unmarked, Some(OpenError::Mark { is_test: true, .. })));
    let any = OpenOptions { mode: OpenMode::Existing, ..options(false) };
    assert!(SqliteLedger::open(&path, &any).is_ok());
    let missing = SqliteLedger::open(&folder.path().join("none.db"), &any).err();
    assert!(matches!(missing, Some(OpenError::Missing { .. })));
}

#[tokio::test]
async fn an_emptied_file_beside_its_log_is_damage_and_not_a_new_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let copy = folder.path().join("copy.db");
    let ledger = seeded(&path).await;
    rows(&ledger, vec![draft("External", "10")]).await.remove(0).unwrap();
    fs::copy(folder.path().join("ledger.db-wal"), folder.path().join("copy.db-wal")).unwrap();
    fs::write(&copy, b"").unwrap();
    let opened = SqliteLedger::open(&copy, &options(true)).err();
    assert!(matches!(opened, Some(OpenError::Damaged { .. })));
    assert!(fs::metadata(folder.path().join("copy.db-wal")).unwrap().len() > 0);
}

#[tokio::test]
async fn a_clean_end_leaves_one_file_and_its_lock() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = seeded(&path).await;
    ledger.find_user("demo").await.unwrap().unwrap();
    drop(ledger);
    let mut names: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["ledger.db", "ledger.db.lock"]);
}

#[tokio::test]
async fn verdicts_wait_for_room_in_the_queue() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    drop(seeded(&path).await);
    let settings = LedgerSettings { queue_max: 1, batch_max: 1, ..LedgerSettings::default() };
    let ledger = SqliteLedger::open(&path, &OpenOptions { settings, ..options(true) }).unwrap();
    let drafts = vec![draft("Electronic", "0.01"); 50];
    let Ok(Created::Fresh { orders, .. }) = ledger.create(request(drafts, None)).await else {
        panic!("one request fits into the queue");
    };
    let response = Response { code: "OK".to_owned(), text: String::new() };
    let approved = approved(response);
    let end = |order: &Order| ledger.end_refund(order.refund.number(), approved.clone(), told(1));
    let ends: Vec<_> = orders.iter().map(end).collect();
    for end in ends {
        assert_eq!(end.await, Ok(true));
    }
    assert!(due(&ledger).await.is_empty());
}

#[tokio::test]
async fn a_request_that_panics_takes_no_other_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = seeded(&path).await;
    let mut poison = request(vec![draft("External", "10")], Some(("k", 1)));
    if let Some(once) = &mut poison.idempotency {
        once.render = Render::Rows(Box::new(|_| panic!("on purpose")));
    }
    let poisoned = ledger.create(poison);
    let good = ledger.create(request(vec![draft("External", "10")], None));
    assert!(matches!(poisoned.await, Err(LedgerError::Unavailable(_))));
    assert!(matches!(good.await, Ok(Created::Fresh { .. })));
    drop(ledger);
    assert_eq!(balance(&path), 4000);
}

#[tokio::test]
async fn a_default_method_of_another_account_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = seeded(&path).await;
    let mut other = plan_of(|account| {
        account.id = ObjectId::parse("00000000000000000000000000000002").unwrap();
        account.number = "A2".to_owned();
    });
    other.payment_methods = Vec::new().into();
    let conflict = ledger.load_seed(other).await.unwrap().unwrap_err();
    assert!(matches!(conflict, crate::ledger::seed::SeedConflict::Unfit { .. }));
}

#[tokio::test]
async fn a_ledger_that_was_removed_takes_nothing_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = seeded(&path).await;
    fs::rename(&path, folder.path().join("elsewhere.db")).unwrap();
    let refused = ledger.create(request(vec![draft("External", "10")], None)).await;
    assert!(matches!(refused, Err(LedgerError::Unavailable(why)) if why.contains("removed")));
    assert!(ledger.probe().await.is_err());
    fs::rename(folder.path().join("elsewhere.db"), &path).unwrap();
    assert!(rows(&ledger, vec![draft("External", "10")]).await[0].is_ok());
}

#[cfg(target_os = "linux")]
#[test]
fn neither_another_name_nor_a_removed_lock_file_lets_a_second_process_in() {
    let folder = tempfile::tempdir().unwrap();
    let (path, other) = (folder.path().join("ledger.db"), folder.path().join("other.db"));
    let _ledger = SqliteLedger::open(&path, &options(true)).unwrap();
    fs::hard_link(&path, &other).unwrap();
    fs::remove_file(folder.path().join("ledger.db.lock")).unwrap();
    for name in [path, other] {
        let second = SqliteLedger::open(&name, &options(true)).err();
        assert!(matches!(second, Some(OpenError::InUse { .. })));
    }
}

/// The disk is full: SQLite itself refuses to let the file grow.
#[tokio::test]
async fn a_full_disk_faults_and_loses_nothing_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    drop(seeded(&path).await);
    let mut store = open::open_store(&path, &options(true)).unwrap();
    let pages: i64 =
        store.connection().pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    store.connection().pragma_update(None, "max_page_count", pages).unwrap();
    let mut acknowledged = 0;
    let failed = loop {
        store.begin().unwrap();
        let one = request(vec![draft("External", "0.01")], None);
        let created = store.work(|unit| creating::create(unit, &one)).and_then(|_| store.flush());
        let created = created.map_err(|error| error.to_string());
        match created.and_then(|()| store.commit().map_err(|error| format!("{error:?}"))) {
            Ok(()) => acknowledged += 1,
            Err(error) => break error,
        }
    };
    assert!(failed.contains("disk is full"), "{failed}");
    store.roll_back().unwrap();
    store.close(false);
    let audit = SqliteLedger::audit_file(&path).unwrap();
    assert_eq!((audit.findings.problems.len(), audit.refunds), (0, acknowledged));
    assert!(acknowledged > 0);
}

#[tokio::test]
async fn an_accounts_events_go_one_after_another_and_one_that_is_given_up_is_kept() {
    let folder = TempDir::new().unwrap();
    let settings = LedgerSettings { events: Some(true), ..LedgerSettings::default() };
    let path = folder.path().join("l.db");
    let ledger = SqliteLedger::open(&path, &OpenOptions { settings, ..options(true) }).unwrap();
    ledger.load_seed(plan()).await.unwrap().unwrap();
    rows(&ledger, vec![draft("External", "1")]).await;
    ledger.register_webhooks(vec!["w".to_owned()]).await.unwrap();
    let drafts = ["2", "3", "4"].map(|amount| draft("External", amount)).to_vec();
    rows(&ledger, drafts).await;
    assert!(!ledger.collect("w", None, at(0)).await.unwrap());
    let due = async |second| -> Vec<i64> {
        let due = ledger.due("w", at(second), 9).await.unwrap();
        due.into_iter().map(|delivery| delivery.event.sequence).collect()
    };
    // What was before it registered is not the webhook's, and only the first has its turn.
    assert_eq!(due(0).await, [2]);
    let why = "no".to_owned();
    let again = Attempt::Again { next: at(5), why: why.clone() };
    ledger.note_attempt("w", 2, again, at(0)).await.unwrap();
    assert_eq!((due(4).await, due(5).await), (vec![], vec![2]));
    ledger.note_attempt("w", 2, Attempt::GivenUp { why }, at(5)).await.unwrap();
    assert_eq!(due(5).await, [3]);
    ledger.note_attempt("w", 3, Attempt::Delivered, at(6)).await.unwrap();
    ledger.note_attempt("w", 3, Attempt::Delivered, at(6)).await.unwrap();
    assert_eq!(due(6).await, [4]);
    let stats = ledger.delivery_stats("w").await.unwrap();
    assert_eq!((stats.waiting, stats.given_up), (1, 1));
    // A restart that says nothing of events goes on as the last one said.
    drop(ledger);
    let ledger = SqliteLedger::open(&path, &options(true)).unwrap();
    rows(&ledger, vec![draft("External", "5")]).await;
    drop(ledger);
    let events = EventFile::open(&path).unwrap();
    assert!(events.are_kept().unwrap());
    let sequences: Vec<i64> =
        events.after(3, 9).unwrap().into_iter().map(|event| event.sequence).collect();
    assert_eq!(sequences, [4, 5]);
}

#[tokio::test]
async fn old_events_are_removed_but_none_that_a_webhook_has_still_to_get() {
    let folder = TempDir::new().unwrap();
    let settings = LedgerSettings { events: Some(true), ..LedgerSettings::default() };
    let path = folder.path().join("l.db");
    let ledger = SqliteLedger::open(&path, &OpenOptions { settings, ..options(true) }).unwrap();
    ledger.load_seed(plan()).await.unwrap().unwrap();
    let names = vec!["w".to_owned()];
    ledger.register_webhooks(names.clone()).await.unwrap();
    let drafts = ["1", "2", "3", "4", "5"].map(|amount| draft("External", amount)).to_vec();
    rows(&ledger, drafts).await;
    let kept = || -> Vec<i64> {
        let events = EventFile::open(&path).unwrap().after(0, 9).unwrap();
        events.into_iter().map(|event| event.sequence).collect()
    };
    let remove = async |second, names: &[String]| {
        assert!(!ledger.remove_events(at(second), names.to_vec()).await.unwrap());
    };
    remove(9, &names).await;
    assert_eq!(kept(), [1, 2, 3, 4, 5], "the webhook has collected nothing");
    assert!(!ledger.collect("w", None, at(1)).await.unwrap());
    ledger.note_attempt("w", 1, Attempt::Delivered, at(1)).await.unwrap();
    let given_up = Attempt::GivenUp { why: "no".to_owned() };
    ledger.note_attempt("w", 2, given_up, at(1)).await.unwrap();
    remove(0, &names).await;
    assert_eq!(kept(), [1, 2, 3, 4, 5], "they are not old");
    remove(9, &names).await;
    assert_eq!(kept(), [3, 4, 5], "what waits stays");
    assert_eq!(ledger.delivery_stats("w").await.unwrap().given_up, 0);
    for sequence in 3..=5 {
        ledger.note_attempt("w", sequence, Attempt::Delivered, at(2)).await.unwrap();
    }
    rows(&ledger, vec![draft("External", "6")]).await;
    // Nobody configures the webhook any more.
    remove(9, &[]).await;
    assert_eq!(kept(), [6], "the newest stays");
    rows(&ledger, vec![draft("External", "7")]).await;
    assert_eq!(kept(), [6, 7]);
}

#[tokio::test]
async fn only_a_test_ledger_of_this_schema_is_put_back() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("l.db");
    let other = snapshots::file_of(&path, "other");
    fs::create_dir(other.parent().unwrap()).unwrap();
    drop(SqliteLedger::open(&other, &options(false)).unwrap());
    let ledger = SqliteLedger::open(&path, &options(true)).unwrap();
    ledger.load_seed(plan()).await.unwrap().unwrap();
    let put_back = async || ledger.put_back("other".to_owned()).await.unwrap();
    let refused = put_back().await.unwrap_err().to_string();
    assert!(refused.contains("not a test ledger"), "{refused}");
    fs::remove_file(&other).unwrap();
    assert!(matches!(put_back().await, Err(SnapshotError::Missing(_))));
    ledger.save("other".to_owned()).await.unwrap().unwrap();
    put_back().await.unwrap();
    let saved = Connection::open(&other).unwrap();
    saved.pragma_update(None, "user_version", schema::SCHEMA_VERSION + 1).unwrap();
    drop(saved);
    let refused = put_back().await.unwrap_err().to_string();
    assert!(refused.contains("this program knows"), "{refused}");
    assert!(ledger.find_user("demo").await.unwrap().is_some());
}

#[tokio::test]
async fn what_an_older_version_saved_is_brought_up_to_date() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("l.db");
    let old = snapshots::file_of(&path, "old");
    fs::create_dir(old.parent().unwrap()).unwrap();
    let saved = Connection::open(&old).unwrap();
    saved.execute_batch(&schema::SCHEMA[..2].concat()).unwrap();
    saved.pragma_update(None, "user_version", 2).unwrap();
    saved.pragma_update(None, "application_id", schema::APPLICATION_ID).unwrap();
    schema::mark(&saved, true).unwrap();
    let user = "insert into user (id, username, password_hash, permissions) \
                values ('00000000000000000000000000000001', 'old', 'hash', 63)";
    saved.execute(user, []).unwrap();
    drop(saved);
    let before = fs::read(&old).unwrap();
    let ledger = SqliteLedger::open(&path, &options(true)).unwrap();
    ledger.put_back("old".to_owned()).await.unwrap().unwrap();
    assert!(ledger.find_user("old").await.unwrap().is_some());
    ledger.load_seed(plan()).await.unwrap().unwrap();
    rows(&ledger, vec![draft("External", "5")]).await;
    assert_eq!(fs::read(&old).unwrap(), before);
}

#[tokio::test]
async fn a_ledger_begins_anew_with_all_of_its_seeds_or_stays_as_it_was() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("l.db");
    let settings = LedgerSettings { events: Some(true), ..LedgerSettings::default() };
    let ledger = SqliteLedger::open(&path, &OpenOptions { settings, ..options(true) }).unwrap();
    ledger.load_seed(plan()).await.unwrap().unwrap();
    rows(&ledger, vec![draft("External", "5")]).await;
    let other = plan_of(|account| account.name = "Two".to_owned());
    ledger.begin_anew(vec![plan(), other.clone()], false).await.unwrap().unwrap_err();
    assert_eq!(SqliteLedger::audit_file(&path).unwrap().refunds, 1);
    let id = ObjectId::parse(ACCOUNT).unwrap();
    let both = vec![plan(), other];
    ledger.renew_account(id.clone(), both).await.unwrap().unwrap_err();
    assert_eq!(SqliteLedger::audit_file(&path).unwrap().refunds, 1);
    ledger.begin_anew(vec![plan()], false).await.unwrap().unwrap();
    let audit = SqliteLedger::audit_file(&path).unwrap();
    assert_eq!((audit.refunds, audit.accounts.len(), audit.findings.problems.len()), (0, 1, 0));
    rows(&ledger, vec![draft("External", "5")]).await;
    let events = EventFile::open(&path).unwrap();
    assert!(events.are_kept().unwrap());
    assert_eq!(events.after(0, 9).unwrap().len(), 1);
    assert!(ledger.renew_account(id.clone(), vec![plan()]).await.unwrap().unwrap());
    let nobody = ObjectId::parse(&"0".repeat(32)).unwrap();
    assert!(!ledger.renew_account(nobody, vec![plan()]).await.unwrap().unwrap());
    assert_eq!(SqliteLedger::audit_file(&path).unwrap().refunds, 0);
    ledger.renew_account(id, Vec::new()).await.unwrap().unwrap();
    assert_eq!(SqliteLedger::audit_file(&path).unwrap().accounts.len(), 0);
}

/// What the tables of refunds and entries do not check themselves is found by an audit.
#[tokio::test]
async fn an_audit_finds_rows_that_none_may_have() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = seeded(&path).await;
    rows(&ledger, vec![draft("External", "1"), draft("External", "2")]).await;
    drop(ledger);
    let sound = fs::read(&path).unwrap();
    for (change, found) in [
        (
            "update refund_row set method_type = 10 where number = 2",
            "CHECK constraint failed in refund",
        ),
        ("update refund_row set status = 1 where number = 1", "CHECK constraint failed in refund"),
        (
            "update refund_row set created_by = 9 where number = 1",
            "a row of refund refers to nothing",
        ),
        ("update refund_row set previous = null where number = 2", "does not lead to its account"),
        ("update balance set newest_refund = 1", "account A1: its balance does not lead"),
        ("delete from balance", "an account and a balance do not belong together"),
        (
            "insert into entry_row (account, kind, delta, balance, refund, at_ms) \
          values (7, 0, -1, 1, 1, 1)",
            "a row of entry refers to nothing",
        ),
        ("insert into audit_row (at_ms, source) values (1, 99)", "who acted is not there"),
    ] {
        fs::write(&path, &sound).unwrap();
        rusqlite::Connection::open(&path).unwrap().execute_batch(change).unwrap();
        let problems = SqliteLedger::audit_file(&path).unwrap().findings.problems;
        assert!(problems.iter().any(|problem| problem.contains(found)), "{change}: {problems:?}");
    }
}

/// Overwrites the first page of a table or an index.
fn damage(path: &Path, name: &str) {
    let connection = rusqlite::Connection::open(path).unwrap();
    let root = "select rootpage from sqlite_schema where name = ?1";
    let root: u32 = connection.query_row(root, [name], |row| row.get(0)).unwrap();
    let root = usize::try_from(root).unwrap();
    drop(connection);
    let mut bytes = fs::read(path).unwrap();
    bytes[(root - 1) * 4096..root * 4096].fill(0xA5);
    fs::write(path, bytes).unwrap();
}

/// Nothing reads this table but a settlement.
#[tokio::test]
async fn damage_that_is_found_beside_serving_ends_writing_and_not_reading() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    drop(seeded(&path).await);
    damage(&path, "settlement_event");
    let ledger = SqliteLedger::open(&path, &options(true)).unwrap();
    rows(&ledger, vec![draft("External", "10")]).await.remove(0).unwrap();
    assert_eq!(ledger.damage(), None);
    ledger.begin_check();
    while ledger.damage().is_none() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let refused = ledger.create(request(vec![draft("External", "10")], None)).await;
    assert!(matches!(&refused, Err(LedgerError::Damaged(why)) if why.contains("restore")));
    assert!(matches!(ledger.load_seed(plan()).await, Err(LedgerError::Damaged(_))));
    assert!(matches!(ledger.probe().await, Err(LedgerError::Damaged(_))));
    assert!(ledger.find_user("demo").await.unwrap().is_some());
    drop(ledger);
    let existing = OpenOptions { mode: OpenMode::Existing, ..options(true) };
    let opened = SqliteLedger::open(&path, &existing).err();
    assert!(matches!(opened, Some(OpenError::Damaged { .. })), "{opened:?}");
}

#[tokio::test]
async fn damage_that_a_request_meets_ends_writing_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    drop(seeded(&path).await);
    damage(&path, "sqlite_autoindex_account_row_1");
    let ledger = SqliteLedger::open(&path, &options(true)).unwrap();
    let failed = ledger.create(request(vec![draft("External", "10")], None)).await;
    assert!(matches!(failed, Err(LedgerError::Damaged(_))));
    assert!(ledger.damage().is_some());
    assert!(matches!(ledger.probe().await, Err(LedgerError::Damaged(_))));
}

#[tokio::test]
async fn a_sound_ledger_stays_so_and_a_check_ends_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = seeded(&path).await;
    ledger.begin_check();
    ledger.begin_check();
    rows(&ledger, vec![draft("External", "10")]).await.remove(0).unwrap();
    assert_eq!(ledger.damage(), None);
    drop(ledger);
    let log = folder.path().join("ledger.db-wal");
    assert!(!log.exists(), "a clean end leaves no log");
}

#[tokio::test]
async fn newest_rows_that_contradict_each_other_are_damage() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = seeded(&path).await;
    rows(&ledger, vec![draft("External", "10")]).await.remove(0).unwrap();
    drop(ledger);
    for (wrong, detail) in [
        ("update balance set units = 4001", "entry 1 left a balance of 4000"),
        ("update refund_row set amount = 999", "refund R-00000001 has no entry of its amount"),
        ("update refund_row set entry = 2", "refund R-00000001 has no entry of its amount"),
        ("update refund_row set number = 2", "entry 1 is of the refund R-00000001"),
        ("insert into meta values ('last_deleted_refund', '1')", "refund R-00000001 was deleted"),
        ("insert into meta values ('last_key_account', '1x')", "the counter last_key_account"),
        ("insert into meta values ('session_counter', '-1')", "the counter session_counter"),
    ] {
        let copy = folder.path().join("copy.db");
        fs::copy(&path, &copy).unwrap();
        let connection = rusqlite::Connection::open(&copy).unwrap();
        connection.pragma_update(None, "foreign_keys", false).unwrap();
        connection.execute(wrong, []).unwrap();
        drop(connection);
        let before = fs::read(&copy).unwrap();
        let Some(OpenError::Damaged { detail: found, .. }) =
            SqliteLedger::open(&copy, &options(true)).err()
        else {
            panic!("{wrong}");
        };
        assert!(found.contains(detail), "{wrong}: {found}");
        assert!(fs::read(&copy).unwrap() == before, "it is left as it was");
    }
    assert!(SqliteLedger::open(&path, &options(true)).is_ok());
}

/// What the writer remembers of numbers from batch to batch holds only while no other writes.
#[tokio::test]
async fn numbers_go_on_behind_what_another_program_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = seeded(&path).await;
    let next = async || rows(&ledger, vec![draft("External", "1")]).await.remove(0).unwrap();
    assert_eq!((next().await.number().value(), next().await.number().value()), (1, 2));
    let other = Connection::open(&path).unwrap();
    other.execute("update refund_row set number = 7 where number = 2", []).unwrap();
    assert_eq!((next().await.number().value(), next().await.number().value()), (8, 9));
}

/// Statements between two creates of one batch: the second still knows of the first's number.
#[tokio::test]
async fn sessions_in_a_batch_take_no_number_from_its_refunds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = seeded(&path).await;
    let token = [7; 32];
    let ask = |_| {
        let created = ledger.create(request(vec![draft("External", "0.01")], None));
        (created, ledger.keep_session(token, at(0)))
    };
    let asked: Vec<_> = (0..100).map(ask).collect();
    for (created, kept) in asked {
        let Created::Fresh { rows, .. } = created.await.unwrap() else { panic!("not fresh") };
        assert!(rows.iter().all(Result::is_ok), "{rows:?}");
        kept.await.unwrap();
    }
    let stats = ledger.stats();
    assert_eq!((stats.failures, balance(&path)), (0, 4900));
    assert!(stats.commits < stats.committed_requests, "no two requests shared a transaction");
}

/// SQLite looks at a bound limit when it plans, and would plan anew for each value.
#[tokio::test]
async fn a_bound_limit_prepares_no_statement_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let _ledger = seeded(&path).await;
    let reader = reading::reading_connection(&path).unwrap();
    let select = "select id from account order by key limit ?";
    let mut statement = reader.prepare(select).unwrap();
    for most in [1, 2, 3] {
        let id: String = statement.query_row([most], |row| row.get(0)).unwrap();
        assert_eq!(id, ACCOUNT);
    }
    assert_eq!(statement.get_status(rusqlite::StatementStatus::Run), 3);
    assert_eq!(statement.get_status(rusqlite::StatementStatus::RePrepare), 0);
}

#[tokio::test]
async fn only_a_query_that_is_done_in_no_time_is_read_by_the_thread_that_asks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = seeded(&path).await;
    for _ in 0..6 {
        rows(&ledger, vec![draft("External", "0.01"); 50]).await;
    }
    let find = |conditions| Find {
        user: UserKey(1),
        start: Start::Query(TypedQuery {
            object: QueryObject::Refund,
            fields: vec!["Id".to_owned(), "Amount".to_owned()],
            conditions,
            case_sensitive: false,
        }),
        rows_max: 2_000,
        at: at(0),
        deadline: std::time::Instant::now() + std::time::Duration::from_secs(600),
    };
    let number = Test::Text(Comparator::Equal, "R-00000300".to_owned());
    let one = vec![vec![Condition { field: "RefundNumber".to_owned(), test: number }]];
    let reader = reading::reading_connection(&path).unwrap();
    for (conditions, count, is_short) in [(one, 1, true), (Vec::new(), 300, false)] {
        let find = find(conditions);
        // The steps alone count here, however slow the machine is.
        let long = std::time::Duration::from_secs(600);
        let (until, mut texts) = (std::time::Instant::now() + long, Texts::default());
        let mut reader = SqliteReader::new(&reader, &mut texts);
        let tenant = ledger.tenant();
        let look = |reader: &mut dyn Reader| look(reader, &tenant, &find);
        let at_once = read_at_once(&mut reader, until, look).unwrap();
        assert_eq!(at_once.is_some(), is_short);
        let page = ledger.find(find).await.unwrap().unwrap();
        assert_eq!((page.rows.len(), page.size, page.next), (count, count as u32, None));
    }
}
