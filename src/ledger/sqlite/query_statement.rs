//! A typed query as a statement of SQL, every value of the caller's bound.

use super::query_columns::{Column, Columns, Shortcut, Stored};
use crate::domain::custom_field::CustomFields;
use crate::domain::id::RowId;
use crate::domain::query::pattern::{Pattern, fold};
use crate::domain::query::{Test, TypedQuery};
use crate::domain::zoql::Comparator;
use chrono::{Datelike, NaiveDate};
use chrono_tz::Tz;
use rusqlite::types::Value;

/// The key of no row. A condition that nothing can meet still says where to look: a constant
/// among conditions that are joined by `or` would make SQLite read every row.
const NO_KEY: i64 = 0;

/// The bytes that are set apart for a statement; most are shorter.
const ROOM: usize = 2_048;

/// The rows of a set: after one key, up to another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) after: i64,
    pub(super) newest: i64,
}

/// What of the tenant a statement depends on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tenant<'a> {
    pub(super) time_zone: Tz,
    pub(super) custom_fields: &'a CustomFields,
}

/// SQL and the values that are bound to it.
#[derive(Debug, Default)]
pub(super) struct Statement {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
}

/// Counts the matches of a span.
pub(super) fn count(query: &TypedQuery, span: Span, tenant: Tenant<'_>) -> Statement {
    let columns = Columns::of(query.object, tenant.custom_fields);
    let mut statement = Statement::default();
    statement.text("select count(*) from ").text(columns.table.from);
    statement.matching(query, columns, span, tenant.time_zone);
    statement
}

/// Selects the key and the fields of matches of a span, in their order.
pub(super) fn rows(
    query: &TypedQuery,
    span: Span,
    skip: u32,
    most: u32,
    tenant: Tenant<'_>,
) -> Statement {
    let columns = Columns::of(query.object, tenant.custom_fields);
    let table = columns.table;
    let mut statement = Statement { sql: String::with_capacity(ROOM), values: Vec::new() };
    statement.text("select ").text(table.key);
    for column in query.fields.iter().filter_map(|field| columns.find(field)) {
        statement.selected(&column);
    }
    statement.text(" from ").text(table.from);
    statement.matching(query, columns, span, tenant.time_zone);
    statement.text(" order by ").text(table.key);
    statement.text(" limit ").bind(i64::from(most)).text(" offset ").bind(i64::from(skip));
    statement
}

impl Statement {
    fn text(&mut self, sql: &'static str) -> &mut Self {
        self.sql.push_str(sql);
        self
    }

    /// The values are numbered by their order.
    fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.values.push(value.into());
        self.text("?")
    }

    /// What a column is read from, behind the key of the row.
    fn selected(&mut self, column: &Column) {
        match column.stored {
            Stored::RefundNumber => {}
            Stored::RefundId => {
                self.text(", refund.created_ms, refund.salt");
            }
            Stored::Amount => {
                self.text(", ").value(column).text(", account.currency");
            }
            _ => {
                self.text(", ").value(column);
            }
        }
    }

    /// The value of a column.
    fn value(&mut self, column: &Column) -> &mut Self {
        self.text(column.sql);
        match &column.path {
            Some(path) => self.bind(path.clone()).text(")"),
            None => self,
        }
    }

    fn matching(&mut self, query: &TypedQuery, columns: Columns<'_>, span: Span, zone: Tz) {
        let table = columns.table;
        self.text(" where ").text(table.key).text(" > ").bind(span.after);
        self.text(" and ").text(table.key).text(" <= ").bind(span.newest);
        if let Some(only) = table.only {
            self.text(" and ").text(only);
        }
        if query.conditions.is_empty() {
            return;
        }
        self.text(" and (");
        for (group, between) in query.conditions.iter().zip(separators("", " or ")) {
            self.text(between);
            for (condition, between) in group.iter().zip(separators("", " and ")) {
                self.text(between);
                let test = &condition.test;
                match columns.find(&condition.field) {
                    Some(column) => self.test(&column, test, query.case_sensitive, zone),
                    // Nothing is known of it, so it has no value.
                    None => self.truth(*test == Test::IsNull),
                }
            }
        }
        self.text(")");
    }

    fn truth(&mut self, value: bool) {
        self.text(if value { "1" } else { "0" });
    }

    fn test(&mut self, column: &Column, test: &Test, case_sensitive: bool, zone: Tz) {
        match test {
            Test::IsNull => {
                self.value(column).text(" is null");
            }
            Test::IsNotNull => {
                self.value(column).text(" is not null");
            }
            Test::Id(Comparator::Equal, text) | Test::Text(Comparator::Equal, text)
                if let Some(shortcut) = column.shortcut =>
            {
                self.shortcut(column, shortcut, text, case_sensitive);
            }
            Test::Id(comparator, text) => {
                self.value(column).comparator(*comparator).bind(text.clone());
            }
            Test::Text(comparator, text) if case_sensitive => {
                self.value(column).comparator(*comparator).bind(text.clone());
            }
            Test::Text(comparator, text) => {
                self.text("folded(").value(column).text(")");
                self.comparator(*comparator).bind(fold(text, false));
            }
            Test::IdLike(pattern) => self.like(column, pattern, true),
            Test::TextLike(pattern) => self.like(column, pattern, case_sensitive),
            Test::Number(comparator, decimal) if column.stored == Stored::Decimal => {
                self.text("decimal_against(").value(column).text(", ");
                self.bind(decimal.to_string()).text(")").comparator(*comparator).text("0");
            }
            Test::Number(comparator, decimal) => {
                self.text("amount_against(").value(column).text(", account.currency, ");
                self.bind(decimal.to_string()).text(")").comparator(*comparator).text("0");
            }
            Test::Boolean(value) => {
                self.value(column).text(" = ").bind(i64::from(*value));
            }
            Test::Moment(comparator, moment) => {
                let millis = moment.utc(zone).timestamp_millis();
                self.value(column).comparator(*comparator).bind(millis);
            }
            Test::Day(comparator, moment) => {
                let day = stored_day(moment.local(zone).date());
                self.value(column).comparator(*comparator).bind(day);
            }
        }
    }

    fn comparator(&mut self, comparator: Comparator) -> &mut Self {
        self.text(" ").text(comparator.text()).text(" ")
    }

    fn like(&mut self, column: &Column, pattern: &Pattern, case_sensitive: bool) {
        self.text("is_like(").value(column).text(", ").bind(pattern.text());
        self.text(", ").bind(i64::from(case_sensitive)).text(")");
    }

    fn shortcut(&mut self, column: &Column, shortcut: Shortcut, text: &str, case_sensitive: bool) {
        match shortcut {
            Shortcut::Key(kind, key) => {
                let id = RowId::parse(kind, text);
                self.text("(").text(key).text(" = ").bind(id.map_or(NO_KEY, RowId::key));
                // The moment and the salt have to be right as well.
                self.text(" and ").value(column).text(" = ").bind(text.to_owned()).text(")");
            }
            Shortcut::Number(prefix, key) => {
                let number = numbered(prefix, text, case_sensitive).unwrap_or(NO_KEY);
                self.text(key).text(" = ").bind(number);
            }
            Shortcut::Through(pieces) => {
                for (index, piece) in pieces.iter().enumerate() {
                    if index > 0 {
                        self.bind(text.to_owned());
                    }
                    self.text(piece);
                }
            }
        }
    }
}

/// What stands before each of several things.
fn separators(first: &'static str, others: &'static str) -> impl Iterator<Item = &'static str> {
    std::iter::once(first).chain(std::iter::repeat(others))
}

/// The number in a text like `R-00000001`; none when it is not exactly so written.
fn numbered(prefix: &str, text: &str, case_sensitive: bool) -> Option<i64> {
    let (_, digits) = text.split_once('-')?;
    let number: i64 = digits.parse().ok().filter(|number| *number > 0)?;
    let written = format!("{prefix}{number:08}");
    (fold(&written, case_sensitive) == fold(text, case_sensitive)).then_some(number)
}

/// The day as it is stored, or what sorts like it if its year has not four digits.
fn stored_day(day: NaiveDate) -> String {
    match day.year() {
        ..0 => String::new(),
        0..=9999 => day.to_string(),
        10_000.. => "later".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::custom_field::{CustomField, CustomName, CustomType};
    use crate::domain::id::IdKind;
    use crate::domain::query::{Condition, QueryObject};
    use crate::domain::vocabulary::CustomizedObject;
    use crate::ledger::sqlite::open::keep_plans;
    use crate::ledger::sqlite::query_columns::Table;
    use crate::ledger::sqlite::query_functions::register;
    use crate::ledger::sqlite::schema::empty_test_ledger;
    use chrono_tz::America::Los_Angeles;
    use rusqlite::{Connection, params_from_iter};
    use std::sync::LazyLock;

    const SPAN: Span = Span { after: 0, newest: 1_000_000 };

    fn connection() -> Connection {
        let connection = empty_test_ledger().unwrap();
        register(&connection).unwrap();
        keep_plans(&connection).unwrap();
        connection
    }

    fn tenant() -> Tenant<'static> {
        static NONE: LazyLock<CustomFields> = LazyLock::new(CustomFields::default);
        Tenant { time_zone: Los_Angeles, custom_fields: &NONE }
    }

    fn query(
        object: QueryObject,
        fields: Vec<String>,
        conditions: Vec<Vec<Condition>>,
    ) -> TypedQuery {
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
        let steps = explained.query_map(params_from_iter(&statement.values), |row| row.get(3));
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
            (
                part,
                "InvoicePaymentId",
                account,
                "_by_part (invoice_payment=? AND rowid>? AND rowid<?)",
            ),
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
            (
                QueryObject::PaymentMethod,
                "AccountId",
                account,
                "(account=? AND rowid>? AND rowid<?)",
            ),
            (QueryObject::PaymentMethod, "Id", account, by_id),
            (QueryObject::Account, "Id", account, by_id),
        ] {
            let table = Table::of(object);
            let fields = every_field(object);
            let test = Test::Id(Comparator::Equal, value.to_owned());
            let condition = Condition { field: field.to_owned(), test };
            let query = query(object, fields, vec![vec![condition]]);
            let first = table.key.split('.').next().unwrap();
            for statement in [rows(&query, SPAN, 0, 2001, tenant()), count(&query, SPAN, tenant())]
            {
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
        assert!(
            prepared.query(params_from_iter(statement.values)).unwrap().next().unwrap().is_none()
        );
    }

    #[test]
    fn only_the_numbers_own_text_is_a_refund_number() {
        assert_eq!(numbered("R-", "R-00000001", true), Some(1));
        assert_eq!(numbered("CBA-", "cba-123456789", false), Some(123_456_789));
        for wrong in [
            "r-00000001",
            "R-1",
            "R-+0000001",
            "R-",
            "1",
            "R--0000001",
            "R-00000000",
            "CBA-00000001",
        ] {
            assert_eq!(numbered("R-", wrong, true), None, "{wrong}");
        }
    }
}
