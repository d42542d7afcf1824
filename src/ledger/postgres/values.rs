//! Values of records on their way to PostgreSQL and back, in its binary form: bigint, text, bytea,
//! and arrays of them, one for each column in which rows that are written together differ.

use super::fault::Misfit;
use crate::ledger::record::{Columns, Value};
use bytes::{BufMut as _, BytesMut};
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

/// The values of one column of many rows, as they are sent. As long as every row has the same, it
/// is held once.
#[derive(Debug)]
pub(super) struct Column {
    kind: Kind,
    /// Each value behind its length; -1 stands for none.
    body: Vec<u8>,
    /// How much of it the first value takes.
    first: usize,
    rows: usize,
    is_same: bool,
    has_null: bool,
}

/// How much the length of a value takes.
const LENGTH: usize = 4;

impl Column {
    pub(super) const fn of(kind: Kind) -> Self {
        Self { kind, body: Vec::new(), first: 0, rows: 0, is_same: true, has_null: false }
    }

    /// Takes the value of the next row; false if it is not of this column's type.
    pub(super) fn push(&mut self, value: &Value<'_>) -> bool {
        let begin = self.body.len();
        let is_kept = match (self.kind, value) {
            (_, Value::Null) => {
                self.has_null = true;
                self.body.extend((-1_i32).to_be_bytes());
                true
            }
            (Kind::Integer, Value::Integer(value)) => self.add(&value.to_be_bytes()),
            (Kind::Text, Value::Text(text)) => self.add(text.as_bytes()),
            (Kind::Bytes, Value::Bytes(bytes)) => self.add(bytes),
            _ => false,
        };
        if !is_kept {
            return false;
        }
        if self.rows == 0 {
            self.first = self.body.len();
        } else if self.is_same {
            let (before, new) = self.body.split_at(begin);
            if before == new {
                self.body.truncate(begin);
            } else {
                let new = new.to_vec();
                self.body.truncate(begin);
                for _ in 1..self.rows {
                    self.body.extend_from_within(..self.first);
                }
                self.body.extend(new);
                self.is_same = false;
            }
        }
        self.rows += 1;
        true
    }

    fn add(&mut self, value: &[u8]) -> bool {
        let Ok(length) = i32::try_from(value.len()) else { return false };
        self.body.extend(length.to_be_bytes());
        self.body.extend_from_slice(value);
        true
    }

    /// Whether no two rows differ in it.
    pub(super) const fn is_same(&self) -> bool {
        self.is_same
    }

    /// The value that all rows have.
    fn put_one(&self, out: &mut BytesMut) -> Result<IsNull, Wrong> {
        if !self.is_same || self.rows == 0 {
            return Err(Box::new(Misfit));
        }
        if !self.has_null {
            out.extend_from_slice(self.body.get(LENGTH..).unwrap_or_default());
        }
        Ok(if self.has_null { IsNull::Yes } else { IsNull::No })
    }

    /// An array of the values of all rows.
    fn put_all(&self, element: &Type, out: &mut BytesMut) -> Result<IsNull, Wrong> {
        out.put_i32(1);
        out.put_i32(i32::from(self.has_null));
        out.put_u32(element.oid());
        out.put_i32(i32::try_from(self.rows)?);
        out.put_i32(1);
        for _ in 0..if self.is_same { self.rows } else { 1 } {
            out.extend_from_slice(&self.body);
        }
        Ok(IsNull::No)
    }
}

impl ToSql for Column {
    fn to_sql(&self, sql: &Type, out: &mut BytesMut) -> Result<IsNull, Wrong> {
        match (self.kind, sql) {
            (Kind::Integer, &Type::INT8)
            | (Kind::Text, &Type::TEXT)
            | (Kind::Bytes, &Type::BYTEA) => self.put_one(out),
            (Kind::Integer, &Type::INT8_ARRAY) => self.put_all(&Type::INT8, out),
            (Kind::Text, &Type::TEXT_ARRAY) => self.put_all(&Type::TEXT, out),
            (Kind::Bytes, &Type::BYTEA_ARRAY) => self.put_all(&Type::BYTEA, out),
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What a column of these values comes to, as one value or as an array.
    fn sent(kind: Kind, values: &[Value<'_>], sql: &Type) -> Result<(bool, Vec<u8>), Wrong> {
        let mut column = Column::of(kind);
        assert!(values.iter().all(|value| column.push(value)), "{values:?}");
        let mut out = BytesMut::new();
        let is_null = column.to_sql(sql, &mut out)?;
        Ok((matches!(is_null, IsNull::Yes), out.to_vec()))
    }

    #[test]
    fn columns_are_sent_as_the_library_sends_arrays() {
        let text = |text: &'static str| Value::Text(Cow::Borrowed(text));
        for values in [
            vec![],
            vec![Some("a")],
            vec![None],
            vec![Some("ab"), Some("ab"), Some("ab")],
            vec![Some("ab"), Some("ab"), None, Some(""), Some("ab")],
            vec![None, None, Some("c")],
        ] {
            let mut expected = BytesMut::new();
            values.to_sql(&Type::TEXT_ARRAY, &mut expected).unwrap();
            let values: Vec<_> =
                values.into_iter().map(|value| value.map_or(Value::Null, text)).collect();
            let array = sent(Kind::Text, &values, &Type::TEXT_ARRAY).unwrap();
            assert_eq!(array, (false, expected.to_vec()), "{values:?}");
        }
    }

    #[test]
    fn a_value_that_all_rows_have_is_sent_once() {
        let seven = || Value::Integer(7);
        let one = sent(Kind::Integer, &[seven(), seven()], &Type::INT8).unwrap();
        assert_eq!(one, (false, 7_i64.to_be_bytes().to_vec()));
        let none = sent(Kind::Integer, &[Value::Null, Value::Null], &Type::INT8).unwrap();
        assert_eq!(none, (true, Vec::new()));
        for values in [vec![], vec![seven(), Value::Null], vec![seven(), Value::Integer(8)]] {
            assert!(sent(Kind::Integer, &values, &Type::INT8).is_err(), "{values:?}");
        }
        assert!(!Column::of(Kind::Integer).push(&Value::Text(Cow::Borrowed("7"))));
    }
}
