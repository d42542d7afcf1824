//! How SQLite goes about the statements of queries.

use super::dialect::SqliteDialect;
use super::functions::register;
use super::open::keep_plans;
use super::schema::empty_test_ledger;
use crate::domain::custom_field::{CustomField, CustomFields, CustomName, CustomType};
use crate::domain::id::{IdKind, RowId};
use crate::domain::query::pattern::Pattern;
use crate::domain::query::{Condition, QueryObject, Test, TypedQuery};
use crate::domain::vocabulary::CustomizedObject;
use crate::domain::zoql::Comparator;
use crate::ledger::query::columns::{Columns, Table};
use crate::ledger::query::statement::{self, Span, Statement, Tenant};
use crate::ledger::record::Value;
use chrono_tz::America::Los_Angeles;
use rusqlite::{Connection, ParamsFromIter, params_from_iter, types};
use std::sync::LazyLock;

const SPAN: Span = Span { after: 0, newest: 1_000_000 };

fn connection() -> Connection {
    let connection = empty_test_ledger().unwrap();
    register(&connection).unwrap();
    keep_plans(&connection).unwrap();
    connection
}

/// The rows of a span.
fn rows(query: &TypedQuery, span: Span, skip: u32, most: u32, tenant: Tenant<'_>) -> Statement {
    statement::rows(query, span, (skip, most), tenant, &SqliteDialect)
}

fn count(query: &TypedQuery, span: Span, tenant: Tenant<'_>) -> Statement {
    statement::count(query, span, tenant, &SqliteDialect)
}

fn bound(values: &[Value<'static>]) -> ParamsFromIter<Vec<types::Value>> {
    let bound = values.iter().map(|value| match value {
        Value::Null => types::Value::Null,
        Value::Integer(value) => types::Value::Integer(*value),
        Value::Text(text) => types::Value::Text(text.clone().into_owned()),
        Value::Bytes(bytes) => types::Value::Blob(bytes.clone().into_owned()),
    });
    params_from_iter(bound.collect())
}

fn tenant() -> Tenant<'static> {
    static NONE: LazyLock<CustomFields> = LazyLock::new(CustomFields::default);
    Tenant { time_zone: Los_Angeles, custom_fields: &NONE }
}

fn query(object: QueryObject, fields: Vec<String>, conditions: Vec<Vec<Condition>>) -> TypedQuery {
    TypedQuery { object, fields, conditions, case_sensitive: false }
}

/// Every field of an object that the ledger has values for.
fn every_field(object: QueryObject) -> Vec<String> {
    let columns = Columns::of(object, tenant().custom_fields);
    let own = object.object().fields().iter().map(|field| field.name);
    let names = std::iter::once("Id").chain(own);
    names.filter(|name| columns.find(name).is_some()).map(str::to_owned).collect()
}

fn equal(field: &str, text: &str) -> Condition {
    let test = Test::Text(Comparator::Equal, text.to_owned());
    Condition { field: field.to_owned(), test }
}

/// How SQLite goes about the first table of a statement.
fn way(connection: &Connection, statement: &Statement, table: &str) -> String {
    let explained = format!("explain query plan {}", statement.sql);
    let mut explained = connection.prepare(&explained).unwrap();
    let steps = explained.query_map(bound(&statement.values), |row| row.get(3));
    let steps: Vec<String> = steps.unwrap().map(Result::unwrap).collect();
    // The refunds of an account are found one after the other.
    let is_scan = |step: &&String| step.starts_with("SCAN") && *step != "SCAN of_account";
    assert!(!steps.iter().any(|step| is_scan(&step)), "{steps:?}");
    // What is found through a list, key by key, or among the few parts of a payment, is put in
    // order; everything else comes in order.
    let is_few = |step: &String| {
        ["LIST SUBQUERY", "MULTI-INDEX OR"].iter().any(|list| step.starts_with(list))
            || step.ends_with("(payment=?)")
    };
    let sorts = steps.iter().any(|step| step.contains("TEMP B-TREE"));
    assert!(!sorts || steps.iter().any(is_few), "{steps:?}");
    // A view is read through the table behind it.
    let names = [table.to_owned(), format!("{table}_row")];
    let is_it = |step: &&String| {
        step.split(' ').nth(1).is_some_and(|name| names.iter().any(|known| known == name))
    };
    let found = steps.iter().find(is_it);
    found.unwrap_or_else(|| panic!("{table} in {steps:?}")).clone()
}

#[test]
fn what_is_looked_up_by_a_key_reads_nothing_else() {
    let connection = connection();
    let id = "01a203dc47e022e9f100000000000001";
    let account = "4028e6a0000a0000000000000000006b";
    let rowid = "USING INTEGER PRIMARY KEY (rowid=?)";
    let by_id = "(id=? AND rowid>? AND rowid<?)";
    let (refund, part) = (QueryObject::Refund, QueryObject::RefundInvoicePayment);
    let (payment, paid) = (QueryObject::Payment, QueryObject::InvoicePayment);
    let (adjustment, log) =
        (QueryObject::CreditBalanceAdjustment, QueryObject::RefundTransactionLog);
    let of_kind = |kind| RowId::new(kind, 1, 2, 3).unwrap().to_string();
    for (object, field, value, expected) in [
        (refund, "Id", id, rowid),
        (refund, "RefundNumber", "R-00000001", rowid),
        (refund, "AccountId", account, rowid),
        (adjustment, "Id", &of_kind(IdKind::CreditBalanceAdjustment), rowid),
        (adjustment, "Number", "CBA-00000001", rowid),
        (adjustment, "AccountId", account, rowid),
        (part, "Id", &of_kind(IdKind::RefundInvoicePayment), rowid),
        (part, "RefundId", id, "_by_refund (refund=? AND rowid>? AND rowid<?)"),
        (part, "InvoicePaymentId", account, "_by_part (invoice_payment=? AND rowid>? AND rowid<?)"),
        (part, "InvoiceId", account, "_by_part (invoice_payment=? AND rowid>? AND rowid<?)"),
        (log, "Id", &of_kind(IdKind::RefundTransactionLog), rowid),
        (log, "RefundId", id, "exchange_by_refund (refund=? AND rowid>? AND rowid<?)"),
        (payment, "Id", account, by_id),
        (payment, "AccountId", account, "_by_account (account=? AND rowid>? AND rowid<?)"),
        (paid, "Id", account, by_id),
        (paid, "InvoiceId", account, "_by_invoice (invoice=? AND rowid>? AND rowid<?)"),
        (paid, "PaymentId", account, "(payment=?)"),
        (QueryObject::Invoice, "Id", account, by_id),
        (QueryObject::Invoice, "AccountId", account, "(account=? AND rowid>? AND rowid<?)"),
        (QueryObject::PaymentMethod, "AccountId", account, "(account=? AND rowid>? AND rowid<?)"),
        (QueryObject::PaymentMethod, "Id", account, by_id),
        (QueryObject::Account, "Id", account, by_id),
    ] {
        let table = Table::of(object);
        let fields = every_field(object);
        let test = Test::Id(Comparator::Equal, value.to_owned());
        let condition = Condition { field: field.to_owned(), test };
        let query = query(object, fields, vec![vec![condition]]);
        let first = table.key.split('.').next().unwrap();
        for statement in [rows(&query, SPAN, 0, 2001, tenant()), count(&query, SPAN, tenant())] {
            let way = way(&connection, &statement, first);
            let asked = format!("{}.{field}: {way}", object.name());
            assert!(way.starts_with("SEARCH") && way.ends_with(expected), "{asked}");
        }
    }
}

#[test]
fn what_is_no_key_makes_its_neighbours_read_nothing_else() {
    let connection = connection();
    for (field, good, bad) in [
        ("Id", "01a203dc47e022e9f100000000000001", "4028e6a0000a0000000000000000006b"),
        ("RefundNumber", "R-00000001", "R-1"),
    ] {
        let conditions = [good, bad].map(|value| vec![equal(field, value)]).to_vec();
        let query = query(QueryObject::Refund, vec!["Id".to_owned()], conditions);
        let way = way(&connection, &rows(&query, SPAN, 0, 2001, tenant()), "refund");
        assert!(way.contains("INTEGER PRIMARY KEY (rowid=?)"), "{field}: {way}");
    }
}

#[test]
fn every_column_can_be_read_and_compared() {
    let connection = connection();
    for object in QueryObject::ALL {
        let fields = every_field(object);
        let null = |field: &String| Condition { field: field.clone(), test: Test::IsNull };
        let conditions = vec![fields.iter().map(null).collect()];
        let statement = rows(&query(object, fields, conditions), SPAN, 0, 1, tenant());
        let prepared = connection.prepare(&statement.sql);
        assert!(prepared.is_ok(), "{}: {:?}", object.name(), prepared.err());
    }
}

#[test]
fn a_field_of_the_tenants_own_is_bound_and_compared_by_its_type() {
    let field = |name, custom_type| CustomField {
        object: CustomizedObject::Refund,
        name: CustomName::parse(name).unwrap(),
        custom_type,
        is_required: false,
        is_advanced: false,
    };
    let fields = CustomFields::new(vec![
        field("Case__c", CustomType::String { length: 5 }),
        field("Sum__c", CustomType::Decimal),
    ]);
    let tenant = Tenant { time_zone: Los_Angeles, custom_fields: &fields };
    let ten = Test::Number(Comparator::Greater, 10.into());
    let over_ten = Condition { field: "Sum__c".to_owned(), test: ten };
    let conditions = vec![vec![equal("Case__c", "a"), over_ten]];
    let names = vec!["Case__c".to_owned(), "Other__c".to_owned()];
    let statement = rows(&query(QueryObject::Refund, names, conditions), SPAN, 0, 1, tenant);
    assert!(!statement.sql.contains("__c"), "{}", statement.sql);
    assert!(statement.sql.contains("decimal_against(json_extract(refund.custom, ?), ?) > 0"));
    assert_eq!(statement.sql.matches('?').count(), statement.values.len());
    connection().prepare(&statement.sql).unwrap();
}

#[test]
fn no_text_of_a_caller_is_in_the_sql() {
    let connection = connection();
    let text = "'; drop table refund; --";
    let all: Vec<_> = ["Id", "AccountId", "RefundNumber", "Status", "NoSuchField"]
        .into_iter()
        .flat_map(|field| {
            let comparators = Comparator::ALL.into_iter();
            let tests = comparators.map(|how| Test::Text(how, text.to_owned()));
            let like = Pattern::parse(text).map(Test::TextLike);
            tests.chain(like).map(move |test| Condition { field: field.to_owned(), test })
        })
        .collect();
    let fields = ["Id", "Amount"].map(str::to_owned).to_vec();
    let query = query(QueryObject::Refund, fields, vec![all.clone(), all]);
    let statement = rows(&query, SPAN, 0, 1, tenant());
    assert!(!statement.sql.contains("drop") && !statement.sql.contains("NoSuch"));
    assert_eq!(statement.sql.matches('?').count(), statement.values.len());
    let mut prepared = connection.prepare(&statement.sql).unwrap();
    assert!(prepared.query(bound(&statement.values)).unwrap().next().unwrap().is_none());
}
