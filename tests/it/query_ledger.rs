//! Queries against the ledger itself: what SQL finds is what a naive reading of the same query
//! finds among the same rows, and pages make a set without gaps or doubles.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use proptest::prelude::*;
use refund_gateway::domain::calendar::Moment;
use refund_gateway::domain::draft::RefundDraft;
use refund_gateway::domain::draft::batch::Drafts;
use refund_gateway::domain::draft::fields::Draft as _;
use refund_gateway::domain::id::{ObjectId, RefundId, RefundNumber};
use refund_gateway::domain::lifecycle::{Response, Verdict};
use refund_gateway::domain::money::{Currency, MinorUnits};
use refund_gateway::domain::origin::{FrontDoor, Origin};
use refund_gateway::domain::permission::Permission;
use refund_gateway::domain::query::pattern::Pattern;
use refund_gateway::domain::query::{Condition, QueryObject, Test, TypedQuery};
use refund_gateway::domain::rules::Asking;
use refund_gateway::domain::version::ApiVersion;
use refund_gateway::domain::vocabulary::{MethodStatus, MethodType, PaymentType};
use refund_gateway::domain::zoql::Comparator;
use refund_gateway::ledger::orders::{Exchange, ExchangeKind, Orders, Transcript};
use refund_gateway::ledger::query::{Find, FindError, Page, Queries, QueryLocator, Start, Value};
use refund_gateway::ledger::seed::{
    SeedAccount, SeedInvoice, SeedPart, SeedPayment, SeedPaymentMethod, SeedPlan, SeedUser,
};
use refund_gateway::ledger::sqlite::{LedgerSettings, OpenMode, OpenOptions, SqliteLedger};
use refund_gateway::ledger::ticket::Ticket;
use refund_gateway::ledger::{Batch, Bookkeeping, Context, Create, Created, UserKey};
use refund_gateway::soap::wsdl;
use rust_decimal::Decimal;
use std::path::Path;
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
        orgs: None,
    });
    let accounts = CURRENCIES.iter().enumerate().map(|(number, code)| SeedAccount {
        id: account_id(number),
        number: format!("A{number}"),
        name: format!("Straße {code}"),
        currency: Currency::from_code(code).unwrap(),
        opening: MinorUnits::new(1_000_000_000_000),
        opened: None,
        default_payment_method: (number != 0).then(|| method_id(number)),
        gateway: None,
    });
    let payment_methods = (0..CURRENCIES.len()).map(|number| SeedPaymentMethod {
        name: None,
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
        invoices: (0..12).map(invoice).collect(),
        payments: (0..12).map(payment).collect(),
        ..SeedPlan::default()
    }
}

/// Every third invoice owes the customer.
fn invoice(number: usize) -> SeedInvoice {
    let amount = if number % 3 == 2 { -40 } else { 100 + number as i64 };
    SeedInvoice {
        id: ObjectId::parse(&format!("4028e6a00000000000000000000000{number:x}c")).unwrap(),
        number: format!("INV{number:08}"),
        account: account_id(number % 4),
        date: NaiveDate::from_ymd_opt(2026, 1, 1 + number as u32 / 2).unwrap(),
        amount: amount.into(),
        balance: (amount / 2).into(),
        items: Vec::new(),
    }
}

/// Payments of the invoices that can be paid.
fn payment(number: usize) -> SeedPayment {
    let is_electronic = number % 4 == 1;
    let part = || SeedPart { invoice: format!("INV{number:08}"), amount: 30.into() };
    SeedPayment {
        id: ObjectId::parse(&format!("4028e6a00000000000000000000000{number:x}d")).unwrap(),
        number: format!("P-{number:08}"),
        account: account_id(number % 4),
        payment_type: if is_electronic { PaymentType::Electronic } else { PaymentType::External },
        amount: (50 + number as i64 % 5).into(),
        effective_date: NaiveDate::from_ymd_opt(2026, 2, 1 + number as u32 / 3).unwrap(),
        payment_method: is_electronic.then(|| method_id(1)),
        gateway: None,
        reference_id: None,
        is_settled: number.is_multiple_of(2),
        applied: (number % 3 != 2).then(part).into_iter().collect(),
    }
}

fn options() -> OpenOptions {
    let mode = OpenMode::CreateOrOpen { test: true };
    OpenOptions { mode, id_seed: Some(1), settings: LedgerSettings::default() }
}

fn open() -> SqliteLedger {
    SqliteLedger::temporary(&options()).unwrap()
}

async fn create(ledger: &SqliteLedger, drafts: Vec<RefundDraft>, second: i64) -> Created {
    let permissions = Permission::ALL.into_iter().collect();
    let (version, now) = (ApiVersion::major(91), at(second));
    let asking = Asking { version, permissions, now, earliest: now, strict: false };
    let request = Create {
        context: Context {
            user: UserKey(1),
            origin: Origin::of(FrontDoor::Soap),
            asking,
            ticket: Ticket::default(),
        },
        batch: Batch {
            drafts: Drafts::Refunds(drafts),
            ordered: std::collections::BTreeMap::new(),
            is_single: false,
        },
        idempotency: None,
        line_up: None,
    };
    ledger.create(request).await.unwrap()
}

fn draft(fields: &[(&str, &str)]) -> RefundDraft {
    let mut draft = RefundDraft::default();
    draft.set("SourceType", "CreditBalance");
    for (field, text) in fields {
        draft.set(field, text);
    }
    draft
}

fn number_of(refund: &ObjectId) -> RefundNumber {
    RefundId::parse(refund.as_str()).unwrap().number()
}

fn response() -> Response {
    Response { code: "00".to_owned(), text: "told".to_owned() }
}

fn exchange_at(second: i64) -> Exchange {
    Exchange { kind: ExchangeKind::Refund, transcript: Transcript::default(), at: at(second) }
}

fn approved() -> Verdict {
    Verdict::Approved {
        reference_id: "r".to_owned(),
        second_reference_id: Some("second".to_owned()),
        response: response(),
    }
}

/// 120 refunds of four currencies, with comments and without, in every status.
async fn filled(path: &Path) -> SqliteLedger {
    let ledger = SqliteLedger::open(path, &options()).unwrap();
    ledger.load_seed(plan()).await.unwrap().unwrap();
    let comments = ["", "abc", "ABC", "äb", "ÄB", "a_b", "it's", "x\" or 1=1 --", "100%"];
    for number in 0..120_usize {
        let account = account_id(number % 4);
        let comment = comments[number % comments.len()];
        let day = at(-86_400 * (number as i64 % 3)).with_timezone(&ZONE).date_naive().to_string();
        let amount = ["1", "5", "12", "100"][number / 4 % 4];
        let mut fields =
            vec![("AccountId", account.as_str()), ("Amount", amount), ("Comment", comment)];
        let method = method_id(1);
        let is_electronic = number % 4 == 1 && number % 3 != 0;
        if is_electronic {
            fields.push(("Type", "Electronic"));
            fields.push(("PaymentMethodId", method.as_str()));
        } else {
            fields.push(("Type", "External"));
            fields.push(("MethodType", "Check"));
            fields.push(("RefundDate", &day));
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
            ledger.end_refund(number_of(&id.id), verdict, exchange_at(second + 7)).await.unwrap();
        }
    }
    drop(ledger);
    move_more(path);
    SqliteLedger::open(path, &options()).unwrap()
}

/// What other use cases leave behind: adjustments, parts of refunds, exchanges with gateways.
fn move_more(path: &Path) {
    let file = rusqlite::Connection::open(path).unwrap();
    for number in 1..20 {
        let statements = "
            insert into adjustment (account, type, amount, invoice, status, adjustment_date,
                comment, created_by, created_ms, updated_ms, cancelled_ms)
                select account, 'Increase', 5 + ?1, key, iif(?1 % 3, 'Processed', 'Canceled'),
                '2026-03-01', 'told', 1, 1790000000000 + ?1, 1790000005000 + ?1,
                iif(?1 % 3, null, 1790000005000) from invoice where key = 1 + ?1 % 12;
            insert into entry_row (account, kind, delta, balance, adjustment, at_ms)
                select account, 4, amount, (select units from balance
                where balance.account = adjustment.account), key, created_ms from adjustment
                where key = ?1;
            insert into entry_row (account, kind, delta, balance, adjustment, at_ms)
                select account, 6, -amount, (select units from balance
                where balance.account = adjustment.account), key, cancelled_ms from adjustment
                where key = ?1 and status = 'Canceled';
            update balance set newest_entry = (select max(key) from entry_row
                where entry_row.account = balance.account) where ?1 > 0;
            insert into refund_invoice_payment (refund, invoice_payment, amount, created_ms,
                updated_ms) values (2 * ?1, 1 + ?1 % 8, ?1, 1790000000000 + ?1, 1790000000000);
            insert into invoice_line (id, invoice, item, name, amount, created_ms)
                values (printf('%032x', 1000 + ?1), 1 + ?1 % 12, iif(?1 % 2, null, ?1 - 1),
                iif(?1 % 3, 'Fee', null), ?1, 1790000000000 + ?1);
            insert into invoice_adjustment (id, number, invoice, line, type, amount, status,
                adjustment_date, comment, created_by, created_ms, updated_by, updated_ms,
                cancelled_by, cancelled_ms)
                select printf('%032x', 2000 + ?1), 'IA-' || ?1, invoice, null,
                iif(?1 % 2, 'Credit', 'Charge'), 5 + ?1, iif(?1 % 3, 'Processed', 'Canceled'),
                '2026-03-02', iif(?1 % 4, 'c', null), 1, 1790000000000 + ?1, 1,
                1790000005000, iif(?1 % 3, null, 1), iif(?1 % 3, null, 1790000005000)
                from invoice_line where key = ?1;
            insert into invoice_adjustment (id, number, invoice, line, type, amount, status,
                adjustment_date, reason_code, created_by, created_ms, updated_by, updated_ms)
                select printf('%032x', 3000 + ?1), 'IILA-' || ?1, invoice, key, 'Credit', ?1,
                'Processed', '2026-03-03', iif(?1 % 2, 'Other', null), 1, 1790000000000 + ?1, 1,
                1790000005000 from invoice_line where key = ?1;
            insert into exchange (refund, gateway, kind, gateway_state, reason_code, at_ms)
                values (3 * ?1, 'sandbox', iif(?1 % 2, 'refund', 'inquiry'), 'Submitted',
                iif(?1 % 4, 'OK', null), 1790000000000 + ?1);";
        for statement in statements.split(';').map(str::trim).filter(|one| !one.is_empty()) {
            file.execute(statement, [number]).unwrap();
        }
    }
    crate::sums::renew(&file);
}

struct House {
    runtime: Runtime,
    ledger: SqliteLedger,
    _folder: tempfile::TempDir,
}

static HOUSE: LazyLock<House> = LazyLock::new(|| {
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let ledger = runtime.block_on(filled(&folder.path().join("ledger.db")));
    House { runtime, ledger, _folder: folder }
});

/// Every field of an object that can be selected, its type in the WSDL, and every row.
struct Everything {
    object: QueryObject,
    fields: Vec<(&'static str, &'static str)>,
    rows: Vec<Row>,
}

static EVERYTHING: LazyLock<Vec<Everything>> = LazyLock::new(|| {
    let everything = |object: QueryObject| {
        let own = wsdl::fields(ApiVersion::major(91), object.name());
        let can_be_selected = |(name, _): &(&str, &str)| {
            object.object().field(name).is_some_and(|field| field.is_queried)
        };
        let id = ("Id", "zns:ID");
        let fields: Vec<_> =
            std::iter::once(id).chain(own.into_iter().filter(can_be_selected)).collect();
        let names: Vec<_> = fields.iter().map(|field| field.0).collect();
        let all = request(Start::Query(query(object, &names, Vec::new())), 2000);
        let rows = HOUSE.runtime.block_on(find(&HOUSE.ledger, all)).unwrap().rows;
        assert!(rows.len() >= 4, "{} has {} rows", object.name(), rows.len());
        Everything { object, fields, rows }
    };
    QueryObject::ALL.map(everything).into()
});

/// Compares a field with the value that a row has for it.
fn compared(value: Option<&Value>, of_type: &str, how: Comparator) -> Test {
    match (value, of_type) {
        (None, _) if how == Comparator::NotEqual => Test::IsNotNull,
        (None, _) => Test::IsNull,
        (Some(Value::Text(text)), "zns:ID") => Test::Id(how, text.clone()),
        (Some(Value::Text(text)), _) => Test::Text(how, text.clone()),
        (Some(Value::Amount(amount, currency)), _) => Test::Number(how, currency.decimal(*amount)),
        (Some(Value::Boolean(value)), _) => Test::Boolean(*value),
        (Some(Value::Moment(moment)), _) => Test::Moment(how, Moment::Zoned(moment.fixed_offset())),
        (Some(Value::Day(day)), _) => Test::Day(how, Moment::Local(day.and_time(NaiveTime::MIN))),
    }
}

fn condition_on_anything(at: usize) -> impl Strategy<Value = Condition> {
    let Everything { fields, rows, .. } = &EVERYTHING[at];
    let how = prop_oneof![3 => Just(Comparator::Equal), 1 => comparator()];
    (0..fields.len(), 0..rows.len(), how).prop_map(move |(field, row, how)| {
        let (name, of_type) = fields[field];
        let test = compared(rows[row][field].as_ref(), of_type, how);
        Condition { field: name.to_owned(), test }
    })
}

fn query_of_anything() -> impl Strategy<Value = TypedQuery> {
    (0..QueryObject::ALL.len(), any::<bool>()).prop_flat_map(|(at, case_sensitive)| {
        let Everything { object, fields, .. } = &EVERYTHING[at];
        let names: Vec<_> = fields.iter().map(|field| field.0).collect();
        groups(condition_on_anything(at)).prop_map(move |conditions| TypedQuery {
            case_sensitive,
            ..query(*object, &names, conditions)
        })
    })
}

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
    prop_oneof![
        (ids, id_test),
        (texts, text_test),
        (Just("Amount"), prop_oneof![number, whole]),
        (moments, (comparator(), moment()).prop_map(|(how, when)| Test::Moment(how, when))),
        (Just("RefundDate"), (comparator(), moment()).prop_map(|(how, when)| Test::Day(how, when))),
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
    fn every_object_is_found_as_a_naive_reading_finds_it(
        query in query_of_anything(),
        rows_max in 10_u32..130,
    ) {
        let fields: Vec<_> = query.fields.clone();
        let names: Vec<_> = fields.iter().map(String::as_str).collect();
        assert_finds(query, &names, rows_max);
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

/// The values of some fields of every row of an object, as texts.
fn reported(object: QueryObject, wanted: &[&str]) -> Vec<Vec<String>> {
    let at = QueryObject::ALL.iter().position(|one| *one == object).unwrap();
    let Everything { fields, rows, .. } = &EVERYTHING[at];
    let place = |name: &&str| fields.iter().position(|field| field.0 == *name).unwrap();
    let places: Vec<_> = wanted.iter().map(place).collect();
    let text = |value: &Option<Value>| match value {
        None => "-".to_owned(),
        Some(Value::Text(text)) => text.clone(),
        Some(Value::Amount(amount, currency)) => currency.format(*amount),
        Some(other) => format!("{other:?}"),
    };
    rows.iter().map(|row| places.iter().map(|at| text(&row[*at])).collect()).collect()
}

#[test]
fn an_adjustment_is_what_moved_a_credit_balance() {
    let fields = ["Number", "Type", "Amount", "SourceTransactionNumber", "Status"];
    let adjustments = reported(QueryObject::CreditBalanceAdjustment, &fields);
    assert_eq!(adjustments.len(), 120 + 19, "releases and cancellations are none of their own");
    assert_eq!(adjustments[0][1..], ["Decrease", "1", "R-00000001", "Processed"]);
    assert_eq!(adjustments[0][0], "CBA-00000001");
    let canceled = |rows: &[Vec<String>]| rows.iter().filter(|row| row[4] == "Canceled").count();
    let declined = reported(QueryObject::Refund, &["Status"]);
    let declined = declined.iter().filter(|row| row[0] == "Error").count();
    assert!(declined > 0);
    assert_eq!(canceled(&adjustments[..120]), declined);
    assert_eq!(canceled(&adjustments[120..]), 6);
    assert_eq!(adjustments[120][1..4], ["Increase", "0.06", "INV00000001"]);
    let mut ids = reported(QueryObject::CreditBalanceAdjustment, &["Id"]);
    for object in QueryObject::ALL.into_iter().skip(2) {
        ids.extend(reported(object, &["Id"]));
    }
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "ids of all objects differ");
}

#[test]
fn an_account_owes_what_its_invoices_do() {
    let balances = reported(QueryObject::Account, &["Balance", "TotalInvoiceBalance", "Currency"]);
    // Invoices 1, 5 and 9: half of 101, of -40 and of 109, each without its fraction.
    assert_eq!(balances[1], ["84.00", "84.00", "USD"]);
    let invoice = reported(QueryObject::Invoice, &["Amount", "Balance", "PaymentAmount"]);
    assert_eq!(invoice[1], ["101.00", "50.00", "30.00"]);
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
        ("AccountId", account.as_str()),
        ("Amount", "1"),
        ("Type", "External"),
        ("MethodType", "Check"),
    ];
    vec![draft(&fields); count]
}

fn electronic(count: usize) -> Vec<RefundDraft> {
    let (account, method) = (account_id(1), method_id(1));
    let fields = [
        ("AccountId", account.as_str()),
        ("Amount", "1"),
        ("Type", "Electronic"),
        ("PaymentMethodId", method.as_str()),
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
        let number = number_of(&rows[gone].as_ref().unwrap().id);
        ledger.end_refund(number, approved(), exchange_at(1)).await.unwrap();
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
