//! A typed query as a statement of SQL, every value of the caller's bound.

use super::columns::{Column, Columns, Shortcut, Stored};
use super::dialect::Dialect;
use crate::domain::custom_field::CustomFields;
use crate::domain::id::RowId;
use crate::domain::query::pattern::{Pattern, fold};
use crate::domain::query::{Test, TypedQuery};
use crate::domain::zoql::Comparator;
use crate::ledger::record::Value;
use chrono::{Datelike, NaiveDate};
use chrono_tz::Tz;

/// The key of no row. A condition that nothing can meet still says where to look: a constant
/// among conditions that are joined by `or` could make an engine read every row.
const NO_KEY: i64 = 0;

/// The bytes that are set apart for a statement; most are shorter.
const ROOM: usize = 2_048;

/// The rows of a set: after one key, up to another.
#[derive(Debug, Clone, Copy)]
pub(in crate::ledger) struct Span {
    pub(in crate::ledger) after: i64,
    pub(in crate::ledger) newest: i64,
}

/// What of the tenant a statement depends on.
#[derive(Debug, Clone, Copy)]
pub(in crate::ledger) struct Tenant<'a> {
    pub(in crate::ledger) time_zone: Tz,
    pub(in crate::ledger) custom_fields: &'a CustomFields,
}

/// SQL in the words of an engine, and the values that are bound to it.
pub(in crate::ledger) struct Statement {
    pub(in crate::ledger) sql: String,
    pub(in crate::ledger) values: Vec<Value<'static>>,
    dialect: &'static dyn Dialect,
}

/// Counts the matches of a span.
pub(in crate::ledger) fn count(
    query: &TypedQuery,
    span: Span,
    tenant: Tenant<'_>,
    dialect: &'static dyn Dialect,
) -> Statement {
    let columns = Columns::of(query.object, tenant.custom_fields);
    let mut statement = Statement::new(dialect);
    statement.text("select count(*) from ").text(columns.table.from);
    statement.matching(query, columns, span, tenant.time_zone);
    statement
}

/// Selects the key and the fields of matches of a span, in their order.
pub(in crate::ledger) fn rows(
    query: &TypedQuery,
    span: Span,
    (skip, most): (u32, u32),
    tenant: Tenant<'_>,
    dialect: &'static dyn Dialect,
) -> Statement {
    let columns = Columns::of(query.object, tenant.custom_fields);
    let table = columns.table;
    let mut statement = Statement::new(dialect);
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
    fn new(dialect: &'static dyn Dialect) -> Self {
        Self { sql: String::with_capacity(ROOM), values: Vec::new(), dialect }
    }

    fn text(&mut self, sql: &'static str) -> &mut Self {
        self.sql.push_str(sql);
        self
    }

    /// The values are numbered by their order.
    fn bind(&mut self, value: impl Into<Value<'static>>) -> &mut Self {
        self.values.push(value.into());
        self.dialect.place(&mut self.sql, self.values.len());
        self
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
        let Some(member) = &column.member else { return self.text(column.sql) };
        self.values.push(Value::Text(self.dialect.path(member).into()));
        let dialect = self.dialect;
        if let Some(default) = column.default {
            self.text("coalesce(");
            dialect.member(&mut self.sql, column, self.values.len());
            return self.text(", ").text(default).text(")");
        }
        dialect.member(&mut self.sql, column, self.values.len());
        self
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
        self.text(if value { "true" } else { "false" });
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
