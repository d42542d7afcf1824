//! How a field becomes an expression of SQL: what a table and a column are.
//!
//! What must stay true: all SQL of a query is put together from the literals of `tables`,
//! `billing`, `invoicing` and `statement`, and what a dialect writes about them; whatever comes
//! from a caller or a tenant is bound; and each field of the catalogue is an expression, or kept as
//! clients set it, or without values.

use super::tables::table_of;
use crate::catalogue::field::{Fate, Field, Kind, is_same};
use crate::domain::custom_field::{CustomFields, CustomType};
use crate::domain::draft::names::ID;
use crate::domain::id::IdKind;
use crate::domain::query::QueryObject;

/// Where the rows of an object are.
pub(in crate::ledger) struct Table {
    /// The key, which orders rows by their creation and never changes.
    pub(in crate::ledger) key: &'static str,
    /// Selects the newest key, which is null as long as there is no row.
    pub(super) newest: &'static str,
    /// The table with all that its columns refer to.
    pub(super) from: &'static str,
    /// What rows of the object have in common, where the table has others as well.
    pub(super) only: Option<&'static str>,
    /// The column of the JSON that the fields of the tenant's own are in, where there are any.
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
    /// A value that is kept as it was sent, in the JSON of this column.
    Kept(&'static str, Kind),
    /// The ledger holds no values for it.
    Nothing,
}

/// An expression of a table whose values are those of a field.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expression {
    sql: &'static str,
    /// It is this member of the JSON, or where that has none, this value.
    member: Option<(&'static str, &'static str)>,
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
        use $crate::ledger::query::columns::{Source, agrees};

        #[allow(clippy::match_same_arms)]
        const fn source(field: $fields) -> Source {
            match field {
                $($fields::$name => Source::Is($column),)+
                $($($fields::$kept => {
                    Source::Kept($kept_in, field.field().kind)
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
pub(in crate::ledger) struct Column {
    /// The expression that is its value, or the column of the JSON that has it.
    pub(super) sql: &'static str,
    /// Which member of the JSON it is, of a custom or a kept field; its name is bound.
    pub(super) member: Option<String>,
    /// The value where the JSON has no such member.
    pub(super) default: Option<&'static str>,
    /// How the value is stored.
    pub(super) stored: Stored,
    /// A way to the rows of one value that reads no others.
    pub(super) shortcut: Option<Shortcut>,
}

/// How a value is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
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
    pub(in crate::ledger) fn of(object: QueryObject) -> &'static Self {
        table_of(object)
    }
}

/// The columns of an object, with those of its tenant.
#[derive(Clone, Copy)]
pub(in crate::ledger) struct Columns<'a> {
    pub(super) table: &'static Table,
    object: QueryObject,
    custom: &'a CustomFields,
}

impl<'a> Columns<'a> {
    pub(in crate::ledger) fn of(object: QueryObject, custom: &'a CustomFields) -> Self {
        Self { table: Table::of(object), object, custom }
    }

    /// The column behind a field; none when the ledger holds no values for it.
    pub(in crate::ledger) fn find(&self, field: &str) -> Option<Column> {
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
        let member = Some(field.name.to_string());
        Some(Column { sql: self.table.custom?, member, default: None, stored, shortcut: None })
    }
}

/// The column of a value that is kept as it was sent.
fn kept(sql: &'static str, kind: Kind, name: &str) -> Column {
    let stored = match kind {
        Kind::Int | Kind::Short => Stored::Decimal,
        Kind::Boolean => Stored::Boolean,
        _ => Stored::Text,
    };
    Column { sql, member: Some(name.to_owned()), default: None, stored, shortcut: None }
}

impl From<Expression> for Column {
    fn from(expression: Expression) -> Self {
        let Expression { sql, member, stored, shortcut } = expression;
        let (member, default) = member.unzip();
        Self { sql, member: member.map(str::to_owned), default, stored, shortcut }
    }
}

pub(super) const fn column(sql: &'static str, stored: Stored) -> Expression {
    Expression { sql, member: None, stored, shortcut: None }
}

/// A member of the JSON of a column, or the SQL of a default where that has none.
pub(super) const fn kept_or(
    document: &'static str,
    member: &'static str,
    stored: Stored,
    default: &'static str,
) -> Expression {
    Expression { sql: document, member: Some((member, default)), stored, shortcut: None }
}

pub(super) const fn text(sql: &'static str) -> Expression {
    column(sql, Stored::Text)
}

pub(super) const fn short(sql: &'static str, shortcut: Shortcut) -> Expression {
    Expression { sql, member: None, stored: Stored::Text, shortcut: Some(shortcut) }
}

pub(super) const fn follows(sql: &'static str, stored: Stored, shortcut: Shortcut) -> Expression {
    Expression { sql, member: None, stored, shortcut: Some(shortcut) }
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
