//! The reading side: what is found in PostgreSQL is what is found in a file, row by row and in the
//! same order, after the same history.

use super::PostgresLedger;
use super::audit::audit;
use super::for_tests::{AS_A_NODE, Server};
use super::readers::read_once;
use crate::domain::calendar::Moment;
use crate::domain::custom_field::CustomFields;
use crate::domain::draft::account::AccountDraft;
use crate::domain::draft::batch::Drafts;
use crate::domain::draft::fields::Draft as _;
use crate::domain::id::RefundNumber;
use crate::domain::query::pattern::Pattern;
use crate::domain::query::{Condition, QueryObject, Test, TypedQuery, fields};
use crate::domain::refund_name::RefundName;
use crate::domain::version::ApiVersion;
use crate::domain::zoql::Comparator;
use crate::ledger::audit::Progress;
use crate::ledger::conformance::{id, request};
use crate::ledger::conformance_seed::plan;
use crate::ledger::query::{Find, Page, Start, Value};
use crate::ledger::seed::SeedPlan;
use crate::ledger::sqlite::{LedgerSettings, OpenMode, OpenOptions, SqliteLedger};
use crate::ledger::trail::TrailQuery;
use crate::ledger::views::{ListObjects, ListRefunds, RefundFilter, RefundSort};
use crate::ledger::{Create, Created, Ledger, UserKey};
use chrono::{DateTime, Utc};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Names that differ in case beyond ASCII, in what they become in lower case, and in length.
const NAMES: [&str; 9] =
    ["Ärger", "ärger", "ÄRGER", "ΟΔΟΣ", "straße", "İzmir", "名前", "a_b%c", "z"];

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + second, 0).unwrap()
}

pub(super) fn options() -> OpenOptions {
    let settings = LedgerSettings { events: Some(true), ..LedgerSettings::default() };
    OpenOptions { mode: OpenMode::CreateOrOpen { test: true }, id_seed: Some(5), settings }
}

pub(super) fn small_plan() -> SeedPlan {
    let plan = plan(1_000);
    let accounts: Vec<_> = plan.accounts.into_iter().take(6).collect();
    let methods: Vec<_> = plan.payment_methods.into_iter().take(6).collect();
    SeedPlan { accounts: accounts.into(), payment_methods: methods.into(), ..plan }
}

pub(super) fn accounts() -> Create {
    let currencies = ["USD", "KWD", "JPY", "EUR"].into_iter().cycle();
    let drafts = NAMES.into_iter().zip(currencies).enumerate().map(|(place, (name, currency))| {
        let mut draft = AccountDraft::default();
        let number = format!("N{place}");
        for (field, text) in [
            ("Name", name),
            ("Currency", currency),
            ("AccountNumber", number.as_str()),
            ("Notes", name),
            ("BillCycleDay", if place % 2 == 0 { "7" } else { "15" }),
            ("AutoPay", if place % 3 == 0 { "true" } else { "false" }),
        ] {
            assert!(draft.set(field, text), "{field}");
        }
        draft
    });
    let drafts = Drafts::Accounts(drafts.collect());
    let mut request = request(&[], false, None, 1);
    request.batch.drafts = drafts;
    request
}

/// The history that both ledgers have.
pub(super) async fn fill(ledger: &dyn Ledger) {
    let report = ledger.load_seed(small_plan()).await.unwrap().unwrap();
    assert!(report.added > 15);
    let made = ledger.create(accounts()).await.unwrap();
    let Created::Fresh { rows, .. } = made else { panic!("{made:?}") };
    assert_eq!(rows.iter().flatten().count(), NAMES.len(), "{rows:?}");
    for second in 2..12 {
        let account = 1 + second % 3;
        let rows = [(account, 10 + second, second % 2 == 0), (2, 5, false)];
        let created = ledger.create(request(&rows, false, None, second)).await.unwrap();
        assert!(matches!(created, Created::Fresh { .. }));
    }
}

pub(super) async fn find(ledger: &dyn Ledger, query: &TypedQuery, rows_max: u32) -> Page {
    let start = Start::Query(query.clone());
    let deadline = Instant::now() + Duration::from_secs(60);
    let find = Find { user: UserKey(1), start, rows_max, at: at(20), deadline };
    match ledger.find(find).await {
        Ok(page) => page.unwrap(),
        Err(error) => panic!("{query:?}: {error}"),
    }
}

/// Conditions that a value of a field is near.
fn tests(value: &Value) -> Vec<Test> {
    let each = |test: &dyn Fn(Comparator) -> Test| Comparator::ALL.into_iter().map(test).collect();
    match value {
        Value::Text(text) => {
            let mut tests: Vec<Test> = each(&|by| Test::Text(by, text.clone()));
            tests
                .extend([Comparator::Equal, Comparator::Less].map(|by| Test::Id(by, text.clone())));
            let first: String = text.chars().take(2).collect();
            let last: String = text.chars().skip(1).collect::<String>().to_uppercase();
            for pattern in [format!("{}%", first.to_uppercase()), format!("%{last}"), "_%".into()] {
                let Some(pattern) = Pattern::parse(&pattern) else { continue };
                tests.extend([Test::TextLike(pattern.clone()), Test::IdLike(pattern)]);
            }
            if let Some(number) = crate::domain::money::parse_decimal(text) {
                tests.extend(Comparator::ALL.map(|by| Test::Number(by, number)));
            }
            tests
        }
        Value::Amount(units, currency) => {
            let amount = currency.decimal(*units);
            each(&|by| Test::Number(by, amount))
        }
        Value::Boolean(value) => vec![Test::Boolean(*value), Test::Boolean(!value)],
        Value::Moment(moment) => {
            let moment = Moment::parse(&moment.to_rfc3339()).unwrap();
            each(&|by| Test::Moment(by, moment))
        }
        Value::Day(day) => {
            let moment = Moment::parse(&format!("{day}T00:00:00")).unwrap();
            each(&|by| Test::Day(by, moment))
        }
    }
}

/// Compares all that queries of an object find; gives how many were put.
pub(super) async fn compare(one: &dyn Ledger, other: &dyn Ledger, object: QueryObject) -> usize {
    let tenant = one.tenant();
    let known = fields(object, ApiVersion::major(91), &tenant);
    let names: Vec<String> = known.iter().map(|field| field.name.to_string()).collect();
    let query = |conditions, case_sensitive| TypedQuery {
        object,
        fields: names.clone(),
        conditions,
        case_sensitive,
    };
    let all = query(Vec::new(), true);
    let found = find(one, &all, 200).await;
    assert_eq!(found.rows, find(other, &all, 200).await.rows, "{object:?}");
    let mut put = 1;
    for (place, name) in names.iter().enumerate() {
        let mut values: Vec<&Value> = Vec::new();
        for value in found.rows.iter().filter_map(|row| row[place].as_ref()) {
            if values.len() < 3 && !values.contains(&value) {
                values.push(value);
            }
        }
        let near = values.into_iter().flat_map(tests);
        for test in near.chain([Test::IsNull, Test::IsNotNull]) {
            for case_sensitive in [true, false] {
                let condition = Condition { field: name.clone(), test: test.clone() };
                let query = query(vec![vec![condition]], case_sensitive);
                let (found, other) = (find(one, &query, 50).await, find(other, &query, 50).await);
                assert_eq!((&found.rows, found.size), (&other.rows, other.size), "{query:?}");
                put += 1;
            }
        }
    }
    put
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queries_find_in_postgresql_what_they_find_in_a_file() {
    let Some(server) = Server::shared() else { return };
    let (schema, _) = server.new_schema();
    let url = server.url("postgres", &format!("options=-csearch_path%3D{schema}"));
    let opened = tokio::task::spawn_blocking(move || PostgresLedger::open(&url, &options()));
    let other = opened.await.unwrap().unwrap();
    let one = SqliteLedger::temporary(&options()).unwrap();
    fill(&one).await;
    fill(&other).await;
    let mut put = 0;
    for object in QueryObject::ALL {
        put += compare(&one, &other, object).await;
    }
    assert!(put > 1_000, "{put}");
    pages(&one, &other).await;
    let address = server.address_of(&schema);
    let audited = move || {
        let progress: Progress = Arc::new(|done, all| assert!(done <= all));
        read_once(&address, |reader| audit(reader, &progress)).unwrap()
    };
    let first = tokio::task::spawn_blocking(audited.clone()).await.unwrap();
    assert_eq!(first.findings.problems, Vec::<String>::new());
    assert_eq!((first.refunds, first.accounts.len()), (20, 6 + NAMES.len()));
    beside_queries(&one, &other).await;
    let update = format!("{AS_A_NODE}update {schema}.balance set units = 7 where account = 2");
    server.sql("postgres", &update);
    let newest = format!("(select max(refund) from {schema}.entry_row)");
    for (change, found) in [
        ("amount = amount + 1", "its entries do not fit its amount and status"),
        ("salt = 16777216", "of refund_row: its salt has more than 24 bits"),
        (
            "method_type = 10",
            "refund_row.method_type holds a value that this program does not know",
        ),
        ("custom = '{'", "of refund_row: custom is no JSON"),
        ("entry = 1", "its first entry is not one of its own"),
    ] {
        let update =
            format!("{AS_A_NODE}update {schema}.refund_row set {change} where number = {newest}");
        server.sql("postgres", &update);
        let broken = tokio::task::spawn_blocking(audited.clone()).await.unwrap().findings.problems;
        assert!(broken.iter().any(|problem| problem.contains(found)), "{change}: {broken:?}");
        assert!(broken.iter().any(|problem| problem.contains("account S2")), "{broken:?}");
    }
    // Its writer's thread waits, and so must the one that drops it.
    tokio::task::spawn_blocking(move || drop((one, other))).await.unwrap();
}

/// Pages by locators, to the end.
async fn pages(one: &dyn Ledger, other: &dyn Ledger) {
    let query = TypedQuery {
        object: QueryObject::Account,
        fields: vec!["Id".to_owned(), "Name".to_owned()],
        conditions: Vec::new(),
        case_sensitive: true,
    };
    let (mut found, mut found_other) = (find(one, &query, 4).await, find(other, &query, 4).await);
    let mut pages = 1;
    loop {
        assert_eq!((&found.rows, found.size), (&found_other.rows, found_other.size));
        let Some((next, next_other)) = found.next.zip(found_other.next) else { break };
        let start = |locator| Find {
            user: UserKey(1),
            start: Start::Locator(locator),
            rows_max: 4,
            at: at(21),
            deadline: Instant::now() + Duration::from_secs(60),
        };
        found = one.find(start(next)).await.unwrap().unwrap();
        found_other = other.find(start(next_other)).await.unwrap().unwrap();
        pages += 1;
    }
    assert!(pages > 3);
    assert_eq!((found.next.is_none(), found_other.next.is_none()), (true, true));
}

/// What is read by other ways than queries.
async fn beside_queries(one: &dyn Ledger, other: &dyn Ledger) {
    let number = RefundNumber::new(1).unwrap();
    for filters in [
        vec![],
        vec![RefundFilter::AccountId(Some(id('a', 2).to_string()))],
        vec![RefundFilter::Amount("0.05".parse().unwrap()), RefundFilter::PaymentId(None)],
        vec![RefundFilter::CreatedDate(at(3)), RefundFilter::Type(Some("External".to_owned()))],
        vec![RefundFilter::Number(Some(number.to_string()))],
    ] {
        let sort = vec![(RefundSort::Amount, true), (RefundSort::AccountId, false)];
        let list = ListRefunds { filters, sort, page: 1, page_size: 7 };
        let found = one.refunds(list.clone()).await.unwrap();
        assert_eq!(found, other.refunds(list).await.unwrap());
        assert!(!found.rows.is_empty());
    }
    let list = ListObjects { page: 1, page_size: 5, ..ListObjects::default() };
    let payments = one.payments(list.clone()).await.unwrap();
    assert_eq!(payments, other.payments(list.clone()).await.unwrap());
    assert_eq!(one.credit_memos(list.clone()).await, other.credit_memos(list).await);
    let trail = TrailQuery { most: 100, ..TrailQuery::default() };
    assert_eq!(one.records(trail.clone()).await, other.records(trail).await);
    let story = one.story(RefundName::Number(number)).await.unwrap();
    assert!(story.is_some());
    assert_eq!(story, other.story(RefundName::Number(number)).await.unwrap());
    for ledger in [one, other] {
        let user = ledger.find_user("two").await.unwrap().unwrap();
        assert!(ledger.find_user("none\0").await.unwrap().is_none());
        let token = ledger.open_session(user.key, at(1), at(-900)).await.unwrap();
        assert_eq!(token.len(), 255);
        assert!(ledger.find_session([7; 32]).await.unwrap().is_none());
        assert_eq!(ledger.open_stats().await.unwrap().open, 5);
        assert_eq!(ledger.due_orders("cards", at(100), 10).await.unwrap().len(), 5);
        ledger.probe().await.unwrap();
        assert_eq!((ledger.damage(), ledger.lost_commit()), (None, None));
    }
    assert_eq!(one.gateways().await.unwrap(), other.gateways().await.unwrap());
    let none = CustomFields::default();
    assert_ne!(one.tenant().custom_fields, none);
    assert_eq!(one.tenant(), other.tenant());
}
