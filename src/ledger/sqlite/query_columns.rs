//! How a field becomes an expression of SQL: what a table and a column are.
//!
//! What must stay true: all SQL of a query is put together from the literals of `query_tables`,
//! `query_billing`, `query_invoicing` and `query_statement`; whatever comes from a caller or a
//! tenant is bound; and each field of the catalogue is an expression, or kept as clients set it, or
//! without values.

use super::query_tables::table_of;
use crate::catalogue::field::{Fate, Field, Kind, is_same};
use crate::domain::custom_field::{CustomFields, CustomType};
use crate::domain::draft::names::ID;
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
    /// The column behind Id, which every object inherits.
    pub(super) id: Expression,
    /// What is behind the object's own field of a name, if it has one: [`columns`] makes it.
    pub(super) columns: fn(&str) -> Option<Source>,
}

/// What is behind a field.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    /// An expression of the table.
    Is(Expression),
    /// A value that is kept as it was sent: this reads it out of what is kept, a path is bound
    /// behind it, and a parenthesis closes it.
    Kept(&'static str, Kind),
    /// The ledger holds no values for it.
    Nothing,
}

/// An expression of a table whose values are those of a field.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expression {
    sql: &'static str,
    stored: Stored,
    shortcut: Option<Shortcut>,
}

/// What is behind each field of an object: those with an expression, those that are kept as they
/// were sent and where, and those that have no values. A field that is in none of the lists, or in
/// one that the catalogue contradicts ([`agrees`]), does not compile.
macro_rules! columns {
    (
        $fields:ident { $($name:ident = $column:expr,)+ }
        $(kept in $kept_in:literal { $($kept:ident,)+ })?
        $(nothing { $($nothing:ident,)+ })?
    ) => {{
        use $crate::catalogue::field::Fields;
        use $crate::ledger::sqlite::query_columns::{Source, agrees};

        #[allow(clippy::match_same_arms)]
        const fn source(field: $fields) -> Source {
            match field {
                $($fields::$name => Source::Is($column),)+
                $($($fields::$kept => {
                    Source::Kept(concat!("json_extract(", $kept_in, ", "), field.field().kind)
                })+)?
                $($($fields::$nothing => Source::Nothing,)+)?
            }
        }
        const _: () = {
            let mut fields = <$fields as Fields>::ALL;
            while let [field, others @ ..] = fields {
                let is_right = agrees(field.field(), source(*field), <$fields as Fields>::FIELDS);
                assert!(is_right, "{}", field.field().name);
                fields = others;
            }
        };
        |name: &str| $fields::from_name(name).map(source)
    }};
}
pub(super) use columns;

/// Whether what is behind a field fits what the catalogue says of it: what callers set and queries
/// find is stored, what is kept is found again, and values are stored as what they are.
pub(super) const fn agrees(field: &Field, source: Source, all: &[&Field]) -> bool {
    let is_kept = is_kept_under(field.name, all);
    match source {
        Source::Is(expression) => expression.stored.fits(field.kind),
        Source::Kept(..) => is_kept,
        Source::Nothing if field.is_queried => !is_kept && !matches!(field.fate, Fate::Judged),
        Source::Nothing => !is_kept,
    }
}

const fn is_kept_under(name: &str, all: &[&Field]) -> bool {
    let mut fields = all;
    while let [field, others @ ..] = fields {
        if let Some(kept) = field.kept_under()
            && is_same(kept, name)
        {
            return true;
        }
        fields = others;
    }
    false
}

/// Where the values of a field are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    /// The expression that is its value.
    pub(super) sql: &'static str,
    /// The path to the value, which is bound behind the expression of a custom or a kept field.
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
    /// Not at all: it follows from the moment, the salt and the key of a refund.
    RefundId,
    /// Not at all: it follows from the key of a refund.
    RefundNumber,
}

impl Stored {
    /// Whether values of this kind can be stored so.
    const fn fits(self, kind: Kind) -> bool {
        match self {
            Self::Text | Self::RefundId | Self::RefundNumber => {
                matches!(kind, Kind::Text | Kind::Id)
            }
            Self::Amount => matches!(kind, Kind::Decimal),
            Self::Decimal => matches!(kind, Kind::Decimal | Kind::Int | Kind::Short),
            Self::Boolean => matches!(kind, Kind::Boolean),
            Self::Moment => matches!(kind, Kind::Moment),
            Self::Day => matches!(kind, Kind::Day),
        }
    }
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
        if field == ID {
            return Some(self.table.id.into());
        }
        match (self.table.columns)(field) {
            Some(Source::Is(expression)) => Some(expression.into()),
            Some(Source::Kept(sql, kind)) => Some(kept(sql, kind, field)),
            Some(Source::Nothing) => None,
            None => self.custom(field),
        }
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

/// The column of a value that is kept as it was sent.
fn kept(sql: &'static str, kind: Kind, name: &str) -> Column {
    let stored = match kind {
        Kind::Int | Kind::Short => Stored::Decimal,
        Kind::Boolean => Stored::Boolean,
        _ => Stored::Text,
    };
    Column { sql, path: Some(format!("$.{name}")), stored, shortcut: None }
}

impl From<Expression> for Column {
    fn from(expression: Expression) -> Self {
        let Expression { sql, stored, shortcut } = expression;
        Self { sql, path: None, stored, shortcut }
    }
}

pub(super) const fn column(sql: &'static str, stored: Stored) -> Expression {
    Expression { sql, stored, shortcut: None }
}

pub(super) const fn text(sql: &'static str) -> Expression {
    column(sql, Stored::Text)
}

pub(super) const fn short(sql: &'static str, shortcut: Shortcut) -> Expression {
    Expression { sql, stored: Stored::Text, shortcut: Some(shortcut) }
}

pub(super) const fn follows(sql: &'static str, stored: Stored, shortcut: Shortcut) -> Expression {
    Expression { sql, stored, shortcut: Some(shortcut) }
}

pub(super) const fn amount(sql: &'static str) -> Expression {
    column(sql, Stored::Amount)
}

pub(super) const fn moment(sql: &'static str) -> Expression {
    column(sql, Stored::Moment)
}

/// A condition on the account of a row, by the account's id.
macro_rules! of_account {
    ($column:literal) => {
        Shortcut::Through(&[concat!($column, " = (select key from account where id = "), ")"])
    };
}
pub(super) use of_account;
