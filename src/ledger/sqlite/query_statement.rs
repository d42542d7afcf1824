//! A typed query as a statement of SQL, every value of the caller's bound.

use super::query_columns::{Column, Shortcut, Stored, Table};
use crate::domain::calendar::Moment;
use crate::domain::id::{RefundId, RefundNumber};
use crate::domain::query::pattern::{Pattern, fold};
use crate::domain::query::{Test, TypedQuery};
use crate::domain::zoql::Comparator;
use chrono::{Datelike, NaiveDate, NaiveTime};
use chrono_tz::Tz;
use rusqlite::types::Value;

/// The rows of a set: after one key, up to another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) after: i64,
    pub(super) newest: i64,
}

/// SQL and the values that are bound to it.
#[derive(Debug, Default)]
pub(super) struct Statement {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
}

/// Counts the matches of a span.
pub(super) fn count(query: &TypedQuery, span: Span, zone: Tz) -> Statement {
    let table = Table::of(query.object);
    let mut statement = Statement::default();
    statement.text("select count(*) from ").text(table.from);
    statement.matching(query, table, span, zone);
    statement
}

/// Selects the key and the fields of matches of a span, in their order.
pub(super) fn rows(query: &TypedQuery, span: Span, skip: u32, most: u32, zone: Tz) -> Statement {
    let table = Table::of(query.object);
    let mut statement = Statement::default();
    statement.text("select ").text(table.key);
    for column in query.fields.iter().filter_map(|field| table.column(field)) {
        statement.text(", ").text(column.sql);
        if column.stored == Stored::Amount {
            statement.text(", account.currency");
        }
    }
    statement.text(" from ").text(table.from);
    statement.matching(query, table, span, zone);
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

    fn matching(&mut self, query: &TypedQuery, table: &Table, span: Span, zone: Tz) {
        self.text(" where ").text(table.key).text(" > ").bind(span.after);
        self.text(" and ").text(table.key).text(" <= ").bind(span.newest);
        if query.conditions.is_empty() {
            return;
        }
        self.text(" and (");
        for (group, between) in query.conditions.iter().zip(separators("", " or ")) {
            self.text(between);
            for (condition, between) in group.iter().zip(separators("", " and ")) {
                self.text(between);
                let test = &condition.test;
                match table.column(&condition.field) {
                    Some(column) => self.test(column, test, query.case_sensitive, zone),
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
                self.text(column.sql).text(" is null");
            }
            Test::IsNotNull => {
                self.text(column.sql).text(" is not null");
            }
            Test::Id(Comparator::Equal, text) | Test::Text(Comparator::Equal, text)
                if let Some(shortcut) = column.shortcut =>
            {
                self.shortcut(column, shortcut, text, case_sensitive);
            }
            Test::Id(comparator, text) => {
                self.text(column.sql).comparator(*comparator).bind(text.clone());
            }
            Test::Text(comparator, text) if case_sensitive => {
                self.text(column.sql).comparator(*comparator).bind(text.clone());
            }
            Test::Text(comparator, text) => {
                self.text("folded(").text(column.sql).text(")");
                self.comparator(*comparator).bind(fold(text, false));
            }
            Test::IdLike(pattern) => self.like(column, pattern, true),
            Test::TextLike(pattern) => self.like(column, pattern, case_sensitive),
            Test::Number(comparator, decimal) => {
                self.text("amount_against(").text(column.sql).text(", account.currency, ");
                self.bind(decimal.to_string()).text(")").comparator(*comparator).text("0");
            }
            Test::Boolean(value) => {
                self.text(column.sql).text(" = ").bind(i64::from(*value));
            }
            Test::Moment(comparator, moment) => {
                let millis = moment.utc(zone).timestamp_millis();
                self.text(column.sql).comparator(*comparator).bind(millis);
            }
            Test::Day(comparator, moment) => {
                self.day(column, *comparator, moment.local(zone).date());
            }
            Test::DayAsMoment(comparator, moment) => {
                self.day_as_moment(column, *comparator, *moment, zone);
            }
        }
    }

    fn comparator(&mut self, comparator: Comparator) -> &mut Self {
        self.text(" ").text(comparator.text()).text(" ")
    }

    fn like(&mut self, column: &Column, pattern: &Pattern, case_sensitive: bool) {
        self.text("is_like(").text(column.sql).text(", ").bind(pattern.text());
        self.text(", ").bind(i64::from(case_sensitive)).text(")");
    }

    fn shortcut(&mut self, column: &Column, shortcut: Shortcut, text: &str, case_sensitive: bool) {
        match shortcut {
            Shortcut::Id => match RefundId::parse(text) {
                // The moment and the salt have to be right as well.
                Some(id) => {
                    self.text("(refund.number = ").bind(id.number().value());
                    self.text(" and ").text(column.sql).text(" = ").bind(text.to_owned()).text(")");
                }
                None => self.truth(false),
            },
            Shortcut::Number => match refund_number(text, case_sensitive) {
                Some(number) => {
                    self.text("refund.number = ").bind(number.value());
                }
                None => self.truth(false),
            },
            Shortcut::MethodAccount => {
                self.text("payment_method.account = (select key from account where id = ");
                self.bind(text.to_owned()).text(")");
            }
            Shortcut::Account => {
                self.text("refund.account = (select key from account where id = ");
                self.bind(text.to_owned()).text(")");
            }
        }
    }

    fn day(&mut self, column: &Column, comparator: Comparator, day: NaiveDate) {
        self.text(column.sql).comparator(comparator).bind(stored_day(day));
    }

    /// Compares the beginning of a day: no day begins at another moment than midnight.
    fn day_as_moment(&mut self, column: &Column, comparator: Comparator, moment: Moment, zone: Tz) {
        let local = moment.local(zone);
        let day = local.date();
        if local.time() == NaiveTime::MIN {
            return self.day(column, comparator, day);
        }
        match comparator {
            Comparator::Equal => self.truth(false),
            Comparator::NotEqual => {
                self.text(column.sql).text(" is not null");
            }
            Comparator::Greater | Comparator::GreaterOrEqual => {
                self.day(column, Comparator::Greater, day);
            }
            Comparator::Less | Comparator::LessOrEqual => {
                self.day(column, Comparator::LessOrEqual, day);
            }
        }
    }
}

/// What stands before each of several things.
fn separators(first: &'static str, others: &'static str) -> impl Iterator<Item = &'static str> {
    std::iter::once(first).chain(std::iter::repeat(others))
}

/// The number of a RefundNumber; none when no refund can have it.
fn refund_number(text: &str, case_sensitive: bool) -> Option<RefundNumber> {
    let (_, digits) = text.split_once('-')?;
    let number = RefundNumber::new(digits.parse().ok()?)?;
    let is_it = fold(&number.to_string(), case_sensitive) == fold(text, case_sensitive);
    is_it.then_some(number)
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
    use crate::domain::query::{Condition, QueryObject};
    use crate::ledger::sqlite::open::SCHEMA;
    use crate::ledger::sqlite::query_functions::register;
    use chrono_tz::America::Los_Angeles;
    use rusqlite::{Connection, params_from_iter};

    const SPAN: Span = Span { after: 0, newest: 1_000_000 };

    fn connection() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        register(&connection).unwrap();
        for step in SCHEMA {
            connection.execute_batch(step).unwrap();
        }
        connection
    }

    fn query(object: QueryObject, conditions: Vec<Vec<Condition>>) -> TypedQuery {
        let fields = ["Id", "Amount", "RefundNumber"].map(str::to_owned).to_vec();
        TypedQuery { object, fields, conditions, case_sensitive: false }
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
        assert!(!steps.iter().any(|step| step.contains("TEMP B-TREE")), "{steps:?}");
        let is_it = |step: &&String| step.split(' ').nth(1) == Some(table);
        let found = steps.iter().find(is_it);
        found.unwrap_or_else(|| panic!("{table} in {steps:?}")).clone()
    }

    #[test]
    fn what_is_looked_up_by_a_key_reads_nothing_else() {
        let connection = connection();
        let id = "01a203dc47e022e9f100000000000001";
        let account = "4028e6a0000a0000000000000000006b";
        let rowid = "USING INTEGER PRIMARY KEY (rowid=?)";
        let by_account = "refund_by_account (account=? AND rowid>? AND rowid<?)";
        let methods = "payment_method_by_account (account=? AND rowid>? AND rowid<?)";
        let by_id = "(id=? AND rowid>? AND rowid<?)";
        let (refund, method) = (QueryObject::Refund, QueryObject::PaymentMethod);
        let same = Comparator::Equal;
        let id_is =
            |id: &str| Condition { field: "Id".to_owned(), test: Test::Id(same, id.to_owned()) };
        for (object, condition, expected) in [
            (refund, id_is(id), rowid),
            (refund, equal("RefundNumber", "R-00000001"), rowid),
            (refund, equal("AccountId", account), by_account),
            (method, equal("AccountId", account), methods),
            (method, id_is(id), by_id),
            (QueryObject::Account, id_is(account), by_id),
        ] {
            let table = Table::of(object).key.split('.').next().unwrap();
            let query = query(object, vec![vec![condition.clone()]]);
            let rows = rows(&query, SPAN, 0, 2001, Los_Angeles);
            let count = count(&query, SPAN, Los_Angeles);
            for statement in [rows, count] {
                let way = way(&connection, &statement, table);
                assert!(
                    way.starts_with("SEARCH") && way.ends_with(expected),
                    "{condition:?} {way}"
                );
            }
        }
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
        let statement =
            rows(&query(QueryObject::Refund, vec![all.clone(), all]), SPAN, 0, 1, Los_Angeles);
        assert!(!statement.sql.contains("drop") && !statement.sql.contains("NoSuch"));
        assert_eq!(statement.sql.matches('?').count(), statement.values.len());
        let mut prepared = connection.prepare(&statement.sql).unwrap();
        assert!(
            prepared.query(params_from_iter(statement.values)).unwrap().next().unwrap().is_none()
        );
    }

    #[test]
    fn only_the_numbers_own_text_is_a_refund_number() {
        assert!(refund_number("R-00000001", true).is_some());
        assert!(refund_number("r-00000001", false).is_some());
        for wrong in ["r-00000001", "R-1", "R-+0000001", "R-", "1", "R--0000001"] {
            assert_eq!(refund_number(wrong, true), None, "{wrong}");
        }
    }
}
