//! How a field becomes an expression of SQL: what a table and a column are.
//!
//! What must stay true: all SQL of a query is put together from the literals of `query_tables`,
//! `query_billing`, `query_invoicing` and `query_statement`; whatever comes from a caller or a
//! tenant is bound. A field that is neither listed there, nor kept as clients set it, nor declared
//! by the tenant has no value.

use super::query_tables::table_of;
use crate::catalogue::field::Kind;
use crate::domain::custom_field::{CustomFields, CustomType};
use crate::domain::id::IdKind;
use crate::domain::query::QueryObject;

/// Where the rows of an object are.
pub(super) struct Table {
    /// The key, which orders rows by their creation and never changes.
    pub(super) key: &'static str,
    /// Selects the newest key, which is null as long as there is no row.
    pub(super) newest: &'static str,
    /// The table with all that its columns refer to.
    pub(super) from: &'static str,
    /// What rows of the object have in common, where the table has others as well.
    pub(super) only: Option<&'static str>,
    /// Reads a value out of the fields of the tenant's own, where there are any; a path is bound
    /// behind it, and a parenthesis closes it.
    pub(super) custom: Option<&'static str>,
    /// Its fields.
    pub(super) fields: &'static [Field],
}

/// A field that has values, and the column behind it.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) column: Column,
}

/// Where the values of a field are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    /// The expression that is its value.
    pub(super) sql: &'static str,
    /// The path to the value, which is bound behind the expression of a custom field.
    pub(super) path: Option<String>,
    /// How the value is stored.
    pub(super) stored: Stored,
    /// A way to the rows of one value that reads no others.
    pub(super) shortcut: Option<Shortcut>,
}

/// How a value is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stored {
    /// As it is.
    Text,
    /// Minor units of `account.currency`.
    Amount,
    /// A text that is a decimal.
    Decimal,
    /// 0 or 1.
    Boolean,
    /// Unix milliseconds.
    Moment,
    /// A text like `2026-01-02`.
    Day,
}

/// A way to the rows of one value that reads no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shortcut {
    /// The value is an id of this kind, which carries the key that the expression has to be.
    Key(IdKind, &'static str),
    /// The value is this prefix and a number, which the expression has to be.
    Number(&'static str, &'static str),
    /// The condition is these pieces, with the value bound between each two.
    Through(&'static [&'static str]),
}

impl Table {
    /// The table of an object.
    pub(super) fn of(object: QueryObject) -> &'static Self {
        table_of(object)
    }
}

/// The columns of an object, with those of its tenant.
#[derive(Clone, Copy)]
pub(super) struct Columns<'a> {
    pub(super) table: &'static Table,
    object: QueryObject,
    custom: &'a CustomFields,
}

impl<'a> Columns<'a> {
    pub(super) fn of(object: QueryObject, custom: &'a CustomFields) -> Self {
        Self { table: Table::of(object), object, custom }
    }

    /// The column behind a field; none when the ledger holds no values for it.
    pub(super) fn find(&self, field: &str) -> Option<Column> {
        let own = self.table.fields.iter().find(|own| own.name == field);
        let own = own.map(|own| own.column.clone());
        own.or_else(|| self.kept(field)).or_else(|| self.custom(field))
    }

    /// A value that a client set, and that is only kept and given back.
    fn kept(&self, name: &str) -> Option<Column> {
        let sql = match self.object {
            QueryObject::Account => "json_extract(account.kept, ",
            QueryObject::Payment => "json_extract(payment.kept, ",
            QueryObject::PaymentMethod => "json_extract(payment_method.kept, ",
            _ => return None,
        };
        let stored = match self.object.object().kept(name)?.kind {
            Kind::Int | Kind::Short => Stored::Decimal,
            Kind::Boolean => Stored::Boolean,
            _ => Stored::Text,
        };
        Some(Column { sql, path: Some(format!("$.{name}")), stored, shortcut: None })
    }

    fn custom(&self, name: &str) -> Option<Column> {
        let object = self.object.customized()?;
        let field = self.custom.find(object, name)?;
        let stored = match field.custom_type {
            CustomType::String { .. } => Stored::Text,
            CustomType::Decimal => Stored::Decimal,
            CustomType::Boolean => Stored::Boolean,
            CustomType::Date => Stored::Day,
        };
        let path = Some(format!("$.{}", field.name));
        Some(Column { sql: self.table.custom?, path, stored, shortcut: None })
    }
}

pub(super) const fn column(name: &'static str, sql: &'static str, stored: Stored) -> Field {
    Field { name, column: Column { sql, path: None, stored, shortcut: None } }
}

pub(super) const fn text(name: &'static str, sql: &'static str) -> Field {
    column(name, sql, Stored::Text)
}

pub(super) const fn short(name: &'static str, sql: &'static str, shortcut: Shortcut) -> Field {
    let (stored, shortcut) = (Stored::Text, Some(shortcut));
    Field { name, column: Column { sql, path: None, stored, shortcut } }
}

pub(super) const fn amount(name: &'static str, sql: &'static str) -> Field {
    column(name, sql, Stored::Amount)
}

pub(super) const fn moment(name: &'static str, sql: &'static str) -> Field {
    column(name, sql, Stored::Moment)
}

/// A condition on the account of a row, by the account's id.
macro_rules! of_account {
    ($column:literal) => {
        Shortcut::Through(&[concat!($column, " = (select key from account where id = "), ")"])
    };
}
pub(super) use of_account;
