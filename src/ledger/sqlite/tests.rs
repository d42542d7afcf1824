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
use crate::ledger::orders::{Exchange, ExchangeKind, OpenOrder, Orders, Transcript};
use crate::ledger::query::page::look;
use crate::ledger::query::{Find, Queries, Start};
use crate::ledger::reader::Reader;
use crate::ledger::record::Record;
use crate::ledger::records::Refund;
use crate::ledger::seed::{SeedAccount, SeedPaymentMethod, SeedPlan, SeedUser};
use crate::ledger::ticket::Ticket;
use crate::ledger::{
    Batch, Bookkeeping, Context, Create, Created, Health, Idempotency, LedgerError, Render, Saved,
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

pub(super) async fn seeded(path: &Path) -> SqliteLedger {
    let ledger = SqliteLedger::open(path, &options(true)).unwrap();
    ledger.load_seed(plan()).await.unwrap().unwrap();
    ledger
}

pub(super) fn draft(refund_type: &str, amount: &str) -> RefundDraft {
    let mut draft = RefundDraft::default();
    draft.set("AccountId", ACCOUNT);
    draft.set("Amount", amount);
    draft.set("SourceType", "CreditBalance");
    draft.set("Type", refund_type);
    draft.set("PaymentMethodId", METHOD);
    draft
}

pub(super) fn request(drafts: Vec<RefundDraft>, key: Option<(&str, u8)>) -> Create {
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
        earliest: at(0),
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

pub(super) async fn rows(
    ledger: &SqliteLedger,
    drafts: Vec<RefundDraft>,
) -> Vec<Result<RefundId, RowError>> {
    let id = |saved: Saved| RefundId::parse(saved.id.as_str()).unwrap();
    match ledger.create(request(drafts, None)).await.unwrap() {
        Created::Fresh { rows, .. } => rows.into_iter().map(|row| row.map(id)).collect(),
        other => panic!("a fresh request was taken for another: {other:?}"),
    }
}

pub(super) fn balance(path: &Path) -> i64 {
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
pub(super) async fn due(ledger: &SqliteLedger) -> Vec<OpenOrder> {
    ledger.due_orders("sandbox", at(1_000_000), 1_000).await.unwrap()
}

/// An exchange that was over at this second.
pub(super) fn reported(second: i64) -> Exchange {
    Exchange { kind: ExchangeKind::Refund, transcript: Transcript::default(), at: at(second) }
}

pub(super) fn approved(response: Response) -> Verdict {
    Verdict::Approved { reference_id: "t".to_owned(), second_reference_id: None, response }
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
    sums::add_function(&other).unwrap();
    sums::renew(&other, Refund::TABLE, "number = 7", []).unwrap();
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
