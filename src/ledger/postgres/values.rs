//! Values of records on their way to PostgreSQL and back, in its binary form: bigint, text, bytea,
//! and arrays of them, one for each column of rows that are written together.

use super::fault::Misfit;
use crate::ledger::record::{Columns, Value};
use bytes::BytesMut;
use std::borrow::Cow;
use std::error::Error;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Integer,
    Text,
    Bytes,
}

impl Kind {
    /// The type that a column of a catalogue has, if a ledger has any such.
    pub(super) fn of(name: &str) -> Option<Self> {
        match name {
            "bigint" => Some(Self::Integer),
            "text" => Some(Self::Text),
            "bytea" => Some(Self::Bytes),
            _ => None,
        }
    }

    /// Its name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Integer => "bigint",
            Self::Text => "text",
            Self::Bytes => "bytea",
        }
    }
}

type Wrong = Box<dyn Error + Sync + Send>;

/// A value that rows are looked for by.
#[derive(Debug)]
pub(super) struct Bound<'v>(pub(super) &'v Value<'v>);

impl ToSql for Bound<'_> {
    fn to_sql(&self, sql: &Type, out: &mut BytesMut) -> Result<IsNull, Wrong> {
        match (self.0, sql) {
            (Value::Null, _) => Ok(IsNull::Yes),
            (Value::Integer(value), &Type::INT8) => value.to_sql(sql, out),
            // What a statement computes and does not only read may have another type.
            (Value::Integer(value), &Type::INT4) => i32::try_from(*value)?.to_sql(sql, out),
            (Value::Integer(value @ (0 | 1)), &Type::BOOL) => (*value == 1).to_sql(sql, out),
            (Value::Text(text), &Type::TEXT) => text.as_ref().to_sql(sql, out),
            (Value::Bytes(bytes), &Type::BYTEA) => bytes.as_ref().to_sql(sql, out),
            _ => Err(Box::new(Misfit)),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// Whether PostgreSQL can keep a value, and so whether a row may have it: its texts have no U+0000.
pub(super) fn can_be_kept(value: &Value<'_>) -> bool {
    !matches!(value, Value::Text(text) if text.contains('\0'))
}

/// The values of one column of many rows.
#[derive(Debug)]
pub(super) enum Column {
    Integers(Vec<Option<i64>>),
    Texts(Vec<Option<String>>),
    Bytes(Vec<Option<Vec<u8>>>),
}

impl Column {
    pub(super) const fn of(kind: Kind) -> Self {
        match kind {
            Kind::Integer => Self::Integers(Vec::new()),
            Kind::Text => Self::Texts(Vec::new()),
            Kind::Bytes => Self::Bytes(Vec::new()),
        }
    }

    /// Takes the value of the next row; false if it is not of this column's type.
    pub(super) fn push(&mut self, value: Value<'_>) -> bool {
        match (self, value) {
            (Self::Integers(values), Value::Integer(value)) => values.push(Some(value)),
            (Self::Texts(values), Value::Text(text)) => values.push(Some(text.into_owned())),
            (Self::Bytes(values), Value::Bytes(bytes)) => values.push(Some(bytes.into_owned())),
            (Self::Integers(values), Value::Null) => values.push(None),
            (Self::Texts(values), Value::Null) => values.push(None),
            (Self::Bytes(values), Value::Null) => values.push(None),
            _ => return false,
        }
        true
    }
}

impl ToSql for Column {
    fn to_sql(&self, sql: &Type, out: &mut BytesMut) -> Result<IsNull, Wrong> {
        match (self, sql) {
            (Self::Integers(values), &Type::INT8_ARRAY) => values.to_sql(sql, out),
            (Self::Texts(values), &Type::TEXT_ARRAY) => values.to_sql(sql, out),
            (Self::Bytes(values), &Type::BYTEA_ARRAY) => values.to_sql(sql, out),
            _ => Err(Box::new(Misfit)),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A value as it came.
enum Came<'r> {
    Null,
    Integer(i64),
    Text(&'r str),
    Bytes(&'r [u8]),
}

impl<'r> FromSql<'r> for Came<'r> {
    fn from_sql(sql: &Type, raw: &'r [u8]) -> Result<Self, Wrong> {
        match *sql {
            Type::INT8 => i64::from_sql(sql, raw).map(Self::Integer),
            Type::INT4 => i32::from_sql(sql, raw).map(|value| Self::Integer(value.into())),
            Type::BOOL => bool::from_sql(sql, raw).map(|value| Self::Integer(value.into())),
            Type::TEXT => <&str>::from_sql(sql, raw).map(Self::Text),
            Type::BYTEA => <&[u8]>::from_sql(sql, raw).map(Self::Bytes),
            _ => Err(Box::new(Misfit)),
        }
    }

    fn from_sql_null(_: &Type) -> Result<Self, Wrong> {
        Ok(Self::Null)
    }

    fn accepts(sql: &Type) -> bool {
        matches!(*sql, Type::INT8 | Type::INT4 | Type::BOOL | Type::TEXT | Type::BYTEA)
    }
}

/// Whether values of a type are understood when they come.
pub(super) fn is_understood(sql: &Type) -> bool {
    Came::accepts(sql)
}

/// A row that was found.
pub(super) struct RowColumns<'r>(pub(super) &'r Row);

impl Columns for RowColumns<'_> {
    fn value(&self, place: usize) -> Value<'_> {
        value_at(self.0, place)
    }
}

/// The value of a column.
pub(super) fn value_at(row: &Row, place: usize) -> Value<'_> {
    match row.try_get(place) {
        Ok(Came::Integer(value)) => Value::Integer(value),
        Ok(Came::Text(text)) => Value::Text(Cow::Borrowed(text)),
        Ok(Came::Bytes(bytes)) => Value::Bytes(Cow::Borrowed(bytes)),
        Ok(Came::Null) | Err(_) => Value::Null,
    }
}
