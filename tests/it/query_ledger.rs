//! Queries against the ledger itself: what SQL finds is what a naive reading of the same query
//! finds among the same rows, and pages make a set without gaps or doubles.

use chrono::{DateTime, NaiveTime, Utc};
use proptest::prelude::*;
use refund_gateway::domain::calendar::{Moment, moment_at};
use refund_gateway::domain::draft::batch::Drafts;
use refund_gateway::domain::draft::{RefundDraft, RefundField};
use refund_gateway::domain::id::{ObjectId, RefundId, RefundNumber};
use refund_gateway::domain::lifecycle::{Response, Verdict};
use refund_gateway::domain::money::{Currency, MinorUnits};
use refund_gateway::domain::permission::Permission;
use refund_gateway::domain::query::pattern::Pattern;
use refund_gateway::domain::query::{Condition, QueryObject, Test, TypedQuery};
use refund_gateway::domain::rules::Asking;
use refund_gateway::domain::version::ApiVersion;
use refund_gateway::domain::vocabulary::{MethodStatus, MethodType};
use refund_gateway::domain::zoql::Comparator;
use refund_gateway::ledger::query::{Find, FindError, Page, QueryLocator, Start, Value};
use refund_gateway::ledger::seed::{SeedAccount, SeedPaymentMethod, SeedPlan, SeedUser};
use refund_gateway::ledger::sqlite::{LedgerSettings, OpenMode, OpenOptions, SqliteLedger};
use refund_gateway::ledger::ticket::Ticket;
use refund_gateway::ledger::{Create, Created, Ledger, UserKey};
use rust_decimal::Decimal;
use std::sync::LazyLock;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

const ZONE: chrono_tz::Tz = chrono_tz::America::Los_Angeles;
const CURRENCIES: [&str; 4] = ["JPY", "USD", "KWD", "CLF"];
const REFUND_FIELDS: [&str; 14] = [
    "Id",
    "AccountId",
    "AccountingCode",
    "Amount",
    "Comment",
    "CreatedDate",
    "GatewayState",
    "MethodType",
    "PaymentMethodId",
    "RefundDate",
    "RefundNumber",
    "Status",
    "SubmittedOn",
    "UpdatedDate",
];

fn account_id(at: usize) -> ObjectId {
    ObjectId::parse(&format!("4028e6a00000000000000000000000a{at}")).unwrap()
}

fn method_id(at: usize) -> ObjectId {
    ObjectId::parse(&format!("4028e6a00000000000000000000000b{at}")).unwrap()
}

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + second, 0).unwrap()
}

/// An account of each number of decimals, each with a card.
fn plan() -> SeedPlan {
    let users = ["one", "two"].map(|name| SeedUser {
        username: name.to_owned(),
        password_hash: Some("hash".to_owned()),
        permissions: Permission::ALL.into_iter().collect(),
    });
    let accounts = CURRENCIES.iter().enumerate().map(|(number, code)| SeedAccount {
        id: account_id(number),
        number: format!("A{number}"),
        name: format!("Straße {code}"),
        currency: Currency::from_code(code).unwrap(),
        opening: MinorUnits::new(1_000_000_000_000),
        default_payment_method: (number != 0).then(|| method_id(number)),
        gateway: None,
    });
    let payment_methods = (0..CURRENCIES.len()).map(|number| SeedPaymentMethod {
        id: method_id(number),
        account: Some(account_id(number)).filter(|_| number != 3),
        method_type: if number == 3 { MethodType::Check } else { MethodType::CreditCard },
        status: if number == 2 { MethodStatus::Closed } else { MethodStatus::Active },
        gateway: None,
    });
    SeedPlan {
        users: users.to_vec(),
        accounts: accounts.collect(),
        payment_methods: payment_methods.collect(),
        ..SeedPlan::default()
    }
}

fn open() -> SqliteLedger {
    let mode = OpenMode::CreateOrOpen { test: true };
    let settings = LedgerSettings::default();
    SqliteLedger::temporary(&OpenOptions { mode, id_seed: Some(1), settings }).unwrap()
}

async fn create(ledger: &SqliteLedger, drafts: Vec<RefundDraft>, second: i64) -> Created {
    let permissions = Permission::ALL.into_iter().collect();
    let asking =
        Asking { version: ApiVersion::major(91), permissions, now: at(second), strict: false };
    let request = Create {
        user: UserKey(1),
        asking,
        drafts: Drafts::Refunds(drafts),
        is_single: false,
        idempotency: None,
        ticket: Ticket::default(),
    };
    ledger.create(request).await.unwrap()
}

fn draft(fields: &[(RefundField, &str)]) -> RefundDraft {
    let mut draft = RefundDraft::default();
    draft.set(RefundField::SourceType, "CreditBalance");
    for (field, text) in fields {
        draft.set(*field, text);
    }
    draft
}

fn number_of(refund: &ObjectId) -> RefundNumber {
    RefundId::parse(refund.as_str()).unwrap().number()
}

fn response() -> Response {
    Response { code: "00".to_owned(), text: "told".to_owned() }
}

fn approved() -> Verdict {
    Verdict::Approved { reference_id: "r".to_owned(), response: response() }
}

/// 120 refunds of four currencies, with comments and without, in every status.
async fn filled() -> SqliteLedger {
    let ledger = open();
    ledger.load_seed(plan()).await.unwrap().unwrap();
    let comments = ["", "abc", "ABC", "äb", "ÄB", "a_b", "it's", "x\" or 1=1 --", "100%"];
    for number in 0..120_usize {
        let account = account_id(number % 4);
        let comment = comments[number % comments.len()];
        let day = at(-86_400 * (number as i64 % 3)).with_timezone(&ZONE).date_naive().to_string();
        let amount = ["1", "5", "12", "100"][number / 4 % 4];
        let mut fields = vec![
            (RefundField::AccountId, account.as_str()),
            (RefundField::Amount, amount),
            (RefundField::Comment, comment),
        ];
        let method = method_id(1);
        let is_electronic = number % 4 == 1 && number % 3 != 0;
        if is_electronic {
            fields.push((RefundField::Type, "Electronic"));
            fields.push((RefundField::PaymentMethodId, method.as_str()));
        } else {
            fields.push((RefundField::Type, "External"));
            fields.push((RefundField::MethodType, "Check"));
            fields.push((RefundField::RefundDate, &day));
        }
        let second = (number / 2) as i64 * 3_600;
        let Created::Fresh { rows, .. } = create(&ledger, vec![draft(&fields)], second).await
        else {
            panic!("not fresh");
        };
        let id = rows[0].clone().unwrap_or_else(|error| panic!("{error:?}"));
        let verdict = match number % 5 {
            0 => Some(approved()),
            1 => Some(Verdict::Declined { response: response() }),
            _ => None,
        };
        if let Some(verdict) = verdict.filter(|_| is_electronic) {
            ledger.end_refund(number_of(&id), verdict, at(second + 7)).await.unwrap();
        }
    }
    ledger
}

struct House {
    runtime: Runtime,
    ledger: SqliteLedger,
}

static HOUSE: LazyLock<House> = LazyLock::new(|| {
    let runtime = Runtime::new().unwrap();
    let ledger = runtime.block_on(filled());
    House { runtime, ledger }
});

fn request(start: Start, rows_max: u32) -> Find {
    let deadline = Instant::now() + Duration::from_secs(60);
    Find { user: UserKey(1), start, rows_max, at: at(0), deadline }
}

async fn find(ledger: &SqliteLedger, find: Find) -> Result<Page, FindError> {
    ledger.find(find).await.unwrap()
}

fn query(object: QueryObject, fields: &[&str], conditions: Vec<Vec<Condition>>) -> TypedQuery {
    let fields = fields.iter().map(|field| (*field).to_owned()).collect();
    TypedQuery { object, fields, conditions, case_sensitive: false }
}

type Row = Vec<Option<Value>>;

/// What the conditions mean, read one row at a time.
fn holds(query: &TypedQuery, fields: &[&str], row: &Row) -> bool {
    let one = |condition: &Condition| {
        let at = fields.iter().position(|field| *field == condition.field).unwrap();
        let Some(value) = &row[at] else { return condition.test == Test::IsNull };
        meets(value, &condition.test, query.case_sensitive)
    };
    query.conditions.is_empty() || query.conditions.iter().any(|group| group.iter().all(one))
}

fn meets(value: &Value, test: &Test, case_sensitive: bool) -> bool {
    let folded = |text: &str| if case_sensitive { text.to_owned() } else { text.to_lowercase() };
    let like = |text: &str, pattern: &Pattern, folded: &dyn Fn(&str) -> String| {
        let pattern = regex::escape(&folded(&pattern.text())).replace('%', ".*").replace('_', ".");
        regex::Regex::new(&format!("(?s)^{pattern}$")).unwrap().is_match(&folded(text))
    };
    match (test, value) {
        (Test::IsNull, _) => false,
        (Test::IsNotNull, _) => true,
        (Test::Id(comparator, other), Value::Text(text)) => comparator.holds(text.cmp(other)),
        (Test::IdLike(pattern), Value::Text(text)) => like(text, pattern, &str::to_owned),
        (Test::Text(comparator, other), Value::Text(text)) => {
            comparator.holds(folded(text).cmp(&folded(other)))
        }
        (Test::TextLike(pattern), Value::Text(text)) => like(text, pattern, &folded),
        (Test::Number(comparator, other), Value::Amount(amount, currency)) => {
            comparator.holds(currency.decimal(*amount).cmp(other))
        }
        (Test::Boolean(wanted), Value::Boolean(value)) => value == wanted,
        (Test::Moment(comparator, moment), Value::Moment(value)) => {
            comparator.holds(value.cmp(&moment.utc(ZONE)))
        }
        (Test::Day(comparator, moment), Value::Day(day)) => {
            comparator.holds(day.cmp(&moment.local(ZONE).date()))
        }
        (Test::DayAsMoment(comparator, moment), Value::Day(day)) => {
            let begins = moment_at(day.and_time(NaiveTime::MIN), ZONE);
            comparator.holds(begins.cmp(&moment.utc(ZONE)))
        }
        other => panic!("{other:?}"),
    }
}

fn comparator() -> impl Strategy<Value = Comparator> {
    prop::sample::select(Comparator::ALL.to_vec())
}

fn text() -> impl Strategy<Value = String> {
    let stored = [
        "abc",
        "Abc",
        "ÄB",
        "it's",
        "x\" or 1=1 --",
        "Processed",
        "processing",
        "Check",
        "R-00000007",
        "r-00000011",
        "R-7",
        "R-00000500",
        "Submitted",
        "' or '1'='1",
        "100%",
        "",
    ];
    prop_oneof![prop::sample::select(stored.to_vec()).prop_map(str::to_owned), "[a-cA-C_']{0,3}"]
}

fn pattern() -> impl Strategy<Value = Pattern> {
    let text = "[a-cA-CäÄ_P1RD0-]{0,3}|Proces%|%ed|%0_|R-%|%|_%";
    let text = prop_oneof![text, "[aA_]{0,2}%", "%[cBbe_]{0,2}"];
    text.prop_filter_map("a pattern", |text| Pattern::parse(&text))
}

fn moment() -> impl Strategy<Value = Moment> {
    (0_i64..80, 0_i64..3, any::<bool>()).prop_map(|(hours, seconds, is_zoned)| {
        let moment = at((hours - 20) * 3_600 + seconds);
        let midnight = moment.with_timezone(&ZONE).date_naive().and_time(NaiveTime::MIN);
        match (is_zoned, seconds) {
            (_, 2) => Moment::Local(midnight),
            (true, _) => Moment::Zoned(moment.fixed_offset()),
            (false, _) => Moment::Local(moment.with_timezone(&ZONE).naive_local()),
        }
    })
}

fn id() -> impl Strategy<Value = String> {
    let stored = HOUSE.runtime.block_on(async {
        let ids = query(QueryObject::Refund, &["Id"], Vec::new());
        let page = find(&HOUSE.ledger, request(Start::Query(ids), 2000)).await.unwrap();
        page.rows.into_iter().filter_map(|row| match row.into_iter().next().flatten() {
            Some(Value::Text(id)) => Some(id),
            _ => None,
        })
    });
    let wrong_salt = |id: String| format!("{}ffffff{}", &id[..12], &id[18..]);
    let ids: Vec<String> = stored.collect();
    prop_oneof![
        prop::sample::select(ids.clone()),
        prop::sample::select(ids).prop_map(wrong_salt),
        (0_usize..5).prop_map(|at| account_id(at).to_string()),
        (0_usize..5).prop_map(|at| method_id(at).to_string()),
        Just("' or 1=1".to_owned()),
    ]
}

fn null_test() -> impl Strategy<Value = Test> {
    prop_oneof![Just(Test::IsNull), Just(Test::IsNotNull)]
}

fn refund_condition() -> impl Strategy<Value = Condition> {
    let ids = prop::sample::select(vec!["Id", "AccountId", "PaymentMethodId"]);
    let texts = prop::sample::select(vec![
        "AccountingCode",
        "Comment",
        "GatewayState",
        "MethodType",
        "RefundNumber",
        "Status",
    ]);
    let moments = prop::sample::select(vec!["CreatedDate", "SubmittedOn", "UpdatedDate"]);
    let number = (comparator(), -5_i64..2_000_000, 0_u32..5);
    let number =
        number.prop_map(|(how, units, scale)| Test::Number(how, Decimal::new(units, scale)));
    let whole = (comparator(), prop::sample::select(vec![1_i64, 5, 12, 100]))
        .prop_map(|(how, units)| Test::Number(how, Decimal::from(units)));
    let text_test = prop_oneof![
        (comparator(), text()).prop_map(|(how, text)| Test::Text(how, text)),
        pattern().prop_map(Test::TextLike),
    ];
    let id_test = prop_oneof![
        (comparator(), id()).prop_map(|(how, id)| Test::Id(how, id)),
        pattern().prop_map(Test::IdLike),
    ];
    let day = || (comparator(), moment());
    prop_oneof![
        (ids, id_test),
        (texts, text_test),
        (Just("Amount"), prop_oneof![number, whole]),
        (moments, (comparator(), moment()).prop_map(|(how, when)| Test::Moment(how, when))),
        (Just("RefundDate"), day().prop_map(|(how, when)| Test::Day(how, when))),
        (Just("RefundDate"), day().prop_map(|(how, when)| Test::DayAsMoment(how, when))),
        (prop::sample::select(REFUND_FIELDS.to_vec()), null_test()),
    ]
    .prop_map(|(field, test)| Condition { field: field.to_owned(), test })
}

fn groups(
    condition: impl Strategy<Value = Condition>,
) -> impl Strategy<Value = Vec<Vec<Condition>>> {
    prop::collection::vec(prop::collection::vec(condition, 1..4), 0..4)
}

/// Compares what is found with what a naive reading finds among all rows.
fn assert_finds(mut query: TypedQuery, fields: &[&str], rows_max: u32) {
    let all = TypedQuery { conditions: Vec::new(), ..query.clone() };
    query.fields.clone_from(&all.fields);
    let (found, all) = HOUSE.runtime.block_on(async {
        let all = find(&HOUSE.ledger, request(Start::Query(all), 2000)).await.unwrap();
        let mut page = find(&HOUSE.ledger, request(Start::Query(query.clone()), rows_max)).await;
        let mut found = Vec::new();
        loop {
            let Page { rows, next, size, .. } = page.unwrap();
            assert!(rows.len() <= rows_max as usize);
            found.extend(rows);
            assert!(found.len() <= size as usize, "pages without end");
            let Some(next) = next else {
                assert_eq!(found.len(), size as usize);
                return (found, all.rows);
            };
            assert_eq!(next.offset as usize, found.len());
            page = find(&HOUSE.ledger, request(Start::Locator(next), rows_max)).await;
        }
    });
    let expected: Vec<Row> = all.into_iter().filter(|row| holds(&query, fields, row)).collect();
    assert_eq!(found, expected, "{query:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn sql_finds_what_a_naive_reading_finds(
        conditions in groups(refund_condition()),
        case_sensitive: bool,
        rows_max in prop_oneof![1_u32..130, Just(2000)],
    ) {
        let query = query(QueryObject::Refund, &REFUND_FIELDS, conditions);
        assert_finds(TypedQuery { case_sensitive, ..query }, &REFUND_FIELDS, rows_max.max(20));
    }

    #[test]
    fn accounts_are_found_by_their_own_currency(
        how in comparator(),
        units in 0_i64..20_000,
        scale in 0_u32..5,
        name in text(),
    ) {
        let fields = ["Id", "CreditBalance", "Currency", "DefaultPaymentMethodId", "Name"];
        let number = Test::Number(how, Decimal::new(units * 1_000_000, scale));
        let amount = Condition { field: "CreditBalance".to_owned(), test: number };
        let name = Condition { field: "Name".to_owned(), test: Test::Text(how, name) };
        let query = query(QueryObject::Account, &fields, vec![vec![amount], vec![name]]);
        assert_finds(query, &fields, 2);
    }

    #[test]
    fn methods_are_found_by_what_they_are(active: bool, how in comparator(), kind in text()) {
        let fields = ["Id", "AccountId", "Active", "PaymentMethodStatus", "Type"];
        let active = Condition { field: "Active".to_owned(), test: Test::Boolean(active) };
        let kind = Condition { field: "Type".to_owned(), test: Test::Text(how, kind) };
        let query = query(QueryObject::PaymentMethod, &fields, vec![vec![active, kind]]);
        assert_finds(query, &fields, 1);
    }
}

/// The numbers of a page's refunds.
fn numbers(page: &Page) -> Vec<String> {
    let number = |row: &Row| match &row[0] {
        Some(Value::Text(number)) => number.clone(),
        other => panic!("{other:?}"),
    };
    page.rows.iter().map(number).collect()
}

fn external(count: usize) -> Vec<RefundDraft> {
    let account = account_id(1);
    let fields = [
        (RefundField::AccountId, account.as_str()),
        (RefundField::Amount, "1"),
        (RefundField::Type, "External"),
        (RefundField::MethodType, "Check"),
    ];
    vec![draft(&fields); count]
}

fn electronic(count: usize) -> Vec<RefundDraft> {
    let (account, method) = (account_id(1), method_id(1));
    let fields = [
        (RefundField::AccountId, account.as_str()),
        (RefundField::Amount, "1"),
        (RefundField::Type, "Electronic"),
        (RefundField::PaymentMethodId, method.as_str()),
    ];
    vec![draft(&fields); count]
}

#[tokio::test]
async fn a_row_that_leaves_the_set_moves_no_other() {
    let ledger = open();
    ledger.load_seed(plan()).await.unwrap().unwrap();
    let Created::Fresh { rows, .. } = create(&ledger, electronic(10), 0).await else {
        panic!("not fresh");
    };
    let processing = Condition {
        field: "Status".to_owned(),
        test: Test::Text(Comparator::Equal, "Processing".to_owned()),
    };
    let query = query(QueryObject::Refund, &["RefundNumber"], vec![vec![processing]]);
    let first = find(&ledger, request(Start::Query(query), 4)).await.unwrap();
    let next = first.next.unwrap();
    assert_eq!((first.size, next.offset), (10, 4));
    for gone in [0, 1, 5] {
        let number = number_of(rows[gone].as_ref().unwrap());
        ledger.end_refund(number, approved(), at(1)).await.unwrap();
    }
    create(&ledger, electronic(3), 2).await;
    let second = find(&ledger, request(Start::Locator(next), 2000)).await.unwrap();
    assert_eq!(numbers(&first), ["R-00000001", "R-00000002", "R-00000003", "R-00000004"]);
    let rest = ["R-00000005", "R-00000007", "R-00000008", "R-00000009", "R-00000010"];
    assert_eq!(numbers(&second), rest);
    assert_eq!((second.size, second.next), (10, None));
}

#[tokio::test]
async fn an_offset_of_the_clients_own_making_is_honoured() {
    let ledger = open();
    ledger.load_seed(plan()).await.unwrap().unwrap();
    create(&ledger, external(10), 0).await;
    let query = query(QueryObject::Refund, &["RefundNumber"], Vec::new());
    let first = find(&ledger, request(Start::Query(query), 4)).await.unwrap();
    let id = first.next.unwrap().id;
    let page = |offset| find(&ledger, request(Start::Locator(QueryLocator { id, offset }), 3));
    for (offset, expected) in [(7, 3), (3, 3), (0, 3), (8, 2), (10, 0), (4_000_000_000, 0)] {
        let page = page(offset).await.unwrap();
        assert_eq!((page.rows.len(), page.size), (expected, 10), "{offset}");
        assert_eq!(page.next.is_none(), offset > 6, "{offset}");
        if expected > 0 {
            assert_eq!(numbers(&page)[0], format!("R-{:08}", offset + 1));
        }
    }
}

#[tokio::test]
async fn a_locator_is_good_for_its_user_and_for_15_minutes_of_idleness() {
    let ledger = open();
    ledger.load_seed(plan()).await.unwrap().unwrap();
    create(&ledger, external(10), 0).await;
    let query = query(QueryObject::Refund, &["Id"], Vec::new());
    let first = find(&ledger, request(Start::Query(query), 4)).await.unwrap();
    let next = Start::Locator(first.next.unwrap());
    let asked = |user, second| {
        let request = request(next.clone(), 4);
        find(&ledger, Find { user: UserKey(user), at: at(second), ..request })
    };
    assert_eq!(asked(2, 0).await, Err(FindError::NoLocator));
    assert!(asked(1, 900).await.is_ok());
    assert!(asked(1, 1_800).await.is_ok());
    assert_eq!(asked(1, 2_701).await, Err(FindError::NoLocator));
}

#[tokio::test]
async fn a_query_ends_by_its_deadline() {
    let ledger = open();
    ledger.load_seed(plan()).await.unwrap().unwrap();
    for _ in 0..20 {
        create(&ledger, external(50), 0).await;
    }
    let pattern = Pattern::parse("%none").unwrap();
    let like =
        |field: &str| Condition { field: field.to_owned(), test: Test::TextLike(pattern.clone()) };
    let query = query(QueryObject::Refund, &["Id"], vec![vec![like("MethodType")]; 200]);
    let late = Find { deadline: Instant::now(), ..request(Start::Query(query.clone()), 2000) };
    assert_eq!(find(&ledger, late).await, Err(FindError::TooSlow));
    // The connection is as good as before.
    let page = find(&ledger, request(Start::Query(query), 2000)).await.unwrap();
    assert_eq!((page.rows.len(), page.size), (0, 0));
}

#[tokio::test]
async fn an_empty_ledger_has_empty_pages() {
    let ledger = open();
    ledger.load_seed(plan()).await.unwrap().unwrap();
    let query = query(QueryObject::Refund, &["Id"], Vec::new());
    let page = find(&ledger, request(Start::Query(query), 2000)).await.unwrap();
    assert_eq!((page.rows.len(), page.size, page.next), (0, 0, None));
}
